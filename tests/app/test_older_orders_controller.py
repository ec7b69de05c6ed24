"""The search for older orders: after the typing, beside the board's own search, quiet when it cannot be."""

from __future__ import annotations

import sys

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from app.older_orders_controller import ASK_MS, OlderOrdersController
from support.client_bench import ClientBench
from support.orders import make_order
from support.processes import ProcessRunner
from sync.client.commands import OlderQuestion
from sync.client.news import ConnectionChanged, LinkState, OlderOrdersFound
from sync.contract.orders import Order
from sync.contract.problems import Problem
from sync.contract.stages import Stage
from widgets.older_orders import OlderBar, OlderOrders
from widgets.order_panel import OrderPanel

OLD = make_order(901, number="SO-12", stage=Stage.SHIPPED, cancelled_ms=None, retired_ms=9)
LIVE = ConnectionChanged(LinkState.LIVE, 1)
OFFLINE = ConnectionChanged(LinkState.OFFLINE, 1)


def type_words(bench: ClientBench, words: str, *, is_over: bool = True) -> OlderOrdersController:
    """Type into the search field; when the typing is over, the moment after it has passed."""
    bench.client.window.header.search.setText(words)
    controller = bench.client._older
    assert controller is not None
    if is_over:
        assert controller._soon.isActive()
        controller._soon.stop()
        controller.ask()
    return controller


def answer(bench: ClientBench, orders: tuple[Order, ...] = (OLD,), total: int = 0, **more: Problem) -> None:
    """Answer the newest question."""
    question = bench.engine.questions[-1]
    bench.tell(OlderOrdersFound(question.asker, question.number, orders, total or len(orders), **more))


def words_shown(bench: ClientBench) -> str:
    """Return what stands in the bar, empty while it is not there."""
    bar = bench.client.window.findChild(OlderBar)
    if bar is None or bar.isHidden():
        return ""
    return " ".join(label.text() for label in bar.findChildren(QLabel) if label.text() not in {"", "↓"})


def part(bench: ClientBench) -> OlderOrders:
    """Return bar and list."""
    older = bench.client.window._late.older
    assert older is not None
    return older


def test_the_server_is_asked_when_the_typing_ends(bench: ClientBench) -> None:
    """Once, a moment after the last letter, for the words as they stand then."""
    bench.tell(LIVE)
    controller = type_words(bench, "so", is_over=False)
    type_words(bench, "so-1", is_over=False)
    assert bench.engine.questions == []
    assert controller._soon.interval() == ASK_MS >= 300
    type_words(bench, "so-12 ")
    (question,) = bench.engine.questions
    assert question.words == "so-12"
    answer(bench, total=3)
    assert words_shown(bench) == "3 older orders"


@pytest.mark.parametrize("words", ["s", "#1", "  ", "-", "é "])
def test_too_little_is_not_asked(bench: ClientBench, words: str) -> None:
    """One letter begins half of all orders."""
    bench.tell(LIVE)
    assert not type_words(bench, words, is_over=False)._soon.isActive()
    assert bench.engine.questions == []


def test_other_words_take_back_what_was_asked_and_found(bench: ClientBench) -> None:
    """The server is told to stop, a late answer is nobody's, and the list is gone with its words."""
    bench.tell(LIVE)
    type_words(bench, "harbour")
    first = bench.engine.questions[-1]
    type_words(bench, "harb", is_over=False)
    assert bench.engine.questions[-1] == OlderQuestion(first.asker, first.number + 1, "")
    bench.tell(OlderOrdersFound(first.asker, first.number, (OLD,), 1))
    assert words_shown(bench) == ""
    type_words(bench, "harbou")
    bench.tell(OlderOrdersFound("somebody else", bench.engine.questions[-1].number, (OLD,), 1))
    assert words_shown(bench) == ""
    answer(bench)
    part(bench).open_list()
    bench.client.window.header.clear_search()
    assert words_shown(bench) == ""
    assert part(bench).list.isHidden()


