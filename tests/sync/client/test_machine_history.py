"""The client's machine and a server that was set back, or that stands still."""

from __future__ import annotations

from contextlib import closing

import msgspec
import pytest

from support.clocks import CountingIds
from support.machine_bench import (
    MachineBench,
    cached,
    decided,
    delta,
    draft,
    numbered,
    verdict,
)
from sync.client.commands import AcceptBoard, GoOffline
from sync.client.link import STUCK_MS
from sync.client.machine import ClientMachine
from sync.client.news import (
    BatchDecided,
    BatchOutcome,
    ConnectionChanged,
    LinkState,
    OperationsReoffered,
    OperationsSaved,
    ProblemArose,
    ProblemCleared,
    QueueStuck,
    SnapshotApplied,
    SnapshotHeld,
)
from sync.client.offer import Offer
from sync.client.outbox import Outbox
from sync.client.store_values import Held, Kept
from sync.client.store_values import SnapshotHeld as HeldBack
from sync.client.stores.files import MEMORY
from sync.client.watchdog import LINK_MS, STUCK_QUEUE_MS
from sync.contract.limits import SILENCE_MS
from sync.contract.messages import (
    Heartbeat,
    Hello,
    Pong,
    Refused,
    ServerMessage,
    SnapshotBegin,
    SnapshotEnd,
    Submit,
)
from sync.contract.operations import Assign
from sync.contract.problems import Problem


def submits(bench: MachineBench) -> list[list[str]]:
    """Return the op ids of every submit that was sent."""
    return [[each.op_id for each in said.operations] for said in bench.said() if isinstance(said, Submit)]


def keeping(kept: Kept, done: int = 3) -> MachineBench:
    """Return a terminal that has done so many operations and holds one more."""
    held = (Held(numbered(f"op-{done + 1}", done + 1)),)
    bench = MachineBench(held=held, next_device_seq=done + 2, cache=cached(30))
    bench.outbox.keeps = kept
    bench.outbox.done = [numbered(f"op-{place}", place) for place in range(1, done + 1)]
    return bench


KEPT = Kept("epoch-1", 1)

# ---------------------------------------------------------------------- offering again


def test_hello_says_what_could_be_offered() -> None:
    """The first number that is kept, and the first that is held."""
    bench = keeping(Kept("epoch-1", 2))
    bench.connect()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert (hello.kept_device_seq, hello.next_device_seq) == (2, 4)


def test_a_restored_server_is_sent_what_it_lacks_before_newer_ones() -> None:
    """Nothing goes before the disk has it as pending again."""
    bench = keeping(KEPT)
    bench.connect()
    bench.is_holding = True
    bench.welcome(epoch="epoch-2", decided_device_seq=1)
    assert submits(bench) == []
    bench.let_go()
    assert bench.outbox.reoffered == [(1, "epoch-2")]
    assert submits(bench) == [["op-2", "op-3", "op-4"]]
    (news,) = bench.news(OperationsReoffered)
    assert [each.op_id for each in news.operations] == ["op-2", "op-3", "op-4"]


def test_the_same_server_is_sent_only_what_is_new() -> None:
    """What is kept stays where it is."""
    bench = keeping(KEPT)
    bench.go_live(decided_device_seq=3)
    assert bench.outbox.reoffered == []
    assert submits(bench) == [["op-4"]]


def test_a_server_that_was_set_back_by_hand_is_offered_too() -> None:
    """It calls its history the same, but has decided less than what is done here."""
    bench = keeping(KEPT)
    bench.go_live(decided_device_seq=2)
    assert submits(bench) == [["op-3", "op-4"]]


@pytest.mark.parametrize(
    ("kept", "cache_epoch", "decided_device_seq", "is_due"),
    [
        (Kept(), "old", 0, False),
        (Kept("", 1), "epoch-2", 3, False),
        (Kept("", 1), "old", 3, True),
        (Kept("", 1), "", 3, True),
        (Kept("epoch-2", 1), "old", 3, False),
        (Kept("epoch-2", 0, has_former=True), "old", 0, False),
        (Kept("epoch-2", 2), "old", 1, True),
        (Kept("old", 0, has_former=True), "epoch-2", 3, True),
    ],
)
def test_when_an_offer_is_due(kept: Kept, cache_epoch: str, decided_device_seq: int, is_due: bool) -> None:
    """By what the outbox knows; by the cache only where the outbox is of an older release."""
    welcome = MachineBench().welcome_message("epoch-2", 0, decided_device_seq)
    assert Offer(kept, cache_epoch).is_due(welcome, 4) is is_due


