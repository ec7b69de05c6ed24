"""From the mouse to the pixels: a card of 100,000 is lifted and carried on a real X server.

The pointer is the X server's own (XTEST), the pixels are read from the X server's picture: the client
says nothing but what it reports of itself, which is compared. Every sample begins before the motion is
handed to the X server and ends at the look that sees other pixels; the looks are about 0.3 ms apart. Of
lifts and of further motions the worse is reported. Floor: a bare Qt window in which a rectangle follows
the pointer, asked the same. The client has been up for some seconds; its first lift is counted too.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.cards_seen import BOARD, CARD, COLUMNS, plain_cards
from bench.peers.screen import Screen, opened_screen
from bench.place import opened_place
from bench.shape import percentile, report
from support.processes import Process, ProcessRunner
from widgets.board.geometry import Box

ORDERS = 100_000
LIFTS = 100
MOVES = 3
"""Motions after each lift."""

LIFT_PX, MOVE_PX = 48, 20
PAUSE_S = 0.016
QUIET_S = 3.0
REST = (1_300, 1_078)
"""Where the pointer rests: on no card."""

WITHIN_S = 10.0
OPEN_WITHIN_S = 60.0


@dataclass
class Seen:
    """Milliseconds from the mouse to the pixels, and what the program says of the lifts."""

    lifts_ms: list[float] = field(default_factory=list)
    moves_ms: list[float] = field(default_factory=list)
    told_ms: list[float] = field(default_factory=list)

    @property
    def worse_ms(self) -> list[float]:
        """The samples of what took longer: lifting or going on."""
        return max(self.lifts_ms, self.moves_ms, key=lambda each: percentile(each, 95))

    @property
    def errors_ms(self) -> list[float]:
        """How much longer each lift took than the program says."""
        return [abs(seen - told) for seen, told in zip(self.lifts_ms, self.told_ms, strict=True)]


class Hand:
    """Lifts and carries what lies at a place of the screen, again and again."""

    def __init__(self, screen: Screen) -> None:
        """Use the pointer of ``screen``."""
        self._screen = screen

    def drag(self, card: Box, seen: Seen, told: Process | None = None) -> None:
        """Lift what lies in ``card``, carry it some steps to the right and put it back."""
        screen, x, y = self._screen, card.x + card.width // 2, card.y + card.height // 2
        screen.point(x, y)
        time.sleep(PAUSE_S)
        screen.press()
        screen.wait_quiet(card, 3 * PAUSE_S, WITHIN_S)
        seen.lifts_ms.append(self._moved_ms(card, x + LIFT_PX, y))
        if told is not None:
            line = told.wait_for_json(lambda each: "drag_latency_ms" in each, within_s=WITHIN_S)
            seen.told_ms.append(float(line["drag_latency_ms"]))
        for step in range(1, MOVES + 1):
            time.sleep(PAUSE_S)
            seen.moves_ms.append(self._moved_ms(card, x + LIFT_PX + step * MOVE_PX, y))
        screen.point(x, y)
        time.sleep(PAUSE_S)
        screen.release()
        screen.point(*REST)
        screen.wait_quiet(BOARD, 6 * PAUSE_S, WITHIN_S)

    def _moved_ms(self, card: Box, x: int, y: int) -> float:
        """Go to a point; return the milliseconds until pixels right of where the card was are others."""
        middle = Box(card.right + 2, card.y + card.height // 2, 2 * LIFT_PX + MOVES * MOVE_PX, 2)
        before = self._screen.picture.rows(middle)
        began_ns = self._screen.point(x, y)
        at_ns = self._screen.seen_ns(lambda picture: picture.rows(middle) != before, "the motion", WITHIN_S)
        return (at_ns - began_ns) / 1e6


def main() -> None:
    """Drag in the client, then in the bare window, then 500 at once offscreen; print."""
    with opened_screen() as screen:
        ours = _ours(screen)
        least = _bare(screen)
    worse, floor = ours.worse_ms, least.worse_ms
    report("drag.mouse_to_pixels_ms_p95", worse, "ms", percent=95, floor=_floor(floor, 95))
    report("drag.mouse_to_pixels_ms_max", worse, "ms", percent=100, floor=_floor(floor, 100))
    report("drag.lift_to_pixels_ms_p50", ours.lifts_ms, "ms", floor=_floor(least.lifts_ms, 50))
    report("drag.move_to_pixels_ms_p50", ours.moves_ms, "ms", floor=_floor(least.moves_ms, 50))
    report("drag.in_app_error_ms_p50", ours.errors_ms, "ms")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "bench.drag_many"], check=True)


def _floor(samples: list[float], percent: float) -> float:
    return round(percentile(samples, percent), 4)


def _ours(screen: Screen) -> Seen:
    """Return what the client needs, with 100,000 orders and a server that it is connected to."""
    seen, hand = Seen(), Hand(screen)
    with opened_place(ORDERS) as place:
        terminal = place.terminal("drags")
        place.start_report(terminal)
        words = ("--kiosk", "--theme", "light", *terminal)
        client = _shown(place.runner, screen, "bench.drag_terminal", *words)
        screen.seen_ns(lambda picture: len(plain_cards(picture, 0)) > 2, "the cards", OPEN_WITHIN_S)
        screen.wait_quiet(BOARD, QUIET_S, OPEN_WITHIN_S)
        for _ in range(LIFTS):
            hand.drag(plain_cards(screen.picture, 0)[1], seen, client)
        client.kill()
    return seen


def _bare(screen: Screen) -> Seen:
    """Return what a rectangle in an empty window needs."""
    seen, hand, runner = Seen(), Hand(screen), ProcessRunner()
    strip = COLUMNS[0]
    try:
        _shown(runner, screen, "bench.bare_drag")
        screen.seen_ns(lambda picture: picture.colour(400, 400) == 0xFFFFFF, "the window", OPEN_WITHIN_S)
        screen.wait_quiet(BOARD, QUIET_S, OPEN_WITHIN_S)
        for _ in range(LIFTS):
            hand.drag(Box(strip.x, 400, strip.width, CARD), seen)
    finally:
        runner.clean_up()
    return seen


def _shown(runner: ProcessRunner, screen: Screen, module: str, *words: str | Path) -> Process:
    """Start a module of ours on the screen."""
    env = {"DISPLAY": screen.name, "QT_QPA_PLATFORM": "xcb"}
    return runner.start(sys.executable, "-m", module, *words, env=env)


if __name__ == "__main__":
    main()
