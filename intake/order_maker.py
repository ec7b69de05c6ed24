"""From the rows of an order to the order as its source says it: stage, hold, times, lines. Pure.

Times that the source does not say are 0, so that the same words give the same order whenever they are
read; the server puts the time of arrival there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

from intake.arrival import Arrival
from intake.dates import parse
from intake.grouping import Group
from intake.mapping import STATES
from intake.rows import REFERENCE_CHARACTERS, Item, RowChecker
from intake.text_files import shown
from sync.contract.limits import SERVER_FRAME_BYTES
from sync.contract.orders import Address, Hold, HoldReason, LineItem, Order, canonical_bytes
from sync.contract.revisions import HOLDER
from sync.contract.stages import Stage

ORDER_BYTES: Final = SERVER_FRAME_BYTES // 2
"""Longest order: a longer one could not be sent to any terminal."""
_LONGEST_ESCAPE: Final = 6
"""How many bytes one character may become."""
_STAGES: Final = {"picking": Stage.PICKING, "shipped": Stage.SHIPPED}
_WORD_START: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]")


class Wish(NamedTuple):
    """How the orders shall come in: the site's time, and what a person decided about all of them."""

    zone: tzinfo
    now_ms: int
    as_open: bool = False
    """All are confirmed, also those that have shipped or are cancelled."""
    date_style: str = ""
    cut_off_tags: bool = False
    service_skus: frozenset[str] = frozenset()
    """In addition to those of the mapping."""
    source: str = ""
    """Instead of the mapping's: whose orders these are."""


