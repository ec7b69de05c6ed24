"""The line of a command that takes long."""

from __future__ import annotations

import io

from server.progress import ProgressLine


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """Always."""
        return True


def test_progress_is_shown_on_a_terminal_only() -> None:
    """One line that is written over and goes away; nothing in a pipe or a file."""
    for stream, shown in ((Terminal(), "\r\x1b[K1,500 orders\r\x1b[K"), (io.StringIO(), "")):
        line = ProgressLine(stream)
        line.say("1,500 orders")
        line.clear()
        assert stream.getvalue() == shown
