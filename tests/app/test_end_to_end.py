"""The whole program as a person meets it: real server, real window on an X display, real mouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.headless import Headless, logged_moves, put_orders
from support.processes import Process, ProcessRunner
from support.real_input import RealInput, real_input
from support.real_server import RealServer, started_server
from support.waiting import eventually
from sync.client.board_view import BoardView
from sync.contract.stages import Stage

pytestmark = pytest.mark.timeout(180)

TITLE = "Fulfillment Kanban"
ORDERS = 12
FIRST_CARD = (248, 216)
"""A point on the first card of Confirmed, the window being 1920 x 1080."""
CARD_GROUND = (400, 236)
"""A point on the same card where nothing is written."""
TRACK = "dfe3e8"
"""The ground of a column, where no card is."""
PICKING = (730, 600)
"""A point in the column Picking."""
BESIDE = (1850, 900)
"""A point where the order panel stands when one is open."""
SURFACE = "ffffff"
FIRST_OLDER = (1200, 156)
"""A point on the first row of the list of older orders where nothing is written."""
SELECTED = "e1ecfd"
OUTSIDE = (960, 30)
"""A point in the header, where nothing can be dropped."""
START_S = 60.0


class Terminal:
    """One started client with its profile, seen from outside."""

    def __init__(self, process: Process, profile: Path) -> None:
        """Look at the ``profile`` of a running ``process``."""
        self.process = process
        self.profile = profile

    def numbers(self, stage: Stage) -> list[str]:
        """Return the order numbers of a column as the cache has them, in display order."""
        view = BoardView(self.profile / "cache.db")
        view.reload()
        try:
            return [row.number for row in view.rows(view.ids(stage))]
        finally:
            view.close()

    def wait_for_board(self) -> None:
        """Wait until the cache holds the orders."""
        eventually(lambda: len(self.numbers(Stage.CONFIRMED)) > 5, START_S, "a board of orders")

    def quit(self) -> None:
        """Ask the program to end, as a session that ends does."""
        assert self.process.terminate(20) == 0, self.process.stderr


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """Return a running server with orders that nothing holds back."""
    with started_server(tmp_path) as running:
        put_orders(running, ORDERS)
        yield running


@contextmanager
def _started(processes: ProcessRunner, server: RealServer, profile: Path, display: str) -> Iterator[Terminal]:
    process = processes.start_program(
        "fulfillment-kanban",
        "--profile",
        profile,
        "--server",
        server.url,
        "--device-token-file",
        server.token_file,
        env={"QT_QPA_PLATFORM": "xcb", "DISPLAY": display},
    )
    terminal = Terminal(process, profile)
    terminal.wait_for_board()
    try:
        yield terminal
    finally:
        if process.is_running():
            terminal.quit()
        assert process.stderr == ""


def test_a_card_dragged_with_the_mouse_stays_after_a_restart_of_both(
    processes: ProcessRunner, server: RealServer, x_display: str, tmp_path: Path
) -> None:
    """What was dropped in Picking is there when both programs start anew, from the server's own truth."""
    profile = tmp_path / "p"
    with _started(processes, server, profile, x_display) as terminal, real_input(x_display) as hand:
        hand.focus_window(TITLE)
        number = terminal.numbers(Stage.CONFIRMED)[0]
        hand.drag(FIRST_CARD, PICKING)
        eventually(lambda: number in terminal.numbers(Stage.PICKING), 20.0, f"{number} in Picking")
    assert server.stop() == 0
    server.start()
    # The board must come from the server, not from what this terminal remembers.
    (profile / "cache.db").unlink()
    with _started(processes, server, profile, x_display) as terminal:
        assert number in terminal.numbers(Stage.PICKING)
        assert number not in terminal.numbers(Stage.CONFIRMED)


def test_an_order_of_another_day_is_found_and_read(
    processes: ProcessRunner, server: RealServer, x_display: str, tmp_path: Path
) -> None:
    """Typed into the search, listed with Down, opened with Enter: it stands beside the board."""
    put_orders(server, 1, first=50, stage=Stage.SHIPPED, stage_ms=1_700_000_000_000)
    server.command("retire")
    with _started(processes, server, tmp_path / "p", x_display) as terminal, real_input(x_display) as hand:
        assert terminal.numbers(Stage.SHIPPED) == []
        hand.focus_window(TITLE)
        eventually(lambda: hand.colour(*BESIDE) == TRACK, 20.0, "the board")
        hand.key("slash")
        for digit in "50":
            hand.key(digit)
        eventually(lambda: _is_list_open(hand), 20.0, "the list of older orders")
        hand.key("Return")
        eventually(lambda: hand.colour(*BESIDE) == SURFACE, 20.0, "the order beside the board")


