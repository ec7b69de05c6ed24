"""Which orders of a damaged copy of the board differ from the server's, found by halving: pure decisions.

Both sides know sums of row hashes over ranges of order ids. Where they differ, the range is parted and asked
again, until what is left is small enough to be fetched. One damaged order among 100,000 costs three
questions. Too much damage, or no end of it, is answered by a whole board.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sync.contract.limits import COMPARE_RANGES, REPAIR_ORDERS

Range = tuple[str, str]
"""Order ids from the first (with it) to the second (without it); an empty second one is the end."""
Sum = tuple[int, int]
"""The sum of the row hashes of a range, and how many orders are in it."""
Wanted = tuple[str, str, int]
"""A range, and into how many parts of equal size it is to be parted."""

EVERYTHING: Final[Range] = ("", "")
LEAF_ORDERS: Final = REPAIR_ORDERS * 3 // 4
"""Ranges up to this length are fetched; some orders may be added before the question arrives."""
CHEAP_ORDERS: Final = 32
"""Ranges up to this length are not worth another question."""
QUESTIONS: Final = 12
DAMAGED_PART: Final = 4
"""When more than one in so many orders would have to be fetched, a whole board is cheaper."""
_LETTERS: Final = "-0123456789abcdef"


class Part(NamedTuple):
    """Have the cache part these ranges, then call :meth:`Bisection.parted`."""

    wanted: tuple[Wanted, ...]


class Ask(NamedTuple):
    """Ask both sides for the sums of these ranges, then call :meth:`Bisection.compared`."""

    ranges: tuple[Range, ...]


class Get(NamedTuple):
    """Replace this range by the server's orders, then call :meth:`Bisection.fetched`."""

    range: Range


class GiveUp(NamedTuple):
    """Ask for the whole board."""

    why: str


class Healed(NamedTuple):
    """Both sides hold the same orders."""


Move = Part | Ask | Get | GiveUp | Healed


class _Found(NamedTuple):
    """A range that differs."""

    range: Range
    own: int
    theirs: int

    @property
    def size(self) -> int:
        return max(self.own, self.theirs)


class Bisection:
    """One search for what differs; every call returns what is to be done next."""

    def __init__(self) -> None:
        """Know nothing yet; :meth:`begin` says what comes first."""
        self._questions = 0
        self._is_about_all = True
        self._orders = 0
        self._damaged = 0
        self._asked: tuple[Range, ...] = ()
        self._pending: list[Range] = []
        self._found: list[_Found] = []
        self._to_fetch: list[Range] = []

    def begin(self) -> Move:
        """Look at the whole board first."""
        return Part(((*EVERYTHING, COMPARE_RANGES),))

    def parted(self, ranges: Sequence[Range]) -> Move:
        """Take the parts of the ranges that were to be parted."""
        self._pending += ranges
        return self._ask()

    def again(self) -> Move:
        """Put the same question once more: the board moved between the two sums."""
        self._pending[:0] = self._asked
        return self._ask()

    def compared(self, own: Sequence[Sum], theirs: Sequence[Sum]) -> Move:
        """Take the sums of the question that was asked."""
        if not len(self._asked) == len(own) == len(theirs):
            return GiveUp("an answer to another question")
        if self._is_about_all:
            self._orders = sum(count for _, count in theirs)
            if abs(self._orders - sum(count for _, count in own)) * DAMAGED_PART > self._orders:
                return GiveUp("too many orders missing or too many there")
        self._found += [
            _Found(each, mine[1], other[1])
            for each, mine, other in zip(self._asked, own, theirs, strict=True)
            if mine != other
        ]
        if self._pending:
            return self._ask()
        found, self._found = self._found, []
        if found:
            return self._narrow(found)
        return Healed() if self._is_about_all else self._fetch()

    def fetched(self) -> Move:
        """Go on after a range was replaced."""
        return self._fetch()

    def _ask(self) -> Move:
        if self._questions == QUESTIONS:
            return GiveUp("too many questions")
        self._questions += 1
        self._asked = tuple(self._pending[:COMPARE_RANGES])
        del self._pending[:COMPARE_RANGES]
        return Ask(self._asked)

    def _narrow(self, found: Sequence[_Found]) -> Move:
        """Part what is long, keep what is short for fetching."""
        self._is_about_all = False
        # While one question has room for all parts, narrower ranges cost less than the orders in them.
        room = COMPARE_RANGES // len(found)
        wanted: list[Wanted] = []
        for each in found:
            is_worth_it = each.size > CHEAP_ORDERS and room > 1
            if each.size <= LEAF_ORDERS and not is_worth_it:
                self._to_fetch.append(each.range)
                self._damaged += each.size
            elif each.own * DAMAGED_PART < each.theirs:
                # Hardly any own orders to part it by.
                self._pending += spread(*each.range)
            else:
                wanted.append((*each.range, max(room, 2, -(-each.size // LEAF_ORDERS))))
        if self._damaged * DAMAGED_PART > self._orders:
            return GiveUp("too much differs")
        if wanted:
            return Part(tuple(wanted))
        return self._ask() if self._pending else self._fetch()

    def _fetch(self) -> Move:
        if self._to_fetch:
            return Get(self._to_fetch.pop(0))
        # The last question: is it well now? If not, it begins anew with what is left of the questions.
        self._is_about_all = True
        self._orders = self._damaged = 0
        self._pending = [EVERYTHING]
        return self._ask()


def spread(lo: str, hi: str) -> list[Range]:
    """Part a range of ids of which none are known: by the next character in which they can differ."""
    for length in range(_common(lo, hi), len(lo) + 1):
        fences = [
            fence for letter in _LETTERS if (fence := lo[:length] + letter) > lo and (not hi or fence < hi)
        ]
        if fences:
            return list(zip((lo, *fences), (*fences, hi), strict=True))
    return [(lo, hi)]


def fence(before: str, first: str) -> str:
    """Return a short text that is above ``before`` and not above ``first``: it parts them as well."""
    return first[: _common(before, first) + 1]


def _common(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))
