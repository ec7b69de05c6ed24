"""What is on a screen is read from the X server's own picture, and cards are found in it by their colour."""

from __future__ import annotations

import struct

import pytest
from Xlib.display import Display

from bench.peers.cards_seen import CARD, COLUMNS, LATE, beside, is_late, is_reddish, number_box, plain_cards
from bench.peers.screen import HEIGHT, WIDTH, NotSeenError, Picture, opened_screen
from widgets.board.geometry import Box

TRACK = 0xDFE3E8
WHITE = 0xFFFFFF


class Canvas:
    """A picture of the screen that a test paints."""

    def __init__(self) -> None:
        """Begin with the colour of a column everywhere."""
        words = [100] + [0] * 24
        words[4], words[5], words[11], words[12] = WIDTH, HEIGHT, 32, WIDTH * 4
        self.header = struct.pack(">25I", *words)
        self.pixels = bytearray(_pixel(TRACK) * (WIDTH * HEIGHT))

    def fill(self, box: Box, colour: int) -> None:
        """Paint a box."""
        for y in range(box.y, box.bottom):
            first = (y * WIDTH + box.x) * 4
            self.pixels[first : first + box.width * 4] = _pixel(colour) * box.width

    def picture(self) -> Picture:
        """Return what a program sees."""
        return Picture(self.header + bytes(self.pixels))


def _pixel(colour: int) -> bytes:
    return colour.to_bytes(3, "little") + b"\xff"


def card_at(y: int, column: int = 0, height: int = CARD - 2) -> Box:
    """Return where a card without its border is."""
    return Box(COLUMNS[column].x, y, COLUMNS[column].width, height)


def test_a_picture_tells_colours_and_boxes() -> None:
    """A point is red, green and blue; a box is its rows."""
    canvas = Canvas()
    canvas.fill(Box(10, 20, 2, 2), 0x0A55C4)
    picture = canvas.picture()
    assert picture.colour(10, 20) == 0x0A55C4
    assert picture.colour(12, 20) == TRACK
    assert picture.rows(Box(10, 20, 2, 1)) == (_pixel(0x0A55C4) * 2,)


def test_plain_cards_are_found_from_top_to_bottom() -> None:
    """White boxes as high as a card; what is half in sight, or too small, is none."""
    canvas = Canvas()
    whole = [card_at(150), card_at(242), card_at(400)]
    for box in (*whole, card_at(500, height=30), card_at(HEIGHT - 60)):
        canvas.fill(box, WHITE)
    assert plain_cards(canvas.picture(), 0) == whole
    assert plain_cards(canvas.picture(), 1) == []


def test_a_late_card_stands_on_red() -> None:
    """The red of the time tells, not that of a border."""
    canvas = Canvas()
    card = card_at(150)
    canvas.fill(card, WHITE)
    assert not is_late(canvas.picture(), card)
    canvas.fill(Box(card.right - 90, card.y + 8, 80, 24), LATE)
    assert is_late(canvas.picture(), card)


@pytest.mark.parametrize(
    ("colour", "is_seen"), [(TRACK, False), (0xF6F5F4, False), (0xE8D8D8, True), (LATE, True)]
)
def test_a_lifted_card_is_seen_by_its_first_touch_of_red(colour: int, is_seen: bool) -> None:
    """An empty window that comes first is no card; a faint card is one."""
    canvas = Canvas()
    strip = beside(card_at(150))
    canvas.fill(Box(strip.x + 5, strip.y + 2, 3, 2), colour)
    assert is_reddish(canvas.picture().rows(strip)) is is_seen


def test_the_place_beside_a_card_is_no_part_of_a_card() -> None:
    """It begins right of the card and ends left of the next column's cards."""
    card = card_at(150)
    assert card.right < beside(card).x
    assert beside(card).right <= COLUMNS[1].x
    assert card.contains(number_box(card).x, number_box(card).y)


def test_the_real_screen_is_seen_and_the_pointer_moves() -> None:
    """What an X client paints is in the picture; what never comes is told."""
    with opened_screen() as screen:
        connection = Display(screen.name)
        try:
            root = connection.screen().root
            window = root.create_window(
                0, 0, 40, 40, 0, connection.screen().root_depth, background_pixel=LATE
            )
            window.map()
            connection.sync()
            screen.seen_ns(lambda picture: picture.colour(20, 20) == LATE, "the window", 5)
            screen.point(700, 500)
            pointer = root.query_pointer()
            assert (pointer.root_x, pointer.root_y) == (700, 500)
            with pytest.raises(NotSeenError, match="a ghost was not on the screen within 0 s"):
                screen.seen_ns(lambda picture: picture.colour(20, 20) == WHITE, "a ghost", 0)
        finally:
            connection.close()
