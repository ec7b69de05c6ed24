"""A terminal asks what the board looks like at its own cursor, and gets nothing else before the answer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.kernel.connections import Noted
from server.kernel.questions import ATTEMPTS
from server.kernel.records import Answered, Page
from support.hub_bench import SITE, HubBench, committed, entries, hello, move, snapshot
from sync.contract.messages import ClientMessage, Compare, Delta, Fetch, Reload, SnapshotBegin
from sync.contract.steps import Closed, Job

COMPARE = Compare(7, [("", "m"), ("m", "")])
FETCH = Fetch(8, "a", "b")
NOTHING = Page(0, 0, ())


@pytest.fixture
def bench() -> HubBench:
    """A hub with one live link at seq 3."""
    bench = HubBench()
    bench.go_live(head=3)
    return bench


def page(prev_seq: int, count: int) -> Page:
    """Return log entries after ``prev_seq``."""
    return Page(prev_seq, prev_seq + count, entries(prev_seq, count))


def deltas(bench: HubBench) -> list[tuple[int, int]]:
    """Return from where to where the deltas lead that were sent last."""
    return [(each.prev_seq, each.seq) for each in bench.heard() if isinstance(each, Delta)]


def frames_that_are(bench: HubBench, words: Sequence[str]) -> list[str]:
    """Return which of these frames were sent last."""
    return [frame for frame in bench.frames() if isinstance(frame, str) and frame in words]


def test_a_question_goes_to_the_copies_with_the_links_cursor(bench: HubBench) -> None:
    """Its own store, so that a long answer holds up neither commits nor pages."""
    bench.say(COMPARE)
    asked = bench.job("compare")
    assert (asked.store, asked.arguments) == ("copies", (SITE, 3, 7, (("", "m"), ("m", ""))))
    bench.answer(asked, Answered(NOTHING, 3, "sums"))
    assert bench.frames() == ["sums"]
    bench.say(FETCH)
    asked = bench.job("fetch")
    assert (asked.store, asked.arguments) == ("copies", (SITE, 3, 8, "a", "b"))
    bench.answer(asked, Answered(NOTHING, 3, b"orders", 17))
    assert bench.frames() == [b"orders"]


def test_a_repair_is_noted(bench: HubBench) -> None:
    """Damage is for IT to know of; that a terminal compares is not worth a line."""
    bench.say(COMPARE)
    bench.answer(bench.job("compare"), Answered(NOTHING, 3, "sums"))
    assert bench.news() == []
    bench.say(FETCH)
    bench.answer(bench.job("fetch"), Answered(NOTHING, 3, b"orders", 17))
    # Under the name "orders" the log would take it for somebody's order and leave it out.
    facts = (("device_id", "device-1"), ("count", 17))
    assert bench.news() == [Noted("board_repaired", facts, is_warning=True)]


def test_deltas_pause_until_the_answer(bench: HubBench) -> None:
    """Otherwise the terminal would compare what it has by then with what the board was before."""
    bench.say(COMPARE)
    asked = bench.job("compare")
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(3, move(1)))
    bench.drain()
    assert deltas(bench) == []
    bench.answer(asked, Answered(NOTHING, 3, "sums"))
    assert bench.frames() == ["sums"]
    bench.drain()
    assert deltas(bench) == [(3, 4)]


def test_what_the_answer_stands_on_goes_before_it(bench: HubBench) -> None:
    """The log between the cursor and the answer, as one delta."""
    bench.say(FETCH)
    bench.answer(bench.job("fetch"), Answered(page(3, 2), 5, "[]"))
    delta, answer = bench.frames()
    assert isinstance(delta, str)
    assert delta.startswith('{"type":"delta","prev_seq":3,"seq":5')
    assert answer == "[]"
    bench.drain()
    assert bench.frames() == []


def test_an_answer_further_on_than_a_page_is_asked_for_again(bench: HubBench) -> None:
    """From where the page led."""
    bench.say(COMPARE)
    bench.answer(bench.job("compare"), Answered(page(3, 2), 9, "too far on"))
    assert deltas(bench) == [(3, 5)]
    assert frames_that_are(bench, ["too far on"]) == []
    again = bench.job("compare")
    assert again.arguments[1] == 5
    bench.answer(again, Answered(page(5, 4), 9, "sums"))
    assert frames_that_are(bench, ["sums"]) == ["sums"]


def test_a_log_that_outruns_the_link_ends_in_a_whole_board(bench: HubBench) -> None:
    """After some attempts; the terminal is not kept waiting for ever."""
    bench.say(COMPARE)
    for place in range(ATTEMPTS):
        bench.answer(bench.job("compare"), Answered(page(3 + place, 1), 999, "sums"))
    bench.answer(bench.job("compare"), Answered(page(3 + ATTEMPTS, 1), 999, "sums"))
    bench.answer(bench.job("snapshot"), snapshot(999))
    (begin,) = bench.heard()
    assert isinstance(begin, SnapshotBegin)


def test_an_answer_that_would_be_too_long_is_the_whole_board(bench: HubBench) -> None:
    """It would be too long the next time as well, so a refusal would be asked for without an end."""
    bench.say(FETCH)
    bench.answer(bench.job("fetch"), Answered(NOTHING, 3, None))
    assert bench.refusals() == []
    bench.answer(bench.job("snapshot"), snapshot(3))
    (begin,) = bench.heard()
    assert isinstance(begin, SnapshotBegin)


def test_an_answer_that_cannot_be_made_closes_the_link(bench: HubBench) -> None:
    """It comes back and asks again."""
    bench.say(FETCH)
    bench.answer(bench.job("fetch"), error="OperationalError: gone")
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]


def test_an_answer_for_a_link_that_is_gone_is_dropped(bench: HubBench) -> None:
    """Nobody is there to hear it."""
    bench.say(FETCH)
    asked = bench.job("fetch")
    bench.feed(Closed(1))
    bench.answer(asked, Answered(page(3, 2), 5, "[]"))
    assert bench.effects == []


def test_reload_brings_the_whole_board(bench: HubBench) -> None:
    """As often as the terminal wants it, each time from the first chunk on."""
    for seq in (3, 4):
        bench.say(Reload())
        bench.answer(bench.job("snapshot"), snapshot(seq))
        assert [type(message) for message in bench.heard()] == [SnapshotBegin]
        sent = 0
        while bench.frames():
            sent += 1
            bench.drain()
        assert sent == 3


def one_asked(bench: HubBench) -> None:
    """Have a question under way."""
    bench.say(FETCH)


def still_loading(bench: HubBench) -> None:
    """Have a snapshot under way."""
    bench.say(Reload())


def nothing_before(bench: HubBench) -> None:
    """Have an idle link."""


@pytest.mark.parametrize(
    ("before", "question"),
    [
        (one_asked, COMPARE),
        (one_asked, FETCH),
        (one_asked, Reload()),
        (still_loading, FETCH),
        (still_loading, Reload()),
        (nothing_before, Compare(1, [])),
        (nothing_before, Compare(1, [("a", "b")] * 65)),
        (nothing_before, Compare(1, [("b", "a")])),
        (nothing_before, Compare(1, [("", ""), ("a", "b")])),
        (nothing_before, Compare(1, [("a", "c"), ("b", "d")])),
        (nothing_before, Compare(1, [("a", "b\0")])),
        (nothing_before, Fetch(1, "a", "a")),
        (nothing_before, Fetch(1, "x" * 65, "")),
    ],
)
def test_questions_at_the_wrong_time_or_without_sense_are_errors(
    bench: HubBench, before: object, question: ClientMessage
) -> None:
    """One at a time, of a link that follows the log; ranges ascend and do not meet."""
    assert callable(before)
    before(bench)
    bench.say(question)
    assert bench.refusals() == [(1, 1002, "PROTOCOL_ERROR")]


def test_a_stranger_may_not_ask() -> None:
    """Before the Welcome there is no board."""
    bench = HubBench()
    bench.connect()
    bench.say(COMPARE)
    assert bench.refusals() == [(1, 1002, "PROTOCOL_ERROR")]


def behind(bench: HubBench) -> Job:
    """Bring a second link up that is one entry behind, and return the page that it waits for."""
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(3, move(1)))
    bench.answer(bench.sign_in(2, greeting=hello("device-2", cursor=2)), bench.joined(4))
    return bench.job("page")


def test_a_page_that_comes_during_a_question_is_not_sent(bench: HubBench) -> None:
    """The answer brings its entries; sent twice they would look like a gap."""
    wanted = behind(bench)
    bench.say(COMPARE, 2)
    asked = bench.job("compare")
    bench.answer(wanted, page(2, 2))
    assert bench.frames(2) == []
    bench.answer(asked, Answered(page(2, 2), 4, "sums"))
    assert len(bench.frames(2)) == 2
    bench.drain(2)
    assert bench.frames(2) == []


def test_a_page_that_comes_after_an_answer_is_not_sent_again(bench: HubBench) -> None:
    """What is new since then follows by itself."""
    wanted = behind(bench)
    bench.say(COMPARE, 2)
    bench.answer(bench.job("compare"), Answered(page(2, 2), 4, "sums"))
    bench.drain(2)
    bench.submit(move(2))
    bench.answer(bench.job("commit"), committed(4, move(2)))
    assert bench.frames(2) == []
    bench.answer(wanted, page(2, 2))
    (delta,) = bench.heard(2)
    assert isinstance(delta, Delta)
    assert (delta.prev_seq, delta.seq) == (4, 5)
