"""Programs bring orders in over HTTP, exactly once however often they send them, and find them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.kernel.connections import LookNow
from server.kernel.records import Batch, Committed
from support.http_bench import HttpBench
from sync.contract.operations import Operation, Retire, Source
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.stages import Stage

PATH = "/orders"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """The application without orders, on either database."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        yield bench


def order(ref: str, **more: object) -> dict[str, Any]:
    """Return an order as a program sends it."""
    return {"external_ref": ref, "lines": [{"sku": "AB-12", "quantity": 2}], **more}


def post(bench: HttpBench, body: object, status: int = 200) -> Any:  # noqa: ANN401 - JSON
    """Send orders and return the answer."""
    answer = bench.client.post(PATH, json=body, headers=bench.bearer())
    assert answer.status_code == status, answer.text
    return answer.json()


def find(bench: HttpBench, **query: object) -> Any:  # noqa: ANN401 - JSON
    """Ask for orders."""
    answer = bench.client.get(PATH, params=query, headers=bench.bearer())
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(answer: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return the numbers of the orders found."""
    return [found["number"] for found in answer["orders"]]


def retire(bench: HttpBench, *refs: str) -> None:
    """Ship orders and take them off the board, as the server itself does."""
    bench.clock.advance(1_000)
    post(bench, [order(ref, status="shipped") for ref in refs])
    ids = [found["id"] for ref in refs for found in find(bench, external_ref=ref)["orders"]]
    operations = [Operation(bench.ids.new(), order_id, Retire(), source=Source.SYSTEM) for order_id in ids]
    bench.database.store.import_orders(bench.site.key, operations, "retire")


def test_one_order_comes_in_whole(bench: HttpBench) -> None:
    """Every documented field reaches the board; times are understood in the site's own time."""
    sent = {
        "external_ref": " A-1 ",
        "source": "shop",
        "number": "SO-1042",
        "placed_at": "2026-03-01T09:30:00Z",
        "cut_off_at": "2026-07-01T17:00:00",
        "ship_method": "Express",
        "carrier": "Northline",
        "priority": 1,
        "customer": "Ada Novák",
        "ship_to": {"name": "Ada", "company": "Oak", "street": "Lane 3", "city": "Bath", "postcode": "01234"},
        "note": "Ring\ntwice",
        "tags": ["gift"],
        "status": "picking",
        "status_at": 1_772_353_800_000,
        "hold": {"reason": "awaiting payment", "note": "bank", "until": "2026-03-09T00:00:00Z"},
        "lines": [{"sku": "AB-12", "name": "Blue jug", "quantity": 2, "location": "A-03"}],
    }
    (result,) = post(bench, sent)["orders"]
    assert (result["external_ref"], result["result"], result["reason"]) == ("A-1", "created", "")
    answer = bench.client.get(f"{PATH}/{result['order_id']}", headers=bench.bearer())
    found = msgspec.json.decode(answer.content, type=Order)
    assert (found.source, found.external_ref, found.number) == ("shop", "A-1", "SO-1042")
    assert (found.placed_ms, found.stage_ms) == (1_772_357_400_000, 1_772_353_800_000)
    assert found.cut_off_ms == 1_782_921_600_000  # 16:00 UTC: summer time in London
    assert (found.ship_method, found.carrier, found.priority) == ("Express", "Northline", 1)
    assert (found.customer, found.ship_to.postcode, found.ship_to.city) == ("Ada Novák", "01234", "Bath")
    assert (found.note, found.tags, found.stage) == ("Ring\ntwice", ("gift",), Stage.PICKING)
    assert found.hold is not None
    assert (found.hold.reason, found.hold.by, found.hold.note) == ("awaiting payment", "Import", "bank")
    (line,) = found.lines
    assert (line.position, line.sku, line.name, line.quantity_ordered, line.location) == (
        *(1, "AB-12", "Blue jug"),
        *(2, "A-03"),
    )
    assert bench.commands == [LookNow()]


def test_the_same_again_changes_nothing(bench: HttpBench) -> None:
    """Not even the log; what did change is taken, and every order keeps its id."""
    first = post(bench, [order("A-1"), order("A-2", customer="Ada")])["orders"]
    head = bench.database.reader.head(bench.site.key).seq
    bench.commands.clear()
    again = post(bench, [order("A-1"), order("A-2", customer="Ada")])["orders"]
    assert [each["result"] for each in again] == ["unchanged", "unchanged"]
    assert [each["order_id"] for each in again] == [each["order_id"] for each in first]
    assert (bench.database.reader.head(bench.site.key).seq, bench.commands) == (head, [])
    changed = post(bench, [order("A-1"), order("A-2", customer="Bea")])["orders"]
    assert [each["result"] for each in changed] == ["unchanged", "updated"]
    assert bench.commands == [LookNow()]
    assert numbers(find(bench, customer="Bea")) == ["A-2"]
    assert find(bench, customer="Ada")["orders"] == []


def test_a_reference_twice_in_one_request_is_one_order(bench: HttpBench) -> None:
    """The second is the newer word about the first."""
    results = post(bench, [order("A-1"), order("A-1", customer="Ada")])["orders"]
    assert [each["result"] for each in results] == ["created", "updated"]
    assert results[0]["order_id"] == results[1]["order_id"]
    assert find(bench)["total"] == 1


def test_lines_that_change_under_somebodys_hands_are_an_alarm(bench: HttpBench) -> None:
    """The order is taken, and says so itself."""
    post(bench, order("A-1", status="picking"))
    (result,) = post(bench, order("A-1", status="picking", lines=[{"sku": "AB-12", "quantity": 3}]))["orders"]
    assert result["result"] == "alarmed"


def test_an_order_of_another_site_is_refused(bench: HttpBench) -> None:
    """One reference is one order of the organisation; the reason is said, the others come in."""
    other = bench.crowd("Organization", "Second")
    token = bench.desk.sign_in("here", bench.device(other)).access_token
    assert bench.client.post(PATH, json=order("A-1"), headers=bench.bearer(token)).status_code == 200
    first, second = post(bench, [order("A-1"), order("A-2")])["orders"]
    assert (first["result"], first["order_id"]) == ("refused", "")
    assert first["reason"]
    assert second["result"] == "created"


def test_orders_that_come_in_finished_are_looked_at(bench: HttpBench) -> None:
    """Boards need not hold what left long ago until the next round."""
    post(bench, [order("A-1")])
    assert bench.woken == []
    post(bench, [order("A-1"), order("A-2", status="shipped", status_at="2020-01-01T00:00:00Z")])
    assert bench.woken == ["retire"]


def test_cancelled_orders_come_in_cancelled(bench: HttpBench) -> None:
    """With or without the time; a hold beside it means nothing any more."""
    post(bench, order("A-1", cancelled=True, hold={"reason": "other"}))
    post(bench, order("A-2", cancelled_at="2026-01-01T00:00:00Z"))
    found = {each["number"]: each for each in find(bench)["orders"]}
    assert found["A-1"]["cancelled_ms"] == bench.clock.wall_ms()
    assert "hold" not in found["A-1"]
    assert found["A-2"]["cancelled_ms"] == 1_767_225_600_000


LONG = "x" * 201
LINE = {"sku": "A", "quantity": 1}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ([order("1"), {"external_ref": "2", "lines": [{"sku": "A", "quantity": 0}]}],
         "orders[1].lines[0].quantity must be at least 1."),
        ([order("1"), {"external_ref": "2", "lines": [{"sku": "A", "quantity": "3"}]}],
         "orders[1].lines[0].quantity must be a whole number, not a text."),
        ({"external_ref": "2", "lines": [{"sku": "A", "quantity": 1.5}]},
         "lines[0].quantity must be a whole number, not a number with a fraction."),
        ({"external_ref": "2", "lines": [{"sku": "A", "quantity": 1_000_001}]},
         "lines[0].quantity must be at most 1000000."),
        ({"external_ref": "2", "lines": []}, "lines must not be empty."),
        ({"external_ref": "2", "lines": [{"quantity": 1}]}, "lines[0] must have a sku or a name."),
        ({"external_ref": "2"}, "lines is missing."),
        ({"lines": [LINE]}, "external_ref is missing."),
        (order(" "), "external_ref must not be blank."),
        (order(LONG), "external_ref must have at most 200 characters."),
        ([order("1"), order("2", card_number="4111")], "orders[1].card_number is not known here."),
        ([order("1", source="manual")], "orders[0].source must not be manual: that is what people type in."),
        (order("1", source="a b"), "source must begin with a letter or digit and have no blanks."),
        (order("1", source="manual\n"), "source must begin with a letter or digit and have no blanks."),
        (order("1", status="lost"), "status is none of the values that there are."),
        (order("1", hold={"reason": "sun"}), "hold.reason is none of the values that there are."),
        (order("1", customer=None), "customer must be a text, not null."),
        (order("1", customer="a\u0000b"), "customer must not hold control characters."),
        (order("1", tags=["a", "b\u0007"]), "tags[1] must not hold control characters."),
        (order("1", ship_to={"planet": "Mars"}), "ship_to.planet is not known here."),
        (order("1", note="é" * 40_000), "note must have at most 64 KiB."),
        (order("1", placed_at="tomorrow"),
         "placed_at must be a time such as 2026-03-01T09:30:00Z, or milliseconds since 1970."),
        ([order("1", hold={"reason": "other", "until": -5})],
         "orders[0].hold.until must be a time such as 2026-03-01T09:30:00Z, or milliseconds since 1970."),
        ([order("1", cut_off_at="9999-12-31T23:59:59.999999-23:59")],
         "orders[0].cut_off_at must be a time such as 2026-03-01T09:30:00Z, or milliseconds since 1970."),
        (7, "The body must be an object or a list, not a whole number."),
        ([[]], "orders[0] must be an object, not a list."),
        ([order(str(place)) for place in range(1_001)], "The body must have at most 1000 entries."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_written(tmp_path: Path, wrong: object, sentence: str) -> None:
    """One clear sentence with the place; the right orders beside it do not come in either."""
    with HttpBench(tmp_path / "data") as bench:
        answer = post(bench, wrong, 400)
        assert (answer["code"], answer["sentence"]) == ("BAD_REQUEST", sentence)
        assert ("openapi.json" in answer["what_to_do"]) == ("none of the values" in sentence)
        assert bench.database.reader.head(bench.site.key).seq == 0
        assert bench.commands == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"external_ref": "\xff"}', b"\xff\xfe", b"[" * 100_000, b"nul"]
)
def test_what_is_no_json_is_refused(tmp_path: Path, body: bytes) -> None:
    """Whatever is sent."""
    with HttpBench(tmp_path / "data") as bench:
        answer = bench.client.post(PATH, content=body, headers=bench.bearer())
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_a_request_may_be_long_but_not_endless(tmp_path: Path) -> None:
    """A thousand orders with notes are more than the mebibyte that others may have."""
    with HttpBench(tmp_path / "data") as bench:
        many = [order(str(place), note="n" * 2_000) for place in range(1_000)]
        results = post(bench, many)["orders"]
        assert [each["result"] for each in results] == ["created"] * 1_000
        answer = bench.client.post(PATH, content=b" " * (8 * 1024 * 1024 + 1), headers=bench.bearer())
        assert (answer.status_code, answer.json()["sentence"]) == (413, "The request is longer than 8 MiB.")


