"""The one door for orders from outside: files, requests, webhooks and folders all come in here.

What a source repeats is found by its digest and writes nothing; what is new or changed is decided like
any other operation, five hundred to a transaction.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from intake.arrival import Arrival
from server.kernel.records import Principal, SiteKey
from server.kernel.store import Store
from server.sources import digest
from sync.contract.checks import KEY_CHARACTERS, NUMBER_MAX
from sync.contract.limits import QUANTITY_MAX, SAID_PRIORITY_MAX, SERVER_FRAME_BYTES
from sync.contract.messages import Verdict
from sync.contract.operations import Import, Operation, Outcome, Reason, Source
from sync.contract.orders import Order, canonical_bytes
from sync.contract.ports import Ids

AT_ONCE: Final = 500
ORDER_BYTES: Final = SERVER_FRAME_BYTES // 2
"""Longest order: a longer one could not be sent to any terminal."""


class Fate(StrEnum):
    """What became of an arrival."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    UPDATED = "updated"
    ALARMED = "alarmed"
    """Taken, but somebody has begun to work on it: the order carries an exception now."""
    REFUSED = "refused"


class Arrived(NamedTuple):
    """What became of one arrival, and the order that it is here; ``why`` is for refused ones."""

    order_id: str
    fate: Fate
    why: str = ""


class Arrivals:
    """Takes orders in."""

    def __init__(self, store: Store, ids: Ids) -> None:
        """Write through ``store``."""
        self._store = store
        self._ids = ids

    def take(
        self,
        site: SiteKey,
        arrivals: Iterable[Arrival],
        batch_id: str = "",
        principal: Principal | None = None,
    ) -> Iterator[Arrived]:
        """Take orders in, in their order, as the system or as ``principal``; lazy: iterate to the end."""
        batch_id = batch_id or self._ids.new()
        waiting = iter(arrivals)
        while chunk := list(itertools.islice(waiting, AT_ONCE)):
            yield from self._take(site, chunk, batch_id, principal)

    def _take(
        self, site: SiteKey, chunk: Sequence[Arrival], batch_id: str, principal: Principal | None
    ) -> list[Arrived]:
        answers: list[Arrived | None] = []
        wanted: list[Arrival] = []
        operations: list[Operation] = []
        whys = [_misfit(arrival.order) for arrival in chunk]
        fitting = [arrival for arrival, why in zip(chunk, whys, strict=True) if not why]
        all_known = iter(self._known(site, fitting))
        for arrival, why in zip(chunk, whys, strict=True):
            known = None if why else next(all_known)
            if why:
                answers.append(Arrived("", Fate.REFUSED, why))
            elif known is not None and known[1] == digest(arrival.order):
                answers.append(Arrived(known[0], Fate.UNCHANGED))
            else:
                answers.append(None)
                wanted.append(arrival)
                order_id = known[0] if known else self._ids.new()
                change = Import(arrival.order, arrival.said_ms)
                operations.append(Operation(self._ids.new(), order_id, change, source=Source.SYSTEM))
        verdicts = self._store.import_orders(site, operations, batch_id, principal) if operations else []
        decided = self._arrived(site, wanted, operations, verdicts)
        return [answer or next(decided) for answer in answers]

    def _arrived(
        self,
        site: SiteKey,
        arrivals: Sequence[Arrival],
        operations: Sequence[Operation],
        verdicts: Sequence[Verdict],
    ) -> Iterator[Arrived]:
        # Another request, or a row before in this one, may have made an order that seemed new.
        pairs = zip(arrivals, verdicts, strict=True)
        ids = iter(self._known(site, [arrival for arrival, each in pairs if each.outcome in _FATES]))
        for operation, verdict in zip(operations, verdicts, strict=True):
            if verdict.outcome is Outcome.REJECTED:
                yield Arrived("", Fate.REFUSED, _WHY.get(verdict.reason, verdict.reason.value))
            elif verdict.outcome in _FATES:
                here = next(ids)
                yield Arrived(here[0] if here else operation.order_id, _FATES[verdict.outcome])
            else:
                yield Arrived(operation.order_id, Fate.CREATED)

    def _known(self, site: SiteKey, chunk: Sequence[Arrival]) -> list[tuple[str, int] | None]:
        """Return order id and digest of what the source said last, None for what it never spoke of."""
        by_source: dict[str, list[str]] = {}
        for arrival in chunk:
            by_source.setdefault(arrival.order.source, []).append(arrival.order.external_ref)
        said = {source: self._store.said(site, source, refs) for source, refs in by_source.items()}
        return [said[each.order.source].get(each.order.external_ref) for each in chunk]


def _misfit(order: Order) -> str:
    """Return why an order cannot be stored or sent; empty: it can. One alone would fail all it came with."""
    if len(canonical_bytes(order)) > ORDER_BYTES:
        return "the order is longer than 4 MiB"
    if max(len(order.source), len(order.external_ref)) > KEY_CHARACTERS:
        return f"the source's name or the reference is longer than {KEY_CHARACTERS} characters"
    if any(len(each) > KEY_CHARACTERS for each in (order.number, *(line.sku for line in order.lines))):
        return f"the order's number or a sku is longer than {KEY_CHARACTERS} characters"
    hold = order.hold
    of_hold = () if hold is None else (hold.at_ms, hold.until_ms)
    times = (order.placed_ms, order.stage_ms, order.cut_off_ms, order.cancelled_ms, *of_hold)
    is_fit = 0 <= order.priority <= SAID_PRIORITY_MAX and all(abs(each or 0) < NUMBER_MAX for each in times)
    if not is_fit or any(abs(line.quantity_ordered) > QUANTITY_MAX for line in order.lines):
        return "a quantity, the priority or a time is too large a number"
    return ""


_FATES: Final = {
    Outcome.NOOP: Fate.UNCHANGED,
    Outcome.MERGED: Fate.UPDATED,
    Outcome.EXCEPTION: Fate.ALARMED,
}
_WHY: Final = {
    Reason.DUPLICATE_ORDER: "another site has this order",
    Reason.FORBIDDEN: "your role may not bring orders in",
}
