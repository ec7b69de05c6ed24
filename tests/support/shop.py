"""A site with orders of given ship methods and states, for what is done to many orders at once."""

from __future__ import annotations

import msgspec

from server.kernel.records import Batch, SiteKey, Submission
from support.server_bench import ServerBench, fresh_order
from sync.contract.operations import Change, Import, LogEntry, Operation, Outcome
from sync.contract.orders import Order, order_from_bytes

_ENTRY = msgspec.json.Decoder(LogEntry)


def put(bench: ServerBench, *some: dict[str, object], first: int = 0) -> list[str]:
    """Let orders arrive now that differ from a fresh one in these fields; return their ids."""
    operations = []
    unsaid = {"cut_off_ms": None, "ship_method": "", "stage_ms": 0}
    for place, fields in enumerate(some, first):
        order = msgspec.structs.replace(fresh_order(place), **{**unsaid, **fields})
        operations.append(Operation(bench.ids.new(), f"o-{place:05}", Import(order)))
    verdicts = bench.database.store.import_orders(bench.site.key, operations, "arrival")
    assert all(verdict.outcome is Outcome.APPLIED for verdict in verdicts)
    return [operation.order_id for operation in operations]


def order_of(bench: ServerBench, order_id: str, site: SiteKey | None = None) -> Order:
    """Return an order as the server has it now."""
    body = bench.database.reader.order(site or bench.site.key, order_id)
    assert body is not None
    return order_from_bytes(body)


def say(bench: ServerBench, order_id: str, change: Change) -> Outcome:
    """Do something to an order as the system."""
    operation = Operation(bench.ids.new(), order_id, change)
    (verdict,) = bench.database.store.commit(Batch(bench.site.key, (Submission(operation),))).verdicts
    assert verdict is not None
    return verdict.outcome


def log_of(bench: ServerBench, kind: str = "") -> list[LogEntry]:
    """Return the log of the board, or its operations of one kind."""
    entries: list[LogEntry] = []
    while page := bench.database.reader.page(bench.site.key, len(entries)).entries:
        entries += [_ENTRY.decode(entry) for entry in page]
    if not kind:
        return entries
    return [entry for entry in entries if entry.operation.change.__struct_config__.tag == kind]
