"""What waits for a person, as the machine knows it: the outbox keeps it, this tells of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from sync.client import commands
from sync.client.emitter import Emitter
from sync.client.needs_you import NeedsYou, NeedsYouChange
from sync.client.news import NeedsYouChanged
from sync.contract.operations import Acknowledge, Assign, Edit, Move, Operation, Source
from sync.contract.orders import Order, OrderPatch, lines_crc
from sync.contract.ports import Ids
from sync.contract.stages import Stage


class WaitingList:
    """The entries by their ids, oldest first."""

    def __init__(self, entries: Iterable[NeedsYou], emitter: Emitter) -> None:
        """Start with what the outbox holds."""
        self._entries = {entry.id: entry for entry in entries}
        self._emitter = emitter

    def get(self, entry_id: str) -> NeedsYou | None:
        """Return an entry, None when there is none with this id."""
        return self._entries.get(entry_id)

    def take(self, change: object) -> None:
        """Take over what the outbox says has changed, and tell of it; anything else is no change."""
        if not isinstance(change, NeedsYouChange) or not change:
            return
        for each in change.removed:
            self._entries.pop(each, None)
        self._entries.update({entry.id: entry for entry in change.entries})
        self._emitter.publish(NeedsYouChanged(change.entries, change.removed))


def answers_to(
    request: commands.Acknowledge | commands.RetryQuarantined,
    entry: NeedsYou,
    ids: Ids,
    order: Order | None = None,
) -> tuple[Operation, ...]:
    """Return the operations, not numbered yet, that a person's word on an entry comes to.

    A retry is a new operation of whoever asks for it, on ``order`` as it is shown now: what the first try was
    based on would be refused for the same reason again. A salvage is this computer's own affair: seeing it is
    told to nobody.
    """
    operation = entry.operation
    if operation is None:
        return ()
    if isinstance(request, commands.Acknowledge):
        seen = Acknowledge(operation.op_id)
        return (Operation(ids.new(), operation.order_id, seen, source=Source.MENU),)
    again = msgspec.structs.replace(
        operation,
        op_id=ids.new(),
        retry_of=operation.op_id,
        device_id="",
        device_seq=0,
        actor_id="",
        sign_in_id="",
        batch_id="",
        wall_ms=0,
        mono_ms=0,
        boot_id="",
    )
    return (_based_on(again, order),)


def _based_on(operation: Operation, order: Order | None) -> Operation:
    """Return ``operation`` as somebody asks for it who sees ``order``; None: it is not on the board."""
    if order is None:
        return msgspec.structs.replace(operation, base_stage=None, base_revision=0, base_lines=None)
    change = operation.change
    if isinstance(change, Edit):
        names = (name for name in change.was.__struct_fields__ if getattr(change.was, name) is not UNSET)
        was = OrderPatch(**{name: getattr(order, name) for name in names})
        change = msgspec.structs.replace(change, was=was)
    elif isinstance(change, Assign):
        change = msgspec.structs.replace(change, was_id=order.assignee_id)
    is_finishing = isinstance(change, Move) and change.to is Stage.PICKED
    return msgspec.structs.replace(
        operation,
        change=change,
        base_stage=order.stage,
        base_revision=order.revision,
        base_lines=lines_crc(order) if is_finishing else None,
    )
