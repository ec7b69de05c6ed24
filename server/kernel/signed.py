"""64-bit hashes in SQL columns, whose integers are signed."""

from __future__ import annotations

from sync.contract.orders import HASH_MODULUS


def signed(value: int) -> int:
    """Return an unsigned 64-bit number as the signed one with the same bits."""
    return value - HASH_MODULUS if value >= HASH_MODULUS // 2 else value


def unsigned(value: int) -> int:
    """Return what :func:`signed` was given."""
    return value % HASH_MODULUS