@pytest.mark.expects_log_warnings
def test_a_fault_in_the_middle_promises_nothing_and_sending_again_does_the_rest(
    bench: HttpBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand orders are two transactions: the first may stand when the second fails."""
    orders, commit = [order(f"R-{place}") for place in range(501)], bench.database.store.commit
    done: list[Batch] = []

    def failing(batch: Batch) -> Committed:
        if done:
            raise OSError("the disk is gone")
        done.append(batch)
        return commit(batch)

    with monkeypatch.context() as patch:
        patch.setattr(bench.database.store, "commit", failing)
        problem = post(bench, orders, status=500)
    assert (problem["code"], "nothing" in problem["sentence"]) == ("SERVER_FAULT", False)
    results = [each["result"] for each in post(bench, orders)["orders"]]
    assert results == ["unchanged"] * 500 + ["created"]


def test_an_empty_list_is_fine(bench: HttpBench) -> None:
    """A program that had nothing to say."""
    assert post(bench, []) == {"orders": []}


def test_only_whoever_may_import_brings_orders_in(bench: HttpBench) -> None:
    """A picker's terminal does not."""
    bench.database.identities.add_user(bench.site.key, "Pia", Role.PICKER)
    token = bench.desk.sign_in("here", bench.device(user="Pia")).access_token
    answer = bench.client.post(PATH, json=order("1"), headers=bench.bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


def test_orders_are_found_newest_first_page_by_page(bench: HttpBench) -> None:
    """Each once, also when orders of one request have one time, and while new ones come in."""
    for start in (0, 3, 6):
        bench.clock.advance(1_000)
        post(bench, [order(f"A-{place}") for place in range(start, start + 3)])
    expected = [each["number"] for each in find(bench, limit=200)["orders"]]
    assert sorted(expected[:3]) == ["A-6", "A-7", "A-8"]
    assert sorted(expected) == [f"A-{place}" for place in range(9)]
    found: list[str] = []
    path: str | None = f"{PATH}?limit=2"
    headers = bench.bearer()
    while path is not None:
        answer = bench.client.get(path, headers=headers).json()
        assert answer["total"] == 9 + bool(found)
        found += numbers(answer)
        if len(found) == 2:
            bench.clock.advance(1_000)
            post(bench, order("A-new"))
        path = answer["next"]
    assert found == expected


def test_every_filter_counts(bench: HttpBench) -> None:
    """Alone and together."""
    bench.clock.advance(5_000)
    early = bench.clock.wall_ms()
    post(bench, order("A-1", number="SO-1", customer="Ada Ørsted", placed_at="2026-01-01T00:00:00Z"))
    bench.clock.advance(5_000)
    post(
        bench, order("A-2", number="SO-2", source="shop", status="picking", placed_at="2026-02-01T00:00:00Z")
    )
    late = bench.clock.wall_ms()
    assert numbers(find(bench, number="SO-1")) == ["SO-1"]
    assert numbers(find(bench, number="so-1")) == []
    assert numbers(find(bench, external_ref="A-2")) == ["SO-2"]
    assert numbers(find(bench, source="shop")) == ["SO-2"]
    assert numbers(find(bench, customer="Ada Ørsted")) == ["SO-1"]
    assert numbers(find(bench, customer="Ada")) == []
    assert numbers(find(bench, status="picking")) == ["SO-2"]
    assert numbers(find(bench, status="confirmed, picking")) == ["SO-2", "SO-1"]
    assert numbers(find(bench, placed_from="2026-01-02")) == ["SO-2"]
    assert numbers(find(bench, placed_to="2026-02-01T00:00:00Z")) == ["SO-1"]
    assert numbers(find(bench, updated_since=late)) == ["SO-2"]
    assert numbers(find(bench, updated_since=early)) == ["SO-2", "SO-1"]
    assert numbers(find(bench, updated_since=early, number="SO-1", status="picked")) == []


def test_a_search_finds_the_beginnings_of_words(bench: HttpBench) -> None:
    """As on the board: number, reference, names, city and products; case and accents do not count."""
    post(
        bench,
        order(
            "REF-77",
            number="SO-1042",
            customer="Gülay Brandão",
            ship_to={"name": "José", "company": "Oak & Ash", "city": "Évora", "street": "Hidden Lane"},
            lines=[{"sku": "AB-12", "name": "Folding ladder", "quantity": 1}],
            tracking_number="TRK 900",
        ),
    )
    for words in ("1042", "so-10", "gulay", "BRANDAO", "jose", "oak", "evo", "Évora", "ab-12", "ladd", "77"):
        assert numbers(find(bench, q=words)) == ["SO-1042"], words
    assert numbers(find(bench, q="trk-900")) == ["SO-1042"]
    assert numbers(find(bench, q="gulay ladder 104")) == ["SO-1042"]
    for words in ("042", "hidden", "gulay tower", "adder", "b-12", "1%2"):
        assert numbers(find(bench, q=words)) == [], words


def test_a_search_follows_what_changes(bench: HttpBench) -> None:
    """A corrected customer is found by the new name only."""
    post(bench, order("A-1", customer="Ada"))
    post(bench, order("A-1", customer="Bea"))
    assert numbers(find(bench, q="bea")) == ["A-1"]
    assert numbers(find(bench, q="ada")) == []


def test_older_orders_are_found_when_they_are_asked_for(bench: HttpBench) -> None:
    """What has left the board is not lost."""
    retire(bench, "old-1", "old-2")
    post(bench, order("new-1"))
    assert sorted(numbers(find(bench, scope="older"))) == ["old-1", "old-2"]
    assert numbers(find(bench, scope="older", q="old-2")) == ["old-2"]
    assert numbers(find(bench, scope="board")) == ["new-1"]
    assert find(bench)["total"] == 3
    (found,) = find(bench, q="old-2")["orders"]
    assert found["retired_ms"]
    answer = bench.client.get(f"{PATH}/{found['id']}", headers=bench.bearer())
    assert answer.json()["number"] == "old-2"


def test_an_unchanged_answer_is_not_sent_again(bench: HttpBench) -> None:
    """Until any order changes."""
    headers = bench.bearer()
    first = bench.client.get(PATH, headers=headers)
    assert (first.headers["cache-control"], first.headers["vary"]) == ("no-cache", "Authorization")
    tag = first.headers["etag"]
    again = bench.client.get(PATH, headers={**headers, "If-None-Match": f"W/{tag}"})
    assert (again.status_code, again.content) == (304, b"")
    post(bench, order("A-1"))
    assert bench.client.get(PATH, headers={**headers, "If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": "0"}, 400),
        ({"limit": "201"}, 400),
        ({"limit": "²"}, 400),
        ({"status": "lost"}, 400),
        ({"scope": "moon"}, 400),
        ({"colour": "red"}, 400),
        ({"site": "x"}, 400),
        ({"q": "--"}, 400),
        ({"q": "x" * 201}, 400),
        ({"placed_from": "soon"}, 400),
        ({"updated_since": "9" * 30}, 400),
        ({"after": "nobody"}, 404),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    tmp_path: Path, query: dict[str, str], status: int
) -> None:
    """With a sentence and what to do."""
    with HttpBench(tmp_path / "data") as bench:
        answer = bench.client.get(PATH, params=query, headers=bench.bearer())
        assert answer.status_code == status, answer.text
        assert answer.json()["what_to_do"]
