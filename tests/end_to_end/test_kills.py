"""Two terminals and a server, killed at places drawn by a seed while moves stream through all three.

Whatever was killed when: what a terminal called saved arrives exactly once, nothing else arrives twice,
and in the end the server's board over HTTP and both terminals' boards are the same.
"""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import httpx
import pytest

from support.headless import Headless, logged_moves, put_orders
from support.processes import ProcessRunner
from support.real_server import RealServer
from support.waiting import eventually
from sync.contract.operations import Outcome

pytestmark = pytest.mark.timeout(120)

ORDERS = 40


class Terminal:
    """One profile over all the lives of its program."""

    def __init__(self, runner: ProcessRunner, server: RealServer, folder: Path, name: str) -> None:
        """Enrol the terminal ``name`` and keep its profile below ``folder``."""
        token = folder / f"{name}.json"
        server.enrol(name, token)
        self._runner = runner
        self._words = ("--server", server.url, "--device-token-file", token)
        self._profile = folder / name
        self._lives: list[Headless] = []

    @property
    def now(self) -> Headless:
        """The present life."""
        return self._lives[-1]

    def start(self) -> None:
        """Start the program on its profile."""
        self._lives.append(Headless(self._runner, self._profile, *self._words))

    def kill(self) -> None:
        """End the program at once."""
        self.now.process.kill()

    def move(self, number: str, to: str) -> None:
        """Ask for a move without waiting for anything; who is dead does not hear it."""
        if self.now.process.is_running():
            self.now.move(number, to)

    def is_settled(self) -> bool:
        """Say whether it is live and the server has decided everything."""
        self.now.ask(try_now={})
        status = self.now.status()
        return (status["connection"], status["not_sent"]) == ("live", 0)

    def saved(self) -> set[str]:
        """Return the operations that it called saved, in any life."""
        lines = [line for life in self._lives for line in life.lines("operation")]
        return {line["op_id"] for line in lines if line["fate"] == "saved"}

    def board(self) -> dict[str, str]:
        """Return the stage of every order as it shows them."""
        self.now.ask(list={})
        return {order["number"]: order["stage"] for order in self.now.wait("list")["orders"]}


@pytest.mark.parametrize("seed", range(4))
def test_every_saved_move_arrives_exactly_once(seed: int, processes: ProcessRunner, tmp_path: Path) -> None:
    """Moves stream, all three programs die and come back; nothing is lost, nothing is doubled."""
    play(seed, processes, tmp_path)


def play(seed: int, runner: ProcessRunner, folder: Path) -> int:
    """Play one seed to its end, check everything, and return how many moves were saved."""
    server = RealServer(runner, folder)
    server.set_up()
    numbers = put_orders(server, ORDERS)
    server.start()
    terminals = [Terminal(runner, server, folder, name) for name in ("one", "two")]
    for terminal in terminals:
        terminal.start()
        terminal.now.wait("connection", state="live")
    _stream(random.Random(seed), server, terminals, numbers)
    for terminal in terminals:
        eventually(terminal.is_settled, 30.0, "both terminals live with nothing unsent")
    _check(server, terminals)
    return sum(len(terminal.saved()) for terminal in terminals)


def _stream(chance: random.Random, server: RealServer, terminals: list[Terminal], numbers: list[str]) -> None:
    """Move every order to its end, and at places drawn by ``chance`` kill or start what is named there."""
    wishes = [(number, to) for to in ("picking", "picked", "shipped") for number in numbers]
    # The server dies and returns, and so does each terminal; one of them while the server is away.
    away, back = sorted(chance.sample(range(5, len(wishes) - 5), 2))
    deaths = [chance.randrange(away, back + 1), chance.randrange(5, len(wishes) - 5)]
    chance.shuffle(deaths)
    for place, (number, to) in enumerate(wishes):
        terminal = terminals[numbers.index(number) % 2]
        if chance.random() < 0.1 and terminal.now.process.is_running():
            # Sometimes the stream pauses until everything so far has happened, mostly it does not.
            terminal.now.status()
        terminal.move(number, to)
        for victim, death in zip(terminals, deaths, strict=True):
            if place == death:
                victim.kill()
            if place == death + 4:
                victim.start()
                _look_at_what_is_there(victim)
        if place == away:
            server.kill()
        if place == back:
            server.start()


def _look_at_what_is_there(terminal: Terminal) -> None:
    """After a start, with a server or without: the board is there, and so is everything saved."""
    ready = terminal.now.wait("ready")
    assert ready["orders"] == ORDERS
    assert len(terminal.board()) == ORDERS


def _check(server: RealServer, terminals: list[Terminal]) -> None:
    """Compare the log, the board over HTTP, and what the terminals said and show."""
    logged = logged_moves(server)
    times = Counter(entry.operation.op_id for entry in logged)
    assert set(times.values()) <= {1}
    assert {op_id for terminal in terminals for op_id in terminal.saved()} <= set(times)
    assert {entry.outcome for entry in logged} == {Outcome.APPLIED}
    truth = _board_over_http(server)
    assert len(truth) == ORDERS
    for terminal in terminals:
        assert terminal.board() == truth


def _board_over_http(server: RealServer) -> dict[str, str]:
    """Return the stage of every order as ``GET /orders/fulfillment-kanban`` pages through them."""
    headers = {"Authorization": f"Bearer {server.sign_in()['access_token']}"}
    found: dict[str, str] = {}
    following = ["/orders/fulfillment-kanban?limit=10"]
    while following:
        answer = httpx.get(server.url + following.pop(), headers=headers).raise_for_status().json()
        for stage in answer["stages"]:
            found |= {order["number"]: stage["stage"] for order in stage["orders"]}
            following += [stage["next"]] if stage["next"] else []
    return found
