"""A floor of real processes for the proofs: one server, some terminals, and what each of them ever said.

Everything is started as installed, on loopback, below one folder, and ended by its own id. ``code`` puts
another copy of our packages in front, which is how a proof shows that it can fail
(:mod:`support.proofs_planted`).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import resource
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from server.commands.devices import write_token_file
from server.database import FILE_NAME, open_database
from server.kernel.auth import new_token
from server.system import SystemClock, SystemRandom
from support.headless import Headless, put_orders
from support.processes import Process, ProcessRunner
from support.real_server import PROGRAM, USER, RealServer
from support.waiting import eventually
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import LogEntry

BELOW_EPHEMERAL: Final = range(20_000, 32_000)
"""Ports that the system gives to nobody by itself: a port must still be free when its server comes back."""
MOST_BYTES: Final = 3 << 30
"""Addresses of one program; memory that is used is far less."""
PERSONAL: Final = ("CACHE", "CONFIG", "DATA", "RUNTIME", "STATE")
ROUND: Final = ("picking", "picked", "picking", "confirmed")
"""Where the moves take an order, again and again; so no board ever runs out of work."""
KEPT: Final = Path(__file__).resolve().parents[2] / "build" / "proofs"


_PREPARING: Final = threading.Lock()
"""Migrations run one at a time in a process."""


class Prepared(NamedTuple):
    """A server's file with orders and enrolled terminals, good for any number of floors."""

    file: bytes
    tokens: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]


class FloorServer(RealServer):
    """The server, started in two steps, so that it can be killed while it starts."""

    sync_port = 0
    """Where it listens, when clients are told another address (``sync_told``)."""
    sync_told = ""
    _is_ready = False

    def begin(self) -> None:
        """Start the program on its ports and wait for nothing."""
        told = ("--sync-url", self.sync_told) if self.sync_told else ()
        port = self.url.rpartition(":")[2]
        words = ("serve", "--data", self.data, "--port", port, "--sync-port", str(self.sync_port), *told)
        self._process = self._runner.start_program(PROGRAM, *words)
        self._is_ready = False
        bound(self._process)

    def await_ready(self) -> None:
        """Wait until it listens."""
        if not self._is_ready:
            self.process.wait_for_json(lambda line: "url" in line, within_s=30)
            self._is_ready = True

    def log(self) -> list[LogEntry]:
        """Return the log of its only board, in its order, straight from the file."""
        rows = self._ask("SELECT entry FROM operation_log ORDER BY seq")
        return [msgspec.json.decode(row[0], type=LogEntry) for row in rows]

    def head(self) -> int:
        """Return the last seq of the log."""
        return int(self._ask("SELECT max(seq) FROM operation_log")[0][0])

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.data / FILE_NAME}?mode=ro", uri=True)) as file:
            return file.execute(sql).fetchall()

    def errors(self) -> list[str]:
        """Return the lines of level error that it logged, shortened."""
        path = self.data / "logs" / "server.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line[:600] for line in lines if _is_error(line)]


class FloorTerminal:
    """One profile over all the lives of its program."""

    def __init__(self, runner: ProcessRunner, folder: Path, name: str, url: str) -> None:
        """Keep the profile ``name`` below ``folder``, for the server at ``url``."""
        self.name = name
        self.token = folder / f"{name}.json"
        self.url = url
        self._runner = runner
        self.profile = folder / name
        self._lives: list[Headless] = []
        self._killed: set[Process] = set()

    @property
    def now(self) -> Headless:
        """The present life."""
        return self._lives[-1]

    @property
    def is_running(self) -> bool:
        """Say whether it is started and alive."""
        return bool(self._lives) and self.now.process.is_running()

    def begin(self) -> None:
        """Start the program on its profile and wait for nothing."""
        words = ("--server", self.url, "--device-token-file", self.token)
        self._lives.append(Headless(self._runner, self.profile, *words))
        bound(self.now.process)

    def await_live(self) -> None:
        """Wait until it is connected and has the board."""
        self.now.wait("connection", state="live", within_s=30)

    @property
    def has_died(self) -> bool:
        """Say whether it was ever killed: what an earlier life was told is nobody's now."""
        return bool(self._killed)

    def kill(self) -> None:
        """End the program at once."""
        self._killed.add(self.now.process)
        self.now.process.kill()

    def quit(self) -> None:
        """End the program politely; who is dead is dead."""
        if self.is_running:
            self.now.quit()

    def ask(self, **request: object) -> None:
        """Send one line; who is dead does not hear it."""
        with contextlib.suppress(BrokenPipeError):
            self.now.ask(**request)

    def is_settled(self) -> bool:
        """Say whether it is live and the server has decided everything."""
        self.ask(try_now={})
        status = self.now.status()
        return (status["connection"], status["not_sent"]) == ("live", 0)

    def has_all(self, head: int) -> bool:
        """Say whether it is live, nothing is unsent, and it shows the log up to ``head``."""
        status = self.now.status()
        return (status["connection"], status["not_sent"], status["seq"]) == ("live", 0, head)

    def board(self) -> dict[str, str]:
        """Return the stage of every order as it shows them."""
        self.now.ask(list={"limit": 10_000})
        return {order["number"]: order["stage"] for order in self.now.wait("list")["orders"]}

    def fates(self, fate: str) -> list[dict[str, object]]:
        """Return what it ever said about its operations with this fate, over all lives."""
        lines = [line for life in self._lives for line in life.lines("operation")]
        return [line for line in lines if line["fate"] == fate]

    def saved(self) -> set[str]:
        """Return the operations that it called saved."""
        return {str(line["op_id"]) for line in self.fates("saved")}

    def deaths(self) -> list[str]:
        """Return a sentence for each life that ended without being killed, or with a trace."""
        found = []
        for life in self._lives:
            process = life.process
            if not process.is_running() and process not in self._killed:
                found.append(f"{self.name} ended by itself: {process.stderr[-400:]}")
            elif "Traceback" in process.stderr:
                found.append(f"{self.name} said: {process.stderr[-400:]}")
        return found

    def said(self) -> str:
        """Return everything it printed, for whoever looks for the cause."""
        return "\n---\n".join(life.process.stdout + "\n" + life.process.stderr for life in self._lives)


