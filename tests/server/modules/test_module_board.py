"""The board over HTTP is complete, in pages, and costs nothing when nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.http_bench import HttpBench
from support.server_bench import fresh_order, numbered
from sync.contract.operations import Import, Move, Operation
from sync.contract.orders import Order
from sync.contract.stages import Stage

PATH = "/orders/fulfillment-kanban"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """Seven confirmed orders, the first two the youngest."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        bench.import_orders(5, first=2)
        bench.clock.advance(1_000)
        bench.import_orders(2)
        yield bench


def board(bench: HttpBench, **query: str | int) -> Any:  # noqa: ANN401 - JSON
    """Return the board as JSON."""
    answer = bench.client.get(PATH, params=query, headers=bench.bearer())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_board_shows_all_stages_with_counts(bench: HttpBench) -> None:
    """Site, where the log stands, how many orders in each stage, and a first page of each."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, numbered(1, Move(Stage.PICKING), f"{bench.site.key.site_id}-A-3"))
    found = board(bench)
    assert found["site"]["name"] == "Main"
    assert found["seq"] == 8
    assert found["counts"] == {"confirmed": 6, "picking": 1, "picked": 0, "shipped": 0}
    assert [(stage["stage"], stage["count"], len(stage["orders"])) for stage in found["stages"]] == [
        ("confirmed", 6, 6),
        ("picking", 1, 1),
        ("picked", 0, 0),
        ("shipped", 0, 0),
    ]
    (order,) = found["stages"][1]["orders"]
    assert msgspec.convert(order, Order).stage is Stage.PICKING


def test_the_next_links_lead_through_a_stage(bench: HttpBench) -> None:
    """Newest first, each order once, and the last page has no next."""
    numbers: list[str] = []
    headers = bench.bearer()
    path: str | None = f"{PATH}?stage=confirmed&limit=2"
    while path is not None:
        (stage,) = bench.client.get(path, headers=headers).json()["stages"]
        numbers += [order["number"] for order in stage["orders"]]
        path = stage["next"]
    assert numbers == ["SO-0", "SO-1", "SO-2", "SO-3", "SO-4", "SO-5", "SO-6"]


def test_an_unchanged_board_is_not_sent_again(bench: HttpBench) -> None:
    """The tag follows the log; it may be asked for weakly and among others."""
    headers = bench.bearer()
    first = bench.client.get(PATH, headers=headers)
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["vary"] == "Authorization"
    tag = first.headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        again = bench.client.get(PATH, headers={**headers, "If-None-Match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    bench.import_orders(1, first=50)
    after = bench.client.get(PATH, headers={**headers, "If-None-Match": tag})
    assert after.status_code == 200
    assert after.headers["etag"] != tag


def test_deleted_orders_are_not_on_the_board(bench: HttpBench) -> None:
    """Neither counted, nor listed, nor found."""
    gone = msgspec.structs.replace(fresh_order(90), deleted_ms=5)
    bench.database.store.import_orders(bench.site.key, [Operation("x", "gone", Import(gone))], "b")
    assert board(bench)["counts"]["confirmed"] == 7
    assert bench.client.get("/orders/gone", headers=bench.bearer()).status_code == 404


def test_one_order_can_be_read(bench: HttpBench) -> None:
    """With its lines, as it stands now."""
    answer = bench.client.get(f"/orders/{bench.site.key.site_id}-A-0", headers=bench.bearer())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    order = msgspec.json.decode(answer.content, type=Order)
    assert (order.number, bool(order.lines)) == ("SO-0", True)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"stage": "lost"}, 400),
        ({"limit": "0"}, 400),
        ({"limit": "201"}, 400),
        ({"limit": "-1"}, 400),
        ({"limit": "²"}, 400),
        ({"limit": "9" * 5000}, 400),
        ({"after": "x"}, 400),
        ({"colour": "red"}, 400),
        ({"stage": "confirmed", "after": "x"}, 404),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    bench: HttpBench, query: dict[str, str], status: int
) -> None:
    """With a sentence, and what to ask instead."""
    answer = bench.client.get(PATH, params=query, headers=bench.bearer())
    assert answer.status_code == status
    assert answer.json()["what_to_do"]