def test_offline_it_says_so_and_asks_when_the_server_is_back(bench: ClientBench) -> None:
    """Without a question to nobody; what was found stays when the connection goes."""
    bench.tell(OFFLINE)
    controller = type_words(bench, "harbour")
    assert words_shown(bench) == "Older orders: only online"
    assert bench.engine.questions == []
    bench.tell(LIVE)
    assert controller._soon.isActive()
    controller.ask()
    answer(bench)
    bench.tell(OFFLINE, LIVE)
    assert words_shown(bench) == "1 older order"
    assert len(bench.engine.questions) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("SERVER_UNREACHABLE", "Older orders: the server does not answer"),
        ("FORBIDDEN", "Older orders: your role may not see them"),
        ("SERVER_FAULT", "Older orders: not searched"),
    ],
)
def test_what_goes_wrong_is_said_quietly(bench: ClientBench, code: str, words: str) -> None:
    """In the bar, without a banner and without a code."""
    bench.tell(LIVE)
    type_words(bench, "harbour")
    answer(bench, (), problem=Problem(code, "No."))
    assert words_shown(bench) == words
    assert bench.client.window.banners.keys() == ()


def test_a_sign_in_that_is_being_renewed_is_waited_for_once(bench: ClientBench) -> None:
    """It takes a moment; if it takes longer, that is said."""
    bench.tell(LIVE)
    controller = type_words(bench, "harbour")
    answer(bench, (), problem=Problem("NOT_SIGNED_IN", "No."))
    assert words_shown(bench) == ""
    assert controller._soon.isActive()
    controller._soon.stop()
    controller.ask()
    answer(bench, (), problem=Problem("NOT_SIGNED_IN", "No."))
    assert not controller._soon.isActive()
    assert words_shown(bench) == "Older orders: not searched"


def test_an_order_that_still_has_its_card_is_no_older_one(bench: ClientBench) -> None:
    """The server retired it a moment ago; its delta is on its way."""
    bench.tell(LIVE)
    on_board = next(iter(bench.server.orders.values()))
    type_words(bench, "harbour")
    answer(bench, (msgspec.structs.replace(on_board, retired_ms=7), OLD), total=2)
    assert words_shown(bench) == "1 older order"
    type_words(bench, "harb")
    answer(bench, (msgspec.structs.replace(on_board, retired_ms=7),))
    assert words_shown(bench) == ""


def test_an_older_order_is_opened_to_be_read(bench: ClientBench) -> None:
    """With the keyboard alone: Down, Enter; Escape goes back to the list, and on to the words."""
    bench.tell(LIVE)
    window = bench.client.window
    window.header.focus_search()
    type_words(bench, "harbour")
    answer(bench)
    QTest.keyClick(window.header.search, Qt.Key.Key_Down)
    table = part(bench).list.table
    QTest.keyClick(table, Qt.Key.Key_Return)
    panel = window.findChild(OrderPanel)
    assert panel is not None
    assert panel.order == OLD
    assert panel.title.hasFocus()
    assert panel.move_button.isHidden()
    QTest.keyClick(panel.title, Qt.Key.Key_Escape)
    assert table.hasFocus()
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert window.header.search.hasFocus()
    assert window.header.search_text() == "harbour"


def test_a_search_before_the_engine_is_there_asks_nobody(bench: ClientBench) -> None:
    """The first moments of a start are offline ones."""
    bench.client._engine = None
    type_words(bench, "harbour")
    assert words_shown(bench) == "Older orders: only online"
    bench.tell(LIVE)
    bench.client._older.ask()  # type: ignore[union-attr]
    assert bench.engine.questions == []


def test_a_start_does_without_it(processes: ProcessRunner) -> None:
    """Controller, bar and list are imported with the first search."""
    parts = "('app.older_orders_controller', 'widgets.older_orders', 'widgets.older_list')"
    program = f"import sys, app.composition; sys.exit(any(each in sys.modules for each in {parts}))"
    process = processes.run(sys.executable, "-c", program, env={"QT_QPA_PLATFORM": "offscreen"})
    assert process.wait() == 0, process.stderr
