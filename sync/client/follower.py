"""The half of the client's machine that follows the board: deltas and snapshots into the cache.

The cache runs behind: a page is handed over as a job and counts only when the job is done. What
this link has handed over is ``received``; where the board stands is ``cursor``.

When the server's state hash is another than the cache's at the same seq, or a page does not fit the orders
that are here, the copy is damaged: what differs is looked for and replaced (:mod:`sync.client.repairing`).
"""

from __future__ import annotations

from collections.abc import Callable

from sync.client.emitter import Emitter
from sync.client.repairing import Repairing
from sync.client.store_values import (
    CacheChange,
    CacheSnapshot,
    CacheState,
    DeltaRefused,
    Repaired,
    SnapshotHeld,
    SnapshotRefused,
)
from sync.contract.messages import (
    BoardMessage,
    Compared,
    Delta,
    SnapshotBegin,
    SnapshotChunk,
    SnapshotEnd,
    SnapshotPage,
)
from sync.contract.ports import Clock
from sync.contract.problems import Problem

Applied = Callable[[CacheChange | CacheSnapshot | SnapshotHeld | Repaired], None]
Failed = Callable[[str, Problem | None], None]
"""Called with a reason for IT, and a problem when a person should know of it."""

_NOT_WRITTEN = "The board's copy on this computer cannot be written. Your own moves are kept apart from it."
_NOT_WHOLE = Problem(
    "BOARD_NOT_WHOLE",
    "The board that the server sent is not the one it meant. The last whole one stays on screen.",
    "It is asked for again by itself; if this stays, call IT.",
)
_MAKE_ROOM = "Make room on the disk; the board catches up by itself."


