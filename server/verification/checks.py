"""What must be true after every run; each check returns the sentences of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from server.verification.server_node import ServerRoom
from server.verification.terminal import Station
from sync.contract.operations import Import, LogEntry, Outcome
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash


def violations(room: ServerRoom, stations: list[Station]) -> list[str]:
    """Run every check and return what is wrong, empty when nothing is."""
    log = room.log()
    found = [
        *room.world.faults,
        *_log_is_gapless(log),
        *_promised_is_logged_once(log, stations),
        *_devices_keep_their_order(log),
        *_log_replays(log),
    ]
    for station in stations:
        found += _terminal_agrees(station, log)
        found += _cursor_never_goes_back(station)
    return found


def _log_is_gapless(log: list[LogEntry]) -> list[str]:
    sequence = [entry.seq for entry in log]
    if sequence == list(range(1, len(log) + 1)):
        return []
    return ["the log's seq is not gapless from 1"]


def _promised_is_logged_once(log: list[LogEntry], stations: list[Station]) -> Iterable[str]:
    """What a screen called saved is in the log once; nothing is there that nobody issued."""
    logged = Counter(entry.operation.op_id for entry in log if entry.operation.device_id)
    issued: set[str] = set()
    for station in stations:
        issued |= station.issued.keys()
        for op_id in sorted(station.promised):
            if logged[op_id] != 1:
                yield f"{station.name}: {op_id} was promised and is in the log {logged[op_id]} times"
    for op_id, times in logged.items():
        if times > 1:
            yield f"{op_id} is in the log {times} times"
        if op_id not in issued:
            yield f"{op_id} is in the log and nobody issued it"


def _devices_keep_their_order(log: list[LogEntry]) -> Iterable[str]:
    last: dict[str, int] = {}
    for entry in log:
        device, number = entry.operation.device_id, entry.operation.device_seq
        if device and number != last.get(device, 0) + 1:
            yield f"seq {entry.seq}: {device} goes from {last.get(device, 0)} to {number}"
        if device:
            last[device] = number


def _log_replays(log: list[LogEntry]) -> Iterable[str]:
    """Only what was taken changes an order, and raises its revision by one; only finished ones leave."""
    orders: dict[str, Order] = {}
    for entry in log:
        order_id = entry.operation.order_id
        if entry.order is not None:
            orders[order_id] = entry.order
        elif entry.patch is not None:
            before = orders[order_id]
            after = orders[order_id] = patched(before, entry.patch)
            if after.revision != before.revision + 1:
                yield f"seq {entry.seq}: revision goes from {before.revision} to {after.revision}"
            if before.is_on_board and not after.is_on_board and before.is_open:
                yield f"seq {entry.seq}: an open order left the board"
        if (entry.order or entry.patch) and entry.outcome not in _taken(entry):
            yield f"seq {entry.seq}: {entry.outcome} and yet it changed the order"


def _taken(entry: LogEntry) -> frozenset[Outcome]:
    """Return the outcomes with which an operation may change an order; a source is merged."""
    is_import = isinstance(entry.operation.change, Import)
    return frozenset({Outcome.APPLIED, *((Outcome.MERGED, Outcome.EXCEPTION) if is_import else ())})


def log_hash(log: list[LogEntry]) -> int:
    """Return the state hash of the board that the log makes."""
    orders: dict[str, Order] = {}
    for entry in log:
        if entry.order is not None:
            orders[entry.operation.order_id] = entry.order
        elif entry.patch is not None:
            orders[entry.operation.order_id] = patched(orders[entry.operation.order_id], entry.patch)
    shown = (order for order in orders.values() if order.is_on_board)
    return sum(row_hash(canonical_bytes(order)) for order in shown) % HASH_MODULUS


def _terminal_agrees(station: Station, log: list[LogEntry]) -> Iterable[str]:
    """After quiet nothing is held back, and the cache is the server's board."""
    held = station.outbox.state().held
    if held:
        yield f"{station.name}: {len(held)} operations are still not done after quiet"
    cache = station.cache.state()
    if cache.cursor != len(log):
        yield f"{station.name}: cursor {cache.cursor}, the log has {len(log)}"
    elif cache.state_hash % HASH_MODULUS != log_hash(log):
        yield f"{station.name}: its board is not the board of the log"


def _cursor_never_goes_back(station: Station) -> Iterable[str]:
    highest: dict[str, int] = {}
    for epoch, cursor in station.cursors:
        if cursor < highest.get(epoch, 0):
            yield f"{station.name}: the cursor went back from {highest[epoch]} to {cursor}"
        highest[epoch] = max(cursor, highest.get(epoch, 0))
