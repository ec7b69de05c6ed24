"""Older orders: a few words beside the summary, a list for the keyboard, and never in anybody's way."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from support.pseudo_locale import PseudoTranslator
from support.scenes import Scene, build_window, older_orders, stage_scene
from sync.contract.orders import Order
from widgets.main_window import MainWindow
from widgets.older_list import CITY, CUSTOMER, ENDED, NUMBER, PARCEL
from widgets.older_orders import OlderOrders, found_text, more_text, show_text
from widgets.order_panel import OrderPanel
from widgets.theme import Look, ThemeName

Shown = tuple[MainWindow, OlderOrders]


@pytest.fixture
def shown(look: Look, qtbot: QtBot) -> Shown:
    """A shown window in whose search field somebody types, and what was found beside the board."""
    window, _ = build_window(Scene("older"), look)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    window.header.focus_search()
    older = window.make_older()
    older.show_found(older_orders(9), 9)
    QApplication.processEvents()
    return window, older


def _cells(older: OlderOrders, row: int) -> list[str]:
    items = (older.list.table.item(row, column) for column in (NUMBER, CUSTOMER, CITY, ENDED, PARCEL))
    return [item.text() for item in items if item is not None]


def _words(part: QWidget) -> list[str]:
    return [label.text() for label in part.findChildren(QLabel) if label.isVisibleTo(part) and label.text()]


def test_the_bar_says_how_many_and_nothing_opens_by_itself(shown: Shown) -> None:
    """Who types goes on typing; the board stays where it is."""
    window, older = shown
    assert "9 older orders" in _words(older.bar)
    assert older.bar.button.text() == "Show"
    assert older.list.isHidden()
    assert window.header.search.hasFocus()
    assert window.header.search.accessibleDescription() == "9 older orders. The Down key lists them."


def test_the_list_is_walked_with_the_keys(shown: Shown, qtbot: QtBot) -> None:
    """Down opens it from the search field, the arrows walk, Enter opens, Escape goes back to the words."""
    window, older = shown
    table = older.list.table
    QTest.keyClick(window.header.search, Qt.Key.Key_Down)
    assert table.hasFocus()
    assert older.bar.button.text() == "Hide"
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Up)
    with qtbot.waitSignal(older.opened) as opened:
        QTest.keyClick(table, Qt.Key.Key_Return)
    assert opened.args == [older_orders(9)[1]]
    QTest.keyClick(table, Qt.Key.Key_Escape)
    assert older.list.isHidden()
    assert window.header.search.hasFocus()
    assert older.bar.button.text() == "Show"


def test_one_click_opens_an_order(shown: Shown, qtbot: QtBot) -> None:
    """No double click: fingers do it too."""
    _, older = shown
    older.bar.button.click()
    table = older.list.table
    with qtbot.waitSignal(older.opened) as opened:
        place = table.visualItemRect(table.item(2, CUSTOMER)).center()  # type: ignore[arg-type]
        QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened.args == [older_orders(9)[2]]
    older.bar.button.click()
    assert older.list.isHidden()
    assert older.bar.button.hasFocus()


def test_a_row_says_what_the_order_was_and_how_it_ended(shown: Shown) -> None:
    """Number, customer, city, the day, the parcel's number; all of it as plain text."""
    _, older = shown
    assert _cells(older, 0) == [
        "#61900", older_orders()[0].customer, older_orders()[0].ship_to.city, "Shipped Mon 10:24",
        "JD0146 0009 7781",
    ]  # fmt: skip
    assert _cells(older, 2)[3:] == ["Cancelled 6 Mar", ""]
    first = older.list.table.item(0, NUMBER)
    assert first is not None
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == ", ".join(_cells(older, 0))
    bold: Order = msgspec.structs.replace(older_orders()[0], customer="<b>Ada</b>\nsecond line")
    older.show_found((bold,), 1)
    assert _cells(older, 0)[1] == "<b>Ada</b>\nsecond line"


def test_the_panel_gives_the_focus_back_to_the_list(shown: Shown) -> None:
    """To the row that was opened, as long as the list is there; else to the board."""
    window, older = shown
    older.open_list()
    panel: OrderPanel = window.make_panel()
    panel.open(older_orders(9)[0], 45)
    QTest.keyClick(panel.title, Qt.Key.Key_Escape)
    assert older.list.table.hasFocus()
    panel.open(older_orders(9)[5], 45)
    window.close_panel()
    assert window.board.hasFocus()
    older.open_list()
    panel.open(older_orders(9)[0], 45)
    older.clear()
    window.close_panel()
    assert window.board.hasFocus()


def test_what_is_not_known_is_said_quietly(shown: Shown) -> None:
    """Offline there is nothing to open, and the words say why."""
    window, older = shown
    older.open_list()
    older.show_quiet("Older orders: only online")
    assert _words(older.bar) == ["Older orders: only online"]
    assert older.bar.button.isHidden()
    assert older.list.isHidden()
    assert window.header.search.accessibleDescription() == "Older orders: only online"
    QTest.keyClick(window.header.search, Qt.Key.Key_Down)
    assert older.list.isHidden()


