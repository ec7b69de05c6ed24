"""Which orders differ: what is asked, in which order, and when it is better to load everything anew."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Sequence

import pytest

from sync.client.bisecting import (
    CHEAP_ORDERS,
    LEAF_ORDERS,
    QUESTIONS,
    Ask,
    Bisection,
    Get,
    GiveUp,
    Healed,
    Move,
    Part,
    Range,
    Sum,
    Wanted,
    fence,
    spread,
)

Board = dict[str, int]
END = "\U0010ffff"


def within(board: Board, bounds: Range) -> list[str]:
    """Return the ids of a range."""
    return sorted(order_id for order_id in board if bounds[0] <= order_id < (bounds[1] or END))


def sums(board: Board, ranges: Sequence[Range]) -> list[Sum]:
    """Return the sums of ranges."""
    ids = sorted(board)
    places = [(bisect_left(ids, lo), bisect_left(ids, hi or END)) for lo, hi in ranges]
    return [(sum(map(board.__getitem__, ids[start:end])), end - start) for start, end in places]


def parted(board: Board, wanted: Sequence[Wanted]) -> list[Range]:
    """Part ranges by the ids that are there."""
    ranges: list[Range] = []
    for lo, hi, parts in wanted:
        ids = within(board, (lo, hi))
        length = -(-len(ids) // parts) or 1
        marks = [lo, *ids[length::length], hi]
        ranges += list(itertools.pairwise(marks))
    return ranges


def play(own: Board, theirs: Board, meanwhile: Callable[[int], None] = lambda _: None) -> list[Move]:
    """Search to the end, with what is fetched put into ``own``; return everything that was done."""
    search = Bisection()
    move = search.begin()
    moves = [move]
    while not isinstance(move, GiveUp | Healed):
        meanwhile(len(moves))
        if isinstance(move, Part):
            move = search.parted(parted(own, move.wanted))
        elif isinstance(move, Ask):
            assert len(move.ranges) <= 64
            move = search.compared(sums(own, move.ranges), sums(theirs, move.ranges))
        else:
            fetched = within(theirs, move.range)
            assert len(fetched) <= LEAF_ORDERS
            for order_id in within(own, move.range):
                del own[order_id]
            own.update({order_id: theirs[order_id] for order_id in fetched})
            move = search.fetched()
        moves.append(move)
    return moves


def board(count: int) -> Board:
    """Return a board of orders with ids of one length."""
    return {f"{number * 16:08x}": number + 1 for number in range(count)}


def fetched(moves: Sequence[Move]) -> list[Range]:
    """Return what was fetched."""
    return [move.range for move in moves if isinstance(move, Get)]


def test_boards_that_are_the_same_cost_one_question() -> None:
    """A hash that was wrong by itself is right by then."""
    moves = play(board(1_000), board(1_000))
    assert [type(move) for move in moves] == [Part, Ask, Healed]


@pytest.mark.parametrize("how", ["changed", "missing", "too many"])
def test_one_order_among_many_is_found(how: str) -> None:
    """In three questions, and fetched among a few neighbours."""
    theirs = board(100_000)
    own = dict(theirs)
    victim = f"{77_777 * 16:08x}"
    if how == "changed":
        own[victim] = 5
    elif how == "missing":
        del own[victim]
    else:
        own[f"{victim}-"] = 9
    moves = play(own, theirs)
    assert own == theirs
    assert [type(move) for move in moves] == [Part, Ask, Part, Ask, Get, Ask, Healed]
    (bounds,) = fetched(moves)
    assert len(within(theirs, bounds)) <= CHEAP_ORDERS


def test_damage_in_many_places_is_fetched_from_each() -> None:
    """One level of narrowing, in as many questions as it takes."""
    theirs = board(100_000)
    own = {order_id: 0 if number % 1_600 == 7 else theirs[order_id] for number, order_id in enumerate(theirs)}
    moves = play(own, theirs)
    assert own == theirs
    assert len(fetched(moves)) == 63
    assert isinstance(moves[-1], Healed)


def test_a_hole_among_the_own_orders_is_parted_without_them() -> None:
    """There is no own id to part it by, so it is parted by what the next character can be."""
    theirs = board(4_000)
    own = {order_id: hash_ for order_id, hash_ in theirs.items() if not "00002" < order_id < "00005"}
    moves = play(own, theirs)
    assert own == theirs
    assert isinstance(moves[-1], Healed)


@pytest.mark.parametrize("theirs", [0, 1_500])
def test_a_board_of_another_size_is_loaded_anew(theirs: int) -> None:
    """More than a quarter is missing or too many: nothing is searched for."""
    moves = play(board(1_000), board(theirs))
    assert moves[-1] == GiveUp("too many orders missing or too many there")
    assert len(moves) == 3


def test_more_than_a_quarter_is_not_fetched() -> None:
    """A whole board costs less than its parts."""
    theirs = board(400)
    own = {order_id: 0 if number < 110 else theirs[order_id] for number, order_id in enumerate(theirs)}
    assert play(own, theirs)[-1] == GiveUp("too much differs")


def test_too_many_questions_end_the_search() -> None:
    """A board on which new damage keeps turning up."""
    theirs = board(1_000)
    own = dict(theirs)

    def spoil(step: int) -> None:
        own[f"{step % 100 * 16:08x}"] = -step

    moves = play(own, theirs, spoil)
    assert moves[-1] == GiveUp("too many questions")
    assert sum(isinstance(move, Ask) for move in moves) == QUESTIONS


def test_what_healed_meanwhile_needs_nothing() -> None:
    """The log brought the order anew between two questions; the last one asks about everything."""
    theirs = board(10_000)
    own = {**theirs, "00000070": 0}

    def mend(step: int) -> None:
        if step == 3:
            own.update(theirs)

    moves = play(own, theirs, mend)
    assert [type(move) for move in moves] == [Part, Ask, Part, Ask, Ask, Healed]


def test_a_question_can_be_put_again() -> None:
    """When the board moved between the two sums; it counts."""
    search = Bisection()
    search.begin()
    ask = search.parted([("", "5"), ("5", "")])
    assert search.again() == ask
    for _ in range(QUESTIONS - 2):
        assert search.again() == ask
    assert search.again() == GiveUp("too many questions")


def test_an_answer_to_something_else_ends_the_search() -> None:
    """Nothing can be said about it."""
    search = Bisection()
    search.begin()
    search.parted([("", "")])
    assert search.compared([(1, 1)], []) == GiveUp("an answer to another question")


def test_a_fence_stands_between_neighbours() -> None:
    """As short as can be: it is sent."""
    assert fence("0197a3", "0197b1") == "0197b"
    assert fence("0197", "01971") == "01971"
    assert fence("", "7") == "7"


@pytest.mark.parametrize("bounds", [("", ""), ("019", "01a"), ("019-", "0190"), ("019", "019-"), ("7", "")])
def test_an_unknown_range_is_spread(bounds: Range) -> None:
    """The parts follow on each other and make the whole."""
    ranges = spread(*bounds)
    assert (ranges[0][0], ranges[-1][1]) == bounds
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ranges))
    assert all(not hi or lo < hi for lo, hi in ranges)
    assert len(ranges) > 1 or bounds == ("019", "019-")
