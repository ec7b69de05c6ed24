"""The part of the client's machine that mends the board: which orders differ, and the server's instead.

It runs beside the deltas. The server answers each question at exactly the seq up to which it has sent this
link the log; the cache has been given everything up to there when it gets the answer, and nothing after it.
So both sides always speak of the same seq. A new link, a snapshot or a new search ends an old one: its
answers are to questions that nobody asked any more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from sync.client.bisecting import Ask, Bisection, Get, GiveUp, Healed, Move, Part, Range, Sum
from sync.client.emitter import Emitter
from sync.client.store_values import CacheChange, CacheRepair, DeltaRefused, Repaired
from sync.contract.messages import Compare, Compared, Fetch, Reload, Repair

Changed = Callable[[CacheChange], None]
Ended = Callable[[Repaired], None]
SLICE: Final = 8
"""Ranges that the cache sums up in one job: all 64 of a large board would hold its thread for 0.1 s."""
Failed = Callable[[int, str], None]
"""Called with the link and the cache's error."""


class Repairing:
    """At most one search for damage, on the present link."""

    def __init__(self, emitter: Emitter, changed: Changed, ended: Ended, failed: Failed) -> None:
        """Be well."""
        self._emitter = emitter
        self._changed = changed
        self._ended = ended
        self._failed = failed
        self._link = 0
        self._search: Bisection | None = None
        self._n = 0
        self._ranges: tuple[Range, ...] = ()
        self._orders = 0

    @property
    def is_underway(self) -> bool:
        """Say whether damage is being looked for."""
        return self._search is not None

    def stop(self) -> None:
        """Let go of a search; what it replaced stays."""
        self._search = None

    def start(self, link: int) -> None:
        """Look for damage over this link; a search that is under way begins anew."""
        self._link = link
        self._orders = 0
        search = self._search = Bisection()
        # First the state hash becomes that of the rows, whatever the file said it was.
        self._job("resum", (), lambda _: search.begin())

    def on_compared(self, compared: Compared) -> None:
        """Compare the server's sums with the cache's."""
        search = self._search
        if search is None or compared.n != self._n:
            return
        self._n += 1
        ranges, theirs, own = self._ranges, compared.sums, list[Sum]()
        waiting = list(ranges)

        def done(result: object) -> Move | None:
            del waiting[:SLICE]
            if not isinstance(result, DeltaRefused):
                own.extend(cast(tuple[Sum, ...], result))
            if waiting:
                return None
            return search.compared(own, theirs) if len(own) == len(ranges) else search.again()

        for place in range(0, len(ranges), SLICE):
            # Handed over together, so nothing of the log comes between them.
            self._job("range_sums", (compared.seq, ranges[place : place + SLICE]), done)

    def on_repair(self, repair: Repair) -> None:
        """Put the server's orders in the place of the cache's."""
        search = self._search
        if search is None or repair.n != self._n:
            return
        self._n += 1
        # One that came too late for its seq shows in the last question.
        arguments = (repair.seq, repair.lo, repair.hi, tuple(repair.orders))
        self._job("repair", arguments, lambda _: search.fetched())

    def _job(self, method: str, arguments: tuple[object, ...], then: Callable[[object], Move | None]) -> None:
        search, link = self._search, self._link

        def done(result: object, error: str) -> None:
            if error:
                self._failed(link, error)
                return
            if isinstance(result, CacheRepair):
                # It is in the cache, whatever became of the search.
                self._orders += result.orders
                self._changed(result.change)
            if search is not None and search is self._search:
                self._go_on(search, then(result))

        self._emitter.job("cache", method, *arguments, then=done)

    def _go_on(self, search: Bisection, move: Move | None) -> None:
        match move:
            case Part(wanted):
                self._job("split", (wanted,), lambda ranges: search.parted(cast(tuple[Range, ...], ranges)))
            case Ask(ranges):
                self._n += 1
                self._ranges = ranges
                self._emitter.send(self._link, Compare(self._n, list(ranges)))
            case Get((lo, hi)):
                self._n += 1
                self._emitter.send(self._link, Fetch(self._n, lo, hi))
            case Healed():
                self._search = None
                self._ended(Repaired(self._orders))
            case GiveUp():
                self._search = None
                self._emitter.send(self._link, Reload())
                self._ended(Repaired(None))
