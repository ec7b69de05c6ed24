"""The installed server as a process of its own, on a temporary data folder or PostgreSQL, and free ports.

``started_server`` sets a folder up, enrols a device, and serves it until the block ends::

    with started_server(tmp_path) as server:
        httpx.get(f"{server.url}/health")
        server.kill()            # SIGKILL, at once
        server.start()           # again, on the same ports
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from server.commands.devices import write_token_file
from server.commands.setup import First, set_up
from server.database import create_database
from server.kernel.auth import new_token
from server.system import SystemClock, SystemRandom
from support.processes import Process, ProcessRunner
from sync.contract.ids import Uuid7Ids

PROGRAM = "fulfillment-kanban-server"
USER = "Ana"
FIRST = First("Nordlicht", "Halle 1", "Europe/Berlin", USER)


class RealServer:
    """One server process and the folder that it serves; the ports stay the same over restarts."""

    def __init__(self, runner: ProcessRunner, folder: Path, database_url: str = "") -> None:
        self._runner = runner
        self._process: Process | None = None
        self.data = folder / "server"
        self.database_url = database_url
        self.token_file = folder / "device.json"
        self.url = ""
        self.sync_url = ""

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None, "the server was not started"
        return self._process

    @property
    def device_token(self) -> str:
        """What the enrolled device signs in with."""
        return str(json.loads(self.token_file.read_text(encoding="utf-8"))["device_token"])

    def set_up(self) -> None:
        """Make the data folder with an organisation, a site, a supervisor and one device.

        Not through the commands, which take a second each: their own tests are elsewhere.
        """
        clock = SystemClock()
        token = new_token()
        with create_database(
            self.data, clock, Uuid7Ids(clock, SystemRandom()), url=self.database_url
        ) as database:
            site = set_up(database, FIRST)
            database.identities.add_device(site.key, USER, "Station 1", token)
        self.token_file.parent.mkdir(exist_ok=True)
        write_token_file(self.token_file, {"device_token": token})

    def enrol(self, name: str, token_file: Path, user: str = USER) -> None:
        """Enrol one more device."""
        self.command("device", "add", "--user", user, "--name", name, "--token-file", token_file)

    def command(self, *words: str | Path, within_s: float = 60.0) -> str:
        """Run a sub-command on the data folder and return what it printed; it must succeed."""
        process = self._runner.start_program(PROGRAM, *words, *self._where())
        process.close_input()
        code = process.wait(within_s)
        assert code == 0, process.stderr
        return process.stdout

    def start(self) -> None:
        """Start serving, and wait until it listens."""
        ports = ("--port", _port(self.url), "--sync-port", _port(self.sync_url))
        self._process = self._runner.start_program(PROGRAM, "serve", *self._where(), *ports)
        told = self._process.wait_for_json(lambda line: "url" in line)
        self.url, self.sync_url = told["url"], told["sync"]

    def _where(self) -> tuple[str | Path, ...]:
        database = ("--database", self.database_url) if self.database_url else ()
        return ("--data", self.data, *database)

    def stop(self) -> int:
        """Stop it politely and return the exit code."""
        return self.process.terminate()

    def kill(self) -> None:
        """Kill it without a warning."""
        self.process.kill()

    def sign_in(self, token: str = "") -> dict[str, Any]:
        """Sign the device in over HTTP and return the answer."""
        answer = httpx.post(f"{self.url}/sign-in", json={"device_token": token or self.device_token})
        answer.raise_for_status()
        signed_in: dict[str, Any] = answer.json()
        return signed_in


def _port(url: str) -> str:
    return url.rstrip("/").rpartition(":")[2] if url else "0"


@contextlib.contextmanager
def started_server(folder: Path, database_url: str = "") -> Iterator[RealServer]:
    """Set a server up below ``folder``, start it, and end it with the block."""
    runner = ProcessRunner()
    server = RealServer(runner, folder, database_url)
    try:
        server.set_up()
        server.start()
        yield server
    finally:
        runner.clean_up()
