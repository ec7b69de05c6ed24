"""Fan-out: every link gets the log of its board, from its own cursor, at its own speed.

A link has a cursor and a mark "still sending", no queue. When it is free, what comes next is read out of
the log: from memory for links that are up to date, from the store for the others.
"""

from __future__ import annotations

from server.kernel.connections import Board, BoardAdvanced, Connection, Phase, Tail, delta_frame
from server.kernel.records import Committed, Head, Page, SiteKey, SnapshotFor
from server.kernel.refusals import Refusal
from server.kernel.wishes import Wishes
from sync.contract.codec import encode
from sync.contract.messages import SnapshotBegin, SnapshotEnd


class Fanout:
    """The boards that somebody looks at, and what each of their links still needs."""

    def __init__(self, wishes: Wishes, links: dict[int, Connection]) -> None:
        """Serve ``links``, which the hub keeps."""
        self._wishes = wishes
        self._links = links
        self._boards: dict[str, Board] = {}

    def board(self, site_id: str) -> Board | None:
        """Return the board of a site, None when nobody ever looked at it."""
        return self._boards.get(site_id)

    def boards(self) -> list[Board]:
        """Return the boards, in the order in which they were first looked at."""
        return list(self._boards.values())

    def meet(self, site: SiteKey, head: Head) -> Board:
        """Take in where a log stands, and return its board.

        With a new epoch the history that the links of this board know is over: they are closed.
        """
        board = self._boards.get(site.site_id)
        if board is None:
            board = Board(site, head.epoch, head.seq, head.durable_seq, Tail(head.seq))
            self._boards[site.site_id] = board
            return board
        board.durable_seq = head.durable_seq
        if board.epoch != head.epoch:
            board.epoch, board.head, board.tail = head.epoch, head.seq, Tail(head.seq)
            for connection in self.watching(board):
                self._wishes.refuse(connection, Refusal.NEW_EPOCH)
        elif head.seq > board.head:
            self._set_head(board, head.seq)
        return board

    def advance(self, board: Board, result: Committed) -> None:
        """Take in what a commit added to the log."""
        if not result.entries:
            return
        if result.prev_seq != board.tail.seq:
            # Another process wrote in between: its entries are read page by page.
            board.tail = Tail(result.prev_seq)
        board.tail.extend(result.entries)
        self._set_head(board, result.seq)

    def watching(self, board: Board) -> list[Connection]:
        """Return the links that look at a board, the oldest first."""
        return [
            connection
            for connection in self._links.values()
            if connection.site == board.site and connection.phase in {Phase.LOADING, Phase.LIVE}
        ]

    def load(self, connection: Connection, board: Board) -> None:
        """Send the whole board first."""
        connection.phase = Phase.LOADING
        self._wishes.job(
            "reader",
            "snapshot",
            (board.site, connection.device_id),
            lambda result, error: self._on_snapshot(connection, result, error),
        )

    def follow(self, connection: Connection, cursor: int) -> None:
        """Send what comes after ``cursor``."""
        connection.phase = Phase.LIVE
        connection.cursor = cursor
        self.pump(connection)

    def pump(self, connection: Connection) -> None:
        """Send a link that is free what it needs next, if anything."""
        if connection.site is None or connection.sending_since_ms is not None:
            return
        if connection.phase is Phase.LOADING:
            self._pump_snapshot(connection)
        elif connection.phase is Phase.LIVE:
            self._pump_delta(connection, self._boards[connection.site.site_id])

    def _set_head(self, board: Board, seq: int) -> None:
        board.head = seq
        self._wishes.publish(BoardAdvanced(board.site, seq))
        for connection in self.watching(board):
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
            elif frame and connection.phase is Phase.LIVE:
                connection.cursor = page.seq
                self._wishes.send(connection, frame)

    def _on_snapshot(self, connection: Connection, result: object, error: str) -> None:
        if error or not isinstance(result, SnapshotFor):
            self._wishes.refuse(connection, Refusal.SERVER_FAULT)
            return
        snapshot = connection.snapshot = result.snapshot
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
