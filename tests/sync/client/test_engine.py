"""The engine as composition holds it: threads, files and news, without a server."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from support.clocks import CountingIds, FakeClock
from support.waiting import eventually
from sync.client import engine_loop
from sync.client.cache import Cache
from sync.client.commands import OlderQuestion, SubmitDrafts
from sync.client.engine import Engine
from sync.client.local_socket import Request, hand_over
from sync.client.machine import ClientMachine
from sync.client.news import (
    ConnectionChanged,
    LinkState,
    News,
    OlderOrdersFound,
    OperationsNotSaved,
    OperationsSaved,
    ProblemArose,
    ProblemCleared,
    RaiseWanted,
    Started,
    Stopped,
)
from sync.client.outbox import Outbox
from sync.client.profile import Profile, open_profile
from sync.client.session import Credentials
from sync.client.stores.ballast import ENOUGH_BYTES, Ballast
from sync.contract.messages import Site, Verdict
from sync.contract.operations import Move, Operation, Outcome
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage
from sync.contract.steps import Command, Effect, Event
from telemetry.recorder import MemoryRecorder

T = TypeVar("T")
SITE = Site("site-1", "Hall", "Europe/London", "shop-1", "Shop")


def draft(name: str) -> Operation:
    """Return a move without a number."""
    return Operation(name, "order-1", Move(Stage.PICKING))


class NoServer:
    """Credentials of a server that cannot be reached."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.is_closed = False

    async def get(self, *, is_renewal: bool = False) -> str:
        """Fail."""
        raise self.error

    async def sync_address(self) -> str:
        """Fail."""
        raise self.error

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Fail."""
        raise self.error

    def expires_ms(self) -> int:
        """Know of no token."""
        return 0

    async def close(self) -> None:
        """Note it."""
        self.is_closed = True


class Bench:
    """One profile and the engines that a test starts on it."""

    def __init__(self, folder: Path) -> None:
        self.profile: Profile = open_profile(folder)
        self.news: list[News] = []
        self.recorder = MemoryRecorder()
        self.engines: list[Engine] = []
        self.listener: Callable[[News], None] = self.news.append

    def listen(self, news: News) -> None:
        """Give news to whoever listens now."""
        self.listener(news)

    def engine(self, session: Credentials | None = None) -> Engine:
        """Return an engine that is not started."""
        self.engines.append(
            Engine(
                self.profile,
                session,
                self.listen,
                clock=FakeClock(),
                ids=CountingIds(),
                random=random.Random(1),
                recorder=self.recorder,
                version="1.0",
                has_window=True,
            )
        )
        return self.engines[-1]

    def wait(self, kind: type[T], wanted: Callable[[T], bool] = lambda _: True) -> T:
        """Return the first news of a kind that is wanted."""

        def found() -> T | None:
            return next((news for news in list(self.news) if isinstance(news, kind) and wanted(news)), None)

        news = eventually(found, 10, kind.__name__)
        assert news is not None
        return news


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a bench; its engines are stopped afterwards."""
    made = Bench(tmp_path / "profile")
    yield made
    for engine in made.engines:
        engine.stop()


def test_moves_without_a_server_are_saved_and_found_again(bench: Bench) -> None:
    """Also those that were made before the files were open; the next start knows them."""
    engine = bench.engine()
    engine.submit([draft("early")])
    engine.start()
    bench.wait(OperationsSaved)
    engine.submit([draft("late")])
    assert engine.stop()
    assert isinstance(bench.news[0], Started)
    assert bench.news[-1] == Stopped(True)
    assert bench.recorder.total("operations.saved") == 2
    bench.news.clear()
    again = bench.engine()
    again.start()
    started = bench.wait(Started)
    assert [each.op_id for each in started.operations] == ["early", "late"]
    assert [each.device_seq for each in started.operations] == [1, 2]


