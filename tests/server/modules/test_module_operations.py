"""What people do through other programs is decided as if they did it at a terminal, and exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.kernel.connections import LookNow
from support.http_bench import HttpBench
from sync.contract.permissions import Role

PATH = "/operations"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """Three confirmed orders, on either database."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        bench.import_orders(3)
        yield bench


def order_id(bench: HttpBench, place: int = 0) -> str:
    """Return the id of one of the orders."""
    return f"{bench.site.key.site_id}-A-{place}"


def operation(bench: HttpBench, op_id: str, kind: str, **more: object) -> dict[str, Any]:
    """Return an operation on the first order."""
    return {"op_id": op_id, "order_id": order_id(bench), "kind": kind, **more}


def bearer(bench: HttpBench, role: Role) -> dict[str, str]:
    """Sign somebody with this role in."""
    name = f"Somebody {role}"
    bench.database.identities.add_user(bench.site.key, name, role)
    return bench.bearer(bench.desk.sign_in("here", bench.device(user=name)).access_token)


def post(bench: HttpBench, body: object, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """Send operations and return the verdicts."""
    answer = bench.client.post(PATH, json=body, headers=headers or bench.bearer())
    assert answer.status_code == 200, answer.text
    verdicts: list[dict[str, Any]] = answer.json()["operations"]
    return verdicts


def stored(bench: HttpBench, wanted: str = "") -> Any:  # noqa: ANN401 - JSON
    """Return an order as it is now."""
    return bench.client.get(f"/orders/{wanted or order_id(bench)}", headers=bench.bearer()).json()


def test_operations_are_decided_in_their_order(bench: HttpBench) -> None:
    """Each on what the one before left, in one transaction; terminals hear of it at once."""
    verdicts = post(
        bench,
        [
            operation(bench, "1", "claim"),
            operation(bench, "2", "move", to="picking", base_stage="confirmed"),
            operation(
                bench, "3", "hold", reason="incorrect address", note="no number", until=1_800_000_000_000
            ),
            operation(bench, "4", "move", to="picked"),
            operation(bench, "5", "release"),
            operation(bench, "6", "move", to="picked"),
            operation(bench, "7", "ship", tracking_number=" TRK-1 ", carrier="Northline"),
            operation(bench, "8", "unclaim"),
        ],
    )
    assert [verdict["op_id"] for verdict in verdicts] == list("12345678")
    assert [verdict["outcome"] for verdict in verdicts] == [
        *("applied", "applied", "applied", "rejected"),
        *("applied", "applied", "applied", "rejected"),
    ]
    assert (verdicts[3]["reason"], verdicts[3]["by"]) == ("ON_HOLD", "Ana")
    assert verdicts[7]["reason"] == "ALREADY_SHIPPED"
    assert verdicts[3]["at"].endswith("Z")
    assert [verdict["seq"] for verdict in verdicts] == list(range(4, 12))
    assert (stored(bench)["stage"], stored(bench)["tracking_number"]) == ("shipped", "TRK-1")
    assert bench.commands == [LookNow()]


def test_the_same_again_is_answered_as_it_was_decided(bench: HttpBench) -> None:
    """Also when the order has gone on meanwhile, and within one request."""
    first = post(bench, operation(bench, "1", "move", to="picking"))
    post(bench, operation(bench, "2", "move", to="confirmed"))
    head = bench.database.reader.head(bench.site.key).seq
    assert post(bench, operation(bench, "1", "move", to="picking")) == first
    assert bench.database.reader.head(bench.site.key).seq == head
    assert stored(bench)["stage"] == "confirmed"
    twice = [operation(bench, "3", "claim"), operation(bench, "3", "claim")]
    one, other = post(bench, twice)
    assert one == other


def test_an_order_can_be_made(bench: HttpBench) -> None:
    """It is confirmed and typed, whoever says what; its lines are those that were sent."""
    wanted = {"number": "SO-9", "customer": "Ada", "lines": [{"sku": "A", "quantity": 1}]}
    (verdict,) = post(bench, {"op_id": "1", "order_id": "new-1", "kind": "create", "order": wanted})
    assert (verdict["outcome"], verdict["order_id"]) == ("applied", "new-1")
    found = stored(bench, "new-1")
    assert (found["source"], found["stage"], found["number"]) == ("manual", "confirmed", "SO-9")
    (again,) = post(bench, {"op_id": "2", "order_id": "new-1", "kind": "create", "order": wanted})
    assert (again["outcome"], again["reason"]) == ("rejected", "DUPLICATE_ORDER")


@pytest.mark.parametrize(
    ("role", "kind", "outcome"),
    [
        (Role.VIEWER, "claim", "rejected"),
        (Role.AUDITOR, "claim", "rejected"),
        (Role.PICKER, "claim", "applied"),
        (Role.PICKER, "cancel", "rejected"),
        (Role.OFFICE, "cancel", "applied"),
        (Role.OFFICE, "claim", "rejected"),
        (Role.SUPERVISOR, "cancel", "applied"),
    ],
)
def test_the_callers_rights_decide(bench: HttpBench, role: Role, kind: str, outcome: str) -> None:
    """As at a terminal: it is a verdict, and in the log."""
    (verdict,) = post(bench, operation(bench, "1", kind), bearer(bench, role))
    assert verdict["outcome"] == outcome
    assert verdict["reason"] == ("FORBIDDEN" if outcome == "rejected" else "")
    assert verdict["seq"] == 4


def test_orders_of_others_do_not_exist(bench: HttpBench) -> None:
    """Another organisation's id is an unknown order."""
    stranger = bench.crowd("Other organization", "Main")
    bench.import_orders(1, stranger, first=10)
    foreign = {"op_id": "1", "order_id": f"{stranger.key.site_id}-A-10", "kind": "claim"}
    (verdict,) = post(bench, foreign)
    assert (verdict["outcome"], verdict["reason"]) == ("rejected", "UNKNOWN_ORDER")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"kind": "claim", "order_id": "x"}, "op_id is missing."),
        ({"op_id": "", "kind": "claim", "order_id": "x"}, "op_id must not be empty."),
        ({"op_id": "1", "order_id": "x", "kind": "retire"}, "kind is none of the values that there are."),
        ({"op_id": "1", "order_id": "x", "kind": "import"}, "kind is none of the values that there are."),
        ({"op_id": "1", "order_id": "x"}, "kind is missing."),
        ([{"op_id": "1", "order_id": "x", "kind": "move"}], "operations[0].to is missing."),
        (
            [{"op_id": "1", "order_id": "x", "kind": "move", "to": "lost"}],
            "operations[0].to is none of the values that there are.",
        ),
        (
            [{"op_id": "1", "order_id": "x", "kind": "cancel", "because": "x"}],
            "operations[0].because is not known here.",
        ),
        (
            [{"op_id": "1", "order_id": "x", "kind": "hold", "reason": "other", "until": "soon"}],
            "operations[0].until must be a time such as 2026-03-01T09:30:00Z, or milliseconds since 1970.",
        ),
        (
            {"op_id": "1", "order_id": "x", "kind": "cancel", "note": "é" * 40_000},
            "note must have at most 64 KiB.",
        ),
        (
            {"op_id": "1", "order_id": "x", "kind": "ship", "tracking_number": "a\u0000"},
            "tracking_number must not hold control characters.",
        ),
        (
            {"op_id": "1", "order_id": "x\u0000", "kind": "claim"},
            "order_id must begin with a letter or digit and have no blanks.",
        ),
        (
            {"op_id": "1", "order_id": "x", "kind": "create", "order": {"lines": [{"quantity": 1}]}},
            "order.lines[0] must have a sku or a name.",
        ),
        (
            [{"op_id": str(n), "order_id": "x", "kind": "claim"} for n in range(257)],
            "The body must have at most 256 entries.",
        ),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_decided(tmp_path: Path, wrong: object, sentence: str) -> None:
    """The server's own kinds are none of a person's."""
    with HttpBench(tmp_path / "data") as bench:
        answer = bench.client.post(PATH, json=wrong, headers=bench.bearer())
        assert (answer.status_code, answer.json()["sentence"]) == (400, sentence)
        assert bench.database.reader.head(bench.site.key).seq == 0


def test_nothing_to_do_is_fine(bench: HttpBench) -> None:
    """An empty list has an empty answer."""
    assert post(bench, []) == []
