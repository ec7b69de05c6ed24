"""One line on a terminal that says how far a command is; silent elsewhere."""

from __future__ import annotations

from typing import TextIO


class ProgressLine:
    """A line that is written over, and taken away at the end."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream`` when it is a terminal."""
        self._stream = stream
        self._is_shown = stream.isatty()

    def say(self, words: str) -> None:
        """Say how far it is."""
        if self._is_shown:
            self._stream.write(f"\r\x1b[K{words}")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        self.say("")
