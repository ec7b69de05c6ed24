"""Webhooks in: a shop's orders arrive once, whoever is not the shop gets nowhere, nothing secret stays."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server.kernel.connections import LookNow
from server.logs import set_up_logging
from server.modules.webhooks_in.sources import ROTATION_MS, Kind
from support.http_bench import HttpBench
from support.shops import TRACES, Shop, shopify_order, signed, woocommerce_order
from sync.contract.orders import Order, order_from_bytes
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

HOUR_MS = 3_600_000


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """A site and the application, on either database."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        yield bench


@pytest.fixture
def shop(bench: HttpBench) -> Shop:
    """A Shopify shop."""
    return Shop(bench, Kind.SHOPIFY)


@pytest.fixture
def woo(bench: HttpBench) -> Shop:
    """A WooCommerce shop."""
    return Shop(bench, Kind.WOOCOMMERCE)


def board(bench: HttpBench) -> list[Order]:
    """Return the orders there are."""
    return [order_from_bytes(bytes(body)) for (body,) in bench.raw("SELECT body FROM orders")]


def the_order(bench: HttpBench) -> Order:
    """Return the only order there is."""
    (order,) = board(bench)
    return order


def counts(bench: HttpBench) -> tuple[Any, ...]:
    """Return how long the log is and how many orders there are."""
    return (*bench.raw("SELECT count(*) FROM operation_log"), *bench.raw("SELECT count(*) FROM orders"))


def test_a_shopify_order_arrives(bench: HttpBench, shop: Shop) -> None:
    """With what the mapping names; terminals are told at once."""
    assert shop.outcome(shopify_order(), "orders/create") == "created"
    order = the_order(bench)
    assert (order.source, order.external_ref, order.number) == ("shopify", "450789469", "#1001")
    assert (order.stage, len(order.lines), order.hold) == (Stage.CONFIRMED, 3, None)
    assert bench.commands == [LookNow()]


def test_a_shopify_order_in_its_envelope_arrives_too(bench: HttpBench, shop: Shop) -> None:
    """Some programs between the shop and us keep it."""
    assert shop.outcome({"order": shopify_order()}, "orders/create") == "created"
    assert the_order(bench).external_ref == "450789469"


def test_a_woocommerce_order_arrives(bench: HttpBench, woo: Shop) -> None:
    """As the vendor's documentation shows it."""
    assert woo.outcome(woocommerce_order(), "order.created") == "created"
    order = the_order(bench)
    assert (order.source, order.external_ref, order.customer) == ("woocommerce", "727", "John Doe")
    assert order.stage is Stage.CONFIRMED


def test_the_same_again_changes_nothing(bench: HttpBench, shop: Shop) -> None:
    """Vendors send at least once; whoever kept a copy can send it, too."""
    order = shopify_order()
    shop.outcome(order, "orders/create")
    before = counts(bench), board(bench)
    for topic in ("orders/create", "orders/updated", "orders/cancelled"):
        bench.clock.advance(HOUR_MS)
        assert shop.outcome(order, topic) == "unchanged"
    assert (counts(bench), board(bench)) == before
    assert bench.commands == [LookNow()]


def test_what_the_shop_changes_is_taken(bench: HttpBench, shop: Shop) -> None:
    """Address, lines, payment: by the rules that files follow."""
    shop.outcome(shopify_order(financial_status="pending"), "orders/create")
    hold = the_order(bench).hold
    assert hold is not None
    assert hold.reason == "awaiting payment"
    later = "2008-01-10T12:00:00-05:00"
    assert shop.outcome(shopify_order(updated_at=later, note="Ring twice"), "orders/updated") == "updated"
    order = the_order(bench)
    assert (order.hold, order.note) == (None, "Ring twice")


