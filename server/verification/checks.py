"""What must be true after every run; each check returns the sentences of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from server.verification.archive import Archive
from server.verification.history import History
from server.verification.rooms import ServerRoom
from server.verification.station import Station
from sync.client.needs_you import NeedsYouKind
from sync.contract.operations import Acknowledge, Create, LogEntry, Operation, Outcome, Reason, Skip
from sync.contract.orders import canonical_bytes

_FILLED: Final = ("actor_id", "sign_in_id", "wall_ms", "mono_ms", "boot_id")
"""What the program adds where nobody said it."""


def violations(room: ServerRoom, archive: Archive, stations: Sequence[Station]) -> list[str]:
    """Run every check and return what is wrong, empty when nothing is."""
    history = archive.catch_up()
    found = [*room.world.faults, *archive.found(), *_server_agrees(room, history)]
    found += _issued_is_logged_once(history, stations)
    found += _real_time_holds(room, history, stations)
    for station in stations:
        found += _told_is_true(station, archive)
        found += _terminal_agrees(station, history, room.head().epoch)
        found += _rejected_is_shown(station, history)
        found += _cursor_never_goes_back(station)
        found += station.found
    return found


def _server_agrees(room: ServerRoom, history: History) -> Iterable[str]:
    """The server's own orders and hash are those of its log."""
    stored = room.bodies()
    made = {order_id: canonical_bytes(order) for order_id, order in history.orders().items()}
    for order_id in sorted(stored.keys() | made.keys()):
        if stored.get(order_id) != made.get(order_id):
            yield f"server: order {order_id} is not what its log says"
    if room.state_hash() != history.state_hash():
        yield "server: its state hash is not that of its log"


def _issued_is_logged_once(history: History, stations: Sequence[Station]) -> Iterable[str]:
    """What a screen called saved is in the log once, or waits for a person; nothing else is there."""
    logged = Counter(entry.operation.op_id for entry in history.entries)
    issued: dict[str, Operation] = {}
    for station in stations:
        issued |= station.issued
        waiting = {entry.id for entry in station.profile.outbox.needs_you()} | station.was_in_needs_you
        for op_id in sorted(station.promised):
            if logged[op_id] > 1 or (not logged[op_id] and op_id not in waiting):
                yield f"{station.name}: {op_id} was promised and is in the log {logged[op_id]} times"
    for entry in history.entries:
        operation = entry.operation
        if not operation.device_id:
            continue
        if operation.op_id not in issued:
            yield f"seq {entry.seq}: {operation.op_id} is in the log and nobody issued it"
        elif not _is_as_issued(operation, issued[operation.op_id]):
            yield f"seq {entry.seq}: {operation.op_id} is not what was issued"


def _is_as_issued(logged: Operation, issued: Operation) -> bool:
    """Say whether an operation came through as it was given; a new order stands beside it."""
    if isinstance(logged.change, Create | Skip):
        logged = msgspec.structs.replace(logged, change=issued.change)
    filled = {name: getattr(logged, name) for name in _FILLED if not getattr(issued, name)}
    numbered = {"device_id": logged.device_id, "device_seq": logged.device_seq}
    return logged == msgspec.structs.replace(issued, **filled, **numbered)


def _real_time_holds(room: ServerRoom, history: History, stations: Sequence[Station]) -> Iterable[str]:
    """An operation that was answered before another was begun stands before it in the log."""
    begun: dict[str, int] = {}
    answered: dict[str, int] = {}
    for station in stations:
        begun.update(station.issued_ms)
        for op_id, (life, at_ms) in station.answered_ms.items():
            if life == room.life:
                answered[op_id] = at_ms
    latest: dict[str, tuple[int, int]] = {}
    for entry in history.entries:
        op_id, order_id = entry.operation.op_id, entry.operation.order_id
        before = latest.get(order_id, (-1, 0))
        if answered.get(op_id, before[0]) < before[0]:
            yield f"seq {entry.seq}: was answered before seq {before[1]} was begun, and stands behind it"
        latest[order_id] = max(before, (begun.get(op_id, -1), entry.seq))


def _told_is_true(station: Station, archive: Archive) -> Iterable[str]:
    """What a screen was told of an operation stands so in the log of that life."""
    for life, verdict in station.told:
        entry = archive.lives[life].by_op.get(verdict.op_id)
        if entry is None:
            yield f"{station.name}: was told {verdict.outcome} of {verdict.op_id}, which is not in the log"
        elif not _is_as_told(entry, verdict.outcome, verdict.reason, verdict.seq):
            yield f"{station.name}: was told {verdict}, the log says {entry.outcome} at {entry.seq}"


def _is_as_told(entry: LogEntry, outcome: Outcome, reason: Reason, seq: int) -> bool:
    # A later release has reasons that this one cannot name.
    return (entry.outcome, entry.seq) == (outcome, seq) and reason in {entry.reason, Reason.OTHER}


def _terminal_agrees(station: Station, history: History, epoch: str) -> Iterable[str]:
    """After quiet nothing is held back, and cache and screen are the board of the log."""
    held = station.profile.outbox.state().held
    if held:
        yield f"{station.name}: {len(held)} operations are still not done after quiet"
    state = station.profile.cache.state()
    if (state.epoch, state.cursor) != (epoch, history.seq):
        there = f"{state.cursor} of {state.epoch}"
        yield f"{station.name}: stands at {there}, the log at {history.seq} of {epoch}"
        return
    if state.state_hash != history.state_hash():
        yield f"{station.name}: its hash is not that of the log"
    board = history.board(history.seq)
    if state.orders != len(board):
        yield f"{station.name}: counts {state.orders} orders, the log {len(board)}"
    for order_id, order in history.orders().items():
        if station.profile.screen.shown(order_id) != (order if order.is_on_board else None):
            yield f"{station.name}: shows another {order_id} than the log has"


def _rejected_is_shown(station: Station, history: History) -> Iterable[str]:
    """Whatever was refused or set aside was put before its person, and stands there until it is seen."""
    for entry in history.entries:
        operation = entry.operation
        if operation.op_id not in station.issued or entry.outcome is not Outcome.REJECTED:
            continue
        if operation.op_id not in station.was_in_needs_you and not isinstance(operation.change, Acknowledge):
            yield f"{station.name}: {operation.op_id} was refused ({entry.reason}) and nobody was told"
        waiting = station.needs_you.get(operation.op_id)
        is_wrong = waiting is not None and waiting.kind is not NeedsYouKind.QUARANTINED
        if isinstance(operation.change, Skip) and is_wrong:
            yield f"{station.name}: {operation.op_id} was set aside and is shown as something else"
    stored = {entry.id for entry in station.profile.outbox.needs_you()}
    if stored != set(station.needs_you):
        yield f"{station.name}: the screen's list of what needs somebody is not the stored one"


def _cursor_never_goes_back(station: Station) -> Iterable[str]:
    highest: dict[tuple[int, str], int] = {}
    for life, epoch, cursor in station.cursors:
        before = highest.get((life, epoch), 0)
        if cursor < before:
            yield f"{station.name}: the cursor went back from {before} to {cursor}"
        highest[life, epoch] = max(cursor, before)
