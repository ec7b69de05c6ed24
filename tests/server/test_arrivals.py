"""The one door for orders from outside: what is new, changed, repeated or refused, on a real store."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from intake.arrival import Arrival
from server.arrivals import ORDER_BYTES, Arrivals, Arrived, Fate
from server.board_pages import read_board
from server.kernel.signed import unsigned
from support.server_bench import ServerBench, fresh_order
from sync.contract.operations import Move, Operation, Outcome, Retire
from sync.contract.orders import HASH_MODULUS, Hold, LineItem, Order, order_from_bytes, row_hash
from sync.contract.stages import Stage


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Return a board without orders."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def take(bench: ServerBench, *orders: Order, said_ms: int = 0) -> list[Arrived]:
    """Take orders in as the system."""
    door = Arrivals(bench.database.store, bench.ids)
    return list(door.take(bench.site.key, [Arrival(order, said_ms) for order in orders]))


def changed(order: Order, **fields: object) -> Order:
    """Return the order with other fields."""
    return msgspec.structs.replace(order, **fields)


def entries(bench: ServerBench) -> int:
    """Return how long the log is."""
    return bench.database.reader.head(bench.site.key).seq


def here(bench: ServerBench, order_id: str) -> Order:
    """Return an order as the board has it."""
    body = bench.database.reader.order(bench.site.key, order_id)
    assert body is not None
    return order_from_bytes(body)


def hash_fits(bench: ServerBench) -> bool:
    """Say whether the kept state hash is the sum over the board set."""
    rows = bench.raw("SELECT body FROM orders WHERE retired_at IS NULL AND deleted_at IS NULL")
    total = sum(row_hash(row[0]) for row in rows) % HASH_MODULUS
    return unsigned(bench.raw("SELECT state_hash FROM boards")[0][0]) == total


def test_new_orders_come_in_once(bench: ServerBench) -> None:
    """The same again names the same orders and writes nothing, not even a log entry."""
    orders = [fresh_order(place) for place in range(3)]
    first = take(bench, *orders)
    assert [answer.fate for answer in first] == [Fate.CREATED] * 3
    assert take(bench, *orders) == [answer._replace(fate=Fate.UNCHANGED) for answer in first]
    assert entries(bench) == 3


def test_a_changed_order_is_updated_where_it_is(bench: ServerBench) -> None:
    """Under its id; terminals get a patch; the hash stays right."""
    order = fresh_order(1)
    (made,) = take(bench, order)
    louder = changed(order, note="Ring twice.", customer="Ada B.")
    assert take(bench, louder) == [made._replace(fate=Fate.UPDATED)]
    assert (here(bench, made.order_id).note, here(bench, made.order_id).customer) == ("Ring twice.", "Ada B.")
    assert hash_fits(bench)
    assert [order_from_bytes(body).note for (body,) in bench.raw("SELECT body FROM order_sources")] == [
        "Ring twice."
    ]


def test_lines_that_change_under_a_picker_are_an_alarm(bench: ServerBench) -> None:
    """The order carries the exception on every terminal."""
    order = changed(fresh_order(1), lines=(LineItem(1, "CUP", "Cup", 2),))
    (made,) = take(bench, order)
    picker = bench.principal()
    bench.join(picker)
    bench.commit(picker, Operation("op", made.order_id, Move(Stage.PICKING), "device-1", 1))
    answer = take(bench, changed(order, lines=(LineItem(1, "CUP", "Cup", 5),)))
    assert answer == [made._replace(fate=Fate.ALARMED)]
    now = here(bench, made.order_id)
    assert (now.lines[0].quantity_ordered, now.exceptions[0].code) == (5, "LINES_CHANGED")
    assert hash_fits(bench)


def test_a_late_message_is_no_news(bench: ServerBench) -> None:
    """What a source said before its last word changes nothing."""
    order = fresh_order(1)
    take(bench, order, said_ms=10)
    (made,) = take(bench, changed(order, note="new"), said_ms=20)
    assert take(bench, order, said_ms=10) == [made._replace(fate=Fate.UNCHANGED)]
    assert here(bench, made.order_id).note == "new"


def test_twins_in_one_request_are_one_order(bench: ServerBench) -> None:
    """The second is the first one's update, and the answer names the order that there is."""
    order = fresh_order(1)
    first, second = take(bench, order, changed(order, note="x"))
    assert (first.fate, second.fate) == (Fate.CREATED, Fate.UPDATED)
    assert first.order_id == second.order_id
    assert len(bench.raw("SELECT 1 FROM orders")) == 1


def test_another_site_keeps_its_order(bench: ServerBench) -> None:
    """One reference is one order of the organisation."""
    take(bench, fresh_order(1))
    other = bench.crowd("Organization", "Second")
    door = Arrivals(bench.database.store, bench.ids)
    answers = list(door.take(other.key, [Arrival(changed(fresh_order(1), note="x"))]))
    assert answers == [Arrived("", Fate.REFUSED, "another site has this order")]


def test_what_a_source_ships_has_its_tracking_number(bench: ServerBench) -> None:
    """It comes with the word that the order is shipped; no other word would bring it later."""
    order = fresh_order(1)
    (made,) = take(bench, order)
    shipped = changed(order, stage=Stage.SHIPPED, tracking_number="1Z999")
    assert take(bench, shipped) == [made._replace(fate=Fate.UPDATED)]
    now = here(bench, made.order_id)
    assert (now.stage, now.tracking_number) == (Stage.SHIPPED, "1Z999")
    assert hash_fits(bench)


