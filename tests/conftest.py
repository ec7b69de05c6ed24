"""Fixtures and checks for every test.

Silence is tested: a warning on one of our loggers, or a thread left alive, fails the test that caused
it. ``@pytest.mark.expects_log_warnings`` and ``@pytest.mark.leaves_threads`` say that it is meant.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator

import pytest

from support.processes import ProcessRunner
from support.silence import WarningCollector, left_alive
from support.xvfb import running_xvfb

# Before any Qt application exists: also when pytest was started without make.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


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
    logging.getLogger().addHandler(collector)
    yield
    logging.getLogger().removeHandler(collector)
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