class OrderMaker:
    """Makes the orders of one kind of file, once all of its rows are known."""

    def __init__(self, checker: RowChecker, wish: Wish) -> None:
        """Decide the columns' dates; raises ProblemError when only a person can."""
        self.layout = checker.layout
        self._mapping = checker.layout.mapping
        self._wish = wish
        self._zone = UTC if self._mapping.zone else wish.zone
        self.source = wish.source or self._mapping.source
        self._damaged = checker.damaged
        self._judged = [name for name in ("status", "payment") if name in self.layout.order_fields]
        fixed = wish.date_style or self._mapping.dates
        self._styles = {name: fixed or column.style() for name, column in checker.dates.items()}
        self._mixtures = [column.mixture(self._styles[name]) for name, column in checker.dates.items()]
        codes = {*map(str.casefold, self._mapping.service_skus), *map(str.casefold, wish.service_skus)}
        self._service = frozenset(code for code in codes if not code.endswith("*"))
        self._service_starts = tuple(code.rstrip("*") for code in codes if code.endswith("*"))

    def notices(self) -> Iterator[str]:
        """Yield what is to be said about whole columns."""
        for name, damage in self._damaged.items():
            yield f"Row {damage.line}: {name} reads {damage.text}, damaged by Excel. The column is not used."
        yield from (words for words in self._mixtures if words)

    def refusal(self, group: Group) -> str:
        """Return why the whole order is not used, "" when it is."""
        for name in self._judged:
            if self._state(group, name) == "skipped":
                return f"{self.layout.field_name(name)} {shown(self._text(group, name))}: no order yet"
        if len(self._text(group, "number")) > REFERENCE_CHARACTERS:
            return f"the number of order {shown(group.ref)} is longer than {REFERENCE_CHARACTERS} characters"
        is_large = group.is_too_large
        if not is_large and group.characters * _LONGEST_ESCAPE + 200 * len(group.lines) > ORDER_BYTES // 2:
            is_large = len(canonical_bytes(self.arrival(group).order)) > ORDER_BYTES
        return f"order {shown(group.ref)} is longer than {ORDER_BYTES // 1024**2} MiB" if is_large else ""

    def doubt(self, group: Group) -> str:
        """Return why a person has to look at the order, "" when nobody has to."""
        doubts = [
            f"{self.layout.field_name(name)}: {shown(text)} is not known"
            for name in self._judged
            if (text := self._text(group, name)) and self._state(group, name) not in STATES
        ]
        doubts += [
            f"{column}: {' or '.join(map(shown, values))}" for column, values in group.disagreements.items()
        ]
        if group.is_too_long:
            doubts.append("it has too many lines")
        for name, style in self._styles.items():
            text = self._text(group, name)
            # When it was last changed only says which of two words is newer.
            if text and name != "updated" and parse(text, style, self._zone) is None:
                field = self.layout.field_name(name)
                doubts.append(f"{field}: {shown(text)} is no date in {style} (row {group.line})")
        return "; ".join(doubts)

    def waits(self, group: Group) -> str:
        """Return why the order comes in on hold, "" when it does not."""
        hold = self._hold(group)
        return hold.note if hold else ""

    def arrival(self, group: Group) -> Arrival:
        """Make the order, without ids."""
        value = {name: self._value(group, name) for name in self.layout.order_fields}
        moments = {
            name: parse(text, style, self._zone, is_end=name == "cut_off")
            for name, style in self._styles.items()
            if (text := self._text(group, name))
        }
        tags = tuple(tag for each in value.get("tags", "").split(",") if (tag := each.strip()))
        shipped_ms, placed_ms = moments.get("shipped"), moments.get("placed") or 0
        stage = self._stage(group, shipped_ms)
        order = Order(
            id="",
            organization_id="",
            site_id="",
            source=self.source,
            external_ref=group.ref,
            number=value.get("number") or group.ref,
            stage=stage,
            placed_ms=placed_ms,
            stage_ms=(shipped_ms or placed_ms) if stage is Stage.SHIPPED else 0,
            cancelled_ms=(moments.get("cancelled") or 0) if self._is_cancelled(group) else None,
            created_ms=0,
            updated_ms=0,
            cut_off_ms=moments.get("cut_off") or self._tagged(tags),
            ship_method=value.get("ship_method", ""),
            carrier=value.get("carrier", ""),
            customer=value.get("customer", ""),
            ship_to=Address(**{name: value.get(name, "") for name in Address.__struct_fields__}),
            note=value.get("note", ""),
            tags=tags,
            hold=self._hold(group),
            lines=tuple(self._line(place, each.item) for place, each in enumerate(group.lines, start=1)),
        )
        return Arrival(order, moments.get("updated") or 0)

    def _text(self, group: Group, name: str) -> str:
        return self.layout.order_value(group.values, name)

    def _state(self, group: Group, name: str) -> str:
        """Return what the value of ``status`` or ``payment`` means, "" when there is none."""
        text = self._text(group, name).lower()
        return self._mapping.values.get(name, {}).get(text, text)

    def _stage(self, group: Group, shipped_ms: int | None) -> Stage:
        """Return the stage: what the status says, else whether the date of shipping has passed."""
        if self._wish.as_open:
            return Stage.CONFIRMED
        status = self._state(group, "status")
        if status in STATES:
            return _STAGES.get(status, Stage.CONFIRMED)
        is_shipped = shipped_ms is not None and shipped_ms <= self._wish.now_ms
        return Stage.SHIPPED if is_shipped else Stage.CONFIRMED

    def _is_cancelled(self, group: Group) -> bool:
        if self._wish.as_open:
            return False
        return bool(self._text(group, "cancelled")) or self._state(group, "status") == "cancelled"

    def _hold(self, group: Group) -> Hold | None:
        """Return why the order waits: a person has to look at it, or it is not paid."""
        if doubt := self.doubt(group):
            return Hold(HoldReason.NEEDS_REVIEW, HOLDER, 0, doubt)
        if not self._judged or self._is_cancelled(group) or self._state(group, "status") == "shipped":
            return None
        for name in reversed(self._judged):
            if self._state(group, name) == "hold":
                note = f"{self.layout.field_name(name)}: {shown(self._text(group, name))}"
                return Hold(HoldReason.AWAITING_PAYMENT, HOLDER, 0, note)
        return None

    def _tagged(self, tags: tuple[str, ...]) -> int | None:
        """Return the first date inside a tag as a cut-off, where that is asked for."""
        if not (self._wish.cut_off_tags or self._mapping.cut_off_tags):
            return None
        style = self._wish.date_style or self._mapping.dates or "y/m/d"
        for tag in tags:
            for start in _WORD_START.finditer(tag):
                moment = parse(tag[start.start() :], style, self._zone, is_end=True)
                if moment is not None:
                    return moment
        return None

    def _value(self, group: Group, name: str) -> str:
        if name in self._damaged:
            return ""
        text = self._text(group, name)
        return self._mapping.values.get(name, {}).get(text, text)

    def _line(self, position: int, item: Item) -> LineItem:
        return LineItem(
            position=position,
            sku="" if "sku" in self._damaged else item.sku,
            name=item.name,
            quantity_ordered=item.quantity,
            location=item.location,
            requires_picking=not self._is_service(item.sku),
        )

    def _is_service(self, sku: str) -> bool:
        code = sku.casefold()
        return code in self._service or (bool(code) and code.startswith(self._service_starts))
