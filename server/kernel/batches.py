"""Operations of the terminals: paced by device, collected into batches, each answered on its link.

A batch that cannot be decided because of what is in it is tried again one operation at a time: the one
that fails alone is told to its sender, and everybody else is answered as usual.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from server.kernel.connections import Board, Connection, Phase
from server.kernel.fanout import Fanout
from server.kernel.pace import Pace
from server.kernel.records import Batch, Committed, OperationFaultError, Submission
from server.kernel.refusals import Refusal
from server.kernel.wishes import Wishes
from sync.contract.checks import is_usable_operation
from sync.contract.limits import DEVICE_BURST, DEVICE_OPERATIONS_PER_S, SUBMIT_OPERATIONS, SUBMIT_WINDOW
from sync.contract.messages import Decided, Faulted, Submit
from sync.contract.ports import Clock

PACE: Final = "pace:"
PACE_MS: Final = 100
"""How often operations that came too fast are let in, some at a time."""


class Batches:
    """What every board has to decide next."""

    def __init__(self, wishes: Wishes, fanout: Fanout, links: dict[int, Connection], clock: Clock) -> None:
        """Decide for ``links``, which the hub keeps, and tell ``fanout`` what came of it."""
        self._wishes = wishes
        self._fanout = fanout
        self._links = links
        self._clock = clock
        self._pace = Pace(DEVICE_OPERATIONS_PER_S, DEVICE_BURST)

    def take(self, connection: Connection, submit: Submit) -> None:
        """Take the operations of a link that is past its Welcome."""
        principal = connection.principal
        board = self._fanout.board_of(connection)
        count = len(submit.operations)
        is_ours = all(is_usable_operation(operation, connection.device_id) for operation in submit.operations)
        if principal is None or board is None or not is_ours or not 0 < count <= SUBMIT_OPERATIONS:
            self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)
            return
        if connection.waiting + count > SUBMIT_WINDOW:
            self._wishes.refuse(connection, Refusal.TOO_MANY_OPERATIONS)
            return
        connection.waiting += count
        connection.held.extend(Submission(operation, principal) for operation in submit.operations)
        self._let_in(connection, board)

    def resume(self, link: int) -> None:
        """Let in what a link had to hold back."""
        connection = self._links.get(link)
        board = self._fanout.board_of(connection) if connection is not None else None
        if connection is not None and board is not None and connection.phase is not Phase.CLOSED:
            self._let_in(connection, board)

    def drop(self, connection: Connection) -> None:
        """Forget what a link that is gone still held back; its client sends it again."""
        if connection.held:
            connection.held.clear()
            self._wishes.cancel_timer(f"{PACE}{connection.link}")

    def beat(self) -> None:
        """Forget what needs no remembering."""
        self._pace.forget(self._clock.mono_ms())

    def _let_in(self, connection: Connection, board: Board) -> None:
        """Move operations from the link to its board, as many as its device may hand in now."""
        held = connection.held
        for _ in range(self._pace.let_in(connection.device_id, len(held), self._clock.mono_ms())):
            board.waiting.append((connection.link, held.popleft()))
        if held:
            self._wishes.set_timer(f"{PACE}{connection.link}", PACE_MS)
        # What comes while a commit is on its way waits for it and is the next batch: the busier the
        # board, the larger the batches, and nobody waits for a window to close on an idle one.
        if not board.is_committing:
            self._commit(board)

    def _commit(self, board: Board) -> None:
        """Hand the next batch to the store, if anything waits."""
        count = min(len(board.waiting), 1 if board.alone else SUBMIT_OPERATIONS)
        if not count:
            return
        board.alone = max(0, board.alone - 1)
        taken = [board.waiting.popleft() for _ in range(count)]
        board.is_committing = True
        batch = Batch(board.site, tuple(submission for _, submission in taken))
        self._wishes.job(
            "store",
            "commit",
            (batch,),
            lambda result, error: self._on_committed(board, taken, result, error),
        )

    def _on_committed(
        self, board: Board, taken: list[tuple[int, Submission]], result: object, error: str
    ) -> None:
        board.is_committing = False
        if isinstance(result, Committed) and not error:
            self._answer([link for link, _ in taken], result)
            self._fanout.advance(board, result)
        elif not error.startswith(OperationFaultError.__name__):
            # The database's fault, and everybody's: what is left goes on together.
            board.alone = 0
            for connection in self._still_there(link for link, _ in taken):
                self._wishes.refuse(connection, Refusal.SERVER_FAULT)
        elif len(taken) > 1:
            board.waiting.extendleft(reversed(taken))
            board.alone = len(taken)
        else:
            self._fault(*taken[0], error)
        self._commit(board)

    def _fault(self, link: int, submission: Submission, error: str) -> None:
        """Tell the sender of an operation that the server failed on it."""
        operation = submission.operation
        why = error.splitlines()[0]
        self._wishes.warn("operation_failed", device_id=operation.device_id, op_id=operation.op_id, error=why)
        for connection in self._still_there([link]):
            connection.waiting -= 1
            self._wishes.say(connection, Faulted(operation.device_seq, operation.op_id))

    def _still_there(self, links: Iterable[int]) -> list[Connection]:
        """Return the connections of these links, each once."""
        return [self._links[link] for link in dict.fromkeys(links) if link in self._links]

    def _answer(self, links: list[int], result: Committed) -> None:
        """Send each link its verdicts; a link whose device is cloned is told so instead."""
        for connection in self._still_there(links):
            answers = [
                verdict
                for link, verdict in zip(links, result.verdicts, strict=True)
                if link == connection.link
            ]
            connection.waiting -= len(answers)
            verdicts = [verdict for verdict in answers if verdict is not None]
            if verdicts:
                self._wishes.say(connection, Decided(verdicts))
            if len(verdicts) < len(answers):
                self._wishes.warn("device_cloned", device_id=connection.device_id)
                self._wishes.refuse(connection, Refusal.DEVICE_CLONED)
