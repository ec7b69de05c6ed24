"""What an import would do: orders, refusals, holds. Pure: nothing is written by making a plan.

A plan is made once all rows are known, because only the whole column says how its dates are written
and only the whole file says whether an order agrees with itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Final, NamedTuple

from server.modules.imports.grouper import Group, Grouper, Item, Refusal, Waiting, is_damaged
from server.reading.dates import DateColumn, parse
from server.reading.mapping import STATES
from server.reading.text_files import shown
from sync.contract.orders import Address, Hold, HoldReason, LineItem, Order
from sync.contract.stages import Stage

DATE_FIELDS: Final = ("placed", "shipped", "cut_off", "cancelled")
ID_FIELDS: Final = ("number", "postcode")
"""Order fields beside the reference that a spreadsheet damages."""
NAMED_AT_MOST: Final = 5


class Held(NamedTuple):
    """An order that a person has to look at, and why."""

    ref: str
    reason: str


class Wish(NamedTuple):
    """How the orders shall come in: the site's time, and whether shipped ones count as open."""

    zone: tzinfo
    now_ms: int
    as_open: bool = False
    date_style: str = ""


@dataclass(slots=True)
class Report:
    """What an import did or would do, for people and programs.

    Every row is accounted for: ``rows == merged + lines + len(refused) + waiting_lines``.
    """

    rows: int = 0
    orders: int = 0
    lines: int = 0
    refused: list[Refusal] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    merged: int = 0
    """Rows that are an order whose lines stand in another file."""
    waiting: list[Waiting] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    applied: bool = False
    new: int = 0
    already_here: int = 0

    @property
    def waiting_lines(self) -> int:
        """How many rows are lines whose order is not there."""
        return sum(waiting.lines for waiting in self.waiting)