def test_what_the_server_has_refused_is_not_shown_again_at_the_next_start(bench: Bench) -> None:
    """Its verdict is stored, although the board is not there yet: no card jumps for a moment."""
    with closing(Outbox.open(bench.profile.outbox, CountingIds()).outbox) as outbox:
        outbox.append([draft("refused"), draft("applied"), draft("pending")])
        verdicts = [Verdict(1, "refused", 8, Outcome.REJECTED), Verdict(2, "applied", 9, Outcome.APPLIED)]
        outbox.decide(verdicts)
    bench.engine().start()
    started = bench.wait(Started)
    assert [each.op_id for each in started.operations] == ["applied", "pending"]


def test_stopping_right_after_a_move_saves_it(bench: Bench) -> None:
    """What a person did before closing the window is on the disk."""
    engine = bench.engine()
    engine.start()
    bench.wait(Started)
    for place in range(50):
        engine.submit([draft(f"op-{place}")])
    assert engine.stop()
    saved = [each for news in bench.news if isinstance(news, OperationsSaved) for each in news.operations]
    assert len(saved) == 50


def test_an_engine_that_was_never_started_stops(bench: Bench) -> None:
    """There is nothing to stop, and twice is no error."""
    engine = bench.engine()
    engine.stop()
    engine.stop()


def test_a_move_after_the_end_is_told_as_not_saved(bench: Bench) -> None:
    """Nobody may believe that it is kept."""
    engine = bench.engine()
    engine.start()
    bench.wait(Started)
    engine.stop()
    eventually(lambda: isinstance(bench.news[-1], Stopped))
    engine.submit([draft("late")])
    engine.try_now()
    lost = bench.news[-1]
    assert isinstance(lost, OperationsNotSaved)
    assert lost.op_ids == ("late",)


def test_files_that_cannot_be_used_are_a_problem_and_moves_are_not_saved(bench: Bench) -> None:
    """The board stays readable; every move says that it was not kept."""
    with closing(Cache.open(bench.profile.cache).cache) as cache:
        cache.remember(SITE, None, 77)
    bench.profile.outbox.mkdir()
    engine = bench.engine()
    engine.submit([draft("early")])
    engine.start()
    assert bench.wait(ProblemArose).problem.code == "OUTBOX_UNUSABLE"
    engine.submit([draft("late")])
    engine.try_now()
    bench.wait(OperationsNotSaved, lambda news: news.op_ids == ("late",))
    bench.wait(OperationsNotSaved, lambda news: news.op_ids == ("early",))
    assert bench.wait(Started).site == SITE
    assert bench.wait(ConnectionChanged) == ConnectionChanged(LinkState.OFFLINE, 77, "OUTBOX_UNUSABLE")
    assert [type(news) for news in bench.news].count(ProblemArose) == 1
    assert hand_over(bench.profile.socket)
    assert not engine.stop()
    assert bench.news[-1] == Stopped(False)


def test_a_profile_that_cannot_be_written_shows_its_board_and_its_moves(bench: Bench) -> None:
    """Nothing in it changes; when it can be written again, the next start goes on."""
    first = bench.engine()
    first.start()
    first.submit([draft("before")])
    bench.wait(OperationsSaved)
    assert first.stop()
    bench.news.clear()
    whole = bench.profile
    before = {path.name: path.read_bytes() for path in whole.folder.glob("*.db")}
    bench.profile = whole._replace(hindrance="its disk is read-only")
    engine = bench.engine()
    engine.start()
    problem = bench.wait(ProblemArose).problem
    assert problem.code == "PROFILE_READ_ONLY"
    assert "its disk is read-only" in problem.sentence
    engine.submit([draft("now")])
    assert bench.wait(OperationsNotSaved).problem == problem
    assert [each.op_id for each in bench.wait(Started).operations] == ["before"]
    assert not engine.stop()
    assert {path.name: path.read_bytes() for path in whole.folder.glob("*.db")} == before
    bench.news.clear()
    bench.profile = whole
    again = bench.engine()
    again.start()
    assert [each.op_id for each in bench.wait(Started).operations] == ["before"]
    again.submit([draft("after")])
    assert bench.wait(OperationsSaved)
    assert again.stop()


