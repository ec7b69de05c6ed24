"""The installed server, as a process, over loopback: what people and their programs really talk to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest
from sqlalchemy import make_url
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from server.database import FILE_NAME
from support.postgres_cluster import Postgres
from support.processes import ProcessRunner
from support.real_server import PROGRAM, RealServer, started_server
from support.server_bench import create, numbered
from support.sync_client import SyncClient
from sync.contract.messages import Auth, Decided, Faulted, Hello, Refused, SnapshotBegin, Submit, Welcome
from sync.contract.operations import Move, Outcome, Reason, Skip
from sync.contract.stages import Stage


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """One server for the tests that leave it as it is."""
    with started_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def own_server(tmp_path: Path, database_url: str) -> Iterator[RealServer]:
    """A server for a test that stops or changes it."""
    with started_server(tmp_path, database_url) as server:
        yield server


def test_a_client_goes_all_the_way(own_server: RealServer) -> None:
    """From one address and a device token to a board that follows: two clients, one move in each."""
    signed_in = own_server.sign_in()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    url = httpx.get(f"{own_server.url}/sync-address", headers=headers).json()["url"]
    assert url == own_server.sync_url
    with SyncClient(url) as one, SyncClient(url) as two:
        welcome, begin, _end = one.join(signed_in["access_token"], "device-1")
        assert isinstance(welcome, Welcome)
        assert isinstance(begin, SnapshotBegin)
        assert welcome.site.name == "Halle 1"
        two.join(signed_in["access_token"], "device-2")
        assert [verdict.outcome for verdict in one.submit(create(1))] == [Outcome.APPLIED]
        assert [entry.seq for entry in two.log_until(1)] == [1]
        two.submit(numbered(1, Move(Stage.PICKING), device="device-2"))
        assert one.log_until(2)[-1].operation.device_id == "device-2"
    board = httpx.get(f"{own_server.url}/orders/fulfillment-kanban", headers=headers).json()
    assert board["counts"]["picking"] == 1


def test_an_answered_operation_survives_a_kill(own_server: RealServer) -> None:
    """Killed right after the verdict; after the restart it is there, and sent again it is the same."""
    token = own_server.sign_in()["access_token"]
    with SyncClient(own_server.sync_url) as client:
        client.join(token)
        first = client.submit(create(1), numbered(2, Move(Stage.PICKING)))
        own_server.kill()
    own_server.start()
    with SyncClient(own_server.sync_url) as client:
        heard = client.join(token, next_device_seq=1)
        (begin,) = (message for message in heard if isinstance(message, SnapshotBegin))
        assert (begin.orders, begin.decided_device_seq) == (1, 2)
        assert client.submit(create(1), numbered(2, Move(Stage.PICKING))) == first


def test_the_board_of_one_site_is_not_the_others(own_server: RealServer) -> None:
    """Two organisations on one server: neither hears of the other's operations."""
    own_server.command(
        "setup", "--organization", "Other", "--site", "Elsewhere", "--time-zone", "UTC", "--user", "Eva"
    )
    token_file = own_server.token_file.with_name("eva.json")
    own_server.command(
        "device", "add", "--site", "Elsewhere", "--user", "Eva", "--name", "E", "--token-file", token_file
    )
    eva = own_server.sign_in(json.loads(token_file.read_text())["device_token"])
    ana = own_server.sign_in()
    with SyncClient(own_server.sync_url) as one, SyncClient(own_server.sync_url) as two:
        one.join(ana["access_token"], "device-1")
        two.join(eva["access_token"], "device-2")
        one.submit(create(1))
        (verdict,) = two.submit(numbered(1, Move(Stage.PICKING), device="device-2"))
        assert (verdict.seq, verdict.outcome) == (1, Outcome.REJECTED)
        assert [entry.operation.device_id for entry in two.log_until(1)] == ["device-2"]


def test_what_another_process_imports_is_fanned_out(own_server: RealServer) -> None:
    """The demo orders come from a command beside the running server."""
    with SyncClient(own_server.sync_url) as client:
        client.join(own_server.sign_in()["access_token"])
        own_server.command("demo", "--orders", "300")
        entries = client.log_until(300)
    assert [entry.seq for entry in entries] == list(range(1, 301))


def test_revoking_a_device_reaches_its_live_connection(own_server: RealServer) -> None:
    """From another process, within seconds; then its token is worth nothing."""
    with SyncClient(own_server.sync_url) as client:
        client.join(own_server.sign_in()["access_token"])
        own_server.command("device", "revoke", "Station 1")
        refused = client.hear_one(Refused)
        assert refused.problem.code == "SIGNED_OUT"
        assert client.closed() == (1008, "SIGNED_OUT")
    answer = httpx.post(f"{own_server.url}/sign-in", json={"device_token": own_server.device_token})
    assert (answer.status_code, answer.json()["code"]) == (401, "DEVICE_REVOKED")


