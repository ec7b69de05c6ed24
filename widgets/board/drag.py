"""One drag: what is lifted, where it is, where it would land. Decides nothing about orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from widgets.board.geometry import Box, Slot

SLOP_PX: Final = 8
"""How far the pointer travels before a press becomes a drag."""

PICTURE_MARGIN: Final = 24
"""Room around the lifted card for its shadow, badge and the edges of the stack, at 100 %."""


@dataclass
class Press:
    """A button held down on a card, not yet a drag."""

    x: int
    y: int
    column: int
    place: int
    local_id: int

    def is_beyond_slop(self, x: float, y: float) -> bool:
        """Say whether the pointer left the press for good."""
        return max(abs(x - self.x), abs(y - self.y)) > SLOP_PX


@dataclass
class Drag:
    """Lifted cards. ``box`` is where the lead card is painted; ``target`` is a column number."""

    ids: tuple[int, ...]
    lead: CardRow
    origin: int
    box: Box
    stages: dict[int, Stage]
    """Where each of them was when it was lifted: what the person believes."""
    margin: int = PICTURE_MARGIN
    left: set[int] = field(default_factory=set)
    """Those that somebody else has moved meanwhile, or taken off the board."""
    grab_x: int = 0
    grab_y: int = 0
    target: int | None = None
    slot: Slot | None = None
    refusal: str = ""
    is_by_keyboard: bool = False
    is_settling: bool = False
    """Dropped and told; drawn in its slot until the rows say the same."""

    @property
    def going(self) -> tuple[int, ...]:
        """The orders that a drop would move: those that are still where they were lifted."""
        return tuple(one for one in self.ids if one not in self.left) if self.left else self.ids

    def follow(self, x: int, y: int) -> None:
        """Put the lifted card under the pointer."""
        self.box = Box(x - self.grab_x, y - self.grab_y, self.box.width, self.box.height)

    @property
    def picture_box(self) -> Box:
        """Where the lifted card's picture is painted, shadow and badge included."""
        box = self.box
        margin = self.margin
        return Box(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin)

    @property
    def can_drop(self) -> bool:
        """Whether a drop now would move anything."""
        return self.target is not None and self.target != self.origin and not self.refusal

    def holds(self, column: int) -> bool:
        """Whether this column must not change under the pointer."""
        return column in (self.origin, self.target)
