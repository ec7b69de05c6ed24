"""The engine's local socket: raising the window, attaching, and guests that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from support.orders import make_order
from support.waiting import eventually
from sync.client import local_socket, remote_engine
from sync.client.commands import OlderQuestion
from sync.client.local_socket import (
    Door,
    Request,
    address_of,
    connected,
    hand_over,
    news_from_line,
    news_line,
)
from sync.client.news import (
    NEWS_TYPES,
    BoardChanged,
    ConnectionChanged,
    LinkState,
    News,
    OlderOrdersFound,
    OperationsDecided,
    OperationsNotSaved,
    OperationsSaved,
    ProblemArose,
    Started,
    Stopped,
)
from sync.client.remote_engine import RemoteEngine
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Move, Operation, Outcome, PutOnHold, Reason
from sync.contract.problems import Problem, ProblemError
from sync.contract.stages import Stage

OPERATION = Operation("op-1", "order-1", Move(Stage.PICKING), "device-1", 1)
STARTED = Started(
    (OPERATION,), Site("s", "Hall A", "Europe/London", "o", "O"), Person("p", "Eva", "picker", "i"), 5
)


class Host:
    """Notes what is asked."""

    has_window = True

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def on_request(self, request: Request) -> None:
        """Note it."""
        self.asked.append(request)

    def first_news(self) -> list[News]:
        """Return two."""
        return [STARTED, ConnectionChanged(LinkState.LIVE, 7)]


class OpenDoor:
    """A door on an event loop in a thread of its own."""

    def __init__(self, path: Path) -> None:
        self.host = Host()
        self.door = Door(path, self.host)
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.door.open())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self.door.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def run(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
        """Run a coroutine on the door's loop."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(5)

    def tell(self, news: News) -> None:
        """Tell news on the door's loop."""

        async def tell() -> None:
            self.door.tell(news)

        self.run(tell())


def lines(path: Path, request: bytes, count: int) -> list[dict[str, Any]]:
    """Send one line and return the lines that come back."""
    with connected(path) as guest, guest.makefile("rb") as answers:
        guest.sendall(request)
        return [json.loads(answers.readline()) for _ in range(count)]


def send_for_ever(guest: socket.socket) -> None:
    """Send a line that does not end."""
    while True:
        guest.sendall(b"x" * 100_000)


def test_nobody_listens_means_that_nobody_raised_a_window(tmp_path: Path) -> None:
    """Neither without a socket nor with one that a crash has left."""
    assert not hand_over(tmp_path / "engine.sock")
    (tmp_path / "engine.sock").touch()
    assert not hand_over(tmp_path / "engine.sock")


def test_a_second_start_raises_the_first_window(tmp_path: Path) -> None:
    """And replaces what a crash has left at the socket's place."""
    path = tmp_path / "engine.sock"
    path.touch()
    with OpenDoor(path) as door:
        assert hand_over(path)
        assert door.host.asked == [Request(raise_={})]
        assert path.stat().st_mode & 0o777 == 0o600
    assert not path.exists()


def test_a_program_without_a_window_raises_none(tmp_path: Path) -> None:
    """The second start then says whose profile it is instead of ending without a word."""
    with OpenDoor(tmp_path / "engine.sock") as door:
        door.host.has_window = False
        assert not hand_over(tmp_path / "engine.sock")
        assert door.host.asked == []


def test_a_long_profile_path_has_its_socket_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's addresses are short; both sides work out the same place."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    long = Path("/far") / ("x" * 120) / "engine.sock"
    other = Path("/far") / ("y" * 120) / "engine.sock"
    assert address_of(long).parent == tmp_path
    assert len({address_of(long), address_of(other)}) == 2
    assert address_of(tmp_path / "engine.sock") == tmp_path / "engine.sock"


def test_somebody_elses_socket_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder for everybody a stranger could lie in wait."""
    with OpenDoor(tmp_path / "engine.sock"):
        monkeypatch.setattr(os, "getuid", lambda: 4711)
        assert not hand_over(tmp_path / "engine.sock")


def test_who_attaches_hears_what_was_and_what_comes(tmp_path: Path) -> None:
    """First where everybody is, then every news; requests reach the engine."""
    path = tmp_path / "engine.sock"
    heard: list[News] = []
    is_there = threading.Semaphore(0)

    def listen(news: News) -> None:
        heard.append(news)
        is_there.release()

    with OpenDoor(path) as door:
        engine = RemoteEngine(path, listen)
        engine.start()
        for _ in range(2):
            assert is_there.acquire(timeout=5)
        door.tell(OperationsSaved((OPERATION,)))
        assert is_there.acquire(timeout=5)
        engine.submit([OPERATION])
        engine.find_older(OlderQuestion("guest", 1, "SO-1"))
        engine.acknowledge("op-7")
        engine.retry("op-8")
        engine.accept_board()
        engine.try_now()
        # Requests of one guest are carried out in order.
        eventually(lambda: Request(try_now={}) in door.host.asked)
        assert engine.stop()
        assert engine.stop()
        engine.try_now()
        asked = door.host.asked
    assert heard == [
        STARTED,
        ConnectionChanged(LinkState.LIVE, 7),
        OperationsSaved((OPERATION,)),
        Stopped(True),
    ]
    assert Request(attach={}) in asked
    assert Request(submit=(OPERATION,)) in asked
    assert Request(find_older=OlderQuestion("guest", 1, "SO-1")) in asked
    assert Request(acknowledge="op-7") in asked
    assert Request(retry="op-8") in asked
    assert Request(accept_board={}) in asked


def test_what_does_not_fit_through_the_door_is_told_as_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One operation longer than a line, or more at once than is gathered: the door stays open."""
    path = tmp_path / "engine.sock"
    heard: list[News] = []
    long = Operation("long", "order-1", PutOnHold("other", "x" * local_socket.LINE_BYTES))
    some = [Operation(f"op-{number}", "order-1", PutOnHold("other", "x" * 60_000)) for number in range(3)]
    monkeypatch.setattr(remote_engine, "_GATHERED_ROOM", 150_000)
    with OpenDoor(path) as door:
        engine = RemoteEngine(path, heard.append)
        engine.start()
        engine.submit([OPERATION, long])
        engine.submit(some)
        engine.submit(some[:2])
        eventually(lambda: Request(submit=tuple(some[:2])) in door.host.asked)
        engine.stop()
        assert [each for each in door.host.asked if each.submit] == [Request(submit=tuple(some[:2]))]
    refused = [each.op_ids for each in heard if isinstance(each, OperationsNotSaved)]
    assert refused == [("op-1", "long"), ("op-0", "op-1", "op-2")]


