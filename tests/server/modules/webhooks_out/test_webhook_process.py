"""A real server that is killed between a commit and its telling: nothing is lost."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from server.folders import DATABASE_VARIABLE
from server.main import main
from support.real_server import RealServer, started_server
from support.receivers import Receiver
from support.shops import SECRET, shopify_order, signed
from support.waiting import eventually

pytestmark = pytest.mark.timeout(120)


def command(server: RealServer, *words: str, typed: str, patch: pytest.MonkeyPatch) -> None:
    """Run a command on the server's data, within this process."""
    patch.setattr(sys, "stdin", io.StringIO(typed))
    assert main([*words, "--data", str(server.data)]) == 0


def post_order(server: RealServer, path: str, number: int) -> str:
    """Have the shop send an order; return what became of it."""
    body = json.dumps(shopify_order(id=number, name=f"#{number}")).encode()
    headers = {"X-Shopify-Topic": "orders/create", "X-Shopify-Hmac-Sha256": signed(body)}
    answer = httpx.post(f"{server.url}{path}", content=body, headers=headers)
    answer.raise_for_status()
    return str(answer.json()["outcome"])


def test_a_kill_between_commit_and_telling_loses_nothing(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Orders come in by webhook and by folder, the server is killed, and after its start all are told."""
    place = tmp_path / "in"
    place.mkdir()
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)
    with Receiver() as receiver, started_server(tmp_path, database_url) as server:
        source = ("webhook", "source", "add", "--kind", "shopify", "--name", "Shop", "--secret-stdin")
        command(server, *source, typed=SECRET, patch=monkeypatch)
        path = capsys.readouterr().out.split()[5]
        target = ("webhook", "target", "add", "--name", "Program", "--url", receiver.url, "--secret-stdin")
        command(server, *target, "--events", "created", typed=SECRET, patch=monkeypatch)
        command(server, "folder", "add", "--path", str(place), typed="", patch=monkeypatch)
        assert post_order(server, path, 1) == "created"
        eventually(lambda: receiver.events == ["created 1"], 20, "the first order is told")
        receiver.stop()
        assert [post_order(server, path, number) for number in range(2, 12)] == ["created"] * 10
        server.kill()
        whole = place / "orders.csv"
        whole.write_text("order_ref,customer,city,sku,name,quantity\nF-1,Ada,Oslo,S-1,Lamp,2\n")
        os.utime(whole, (0, 0))
        receiver.start()
        server.start()
        expected = {f"created {number}" for number in [*range(1, 12), "F-1"]}
        eventually(lambda: set(receiver.events) == expected, 60, "all are told")
        assert post_order(server, path, 5) == "unchanged"
        eventually((place / "done" / "orders.csv.report.json").exists, 20, "the file is put aside")
        assert server.stop() == 0
    ids = {got.told["id"] for got in receiver.got}
    assert len(ids) == len(expected)
