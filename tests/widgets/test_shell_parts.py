"""Header, view bar, status line, banners, badge: words, moods, and what they ask for."""

from __future__ import annotations

from datetime import UTC

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from support.card_rows import MINUTE_MS, NOW_MS
from sync.contract.problems import Problem
from widgets.banner import MAX_BANNERS, BannerArea, BannerMessage, age_banner, problem_banner
from widgets.connection_badge import Badge, ConnectionBadge, ConnectionState, LinkState, badge_text
from widgets.header import Header
from widgets.numbers import megabytes_text, milliseconds_text, seconds_text
from widgets.status_line import Figures, StatusLine, figures_text
from widgets.theme import Look, ThemeName
from widgets.tones import TONES, Tone
from widgets.view_bar import Summary, ViewBar, summary_text

LIVE, OFFLINE = LinkState.LIVE, LinkState.OFFLINE


@pytest.mark.parametrize(
    ("state", "words", "tone", "icon"),
    [
        (ConnectionState(LIVE, delay_ms=200), "Live 0.2 s", Tone.GREEN, "zap"),
        (ConnectionState(LIVE, delay_ms=200, not_sent=3), "Live 0.2 s | 3 not sent", Tone.GREEN, "zap"),
        (ConnectionState(LIVE), "Live", Tone.GREEN, "zap"),
        (ConnectionState(LIVE, delay_ms=1400), "Live 1.4 s, slow", Tone.AMBER, "zap"),
        (
            ConnectionState(LIVE, delay_ms=200, not_sent=1, oldest_unsent_ms=NOW_MS - 10_001),
            "Live 0.2 s | 1 not sent",
            Tone.AMBER,
            "zap",
        ),
        (
            ConnectionState(LinkState.CATCHING_UP, changes_left=214),
            "Catching up, 214 changes",
            Tone.BLUE,
            "refresh-cw",
        ),
        (
            ConnectionState(LinkState.CATCHING_UP, changes_left=1),
            "Catching up, 1 change",
            Tone.BLUE,
            "refresh-cw",
        ),
        (ConnectionState(LinkState.CONNECTING), "Connecting", Tone.PLAIN, "refresh-cw"),
        (
            ConnectionState(OFFLINE, since_ms=NOW_MS, not_sent=2),
            "Offline since 10:24 | 2 not sent",
            Tone.AMBER_SOLID,
            "cloud-off",
        ),
        (ConnectionState(OFFLINE), "Offline", Tone.AMBER_SOLID, "cloud-off"),
    ],
)
def test_the_badge_says_how_the_terminal_stands(
    state: ConnectionState, words: str, tone: Tone, icon: str
) -> None:
    """Each state has its words, its mood and its icon; unsent moves are always counted."""
    badge = badge_text(state, NOW_MS, UTC)
    assert (badge.words, badge.tone, badge.icon) == (words, tone, icon)


def test_the_badge_has_room_for_its_words(look: Look, qtbot: QtBot) -> None:
    """More words make it wider; a reader hears them; it paints in every look."""
    badge = ConnectionBadge(look, lambda: NOW_MS, UTC)
    qtbot.addWidget(badge)
    before = badge.sizeHint().width()
    badge.set_state(ConnectionState(OFFLINE, since_ms=NOW_MS, not_sent=12))
    assert badge.sizeHint().width() > before
    assert badge.accessibleName() == "Connection: Offline since 10:24, 12 not sent"
    badge.resize(badge.sizeHint())
    light = badge.grab().toImage()
    badge.set_look(look.with_theme(ThemeName.HIGH_CONTRAST))
    assert badge.grab().toImage() != light
    assert Badge("Live", Tone.GREEN, "zap").words == "Live"


def test_every_tone_has_colours(look: Look) -> None:
    """All tones name tokens that exist."""
    for tone in Tone:
        assert all(token in look.theme.colours for token in TONES[tone])


def test_searching_is_told_at_every_letter(look: Look, qtbot: QtBot) -> None:
    """Typing, Enter and Escape each have their signal; a first Escape clears, a second leaves."""
    header = Header(look, lambda: NOW_MS, UTC)
    qtbot.addWidget(header)
    changed: list[str] = []
    submitted: list[str] = []
    left: list[int] = []
    header.search_changed.connect(changed.append)
    header.search_submitted.connect(submitted.append)
    header.search_left.connect(lambda: left.append(1))
    QTest.keyClicks(header.search, "ab")
    QTest.keyClick(header.search, Qt.Key.Key_Return)
    assert (changed, submitted, header.search_text()) == (["a", "ab"], ["ab"], "ab")
    QTest.keyClick(header.search, Qt.Key.Key_Escape)
    assert (header.search_text(), left) == ("", [])
    QTest.keyClick(header.search, Qt.Key.Key_Escape)
    assert left == [1]


