"""The small parts of the client: zone, device token, display, languages, the summary line."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.board_summary import summarise
from app.device_token import DeviceToken, read_device_token
from app.early_log import EarlyLog
from app.life_cycle import EndSignals
from app.main import check_display, main, make_parser
from app.second_start import take_profile
from app.site_zone import SiteZone
from app.translation import PseudoTranslator, install_language, pseudo
from app.version import VERSION
from support.card_rows import MINUTE_MS, NOW_MS, card_row
from support.list_source import ListSource
from support.repository import ROOT
from sync.client.profile import open_profile
from sync.contract.problems import ProblemError, UsageError
from sync.contract.stages import Stage
from widgets.view_bar import Summary

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_the_version_is_that_of_the_project() -> None:
    """The constant and the project file say the same."""
    assert f'\nversion = "{VERSION}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_a_site_zone_can_be_corrected() -> None:
    """Everybody who holds it follows, summer time and all."""
    zone = SiteZone("Europe/London")
    shown = NOON.astimezone(zone)
    assert (shown.hour, shown.tzname()) == (13, "BST")
    assert zone.set_name("Asia/Tokyo")
    assert not zone.set_name("Asia/Tokyo")
    assert NOON.astimezone(zone).hour == 21
    assert datetime.fromtimestamp(NOON.timestamp(), zone).hour == 21
    assert NOON.astimezone(zone).dst() == timedelta(0)


@pytest.mark.parametrize("name", ["", "No/Such_Place", "../../etc/passwd"])
def test_an_unknown_zone_is_the_machines_own(name: str) -> None:
    """A name that this machine does not know stops nobody."""
    assert NOON.astimezone(SiteZone(name)).timestamp() == NOON.timestamp()


def test_a_device_token_is_read_from_the_named_file_or_the_profile(tmp_path: Path) -> None:
    """The server may stand beside it; without a file there is no token."""
    assert read_device_token("", tmp_path) == DeviceToken()
    named = tmp_path / "station.json"
    named.write_text(json.dumps({"device_token": "t", "server": "http://s:1"}), encoding="utf-8")
    assert read_device_token(str(named), tmp_path / "p") == DeviceToken("t", "http://s:1")
    named.rename(tmp_path / "device-token.json")
    assert read_device_token("", tmp_path) == DeviceToken("t", "http://s:1")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b"[" * 70_000, b'"text"'])
def test_a_file_without_a_token_is_named(tmp_path: Path, content: bytes) -> None:
    """The secret that may be in it is not in the sentence."""
    file = tmp_path / "station.json"
    file.write_bytes(content)
    with pytest.raises(UsageError) as raised:
        read_device_token(str(file), tmp_path)
    assert "station.json" in raised.value.problem.sentence


def test_a_package_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server's installation has the board, too, without what its window needs."""
    monkeypatch.setitem(sys.modules, "app.settings_text", None)
    assert main(["settings"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "extra client" in line
    assert line.endswith("[PACKAGE_MISSING]")


@pytest.mark.parametrize(
    ("environment", "system", "is_fine"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({"QT_QPA_PLATFORM": "vnc:port=5901"}, "linux", True),
        ({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({"QT_QPA_PLATFORM": "wayland", "DISPLAY": ":0"}, "linux", False),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_missing_display_is_seen_before_qt_sees_it(
    environment: dict[str, str], system: str, is_fine: bool
) -> None:
    """Qt would abort the process; the sentence names a way out."""
    if is_fine:
        check_display(environment, system)
        return
    with pytest.raises(ProblemError) as raised:
        check_display(environment, system)
    assert "make run PLATFORM=vnc" in raised.value.problem.what_to_do


@pytest.mark.parametrize("command", ["headless", "doctor", "settings"])
@pytest.mark.parametrize("is_before", [True, False])
def test_a_profile_counts_before_and_after_the_sub_command(command: str, is_before: bool) -> None:
    """Nobody works on the wrong profile because of the order of two words."""
    named = ["--profile", "here", "--server", "http://s"]
    words = [*named, command] if is_before else [command, *named]
    arguments = make_parser(words).parse_args(words)
    assert (arguments.profile, arguments.server) == (Path("here"), "http://s")


def test_a_profile_in_use_that_does_not_answer_is_told(tmp_path: Path) -> None:
    """Somebody holds the lock, but nobody raises a window."""
    profile = open_profile(tmp_path / "p")
    lock = take_profile(profile)
    assert lock is not None
    with pytest.raises(ProblemError) as raised:
        take_profile(profile)
    assert raised.value.problem.code == "PROFILE_IN_USE"
    lock.release()
    again = take_profile(profile)
    assert again is not None
    again.release()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_event_loop_in_order(qtbot: QtBot, number: signal.Signals) -> None:
    """Also while nothing else happens; afterwards the signals are as before."""
    before = signal.getsignal(number)
    ends: list[bool] = []
    parent = QObject()
    signals = EndSignals(lambda: ends.append(True), parent)
    os.kill(os.getpid(), number)
    qtbot.waitUntil(lambda: ends == [True])
    signals.remove()
    assert signal.getsignal(number) is before


def test_what_was_said_early_reaches_the_log() -> None:
    """And only what the log's level takes; without a log it is dropped."""
    kept: list[str] = []

    class Keeping(logging.Handler):
        """Keeps messages."""

        def emit(self, record: logging.LogRecord) -> None:
            """Keep one."""
            kept.append(record.getMessage())

    root = logging.getLogger()
    level = root.level
    early = EarlyLog()
    root.setLevel(logging.DEBUG)
    logging.getLogger("app.test").info("first")
    logging.getLogger("app.test").debug("too fine")
    root.setLevel(logging.INFO)
    early.pass_to(Keeping())
    assert kept == ["first"]
    EarlyLog().pass_to(None)
    root.setLevel(level)


def test_the_pseudo_language_keeps_names_in_brackets() -> None:
    """A value that is put into a text is found by its name."""
    assert pseudo("{n} orders") == "[{n} ördérš···]"
    assert pseudo("Move") == "[Mövé·]"


def test_the_pseudo_language_can_be_chosen(qapp: QApplication) -> None:
    """And an unknown language is English."""
    parent = QObject()
    assert install_language("pseudo", parent) == "pseudo"
    assert QCoreApplication.translate("Board", "Picking").startswith("[")
    (translator,) = parent.findChildren(PseudoTranslator)
    QCoreApplication.removeTranslator(translator)
    assert install_language("tlh", parent) == ""
    assert QCoreApplication.translate("Board", "Picking") == "Picking"


def test_the_summary_counts_what_leaves_what_is_at_risk_and_what_is_late() -> None:
    """Shipped orders and those without a cut-off do not count."""
    soon, late = NOW_MS + 20 * MINUTE_MS, NOW_MS - MINUTE_MS
    rows = [
        card_row(1, stage=Stage.CONFIRMED, cut_off_ms=soon, lines_total=100, lines_picked=0),
        card_row(2, stage=Stage.PICKING, cut_off_ms=soon, lines_total=2, lines_picked=1),
        card_row(3, stage=Stage.PICKED, cut_off_ms=late, lines_total=1, lines_picked=1),
        card_row(4, stage=Stage.CONFIRMED, cut_off_ms=None),
        card_row(5, stage=Stage.CONFIRMED, cut_off_ms=NOW_MS + 400 * MINUTE_MS),
        card_row(6, stage=Stage.SHIPPED, cut_off_ms=late),
    ]
    assert summarise(ListSource(rows), NOW_MS, 45.0) == Summary(
        leaving=2, leave_by_ms=soon, at_risk=1, late=1
    )


def test_an_empty_board_has_nothing_to_tell() -> None:
    """The line is then empty."""
    assert summarise(ListSource([]), NOW_MS, 45.0) == Summary()
