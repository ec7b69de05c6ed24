"""Two terminals on one server: what one does is painted in the other, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QObject
from pytestqt.qtbot import QtBot

from app.composition import Client, Wishes
from app.device_token import read_device_token
from app.problems_surface import ProblemSurface
from app.settings import load_settings
from support.headless import put_orders, start_headless
from support.processes import ProcessRunner
from support.real_server import RealServer, started_server
from sync.client.profile import open_profile
from sync.contract.operations import Source
from sync.contract.stages import STAGES, Stage

pytestmark = [pytest.mark.timeout(120), pytest.mark.qt_log_ignore("This plugin does not support")]
WAIT_MS = 30_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """Return a running server with twelve confirmed orders."""
    with started_server(tmp_path) as running:
        put_orders(running, 12)
        yield running


@contextmanager
def _window(server: RealServer, folder: Path, qtbot: QtBot) -> Iterator[Client]:
    """Run the whole client of a profile in this process."""
    profile = open_profile(folder)
    loaded = load_settings(
        profile.settings,
        folder / "none",
        {"server_url": server.url, "device_token_file": str(server.token_file)},
    )
    token = read_device_token(str(server.token_file), folder)
    parent = QObject()
    client = Client(profile, loaded, token, Wishes(), ProblemSurface(), parent)
    with qtbot.waitExposed(client.window):
        client.show()
    client.start()
    try:
        qtbot.waitUntil(lambda: client.connection.is_live and _count(client) == 12, timeout=WAIT_MS)
        yield client
    finally:
        is_clean = client.stop()
        client.shell.leave()
        client.window.deleteLater()
    assert is_clean


def _count(client: Client) -> int:
    return sum(client.view.total(stage) for stage in STAGES)


def _where(client: Client, number: str) -> Stage | None:
    local_id = client.view.find(number)
    place = None if local_id is None else client.view.place(local_id)
    return None if place is None else place[0]


def test_a_move_elsewhere_repaints_that_card_alone(
    server: RealServer, processes: ProcessRunner, qtbot: QtBot, tmp_path: Path
) -> None:
    """No reload: the last card of its column moves away, and no other card is painted."""
    other = start_headless(processes, server, tmp_path / "other")
    with _window(server, tmp_path / "window", qtbot) as client:
        view = client.view
        last = view.ids(Stage.CONFIRMED)[-1]
        (row,) = view.rows([last])
        painted: list[frozenset[int]] = []
        # What the start still has to paint, and a new minute, are other stories.
        client.window._second.stop()
        client.board.repaint()
        QCoreApplication.processEvents()
        client.board._observer = painted.append
        other.move(row.number, "picking")
        qtbot.waitUntil(lambda: _where(client, row.number) is Stage.PICKING, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: any(last in ids for ids in painted), timeout=WAIT_MS)
        assert set().union(*painted) == {last}
    assert other.quit() == 0


def test_moves_of_a_cut_are_sent_once_when_the_server_is_back(
    server: RealServer, processes: ProcessRunner, qtbot: QtBot, tmp_path: Path
) -> None:
    """The window works on while nobody answers; afterwards both boards are the same."""
    with _window(server, tmp_path / "window", qtbot) as client:
        server.kill()
        qtbot.waitUntil(lambda: client.connection.is_offline, timeout=WAIT_MS)
        numbers = [row.number for row in client.view.rows(client.view.ids(Stage.CONFIRMED)[:3])]
        for number in numbers:
            local_id = client.view.find(number)
            assert local_id is not None
            client.board.move_requested.emit((local_id,), Stage.PICKING, Source.DRAG)
        assert client.view.not_sent_count() == 3
        qtbot.waitUntil(lambda: " | 3 not sent" in client.window.header.connection._badge.words)
        server.start()
        client.window.banners.button_pressed.emit("cut")
        qtbot.waitUntil(lambda: client.view.not_sent_count() == 0, timeout=WAIT_MS)
        other = start_headless(processes, server, tmp_path / "other")
        assert sorted(other.numbers("picking")) == sorted(numbers)
        assert other.quit() == 0
