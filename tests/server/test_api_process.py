"""Over a real server: what other programs bring in is on every terminal, and exports outlive the process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from support.real_server import RealServer, started_server
from support.sync_client import SyncClient
from support.waiting import eventually
from sync.contract.operations import Cancel, Move


def client_of(server: RealServer) -> httpx.Client:
    """Sign a program in."""
    token = server.sign_in()["access_token"]
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def orders(count: int, prefix: str = "A") -> list[dict[str, Any]]:
    """Return orders as a program sends them."""
    line = {"sku": "AB-12", "quantity": 1}
    return [{"external_ref": f"{prefix}-{place}", "lines": [line]} for place in range(count)]


def test_what_programs_do_is_on_every_terminal(tmp_path: Path) -> None:
    """In one log, in one order, each entry once."""
    with (
        started_server(tmp_path) as server,
        client_of(server) as program,
        SyncClient(server.sync_url) as terminal,
    ):
        terminal.join(server.sign_in()["access_token"])
        results = program.post("/orders", json=orders(300)).json()["orders"]
        made = terminal.log_until(300)
        assert [entry.seq for entry in made] == list(range(1, 301))
        assert [entry.operation.order_id for entry in made] == [each["order_id"] for each in results]
        wanted = [
            {"op_id": "1", "order_id": results[0]["order_id"], "kind": "move", "to": "picking"},
            {"op_id": "2", "order_id": results[1]["order_id"], "kind": "cancel", "note": "sold out"},
        ]
        program.post("/operations", json=wanted).raise_for_status()
        moved, cancelled = terminal.log_until(302)
        assert isinstance(moved.operation.change, Move)
        assert isinstance(cancelled.operation.change, Cancel)
        assert moved.actor_name == "Ana"


def test_two_programs_at_once_make_one_log(tmp_path: Path, database_url: str) -> None:
    """The same orders from both: each is made once, and whoever is second hears so."""
    with (
        started_server(tmp_path, database_url) as server,
        client_of(server) as one,
        client_of(server) as two,
    ):
        both = orders(400)
        with ThreadPoolExecutor(2) as threads:
            answers = list(threads.map(lambda program: program.post("/orders", json=both), (one, two)))
        results = [[each["result"] for each in answer.json()["orders"]] for answer in answers]
        assert [sorted(pair) for pair in zip(*results, strict=True)] == [["created", "unchanged"]] * 400
        found = one.get("/orders", params={"limit": 1}).json()
        assert found["total"] == 400


def test_an_export_outlives_the_process(tmp_path: Path) -> None:
    """Killed before it was finished, the server makes it after the next start; the file is whole."""
    with started_server(tmp_path) as server:
        with client_of(server) as program:
            for part in range(3):
                program.post("/orders", json=orders(1_000, f"P{part}")).raise_for_status()
            path = program.post("/exports", json={"format": "json"}).headers["location"]
        server.kill()
        server.start()
        with client_of(server) as program:
            eventually(lambda: program.get(path).json()["state"] == "finished", 45)
            exported = program.get(f"{path}/file").json()["orders"]
            assert len({order["external_ref"] for order in exported}) == len(exported) == 3_000