def test_only_chips_with_a_count_show(look: Look, qtbot: QtBot) -> None:
    """A filter that does not work yet is not offered; pressing one that does tells its name."""
    header = Header(look, lambda: NOW_MS, UTC)
    qtbot.addWidget(header)
    header.set_counts({"all": 268})
    chips = [button for button in header.findChildren(QPushButton) if button.property("kind") == "chip"]
    shown = [chip for chip in chips if chip.isVisibleTo(header)]
    assert [chip.text() for chip in shown] == ["All  268"]
    chosen: list[str] = []
    header.filter_chosen.connect(chosen.append)
    shown[0].click()
    assert chosen == ["all"]


def test_needs_you_hides_at_zero(look: Look, qtbot: QtBot) -> None:
    """Nothing waits: nothing is shown. Something waits: a button with its count."""
    header = Header(look, lambda: NOW_MS, UTC)
    qtbot.addWidget(header)
    button = next(one for one in header.findChildren(QPushButton) if one.property("kind") == "violet")
    header.set_needs_you(4)
    assert button.isVisibleTo(header)
    assert button.text() == "Needs you  4"
    with qtbot.waitSignal(header.needs_you_requested):
        button.click()
    header.set_needs_you(0)
    assert not button.isVisibleTo(header)


def test_the_header_fits_any_look(look: Look, qtbot: QtBot) -> None:
    """Place, menu and connection stay when theme and text size change."""
    header = Header(look, lambda: NOW_MS, UTC)
    qtbot.addWidget(header)
    header.set_place("Harbour Yard", "")
    header.set_menu(QMenu(header))
    header.set_connection(ConnectionState(LIVE, delay_ms=200))
    header.set_look(look.with_scale(200).with_theme(ThemeName.DARK))
    assert header.height() == 112
    assert header.connection.text() == "Live 0.2 s"
    header.search.setText("x")
    header.clear_search()
    header.focus_search()
    assert header.search_text() == ""


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        (Summary(63, NOW_MS, 6, 1), "63 leave by 10:24 · 6 at risk · 1 late"),
        (Summary(1, NOW_MS, 0, 0), "1 leaves by 10:24"),
        (Summary(2, NOW_MS + 86_400_000), "2 leave by Wed 10:24"),
        (Summary(0, None, 0, 2), "2 late"),
        (Summary(5, None), ""),
        (Summary(), ""),
    ],
)
def test_the_summary_counts_what_matters(summary: Summary, text: str) -> None:
    """Parts that count nothing are left out, and another day is named."""
    assert summary_text(summary, NOW_MS, UTC) == text


def test_the_view_bar_offers_only_what_works(look: Look, qtbot: QtBot) -> None:
    """Undo is off until there is something to undo, Import is hidden until it works."""
    bar = ViewBar(look, UTC)
    qtbot.addWidget(bar)
    undo, import_orders = bar.findChildren(QPushButton)
    assert not undo.isEnabled()
    assert not import_orders.isVisibleTo(bar)
    bar.set_can_undo(True)
    bar.set_can_import(True)
    with qtbot.waitSignals([bar.undo_requested, bar.import_requested]):
        undo.click()
        import_orders.click()
    bar.set_view("Cold store")
    bar.set_summary(Summary(2, NOW_MS), NOW_MS)
    assert [label.text() for label in bar.findChildren(QLabel)] == ["Cold store", "2 leave by 10:24"]
    bar.set_summary(None, NOW_MS)


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        (Figures(9, 2.1, 0.2, 38), "drag 9 ms · frame 2.1 ms · live 0.2 s · 38 MB"),
        (Figures(9.04, 148.4, 1.44, 38.6), "drag 9 ms · frame 148 ms · live 1.4 s · 39 MB"),
        (Figures(frame_ms=2.1, live_s=0.2, is_offline=True), "frame 2.1 ms · offline"),
        (Figures(), ""),
    ],
)
def test_figures_have_two_or_three_digits(figures: Figures, text: str) -> None:
    """Only what was measured is shown, with the unit last."""
    assert figures_text(figures) == text


