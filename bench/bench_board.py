"""The board at 1920 x 1080, offscreen: a full repaint with warm caches, next to its floor.

The floor is what this machine needs to fill the frame and to draw one opaque picture and five cached
texts per visible card, measured in the same run: no painted board can do less.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# Made-up orders live with the tests.
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QStaticText, QTransform  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from bench.shape import Measurement, percentile, report  # noqa: E402
from support.card_rows import NOW_MS, mixed_rows  # noqa: E402
from support.list_source import ListSource  # noqa: E402
from telemetry.recorder import MemoryRecorder  # noqa: E402
from widgets.board.view import Board  # noqa: E402
from widgets.theme import Look, make_look  # noqa: E402

WIDTH, HEIGHT = 1920, 1080
ORDERS = 5_000
RUNS = 300
TEXTS_PER_CARD = 5


def make_board(look: Look, recorder: MemoryRecorder) -> Board:
    """Return a shown board over mixed orders, all states among them."""
    board = Board(look, lambda: NOW_MS, UTC, recorder, lambda _ids, _stage: "")
    board.resize(WIDTH, HEIGHT)
    board.set_source(ListSource(mixed_rows(ORDERS)))
    board.show()
    QApplication.processEvents()
    return board


def full_repaints(board: Board, recorder: MemoryRecorder) -> list[float]:
    """Return milliseconds of whole repaints, the caches warm."""
    for _ in range(20):
        board.repaint()
    before = recorder.count("render_time")
    for _ in range(RUNS):
        board.repaint()
    assert recorder.count("render_time") - before == RUNS
    return recorder.samples("render_time")[-RUNS:]


def cold_repaints(board: Board, recorder: MemoryRecorder, look: Look) -> list[float]:
    """Return milliseconds of the first repaint after the look was changed."""
    samples: list[float] = []
    for _ in range(15):
        board.set_look(look)
        board.repaint()
        samples.append(recorder.samples("render_time")[-1])
    return samples


def floors(look: Look, cards: int) -> list[float]:
    """Return milliseconds of the least that painting so many cards can cost here."""
    frame = QPixmap.fromImage(QImage(WIDTH, HEIGHT, QImage.Format.Format_RGB32))
    card = QImage(447, 84, QImage.Format.Format_RGB32)
    card.fill(QColor("white"))
    picture = QPixmap.fromImage(card)
    font = look.font(14)
    texts = [QStaticText(f"Order {number}") for number in range(cards * TEXTS_PER_CARD)]
    for text in texts:
        text.prepare(QTransform(), font)
    samples: list[float] = []
    for _ in range(RUNS):
        began = perf_counter()
        painter = QPainter(frame)
        painter.fillRect(0, 0, WIDTH, HEIGHT, QColor("gray"))
        painter.setFont(font)
        for number in range(cards):
            painter.drawPixmap(16 + number % 4 * 475, number // 4 * 84, picture)
        for number, text in enumerate(texts):
            painter.drawStaticText(20 + number % 20 * 90, number // 20 * 40, text)
        painter.end()
        samples.append((perf_counter() - began) * 1000)
    return samples


def main() -> None:
    """Measure and print."""
    application = QApplication(sys.argv[:1])
    recorder = MemoryRecorder()
    look = make_look()
    board = make_board(look, recorder)
    cards = len(board.visible_ids())
    warm = full_repaints(board, recorder)
    floor = floors(look, cards)
    least = percentile(floor, 50)
    report("board.full_repaint_ms_p50", warm, "ms", percent=50, floor=round(least, 4))
    report("board.full_repaint_ms_p99", warm, "ms", percent=99, floor=round(percentile(floor, 99), 4))
    report("board.floor_ms", floor, "ms", percent=50)
    ratio = percentile(warm, 50) / least
    print(Measurement("board.repaint_to_floor_ratio", round(ratio, 3), "ratio", RUNS, 0.0, 1.0).line())
    report("board.cold_repaint_ms_p50", cold_repaints(board, recorder, look), "ms", percent=50)
    print(Measurement("board.visible_cards", float(cards), "cards", 1, 0.0).line(), flush=True)
    board.close()
    application.processEvents()


if __name__ == "__main__":
    main()