def test_an_older_word_after_a_newer_one_changes_nothing(bench: HttpBench, shop: Shop, woo: Shop) -> None:
    """Requests overtake each other, and vendors send again after hours."""
    early, late = "2008-01-10T12:00:00-05:00", "2008-01-10T13:00:00-05:00"
    shop.outcome(shopify_order(updated_at=late, note="new"), "orders/updated")
    assert shop.outcome(shopify_order(updated_at=early, note="old"), "orders/create") == "unchanged"
    assert the_order(bench).note == "new"
    early, late = "2017-03-22T16:28:02", "2017-03-22T16:30:35"
    woo.outcome(woocommerce_order(date_modified_gmt=late, customer_note="new"), "order.updated")
    old = woocommerce_order(date_modified_gmt=early, customer_note="old")
    assert woo.outcome(old, "order.updated") == "unchanged"
    assert sorted(order.note for order in board(bench)) == ["new", "new"]


def test_a_cancelled_order_is_cancelled(bench: HttpBench, shop: Shop, woo: Shop) -> None:
    """Shopify says when; WooCommerce only that."""
    shop.outcome(shopify_order(), "orders/create")
    gone = shopify_order(cancelled_at="2008-01-11T11:00:00-05:00", updated_at="2008-01-11T11:00:00-05:00")
    assert shop.outcome(gone, "orders/cancelled") == "updated"
    assert the_order(bench).cancelled_ms == 1_200_067_200_000
    woo.outcome(woocommerce_order(), "order.created")
    assert woo.outcome(woocommerce_order(status="cancelled"), "order.updated") == "updated"
    assert all(order.cancelled_ms for order in board(bench))


def test_a_fulfilled_order_is_shipped(bench: HttpBench, shop: Shop) -> None:
    """When the shop's own people shipped it."""
    shop.outcome(shopify_order(), "orders/create")
    done = shopify_order(fulfillment_status="fulfilled", updated_at="2008-01-11T11:00:00-05:00")
    assert shop.outcome(done, "orders/fulfilled") == "updated"
    assert the_order(bench).stage is Stage.SHIPPED


@pytest.mark.parametrize(
    ("kind", "created", "deleted"),
    [
        (Kind.SHOPIFY, "orders/create", "orders/delete"),
        (Kind.WOOCOMMERCE, "order.created", "order.deleted"),
    ],
)
def test_an_order_deleted_in_the_shop_is_cancelled(
    bench: HttpBench, kind: Kind, created: str, deleted: str
) -> None:
    """Its body is the id alone; what is not known here, or says more, is left alone."""
    shop = Shop(bench, kind)
    order = shopify_order() if kind is Kind.SHOPIFY else woocommerce_order()
    shop.outcome(order, created)
    before = counts(bench)
    unusable: list[object] = [{"id": 1}, {"id": "\0"}, order, {}, [], b"not JSON", b"\xff"]
    for body in unusable:
        assert shop.outcome(body, deleted) == "ignored"
    assert counts(bench) == before
    assert shop.outcome({"id": order["id"]}, deleted) == "updated"
    assert the_order(bench).cancelled_ms == bench.clock.wall
    assert shop.outcome({"id": order["id"]}, deleted) == "unchanged"


@pytest.mark.expects_log_warnings
def test_the_ping_of_woocommerce_is_answered(bench: HttpBench, woo: Shop) -> None:
    """It is not signed, and no shop can be saved without it; for any address, so it tells nothing."""
    for path in (woo.path, "/webhooks/woocommerce/nobody"):
        answer = bench.client.post(path, data={"webhook_id": "17"})
        assert (answer.status_code, answer.json()) == (200, {"outcome": "ping"})
    assert bench.client.post(woo.path, content=b"webhook_id=17&more=1").status_code == 401


def test_an_unknown_topic_is_answered_and_ignored(bench: HttpBench, shop: Shop, woo: Shop) -> None:
    """A refusal would make the shop give up in the end."""
    for topic in ("products/create", "", "x" * 5_000):
        assert shop.outcome(shopify_order(), topic) == "ignored"
    assert woo.outcome({"id": 1}, "customer.created") == "ignored"
    assert counts(bench) == ((0,), (0,))


