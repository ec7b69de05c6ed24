"""Backups beside a server that serves: terminals hear how far they are safe; nobody replaces live data."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import BIN, ProcessRunner
from support.real_server import PROGRAM, RealServer, started_server
from support.server_bench import create, numbered
from support.sync_client import SyncClient
from sync.contract.messages import Heartbeat, Welcome
from sync.contract.operations import Move, Outcome
from sync.contract.stages import Stage


@pytest.fixture
def own_server(tmp_path: Path, database_url: str) -> Iterator[RealServer]:
    """A server for a test that stops or changes it."""
    with started_server(tmp_path, database_url) as server:
        yield server


def backed_up(server: RealServer, goal: Path) -> Path:
    """Make a backup with the installed command."""
    return Path(json.loads(server.command("backup", "--to", goal, "--json"))["file"])


def test_terminals_hear_how_far_a_backup_reaches(own_server: RealServer, tmp_path: Path) -> None:
    """In the heartbeat of a link that was there before, and in the welcome of the next one."""
    token = own_server.sign_in()["access_token"]
    with SyncClient(own_server.sync_url) as client:
        (welcome, *_) = client.join(token)
        assert isinstance(welcome, Welcome)
        assert welcome.durable_seq == 0
        client.submit(create(1), numbered(2, Move(Stage.PICKING)))
        backed_up(own_server, tmp_path / "backups")
        client.submit(numbered(3, Move(Stage.PICKED)))
        beats = (client.hear_one(Heartbeat) for _ in range(3))
        assert next(beat for beat in beats if beat.durable_seq).durable_seq == 2
    with SyncClient(own_server.sync_url) as client:
        (welcome, *_) = client.join(token, next_device_seq=4)
        assert isinstance(welcome, Welcome)
        assert (welcome.head, welcome.durable_seq) == (3, 2)


def test_a_server_comes_back_from_a_backup_as_another_history(
    processes: ProcessRunner, tmp_path: Path
) -> None:
    """Refused while it serves; afterwards devices and sign-ins count, and what came later is taken again."""
    with started_server(tmp_path) as server:
        token = server.sign_in()["access_token"]
        with SyncClient(server.sync_url) as client:
            (welcome, *_) = client.join(token)
            client.submit(create(1))
            path = backed_up(server, tmp_path / "backups")
            client.submit(numbered(2, Move(Stage.PICKING)))
            words = ("restore", path, "--yes", "--data", server.data)
            refused = processes.run(BIN / PROGRAM, *words)
            assert "[DATA_IN_USE]" in refused.stderr
            assert client.submit(numbered(3, Move(Stage.PICKED)))[0].seq == 3
        server.stop()
        assert "restored" in server.command("restore", path, "--yes").lower()
        server.start()
        with SyncClient(server.sync_url) as client:
            again, *_ = client.join(token, next_device_seq=2)
            assert isinstance(welcome, Welcome)
            assert isinstance(again, Welcome)
            assert again.epoch != welcome.epoch
            assert (again.head, again.durable_seq, again.decided_device_seq) == (1, 1, 1)
            (verdict,) = client.submit(numbered(2, Move(Stage.PICKING)))
            assert (verdict.seq, verdict.outcome) == (2, Outcome.APPLIED)


def test_ctrl_c_ends_a_backup_without_a_trace(
    own_server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Whenever it comes: no file, no folder, exit code 130, unless the backup was done before."""
    own_server.command("demo", "--orders", "300")
    goal = tmp_path / "backups"
    where = (
        "--data",
        own_server.data,
        *(("--database", own_server.database_url) if own_server.database_url else ()),
    )
    process = processes.start_program(PROGRAM, "backup", "--to", goal, *where)
    while process.is_running() and not goal.exists():
        pass
    process.send_signal(signal.SIGINT)
    code = process.wait()
    left = [path.name for path in goal.iterdir()] if goal.exists() else []
    assert (code, left) == (130, []) or (code == 0 and len(left) == 2)
    assert "Traceback" not in process.stderr
