"""The outbox without a file: the real one on SQLite's memory, which outlives a simulated crash."""

from __future__ import annotations

from sync.client.outbox import Outbox
from sync.client.stores.files import MEMORY
from sync.client.stores.outbox_mark import Mark
from sync.contract.ports import FaultHook, Ids


def new_outbox(ids: Ids, faults: FaultHook) -> Outbox:
    """Make an empty outbox with a new identity."""
    return Outbox.open(MEMORY, ids, faults).outbox


def opened_again(outbox: Outbox, faults: FaultHook) -> Outbox:
    """Return what the next process finds: the connection stands for the file.

    What was not committed was rolled back when the crash came through.
    """
    return Outbox(outbox._connection, faults, Mark(MEMORY))  # noqa: SLF001 - closing it would be losing it