@pytest.mark.parametrize("orders", [(), older_orders(1)])
def test_nothing_found_takes_no_room(shown: Shown, orders: tuple[Order, ...]) -> None:
    """Neither at once nor after something was found."""
    window, older = shown
    older.show_found(orders, len(orders))
    older.clear()
    older.show_found((), 0)
    assert older.bar.isHidden()
    assert older.list.isHidden()
    assert window.header.search.accessibleDescription() == ""


def test_the_words_count(shown: Shown) -> None:
    """One, many, and more than the server counts; what the list leaves out has its words."""
    assert [found_text(1), found_text(2)] == ["1 older order", "2 older orders"]
    assert found_text(1_000) == "1000 older orders or more"
    assert [show_text(1), show_text(7), show_text(1_000)] == [
        "Show 1 older order", "Show 7 older orders", "Show the older orders",
    ]  # fmt: skip
    assert more_text(9, 9) == ""
    _, older = shown
    older.show_found(older_orders(9), 312)
    older.open_list()
    assert "The newest 9 are listed. One more word finds the others." in _words(older.list)


def test_a_board_without_a_match_offers_the_older_ones(look: Look, qtbot: QtBot) -> None:
    """The way out of an empty board is where the eyes are."""
    scene = Scene("older-found-no-match", search="harrbour", focus=None, older=1)
    window, source = build_window(scene, look)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    stage_scene(scene, window, source)
    no_match = window.board._no_match
    assert "No order on the board matches “harrbour”" in _words(no_match)
    assert no_match._more.text() == "Show 1 older order"
    no_match._more.click()
    older = window._late.older
    assert older is not None
    assert older.list.table.hasFocus()
    assert no_match._more.isHidden()
    assert "No order on the board matches “harrbour”" in _words(no_match)
    older.clear()
    assert "No order matches “harrbour”" in _words(no_match)


def test_the_regions_come_by_it(shown: Shown) -> None:
    """F6 stops at the button, or in the open list, between the connection and the board."""
    window, older = shown
    window.header.connection.setFocus()
    QTest.keyClick(window.header.connection, Qt.Key.Key_F6)
    assert older.bar.button.hasFocus()
    QTest.keyClick(older.bar.button, Qt.Key.Key_F6)
    assert window.board.hasFocus()
    older.open_list()
    QTest.keyClick(older.list.table, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert window.header.connection.hasFocus()


def test_the_tab_key_comes_to_the_button_before_undo(shown: Shown) -> None:
    """The order of the eyes."""
    window, older = shown
    follower = older.bar.button.nextInFocusChain()
    while follower is not None and not (
        follower.focusPolicy() & Qt.FocusPolicy.TabFocus and follower.isVisible()
    ):
        follower = follower.nextInFocusChain()
    assert follower is window.view_bar._undo


@pytest.mark.parametrize("theme", list(ThemeName))
@pytest.mark.parametrize("size", [(1920, 1080), (1280, 800), (1024, 600)])
def test_it_fits_every_window_and_size_of_text(shown: Shown, theme: ThemeName, size: tuple[int, int]) -> None:
    """The words of the bar are whole; the list leaves most of the window to the board."""
    window, older = shown
    older.open_list()
    for percent in (100, 200):
        window.set_look(window.look.with_theme(theme).with_scale(percent))
        window.resize(*size)
        QApplication.processEvents()
        label = next(each for each in older.bar.findChildren(QLabel) if "older" in each.text())
        assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())
        assert older.list.height() * 2 < window.height()
        assert older.list.table.columnWidth(NUMBER) > label.fontMetrics().horizontalAdvance("#61900")
        assert older.bar.geometry().right() <= window.view_bar._undo.geometry().left()


def test_a_narrow_window_leaves_out_what_the_order_itself_tells(shown: Shown) -> None:
    """City and parcel go first; number, customer and the day stay."""
    window, older = shown
    older.open_list()
    window.set_look(window.look.with_scale(200))
    window.resize(1024, 700)
    QApplication.processEvents()
    table = older.list.table
    assert [table.isColumnHidden(column) for column in (NUMBER, CUSTOMER, CITY, ENDED, PARCEL)] == [
        False, False, True, False, True,
    ]  # fmt: skip
    window.set_look(window.look.with_scale(100))
    window.resize(1920, 1080)
    QApplication.processEvents()
    assert not any(table.isColumnHidden(column) for column in (CITY, PARCEL))


@pytest.fixture
def pseudo(qapp: QApplication) -> Iterator[PseudoTranslator]:
    """The pseudo-locale, for one test."""
    translator = PseudoTranslator()
    QCoreApplication.installTranslator(translator)
    yield translator
    QCoreApplication.removeTranslator(translator)


def test_no_word_of_it_is_untranslated(pseudo: PseudoTranslator, shown: Shown) -> None:
    """What is not the orders' own came from the translators."""
    _, older = shown
    older.show_found(older_orders(9), 312)
    older.open_list()
    table = older.list.table
    texts = {*_words(older.bar), *_words(older.list), older.bar.button.text(), table.accessibleName()}
    texts |= {older.bar.button.accessibleName(), *(_cells(older, row)[3] for row in range(3))}
    texts |= {item.text() for each in range(5) if (item := table.horizontalHeaderItem(each)) is not None}
    assert {text for text in texts - {"↓"} if pseudo.open not in text} == set()