def test_a_batch_that_is_offered_again_is_told_again() -> None:
    """Another server history may judge it otherwise."""
    bench = keeping(KEPT)
    bench.outbox.done = [msgspec.structs.replace(each, batch_id="batch-1") for each in bench.outbox.done]
    bench.connect()
    bench.welcome(epoch="epoch-2", decided_device_seq=1)
    told = verdict("op-2", 2, 5), verdict("op-3", 3, 6)
    bench.hear(decided(*told))
    outcomes = tuple(BatchOutcome("order-1", each) for each in told)
    assert bench.news(BatchDecided) == [BatchDecided("batch-1", outcomes)]


def test_a_link_that_ends_meanwhile_offers_nothing() -> None:
    """The next hello says anew what is kept by then."""
    bench = keeping(KEPT)
    bench.connect()
    bench.is_holding = True
    bench.welcome(epoch="epoch-2", decided_device_seq=1)
    bench.lose()
    bench.let_go()
    assert submits(bench) == []


def test_a_disk_that_fails_to_offer_ends_the_link() -> None:
    """Newer ones must not go first; the next link tries again."""
    bench = keeping(KEPT)
    bench.errors["outbox.reoffer"] = "OperationalError: disk I/O error"
    bench.connect()
    bench.welcome(epoch="epoch-2", decided_device_seq=1)
    assert submits(bench) == []
    assert bench.closes()[0].reason == "reoffered"
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["OUTBOX_NOT_WRITTEN"]


def test_offers_of_a_former_identity_begin_with_a_new_hello() -> None:
    """The server has to know the new one before it hears its numbers."""
    bench = keeping(Kept("epoch-1", 1, has_former=True))
    bench.outbox.is_renewing = True
    bench.connect()
    bench.welcome(epoch="epoch-2", decided_device_seq=0)
    assert submits(bench) == []
    assert bench.closes()[0].reason == "reoffered"
    bench.fire("retry")
    bench.clear()
    bench.come_up()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert hello.device_id == bench.outbox.device_id
    bench.welcome(epoch="epoch-2")
    assert submits(bench) == [["op-1", "op-2", "op-3", "op-4"]]


def test_an_outbox_that_cannot_be_asked_says_no_hello() -> None:
    """Without knowing what is kept, the wrong hello would make the server believe in a gap."""
    bench = MachineBench(cache=cached())
    bench.errors["outbox.kept"] = "DamagedError: the history is not whole"
    bench.connect()
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["OUTBOX_UNREADABLE"]
    assert bench.closes()[0].reason == "DamagedError: the history is not whole"
    assert [type(said) for said in bench.said()][1:] == []


def test_an_answer_for_a_link_that_is_gone_says_no_hello() -> None:
    """Two answers come before hello; the link may end before either."""
    bench = MachineBench(cache=cached())
    bench.is_holding = True
    bench.connect()
    bench.lose()
    bench.let_go()
    assert "state" not in bench.methods("cache")
    assert len(bench.said()) == 1


def test_a_link_that_ends_between_the_answers_says_no_hello() -> None:
    """What is kept is known by then, where the board stands is not."""
    bench = MachineBench(cache=cached())
    bench.is_holding = True
    bench.connect()
    asked = bench.held_jobs.pop()
    bench.step(bench.carried_out(asked))
    bench.lose()
    bench.let_go()
    assert len(bench.said()) == 1


def test_what_a_backup_covers_is_let_go_of_once() -> None:
    """In pieces, for each new word of the server, welcome or heartbeat."""
    bench = keeping(KEPT)
    bench.go_live(decided_device_seq=3)
    assert bench.outbox.released == []
    bench.hear(Heartbeat(0, 20, bench.clock.wall))
    bench.hear(Heartbeat(0, 20, bench.clock.wall))
    assert bench.outbox.released == [(20, "epoch-1")] * 2
    bench.hear(Heartbeat(0, 25, bench.clock.wall))
    assert bench.outbox.released[2:] == [(25, "epoch-1")] * 2


@pytest.mark.parametrize("method", ["release", "assigns"])
def test_a_disk_that_cannot_keep_up_is_told(method: str) -> None:
    """Nothing is lost by it; the same is asked again another time."""
    bench = keeping(KEPT)
    bench.errors[f"outbox.{method}"] = "OperationalError: disk I/O error"
    bench.go_live(decided_device_seq=3)
    bench.hear(Heartbeat(0, 20, bench.clock.wall))
    bench.hear(delta(30, msgspec.structs.replace(numbered("op-9", 9), change=Assign("ali", "Ali"))))
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["OUTBOX_NOT_WRITTEN"]


