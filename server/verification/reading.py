"""Read your writes: at any moment a screen shows the log up to its cursor, and on it its own open operations.

The expectation comes from the log and from what the outbox holds, not from the screen's own bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from server.verification.archive import Archive
from server.verification.history import History
from server.verification.station import Station
from sync.contract.operations import Operation, Outcome
from sync.contract.orders import Order
from sync.contract.state_machine import decide


def check_reading(station: Station, archive: Archive) -> Iterable[str]:
    """Compare every order that this terminal has operations on."""
    state = station.profile.cache.state()
    archive.catch_up()
    history = archive.of(state.epoch)
    if history is None or station.is_damaged:
        return
    pending = _pending(station, history, state.cursor)
    for order_id, operations in pending.items():
        truth = history.order(order_id, state.cursor)
        is_there = truth is not None and truth.is_on_board
        expected = _replayed(station, truth, operations) if truth is not None and is_there else None
        shown = station.profile.screen.shown(order_id)
        if shown != expected:
            yield (
                f"{station.name} at {station.world.now_ms} ms: shows {_short(shown)} for {order_id}, "
                f"its log up to {state.cursor} and {len(operations)} own operations make {_short(expected)}"
            )


def _pending(station: Station, history: History, cursor: int) -> dict[str, list[Operation]]:
    outbox = station.profile.outbox.state()
    decided = history.decided(outbox.device_id, cursor)
    found: dict[str, list[Operation]] = {}
    for operation, verdict in outbox.held:
        is_shown = verdict is not None and verdict.seq <= cursor
        if operation.device_seq > decided and not is_shown and operation.op_id not in station.rejected:
            found.setdefault(operation.order_id, []).append(operation)
    held = {operation.op_id for operation, _ in outbox.held}
    for draft in station.unsaved.values():
        if draft.op_id not in held:
            found.setdefault(draft.order_id, []).append(draft)
    return found


def _replayed(station: Station, order: Order, operations: Iterable[Operation]) -> Order:
    for operation in operations:
        decision = decide(order, operation, station.judges[operation.op_id])
        if decision.outcome is not Outcome.REJECTED and decision.order is not None:
            order = decision.order
    return order


def _short(order: Order | None) -> str:
    return "nothing" if order is None else str(msgspec.to_builtins(order))[-260:]