def test_units() -> None:
    """Below ten one digit after the point where it says something."""
    assert (seconds_text(0.2), seconds_text(14.2)) == ("0.2 s", "14 s")
    assert (milliseconds_text(9.96), milliseconds_text(2.0)) == ("10 ms", "2 ms")
    assert megabytes_text(37.6) == "38 MB"


def test_the_status_line_offers_undo(look: Look, qtbot: QtBot) -> None:
    """The last action stands with its Undo; an announcement stands beside it until the next action."""
    line = StatusLine(look, UTC)
    qtbot.addWidget(line)
    undo = line.findChild(QPushButton)
    assert undo is not None
    assert not undo.isVisibleTo(line)
    line.set_last_action("#70302 moved to Picked by you, 10:23.", can_undo=True)
    line.say("Order 70014 has the focus.")
    line.set_time(NOW_MS)
    texts = [label.text() for label in line.findChildren(QLabel)]
    assert "#70302 moved to Picked by you, 10:23." in texts
    assert "Order 70014 has the focus." in texts
    assert "10:24:08" in texts
    line.set_last_action("#70305 moved to Picked by you, 10:24.", can_undo=True)
    assert "Order 70014 has the focus." not in [label.text() for label in line.findChildren(QLabel)]
    with qtbot.waitSignal(line.undo_requested):
        undo.click()


def test_the_age_banner_says_how_old_the_board_is() -> None:
    """Minutes while they help, the moment alone afterwards; it cannot be closed away."""
    fresh = age_banner(NOW_MS - 37 * MINUTE_MS, NOW_MS, UTC)
    assert fresh.strong == "This is the board as it was at 09:47, 37 min ago."
    assert fresh.button == "Try now"
    assert not fresh.can_close
    old = age_banner(NOW_MS - 26 * 60 * MINUTE_MS, NOW_MS, UTC)
    assert old.strong == "This is the board as it was at Mon 08:24."


def test_a_problem_says_what_to_do_and_its_code_last() -> None:
    """The sentence first, then the next step, the code for IT at the end."""
    message = problem_banner(Problem("DISK_FULL", "This machine cannot store more moves.", "Call IT."))
    assert (message.strong, message.text) == ("This machine cannot store more moves.", "Call IT. [DISK_FULL]")
    assert message.tone is Tone.RED


def test_a_banner_with_new_words_keeps_its_place(look: Look, qtbot: QtBot) -> None:
    """What somebody is reading does not jump below the others."""
    host = QWidget()
    qtbot.addWidget(host)
    area = BannerArea(look, host)
    for key, words in (("cut", "No connection."), ("p", "Something else."), ("cut", "1 move is stored.")):
        area.show_banner(key, BannerMessage(Tone.AMBER, "cloud-off", words))
    area.resize(900, 200)
    area.grab()
    tops = {}
    for label in area.findChildren(QLabel):
        if label.isVisibleTo(area):
            tops[label.text()] = label.mapTo(area, label.rect().topLeft()).y()
    assert tops["1 move is stored."] < tops["Something else."]


def test_banners_stand_under_keys(look: Look, qtbot: QtBot) -> None:
    """One message per key; the oldest of too many leaves; buttons and closing tell the key."""
    host = QWidget()
    qtbot.addWidget(host)
    area = BannerArea(look, host)
    assert not area.isVisibleTo(host)
    area.show_banner("age", age_banner(NOW_MS - 37 * MINUTE_MS, NOW_MS, UTC))
    area.show_banner("age", age_banner(NOW_MS - 38 * MINUTE_MS, NOW_MS, UTC))
    assert area.keys() == ("age",)
    pressed: list[str] = []
    closed: list[str] = []
    area.button_pressed.connect(pressed.append)
    area.closed.connect(closed.append)
    next(one for one in area.findChildren(QPushButton) if one.isVisibleTo(area)).click()
    assert pressed == ["age"]
    for number in range(MAX_BANNERS):
        area.show_banner(
            f"p{number}", BannerMessage(Tone.BLUE, "info", f"Message {number}", "More words " * 30)
        )
    assert area.keys() == ("p0", "p1", "p2")
    area.set_look(look.with_scale(150))
    area.resize(900, 300)
    next(one for one in area.findChildren(QToolButton) if one.isVisibleTo(area)).click()
    assert closed == ["p0"]
    area.hide_banner("p1")
    area.hide_banner("p2")
    area.hide_banner("never there")
    assert area.isHidden()
