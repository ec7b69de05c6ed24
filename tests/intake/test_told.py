"""What of the log is an event, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from intake.told import EVENTS, body_of, events_of, moment, place_of
from support.server_bench import fresh_order
from sync.contract.operations import Import, LogEntry, Move, Operation, Outcome, Ship
from sync.contract.orders import Address, Hold, Order, OrderPatch, patched
from sync.contract.stages import Stage

NOW_MS = 1_700_000_000_123
HOLD = Hold("incorrect address", "Ana", NOW_MS, note="canary: call Mr Doe")


def entry(**fields: Any) -> LogEntry:  # noqa: ANN401 - the fields of an entry
    """Return an entry of the log about order A-0."""
    operation = Operation("op-1", "order-1", fields.pop("change", Move(Stage.PICKING)))
    return LogEntry(7, operation, Outcome.APPLIED, NOW_MS, "Ana", **fields)


def events(patch: OrderPatch, order: Order | None = None) -> list[str]:
    """Return what a change is told as."""
    return list(events_of(entry(patch=patch), patched(order or fresh_order(0), patch)))


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (OrderPatch(stage=Stage.PICKING), ["moved"]),
        (OrderPatch(stage=Stage.CONFIRMED), ["moved"]),
        (OrderPatch(stage=Stage.SHIPPED), ["moved", "shipped"]),
        (OrderPatch(stage=Stage.SHIPPED, tracking_number="T1"), ["moved", "shipped"]),
        (OrderPatch(tracking_number="T1"), []),
        (OrderPatch(hold=HOLD), ["held"]),
        (OrderPatch(hold=None), ["released"]),
        (OrderPatch(cancelled_ms=NOW_MS), ["cancelled"]),
        (OrderPatch(cancelled_ms=NOW_MS, hold=None), ["cancelled"]),
        (OrderPatch(cancelled_ms=None), ["reinstated"]),
        (OrderPatch(note="x", claimed_by=None, retired_ms=1), []),
        (OrderPatch(), []),
    ],
)
def test_a_change_is_told_as_what_it_means(patch: OrderPatch, told: list[str]) -> None:
    """By what it did to the order, whoever did it and however."""
    assert events(patch) == told


def test_a_corrected_tracking_number_is_told_again() -> None:
    """The order had shipped before."""
    shipped = msgspec.structs.replace(fresh_order(0), stage=Stage.SHIPPED, tracking_number="T1")
    assert events(OrderPatch(tracking_number="T2"), shipped) == ["shipped"]


def test_a_new_order_is_one_event() -> None:
    """However far it had come elsewhere; an entry that changed nothing is none."""
    order = msgspec.structs.replace(fresh_order(0), stage=Stage.SHIPPED, hold=HOLD)
    assert list(events_of(entry(order=order, change=Import()), order)) == ["created"]
    assert list(events_of(entry(), order)) == []


def test_events_of_one_entry_have_places_in_their_order() -> None:
    """Between the entry before and the one after."""
    places = [place_of(seq, event) for seq in (1, 2) for event in EVENTS]
    assert places == sorted(set(places))


def test_the_body_says_what_happened_and_nothing_of_people() -> None:
    """Names, addresses and free text stay here."""
    order = msgspec.structs.replace(
        fresh_order(0),
        stage=Stage.SHIPPED,
        tracking_number="1Z999",
        carrier="UPS",
        customer="canary",
        note="canary",
        ship_to=Address(name="canary", street="canary"),
        hold=HOLD,
    )
    body = body_of("delivery-1", "shipped", entry(change=Ship("1Z999", "UPS"), patch=OrderPatch()), order)
    assert b"canary" not in body
    told = json.loads(body)
    assert told["id"] == "delivery-1"
    assert (told["event"], told["operation"], told["seq"]) == ("shipped", "ship", 7)
    assert told["occurred_at"] == "2023-11-14T22:13:20.123Z"
    assert told["order"] == {
        "id": order.id,
        "number": "SO-0",
        "external_ref": "A-0",
        "source": "test",
        "stage": "shipped",
        "tracking_number": "1Z999",
        "carrier": "UPS",
        "ship_method": order.ship_method,
        "hold": {"reason": "incorrect address", "since": "2023-11-14T22:13:20.123Z", "until": None},
        "cancelled_at": None,
        "revision": order.revision,
    }


def test_a_time_beyond_the_calendar_is_told() -> None:
    """As the calendar's end, or as its beginning; also where it is said of a hold."""
    assert moment((1 << 53) - 1).startswith("9999-")
    assert moment(-(1 << 53) + 1).startswith("1970-")
    held = msgspec.structs.replace(fresh_order(0), hold=msgspec.structs.replace(HOLD, until_ms=(1 << 53) - 1))
    told = json.loads(body_of("delivery-1", "held", entry(patch=OrderPatch(hold=held.hold)), held))
    assert told["order"]["hold"]["until"].startswith("9999-")
