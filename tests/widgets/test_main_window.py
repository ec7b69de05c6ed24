"""The window as a person uses it: keys, menu, themes, text sizes, dialogs, the clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QTableWidget
from pytestqt.qtbot import QtBot

from support.card_rows import MINUTE_MS, NOW_MS
from support.list_source import ListSource
from support.scenes import SCENES, Scene, build_window, stage_scene
from sync.contract.stages import Stage
from widgets.actions import ACTIONS, LATER, Source, keys_text
from widgets.main_window import MainWindow
from widgets.menus import next_scale
from widgets.theme import Look, ThemeName

Shown = tuple[MainWindow, ListSource]


@pytest.fixture
def shown(look: Look, qtbot: QtBot) -> Shown:
    """A shown window over the dispatch scene, the focus on the board."""
    window, source = build_window(Scene("window"), look)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    window.board.setFocus(Qt.FocusReason.TabFocusReason)
    return window, source


def test_a_shell_stays_small() -> None:
    """The file that bloats everywhere else stays a shell."""
    path = Path(__file__).resolve().parents[2] / "widgets" / "main_window.py"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250


def test_ids_and_keys_of_actions_are_unique() -> None:
    """No two actions share an id, and no key means two things in one place."""
    assert len({spec.id for spec in ACTIONS}) == len(ACTIONS)
    keys = [QKeySequence(key).toString() for spec in ACTIONS for key in spec.keys]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_single_letters_work_only_on_the_board() -> None:
    """A letter that acts anywhere would eat what people type."""
    for spec in ACTIONS:
        for key in spec.keys:
            assert not (len(key) == 1 and key.isalnum()) or spec.source is Source.BOARD


def test_brackets_move_the_focused_card(shown: Shown) -> None:
    """``]`` asks for the next stage, ``[`` for the one before."""
    window, source = shown
    moves: list[tuple[tuple[int, ...], Stage]] = []
    window.board.move_requested.connect(lambda ids, stage: moves.append((ids, stage)))
    window.board.focus_order(14)
    QTest.keyClick(window.board, Qt.Key.Key_BracketRight)
    assert moves == [((14,), Stage.PICKING)]
    window.board.show_change(source.move((14,), Stage.PICKING))
    window.board.focus_order(14)
    QTest.keyClick(window.board, Qt.Key.Key_BracketLeft)
    assert moves[-1] == ((14,), Stage.CONFIRMED)


def test_slash_searches_and_escape_comes_back(shown: Shown) -> None:
    """``/`` goes to the field without typing itself; Escape on the empty field returns to the board."""
    window, _ = shown
    QTest.keyClick(window.board, Qt.Key.Key_Slash)
    assert window.header.search.hasFocus()
    assert window.header.search_text() == ""
    QTest.keyClicks(window.header.search, "1/x]")
    assert window.header.search_text() == "1/x]"
    QTest.keyClick(window.header.search, Qt.Key.Key_Return)
    assert window.board.hasFocus()
    window.header.focus_search()
    QTest.keyClick(window.header.search, Qt.Key.Key_Escape)
    QTest.keyClick(window.header.search, Qt.Key.Key_Escape)
    assert window.board.hasFocus()


@pytest.mark.parametrize(
    ("key", "modifier", "name"),
    [
        (Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier, "undo"),
        (Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier, "ask_again"),
        (Qt.Key.Key_N, Qt.KeyboardModifier.NoModifier, "needs_you"),
    ],
)
def test_what_the_window_cannot_do_it_tells(
    shown: Shown, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier, name: str
) -> None:
    """Actions of the composition leave as one signal with the action's id."""
    window, _ = shown
    with qtbot.waitSignal(window.action_triggered) as told:
        QTest.keyClick(window.board, key, modifier)
    assert told.args == [name]


def test_undo_links_are_the_action(shown: Shown, qtbot: QtBot) -> None:
    """The buttons in view bar and status line do what Ctrl+Z does."""
    window, _ = shown
    for part in (window.view_bar, window.status_line):
        with qtbot.waitSignal(window.action_triggered) as told:
            part.undo_requested.emit()
        assert told.args == ["undo"]


def test_disabled_actions_do_nothing(look: Look, qtbot: QtBot) -> None:
    """What the predicate forbids is greyed and silent."""
    window, _ = build_window(Scene("window", rows=list), look)
    qtbot.addWidget(window)
    window.actions_book._is_enabled = lambda name: name != "undo"
    window.actions_book.refresh()
    assert not window.actions_book.action("undo").isEnabled()
    with qtbot.assertNotEmitted(window.action_triggered):
        window.view_bar.undo_requested.emit()


def test_keys_of_the_board_select_open_and_walk(shown: Shown, qtbot: QtBot) -> None:
    """X selects, Ctrl+A selects the column, numbers go to columns, Enter opens."""
    window, source = shown
    board = window.board
    board.focus_order(14)
    QTest.keyClick(board, Qt.Key.Key_X)
    assert board.selected() == (14,)
    QTest.keyClick(board, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(board.selected()) == source.total(Stage.CONFIRMED)
    QTest.keyClick(
        board, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    assert board.selected() == ()
    QTest.keyClick(board, Qt.Key.Key_3)
    focused = board.focused()
    assert focused in source.ids(Stage.PICKED)
    with qtbot.waitSignal(board.order_opened) as opened:
        QTest.keyClick(board, Qt.Key.Key_Return)
    assert opened.args == [focused]


def test_enter_drops_what_the_keyboard_carries(shown: Shown, qtbot: QtBot) -> None:
    """While cards are in the air Enter drops them, and ``]`` does nothing."""
    window, source = shown
    moves: list[tuple[tuple[int, ...], Stage]] = []
    window.board.move_requested.connect(lambda ids, stage: moves.append((ids, stage)))
    window.board.focus_order(14)
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_BracketRight):
        QTest.keyClick(window.board, key)
    assert moves == []
    with qtbot.assertNotEmitted(window.board.order_opened):
        QTest.keyClick(window.board, Qt.Key.Key_Return)
    assert moves == [((14,), Stage.PICKING)]
    assert source.place(14) is not None


def test_themes_and_text_sizes_are_chosen_and_told(shown: Shown, qtbot: QtBot) -> None:
    """A choice applies everywhere at once and is told, so that it can be stored."""
    window, _ = shown
    with qtbot.waitSignal(window.look_chosen) as told:
        window.actions_book.action("theme_dark").trigger()
    assert told.args is not None
    assert told.args[0].theme.name is ThemeName.DARK
    assert window.board.look.theme.name is ThemeName.DARK
    assert window.actions_book.action("theme_dark").isChecked()
    QTest.keyClick(window.board, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    assert window.look.scale_percent == 125
    QTest.keyClick(window.board, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(window.board, Qt.Key.Key_Minus, Qt.KeyboardModifier.ControlModifier)
    assert window.look.scale_percent == 100
    window.actions_book.action("text_larger").trigger()
    QTest.keyClick(window.board, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert window.look.scale_percent == 100
    QApplication.processEvents()


def test_text_sizes_have_ends() -> None:
    """There is no size below 100 % and none above 200 %."""
    assert [next_scale(percent, 1) for percent in (100, 175, 200, 137)] == [125, 200, 200, 150]
    assert [next_scale(percent, -1) for percent in (100, 125, 200)] == [100, 100, 175]


def test_f6_walks_over_the_regions(shown: Shown) -> None:
    """F6 goes from the board to the search field, on to the connection, back to the board."""
    window, _ = shown
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.header.search.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.header.connection.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.board.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert window.header.connection.hasFocus()


@pytest.mark.parametrize("name", ["keys", "about"])
def test_dialogs_only_tell_and_close_with_escape(shown: Shown, name: str) -> None:
    """Neither blocks the program; Escape closes it."""
    window, _ = shown
    window.actions_book.trigger(name)
    dialog = window.findChild(QDialog)
    assert dialog is not None
    assert dialog.isVisible()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_list_of_keys_is_never_larger_than_the_window(shown: Shown) -> None:
    """With the largest text its button would otherwise lie below the screen."""
    window, _ = shown
    window.set_look(window.look.with_scale(200))
    window.actions_book.trigger("keys")
    dialog = window.findChild(QDialog)
    assert dialog is not None
    assert dialog.height() <= window.height()
    assert dialog.width() <= window.width()


def test_the_list_of_keys_names_only_what_works(shown: Shown) -> None:
    """Nobody is told to press a key that a later release will use."""
    window, _ = shown
    window.actions_book.trigger("keys")
    (table,) = window.findChildren(QTableWidget)
    told = {item.text() for row in range(table.rowCount()) if (item := table.item(row, 0)) is not None}
    assert {spec.text for spec in ACTIONS if spec.keys and spec.id not in LATER} <= told
    assert not told & {spec.text for spec in ACTIONS if spec.id in LATER}


def test_keys_are_written_as_people_write_them() -> None:
    """The dialog shows every key of an action."""
    forward = next(spec for spec in ACTIONS if spec.id == "move_forward")
    assert keys_text(forward) == "] or Ctrl+Right"


def test_full_screen_is_a_switch(shown: Shown) -> None:
    """Once in, once out."""
    window, _ = shown
    window.actions_book.trigger("full_screen")
    assert window.isFullScreen()
    window.actions_book.trigger("full_screen")
    assert not window.isFullScreen()


def test_the_clock_ticks_and_tells_times_anew_each_minute(shown: Shown) -> None:
    """At a new minute the cards are told again; within a minute they are not."""
    window, _ = shown
    calls: list[int] = []
    window.board.on_minute = lambda: calls.append(1)  # type: ignore[method-assign]
    window.on_second()
    assert calls == []
    window._now_ms = lambda: NOW_MS + MINUTE_MS
    window.on_second()
    assert calls == [1]


def test_announcements_reach_eyes_and_readers(shown: Shown) -> None:
    """What the board announces stands in the status line and in the board's description."""
    window, _ = shown
    window.board.say("4 orders moved by others.", is_assertive=True)
    assert window.board.accessibleDescription() == "4 orders moved by others."


def test_clearing_the_filter_empties_the_search(shown: Shown) -> None:
    """The way out of "No order matches" is one key or one button."""
    window, _ = shown
    window.header.search.setText("zzz")
    window.board.filter_clear_requested.emit()
    assert window.header.search_text() == ""


def test_closing_is_told(shown: Shown, qtbot: QtBot) -> None:
    """The composition hears that the window went."""
    window, _ = shown
    with qtbot.waitSignal(window.closed):
        window.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_every_scene_can_be_painted(scene: Scene, look: Look, qtbot: QtBot) -> None:
    """Each picture of ``make screenshots`` has its size and shows more than one colour."""
    window, source = build_window(scene, look.with_theme(scene.theme).with_scale(scene.scale_percent))
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    stage_scene(scene, window, source)
    picture = window.grab().toImage()
    assert (picture.width(), picture.height()) == scene.size
    colours = {
        picture.pixel(x, y) for x in range(0, picture.width(), 40) for y in range(0, picture.height(), 40)
    }
    assert len(colours) > 3
    window.board.cancel_drag()
