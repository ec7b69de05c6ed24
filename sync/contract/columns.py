"""Orders as columns: one list a field, for a frame that holds many of them.

What stands together is alike, so it packs a third smaller than the same orders one after the other. A column
whose every value is the field's default is left out. Lines stand behind each other for all orders, and
``lines`` says how many of them each order has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any, Final

import msgspec

from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderException, Picked
from sync.contract.stages import Stage


class OrderColumns(msgspec.Struct, frozen=True, omit_defaults=True):
    """One list for each field of an order, of its lines and of its address; raises ``ValueError``."""

    id: list[str] = []
    organization_id: list[str] = []
    site_id: list[str] = []
    source: list[str] = []
    external_ref: list[str] = []
    number: list[str] = []
    stage: list[Stage] = []
    placed_ms: list[int] = []
    stage_ms: list[int] = []
    created_ms: list[int] = []
    updated_ms: list[int] = []
    revision: list[int] = []
    priority: list[int] = []
    cut_off_ms: list[int | None] = []
    ship_method: list[str] = []
    carrier: list[str] = []
    customer: list[str] = []
    note: list[str] = []
    tags: list[tuple[str, ...]] = []
    claimed_by: list[Claim | None] = []
    assignee: list[str] = []
    hold: list[Hold | None] = []
    cancelled_ms: list[int | None] = []
    tracking_number: list[str] = []
    backorder_of: list[str] = []
    exceptions: list[tuple[OrderException, ...]] = []
    deleted_ms: list[int | None] = []
    lines: list[int] = []
    stage_by: list[str] = []
    cut_off_rule: list[str] = []
    retired_ms: list[int | None] = []
    handover: list[Claim | None] = []
    assignee_id: list[str] = []
    assigned_by: list[str] = []
    packed: list[Claim | None] = []
    parcels: list[int] = []
    backorders: list[int] = []
    updated_by: list[str] = []
    line_position: list[int] = []
    line_sku: list[str] = []
    line_name: list[str] = []
    line_quantity_ordered: list[int] = []
    line_location: list[str] = []
    line_quantity_picked: list[int] = []
    line_quantity_cancelled: list[int] = []
    line_requires_picking: list[bool] = []
    line_quantity_short: list[int] = []
    line_picked_by: list[tuple[Picked, ...]] = []
    ship_to: list[bool] = []
    """Which orders say an address at all: an empty one that is said is part of an order's bytes."""
    ship_to_name: list[str] = []
    ship_to_company: list[str] = []
    ship_to_street: list[str] = []
    ship_to_city: list[str] = []
    ship_to_region: list[str] = []
    ship_to_postcode: list[str] = []
    ship_to_country: list[str] = []
    ship_to_phone: list[str] = []

    def __post_init__(self) -> None:
        """Refuse lists of different lengths: nothing would be certain any more."""
        count = len(self.id)
        if any(number < 0 for number in self.lines):
            raise ValueError("an order with fewer than no lines")
        _check(self, (*_PLAIN, "lines", "ship_to"), count)
        _check(self, _ADDRESS.values(), count)
        _check(self, _LINE.values(), sum(self.lines))
        if any(count and not getattr(self, name) for name in _REQUIRED):
            raise ValueError("a field that every order has is left out")
        if any(sum(self.lines) and not getattr(self, name) for name in _LINE_REQUIRED):
            raise ValueError("a field that every line has is left out")

    def orders(self) -> list[Order]:
        """Return the orders."""
        count = len(self.id)
        values: dict[str, Iterable[Any]] = {
            name: getattr(self, name) or repeat(default, count) for name, default in _PLAIN.items()
        }
        addresses = self._rows(Address, _ADDRESS, count)
        said = self.ship_to or repeat(False, count)
        values["ship_to"] = (
            address if is_said else _NO_ADDRESS for address, is_said in zip(addresses, said, strict=True)
        )
        lines = self._rows(LineItem, _LINE, sum(self.lines))
        values["lines"] = (tuple(islice(lines, number)) for number in self.lines or repeat(0, count))
        return list(map(Order, *(values[name] for name in Order.__struct_fields__)))

    def _rows(self, kind: Callable[..., Any], names: dict[str, str], count: int) -> Iterator[Any]:
        """Return the structs whose fields stand in the columns ``names``."""
        defaults = _defaults(kind)
        columns = (getattr(self, column) or repeat(defaults[name], count) for name, column in names.items())
        return map(kind, *columns)


def columns_of(orders: Sequence[Order]) -> OrderColumns:
    """Return these orders as columns."""
    lines = [line for order in orders for line in order.lines]
    columns = _columns(orders, {name: name for name in _PLAIN}, _defaults(Order))
    columns |= _columns([order.ship_to for order in orders], _ADDRESS, _defaults(Address))
    columns |= _columns(lines, _LINE, _defaults(LineItem))
    said = [order.ship_to is not _NO_ADDRESS for order in orders]
    if any(said):
        columns["ship_to"] = said
    if lines:
        columns["lines"] = [len(order.lines) for order in orders]
    return OrderColumns(**columns)


def _columns(rows: Sequence[Any], names: dict[str, str], defaults: dict[str, Any]) -> dict[str, list[Any]]:
    columns = {column: [getattr(row, name) for row in rows] for name, column in names.items()}
    return {
        column: columns[column]
        for name, column in names.items()
        if defaults[name] is msgspec.NODEFAULT or any(value != defaults[name] for value in columns[column])
    }


def _check(columns: OrderColumns, names: Iterable[str], count: int) -> None:
    if any(len(getattr(columns, name)) not in {0, count} for name in names):
        raise ValueError("columns of different lengths")


def _defaults(kind: Any) -> dict[str, Any]:  # noqa: ANN401 - a struct's class
    """Return the defaults of a struct's fields; ``NODEFAULT`` for those without."""
    names, defaults = kind.__struct_fields__, kind.__struct_defaults__
    return dict(zip(names, (*repeat(msgspec.NODEFAULT, len(names) - len(defaults)), *defaults), strict=True))


_PLAIN: Final = {name: value for name, value in _defaults(Order).items() if name not in {"ship_to", "lines"}}
_NO_ADDRESS: Final = _defaults(Order)["ship_to"]
"""The very object that stands for "not said": the encoder leaves that one out, and no equal one."""
_ADDRESS: Final = {name: f"ship_to_{name}" for name in Address.__struct_fields__}
_LINE: Final = {name: f"line_{name}" for name in LineItem.__struct_fields__}
_REQUIRED: Final = [name for name, value in _PLAIN.items() if value is msgspec.NODEFAULT]
_LINE_REQUIRED: Final = [
    _LINE[name] for name, value in _defaults(LineItem).items() if value is msgspec.NODEFAULT
]