def test_a_heartbeat_before_the_welcome_lets_go_of_nothing() -> None:
    """It does not say of which history it speaks."""
    bench = keeping(KEPT)
    bench.connect()
    bench.hear(Heartbeat(0, 20, bench.clock.wall))
    assert bench.outbox.released == []


# ---------------------------------------------------------------------- a board that is held back


HELD = HeldBack(40, 60)


def snapshot(epoch: str = "epoch-2", seq: int = 9) -> tuple[ServerMessage, ...]:
    """Return a whole board, empty."""
    return SnapshotBegin(epoch, seq, 0, 0, 0, 0), SnapshotEnd(seq)


def meet_wiped_server(bench: MachineBench) -> None:
    """Be welcomed by a server whose board is held back."""
    bench.cache.holds = HELD
    bench.welcome(epoch="epoch-2", head=9)
    for message in snapshot():
        bench.hear(message)


def test_a_held_board_is_told_and_moves_go_on() -> None:
    """The link stays, without a second download; what follows on it is not taken for this board's."""
    bench = MachineBench(cache=cached(30))
    bench.connect()
    meet_wiped_server(bench)
    assert bench.news(SnapshotHeld) == [SnapshotHeld(40, 60)]
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["SNAPSHOT_HELD"]
    assert bench.cache.now.epoch == "epoch-1"
    bench.submit(draft("op-1"))
    assert submits(bench) == [["op-1"]]
    bench.hear(decided(verdict("op-1", 1, 10)))
    bench.hear(delta(9, numbered("op-1", 1)))
    for _ in range(2 * STUCK_MS // 1_000):
        bench.fire("look")
        bench.hear(Pong(1, 0, bench.clock.wall))
        bench.hear(Heartbeat(10, 0, bench.clock.wall))
    assert bench.closes() == []
    assert bench.news(ConnectionChanged)[-1].state is LinkState.CATCHING_UP
    bench.clock.advance(SILENCE_MS)
    bench.fire("look")
    assert bench.closes()[0].reason == "silence"


def test_every_welcome_asks_again_but_it_is_told_once() -> None:
    """Until the server is whole again, which ends it by itself."""
    bench = MachineBench(cache=cached(30))
    bench.connect()
    meet_wiped_server(bench)
    bench.lose()
    bench.fire("retry")
    bench.come_up()
    meet_wiped_server(bench)
    assert len(bench.news(SnapshotHeld)) == 1
    bench.lose()
    bench.fire("retry")
    bench.come_up()
    bench.cache.holds = None
    bench.welcome(epoch="epoch-2", head=9)
    for message in snapshot():
        bench.hear(message)
    assert len(bench.news(SnapshotApplied)) == 1
    assert bench.news(ProblemCleared) == [ProblemCleared("SNAPSHOT_HELD")]


def test_a_person_may_let_it_in() -> None:
    """At once, and only this one."""
    bench = MachineBench(cache=cached(30))
    bench.connect()
    meet_wiped_server(bench)
    bench.clear()
    bench.command(AcceptBoard())
    assert bench.connects() == 1
    bench.come_up()
    meet_wiped_server(bench)
    assert len(bench.news(SnapshotApplied)) == 1
    assert bench.news(ProblemCleared) == [ProblemCleared("SNAPSHOT_HELD")]
    bench.cache.now = cached(30)
    bench.lose()
    bench.fire("retry")
    bench.come_up()
    meet_wiped_server(bench)
    assert len(bench.news(SnapshotHeld)) == 1


def test_accepting_nothing_is_nothing() -> None:
    """What nobody was asked, nobody answered; a later board is judged as any other."""
    bench = MachineBench(cache=cached(30))
    bench.command(AcceptBoard())
    bench.connect()
    meet_wiped_server(bench)
    assert len(bench.news(SnapshotHeld)) == 1


def test_a_link_that_ends_before_the_board_is_judged_is_not_kept_up() -> None:
    """The word comes from the disk, after the link."""
    bench = MachineBench(cache=cached(30))
    bench.connect()
    bench.cache.holds = HELD
    bench.welcome(epoch="epoch-2", head=9)
    bench.is_holding = True
    for message in snapshot():
        bench.hear(message)
    bench.hear(delta(9, numbered("op-1", 1)))
    bench.command(GoOffline())
    bench.let_go()
    assert bench.news(SnapshotHeld) == []


# ---------------------------------------------------------------------- a queue that does not move


def wait(bench: MachineBench, ms: int) -> None:
    """Let time pass on links that live but decide nothing."""
    until = bench.clock.mono + ms
    while bench.clock.mono < until:
        closes = len(bench.closes())
        bench.fire("look")
        bench.hear(Pong(1, 0, bench.clock.wall))
        if len(bench.closes()) > closes:
            bench.fire("retry")
            bench.come_up()
            bench.welcome()


def test_a_queue_that_does_not_move_is_said_after_a_minute() -> None:
    """Links that are dropped for it do not start the count anew; the first verdict ends it."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"), draft("op-2"))
    told: list[object] = []
    for _ in range(20):
        wait(bench, 4_000)
        told += [*bench.news(QueueStuck), *bench.news(ProblemArose)]
        bench.clear()
    stuck, problem = told
    assert isinstance(stuck, QueueStuck)
    assert isinstance(problem, ProblemArose)
    assert stuck.count == 2
    assert STUCK_QUEUE_MS <= bench.clock.wall - stuck.since_wall_ms <= 90_000
    assert problem.problem.code == "QUEUE_STUCK"
    bench.hear(decided(verdict("op-1", 1, 1)))
    assert bench.news(QueueStuck) == [QueueStuck(0, 0)]
    assert bench.news(ProblemCleared) == [ProblemCleared("QUEUE_STUCK")]


def test_a_link_on_which_nothing_is_sent_any_more_is_left() -> None:
    """Whatever the reason: an operation that was never sent over it is no excuse for waiting on it."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.machine._conversation._sending.window._to_send = 99
    bench.submit(draft("op-1"))
    bench.clear()
    wait(bench, LINK_MS - 5_000)
    assert (submits(bench), bench.closes()) == ([], [])
    wait(bench, 8_000)
    assert [close.reason for close in bench.closes()] == ["stuck"]
    # The next link starts from what is certain.
    assert submits(bench) == [["op-1"]]


def test_time_without_a_server_is_no_standstill() -> None:
    """Hours offline, then a minute has not passed yet."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    wait(bench, 5_000)
    bench.lose()
    bench.clock.advance(10_000_000)
    bench.fire("retry")
    bench.come_up()
    bench.welcome()
    wait(bench, 5_000)
    assert bench.news(QueueStuck) == []


def test_an_empty_queue_never_stands_still() -> None:
    """A quiet board is not a stuck one."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    wait(bench, 200_000)
    assert bench.news(QueueStuck) == []
    assert bench.news(OperationsSaved) == []


# ---------------------------------------------------------------------- with the real outbox


def decide_all(bench: MachineBench, seq: int) -> int:
    """Let the server apply what it was sent last, and the board show it; return the log's end."""
    submit = [said for said in bench.said() if isinstance(said, Submit)][-1]
    for operation in submit.operations:
        bench.hear(delta(seq, operation))
        seq += 1
        bench.hear(decided(verdict(operation.op_id, operation.device_seq, seq)))
    return seq


def test_a_cloned_and_then_restored_terminal_loses_nothing() -> None:
    """Two identities' worth of moves come back in their order, once, under a third one; then it is quiet."""
    bench = MachineBench(cache=cached())
    with closing(Outbox.open(MEMORY, CountingIds()).outbox) as outbox:
        bench.outbox = outbox  # type: ignore[assignment]
        bench.machine = ClientMachine(outbox.state(), cached(), bench.environment)
        bench.go_live()
        bench.submit(draft("op-1"), draft("op-2"))
        seq = decide_all(bench, 0)
        bench.submit(draft("op-3"))
        bench.hear(Refused(Problem("DEVICE_CLONED", "Somebody else goes by this identity.")))
        bench.fire("retry")
        bench.come_up()
        bench.welcome(head=seq)
        seq = decide_all(bench, seq)
        assert outbox.kept() == Kept("epoch-1", 1, has_former=True)
        bench.lose()
        bench.fire("retry")
        bench.come_up()
        bench.welcome(epoch="epoch-2", head=1)
        bench.fire("retry")
        bench.clear()
        bench.come_up()
        bench.welcome(epoch="epoch-2", head=1)
        assert submits(bench) == [["op-1", "op-2", "op-3"]]
        assert len({each.device_id for each in outbox.state().pending}) == 1
        for message in snapshot("epoch-2", 1):
            bench.hear(message)
        decide_all(bench, 1)
        assert outbox.state().held == ()
        assert outbox.kept() == Kept("epoch-2", 1)


def test_what_follows_on_a_held_board_is_never_given_to_the_cache() -> None:
    """A wiped server may have come just as far: its page would fit, and belong to another history."""
    bench = MachineBench(cache=cached(9))
    bench.connect()
    meet_wiped_server(bench)
    bench.clear()
    bench.hear(delta(9, numbered("op-2", 1)))
    assert bench.methods("cache") == []