def test_an_order_that_no_terminal_could_take_is_refused(bench: ServerBench) -> None:
    """Before it is written: it would lock every terminal out of the board."""
    lines = tuple(LineItem(place, "x" * 60_000, "", 1) for place in range(1, ORDER_BYTES // 60_000 + 2))
    huge = changed(fresh_order(1), lines=lines)
    answers = take(bench, huge, fresh_order(2))
    assert [answer.fate for answer in answers] == [Fate.REFUSED, Fate.CREATED]
    assert answers[0].why == "the order is longer than 4 MiB"


def test_a_name_that_no_index_takes_comes_in(bench: ServerBench) -> None:
    """Too long, or with a zero: such are one customer in the list, and themselves on their orders."""
    random = Random("names")
    long = "".join(random.choice(string.ascii_letters) for _ in range(9_000))
    names = [f"{long} 1", f"{long} 2", "Ada\0", "Ada\ufffd"]
    answers = take(bench, *(changed(fresh_order(place), customer=name) for place, name in enumerate(names)))
    assert [answer.fate for answer in answers] == [Fate.CREATED] * 4
    assert [here(bench, answer.order_id).customer for answer in answers] == names
    assert bench.raw("SELECT count(*) FROM customers") == [(2,)]


TOO_LARGE = "a quantity, the priority or a time is too large a number"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"lines": (LineItem(1, "A", "a", 1 << 31),)}, TOO_LARGE),
        ({"lines": (LineItem(1, "A", "a", 1 << 63),)}, TOO_LARGE),
        ({"priority": 1 << 31}, TOO_LARGE),
        ({"priority": 10}, TOO_LARGE),
        ({"number": "n" * 201}, "the order's number or a sku is longer than 200 characters"),
        (
            {"lines": (LineItem(1, "s" * 201, "a", 1),)},
            "the order's number or a sku is longer than 200 characters",
        ),
        ({"placed_ms": 1 << 63}, TOO_LARGE),
        ({"hold": Hold("other", "Ana", 1, until_ms=1 << 53)}, TOO_LARGE),
        ({"external_ref": "r" * 3_000}, "the source's name or the reference is longer than 200 characters"),
    ],
)
def test_what_no_table_holds_is_refused_alone(
    bench: ServerBench, fields: dict[str, object], why: str
) -> None:
    """By one line that says why; what came with it is taken."""
    answers = take(bench, fresh_order(1), changed(fresh_order(2), **fields), fresh_order(3))
    assert [answer.fate for answer in answers] == [Fate.CREATED, Fate.REFUSED, Fate.CREATED]
    assert answers[1] == Arrived("", Fate.REFUSED, why)


@pytest.mark.parametrize("name", ["source", "external_ref", "number", "note", "carrier", "ship_method"])
def test_a_zero_character_blocks_nobody(bench: ServerBench, name: str) -> None:
    """PostgreSQL's text cannot hold it: it stands for itself in the order, and for a mark in the columns."""
    odd = changed(fresh_order(2), **{name: "a\0b"})
    lined = changed(fresh_order(4), lines=(LineItem(1, "a\0b", "c\0d", 1, location="e\0f"),))
    answers = take(bench, fresh_order(1), odd, fresh_order(3), lined)
    assert [answer.fate for answer in answers] == [Fate.CREATED] * 4
    assert getattr(here(bench, answers[1].order_id), name) == "a\0b"
    assert hash_fits(bench)


def test_a_person_needs_the_right(bench: ServerBench) -> None:
    """What comes through the interface is judged by who asks; a picker brings no orders in."""
    bench.database.identities.add_user(bench.site.key, "Pip", "picker")
    pip = bench.sign_ins().sign_in("127.0.0.1", bench.device(user="Pip")).principal
    door = Arrivals(bench.database.store, bench.ids)
    answers = list(door.take(bench.site.key, [Arrival(fresh_order(1))], "", pip))
    assert answers == [Arrived("", Fate.REFUSED, "your role may not bring orders in")]
    (made,) = door.take(bench.site.key, [Arrival(fresh_order(1))], "", bench.principal())
    assert made.fate is Fate.CREATED
    page = bench.database.reader.page(bench.site.key, 0)
    assert b'"actor_name":"Ana"' in page.entries[-1]


def test_more_than_one_transaction_is_one_batch(bench: ServerBench) -> None:
    """Lazily, answers in order, one batch id."""
    door = Arrivals(bench.database.store, bench.ids)
    arrivals = (Arrival(fresh_order(place)) for place in range(1_100))
    answers = list(door.take(bench.site.key, arrivals, "batch-9"))
    assert {answer.fate for answer in answers} == {Fate.CREATED}
    refs = dict(bench.raw("SELECT id, external_ref FROM orders"))
    assert [refs[answer.order_id] for answer in answers] == [f"A-{place}" for place in range(1_100)]


def test_a_retired_order_leaves_the_board_and_stays_to_be_read(bench: ServerBench) -> None:
    """Out of snapshot, counts, pages and hash; its source cannot bring it back; its row is there."""
    order = changed(fresh_order(1), stage=Stage.SHIPPED, stage_ms=5)
    (made, _) = take(bench, order, fresh_order(2))
    store, reader, site = bench.database.store, bench.database.reader, bench.site.key
    (verdict,) = store.import_orders(site, [Operation("r", made.order_id, Retire())], "b")
    assert verdict.outcome is Outcome.APPLIED
    assert hash_fits(bench)
    assert bench.database.copies.snapshot(site, "device-1").snapshot.orders == 1
    assert reader.counts(site) == {"confirmed": 1}
    (page,), _ = read_board(bench.reading, site, ["shipped"], "", 10)
    assert page.orders == ()
    assert here(bench, made.order_id).retired_ms == bench.clock.wall
    assert take(bench, changed(order, note="late")) == [made._replace(fate=Fate.UNCHANGED)]
    assert here(bench, made.order_id).note == ""
    assert hash_fits(bench)
