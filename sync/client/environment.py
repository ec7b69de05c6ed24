"""What the client's machine gets from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from sync.client.backoff import Jitter
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN
from sync.contract.operations import KINDS
from sync.contract.ports import Clock, Ids

KINDS_SINCE: Final[Mapping[str, int]] = dict.fromkeys(KINDS, 2)
"""Since which version of the protocol a server knows a kind of operation."""


class Environment(NamedTuple):
    """Clock, ids, chance, this release, and which versions of the protocol it speaks."""

    clock: Clock
    ids: Ids
    jitter: Jitter
    version: str
    protocols: tuple[int, int] = (PROTOCOL_MIN, PROTOCOL_MAX)
    kinds_since: Mapping[str, int] = KINDS_SINCE