class Plan:
    """The orders of one kind of file, ready to be made."""

    def __init__(self, grouper: Grouper, wish: Wish) -> None:
        """Decide the columns' dates; raises ProblemError when only a person can."""
        self._grouper = grouper
        self._layout = grouper.layout
        self._wish = wish
        self._zone = UTC if grouper.layout.mapping.zone else wish.zone
        self.source = grouper.layout.mapping.source
        self._styles = {name: self._style(name) for name in DATE_FIELDS if name in self._layout.order_fields}
        self._find_damage()

    def _style(self, name: str) -> str:
        if fixed := self._wish.date_style or self._layout.mapping.dates:
            return fixed
        column = DateColumn(self._layout.field_name(name))
        for group in self._grouper.groups.values():
            if text := self._layout.order_value(group.values, name):
                column.add(text)
        return column.style()

    def _find_damage(self) -> None:
        for group in self._grouper.groups.values():
            for name in ID_FIELDS:
                text = self._layout.order_value(group.values, name)
                if is_damaged(text):
                    self._grouper.damaged.setdefault(name, (group.line, text))

    @property
    def refs(self) -> list[str]:
        """The references of all orders, in the order of the file."""
        return list(self._grouper.groups)

    def tell(self, report: Report) -> None:
        """Add this plan's figures, holds and notices to ``report``."""
        groups = self._grouper.groups.values()
        report.orders += len(groups)
        report.lines += sum(len(group.items) for group in groups)
        report.merged += self._grouper.merged
        report.waiting += self._grouper.waiting
        for group in groups:
            if hold := self._hold(group):
                report.held.append(Held(group.ref, hold.note))
        for name, (line, text) in self._grouper.damaged.items():
            report.notices.append(
                f"Row {line}: {name} reads {text}, damaged by Excel. The column is not used."
            )
        twice = [f"row {item.line} (order {shown(group.ref)})" for group, item in self._grouper.duplicates()]
        if twice:
            named = ", ".join(twice[:NAMED_AT_MOST]) + (", …" if len(twice) > NAMED_AT_MOST else "")
            report.notices.append(f"{len(twice)} rows are exact duplicates, kept as lines: {named}.")

    def orders(self, known: frozenset[str] = frozenset()) -> Iterator[Order]:
        """Make the orders whose reference is not ``known``, one at a time, without ids."""
        for group in self._grouper.groups.values():
            if group.ref not in known:
                yield self._order(group)

    def _doubt(self, group: Group) -> str:
        """Return why a person has to look at the order, "" when nobody has to."""
        doubts = [
            f"{self._layout.field_name(name)}: {shown(self._text(group, name))} is not known"
            for name in ("status", "payment")
            if self._text(group, name) and self._state(group, name) not in STATES
        ]
        doubts += [
            f"{column}: {' or '.join(map(shown, values))}" for column, values in group.disagreements.items()
        ]
        if group.is_too_long:
            doubts.append("it has too many lines")
        for name, style in self._styles.items():
            text = self._layout.order_value(group.values, name)
            if text and parse(text, style, self._zone) is None:
                doubts.append(f"{self._layout.field_name(name)}: {shown(text)} is no date in {style}")
        return "; ".join(doubts)

    def _order(self, group: Group) -> Order:
        wish = self._wish
        value = {name: self._value(group, name) for name in self._layout.order_fields}
        moments = {
            name: parse(self._layout.order_value(group.values, name), style, self._zone)
            for name, style in self._styles.items()
        }
        placed_ms = moments.get("placed")
        stage = self._stage(group, moments.get("shipped"))
        stage_ms = wish.now_ms
        if stage is Stage.SHIPPED:
            stage_ms = moments.get("shipped") or placed_ms or wish.now_ms
        cancelled_ms = (moments.get("cancelled") or wish.now_ms) if self._is_cancelled(group) else None
        tags = (tag.strip() for tag in value.get("tags", "").split(","))
        return Order(
            id="",
            organization_id="",
            site_id="",
            source=self.source,
            external_ref=group.ref,
            number=value.get("number") or group.ref,
            stage=stage,
            placed_ms=wish.now_ms if placed_ms is None else placed_ms,
            stage_ms=stage_ms,
            cancelled_ms=cancelled_ms,
            created_ms=wish.now_ms,
            updated_ms=wish.now_ms,
            cut_off_ms=moments.get("cut_off"),
            ship_method=value.get("ship_method", ""),
            carrier=value.get("carrier", ""),
            customer=value.get("customer", ""),
            ship_to=Address(**{name: value.get(name, "") for name in Address.__struct_fields__}),
            note=value.get("note", ""),
            tags=tuple(tag for tag in tags if tag),
            hold=self._hold(group),
            lines=tuple(self._line(place, item) for place, item in enumerate(group.items, start=1)),
        )

    def _text(self, group: Group, name: str) -> str:
        return self._layout.order_value(group.values, name)

    def _state(self, group: Group, name: str) -> str:
        """Return what the value of ``status`` or ``payment`` means, "" when there is none."""
        text = self._text(group, name).lower()
        return self._layout.mapping.values.get(name, {}).get(text, text)

    def _stage(self, group: Group, shipped_ms: int | None) -> Stage:
        """Return the stage: what the status says, else whether the date of shipping has passed."""
        if self._wish.as_open:
            return Stage.CONFIRMED
        status = self._state(group, "status")
        if status in STATES:
            return {"picking": Stage.PICKING, "shipped": Stage.SHIPPED}.get(status, Stage.CONFIRMED)
        is_shipped = shipped_ms is not None and shipped_ms <= self._wish.now_ms
        return Stage.SHIPPED if is_shipped else Stage.CONFIRMED

    def _is_cancelled(self, group: Group) -> bool:
        if self._wish.as_open:
            return False
        return bool(self._text(group, "cancelled")) or self._state(group, "status") == "cancelled"

    def _hold(self, group: Group) -> Hold | None:
        """Return why the order waits: a person has to look at it, or it is not paid."""
        if doubt := self._doubt(group):
            return Hold(HoldReason.NEEDS_REVIEW, "Import", self._wish.now_ms, doubt)
        if self._is_cancelled(group) or self._state(group, "status") == "shipped":
            return None
        for name in ("payment", "status"):
            if self._state(group, name) == "hold":
                note = f"{self._layout.field_name(name)}: {shown(self._text(group, name))}"
                return Hold(HoldReason.AWAITING_PAYMENT, "Import", self._wish.now_ms, note)
        return None

    def _value(self, group: Group, name: str) -> str:
        if name in self._grouper.damaged:
            return ""
        text = self._layout.order_value(group.values, name)
        return self._layout.mapping.values.get(name, {}).get(text, text)

    def _line(self, position: int, item: Item) -> LineItem:
        is_service = item.sku in self._layout.mapping.service_skus
        return LineItem(
            position=position,
            sku="" if "sku" in self._grouper.damaged else item.sku,
            name=item.name,
            quantity_ordered=item.quantity,
            location=item.location,
            requires_picking=not is_service,
        )