class Follower:
    """Keeps the cached board in step with the server's log."""

    def __init__(
        self, cache: CacheState, clock: Clock, emitter: Emitter, applied: Applied, failed: Failed
    ) -> None:
        """Start from where the cache stands; report to ``applied`` and ``failed``."""
        self._clock = clock
        self._emitter = emitter
        self._applied = applied
        self._failed = failed
        self.epoch = cache.epoch
        self.cursor = cache.cursor
        self.received = cache.cursor
        self.is_accepting = False
        """Whether a person wants the next whole board, whatever it lacks."""
        self.is_held = False
        """Whether the server's board was not let in on this link."""
        self._snapshot: SnapshotBegin | None = None
        self._link = 0
        self._repairing = Repairing(emitter, self._advance, applied, self._on_unwritten)

    def open_link(self, link: int, cache: CacheState) -> None:
        """Go on from where the cache really stands, over a new link."""
        self._link = link
        self.epoch = cache.epoch
        self.cursor = cache.cursor
        self.received = cache.cursor
        self._snapshot = None
        self.is_held = False

    def close_link(self) -> None:
        """Hear no more of what the last link's jobs come to, other than what they wrote."""
        self._link = 0
        self._repairing.stop()

    def on_message(self, device_id: str, message: BoardMessage) -> None:
        """Take in what brings the board; while a whole one is held back nothing fits the one that is here."""
        if self.is_held:
            return
        match message:
            case Delta():
                self.on_delta(device_id, message)
            case SnapshotBegin():
                self.on_begin(message)
            case SnapshotChunk():
                self.on_chunk(message)
            case SnapshotEnd():
                self.on_end(device_id, message)
            case SnapshotPage(orders):
                self._job("put_page", (tuple(orders),))
            case Compared():
                self._repairing.on_compared(message)
            case _:
                self._repairing.on_repair(message)

    def on_state_hash(self, seq: int, state_hash: int) -> None:
        """Compare the cache with the server's board at ``seq``, when the cache gets to stand just there."""
        if self.is_held or self._snapshot is not None or seq != self.received:
            return
        link = self._link

        def compare(result: object, error: str) -> None:
            # An error shows at the next hello, which asks the same.
            if not error and link == self._link and isinstance(result, CacheState):
                is_same = result.cursor != seq or result.state_hash == state_hash
                self._look_for_damage(is_same)

        self._emitter.job("cache", "state", then=compare)

    def on_delta(self, device_id: str, delta: Delta) -> None:
        """Hand a page to the cache, unless it does not follow on what was handed over before."""
        if self._snapshot is not None or delta.prev_seq != self.received:
            self._failed(f"delta after {delta.prev_seq}, not {self.received}", None)
            return
        self.received = delta.seq
        page = (device_id, delta.prev_seq, delta.seq, tuple(delta.entries))
        self._job("apply_delta", page)

    def on_begin(self, begin: SnapshotBegin) -> None:
        """Stage a whole board; one that was unfinished is dropped."""
        self._snapshot = begin
        self._repairing.stop()
        self._job("begin_snapshot", (begin,))

    def on_chunk(self, chunk: SnapshotChunk) -> None:
        """Stage some orders of the snapshot."""
        if self._snapshot is None:
            self._failed("snapshot chunk without a beginning", None)
            return
        self._job("add_chunk", (chunk.index, tuple(chunk.orders)))

    def on_end(self, device_id: str, end: SnapshotEnd) -> None:
        """Swap the staged board in."""
        if self._snapshot is None or end.seq != self._snapshot.seq:
            self._failed("snapshot end without its beginning", None)
            return
        self._snapshot = None
        self.received = end.seq
        self._job("end_snapshot", (device_id, end.seq, self._clock.wall_ms(), self.is_accepting))

    def _job(self, method: str, arguments: tuple[object, ...]) -> None:
        """Have the cache do something; what an older link's job came to no longer drops this link."""
        link = self._link

        def done(result: object, error: str) -> None:
            if error:
                self._on_unwritten(link, error)
            elif isinstance(result, SnapshotRefused):
                self._fail(link, f"snapshot refused: {result.reason}", _NOT_WHOLE)
            elif isinstance(result, DeltaRefused):
                self._refused(link, result)
            elif isinstance(result, SnapshotHeld):
                self._hold(link, result)
            elif isinstance(result, CacheChange | CacheSnapshot):
                self._advance(result)

        self._emitter.job("cache", method, *arguments, then=done)

    def _refused(self, link: int, refused: DeltaRefused) -> None:
        if self.is_held:
            # It came on the heels of the board that was not let in.
            return
        self._fail(link, f"delta refused: {refused.reason}", None)

    def _on_unwritten(self, link: int, error: str) -> None:
        self._fail(link, error, Problem("CACHE_NOT_WRITTEN", _NOT_WRITTEN, _MAKE_ROOM))

    def _fail(self, link: int, detail: str, problem: Problem | None) -> None:
        if link == self._link:
            self._failed(detail, problem)

    def _hold(self, link: int, held: SnapshotHeld) -> None:
        """Keep the board that is here; what follows on this link belongs to the other one."""
        self._tidy()
        if link == self._link:
            self.is_held = True
            self._applied(held)

    def _advance(self, result: CacheChange | CacheSnapshot) -> None:
        if isinstance(result, CacheSnapshot):
            self.epoch = result.epoch
            self.cursor = result.seq
            self.is_accepting = False
            self._tidy()
        else:
            self.cursor = result.cursor
        self._applied(result)
        if isinstance(result, CacheChange):
            self._look_for_damage(result.is_whole)

    def _look_for_damage(self, is_whole: bool) -> None:
        """Find out what is wrong with the copy, unless that is done or a whole board is on its way."""
        is_free = self._snapshot is None and not self.is_held and not self._repairing.is_underway
        if not is_whole and self._link and is_free:
            self._repairing.start(self._link)

    def _tidy(self) -> None:
        """Drop the replaced tables piece by piece, so that no job holds the database thread long."""
        self._emitter.job("cache", "tidy", then=self._on_tidied)

    def _on_tidied(self, result: object, error: str) -> None:
        if result and not error:
            self._tidy()
