"""Questions of a terminal about the board at its own cursor, in answer to which it mends its copy.

While one is being answered, the link gets no delta. The answer stands at one seq, and what the log has up
to there goes out before it, so that a terminal compares like with like.
"""

from __future__ import annotations

from typing import Final

from server.kernel.connections import Board, Connection, Phase, delta_frame
from server.kernel.fanout import Fanout
from server.kernel.records import Answered
from server.kernel.refusals import Refusal
from server.kernel.wishes import Wishes
from sync.contract.checks import are_usable_ranges, is_usable_range
from sync.contract.messages import Compare, Fetch, Reload

ATTEMPTS: Final = 8
"""How often an answer may stand further on than a page leads, before the link gets the whole board."""


class Questions:
    """What the links ask, one question a link at a time."""

    def __init__(self, wishes: Wishes, fanout: Fanout) -> None:
        """Have deltas and whole boards sent by ``fanout``."""
        self._wishes = wishes
        self._fanout = fanout

    def take(self, connection: Connection, question: Compare | Fetch | Reload) -> None:
        """Take a question of a link that is up to date or on the way there."""
        board = self._fanout.board_of(connection)
        is_free = connection.phase is Phase.LIVE and not connection.is_asking
        if board is None or not is_free or not _is_usable(question):
            self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)
        elif isinstance(question, Reload):
            self._fanout.load(connection, board)
        else:
            connection.is_asking = True
            self._ask(connection, board, question, ATTEMPTS)

    def _ask(self, connection: Connection, board: Board, question: Compare | Fetch, attempts: int) -> None:
        asked: tuple[object, ...] = (
            (question.n, tuple(question.ranges))
            if isinstance(question, Compare)
            else (question.n, question.lo, question.hi)
        )
        self._wishes.job(
            "copies",
            "compare" if isinstance(question, Compare) else "fetch",
            (board.site, connection.cursor, *asked),
            lambda result, error: self._on_answered(connection, board, question, attempts, result, error),
        )

    def _on_answered(
        self,
        connection: Connection,
        board: Board,
        question: Compare | Fetch,
        attempts: int,
        result: object,
        error: str,
    ) -> None:
        if connection.phase is Phase.CLOSED:
            return
        if error or not isinstance(result, Answered):
            self._wishes.refuse(connection, Refusal.SERVER_FAULT)
            return
        if result.page.entries:
            connection.cursor = result.page.seq
            self._wishes.send(connection, delta_frame(result.page.prev_seq, result.page.entries))
        if connection.cursor < result.seq and attempts:
            self._ask(connection, board, question, attempts - 1)
            return
        connection.is_asking = False
        if connection.cursor < result.seq or result.frame is None:
            # An answer that is too long will be too long again: a terminal that was sent away would come back
            # with the same question for ever.
            self._fanout.load(connection, board)
        else:
            if isinstance(question, Fetch):
                # Nobody fetches what is whole: somewhere a disk or a program is not.
                self._wishes.warn("board_repaired", device_id=connection.device_id, count=result.orders)
            self._wishes.send(connection, result.frame)


def _is_usable(question: Compare | Fetch | Reload) -> bool:
    if isinstance(question, Compare):
        return are_usable_ranges(question.ranges)
    return isinstance(question, Reload) or is_usable_range(question.lo, question.hi)
