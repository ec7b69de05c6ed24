"""Planted faults of the server: who it believes, what it decides again, what it tells whom and when."""

from __future__ import annotations

from typing import Final

from support.proofs_planted import Change, Plant

_DECISIONS: Final = "server/kernel/decisions.py"
_STORE: Final = "server/kernel/store.py"
_HUB: Final = "server/kernel/hub.py"
_FANOUT: Final = "server/kernel/fanout.py"
_BATCHES: Final = "server/kernel/batches.py"
_QUESTIONS: Final = "server/kernel/questions.py"

DECIDED_TWICE: Final = (
    Plant(
        "the stored outcome of an operation is not looked up",
        (Change(_DECISIONS, "stored = loaded.verdicts.get(operation.op_id)", "stored = None"),),
    ),
    Plant(
        "a gap in a device's numbers is accepted",
        (
            Change(
                _DECISIONS, "    if device and not is_next:", "    if device and not is_next and number < 0:"
            ),
        ),
    ),
    Plant(
        "a device's mark is not raised with what was decided",
        (
            Change(
                _DECISIONS, "    if device:\n        _raise_mark(", "    if not device:\n        _raise_mark("
            ),
        ),
    ),
    Plant(
        "a device's mark stays behind an operation that another number of it had decided",
        (
            Change(
                _DECISIONS,
                "        if is_next:\n            _raise",
                "        if not device:\n            _raise",
            ),
        ),
    ),
    Plant(
        "a lower number with another operation passes: the clone is not found out",
        (
            Change(
                _DECISIONS,
                "    if device and number <= mark:\n        return None",
                "    if device and number <= mark:\n"
                "        return Verdict(number, operation.op_id, loaded.seq, Outcome.NOOP)",
            ),
        ),
    ),
    Plant(
        "refused operations are not logged",
        (
            Change(
                _DECISIONS,
                "    decided.rows.append(row)",
                "    if decision.outcome is not Outcome.REJECTED:\n        decided.rows.append(row)",
            ),
        ),
    ),
    Plant(
        "the backorder of a short pick is made again when it comes again",
        (
            Change(
                _DECISIONS,
                "    if op_id in loaded.verdicts or made.id in loaded.orders or made.id in loaded.taken:",
                "    if op_id == made.id:",
            ),
        ),
    ),
    Plant(
        "a short pick makes no backorder",
        (Change(_DECISIONS, "    if decision.made is not None:", "    if decision.made is operation:"),),
    ),
    Plant(
        "an operation is judged by the rights of whoever is signed in now",
        (
            Change(
                _DECISIONS,
                '    if operation.actor_id in {"", principal.person.id}:',
                "    if operation.actor_id or not operation.actor_id:",
            ),
        ),
    ),
    Plant(
        "a new order stands on the site that its sender says",
        (
            Change(
                _DECISIONS,
                "id=operation.order_id, organization_id=site.organization_id, site_id=site.site_id",
                "id=operation.order_id",
            ),
        ),
    ),
    Plant(
        "what was never done can be undone",
        (
            Change(
                _DECISIONS,
                "    elif operation.undoes and (named is None or named.order_id != operation.order_id):",
                "    elif operation.undoes == operation.order_id:",
            ),
        ),
    ),
    Plant(
        "older words of a source replace newer ones",
        (
            Change(
                _DECISIONS,
                "if known is not None and change.said_ms and change.said_ms < known.said_ms:",
                "if known is not None and change.said_ms < 0:",
            ),
        ),
    ),
    Plant(
        "an older message of a source changes the order back",
        (
            Change(
                _DECISIONS,
                "if known is not None and (not change.said_ms or change.said_ms >= known.said_ms):",
                "if known is not None:",
            ),
        ),
    ),
    Plant(
        "an order that a fact brought back is told as a change of an order that nobody has",
        (
            Change(
                _DECISIONS,
                "    if before is not None and not before.is_on_board and after is not None",
                "    if before is not None and before.is_on_board and after is None",
            ),
        ),
    ),
)
STATE_HASH: Final = (
    Plant(
        "the state hash keeps what an order was before",
        (Change(_DECISIONS, "(decided.state_hash + new - old) %", "(decided.state_hash + new) %"),),
    ),
    Plant(
        "the state hash counts orders that left the board",
        (Change(_DECISIONS, "    new = row.hash if order.is_on_board else 0", "    new = row.hash"),),
    ),
    Plant(
        "a terminal's state hash is not compared when it comes",
        (Change(_STORE, "is_same and state_hash != hello.state_hash", "is_same and state_hash is hello"),),
    ),
    Plant(
        "a heartbeat says the hash of a board that the link does not have yet",
        (Change(_HUB, "connection.phase is Phase.LIVE and connection.cursor == board.head", "True"),),
    ),
)
EPOCH: Final = (
    Plant(
        "another epoch is taken for the same history",
        (Change(_STORE, "is_same = hello.epoch == epoch", "is_same = bool(hello.epoch)"),),
    ),
    Plant(
        "a terminal that is ahead of the log does not make a new epoch",
        (Change(_STORE, "hello.epoch == board.epoch and hello.cursor > board.seq", "hello.cursor < 0"),),
    ),
    Plant(
        "links of the old epoch are kept",
        (
            Change(
                _FANOUT,
                "                self._wishes.refuse(connection, Refusal.NEW_EPOCH)",
                "                connection.is_page_wanted = False",
            ),
        ),
    ),
    Plant(
        "what a terminal keeps for a restored server counts as given up",
        (
            Change(
                _STORE,
                "return (hello.kept_device_seq or hello.next_device_seq) - 1",
                "return hello.next_device_seq - 1",
            ),
        ),
    ),
    Plant(
        "a declared gap is not remembered: the device waits for ever",
        (Change(_STORE, "if declared > row.decided_device_seq:", "if declared < 0:"),),
    ),
    Plant(
        "a device of another enrolment is believed",
        (Change(_STORE, "if row.enrolment_id != principal.enrolment_id or row.site_id", "if row.site_id"),),
    ),
    Plant(
        "how far a backup reaches is not passed on",
        (Change(_FANOUT, "        board.durable_seq = head.durable_seq\n", ""),),
    ),
)
TELLING: Final = (
    Plant(
        "hints are trusted: there is no look every 500 ms",
        (
            Change(
                _HUB,
                "        self._wishes.set_timer(_LOOK, LOOK_MS)\n        if self._is_looking:",
                "        if self._is_looking:",
            ),
        ),
    ),
    Plant(
        "a hint during a look is forgotten",
        (Change(_HUB, "self._is_look_wanted = self._is_looking\n", "self._is_look_wanted = False\n"),),
    ),
    Plant(
        "entries of another process are missing in a delta",
        (Change(_FANOUT, "if result.prev_seq != board.tail.seq:", "if result.prev_seq < 0:"),),
    ),
    Plant(
        "a link that still sends is sent more",
        (
            Change(
                _FANOUT,
                "if board is None or connection.sending_since_ms is not None:",
                "if board is None:",
            ),
        ),
    ),
    Plant(
        "a page goes to a link that has passed it",
        (Change(_FANOUT, "elif frame and connection.cursor == cursor and _is", "elif frame and _is"),),
    ),
    Plant(
        "a stale snapshot counts as the board of now",
        (
            Change(
                _FANOUT,
                "        connection.cursor = snapshot.seq\n",
                "        here = self.board_of(connection)\n"
                "        connection.cursor = snapshot.seq if here is None else here.head\n",
            ),
        ),
    ),
    Plant(
        "deltas go on while a question about the board is answered",
        (
            Change(
                _FANOUT,
                "return connection.phase is Phase.LIVE and not connection.is_asking",
                "return connection.phase is Phase.LIVE",
            ),
        ),
    ),
    Plant(
        "an answer about the board is of another seq than the link's",
        (
            Change(_QUESTIONS, "if connection.cursor < result.seq and attempts:", "if attempts < 0:"),
            Change(_QUESTIONS, "if connection.cursor < result.seq or", "if"),
        ),
    ),
    Plant(
        "a slow link is never closed",
        (Change(_HUB, "since_ms is not None and now_ms - since_ms > SLOW_MS", "since_ms == now_ms + 1"),),
    ),
    Plant(
        "a silent link is never closed",
        (Change(_HUB, "if now_ms - connection.heard_ms > SILENCE_MS:", "if now_ms < connection.heard_ms:"),),
    ),
    Plant(
        "an expired sign-in goes on",
        (
            Change(
                _HUB, "principal.expires_ms + EXPIRY_GRACE_MS", "2 * principal.expires_ms + EXPIRY_GRACE_MS"
            ),
        ),
    ),
    Plant(
        "a link may become another terminal",
        (
            Change(
                _HUB,
                "return before is None or (before.site.key, before.enrolment_id)",
                "return now is not None or (before.site.key, before.enrolment_id)",
            ),
        ),
    ),
    Plant(
        "a program that is too old is let in",
        (Change(_HUB, "        if hello.protocol_max < oldest:", "        if hello.protocol_max < 0:"),),
    ),
)
BATCHES: Final = (
    Plant(
        "one operation that cannot be decided fails everybody's batch",
        (
            Change(
                _BATCHES,
                "elif not error.startswith(OperationFaultError.__name__):",
                "elif error or not isinstance(result, Committed):",
            ),
        ),
    ),
    Plant(
        "a link gets the verdicts of others",
        (Change(_BATCHES, "                if link == connection.link\n", "                if link\n"),),
    ),
    Plant(
        "a batch is committed while another is on its way",
        (Change(_BATCHES, "        if not board.is_committing:", "        if board is not None:"),),
    ),
    Plant(
        "a device may hand in as fast as it likes",
        (
            Change(
                "server/kernel/pace.py",
                "let_in = min(wanted, (self._burst_ms - (rested_ms - now_ms)) // self._cost_ms)",
                "let_in = wanted",
            ),
        ),
    ),
    Plant(
        "what a refused link held back is decided all the same",
        (
            Change(
                _BATCHES,
                "if connection is not None and board is not None and connection.phase is not Phase.CLOSED:",
                "if connection is not None and board is not None:",
            ),
        ),
    ),
    Plant(
        "an operation may be numbered for another device",
        (
            Change(
                "sync/contract/checks.py",
                "is_numbered = operation.device_id == device_id and 0 < operation.device_seq",
                "is_numbered = 0 < operation.device_seq",
            ),
        ),
    ),
)
SERVER: Final = (*DECIDED_TWICE, *STATE_HASH, *EPOCH, *TELLING, *BATCHES)
