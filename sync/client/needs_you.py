"""What waits for a person: operations that did not become what they were meant to be.

An entry lies in the outbox until somebody has acknowledged it or tried it again; it is written in the same
transaction as the verdict that makes it necessary, so no crash loses it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

from sync.contract.messages import Verdict
from sync.contract.operations import Operation
from sync.contract.problems import Problem

ENTRIES: Final = 10_000
"""So many are kept. Beyond, the oldest of those that the server's log holds too give way."""


class NeedsYouKind(StrEnum):
    """Why an entry is there."""

    REJECTED = "rejected"
    """The server refused the operation; the verdict says why."""
    QUARANTINED = "quarantined"
    """The server failed on it again and again; it is nowhere but here."""
    SALVAGED = "salvaged"
    """The list of moves was damaged, and what was whole of it saved."""
    OVERRULED = "overruled"
    """Somebody assigned the order to another person afterwards."""
    UPGRADE = "upgrade"
    """The server is too old to know such an operation; it is nowhere but here."""


PRECIOUS: Final = frozenset({NeedsYouKind.QUARANTINED, NeedsYouKind.UPGRADE})
"""Entries that are the only copy of an operation: they never give way."""


class NeedsYou(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry. ``id`` is the operation's id, of a salvage the name of the file that was put aside.

    ``at_ms`` is since when, on this machine's wall clock. ``other`` is the operation that overruled this
    one and ``other_name`` who gave it.
    """

    id: str
    kind: NeedsYouKind
    at_ms: int = 0
    operation: Operation | None = None
    verdict: Verdict | None = None
    other: Operation | None = None
    other_name: str = ""
    problem: Problem | None = None


class NeedsYouChange(msgspec.Struct, frozen=True):
    """Entries that are new, and the ids of those that are gone."""

    entries: tuple[NeedsYou, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries or self.removed)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(NeedsYou)


def entry_bytes(entry: NeedsYou) -> bytes:
    """Return the canonical bytes of an entry: what the outbox stores and a checksum covers."""
    return _ENCODER.encode(entry)


def entry_from_bytes(data: bytes) -> NeedsYou:
    """Return the entry of :func:`entry_bytes`; raises ``msgspec.MsgspecError``."""
    return _DECODER.decode(data)


def json_lines(entries: Iterable[NeedsYou]) -> bytes:
    """Return entries as text for a file: one a line, whole, readable by any program."""
    return b"".join(entry_bytes(entry) + b"\n" for entry in entries)
