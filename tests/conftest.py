"""Fixtures and checks for every test.

Silence is tested: a warning on one of our loggers, or a thread left alive, fails the test that caused
it. ``@pytest.mark.expects_log_warnings`` and ``@pytest.mark.leaves_threads`` say that it is meant.
"""

from __future__ import annotations

import logging
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import ProcessRunner
from support.silence import WarningCollector, left_alive
from support.xvfb import running_xvfb

# Also when pytest was started without make; before any Qt application exists or keyring is loaded.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
PERSONAL_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")

SERVER_DATA = ("FULFILLMENT_KANBAN_SERVER_DATA", "FULFILLMENT_KANBAN_SERVER_DATABASE")


@pytest.fixture(autouse=True, scope="session")
def _nobodys_home() -> Iterator[None]:
    """Keep the tests, and the programs they start, out of the folders of the person who runs them."""
    # A short path: the name of a local socket below it must fit into 107 bytes.
    with tempfile.TemporaryDirectory(prefix="fk-") as home, pytest.MonkeyPatch.context() as patch:
        for variable in PERSONAL_FOLDERS:
            folder = Path(home) / variable.split("_")[1].lower()
            folder.mkdir(mode=0o700)
            patch.setenv(variable, str(folder))
        for variable in SERVER_DATA:
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(autouse=True)
def _no_stray_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread running."""
    before = set(threading.enumerate())
    yield
    if request.node.get_closest_marker("leaves_threads") is None:
        alive = left_alive(before)
        if alive:
            pytest.fail(f"threads are still running: {', '.join(thread.name for thread in alive)}")


@pytest.fixture(autouse=True)
def _no_log_warnings(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which one of our loggers warned."""
    collector = WarningCollector()
    root = logging.getLogger()
    root.addHandler(collector)
    level = root.level
    yield
    root.removeHandler(collector)
    # A test that sets a program's log up lets every library talk; the next test may count lines.
    root.setLevel(level)
    if collector.seen and request.node.get_closest_marker("expects_log_warnings") is None:
        pytest.fail("our loggers warned:\n" + "\n".join(collector.seen))


@pytest.fixture
def processes() -> Iterator[ProcessRunner]:
    """A runner of real programs; all that it started is ended with the test."""
    runner = ProcessRunner()
    yield runner
    runner.clean_up()


@pytest.fixture(scope="session")
def x_display() -> Iterator[str]:
    """The name of a real X display, for DISPLAY of a child process."""
    with running_xvfb() as display:
        yield display
