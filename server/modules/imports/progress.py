"""How far an import is, on a terminal; silent elsewhere."""

from __future__ import annotations

from typing import Final

from server.progress import ProgressLine

WIDTH: Final = 20


class Progress(ProgressLine):
    """A bar with its percent and how many rows or orders are behind."""

    def __call__(self, what: str, part: float, count: int) -> None:
        """Say that ``part`` (0 to 1) of ``what`` is done."""
        part = min(1.0, max(0.0, part))
        bar = "█" * round(part * WIDTH)
        self.say(f"{what} {bar:░<{WIDTH}} {part:4.0%}  {count:,}")
