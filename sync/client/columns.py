"""Columns as packed arrays: which orders, in which order, and where one of them stands.

100,000 orders take 2.5 MB. Everything is found by bisection on sort keys, so that a change costs
microseconds whatever the length.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from sync.client.sort_keys import group_end, group_number

_PIECE: Final = 1_024
"""So many places of a column are looked at before it is asked whether a page is full."""


class Run(NamedTuple):
    """Cards of one group: ``length`` from place ``start``; ``group`` is the number in the key."""

    start: int
    length: int
    group: int


class Column:
    """Local ids in display order: by sort key, then by local id."""

    def __init__(self, ids: array[int] | None = None, keys: array[int] | None = None) -> None:
        """Start with sorted ``ids`` and their ``keys`` (both ``array('q')``), or empty."""
        self._ids = array("q") if ids is None else ids
        self._keys = array("q") if keys is None else keys
        self._key_of: Callable[[int], int] | None = None
        self._is_lent = False
        self._runs: tuple[Run, ...] | None = None

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> array[int]:
        """The ids. Whoever has them keeps this state: the next change is made on a copy."""
        self._is_lent = True
        return self._ids

    def items(self) -> Iterator[tuple[int, int]]:
        """Return local ids with their keys."""
        return zip(self._ids, self._sorted_keys(), strict=True)

    def place(self, local_id: int, key: int) -> int | None:
        """Return where an order stands, None if it does not."""
        place = self._slot(local_id, key)
        is_here = (
            place < len(self._ids) and self._ids[place] == local_id and self._sorted_keys()[place] == key
        )
        return place if is_here else None

    def insert(self, local_id: int, key: int) -> None:
        """Put an order where its key belongs."""
        place = self._slot(local_id, key)
        self._own()
        self._ids.insert(place, local_id)
        self._keys.insert(place, key)

    def remove(self, local_id: int, key: int) -> bool:
        """Take an order out; False when it is not there."""
        place = self.place(local_id, key)
        if place is None:
            return False
        self._own()
        del self._ids[place]
        del self._keys[place]
        return True

    def runs(self) -> tuple[Run, ...]:
        """Return the groups of the column, in display order."""
        if self._runs is None:
            self._runs = tuple(_runs(self._sorted_keys()))
        return self._runs

    def only(self, wanted: AbstractSet[int], key_of: Callable[[int], int], at_most: int = 0) -> Column:
        """Return a column of those orders that are ``wanted``, or of the first page of them.

        ``key_of`` tells the sort key of an order, when the first of them moves. With ``at_most`` the page
        ends soon after so many, 0 is no end.
        """
        found, runs = array("q"), []
        for start, length, group in self.runs():
            if at_most and len(found) >= at_most:
                break
            here = self._wanted(start, start + length, wanted, at_most)
            if here:
                runs.append(Run(len(found), len(here), group))
                found += here
        column = Column(found)
        column._runs, column._key_of = tuple(runs), key_of
        return column

    def _wanted(self, start: int, end: int, wanted: AbstractSet[int], at_most: int) -> array[int]:
        """Return the wanted ones of the places from ``start`` to ``end``, or the first page of them."""
        found = array("q")
        for piece in range(start, end, _PIECE):
            ids = self._ids[piece : min(piece + _PIECE, end)]
            found.fromlist([local_id for local_id in ids if local_id in wanted])
            if at_most and len(found) >= at_most:
                break
        return found

    def _sorted_keys(self) -> array[int]:
        """Return the keys; those of a filtered column are looked up when the first is needed."""
        if self._key_of is not None:
            self._keys = array("q", map(self._key_of, self._ids))
            self._key_of = None
        return self._keys

    def _slot(self, local_id: int, key: int) -> int:
        keys = self._sorted_keys()
        start = bisect_left(keys, key)
        # Mostly the key is the only one of its kind, and the second search has nothing to do.
        end = bisect_right(keys, key, lo=start)
        return bisect_left(self._ids, local_id, lo=start, hi=end)

    def _own(self) -> None:
        self._runs = None
        if self._is_lent:
            self._ids = self._ids[:]
            self._is_lent = False


def _runs(keys: Sequence[int]) -> Iterator[Run]:
    start = 0
    while start < len(keys):
        group = group_number(keys[start])
        end = bisect_right(keys, group_end(group), lo=start)
        yield Run(start, end - start, group)
        start = end


class Places:
    """Column number and sort key of every order on the board, by local id.

    Two dense arrays: local ids are given in ascending order, so those of a board lie close together.
    """

    def __init__(self, columns: Iterable[Column] = ()) -> None:
        """Index the orders of ``columns``, numbered from 0."""
        listed = list(columns)
        self._first = min((min(column.ids, default=0) for column in listed if len(column)), default=0)
        last = max((max(column.ids, default=0) for column in listed if len(column)), default=-1)
        span = last - self._first + 1
        self._columns = array("b", bytes([_NOWHERE])) * span
        self._keys = array("q", bytes(8)) * span
        # Local names: the loop runs once for every order of the board, on the GUI thread.
        numbers, keys, first = self._columns, self._keys, self._first
        for number, column in enumerate(listed):
            for local_id, key in column.items():
                numbers[local_id - first] = number
                keys[local_id - first] = key

    def get(self, local_id: int) -> tuple[int, int] | None:
        """Return column number and sort key, None for an order that is nowhere."""
        slot = local_id - self._first
        if not 0 <= slot < len(self._columns) or self._columns[slot] == _NOWHERE:
            return None
        return self._columns[slot], self._keys[slot]

    def key(self, local_id: int) -> int:
        """Return the sort key of an order that is somewhere."""
        return self._keys[local_id - self._first]

    def put(self, local_id: int, column: int, key: int) -> None:
        """Remember where an order stands."""
        self._reach(local_id)
        self._columns[local_id - self._first] = column
        self._keys[local_id - self._first] = key

    def drop(self, local_id: int) -> None:
        """Forget an order that was put before."""
        self._columns[local_id - self._first] = _NOWHERE

    def _reach(self, local_id: int) -> None:
        """Make room for ``local_id``; a newer id is the rule, an older one comes back seldom."""
        before = self._first - local_id if self._columns else 0
        if not self._columns:
            self._first = local_id
        if before > 0:
            self._columns = array("b", bytes([_NOWHERE])) * before + self._columns
            self._keys = array("q", bytes(8)) * before + self._keys
            self._first = local_id
        after = local_id - self._first - len(self._columns) + 1
        if after > 0:
            self._columns.extend(array("b", bytes([_NOWHERE])) * after)
            self._keys.extend(array("q", bytes(8)) * after)


_NOWHERE = 127