def told(answer: httpx.Response) -> tuple[int, bytes, str]:
    """Return all that an answer tells."""
    return answer.status_code, answer.content, str(sorted(answer.headers.items()))


@pytest.mark.expects_log_warnings
def test_whoever_is_not_the_shop_is_told_nothing(bench: HttpBench, shop: Shop, woo: Shop) -> None:
    """Wrong, missing, foreign signatures and unknown sources have one answer, and nothing is written."""
    order = shopify_order()
    body = json.dumps(order).encode()
    woo_headers = {"X-WC-Webhook-Signature": signed(body), "X-WC-Webhook-Topic": "order.created"}
    post = bench.client.post
    answers = [
        shop.send(order, "orders/create", signature=""),
        shop.send(order, "orders/create", signature=signed(body, "another secret")),
        shop.send(order, "orders/create", signature=signed(body) + "="),
        shop.send(order, "orders/create", signature=signed(body).lower()),
        shop.send(order, "orders/create", signature=signed(body + b" ")),
        post(shop.path, content=body, headers={b"X-Shopify-Hmac-Sha256": b"\xfc"}),
        post(shop.path, content=body),
        post(shop.path, content=body, headers=woo_headers),
        post(f"/webhooks/shopify/{woo.id}", content=body, headers=shop.headers(body, "orders/create")),
        post("/webhooks/shopify/nobody", content=body, headers=shop.headers(body, "orders/create")),
        post("/webhooks/shopify/%00", content=body, headers=shop.headers(body, "orders/create")),
        post("/webhooks/shopify/" + "9" * 5_000, content=body, headers=shop.headers(body, "orders/create")),
    ]
    assert len({told(answer) for answer in answers}) == 1
    assert answers[0].status_code == 401
    assert answers[0].json()["code"] == "SIGNATURE_WRONG"
    assert counts(bench) == ((0,), (0,))
    assert bench.commands == []


def test_wrong_signatures_are_logged_without_a_body(
    bench: HttpBench, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Whose, if it is anybody's; never on the console."""
    with caplog.at_level(logging.INFO, "server.modules.webhooks_in"):
        shop.send(b"canary", "orders/create", signature="no")
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["source"]) == ("INFO", shop.name)
    assert "canary" not in str(record.__dict__)


def test_both_secrets_count_while_they_are_exchanged(bench: HttpBench, shop: Shop) -> None:
    """For three days, or until somebody ends it."""
    order = shopify_order()
    shop.sources.rotate(bench.site.key, shop.name, "the second secret")
    assert shop.send(order, "orders/create").status_code == 200
    shop.secret = "the second secret"
    assert shop.send(order, "orders/create").status_code == 200
    bench.clock.advance(ROTATION_MS - 1)
    shop.secret = "the secret of the shop"
    assert shop.send(order, "orders/create").status_code == 200


@pytest.mark.expects_log_warnings
@pytest.mark.parametrize("end", ["in time", "by the next rotation", "removed"])
def test_an_old_secret_ends(bench: HttpBench, shop: Shop, end: str) -> None:
    """And the answer is the one for everybody."""
    site = bench.site.key
    shop.sources.rotate(site, shop.name, "the second secret")
    if end == "in time":
        bench.clock.advance(ROTATION_MS)
    elif end == "by the next rotation":
        shop.sources.rotate(site, shop.name, "the third secret")
    else:
        shop.sources.remove(site, shop.name)
    assert shop.send(shopify_order(), "orders/create").status_code == 401


