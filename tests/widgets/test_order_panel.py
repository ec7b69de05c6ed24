"""The order panel: what it says of an order, what its buttons ask for, where the focus goes."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from support.card_rows import MINUTE_MS, NOW_MS
from support.pseudo_locale import PseudoTranslator
from support.scenes import ZONE, Scene, build_window, changed_order, scene_order
from sync.contract.orders import LineItem, Order, OrderException
from sync.contract.stages import Stage
from widgets.main_window import MainWindow
from widgets.order_lines import BIN, PIECES, PRODUCT, STATE
from widgets.order_panel import WIDTH, OrderPanel
from widgets.order_texts import (
    SHOWN_LINES,
    band_words,
    carrier_words,
    holder_text,
    line_state,
    number_text,
    size_text,
    time_words,
)
from widgets.theme import Look, ThemeName
from widgets.tones import Tone

Shown = tuple[MainWindow, OrderPanel]


@pytest.fixture
def shown(look: Look, qtbot: QtBot) -> Shown:
    """A shown window with the panel open on the order of the scene."""
    window, _ = build_window(Scene("panel"), look)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    window.board.setFocus(Qt.FocusReason.TabFocusReason)
    panel = window.make_panel()
    panel.open(scene_order(), 45)
    return window, panel


def _texts(panel: OrderPanel) -> set[str]:
    # What is new in a layout shows with the next events.
    QApplication.processEvents()
    return {label.text() for label in panel.findChildren(QLabel) if label.isVisibleTo(panel)}


def _cells(panel: OrderPanel, column: int) -> list[str]:
    items = (panel.lines.item(row, column) for row in range(panel.lines.rowCount()))
    return [item.text() for item in items if item is not None]


def test_it_says_who_has_the_order_and_when_it_leaves(shown: Shown) -> None:
    """Number, stage, holder, place, size, carrier, time left, hold, note and tags stand in words."""
    texts = _texts(shown[1])
    order = scene_order()
    assert {"#70205", "Picking", "Mill Street Shop · Harbour Town HT9 4HP", "6 lines · 28 pcs"} <= texts
    assert holder_text(order, NOW_MS, ZONE) in texts
    assert carrier_words(order, NOW_MS, ZONE).text in texts
    assert {"42 min left", order.note, "Tags: gift, fragile"} <= texts
    assert any(text.startswith("On hold since") and "Tess W.: incorrect address" in text for text in texts)


def test_lines_stand_in_walking_order_with_their_state(shown: Shown) -> None:
    """By bin, each with what is picked of what was ordered."""
    _, panel = shown
    assert _cells(panel, BIN) == ["A-04-2", "A-11-1", "B-02-3", "B-07-1", "C-15-4", "D-01-1"]
    assert _cells(panel, STATE) == ["Done", "Done", "To pick", "Short 2", "To pick", "To pick"]
    assert _cells(panel, PIECES)[2] == "7 / 12"
    assert _cells(panel, PRODUCT)[0] == "Cotton napkin, oat, set of 4\nCN-OAT-4"


def test_the_panel_takes_its_width_and_covers_nothing(shown: Shown) -> None:
    """The board narrows; in a small window, and at large text, it keeps more than half."""
    window, panel = shown
    QApplication.processEvents()
    assert panel.width() == WIDTH
    assert window.board.width() == window.width() - WIDTH
    window.set_look(window.look.with_scale(200))
    window.resize(1024, 768)
    QApplication.processEvents()
    assert panel.width() * 2 < window.width()
    assert panel.geometry().right() < window.width()


def test_opening_takes_the_focus_and_escape_gives_it_back(shown: Shown) -> None:
    """The title has the focus; Escape and the cross return it to the board."""
    window, panel = shown
    assert panel.title.hasFocus()
    assert panel.title.accessibleName() == "Order 70205"
    QTest.keyClick(panel.title, Qt.Key.Key_Escape)
    assert panel.isHidden()
    assert panel.order is None
    assert window.board.hasFocus()
    panel.open(scene_order(), 45)
    panel.close_button.click()
    assert window.board.hasFocus()


def test_escape_on_the_board_closes_the_panel(shown: Shown) -> None:
    """One step back, wherever the focus is."""
    window, panel = shown
    window.board.setFocus(Qt.FocusReason.OtherFocusReason)
    QTest.keyClick(window.board, Qt.Key.Key_Escape)
    assert panel.isHidden()


def test_the_panel_is_a_region(shown: Shown) -> None:
    """F6 goes on from it, and comes to it from the board."""
    window, panel = shown
    QTest.keyClick(panel.title, Qt.Key.Key_F6)
    assert window.header.search.hasFocus()
    QTest.keyClick(window.header.search, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert panel.title.hasFocus()


def test_the_button_names_the_next_stage_and_asks_for_it(shown: Shown, qtbot: QtBot) -> None:
    """``]`` inside the panel asks for the same; a shipped order has no such button."""
    _, panel = shown
    assert panel.move_button.text() == "Move to Picked"
    with qtbot.waitSignal(panel.move_requested):
        panel.move_button.click()
    with qtbot.waitSignal(panel.move_requested):
        QTest.keyClick(panel.title, Qt.Key.Key_BracketRight)
    panel.move_button.setFocus()
    panel.show_order(msgspec.structs.replace(scene_order(), stage=Stage.SHIPPED))
    assert panel.move_button.isHidden()
    assert panel.title.hasFocus()
    with qtbot.assertNotEmitted(panel.move_requested):
        QTest.keyClick(panel.title, Qt.Key.Key_BracketRight)


def test_ten_thousand_lines_are_told_and_not_drawn(shown: Shown) -> None:
    """The first 200 lines show; the rest is a number."""
    _, panel = shown
    lines = tuple(LineItem(each, f"S-{each}", "Thing", 1, f"A-{each:05}") for each in range(10_000))
    panel.show_order(msgspec.structs.replace(scene_order(), lines=lines))
    assert panel.lines.rowCount() == SHOWN_LINES
    assert "9800 more lines are not shown." in _texts(panel)


def test_the_clock_is_told_anew(shown: Shown) -> None:
    """After a minute one minute less is left."""
    window, panel = shown
    panel._now_ms = lambda: NOW_MS + MINUTE_MS
    window._now_ms = lambda: NOW_MS + MINUTE_MS
    window.on_second()
    assert "41 min left" in _texts(panel)
    assert "42 min left" not in _texts(panel)


@pytest.mark.parametrize("theme", list(ThemeName))
def test_every_theme_and_size_shows_the_same_words(shown: Shown, theme: ThemeName) -> None:
    """A change of look loses nothing."""
    window, panel = shown
    before = _texts(panel)
    window.set_look(window.look.with_theme(theme).with_scale(200))
    assert _texts(panel) == before


def test_walking_with_the_keys_scrolls_to_the_line(shown: Shown) -> None:
    """The line that the keyboard reaches is in view."""
    window, panel = shown
    window.resize(1280, 560)
    QApplication.processEvents()
    panel.lines.setFocus()
    panel.lines.setCurrentCell(0, 0)
    for _ in range(5):
        QTest.keyClick(panel.lines, Qt.Key.Key_Down)
    assert panel.lines.currentRow() == 5
    assert panel._scroll.verticalScrollBar().value() > 0


@pytest.mark.parametrize(
    ("changed", "tone", "begin"),
    [
        ({"cancelled_ms": NOW_MS}, Tone.RED, "Cancelled at 10:24: put 18 pieces back"),
        ({"cancelled_ms": NOW_MS, "lines": ()}, Tone.RED, "Cancelled at 10:24: nothing to put back"),
        (
            {"exceptions": (OrderException("X", "Two moves disagree", "op", NOW_MS),)},
            Tone.VIOLET,
            "10:24 · Two moves disagree",
        ),
        (
            {"exceptions": (OrderException("LINES_CHANGED", "Lines changed: A 2 → 3.", "op", NOW_MS),)},
            Tone.VIOLET,
            "10:24 · Lines changed: A 2 → 3. Go through the lines below again.",
        ),
        (
            {"exceptions": (OrderException("ADDRESS_CHANGED", "Address changed.", "op", NOW_MS),)},
            Tone.VIOLET,
            "10:24 · Address changed. Check the label.",
        ),
        (
            # That it was cancelled stands there already.
            {
                "cancelled_ms": NOW_MS,
                "exceptions": (OrderException("CANCELLED", "Cancelled after picking began.", "op", NOW_MS),),
            },
            Tone.RED,
            "Cancelled at 10:24: put 18 pieces back",
        ),
    ],
)
def test_the_worst_exception_stands_first(changed: dict[str, object], tone: Tone, begin: str) -> None:
    """Cancelled before a disagreement before a hold, each in words."""
    first, hold = band_words(msgspec.structs.replace(scene_order(), **changed), NOW_MS, ZONE)
    assert (first.tone, first.text) == (tone, begin)
    assert hold.text.startswith("On hold since")


def test_a_line_that_the_shop_took_away_is_not_short(shown: Shown) -> None:
    """What is picked of it goes back; a short line of the same order stays short."""
    _, panel = shown
    panel.show_order(changed_order())
    assert _cells(panel, STATE) == ["Done", "Done", "To pick", "Short 2", "To pick", "Put 1 back"]
    assert line_state(LineItem(1, "S", "T", 5, quantity_picked=7)).text == "Put 2 back"
    *rest, last = changed_order().lines
    lines = (*rest, msgspec.structs.replace(last, quantity_picked=0))
    panel.show_order(msgspec.structs.replace(changed_order(), lines=lines))
    assert _cells(panel, STATE)[-1] == "Removed"
    panel.show_order(msgspec.structs.replace(changed_order(), lines=lines, exceptions=()))
    assert _cells(panel, STATE)[-1] == "Short 1"


def test_a_shipped_order_names_its_parcel_and_when_it_left(shown: Shown) -> None:
    """The number can be copied; nobody "has" what has left."""
    _, panel = shown
    order = msgspec.structs.replace(
        scene_order(), stage=Stage.SHIPPED, tracking_number="JD0146 <b>7781</b>", cut_off_rule="express"
    )
    panel.show_order(order)
    texts = _texts(panel)
    assert "Tracking number JD0146 <b>7781</b>\nCut-off by the rule “express”" in texts
    assert holder_text(order, NOW_MS, ZONE) == "10:12"
    assert panel._facts.textFormat() is Qt.TextFormat.PlainText
    assert panel._facts.textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByMouse
    panel.show_order(scene_order())
    assert panel._facts.isHidden()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stage": Stage.SHIPPED}, "Shipped 10:12, no longer on the board"),
        ({"cancelled_ms": NOW_MS - 200 * 86_400_000}, "Cancelled 29 Aug 2025, no longer on the board"),
    ],
)
def test_an_order_that_left_the_board_is_only_read(
    shown: Shown, changed: dict[str, object], words: str
) -> None:
    """It says how it ended; nothing moves it any more."""
    _, panel = shown
    panel.show_order(msgspec.structs.replace(scene_order(), retired_ms=NOW_MS, hold=None, **changed))
    assert words in _texts(panel)
    assert not any("put 18 pieces back" in text for text in _texts(panel))
    assert panel.move_button.isHidden()


def test_a_cancelled_order_has_no_way_forward(shown: Shown) -> None:
    """The server would refuse it."""
    _, panel = shown
    panel.show_order(msgspec.structs.replace(scene_order(), cancelled_ms=NOW_MS))
    assert panel.move_button.isHidden()


@pytest.mark.parametrize(
    ("cut_off_ms", "seconds", "tone"),
    [
        (NOW_MS - MINUTE_MS, 45, Tone.RED),
        (NOW_MS + MINUTE_MS, 45, Tone.AMBER),
        (NOW_MS + 42 * MINUTE_MS, 45, Tone.PLAIN),
        (NOW_MS + 600 * MINUTE_MS, 45, None),
        (None, 45, None),
    ],
)
def test_time_is_amber_only_when_it_will_not_do(
    cut_off_ms: int | None, seconds: float, tone: Tone | None
) -> None:
    """Late is red; at risk is worked out from the lines left; far away says only the clock time."""
    order = msgspec.structs.replace(scene_order(), cut_off_ms=cut_off_ms)
    words = time_words(order, NOW_MS, seconds)
    assert (None if words is None else words.tone) == tone


def test_a_bare_order_has_words_too() -> None:
    """Nobody, no carrier, no bin, one piece: nothing is left empty that people look for."""
    order: Order = msgspec.structs.replace(
        scene_order(),
        number="#7",
        claimed_by=None,
        carrier="",
        cut_off_ms=None,
        lines=(LineItem(1, "S", "T", 1),),
    )
    assert number_text(order) == "#7"
    assert holder_text(order, NOW_MS, ZONE) == "Nobody has it"
    assert carrier_words(order, NOW_MS, ZONE).text == "No carrier · no cut-off"
    by_method = msgspec.structs.replace(order, ship_method="Express")
    assert carrier_words(by_method, NOW_MS, ZONE).text == "Express · no cut-off"
    assert size_text(order) == "1 line · 1 pc"
    assert line_state(LineItem(1, "S", "T", 1, requires_picking=False)).text == "Not picked"


def test_what_was_shipped_is_not_to_pick(shown: Shown) -> None:
    """An order that came in as shipped was counted by nobody here, and nothing of it is left to do."""
    _, panel = shown
    lines = (LineItem(1, "S", "T", 5), LineItem(2, "S", "U", 5, quantity_picked=3))
    panel.show_order(msgspec.structs.replace(scene_order(), stage=Stage.SHIPPED, lines=lines))
    assert _cells(panel, STATE) == ["Shipped", "Shipped"]
    assert _cells(panel, PIECES) == ["5", "3 / 5"]


@pytest.fixture
def pseudo(qapp: QApplication) -> Iterator[PseudoTranslator]:
    """The pseudo-locale, for one test."""
    translator = PseudoTranslator()
    QCoreApplication.installTranslator(translator)
    yield translator
    QCoreApplication.removeTranslator(translator)


def test_no_word_of_the_panel_is_untranslated(pseudo: PseudoTranslator, shown: Shown) -> None:
    """Whatever is not the order's own data came from the translators."""
    _, panel = shown
    order = scene_order()
    data = {"#70205", "Mill Street Shop · Harbour Town HT9 4HP", order.note}
    data |= {carrier_words(order, NOW_MS, ZONE).text}
    texts = (
        _texts(panel) | set(_cells(panel, STATE)) | {panel.move_button.text(), panel.title.accessibleName()}
    )
    texts |= {panel.close_button.toolTip(), panel.accessibleName(), panel.lines.accessibleName()}
    assert {text for text in texts - data - {""} if pseudo.open not in text} == set()
