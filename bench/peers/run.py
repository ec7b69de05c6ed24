"""``make bench-peers``: our board beside four web boards, same machine, same run, same screen.

Prints the figures and merges them into ``build/bench.json`` and ``build/bench-details.json``. What is
compared, and what is unequal about it, is told in ``docs/performance.md``. The exit code is 1 when
something that this needs is missing, or when a board could not be measured.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.cards import cards_json
from bench.peers.figures import OURS, Asked, figures, ratios
from bench.peers.packages import BOARDS, ROOM, PeersError, build_boards, missing_programs
from bench.peers.programs import OurBoard, Program, WebBoard, find_browser
from bench.peers.questions import Answers, Questions
from bench.peers.screen import NotSeenError, Screen, opened_screen
from bench.peers.serve import Pages, served
from bench.place import opened_place
from bench.run import merge, row

ROOT = ROOM.parent.parent
MANY = 100_000
SOME = 5_000
FEW = 1_000
BEARS_MANY = "virtual"
ROUNDS = 3
WITHIN_S = 540.0


@dataclass(frozen=True)
class Amount:
    """How often each question is asked in one round."""

    opens: int
    clicks: int
    lifts: int
    moves: int


@dataclass
class Comparison:
    """All boards on one screen, asked one after the other until the time is over."""

    screen: Screen
    deadline: float
    answered: dict[Asked, Answers] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def ask(self, asked: Asked, program: Program, amount: Amount, link: str = "") -> None:
        """Ask one board all questions once more, and keep what it answers until it fails."""
        if time.monotonic() > self.deadline:
            self.failures.append(f"{asked.metric} was not measured: the {WITHIN_S:g} s were over")
            return
        answers = self.answered.setdefault(asked, Answers())
        questions = Questions(self.screen)
        try:
            look = questions.settled_look(program)
            answers.open_ms.extend(questions.opening(program, look, amount.opens))
            if isinstance(program, WebBoard):
                answers.click_ms.extend(questions.clicking(program, link, look, amount.clicks))
            questions.working(program, answers, amount.lifts, amount.moves)
        except NotSeenError as error:
            self.failures.append(f"{asked.metric}: {error}")


class Boards:
    """Makes the programs: each web board gets a profile of its own, which it keeps."""

    def __init__(self, folder: Path, url: str, browser: str, display: str) -> None:
        self._folder = folder
        self._url = url
        self._browser = browser
        self._display = display

    def web(self, asked: Asked) -> tuple[WebBoard, str]:
        """Return a web board with so many orders, and the address of the link to it."""
        page = f"/{asked.board}?count={asked.orders}"
        profile = self._folder / f"{asked.board}-{asked.orders}"
        profile.mkdir(exist_ok=True)
        board = WebBoard(asked.board, self._browser, self._url + page, profile, self._display)
        return board, f"{self._url}/click?to={page}"


def compare(many: int, rounds: int, boards: tuple[str, ...]) -> Comparison:
    """Measure; ours and the web board that bears as many in turns, so that both see the same machine."""
    deadline = time.monotonic() + WITHIN_S
    now_ms = int(time.time() * 1000)
    browser = find_browser()
    assert browser is not None, "it was looked for before"
    with contextlib.ExitStack() as stack:
        pages = Pages(build_boards(ROOT / "build" / "peers"), ROOM / "boards", _orders_at(now_ms))
        url = stack.enter_context(served(pages))
        screen = stack.enter_context(opened_screen())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fk-peers-")))
        place = stack.enter_context(opened_place(many))
        terminal = place.terminal("peers")
        told = place.start_report(terminal)
        assert told["orders"] == many, "the snapshot did not arrive whole"
        ours = OurBoard(terminal, screen.name)
        web = Boards(folder, url, browser, screen.name)
        comparison = Comparison(screen, deadline)
        for _ in range(rounds):
            amount = Amount(opens=3, clicks=2, lifts=5, moves=4)
            comparison.ask(Asked(OURS, many), ours, amount)
            if BEARS_MANY in boards:
                asked = Asked(BEARS_MANY, many)
                comparison.ask(asked, *_with_amount(web.web(asked), amount))
        for orders in (FEW, SOME):
            for board in boards:
                if board != BEARS_MANY or orders == FEW:
                    asked = Asked(board, orders)
                    few = Amount(opens=3, clicks=3, lifts=5, moves=4)
                    comparison.ask(asked, *_with_amount(web.web(asked), few))
    return comparison


def _with_amount(board: tuple[WebBoard, str], amount: Amount) -> tuple[WebBoard, Amount, str]:
    return board[0], amount, board[1]


def _orders_at(now_ms: int) -> Callable[[int], bytes]:
    """Return what makes the orders of a page."""
    return lambda count: cards_json(count, now_ms)


def _set_environment() -> None:
    """No person's keyring, no window but those on our screen.

    An installed program is compiled once, so nothing may keep Python from writing that down.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(
        LC_ALL="C.UTF-8",
        PYTHON_KEYRING_BACKEND="keyring.backends.null.Keyring",
        QT_QPA_PLATFORM="offscreen",
    )


def main() -> int:
    """Read the command line, measure, print and merge."""
    parser = argparse.ArgumentParser(description="Our board beside web boards.")
    parser.add_argument("--orders", type=int, default=MANY, help="on our board and on the best web board")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", choices=BOARDS, help="one web board beside ours")
    arguments = parser.parse_args()
    _set_environment()
    problem = missing_programs()
    if problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        boards = (arguments.only,) if arguments.only else BOARDS
        comparison = compare(arguments.orders, arguments.rounds, boards)
    except PeersError as error:
        print(error, file=sys.stderr)
        return 1
    answered = comparison.answered
    found = [*figures(answered), *ratios(answered, arguments.orders, FEW)]
    for measurement in found:
        print(row(measurement))
    merge(ROOT / "build", {each.metric: each for each in found}, keep=True)
    for failure in comparison.failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
