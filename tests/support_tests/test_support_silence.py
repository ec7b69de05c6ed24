"""The checks for silence fail what they must fail."""

from __future__ import annotations

import logging
import threading

import pytest

from support.silence import WarningCollector, left_alive
from support.waiting import eventually


@pytest.mark.expects_log_warnings
def test_only_our_own_warnings_count() -> None:
    """A warning of one of our rooms is kept, an info or somebody else's warning is not."""
    collector = WarningCollector()
    root = logging.getLogger()
    root.addHandler(collector)
    try:
        logging.getLogger("elsewhere").warning("not ours")
        logging.getLogger("sync.client.engine").info("not a warning")
        assert collector.seen == []
        logging.getLogger("sync.client.engine").warning("cut %d", 3)
        assert collector.seen == ["WARNING sync.client.engine: cut 3"]
    finally:
        root.removeHandler(collector)


def test_a_thread_left_running_is_named() -> None:
    """A thread that goes on is reported; one that ends within the deadline is not."""
    before = set(threading.enumerate())
    go_on = threading.Event()
    thread = threading.Thread(target=go_on.wait, name="stray")
    thread.start()
    assert [left.name for left in left_alive(before, within_s=0)] == ["stray"]
    go_on.set()
    assert left_alive(before) == []


def test_eventually_says_what_did_not_happen() -> None:
    """A condition that stays false fails with its name and last value."""
    with pytest.raises(AssertionError, match=r"the tide did not come true.*last value was 0"):
        eventually(lambda: 0, within_s=0, what="the tide")
    assert eventually(iter([0, 0, 7]).__next__) == 7