def test_two_servers_on_one_database_are_one_server(tmp_path: Path, postgresql_url: str) -> None:
    """Signed in at either, what one decides the other tells; its sequence has no gap and no doublet."""
    with (
        started_server(tmp_path / "a", postgresql_url) as first,
        started_server(tmp_path / "b", postgresql_url) as second,
    ):
        token = first.sign_in()["access_token"]
        with SyncClient(first.sync_url) as one, SyncClient(second.sync_url) as two:
            one.join(token, "device-1")
            two.join(token, "device-2")
            one.submit(*(create(number, f"order-{number}") for number in range(1, 11)))
            assert [entry.seq for entry in two.log_until(10)] == list(range(1, 11))
            two.submit(numbered(1, Move(Stage.PICKING), "order-3", "device-2"))
            assert one.log_until(11)[-1].operation.order_id == "order-3"
            second.kill()
            assert [verdict.seq for verdict in one.submit(create(11, "order-11"))] == [12]


def test_an_operation_that_cannot_be_stored_holds_up_its_own_device_only(tmp_path: Path) -> None:
    """Whatever it is that the tables refuse: its sender is told, and everybody else is answered."""
    with started_server(tmp_path) as server:
        with contextlib.closing(sqlite3.connect(server.data / FILE_NAME)) as other:
            other.execute(
                "CREATE TRIGGER poison BEFORE INSERT ON operation_log WHEN NEW.op_id = 'op-poison'"
                " BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        token = server.sign_in()["access_token"]
        with SyncClient(server.sync_url) as one, SyncClient(server.sync_url) as two:
            one.join(token, "device-1")
            two.join(token, "device-2")
            poison = msgspec.structs.replace(create(1), op_id="op-poison")
            one.say(Submit([poison, numbered(2, Move(Stage.PICKING))]))
            assert [verdict.seq for verdict in two.submit(create(1, "order-2", "device-2"))] == [1]
            assert one.hear_one(Faulted) == Faulted(1, "op-poison")
            (gap,) = one.hear_one(Decided).verdicts
            assert (gap.device_seq, gap.reason) == (2, Reason.DEVICE_SEQ_GAP)
            skipped = msgspec.structs.replace(poison, change=Skip(), op_id="op-skip")
            assert [verdict.seq for verdict in one.submit(skipped)] == [2]


def test_the_database_may_restart_under_a_server(own_server: RealServer) -> None:
    """Its sessions are ended between two batches; the client notices nothing."""
    with SyncClient(own_server.sync_url) as client:
        client.join(own_server.sign_in()["access_token"])
        client.submit(create(1))
        if own_server.database_url:
            with psycopg.connect(own_server.database_url) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        assert [verdict.seq for verdict in client.submit(numbered(2, Move(Stage.PICKING)))] == [2]


def test_a_database_that_is_away_comes_back(tmp_path: Path, postgres: Postgres, postgresql_url: str) -> None:
    """Meanwhile clients are turned away and /ready says so; then all goes on, nothing is decided twice."""
    name = make_url(postgresql_url).database
    operations = (create(1), numbered(2, Move(Stage.PICKING)))
    with started_server(tmp_path, postgresql_url) as server:
        token = server.sign_in()["access_token"]
        with SyncClient(server.sync_url) as client:
            client.join(token)
            client.submit(operations[0])
            postgres.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            postgres.ask(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
            client.say(Submit([operations[1]]))
            assert client.closed() == (1011, "SERVER_FAULT")
        assert httpx.get(f"{server.url}/ready").status_code == 503
        postgres.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert httpx.get(f"{server.url}/ready").status_code == 200
        with SyncClient(server.sync_url) as client:
            client.join(token)
            assert [verdict.seq for verdict in client.submit(*operations)] == [1, 2]
        log = (server.data / "logs" / "server.jsonl").read_text()
        assert "is not currently accepting connections" in log


def test_a_polite_stop_tells_everybody_and_exits_with_0(own_server: RealServer) -> None:
    """Clients hear why; the log ends with it; the ports are free again."""
    with SyncClient(own_server.sync_url) as client:
        client.join(own_server.sign_in()["access_token"])
        os.kill(own_server.pid, signal.SIGTERM)
        assert client.hear_one(Refused).problem.code == "SERVER_STOPPING"
        assert client.closed()[0] == 1001
    assert own_server.process.wait() == 0
    lines = (own_server.data / "logs" / "server.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["event"] == "stopped"
    own_server.start()
    assert httpx.get(f"{own_server.url}/ready").status_code == 200


def test_the_log_holds_neither_tokens_nor_orders(own_server: RealServer) -> None:
    """Everything that went over the wire was kept out of it."""
    signed_in = own_server.sign_in()
    headers = {"Authorization": f"Bearer {signed_in['access_token']}"}
    with SyncClient(own_server.sync_url) as client:
        client.join(signed_in["access_token"])
        client.submit(create(1))
    httpx.get(f"{own_server.url}/orders/fulfillment-kanban", headers=headers)
    httpx.post(f"{own_server.url}/sign-in", json={"device_token": "wrong"})
    order = create(1).change.order  # type: ignore[union-attr]
    assert order is not None
    log = (own_server.data / "logs" / "server.jsonl").read_text() + own_server.process.stderr
    assert '"path": "/orders/fulfillment-kanban"' in log
    for secret in (
        signed_in["access_token"],
        signed_in["refresh_token"],
        own_server.device_token,
        order.customer,
        order.number,
    ):
        assert secret not in log


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}])
def test_a_browser_is_not_served_on_the_socket(server: RealServer, headers: dict[str, str]) -> None:
    """Only programs speak there."""
    with (
        pytest.raises(InvalidStatus) as caught,
        connect(server.sync_url, additional_headers=headers, compression=None),
    ):
        pass
    assert caught.value.response.status_code == 403


