"""Webhooks out: a real program is told; whatever it does, nothing is lost and nobody is held up."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.modules.webhooks_out import sending
from server.telling.outbox import LEASE_MS
from support.receivers import Got, Receiver
from support.telling_bench import SECRET, TellingBench
from support.waiting import eventually
from sync.contract.operations import Move, PutOnHold
from sync.contract.stages import Stage

LONG_MS = 5 * 3600 * 1000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TellingBench]:
    """Three orders."""
    with TellingBench(tmp_path / "data") as bench:
        yield bench


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that takes everything."""
    with Receiver() as receiver:
        yield receiver


def test_what_happens_is_told_and_signed(bench: TellingBench, receiver: Receiver) -> None:
    """Whoever has the secret can check who says it, and when."""
    bench.target(url=receiver.url)
    bench.do(PutOnHold("other"))
    bench.send()
    (got,) = receiver.got
    assert got.event == "held A-0"
    headers = got.headers
    assert headers["content-type"] == "application/json"
    assert headers["x-fulfillment-kanban-event"] == "held"
    assert headers["x-fulfillment-kanban-delivery"] == got.told["id"]
    timestamp = headers["x-fulfillment-kanban-timestamp"]
    assert timestamp == str(bench.clock.wall // 1000)
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert headers["x-fulfillment-kanban-signature"] == f"sha256={expected}"
    assert [each.id for each in bench.done()] == [got.told["id"]]


def test_nothing_is_told_twice(bench: TellingBench, receiver: Receiver) -> None:
    """Once it was taken."""
    bench.target(url=receiver.url)
    bench.do(Move(Stage.PICKING))
    for _ in range(3):
        bench.send()
        bench.clock.advance(LONG_MS)
    assert receiver.events == ["moved A-0"]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410, 422, 500])
def test_whatever_is_not_success_is_tried_again(bench: TellingBench, receiver: Receiver, status: int) -> None:
    """Under the same id, with the same body and a fresh time; redirects are not followed."""
    bench.target(url=receiver.url)
    receiver.answer = lambda _: status
    bench.do(Move(Stage.PICKING))
    bench.send()
    assert [each.answer for each in bench.waiting()] == [f"HTTP {status}"]
    receiver.answer = lambda _: 204
    bench.clock.advance(LONG_MS)
    bench.send()
    first, second = receiver.got
    assert {got.path for got in receiver.got} == {"/told"}
    assert first.body == second.body
    signatures = {got.headers["x-fulfillment-kanban-signature"] for got in receiver.got}
    assert len(signatures) == 2
    assert len(bench.done()) == 1


def test_a_program_that_was_gone_is_told_when_it_is_back(bench: TellingBench, receiver: Receiver) -> None:
    """In the order of each order's story."""
    bench.target(url=receiver.url)
    receiver.stop()
    bench.do(Move(Stage.PICKING))
    bench.do(Move(Stage.PICKED))
    bench.do(Move(Stage.PICKING), 1)
    bench.send()
    assert {each.answer for each in bench.waiting()} == {"no answer: no connection", ""}
    receiver.start()
    bench.clock.advance(LONG_MS)
    bench.send()
    stages = [(got.event, got.told["order"]["stage"]) for got in receiver.got]
    assert sorted(stages[:2]) == [("moved A-0", "picking"), ("moved A-1", "picking")]
    assert stages[2:] == [("moved A-0", "picked")]
    assert bench.waiting() == []