class Floor:
    """A server with orders, and terminals."""

    def __init__(self, folder: Path, *, code: Path | None = None) -> None:
        """Work below ``folder``, with the packages in ``code`` instead of our own."""
        self.folder = folder
        self.runner = ProcessRunner(_variables(folder, code))
        self.server = FloorServer(self.runner, folder)
        self.terminals: list[FloorTerminal] = []
        self.numbers: list[str] = []
        self._places: dict[str, int] = {}

    def set_up(self, names: tuple[str, ...], orders: int) -> None:
        """Make the data folder with orders and enrolled terminals; nothing is started."""
        with _PREPARING:
            prepared = _prepared(names, orders)
        self.numbers = list(prepared.numbers)
        self.server.data.mkdir(mode=0o750)
        (self.server.data / FILE_NAME).write_bytes(prepared.file)
        port, self.server.sync_port = free_ports(2)
        self.server.url = f"http://127.0.0.1:{port}"
        for name, token in prepared.tokens:
            terminal = FloorTerminal(self.runner, self.folder, name, self.server.url)
            write_token_file(terminal.token, {"device_token": token})
            self.terminals.append(terminal)

    def start(self) -> None:
        """Start everything and wait until every terminal is live."""
        self.server.begin()
        self.server.await_ready()
        for terminal in self.terminals:
            terminal.begin()
        for terminal in self.terminals:
            terminal.await_live()

    def stream(self, chance: random.Random, moves: int) -> None:
        """Ask the terminals that are alive for ``moves`` moves in all; wait for nothing."""
        for _ in range(moves):
            terminal = chance.choice(self.terminals)
            number = chance.choice(self.numbers)
            place = self._places[number] = self._places.get(number, -1) + 1
            if terminal.is_running:
                terminal.ask(move={"number": number, "to": ROUND[place % len(ROUND)]})

    def await_quiet(self, within_s: float = 40.0) -> list[str]:
        """Wait until all is decided; return a sentence for each terminal that is stuck."""
        stuck = []
        for terminal in self.terminals:
            try:
                eventually(terminal.is_settled, within_s, f"{terminal.name} live with nothing unsent")
            except (AssertionError, BrokenPipeError) as error:
                stuck.append(f"{terminal.name} is stuck: {str(error)[-300:]}")
        # What the last of them sent has to arrive at the others too.
        head = self.server.head()
        for terminal in () if stuck else self.terminals:
            try:
                eventually(functools.partial(terminal.has_all, head), within_s, f"the log up to {head}")
            except (AssertionError, BrokenPipeError) as error:
                stuck.append(f"{terminal.name} stays behind: {str(error)[-300:]}")
        return stuck

    def keep(self, name: str) -> None:
        """Copy everything to where somebody can look at it."""
        goal = KEPT / name
        shutil.rmtree(goal, ignore_errors=True)
        with contextlib.suppress(shutil.Error):
            # Sockets of programs that were killed cannot be copied, and need not be.
            shutil.copytree(self.folder, goal)
        for terminal in self.terminals:
            (goal / f"{terminal.name}.said").write_text(terminal.said(), encoding="utf-8")


@contextlib.contextmanager
def opened_floor(code: Path | None = None) -> Iterator[Floor]:
    """Give a floor in a temporary folder; everything that it started ends with the block."""
    with tempfile.TemporaryDirectory(prefix="fk-") as folder:
        floor = Floor(Path(folder), code=code)
        try:
            yield floor
        finally:
            floor.runner.clean_up()


@functools.cache
def _prepared(names: tuple[str, ...], orders: int) -> Prepared:
    clock = SystemClock()
    tokens = tuple((name, new_token()) for name in names)
    with tempfile.TemporaryDirectory(prefix="fk-") as folder:
        server = RealServer(ProcessRunner(), Path(folder))
        server.set_up()
        numbers = put_orders(server, orders)
        with open_database(server.data, clock, Uuid7Ids(clock, SystemRandom())) as database:
            site = database.identities.choose_site().key
            for name, token in tokens:
                database.identities.add_device(site, USER, name, token)
        return Prepared((server.data / FILE_NAME).read_bytes(), tokens, tuple(numbers))


def bound(process: Process) -> None:
    """Keep a program from taking the memory of the machine: what wants too much, falls and is seen."""
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(process.pid, resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now and that nobody is given by chance."""
    found: list[int] = []
    start = os.getpid() % len(BELOW_EPHEMERAL)
    chance = random.SystemRandom()
    while len(found) < count:
        port = BELOW_EPHEMERAL[(start + chance.randrange(len(BELOW_EPHEMERAL))) % len(BELOW_EPHEMERAL)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _variables(folder: Path, code: Path | None) -> dict[str, str]:
    """Return the variables of the programs: nobody's folders, nobody's keyring, compiled once."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    variables |= {f"XDG_{name}_HOME": str(folder / "home") for name in PERSONAL}
    variables |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "QT_QPA_PLATFORM": "offscreen"}
    variables["XDG_RUNTIME_DIR"] = str(folder)
    if code is not None:
        variables["PYTHONPATH"] = str(code)
    return variables


def _is_error(line: str) -> bool:
    try:
        return json.loads(line).get("level") in {"error", "critical"}
    except ValueError:
        return True