@pytest.mark.expects_log_warnings
@pytest.mark.parametrize("body", [b"{}", b"not JSON", b"\xff\xfe", b"", b"[]", b"null"])
def test_what_cannot_be_used_is_answered_and_logged(
    bench: HttpBench, shop: Shop, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """With 200, or the shop would turn the webhook off; IT finds it in the log."""
    assert shop.outcome(body, "orders/create") == "refused"
    assert counts(bench) == ((0,), (0,))
    logged = [record.__dict__ for record in caplog.records if record.msg == "webhook not used"]
    assert [(each["source"], each["topic"]) for each in logged] == [(shop.name, "orders/create")]


@pytest.mark.expects_log_warnings
def test_an_order_without_lines_is_answered_and_logged(
    bench: HttpBench, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """With the reason that the import has for it, and which order it is."""
    assert shop.outcome(shopify_order(line_items=[]), "orders/create") == "refused"
    assert counts(bench) == ((0,), (0,))
    (logged,) = [record.__dict__ for record in caplog.records if record.msg == "webhook not used"]
    assert logged["why"] == ["line 1: order 450789469 without lines in line_items"]


@pytest.mark.expects_log_warnings
def test_a_line_that_is_not_used_is_logged(
    bench: HttpBench, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of the order arrives."""
    order = shopify_order()
    order["line_items"][1]["quantity"] = 0
    assert shop.outcome(order, "orders/create") == "created"
    assert len(the_order(bench).lines) == 2
    (logged,) = [record.__dict__ for record in caplog.records if record.msg == "webhook not used"]
    assert (logged["ref"], len(logged["why"])) == ("450789469", 1)


@pytest.mark.expects_log_warnings
@pytest.mark.parametrize("nul", ["id", "name", "note", "sku", "tags"])
def test_a_character_that_a_database_cannot_hold_does_no_harm(bench: HttpBench, shop: Shop, nul: str) -> None:
    """It is refused where it identifies the order, and replaced elsewhere."""
    order = shopify_order()
    if nul == "sku":
        order["line_items"][0]["sku"] = "A\0B"
    else:
        order[nul] = "4\0" + "5"
    assert shop.outcome(order, "orders/create") in {"created", "refused"}


def test_two_shops_may_number_their_orders_alike(bench: HttpBench, woo: Shop) -> None:
    """Each has a word of its own for what its orders come from."""
    with pytest.raises(ProblemError) as caught:
        Shop(bench, Kind.WOOCOMMERCE)
    assert caught.value.problem.code in {"WEBHOOK_LABEL_TAKEN", "WEBHOOK_SOURCE_EXISTS"}
    second = Shop(bench, Kind.WOOCOMMERCE, "second shop")
    assert woo.outcome(woocommerce_order(), "order.created") == "created"
    assert second.outcome(woocommerce_order(), "order.created") == "created"
    assert {order.source for order in board(bench)} == {"woocommerce", "second shop"}


def test_a_body_over_the_limit_is_refused(shop: Shop) -> None:
    """Before anything is made of it."""
    answer = shop.send(b" " * (1024 * 1024 + 1), "orders/create")
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.expects_log_warnings
def test_nothing_secret_of_an_order_stays_anywhere(tmp_path: Path) -> None:
    """Not in the database, not in its side files, not in the log, in no answer: whatever went wrong."""
    with HttpBench(tmp_path / "data") as bench:
        handler = set_up_logging(tmp_path / "data" / "logs", None)
        try:
            shop, woo = Shop(bench, Kind.SHOPIFY), Shop(bench, Kind.WOOCOMMERCE)
            answers = [
                shop.send(shopify_order(), "orders/create"),
                shop.send(shopify_order(line_items=[]), "orders/updated"),
                shop.send(shopify_order(id=""), "orders/create"),
                shop.send(json.dumps(shopify_order()).encode()[:-40], "orders/create"),
                shop.send(json.dumps([shopify_order()]).encode() + b"{", "orders/create"),
                shop.send(shopify_order(), "orders/delete"),
                shop.send(shopify_order(), "products/create"),
                woo.send(woocommerce_order(), "order.created"),
                woo.send(woocommerce_order(line_items="x"), "order.updated"),
                woo.send(woocommerce_order(), "order.deleted"),
            ]
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {"server.sqlite", "server.jsonl"} <= {path.name for path in files}
    texts = [path.read_bytes() for path in files] + [answer.content for answer in answers]
    assert any(b"John Doe" in text for text in texts)
    for trace in TRACES:
        assert not [text[:200] for text in texts if trace.encode() in text]