def _is_list_open(hand: RealInput) -> bool:
    """Press Down, which opens the list as soon as there is one; say whether it stands."""
    hand.key("Down")
    return hand.colour(*FIRST_OLDER) == SELECTED


def test_escape_and_a_drop_outside_put_the_card_back(
    processes: ProcessRunner, server: RealServer, x_display: str, tmp_path: Path
) -> None:
    """Neither makes a move; the next real move is the only one that anybody sees."""
    with _started(processes, server, tmp_path / "p", x_display) as terminal, real_input(x_display) as hand:
        hand.focus_window(TITLE)
        first = terminal.numbers(Stage.CONFIRMED)[0]
        picking = terminal.numbers(Stage.PICKING)
        hand.move(*FIRST_CARD)
        hand.press()
        hand.move(*PICKING)
        hand.key("Escape")
        hand.release()
        hand.drag(FIRST_CARD, OUTSIDE)
        # The keyboard move comes after both on the same path: once it is there, they would be too.
        _move_by_key(hand)
        eventually(lambda: len(terminal.numbers(Stage.PICKING)) > len(picking), 20.0, "the keyboard's move")
        assert set(terminal.numbers(Stage.PICKING)) == {*picking, first}


def test_brackets_move_the_focused_card_and_slash_searches(
    processes: ProcessRunner, server: RealServer, x_display: str, tmp_path: Path
) -> None:
    """``]`` takes the focused card to the next column; ``/`` finds it there, ``[`` brings it back."""
    with _started(processes, server, tmp_path / "p", x_display) as terminal, real_input(x_display) as hand:
        hand.focus_window(TITLE)
        first = terminal.numbers(Stage.CONFIRMED)[0]
        _move_by_key(hand)
        eventually(lambda: first in terminal.numbers(Stage.PICKING), 20.0, "forward")
        eventually(lambda: hand.colour(*CARD_GROUND) != TRACK, 20.0, "the next card in its place")
        _find(hand, first)
        eventually(lambda: hand.colour(*CARD_GROUND) == TRACK, 20.0, "nothing but the found card")
        hand.key("Return")
        hand.key("bracketleft")
        eventually(lambda: first in terminal.numbers(Stage.CONFIRMED), 20.0, "back")


def _find(hand: RealInput, number: str) -> None:
    """Search for an order."""
    hand.key("slash")
    for sign in number.lower():
        hand.key("minus" if sign == "-" else sign)


def test_a_move_outlives_a_killed_window_and_a_server_that_is_away(
    processes: ProcessRunner, server: RealServer, x_display: str, tmp_path: Path
) -> None:
    """Moved while nobody answers, killed with SIGKILL, started again: it arrives exactly once."""
    profile = tmp_path / "p"
    with _started(processes, server, profile, x_display) as terminal, real_input(x_display) as hand:
        hand.focus_window(TITLE)
        number = terminal.numbers(Stage.CONFIRMED)[0]
        _click(hand, FIRST_CARD)
        server.kill()
        # By key: the banner that tells of the cut pushes the cards down.
        hand.key("bracketright")
        guest = Headless(processes, profile)
        eventually(lambda: guest.status()["not_sent"] == 1, 30.0, "a move in the outbox")
        terminal.process.kill()
    server.start()
    with _started(processes, server, profile, x_display) as terminal:
        eventually(lambda: number in terminal.numbers(Stage.PICKING), START_S, "the move at the server")
    assert len(logged_moves(server)) == 1


def _move_by_key(hand: RealInput) -> None:
    """Put the focus on the first card with a click and press ``]``."""
    _click(hand, FIRST_CARD)
    hand.key("bracketright")


def _click(hand: RealInput, point: tuple[int, int]) -> None:
    """Click the left button at a point."""
    hand.move(*point)
    hand.press()
    hand.release()
