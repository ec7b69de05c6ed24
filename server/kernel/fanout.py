"""Fan-out: every link gets the log of its board, from its own cursor, at its own speed.

A link has a cursor and a mark "still sending", no queue. When it is free, what comes next is read out of
the log: from memory for links that are up to date, from the store for the others. With many links, what
several commits add goes out as one delta.
"""

from __future__ import annotations

from typing import Final

from server.kernel.connections import (
    FLUSH_MS,
    LINKS_PER_FLUSH_MS,
    Board,
    BoardAdvanced,
    Connection,
    Phase,
    Tail,
    delta_frame,
)
from server.kernel.records import Committed, FirstPage, Head, Page, SiteKey, SnapshotFor
from server.kernel.refusals import Refusal
from server.kernel.wishes import Wishes
from sync.contract.codec import encode
from sync.contract.messages import SnapshotBegin, SnapshotEnd
from sync.contract.ports import Clock

FLUSH: Final = "flush:"


class Fanout:
    """The boards that somebody looks at, and what each of their links still needs."""

    def __init__(self, wishes: Wishes, links: dict[int, Connection], clock: Clock) -> None:
        """Serve ``links``, which the hub keeps."""
        self._wishes = wishes
        self._links = links
        self._clock = clock
        self._boards: dict[str, Board] = {}

    def board_of(self, connection: Connection) -> Board | None:
        """Return the board that a link looks at, None before anybody looked at it."""
        return self._boards.get(connection.site.site_id) if connection.site is not None else None

    def boards(self) -> list[Board]:
        """Return the boards, in the order in which they were first looked at."""
        return list(self._boards.values())

    def meet(self, site: SiteKey, head: Head) -> Board:
        """Take in where a log stands, and return its board.

        With a new epoch the history that the links of this board know is over: they are closed.
        """
        board = self._boards.get(site.site_id)
        if board is None:
            board = Board(site, head.epoch, head.seq, head.durable_seq, Tail(head.seq), head.state_hash)
            self._boards[site.site_id] = board
            return board
        board.durable_seq = head.durable_seq
        if board.epoch != head.epoch:
            board.epoch, board.head, board.tail = head.epoch, head.seq, Tail(head.seq)
            board.state_hash = head.state_hash
            for connection in self.watching(board):
                self._wishes.refuse(connection, Refusal.NEW_EPOCH)
        elif head.seq > board.head:
            self._set_head(board, head.seq, head.state_hash)
        return board

    def advance(self, board: Board, result: Committed) -> None:
        """Take in what a commit added to the log."""
        if not result.entries:
            return
        if result.prev_seq != board.tail.seq:
            # Another process wrote in between: its entries are read page by page.
            board.tail = Tail(result.prev_seq)
        board.tail.extend(result.entries)
        self._set_head(board, result.seq, result.state_hash)

    def watching(self, board: Board) -> list[Connection]:
        """Return the links that look at a board, the oldest first."""
        return [
            connection
            for connection in self._links.values()
            if connection.site == board.site and connection.phase in {Phase.LOADING, Phase.LIVE}
        ]

    def load(self, connection: Connection, board: Board) -> None:
        """Send the whole board first, and before it something to look at where there is nothing."""
        connection.phase = Phase.LOADING
        if connection.hello is not None and connection.hello.cursor == 0:
            self._wishes.job(
                "copies", "first_page", (board.site,), lambda result, _: self._on_page_one(connection, result)
            )
        # Never an older board than what was sent already: what a terminal has seen happen stays so.
        self._wishes.job(
            "copies",
            "snapshot",
            (board.site, connection.device_id, connection.cursor),
            lambda result, error: self._on_snapshot(connection, result, error),
        )

    def follow(self, connection: Connection, cursor: int) -> None:
        """Send what comes after ``cursor``."""
        connection.phase = Phase.LIVE
        connection.cursor = cursor
        self.pump(connection)

    def pump(self, connection: Connection) -> None:
        """Send a link that is free what it needs next, if anything."""
        board = self.board_of(connection)
        if board is None or connection.sending_since_ms is not None:
            return
        if connection.phase is Phase.LOADING:
            self._pump_snapshot(connection)
        elif _is_following(connection):
            self._pump_delta(connection, board)

    def flush(self, site_id: str) -> None:
        """Send everybody who looks at a board what is new on it."""
        board = self._boards[site_id]
        board.is_flush_set = False
        self._flush(board, self.watching(board))

    def _set_head(self, board: Board, seq: int, state_hash: int | None) -> None:
        board.head = seq
        board.state_hash = state_hash
        self._wishes.publish(BoardAdvanced(board.site, seq))
        if board.is_flush_set:
            return
        watching = self.watching(board)
        span_ms = min(FLUSH_MS, len(watching) // LINKS_PER_FLUSH_MS)
        wait_ms = board.flushed_ms + span_ms - self._clock.mono_ms()
        if span_ms and wait_ms > 0:
            board.is_flush_set = True
            self._wishes.set_timer(f"{FLUSH}{board.site.site_id}", wait_ms)
        else:
            self._flush(board, watching)

    def _flush(self, board: Board, watching: list[Connection]) -> None:
        board.flushed_ms = self._clock.mono_ms()
        for connection in watching:
            self.pump(connection)

    def _pump_delta(self, connection: Connection, board: Board) -> None:
        cursor = connection.cursor
        if cursor >= board.head or connection.is_page_wanted:
            return
        frame = board.tail.frame_after(cursor)
        if frame is not None:
            connection.cursor = board.tail.seq
            self._wishes.send(connection, frame)
            return
        connection.is_page_wanted = True
        is_asked = cursor in board.pages
        board.pages.setdefault(cursor, []).append(connection)
        if not is_asked:
            self._wishes.job(
                "reader",
                "page",
                (board.site, cursor),
                lambda result, error: self._on_page(board, cursor, result, error),
            )

    def _on_page(self, board: Board, cursor: int, result: object, error: str) -> None:
        waiting = board.pages.pop(cursor)
        page = result if isinstance(result, Page) and not error else None
        frame = delta_frame(cursor, page.entries) if page is not None and page.entries else ""
        for connection in waiting:
            connection.is_page_wanted = False
            if page is None:
                self._wishes.refuse(connection, Refusal.SERVER_FAULT)
            elif frame and connection.cursor == cursor and _is_following(connection):
                connection.cursor = page.seq
                self._wishes.send(connection, frame)
            elif frame:
                # It got these entries on another way meanwhile; there may be more.
                self.pump(connection)

    def _on_page_one(self, connection: Connection, result: object) -> None:
        # Without it the whole board comes all the same.
        if isinstance(result, FirstPage) and result.frame and connection.phase is Phase.LOADING:
            self._wishes.send(connection, result.frame)

    def _on_snapshot(self, connection: Connection, result: object, error: str) -> None:
        if error or not isinstance(result, SnapshotFor):
            self._wishes.refuse(connection, Refusal.SERVER_FAULT)
            return
        snapshot = connection.snapshot = result.snapshot
        connection.next_chunk = 0
        begin = SnapshotBegin(
            snapshot.epoch,
            snapshot.seq,
            snapshot.orders,
            len(snapshot.frames),
            snapshot.state_hash,
            result.decided_device_seq,
        )
        self._wishes.say(connection, begin)
        self.pump(connection)

    def _pump_snapshot(self, connection: Connection) -> None:
        """Send the next chunk, or the end; one at a time, so that a slow link holds nothing up."""
        snapshot = connection.snapshot
        if snapshot is None:
            return
        if connection.next_chunk < len(snapshot.frames):
            connection.next_chunk += 1
            self._wishes.send(connection, snapshot.frames[connection.next_chunk - 1])
            return
        connection.snapshot = None
        connection.cursor = snapshot.seq
        connection.phase = Phase.LIVE
        self._wishes.send(connection, encode(SnapshotEnd(snapshot.seq)))


def _is_following(connection: Connection) -> bool:
    """Say whether deltas flow: a link that asked something waits for its answer first."""
    return connection.phase is Phase.LIVE and not connection.is_asking
