"""The four questions, asked of every program in the same way: by the pointer, and by what is on the screen.

- Opening: from the start of the process to the picture that has the first cards of three columns.
- Lifting: from the motion that makes a press a drag, to the picture that has the lifted card.
- Moving: processor time of all processes for one card dragged to the next column.
- Memory: private dirty memory of all processes, when the board has come to rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.peers.cards_seen import (
    BOARD,
    CARD,
    COLUMNS,
    SURFACE,
    beside,
    is_late,
    is_reddish,
    number_box,
    plain_cards,
)
from bench.peers.programs import Program, WebBoard
from bench.peers.screen import NotSeenError, Picture, Screen
from bench.peers.tree import ProcessTree
from widgets.board.geometry import Box

OPEN_WITHIN_S = 30.0
LIFT_WITHIN_S = 10.0
REST_S = 1.0
AWAY = (1_300, 1_078)
"""Where the pointer rests: on no card."""

LIFT_PX = 48
STEP_S = 0.008
"""A mouse tells its place 125 times a second."""

MOVE_STEPS = 20
LANDED_S = 0.4
"""How long after a drop its processor time is still counted: whatever a drop leads to has come to rest."""

COLUMNS_SEEN = 3
CARDS_SEEN = 3

Look = dict[Box, tuple[bytes, ...]]
"""What places of a board that has come to rest look like."""


@dataclass
class Answers:
    """What one program answered, a list of samples a question."""

    open_ms: list[float] = field(default_factory=list)
    click_ms: list[float] = field(default_factory=list)
    lift_ms: list[float] = field(default_factory=list)
    move_cpu_ms: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)


class Questions:
    """Asks programs on one screen."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def settled_look(self, program: Program) -> Look:
        """Open a board and let it rest, as it was on the evening before; return how its first cards look."""
        self._screen.point(*AWAY)
        with program.running():
            return self._rested_look()

    def opening(self, program: Program, look: Look, runs: int) -> Iterator[float]:
        """Yield milliseconds from the start of the process to the cards on the screen."""
        self._screen.point(*AWAY)
        for _ in range(runs):
            began_ns = time.monotonic_ns()
            with program.running():
                yield (self._opened_ns(look) - began_ns) / 1e6

    def clicking(self, board: WebBoard, link: str, look: Look, runs: int) -> Iterator[float]:
        """Yield milliseconds from a click in a browser that is up to the cards on the screen."""
        for _ in range(runs):
            self._screen.point(*AWAY)
            with board.at(link).running():
                self._screen.seen_ns(_is_link, "the link", OPEN_WITHIN_S)
                self._screen.wait_quiet(BOARD, REST_S, OPEN_WITHIN_S)
                self._screen.point(1_000, 700)
                self._screen.press()
                began_ns = self._screen.release()
                yield (self._opened_ns(look) - began_ns) / 1e6

    def working(self, program: Program, answers: Answers, lifts: int, moves: int) -> None:
        """Open a board once; add its memory, its lifts and its moves."""
        self._screen.point(*AWAY)
        with program.running() as tree:
            self._rested_look()
            answers.memory_mb.append(tree.private_dirty_mb())
            for _ in range(lifts):
                answers.lift_ms.append(self._lift())
            answers.move_cpu_ms.append(self._move_cpu_ms(tree, moves))

    def _rested_look(self) -> Look:
        """Wait for cards, then for rest; return how the numbers of the first cards look."""
        self._screen.seen_ns(
            lambda picture: all(plain_cards(picture, column) for column in range(COLUMNS_SEEN)),
            "a card in each column",
            OPEN_WITHIN_S,
        )
        self._screen.wait_quiet(BOARD, REST_S, OPEN_WITHIN_S)
        picture = self._screen.picture
        boxes = [
            number_box(card)
            for column in range(COLUMNS_SEEN)
            for card in plain_cards(picture, column)[:CARDS_SEEN]
        ]
        return {box: picture.rows(box) for box in boxes}

    def _opened_ns(self, look: Look) -> int:
        """Return the time at which the first cards are on the screen."""

        def is_there(picture: Picture) -> bool:
            return all(picture.rows(box) == rows for box, rows in look.items())

        return self._screen.seen_ns(is_there, "the board", OPEN_WITHIN_S)

    def _next_card(self) -> Box:
        """Return the card to take: the second late one, since the first may have the focus.

        Raises:
            NotSeenError: when there is none.
        """
        picture = self._screen.picture
        late = [card for card in plain_cards(picture, 0) if is_late(picture, card)]
        if len(late) < 2:
            raise NotSeenError("there are no two late cards in the first column")
        return late[1]

    def _grab(self) -> Box:
        """Press on a card of the first column, and let the press be seen; return the card."""
        card = self._next_card()
        self._screen.point(*_middle(card))
        time.sleep(0.05)
        self._screen.press()
        time.sleep(0.05)
        return card

    def _lift(self) -> float:
        """Lift a card, put it back, and return the milliseconds until it was seen lifted."""
        card = self._grab()
        x, y = _middle(card)
        strip = beside(card)
        began_ns = self._screen.point(x + LIFT_PX, y)
        hand = self._going_on(x + 2 * LIFT_PX, y)
        at_ns = self._screen.seen_ns(
            lambda picture: is_reddish(picture.rows(strip)),
            "the lifted card",
            LIFT_WITHIN_S,
            lambda: next(hand),
        )
        self._screen.point(x, y)
        time.sleep(0.1)
        self._screen.release()
        self._screen.point(*AWAY)
        self._screen.wait_quiet(BOARD, 0.3, 10)
        return (at_ns - began_ns) / 1e6

    def _going_on(self, x: int, y: int) -> Iterator[None]:
        """Go on to a point and tremble there, as often as a mouse tells its place.

        Some programs lift a card where it was and move it with the next motion only.
        """
        count, told = 0, time.monotonic()
        while True:
            if time.monotonic() - told > STEP_S:
                count, told = count + 1, time.monotonic()
                self._screen.point(x + count % 2, y)
            yield

    def _move_cpu_ms(self, tree: ProcessTree, moves: int) -> float:
        """Drag cards to the next column, one after the other; return the processor time of one."""
        used = 0.0
        for _ in range(moves):
            card = self._next_card()
            number, before_drop = number_box(card), self._screen.picture.rows(number_box(card))
            before = tree.cpu_ms()
            self._drag(self._grab())
            # The card below takes the place of the one that left.
            self._screen.seen_ns(_other_rows(number, before_drop), "a moved card", 5)
            time.sleep(LANDED_S)
            used += tree.cpu_ms() - before
            self._screen.point(*AWAY)
            self._screen.wait_quiet(BOARD, 0.3, 10)
        return used / moves

    def _drag(self, card: Box) -> None:
        """Carry what is pressed to the next column and drop it."""
        x, y = _middle(card)
        goal_x = COLUMNS[1].x + COLUMNS[1].width // 2
        for step in range(1, MOVE_STEPS + 1):
            self._screen.point(x + (goal_x - x) * step // MOVE_STEPS, y + CARD * step // MOVE_STEPS)
            time.sleep(STEP_S)
        # Drag and drop of the browser goes over other processes before it knows its goal.
        time.sleep(0.3)
        self._screen.release()


def _middle(card: Box) -> tuple[int, int]:
    return card.x + card.width // 2, card.y + card.height // 2


def _other_rows(box: Box, before: tuple[bytes, ...]) -> Callable[[Picture], bool]:
    """Return whether a picture has something else in a box than before."""
    return lambda picture: picture.rows(box) != before


def _is_link(picture: Picture) -> bool:
    """Say whether the page that is one white link is there."""
    return all(picture.colour(x, y) == SURFACE for x, y in ((300, 300), (900, 500), (1_600, 900)))