def test_a_file_that_may_not_be_written_is_said_before_the_first_move(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite opens it all the same, and would say so only then."""
    Outbox.open(bench.profile.outbox, CountingIds()).outbox.close()
    monkeypatch.setattr(os, "access", lambda path, _mode: path != bench.profile.outbox)
    engine = bench.engine()
    engine.start()
    problem = bench.wait(ProblemArose).problem
    assert problem.code == "PROFILE_READ_ONLY"
    assert str(bench.profile.outbox) in problem.sentence
    assert not engine.stop()


def test_a_newer_outbox_is_left_alone_and_the_board_is_shown(bench: Bench) -> None:
    """What a later release wrote is not guessed at."""
    with closing(sqlite3.connect(bench.profile.outbox)) as connection:
        connection.execute("PRAGMA user_version = 99")
    engine = bench.engine()
    engine.start()
    assert bench.wait(ProblemArose).problem.code == "OUTBOX_TOO_NEW"
    assert bench.wait(Started).operations == ()
    assert not engine.stop()


def test_room_on_the_disk_is_watched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning comes by itself and goes by itself; then the board is wanted at once."""
    free = [0]
    monkeypatch.setattr(Ballast, "_free_bytes", lambda _ballast: free[0])
    monkeypatch.setattr(engine_loop, "ROOM_S", 0.01)
    engine = bench.engine()
    engine.start()
    assert bench.wait(ProblemArose).problem.code == "DISK_LOW"
    free[0] = ENOUGH_BYTES
    bench.wait(ProblemCleared, lambda news: news.code == "DISK_LOW")
    bench.wait(ProblemCleared, lambda news: news.code == "CACHE_NOT_WRITTEN")
    assert engine.stop()


def test_a_damaged_cache_is_put_aside_and_told(bench: Bench) -> None:
    """The board is loaded anew; moves are in the other file."""
    bench.profile.cache.write_bytes(b"no database at all" * 100)
    engine = bench.engine()
    engine.start()
    assert bench.wait(ProblemArose).problem.code == "CACHE_PUT_ASIDE"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProblemError("SERVER_UNREACHABLE", "Nobody."), "SERVER_UNREACHABLE"),
        (KeyError("x"), "SIGN_IN_FAILED"),
    ],
)
@pytest.mark.expects_log_warnings
def test_no_token_is_told_and_the_engine_goes_on_offline(bench: Bench, error: Exception, code: str) -> None:
    """Signing in fails in whatever way; the board is offline, and the session is closed at the end."""
    session = NoServer(error)
    engine = bench.engine(session)
    engine.start()
    assert bench.wait(ProblemArose).problem.code == code
    bench.wait(ConnectionChanged, lambda news: news.state is LinkState.OFFLINE)
    engine.try_now()
    engine.go_offline()
    engine.go_online()
    assert engine.stop()
    assert session.is_closed


def test_a_second_start_raises_the_window(bench: Bench) -> None:
    """By the local socket, which is gone after the end."""
    engine = bench.engine()
    engine.start()
    bench.wait(ConnectionChanged)
    assert eventually(lambda: hand_over(bench.profile.socket))
    bench.wait(RaiseWanted)
    engine.stop()
    assert not hand_over(bench.profile.socket)


def test_other_programs_requests_reach_the_machine(bench: Bench) -> None:
    """A move given at the door is saved like one made here."""
    engine = bench.engine()
    engine.start()
    bench.wait(Started)
    engine.on_request(Request(submit=(draft("guest"),)))
    engine.on_request(Request(try_now={}))
    assert bench.wait(OperationsSaved).operations[0].op_id == "guest"


