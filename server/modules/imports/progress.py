"""One line on a terminal that says how far an import is; silent elsewhere."""

from __future__ import annotations

from typing import Final, TextIO

WIDTH: Final = 20


class Progress:
    """A bar with its percent and how many rows or orders are behind."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream`` when it is a terminal."""
        self._stream = stream
        self._is_shown = stream.isatty()

    def __call__(self, what: str, part: float, count: int) -> None:
        """Say that ``part`` (0 to 1) of ``what`` is done."""
        part = min(1.0, max(0.0, part))
        bar = "█" * round(part * WIDTH)
        self._say(f"{what} {bar:░<{WIDTH}} {part:4.0%}  {count:,}")

    def clear(self) -> None:
        """Take the line away."""
        self._say("")

    def _say(self, text: str) -> None:
        if self._is_shown:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()
