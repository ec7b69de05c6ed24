"""docs/webhooks.md and docs/watched-folders.md: the example runs; names and figures are those of the code."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from intake import told as events
from server.modules.folders import watching
from server.modules.webhooks_in import sources, taking
from server.modules.webhooks_out import sending
from server.telling import outbox
from support.repository import ROOT
from support.server_bench import fresh_order
from sync.contract.operations import LogEntry, Operation, Outcome, Ship

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
FOLDERS = (ROOT / "docs" / "watched-folders.md").read_text(encoding="utf-8")
BODY = '{"ü": 1}'.encode()


def example() -> Any:  # noqa: ANN401 - a function that only the page knows
    """Return the function of the page."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    return names["is_ours"]


def test_the_example_knows_our_signature() -> None:
    """As a receiver would use it, with the headers that are sent."""
    is_ours = example()
    now = str(int(time.time()))
    headers = sending.headers_of("secret", "moved", "delivery-1", now, BODY)
    assert is_ours("secret", headers, BODY)
    assert not is_ours("another", headers, BODY)
    assert not is_ours("secret", headers, BODY + b" ")
    assert not is_ours("secret", {**headers, "X-Fulfillment-Kanban-Timestamp": str(int(now) - 1)}, BODY)
    assert not is_ours("secret", {}, BODY)
    old = sending.headers_of("secret", "moved", "delivery-1", str(int(now) - 600), BODY)
    assert not is_ours("secret", old, BODY)


def test_every_header_and_event_is_named() -> None:
    """And no other."""
    sent = {name for name in sending.headers_of("s", "e", "d", "1", b"") if name.startswith("X-")}
    assert set(re.findall(r"^\| `(X-Fulfillment[\w-]+)` \|", PAGE, re.MULTILINE)) == sent
    named = re.findall(r"^\| `([a-z]+)` \|", PAGE.partition("| event | when |")[2], re.MULTILINE)
    assert tuple(named) == events.EVENTS
    assert ", ".join(f"`{event}`" for event in events.USUAL) in PAGE


def test_the_body_of_the_page_is_what_is_sent() -> None:
    """The same names in the same places."""
    entry = LogEntry(1, Operation("op-1", "order-1", Ship("T1")), Outcome.APPLIED, 0)
    sent = json.loads(events.body_of("delivery-1", "shipped", entry, fresh_order(0)))
    (shown,) = (json.loads(code) for code in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    assert list(shown) == list(sent)
    assert list(shown["order"]) == list(sent["order"])


@pytest.mark.parametrize("vendor", taking.VENDORS.values(), ids=list(taking.VENDORS))
def test_every_topic_is_named(vendor: taking.Vendor) -> None:
    """In the table of its vendor's header."""
    (section,) = [part for part in PAGE.split("\n## ") if f"| `{vendor.topic}` |".lower() in part.lower()]
    named = set(re.findall(r"`(orders?[./]\w+)`", section))
    assert named == {*vendor.orders, vendor.deleted}


def test_the_figures_are_those_of_the_code() -> None:
    """Days, attempts, limits."""
    day_ms = 24 * 3600 * 1000
    for words in (
        f"after {outbox.FIRST_WAIT_MS // 1000} seconds",
        f"up to {outbox.LONGEST_WAIT_MS // 3_600_000} hour: {outbox.ATTEMPTS} attempts",
        f"At most {outbox.BACKLOG:,} deliveries",
        f"forgotten after {outbox.DONE_KEPT_MS // day_ms} days,",
        f"dead letters after {outbox.DEAD_KEPT_MS // day_ms}.",
        f"`no answer within {sending.TIMEOUT_S:g} s`",
    ):
        assert words in " ".join(PAGE.split())
    assert (sources.ROTATION_MS, "count for three days" in PAGE) == (3 * day_ms, True)
    for words in (
        f"up to {watching.AT_ONCE} a turn",
        f"(up to {watching.REFUSED_LISTED:,})",
        "at least three seconds old",
        *(f"`{ending}`" for ending in watching._UNFINISHED),
        *(f"/srv/orders/{place}/" for place in (watching.WORK, watching.DONE, watching.BAD)),
    ):
        assert words in " ".join(FOLDERS.split())
    assert (watching.FRESH_MS, watching.LOOK_S) == (3_000, 2.0)


def test_every_problem_of_a_folder_is_named() -> None:
    """In the words of the list."""
    for error in (FileNotFoundError(), NotADirectoryError(), PermissionError()):
        assert f"| {watching._words(error)} |" in FOLDERS
