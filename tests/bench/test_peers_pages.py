"""The pages of the web boards: our card's values, our orders, and nothing that would make them slow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from bench.peers.cards import cards_json
from bench.peers.packages import ROOM
from bench.peers.serve import Pages, icons_svg, served
from support.orders import NOON_MS
from sync.client.stores.card_columns import COLUMNS
from sync.contract.stages import STAGES


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    """Give pages of one board that was built."""
    (tmp_path / "virtual.js").write_text("start()", encoding="utf-8")
    return Pages(tmp_path, ROOM / "boards", lambda count: cards_json(count, NOON_MS))


def test_a_card_is_drawn_from_the_values_of_ours() -> None:
    """Every field that the boards read is one of our card's columns, or the rank that they add."""
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOM / "boards").glob("*.js*"))
    read = set(re.findall(r"\border\.(\w+)", sources))
    assert read <= {*COLUMNS, "rank"}
    assert {"number", "customer", "city", "cut_off_ms", "lines_picked", "claimed_by", "tags"} <= read


def test_the_orders_come_sorted() -> None:
    """The page has nothing to sort: what leaves first is first, orders without a cut-off are last."""
    told = json.loads(cards_json(300, NOON_MS))
    rows = [dict(zip(told["fields"], row, strict=True)) for row in told["rows"]]
    assert len(rows) == 300
    assert {row["stage"] for row in rows} == set(STAGES)
    cut_offs = [row["cut_off_ms"] for row in rows]
    known = [cut_off for cut_off in cut_offs if cut_off is not None]
    assert cut_offs == sorted(known) + [None] * (len(rows) - len(known))


def test_the_same_moment_gives_the_same_orders() -> None:
    """Every board is measured with the same file."""
    assert cards_json(50, NOON_MS) == cards_json(50, NOON_MS)


def test_every_icon_of_the_boards_is_served() -> None:
    """No card waits for a drawing that is not there."""
    served_icons = set(re.findall(r'id="([a-z-]+)"', icons_svg()))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOM / "boards").glob("*.js*"))
    named = set(re.findall(r'(?:icon: |name=|(?:gift|fragile|export|repeat): )"([a-z-]+)"', sources))
    assert named == served_icons


def test_a_board_is_a_page_and_a_script(pages: Pages) -> None:
    """What was built is served; scripts may be kept by the browser, orders and pages not."""
    with served(pages) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert url.startswith("http://127.0.0.1:")
        page = client.get("/virtual?count=5")
        assert "/virtual.js" in page.text
        assert page.headers["Cache-Control"] == "no-store"
        assert client.get("/virtual.js").headers["Cache-Control"].startswith("max-age")
        assert len(client.get("/orders.json?count=5").json()["rows"]) == 5
        assert client.get("/inter.ttf").headers["Content-Type"].startswith("font/ttf")
        assert "card" in client.get("/board.css").text


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/pangea",
        "/../run.py",
        "/virtual.css",
        "/orders.json",
        "/orders.json?count=x",
        "/orders.json?count=0",
    ],
)
def test_nothing_else_is_served(pages: Pages, path: str) -> None:
    """A board that was not built, files beside it, and numbers that are none are not found."""
    assert pages.answer(path) is None


def test_the_link_leads_to_the_whole_address(pages: Pages) -> None:
    """The query of the board goes along."""
    answer = pages.answer("/click?to=/virtual?count=5")
    assert answer is not None
    assert b'href="/virtual?count=5"' in answer.body