def test_a_search_for_older_orders_is_answered_beside_the_machine(bench: Bench) -> None:
    """Asked here or at the door, offline too; moves go on meanwhile."""
    engine = bench.engine(NoServer(ProblemError("SERVER_UNREACHABLE", "No.")))
    engine.start()
    bench.wait(Started)
    engine.find_older(OlderQuestion("window", 1, "SO-1"))
    engine.on_request(Request(find_older=OlderQuestion("guest", 7, "SO-1")))
    engine.submit([draft("op-1")])
    bench.wait(OperationsSaved)
    for asker, number in (("window", 1), ("guest", 7)):
        found = bench.wait(OlderOrdersFound, lambda news, asker=asker: news.asker == asker)  # type: ignore[misc]
        assert found.number == number
        assert found.problem is not None
        assert found.problem.code == "SERVER_UNREACHABLE"


@pytest.mark.expects_log_warnings
def test_a_door_that_cannot_be_opened_costs_only_the_door(bench: Bench) -> None:
    """Everything else works."""
    bench.profile.socket.mkdir()
    engine = bench.engine()
    engine.submit([draft("op-1")])
    engine.start()
    bench.wait(OperationsSaved)


@pytest.mark.expects_log_warnings
def test_a_listener_that_fails_does_not_stop_the_engine(bench: Bench) -> None:
    """Its error is logged; the next news still comes."""

    def failing(news: News) -> None:
        bench.news.append(news)
        raise ValueError

    bench.listener = failing
    engine = bench.engine()
    engine.submit([draft("op-1")])
    engine.start()
    bench.wait(OperationsSaved)
    bench.listener = bench.news.append


@pytest.mark.expects_log_warnings
def test_a_machine_that_fails_is_replaced_by_what_the_files_hold(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours costs a second, no move and no restart of the program."""
    has_failed = threading.Event()

    class FailingOnce(ClientMachine):
        def step(self, event: Event) -> list[Effect]:
            if not has_failed.is_set() and isinstance(event, Command) and event.request == "fail":
                has_failed.set()
                raise RuntimeError("a fault of ours")
            return super().step(event)

    monkeypatch.setattr(engine_loop, "ClientMachine", FailingOnce)
    monkeypatch.setattr(engine_loop, "RESTART_S", 0.0)
    engine = bench.engine()
    engine.submit([draft("before")])
    engine.start()
    bench.wait(OperationsSaved)
    engine._ask("fail")
    has_failed.wait(10)
    engine.submit([draft("between")])
    assert bench.wait(ProblemArose).problem.code == "ENGINE_FAULT"
    bench.wait(OperationsSaved, lambda news: news.operations[0].op_id == "between")
    started = [news for news in bench.news if isinstance(news, Started)]
    assert [each.op_id for each in started[-1].operations] == ["before"]
    assert engine.stop()


@pytest.mark.expects_log_warnings
def test_a_move_that_makes_the_machine_fail_is_told_as_not_saved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not given to the next machine, which would fail as well."""

    class Failing(ClientMachine):
        def step(self, event: Event) -> list[Effect]:
            if isinstance(event, Command) and isinstance(event.request, SubmitDrafts):
                raise TypeError("a fault of ours")
            return super().step(event)

    monkeypatch.setattr(engine_loop, "ClientMachine", Failing)
    monkeypatch.setattr(engine_loop, "RESTART_S", 0.0)
    engine = bench.engine()
    engine.submit([draft("poison")])
    engine.start()
    assert bench.wait(OperationsNotSaved).op_ids == ("poison",)
    eventually(lambda: sum(isinstance(news, Started) for news in bench.news) == 2)


@pytest.mark.expects_log_warnings
def test_an_engine_that_cannot_live_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens on the network thread, the last news comes and moves are told as lost."""

    def broken(*_: object) -> None:
        raise OSError("no threads left")

    monkeypatch.setattr(engine_loop, "Stores", broken)
    engine = bench.engine()
    engine.submit([draft("early")])
    engine.start()
    bench.wait(Stopped)
    assert bench.wait(OperationsNotSaved).op_ids == ("early",)
    assert bench.wait(ProblemArose).problem.code == "ENGINE_ENDED"
