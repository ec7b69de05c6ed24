"""What tests of the client share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from support.client_bench import ClientBench
from support.headless_bench import HeadlessBench


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot, qapp: object) -> Iterator[ClientBench]:
    """A window over sixty orders, shown."""
    from PySide6.QtCore import QObject

    parent = QObject()
    made = ClientBench(tmp_path / "profile", parent)
    with qtbot.waitExposed(made.client.window):
        made.client.show()
    yield made
    made.close()


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[HeadlessBench]:
    """Return a floor terminal without a screen that is live."""
    made = HeadlessBench(tmp_path)
    made.start()
    yield made
    made.close()
