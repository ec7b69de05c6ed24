"""What a client may say with its numbers and ids: whatever else it says could not be stored.

One operation that the tables cannot hold would fail the batch of everybody, so it is stopped at the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from sync.contract.messages import Hello
from sync.contract.operations import Create, Import, Operation
from sync.contract.orders import HASH_MODULUS, Order

ID_CHARACTERS: Final = 64
KEY_CHARACTERS: Final = 200
PRIORITY_MAX: Final = 1 << 31
NUMBER_MAX: Final = 1 << 53
"""Exact in every language that reads JSON, and far inside what a column holds."""


def is_usable_hello(hello: Hello) -> bool:
    """Say whether a hello has an id and numbers that can be worked with."""
    return (
        _is_id(hello.device_id)
        and 0 < hello.next_device_seq < NUMBER_MAX
        and 0 <= hello.cursor < NUMBER_MAX
        and 0 <= hello.state_hash < HASH_MODULUS
    )


def is_usable_operation(operation: Operation, device_id: str) -> bool:
    """Say whether an operation is numbered by this device and can be stored."""
    is_numbered = operation.device_id == device_id and 0 < operation.device_seq < NUMBER_MAX
    if not (is_numbered and _is_id(operation.op_id) and _is_id(operation.order_id)):
        return False
    change = operation.change
    if not isinstance(change, Create | Import):
        return True
    order = change.order
    if order is not None and not _is_storable(order):
        return False
    return all(abs(number) < NUMBER_MAX for number in _numbers(msgspec.to_builtins(change)))


def _is_id(text: str) -> bool:
    return 0 < len(text) <= ID_CHARACTERS and "\0" not in text


def _is_storable(order: Order) -> bool:
    return _is_key(order.source) and _is_key(order.external_ref) and abs(order.priority) < PRIORITY_MAX


def _is_key(text: str) -> bool:
    """Say whether a text can be a key: PostgreSQL holds no zero character, and its indexes no long text."""
    return len(text) <= KEY_CHARACTERS and "\0" not in text


def _numbers(value: object) -> Iterator[int]:
    """Give every whole number in plain nested values."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        yield from _all_numbers(value.values())
    elif isinstance(value, list | tuple):
        yield from _all_numbers(value)


def _all_numbers(values: Iterable[object]) -> Iterator[int]:
    for value in values:
        yield from _numbers(value)