def test_a_deadline_and_limits_hold_on_the_wire(server: RealServer) -> None:
    """Who says nothing, too much, or nonsense is closed, and nobody else notices."""
    token = server.sign_in()["access_token"]
    with SyncClient(server.sync_url) as honest:
        honest.join(token, "honest")
        for frame, code in (("{", 1002), ("x" * 70_000, 1009), (b"\x00" * 10, 1002)):
            with SyncClient(server.sync_url) as client:
                client.say(frame)
                assert client.closed()[0] == code
        with SyncClient(server.sync_url) as client:
            client.say(Auth("nobody"))
            client.say(Hello(2, 2, "1.0", "d", 1))
            assert client.hear_one(Refused).problem.code == "SIGN_IN_NEEDED"
        with SyncClient(server.sync_url) as silent:
            assert silent.closed() == (1008, "SIGN_IN_NEEDED")
        honest.say(Auth(token))
        honest.submit(create(1, "order-honest", "honest"))


def test_compression_of_messages_is_never_agreed(server: RealServer) -> None:
    """Deltas go out as they are: one encoding for all."""
    with connect(server.sync_url, compression="deflate") as client:
        assert client.protocol.extensions == []


def test_noise_on_the_socket_port_is_survived(server: RealServer) -> None:
    """HTTP requests, half a handshake, and a line of nonsense."""
    host, port = server.sync_url.removeprefix("ws://").rstrip("/").split(":")
    for noise in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x00", b"GET / HT"):
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(noise)
    with SyncClient(server.sync_url) as client:
        client.join(server.sign_in()["access_token"], "after-noise")
    assert server.process.is_running()
    assert "Traceback" not in server.process.stderr


def test_the_server_idles_within_its_memory(server: RealServer) -> None:
    """At most 60 MB with every module loaded (private and its share of what is shared)."""
    rollup = Path(f"/proc/{server.pid}/smaps_rollup").read_text()
    pss_kb = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
    assert pss_kb <= 60 * 1024


def test_a_taken_port_is_one_sentence(server: RealServer, processes: ProcessRunner) -> None:
    """No traceback, exit code 1."""
    port = server.url.rpartition(":")[2]
    for words in (("--port", port), ("--port", "0", "--sync-port", port)):
        process = processes.start_program(PROGRAM, "serve", "--data", server.data, *words)
        assert process.wait() == 1
        assert "[CANNOT_LISTEN]" in process.stderr
        assert f" port {port}: Address already in use. " in process.stderr
        assert "Traceback" not in process.stderr


def test_an_embedded_server_needs_nothing_and_ends_with_its_parent(
    tmp_path: Path, processes: ProcessRunner
) -> None:
    """It sets itself up, tells its launcher how to sign in, and stops when the pipe closes."""
    data = tmp_path / "profile" / "server"
    tokens: list[str] = []
    for _start in range(2):
        process = processes.start_program(PROGRAM, "serve", "--embedded", "--data", data)
        told = process.wait_for_json()
        assert set(told) == {"url", "device_token"}
        tokens.append(told["device_token"])
        answer = httpx.post(f"{told['url']}/sign-in", json={"device_token": told["device_token"]})
        assert answer.json()["person"]["role"] == "supervisor"
        for old in tokens[:-1]:
            refused = httpx.post(f"{told['url']}/sign-in", json={"device_token": old})
            assert refused.status_code == 401
        process.close_input()
        assert process.wait() == 0
        assert process.stdout.count("\n") == 0
        assert process.stderr == ""


def test_a_dead_client_does_not_hold_the_server_up(own_server: RealServer) -> None:
    """A socket that says nothing more, not even good-bye: the stop still ends in time."""
    host, port = own_server.sync_url.removeprefix("ws://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 101")
        os.kill(own_server.pid, signal.SIGINT)
        assert own_server.process.wait(15) == 0
