"""What surrounds the board: counts, search, look, leaving."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMessageBox
from pytestqt.qtbot import QtBot

from support.client_bench import SITE, ClientBench
from sync.client.news import RaiseWanted, Welcomed
from sync.contract.messages import Person, Site
from sync.contract.stages import STAGES, Stage
from widgets.theme import ThemeName

# What only a real screen can do; the end-to-end test has one.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def _remembered(bench: ClientBench) -> dict[str, object]:
    content: dict[str, object] = json.loads(bench.profile.settings.read_text(encoding="utf-8"))
    return content


def _move_one(bench: ClientBench) -> int:
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    return local_id


def test_the_header_names_the_site_and_counts_the_board(bench: ClientBench) -> None:
    """Out of the cache, before any server has answered."""
    bench.client.shell.refresh_counts()
    assert bench.client.window.header._site.text() == SITE.name
    total = sum(bench.client.view.total(stage) for stage in STAGES)
    assert total == 60


def test_another_site_changes_name_and_times(bench: ClientBench) -> None:
    """After signing in somewhere else, times are those of that place."""
    site = Site("site-2", "Hall 2", "Asia/Tokyo", "o", "Nordlicht")
    bench.tell(Welcomed(site, Person("u", "Ana", "picker", "s")))
    assert bench.client.window.header._site.text() == "Hall 2"
    from datetime import UTC, datetime

    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert noon.astimezone(bench.client._zone).hour == 21


def test_a_search_filters_and_its_end_shows_all(bench: ClientBench, qtbot: QtBot) -> None:
    """Found off the GUI thread; the totals stay whatever the filter hides."""
    view = bench.client.view
    total = sum(view.total(stage) for stage in STAGES)
    number = view.rows(view.ids(Stage.CONFIRMED))[3].number
    bench.client.window.header.search.setText(number)
    qtbot.waitUntil(lambda: sum(len(view.ids(stage)) for stage in STAGES) == 1)
    assert sum(view.total(stage) for stage in STAGES) == total
    # The first page is followed by the rest: only then are the hits counted, and the head says how many.
    qtbot.waitUntil(lambda: view.shown_count(Stage.CONFIRMED) == 1)
    assert bench.client.board.columns.each[0].shown == 1
    bench.client.window.header.search.setText("nothing is called this")
    qtbot.waitUntil(lambda: sum(len(view.ids(stage)) for stage in STAGES) == 0)
    bench.client.window.header.clear_search()
    qtbot.waitUntil(lambda: sum(len(view.ids(stage)) for stage in STAGES) == total)


def test_the_chosen_look_is_kept_for_the_next_start(bench: ClientBench) -> None:
    """Theme and text size are settings of the person."""
    look = bench.client.window.look.with_theme(ThemeName.DARK).with_scale(125)
    bench.client.shell.on_look_chosen(look)
    kept = _remembered(bench)
    assert (kept["theme"], kept["text_scale"]) == ("dark", 125)


def test_undo_is_offered_only_when_there_is_something(bench: ClientBench) -> None:
    """An action that would do nothing is not enabled."""
    shell = bench.client.shell
    assert not shell.is_enabled("undo")
    _move_one(bench)
    assert shell.is_enabled("undo")
    assert not shell.is_enabled("import")


def test_leaving_with_unsent_moves_tells_and_stays(bench: ClientBench) -> None:
    """Beside the board, with what is safe and two answers that say their result."""
    _move_one(bench)
    bench.client.window.close()
    assert bench.client.window.isVisible()
    box = bench.client.window.findChild(QMessageBox, "leave")
    assert box is not None
    assert box.text() == "1 move is not sent yet."
    assert "Stored here" in box.informativeText()
    texts = [button.text() for button in box.buttons()]
    assert texts == ["Quit, send next time", "Stay"]
    next(button for button in box.buttons() if button.text() == "Stay").click()
    assert bench.client.window.isVisible()


def test_leaving_with_nothing_unsent_just_leaves(bench: ClientBench) -> None:
    """And the place of the window is remembered."""
    bench.client.window.close()
    assert not bench.client.window.isVisible()
    assert len(str(_remembered(bench)["window"]).split(",")) == 4


def test_the_answer_quit_leaves(bench: ClientBench) -> None:
    """The moves stay in the outbox; nothing is asked twice."""
    _move_one(bench)
    bench.client.window.close()
    box = bench.client.window.findChild(QMessageBox, "leave")
    assert box is not None
    next(button for button in box.buttons() if button.text().startswith("Quit")).click()
    assert not bench.client.window.isVisible()


def test_a_machine_that_ends_is_not_asked(bench: ClientBench) -> None:
    """SIGTERM ends the program, unsent moves or not."""
    _move_one(bench)
    bench.client.shell.leave()
    assert not bench.client.window.isVisible()


def test_a_second_start_raises_the_window(bench: ClientBench) -> None:
    """Also out of the task bar."""
    bench.client.window.showMinimized()
    bench.tell(RaiseWanted())
    assert not bench.client.window.isMinimized()


def test_the_figures_of_this_terminal_are_told(bench: ClientBench) -> None:
    """The usual frame, not the long first one; memory as it was measured."""
    for _ in range(30):
        bench.client.recorder.observe("render_time", 2.1)
    bench.client.recorder.observe("render_time", 33.0)
    bench.client.shell.set_memory(38.2)
    bench.client.shell.on_figures()
    text = bench.client.window.status_line._figures.text()
    assert "frame 2.1 ms" in text
    assert "38 MB" in text


def test_what_it_locked_cannot_be_chosen(tmp_path: Path, qapp: QApplication) -> None:
    """The theme of a managed terminal stays; the text size, which nobody locked, can be changed."""
    parent = QObject()
    bench = ClientBench(tmp_path / "p", parent, managed={"theme": "dark"})
    book = bench.client.window.actions_book
    book.refresh()
    assert bench.client.window.look.theme.name == ThemeName.DARK
    assert not book.action("theme_light").isEnabled()
    assert book.action("text_larger").isEnabled()
    bench.client.shell.on_look_chosen(bench.client.window.look.with_scale(125))
    assert _remembered(bench)["text_scale"] == 125
    assert "theme" not in _remembered(bench)
    bench.close()


def test_a_kiosk_has_no_way_out(tmp_path: Path, qapp: QApplication) -> None:
    """Neither closing, quitting nor leaving full screen; the machine itself still ends it."""
    parent = QObject()
    bench = ClientBench(tmp_path / "p", parent, managed={"is_kiosk": True})
    bench.client.show()
    window = bench.client.window
    assert window.isFullScreen()
    window.close()
    assert window.isVisible()
    assert not bench.client.shell.is_enabled("quit")
    assert not bench.client.shell.is_enabled("full_screen")
    bench.client.shell.leave()
    assert not window.isVisible()
    bench.close()
