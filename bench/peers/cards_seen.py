"""Where cards are on a picture of the screen: found by their colour alone, in whatever program drew them.

A card that says nothing exceptional is a white box with a grey one around it. Held, cancelled and selected
cards are passed over.
"""

from __future__ import annotations

from bench.peers.screen import HEIGHT, Picture
from widgets.board.geometry import Box, Metrics, column_boxes

SURFACE = 0xFFFFFF
LATE = 0xC11E1E
TOUCH = 8
"""How much more red than green is a touch, of 255: the red of a late card at 5 %."""

BOARD = Box(0, 110, 1920, HEIGHT - 110 - 40)
"""Between the head and the status line, which has a clock."""

_METRICS = Metrics.at(100)
COLUMNS = tuple(
    Box(column.x + _METRICS.card_inset, column.y, column.width - 2 * _METRICS.card_inset, column.height)
    for column in column_boxes(1920, HEIGHT, _METRICS)
)
"""The strips in which cards lie, by ``ui.md``; the same in every program."""

CARD = 84
"""Comfortable; the shipped ones are compact and are not looked for."""

EDGE = 6
"""From the side of a card to where nothing is drawn on it."""

_NUMBER = Box(38, 8, 70, 24)
"""What a card is known by, relative to it: the number of its order."""


def plain_cards(picture: Picture, column: int) -> list[Box]:
    """Return the plain cards of a column that are whole in sight, from top to bottom."""
    strip = COLUMNS[column]
    found: list[Box] = []
    since: int | None = None
    for y in range(BOARD.y, BOARD.bottom + 1):
        is_white = y < BOARD.bottom and picture.colour(strip.x + EDGE, y) == SURFACE
        if is_white and since is None:
            since = y
        elif not is_white and since is not None:
            if CARD - 8 <= y - since <= CARD:
                found.append(Box(strip.x, since, strip.width, y - since))
            since = None
    return found


def number_box(card: Box) -> Box:
    """Return where the number of a card's order stands."""
    return _NUMBER.moved(card.x, card.y)


def is_late(picture: Picture, card: Box) -> bool:
    """Say whether the time of a card stands on red."""
    return picture.colour(card.right - 16, card.y + 13) == LATE


def beside(card: Box) -> Box:
    """Return a strip between a card and the column on its right, as high as the time on the card.

    Nothing red is there until the card is lifted to the right.
    """
    return Box(card.right + 4, card.y + 18, 22, 6)


def is_reddish(rows: tuple[bytes, ...]) -> bool:
    """Say whether a place has a touch of red: a browser shows a lifted card faintly at first."""
    return any(row[at + 2] - row[at + 1] >= TOUCH for row in rows for at in range(0, len(row), 4))