def test_a_target_that_hangs_holds_nobody_up(
    bench: TellingBench, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is told while the first still hangs, and hears what happens meanwhile."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 1.5)
    monkeypatch.setattr(sending, "LOOK_S", 0.02)
    with Receiver() as hanging:

        def hang(_: Got) -> int:
            hanging.go.wait(20)
            return 200

        hanging.answer = hang
        bench.target("Hangs", hanging.url)
        bench.target("Works", receiver.url)
        bench.do(Move(Stage.PICKING))
        job = threading.Thread(target=bench.send)
        job.start()
        eventually(lambda: receiver.events == ["moved A-0"] and hanging.got)
        bench.do(Move(Stage.PICKED))
        eventually(lambda: len(receiver.events) == 2)
        assert len(hanging.got) == 1
        job.join(20)
        assert not job.is_alive()
    assert [each.answer for each in bench.waiting()] == ["no answer within 1.5 s", ""]


def test_an_answer_that_never_ends_counts_as_none(
    bench: TellingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte in time is not an answer in time."""
    monkeypatch.setattr(sending, "TIMEOUT_S", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.05):
                try:
                    connection.sendall(b"X-More: 1\r\n")
                except OSError:
                    return

    dripping = threading.Thread(target=drip)
    dripping.start()
    bench.target(url=f"http://127.0.0.1:{listener.getsockname()[1]}/")
    bench.do(Move(Stage.PICKING))
    bench.send()
    ended.set()
    dripping.join(5)
    listener.close()
    assert [each.answer for each in bench.waiting()] == ["no answer within 0.5 s"]


def test_a_target_that_is_gone_is_left_alone_for_a_moment(bench: TellingBench) -> None:
    """With many deliveries due it gets a few tries a turn, not all of them."""
    bench.target()
    bench.import_orders(50, first=100)
    bench.send()
    attempts = [each.attempts for each in bench.waiting()]
    assert (len(attempts), sum(attempts)) == (50, sending.AT_ONCE)


def test_a_stop_ends_the_job_soon_and_loses_nothing(bench: TellingBench, receiver: Receiver) -> None:
    """What was on its way is sent again once its claim has ended: at least once, same id."""

    def hang(_: Got) -> int:
        receiver.go.wait(20)
        return 200

    receiver.answer = hang
    bench.target(url=receiver.url)
    bench.do(Move(Stage.PICKING))
    job = threading.Thread(target=bench.send)
    job.start()
    eventually(lambda: receiver.got)
    began = time.monotonic()
    bench.stopping.set()
    job.join(5)
    assert not job.is_alive()
    assert time.monotonic() - began < 5
    receiver.go.set()
    receiver.answer = lambda _: 200
    bench.stopping.clear()
    bench.clock.advance(LEASE_MS)
    bench.send()
    assert len({got.told["id"] for got in receiver.got}) == 1
    assert len(bench.done()) == 1


def test_a_password_in_the_address_is_sent_as_such(bench: TellingBench, receiver: Receiver) -> None:
    """Some programs want that beside the signature."""
    bench.target(url=receiver.url.replace("//", "//kanban:canary@"))
    bench.do(Move(Stage.PICKING))
    bench.send()
    assert receiver.got[0].headers["authorization"] == "Basic a2FuYmFuOmNhbmFyeQ=="


@pytest.mark.expects_log_warnings
def test_no_address_and_no_secret_is_logged(
    bench: TellingBench, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails."""
    with caplog.at_level("DEBUG", "server"):
        bench.target("One", "http://me:canary@127.0.0.1:1/canary?token=canary")
        bench.target("Two", receiver.url.replace("//", "//me:canary@") + "?canary")
        bench.target("Three", "http://canary.invalid:1/")
        receiver.answer = lambda _: 503
        bench.do(Move(Stage.PICKING))
        bench.send()
        receiver.answer = lambda _: 200
        for _ in range(40):
            bench.clock.advance(LONG_MS)
            bench.send()
    texts = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert texts
    assert not [text for text in texts if "canary" in text or SECRET in text]
    assert not [each for each in bench.waiting() if "canary" in each.answer]


def test_an_idle_job_sends_nothing_and_loads_nothing(bench: TellingBench) -> None:
    """Most servers tell nobody; the client for it is memory."""
    bench.do(Move(Stage.PICKING))
    bench.send()
    bench.target()
    bench.send()
    assert bench.waiting() == []


def test_two_servers_on_one_database_tell_everything_once(
    tmp_path: Path, database_url: str, receiver: Receiver
) -> None:
    """Each claims what it sends; the story of an order stays in its order."""
    with TellingBench(tmp_path / "data", database_url, orders=6) as bench:
        bench.target(url=receiver.url)
        for _ in range(3):
            for place in range(6):
                bench.do(Move(Stage.PICKING), place)
            for place in range(6):
                bench.do(Move(Stage.CONFIRMED), place)
        errors: list[BaseException] = []

        def serve() -> None:
            try:
                while bench.waiting() or bench.outbox.behind():
                    bench.send()
            except BaseException as error:  # noqa: BLE001 - the test fails with it
                errors.append(error)

        servers = [threading.Thread(target=serve) for _ in range(2)]
        for server in servers:
            server.start()
        for server in servers:
            server.join(30)
        assert errors == []
        assert len(receiver.got) == len({got.told["id"] for got in receiver.got}) == 36
        for place in range(6):
            seqs = [got.told["seq"] for got in receiver.got if got.event == f"moved A-{place}"]
            assert seqs == sorted(seqs)