def test_any_number_of_operations_gets_through_the_door(tmp_path: Path) -> None:
    """A line has a limit; what is longer goes in several, and is one request to the engine all the same."""
    path = tmp_path / "engine.sock"
    many = [
        Operation(f"op-{number}", "order-1", PutOnHold("other", "x" * 60_000), "device-1", number)
        for number in range(1, 41)
    ]
    with OpenDoor(path) as door:
        engine = RemoteEngine(path, lambda _: None)
        engine.start()
        engine.submit(many)
        engine.try_now()
        eventually(lambda: Request(try_now={}) in door.host.asked)
        engine.stop()
        asked = [request.submit for request in door.host.asked if request.submit]
    assert asked == [tuple(many)]


def test_operations_without_end_are_shown_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to be kept all or none must fit into memory; nothing of it reaches the engine."""
    monkeypatch.setattr(local_socket, "GATHERED_BYTES", 1_000)
    path = tmp_path / "engine.sock"
    line = b'{"submit":[],"more":true,"padding":"%s"}\n' % (b"x" * 600)
    with OpenDoor(path) as door, connected(path) as guest:
        guest.sendall(line * 2)
        assert guest.recv(1) == b""
        assert door.host.asked == []


def test_an_engine_that_goes_away_is_told(tmp_path: Path) -> None:
    """The listener hears why it is over, and that it was not clean."""
    path = tmp_path / "engine.sock"
    heard: list[News] = []
    with OpenDoor(path):
        engine = RemoteEngine(path, heard.append)
        engine.start()
        eventually(lambda: heard)
    engine._thread.join(5)
    assert heard[-2:] == [ProblemArose(remote_engine.GONE), Stopped(False)]
    engine.stop()


def test_a_profile_in_use_without_a_door_is_a_problem(tmp_path: Path) -> None:
    """Whoever holds the lock does not answer."""
    with pytest.raises(ProblemError) as caught:
        RemoteEngine(tmp_path / "engine.sock", print).start()
    assert caught.value.problem.code == "PROFILE_IN_USE"


def test_a_line_that_is_no_request_is_answered(tmp_path: Path) -> None:
    """The guest may go on."""
    path = tmp_path / "engine.sock"
    with OpenDoor(path) as door:
        bad, good = lines(path, b'{"submit":5}\n{"raise":{}}\n', 2)
        assert bad["problem"]["code"] == "REQUEST_UNREADABLE"
        assert good == {"ok": {}}
        assert len(door.host.asked) == 1


def test_a_line_without_end_is_shown_out(tmp_path: Path) -> None:
    """The engine keeps nothing for it."""
    path = tmp_path / "engine.sock"
    with OpenDoor(path), connected(path) as guest, pytest.raises((BrokenPipeError, ConnectionResetError)):
        send_for_ever(guest)


@pytest.mark.parametrize(
    "news",
    [
        STARTED,
        OperationsNotSaved(("a", "b"), Problem("NOT_SAVED", "No.", "Do.")),
        OperationsDecided((Verdict(1, "a", 2, Outcome.REJECTED, Reason.ON_HOLD, "Eva", 3),)),
        BoardChanged((1, 2), (), ("a",), 9, 1),
        OlderOrdersFound("guest", 1, (make_order(1, retired_ms=5),), 7),
        OlderOrdersFound("guest", 2, problem=Problem("SERVER_UNREACHABLE", "No.")),
    ],
    ids=lambda news: type(news).__name__,
)
def test_news_cross_the_socket_whole(news: News) -> None:
    """Tuples, enumerations and operations come out as they went in."""
    assert news_from_line(news_line(news)) == news


def test_every_news_has_a_name_of_its_own() -> None:
    """The name on the line is the class."""
    assert len({kind.__name__ for kind in NEWS_TYPES}) == len(NEWS_TYPES)


@pytest.mark.parametrize("line", [b'{"ok":{}}', b"", b'{"news":"OfALaterRelease","body":{}}'])
def test_other_lines_are_no_news(line: bytes) -> None:
    """Answers, and what a later release may say."""
    assert news_from_line(line) is None
