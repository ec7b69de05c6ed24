"""One process that paints a board and prints what it measured: ``python -m bench.board_paints KIND FOLDER``.

``bench_board.py`` starts one for each kind, so that none inherits another's memory, platform or quota.
Each kind measures in rounds, floors between them, and reports the worst of the densities.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from bench.board_frames import HEIGHT, WIDTH, BareWindow, Frames, opened_view
from bench.shape import Measurement, percentile, report, report_rounds
from sync.client.board_view import BoardView
from widgets.board.geometry import Density
from widgets.theme import Look, make_look

ROUNDS: Final = 5
REPAINTS: Final = 200
COLD_REPAINTS: Final = 20
PAGE_JUMPS: Final = 60
SCROLLED_FRAMES: Final = 200
DRAG_FRAMES: Final = 120
UHD: Final = (3840, 2160)
FRAME_S: Final = 1 / 60
LOW_POWER_FRAMES: Final = 1_200

Rounds = list[list[float]]


def offscreen(look: Look, view: BoardView) -> None:
    """Measure everything that needs no display."""
    found = [_in_density(look, view, density) for density in Density]
    slowest = max(found, key=lambda each: _p(each["full"], 50))
    floor = slowest["floor"]
    report_rounds("board.full_repaint_ms_p50", slowest["full"], "ms", floor=_p(floor, 50))
    _worst(found, "board.full_repaint_ms_p99", "full", 99)
    report_rounds("board.floor_ms", floor, "ms")
    print(Measurement("board.visible_cards", slowest["cards"][0][0], "cards", 1, 0.0).line(), flush=True)
    ratios = max(([_ratios(each)] for each in found), key=lambda each: percentile(each[0], 50))
    report_rounds("board.repaint_to_floor_ratio", ratios, "ratio", floor=1.0)
    _worst(found, "board.cold_repaint_ms_p50", "cold", 50)
    _worst(found, "board.page_jump_ms_p99", "jump", 99)
    _worst(found, "board.scroll_frame_ms_p99", "scroll", 99)
    _worst(found, "board.drag_frame_ms_p99", "drag", 99)
    large = [_full_and_floor(Frames(look, view, density, UHD), Frames.full) for density in Density]
    _worst(large, "board.full_repaint_4k_ms_p50", "full", 50)


def hard_cards(look: Look, ordinary: BoardView, hard: BoardView) -> None:
    """Measure a board of hard cards only; the floor is the same board with ordinary ones."""
    warm: dict[bool, Rounds] = {}
    cold: dict[bool, Rounds] = {}
    for is_hard, view in ((False, ordinary), (True, hard)):
        frames = Frames(look, view, Density.COMFORTABLE, (WIDTH, HEIGHT))
        warm[is_hard] = _rounds(REPAINTS, frames.full)
        cold[is_hard] = _rounds(COLD_REPAINTS, frames.first_words)
        frames.close()
    report_rounds("board.hard_cards_repaint_ms_p50", warm[True], "ms", floor=_p(warm[False], 50))
    report_rounds("board.hard_cards_first_paint_ms_p50", cold[True], "ms", floor=_p(cold[False], 50))


def on_screen(look: Look, view: BoardView) -> None:
    """Measure full repaints until the display server has them; the floor is a bare window's."""
    found = []
    for density in Density:
        frames = Frames(look, view, density, (WIDTH, HEIGHT))
        full = _rounds(REPAINTS, frames.full_on_screen)
        frames.board.hide()
        bare = BareWindow(frames.least)
        bare.show()
        QApplication.processEvents()
        floor = _rounds(REPAINTS, bare.on_screen)
        bare.close()
        frames.close()
        found.append({"full": full, "floor": floor})
    _worst(found, "board.xcb_full_repaint_ms_p50", "full", 50)
    _worst(found, "board.xcb_full_repaint_ms_p99", "full", 99)


def low_power(look: Look, view: BoardView) -> None:
    """Measure what a busy hand asks for, sixty times a second; whoever started this holds it back.

    Of ten frames one is a page, one a full repaint, three belong to a drag, the others scroll.
    """
    frames = Frames(look, view, Density.COMFORTABLE, (WIDTH, HEIGHT))
    samples: list[float] = []
    drag = frames.drags(LOW_POWER_FRAMES)
    asked: list[Callable[[], float]] = [frames.page_jump, frames.full]
    # The quota was used up by the start: what is measured begins with a full one.
    time.sleep(1)
    began, used = time.monotonic(), time.process_time()
    for number in range(LOW_POWER_FRAMES):
        place = number % 10
        if place < 2:
            samples.append(asked[place]())
        else:
            samples.append(next(drag) if place < 5 else frames.scroll(number))
        time.sleep(max(0.0, began + (number + 1) * FRAME_S - time.monotonic()))
    share = 100 * (time.process_time() - used) / (time.monotonic() - began)
    report("board.low_power_frame_ms_p99", samples, "ms", percent=99)
    report("board.low_power_core_percent", [share], "%")
    frames.close()


def _in_density(look: Look, view: BoardView, density: Density) -> dict[str, Rounds]:
    """Measure all kinds of frames in one density."""
    frames = Frames(look, view, density, (WIDTH, HEIGHT))
    found = _full_and_floor(frames, Frames.full)
    found["cards"] = [[float(frames.cards)]]
    found["cold"] = _rounds(COLD_REPAINTS, frames.cold)
    found["drag"] = [list(frames.drags(DRAG_FRAMES)) for _ in range(ROUNDS)]
    found["jump"] = _rounds(PAGE_JUMPS, frames.page_jump)
    found["scroll"] = [[frames.scroll(number) for number in range(SCROLLED_FRAMES)] for _ in range(ROUNDS)]
    frames.close()
    return found


def _full_and_floor(frames: Frames, full: Callable[[Frames], float]) -> dict[str, Rounds]:
    """Measure full repaints and the floor, a round of each in turn."""
    found: dict[str, Rounds] = {"full": [], "floor": []}
    for _ in range(ROUNDS):
        found["full"].append([full(frames) for _ in range(REPAINTS)])
        found["floor"].append([frames.floor() for _ in range(REPAINTS)])
    return found


def _rounds(count: int, frame: Callable[[], float]) -> Rounds:
    """Return the rounds of one kind of frame."""
    return [[frame() for _ in range(count)] for _ in range(ROUNDS)]


def _worst(found: Iterable[dict[str, Rounds]], metric: str, kind: str, percent: float) -> None:
    """Report the density in which a kind of frame takes longest, with the floor of that density."""
    slowest = max(found, key=lambda each: _p(each[kind], percent))
    report_rounds(metric, slowest[kind], "ms", percent=percent, floor=_p(slowest["floor"], percent))


def _p(rounds: Rounds, percent: float) -> float:
    """Return the median of the rounds' percentiles."""
    return percentile([percentile(each, percent) for each in rounds], 50)


def _ratios(found: dict[str, Rounds]) -> list[float]:
    """Return how much longer than the floor a full repaint takes, round by round."""
    pairs: Iterable[tuple[Sequence[float], Sequence[float]]] = zip(found["full"], found["floor"], strict=True)
    return [percentile(full, 50) / percentile(floor, 50) for full, floor in pairs]


def main() -> None:
    """Measure one kind."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    application = QApplication(sys.argv[:1])
    look = make_look()
    view = opened_view(folder / "cache.db")
    if kind == "hard":
        hard_cards(look, view, opened_view(folder / "hard.db"))
    else:
        {"offscreen": offscreen, "screen": on_screen, "low-power": low_power}[kind](look, view)
    view.close()
    application.processEvents()


if __name__ == "__main__":
    main()
