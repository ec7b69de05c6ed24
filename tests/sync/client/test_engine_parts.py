"""The small parts of the engine: its memory for newcomers, its tokens, its stores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from support.clocks import CountingIds, FakeClock
from sync.client.commands import NewToken, NoToken
from sync.client.database_thread import STOPPED
from sync.client.engine_memory import EngineMemory
from sync.client.engine_stores import Stores
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import (
    BoardChanged,
    ConnectionChanged,
    DelayMeasured,
    LinkState,
    NeedsYouChanged,
    News,
    OperationFaulted,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsReoffered,
    OperationsSaved,
    OperationsSent,
    QueueStuck,
    SnapshotApplied,
    SnapshotHeld,
    Started,
    Welcomed,
)
from sync.client.outbox import Outbox
from sync.client.profile import open_profile
from sync.client.sign_in import SignIn
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Move, Operation, Outcome
from sync.contract.problems import Problem, ProblemError
from sync.contract.stages import Stage
from sync.contract.steps import Job
from telemetry.recorder import MemoryRecorder

SITE = Site("site-1", "Hall A", "Europe/London", "organization-1", "Example")
PERSON = Person("eva", "Eva", "picker", "sign-in-1")


def operation(name: str) -> Operation:
    """Return a move."""
    return Operation(name, "order-1", Move(Stage.PICKING))


def decided(name: str, outcome: Outcome) -> News:
    """Return the verdict on an operation."""
    return OperationsDecided((Verdict(1, name, 1, outcome),))


def test_a_newcomer_hears_what_is_not_done_and_how_the_connection_stands() -> None:
    """Done, refused and lost operations are not replayed; the rest is, with its newest number."""
    memory = EngineMemory(MemoryRecorder())
    for news in (
        Started((operation("old"), operation("done"), operation("refused")), None, None, 5),
        Welcomed(SITE, PERSON),
        OperationsSaved((operation("new"),)),
        OperationsDone(("done", "unknown")),
        decided("refused", Outcome.REJECTED),
        decided("new", Outcome.APPLIED),
        OperationsRenumbered((Operation("new", "order-1", Move(Stage.PICKING), "device-2", 1),)),
        ConnectionChanged(LinkState.LIVE, 9),
    ):
        memory.take(news)
    started, connection = memory.first_news()
    assert isinstance(started, Started)
    assert [(each.op_id, each.device_id) for each in started.operations] == [("old", ""), ("new", "device-2")]
    assert (started.site, started.person) == (SITE, PERSON)
    assert connection == ConnectionChanged(LinkState.LIVE, 9)


def test_a_newcomer_hears_what_waits_for_a_person_and_what_goes_on() -> None:
    """Entries as they are now; a held board and a stuck queue until they end."""
    memory = EngineMemory(MemoryRecorder())
    entries = [NeedsYou(f"op-{number}", NeedsYouKind.QUARANTINED) for number in range(3)]
    held, stuck = SnapshotHeld(30, 60), QueueStuck(5, 2)
    for news in (
        Started((operation("op-1"), operation("op-9")), None, None, 5, (entries[0],)),
        NeedsYouChanged((entries[1], entries[2]), ("op-0", "unknown")),
        NeedsYouChanged((NeedsYou("op-9", NeedsYouKind.REJECTED),)),
        OperationsReoffered((operation("op-8"), operation("op-9"))),
        held,
        stuck,
    ):
        memory.take(news)
    started, _, *standing = memory.first_news()
    assert isinstance(started, Started)
    assert [each.op_id for each in started.operations] == ["op-8", "op-9"]
    assert [entry.id for entry in started.needs_you] == ["op-1", "op-2", "op-9"]
    assert standing == [held, stuck]
    memory.take(SnapshotApplied(1, 1, (), 0))
    memory.take(QueueStuck(0, 0))
    assert memory.first_news()[2:] == []


def test_what_is_set_aside_is_no_move_of_a_newcomer() -> None:
    """It is on its way no more."""
    memory = EngineMemory(MemoryRecorder())
    memory.take(Started((operation("op-1"),), None, None, 5))
    memory.take(NeedsYouChanged((NeedsYou("op-1", NeedsYouKind.UPGRADE),)))
    started = memory.first_news()[0]
    assert isinstance(started, Started)
    assert started.operations == ()


def test_what_passes_by_is_counted() -> None:
    """For measurements: how many of each fate, and the last delay."""
    recorder = MemoryRecorder()
    memory = EngineMemory(recorder)
    for news in (
        OperationsSaved((operation("a"), operation("b"))),
        OperationsSent(("a", "b")),
        OperationFaulted("a", 1),
        OperationsReoffered((operation("a"),)),
        NeedsYouChanged((NeedsYou("a", NeedsYouKind.REJECTED),)),
        decided("a", Outcome.REJECTED),
        OperationsDone(("b",)),
        OperationsNotSaved(("c",), Problem("NOT_SAVED", "No.")),
        BoardChanged((1, 2, 3), (), (), 9, 1),
        SnapshotApplied(9, 100, (), 0),
        DelayMeasured(12),
    ):
        memory.take(news)
    totals = {
        "operations.saved": 2,
        "operations.sent": 2,
        "operations.faulted": 1,
        "operations.reoffered": 1,
        "needs_you.rejected": 1,
        "operations.decided": 1,
        "operations.rejected": 1,
        "operations.done": 1,
        "operations.not_saved": 1,
        "board.changes": 3,
        "board.snapshots": 1,
    }
    assert {name: recorder.total(name) for name in totals} == totals
    assert recorder.value("link.delay_ms") == 12


class FakeSession:
    """Gives numbered tokens, or fails."""

    def __init__(self, expires_ms: int = 0) -> None:
        self.error: Exception | None = None
        self.asked: list[bool] = []
        self.life_ends_ms = expires_ms
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def get(self, *, is_renewal: bool = False) -> str:
        """Return the next token."""
        self.asked.append(is_renewal)
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return f"token-{len(self.asked)}"

    async def sync_address(self) -> str:
        """Never asked here."""
        raise NotImplementedError

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Never asked here."""
        raise NotImplementedError

    def expires_ms(self) -> int:
        """Return when the token ends."""
        return self.life_ends_ms

    async def close(self) -> None:
        """Do nothing."""


def signed_in(
    scenario: Callable[[FakeSession, SignIn, asyncio.Queue[object]], Coroutine[Any, Any, None]],
) -> None:
    """Run a scenario with a session whose token lives for a tenth of a second."""

    async def run() -> None:
        clock = FakeClock()
        session = FakeSession(clock.wall_ms() + 100)
        given: asyncio.Queue[object] = asyncio.Queue()
        sign_in = SignIn(session, clock, given.put_nowait)
        async with asyncio.timeout(10):
            await scenario(session, sign_in, given)
            await sign_in.close()

    asyncio.run(run())


def test_a_token_is_given_and_renewed_before_its_end() -> None:
    """The second question is a renewal, and nobody had to ask it."""

    async def scenario(session: FakeSession, sign_in: SignIn, given: asyncio.Queue[object]) -> None:
        sign_in.ask("")
        assert await given.get() == NewToken("token-1")
        assert await given.get() == NewToken("token-2")
        assert session.asked[:2] == [False, True]

    signed_in(scenario)


def test_questions_while_one_is_asked_are_one() -> None:
    """And a reason makes a question a renewal."""

    async def scenario(session: FakeSession, sign_in: SignIn, given: asyncio.Queue[object]) -> None:
        session.life_ends_ms = 0  # the clocks differ: renewed at the usual time
        session.may_answer.clear()
        sign_in.ask("TOKEN_EXPIRED")
        await asyncio.sleep(0)
        sign_in.ask("TOKEN_EXPIRED")
        session.may_answer.set()
        assert await given.get() == NewToken("token-1")
        assert session.asked == [True]
        sign_in.ask("")
        await given.get()
        assert session.asked == [True, False]

    signed_in(scenario)


def test_a_refusal_is_given_on() -> None:
    """With the server's own problem."""

    async def scenario(session: FakeSession, sign_in: SignIn, given: asyncio.Queue[object]) -> None:
        session.error = ProblemError("DEVICE_REVOKED", "No.")
        sign_in.ask("")
        assert await given.get() == NoToken(Problem("DEVICE_REVOKED", "No."))

    signed_in(scenario)


def test_an_end_in_the_middle_of_a_question_is_an_end() -> None:
    """Nothing is given afterwards."""

    async def scenario(session: FakeSession, sign_in: SignIn, given: asyncio.Queue[object]) -> None:
        session.may_answer.clear()
        sign_in.ask("")
        await asyncio.sleep(0)
        await sign_in.close()
        assert given.empty()

    signed_in(scenario)


def test_a_damaged_outbox_is_salvaged_and_told(tmp_path: Path) -> None:
    """How much was saved, and that something may be lost."""
    profile = open_profile(tmp_path / "profile")
    outbox = Outbox.open(profile.outbox, CountingIds()).outbox
    outbox.append((operation("kept"),))
    outbox.close()
    content = bytearray(profile.outbox.read_bytes())
    content[:16] = b"no header at all"
    profile.outbox.write_bytes(content)

    async def run() -> tuple[str, ...]:
        stores = Stores(profile, CountingIds())
        opened = await stores.open()
        again = await stores.state()
        assert again.outbox == opened.outbox
        await asyncio.to_thread(stores.close, 5.0)
        return tuple(problem.code for problem in opened.problems)

    assert asyncio.run(run()) == ("OUTBOX_SALVAGED",)


def test_stores_that_are_closed_answer_that_they_are(tmp_path: Path) -> None:
    """A job after the end is told "stopped"; nothing waits for ever."""
    profile = open_profile(tmp_path / "profile")
    told: list[tuple[object, str]] = []

    async def run() -> None:
        stores = Stores(profile, CountingIds())
        await stores.open()
        await asyncio.to_thread(stores.close, 5.0)
        stores.run_job(Job(1, "cache", "state"), lambda result, error: told.append((result, error)))

    asyncio.run(run())
    assert told == [(None, STOPPED)]


def test_files_that_were_never_opened_hold_nothing(tmp_path: Path) -> None:
    """Asking them is a problem, not an attribute error."""

    async def run() -> None:
        stores = Stores(open_profile(tmp_path / "profile"), CountingIds())
        stores._thread.start()
        try:
            await stores.state()
        finally:
            await asyncio.to_thread(stores.close, 5.0)

    with pytest.raises(ProblemError):
        asyncio.run(run())
