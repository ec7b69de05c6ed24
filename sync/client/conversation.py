"""The client's half of the conversation on one link: what is said first, and what each answer means.

Whether there is a link at all is decided by :mod:`sync.client.machine`; here a link is either well
or *ended* for a reason. The two halves of the work are :class:`~sync.client.sending.Sending`
(operations out) and :class:`~sync.client.follower.Follower` (the board in).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from sync.client.assignments import Assignments
from sync.client.commands import Acknowledge, RetryQuarantined
from sync.client.emitter import Emitter
from sync.client.environment import Environment
from sync.client.follower import Follower
from sync.client.link import Link
from sync.client.needs_you import NeedsYou
from sync.client.news import (
    BoardChanged,
    BoardRepaired,
    DelayMeasured,
    OperationsDone,
    ProblemArose,
    ProblemCleared,
    SnapshotApplied,
    SnapshotHeld,
    Welcomed,
)
from sync.client.notices import Notices
from sync.client.offer import Offer
from sync.client.sending import Sending
from sync.client.store_values import CacheChange, CacheSnapshot, CacheState, Kept, OutboxState, Repaired
from sync.client.store_values import SnapshotHeld as HeldBack
from sync.client.waiting_list import WaitingList, answers_to
from sync.contract.codec import CodecError, decode_server
from sync.contract.messages import (
    BoardMessage,
    Decided,
    Delta,
    Faulted,
    Heartbeat,
    Hello,
    Pong,
    Refused,
    ServerMessage,
    Verdict,
    Welcome,
)
from sync.contract.operations import Assign, LogEntry, Unknown
from sync.contract.orders import Order
from sync.contract.problems import Problem

SIGN_IN_CODES: Final = ("TOKEN_EXPIRED", "SIGNED_OUT", "SIGN_IN_NEEDED")
"""Refusals that a fresh access token answers."""
_QUIET_CODES: Final = ("NEW_EPOCH", "SERVER_STOPPING", "SILENT", "TOO_SLOW")
"""Refusals that a new link answers by itself; nobody needs to know."""

_UNREADABLE: Final = Problem(
    "SERVER_UNREADABLE",
    "The server says something that this version does not understand. Your moves stay on this computer.",
    "Ask IT whether this program has to be updated.",
)


_UPGRADE: Final = Problem(
    "UPGRADE_RECOMMENDED",
    "Others use a newer version of this program: what they do with it is shown, but not named, here.",
    "Ask IT to update this program.",
)
_HELD: Final = "SNAPSHOT_HELD"


End = Callable[[str, int], None]
"""Ends the link: why, and with which close code."""


class Conversation:
    """Speaks over whatever link is up."""

    def __init__(
        self,
        outbox: OutboxState,
        cache: CacheState,
        needs_you: Iterable[NeedsYou],
        environment: Environment,
        emitter: Emitter,
        notices: Notices,
        end: End,
        forget_token: Callable[[str], None],
    ) -> None:
        """Start with what the two files hold; ``end`` and ``forget_token`` belong to the machine."""
        clock = environment.clock
        self._clock = clock
        self._environment = environment
        self._emitter = emitter
        self._notices = notices
        self._end = end
        self._forget_token = forget_token
        self._welcome: Welcome | None = None
        self._offer = Offer(Kept(), cache.epoch)
        self._covered = ("", 0)
        self._held: HeldBack | None = None
        self._is_newer_told = False
        self._former: dict[str, int] = {}
        """Held operations that a page not applied yet has by a former identity, and their seq."""
        self._waiting = WaitingList(needs_you, emitter)
        self._assignments = Assignments(emitter, self._waiting, clock)
        self._is_same_history = False
        self._sending = Sending(outbox, cache.person, environment, emitter, self._waiting)
        self._follower = Follower(cache, clock, emitter, self._on_applied, self._on_failed)
        self.submit = self._sending.submit
        self.send = self._sending.send
        self.look = self._sending.look

    @property
    def is_renewing(self) -> bool:
        """Say whether the identity is being replaced: until then there is nothing to say hello with."""
        return self._sending.is_renewing

    @property
    def oldest_sent_ms(self) -> int | None:
        """Return when the oldest operation that is not done was sent on this link, if any was."""
        return self._sending.window.oldest_sent_ms()

    @property
    def is_caught_up(self) -> bool:
        """Say whether the board stands where the log stood at the welcome, or further."""
        welcome = self._shown_welcome()
        return welcome is not None and self._follower.cursor >= welcome.head

    @property
    def is_holding(self) -> bool:
        """Say whether the server's board was not let in on this link: then nothing moves on it."""
        return self._follower.is_held

    def close_link(self) -> None:
        """Forget what was said on the link; what was underway on it counts as not sent."""
        self._welcome = None
        self._sending.close_link()
        self._follower.close_link()

    def answer(self, request: Acknowledge | RetryQuarantined) -> None:
        """Make durable what a person says to an entry that waits for one."""
        entry = self._waiting.get(request.op_id)
        if entry is None:
            return
        ids = self._environment.ids
        if isinstance(request, Acknowledge) or entry.operation is None:
            self._sending.answer(entry, answers_to(request, entry, ids))
            return

        def on_order(result: object, _error: str) -> None:
            # Without the order the server says whether it still fits.
            order = self._sending.shown(result) if isinstance(result, Order) else None
            self._sending.answer(entry, answers_to(request, entry, ids, order))

        self._emitter.job("cache", "order", entry.operation.order_id, then=on_order)

    def accept_board(self) -> bool:
        """Let the next whole board in, when one is held back; says whether that is so."""
        self._follower.is_accepting = self._held is not None
        return self._follower.is_accepting

    def say_hello(self, number: int, cache: CacheState, kept: Kept) -> None:
        """Tell the server what the files hold."""
        self._follower.open_link(number, cache)
        self._offer = Offer(kept, cache.epoch)
        window = self._sending.window
        protocol_min, protocol_max = self._environment.protocols
        hello = Hello(
            protocol_min=protocol_min,
            protocol_max=protocol_max,
            client_version=self._environment.version,
            device_id=window.device_id,
            next_device_seq=window.first_device_seq,
            epoch=cache.epoch,
            cursor=cache.cursor,
            state_hash=cache.state_hash,
            kept_device_seq=kept.first_device_seq,
        )
        self._emitter.send(number, hello)

    def on_frame(self, link: Link, frame: str | bytes) -> None:
        """Take in what the server said."""
        link.heard_ms = self._clock.mono_ms()
        try:
            message = decode_server(frame)
        except CodecError as error:
            self._notices.tell(_UNREADABLE)
            self._end(str(error), 1007)
            return
        self._on_message(link, message)

    def _on_message(self, link: Link, message: ServerMessage) -> None:
        match message:
            case Heartbeat():
                self._on_heartbeat(link, message)
                return
            case Pong(mono_ms=sent_ms, wall_ms=wall_ms):
                self._notices.note_server_wall(wall_ms)
                self._emitter.publish(DelayMeasured(link.heard_ms - sent_ms))
                return
            case Refused(problem):
                self._on_refused(problem)
                return
        link.progress_ms = link.heard_ms
        if isinstance(message, Welcome):
            self._on_welcome(link, message)
        elif link.welcome is None:
            self._end("no welcome first", 1002)
        else:
            self._on_board(message)

    def _on_heartbeat(self, link: Link, heartbeat: Heartbeat) -> None:
        self._notices.note_server_wall(heartbeat.wall_ms)
        if self._welcome is not None:
            self._note_durable(heartbeat.durable_seq, self._welcome.epoch)
        if self._follower.is_held:
            # The log goes on and the board here does not: a new link would bring the same board again.
            return
        if link.live_ms is not None and link.is_falling_behind(heartbeat.head, self._follower.received):
            self._end("behind", 1000)
        elif heartbeat.state_hash is not None:
            self._follower.on_state_hash(heartbeat.head, heartbeat.state_hash)

    def _on_board(self, message: Decided | Faulted | BoardMessage) -> None:
        match message:
            case Decided(verdicts):
                self._on_decided(verdicts)
            case Faulted(op_id=op_id):
                self._sending.on_faulted(op_id)
            case _:
                if isinstance(message, Delta):
                    self._on_entries(message.entries)
                self._follower.on_message(self._sending.window.device_id, message)

    def _on_entries(self, entries: list[LogEntry]) -> None:
        """See in the log what concerns more than the board."""
        window = self._sending.window
        held = {operation.op_id for operation in window.operations()}
        for entry in entries:
            if entry.operation.op_id in held and entry.operation.device_id != window.device_id:
                self._former[entry.operation.op_id] = entry.seq
        assigns = tuple(entry for entry in entries if isinstance(entry.operation.change, Assign))
        if assigns:
            self._sending.learn(assigns)
        is_newer = any(isinstance(entry.operation.change, Unknown) for entry in entries)
        if is_newer and not self._is_newer_told:
            self._is_newer_told = True
            self._emitter.publish(ProblemArose(_UPGRADE))

    def _on_welcome(self, link: Link, welcome: Welcome) -> None:
        link.welcome = self._welcome = welcome
        self._notices.note_server_wall(welcome.wall_ms)
        self._sending.person = welcome.person
        # A server that came back from a backup speaks of a past that its terminals know better.
        self._is_same_history = self._follower.epoch in {"", welcome.epoch}
        self._emitter.job("cache", "remember", welcome.site, welcome.person, None, then=_nothing)
        self._emitter.publish(Welcomed(welcome.site, welcome.person))
        if welcome.state_hash is not None and welcome.epoch == self._follower.epoch:
            self._follower.on_state_hash(self._follower.received, welcome.state_hash)
        if self._offer.is_due(welcome, self._sending.window.first_device_seq):
            self._sending.reoffer(welcome, lambda is_same: self._on_reoffered(welcome, is_same))
        else:
            self._begin_sending(welcome)

    def _on_reoffered(self, welcome: Welcome, is_same: bool) -> None:
        """Send on, unless the link is gone or the outbox now goes by another identity than hello said."""
        if self._welcome is not welcome:
            return
        if is_same:
            self._begin_sending(welcome)
        else:
            self._end("reoffered", 1000)

    def _begin_sending(self, welcome: Welcome) -> None:
        is_same_epoch = self._follower.epoch == welcome.epoch
        self._sending.open_link(welcome, is_same_epoch=is_same_epoch)
        self._note_durable(welcome.durable_seq, welcome.epoch)
        self._publish_done(self._finish())

    def _note_durable(self, durable_seq: int, epoch: str) -> None:
        """Let go of what a backup covers, once."""
        if durable_seq and self._covered != (epoch, durable_seq):
            self._covered = (epoch, durable_seq)
            self._sending.release(durable_seq, epoch)

    def _on_decided(self, verdicts: list[Verdict]) -> None:
        if not self._sending.decided(verdicts):
            self._end("gap", 1000)
        self._publish_done(self._finish())

    def _on_refused(self, problem: Problem) -> None:
        if problem.code in SIGN_IN_CODES:
            self._forget_token(problem.code)
        elif problem.code == "DEVICE_CLONED":
            self._sending.renew_identity()
        elif problem.code not in _QUIET_CODES:
            self._notices.tell(problem)
        self._end(problem.code, 1000)

    def _finish(self) -> tuple[str, ...]:
        """Let go of what is done; while the cache holds another epoch's board, nothing is."""
        welcome = self._shown_welcome()
        return () if welcome is None else self._sending.finish(self._follower.cursor, welcome.epoch)

    def _shown_welcome(self) -> Welcome | None:
        """Return the welcome of this link, once the cache holds a board of its epoch."""
        welcome = self._welcome
        return welcome if welcome is not None and welcome.epoch == self._follower.epoch else None

    def _publish_done(self, op_ids: tuple[str, ...]) -> None:
        if op_ids:
            self._emitter.publish(OperationsDone(op_ids))

    def _on_applied(self, result: CacheChange | CacheSnapshot | HeldBack | Repaired) -> None:
        if isinstance(result, HeldBack):
            self._on_held(result)
            return
        if isinstance(result, Repaired):
            self._on_repaired(result.orders)
            return
        if self._held is not None:
            self._held = None
            self._emitter.publish(ProblemCleared(_HELD))
        done = self._finish()
        decided = result.decided_device_seq
        if isinstance(result, CacheSnapshot):
            self._former.clear()
            if self._is_same_history:
                self._assignments.compare(self._sending.person, result.seq)
            self._emitter.publish(SnapshotApplied(result.seq, result.orders, done, decided))
        else:
            former = [op_id for op_id, seq in self._former.items() if seq <= result.cursor]
            for op_id in former:
                del self._former[op_id]
            shown = (*done, *former)
            self._emitter.publish(BoardChanged(result.changed, result.removed, shown, result.cursor, decided))
        self._publish_done(done)

    def _on_held(self, held: HeldBack) -> None:
        """Keep the link although the board does not follow it: moves go on, and a person is asked."""
        if held != self._held:
            self._held = held
            self._emitter.publish(SnapshotHeld(held.removed, held.open))
            self._emitter.publish(ProblemArose(_held_problem(held)))

    def _on_repaired(self, orders: int | None) -> None:
        """Say that the copy was damaged: a disk that forgets once forgets again."""
        if orders is not None:
            self._emitter.publish(BoardRepaired(orders))
        if orders != 0:
            self._emitter.publish(ProblemArose(_damage_problem(orders)))

    def _on_failed(self, detail: str, problem: Problem | None) -> None:
        if problem is not None:
            self._notices.tell(problem)
        self._end(detail, 1000)


def _held_problem(held: HeldBack) -> Problem:
    return Problem(
        _HELD,
        f"The server's board lacks {held.removed} of the {held.open} open orders on this one, so it was not "
        "let in. Your moves are still saved and sent.",
        "Ask IT whether the server was set back. If its board is right, accept it.",
    )


def _damage_problem(orders: int | None) -> Problem:
    what = "Its board is loaded anew" if orders is None else f"Orders replaced by the server's: {orders}"
    return Problem(
        "BOARD_REPAIRED",
        f"The board's copy on this computer was damaged. {what}. No move is lost.",
        "Nothing to do; if this comes back, tell IT: the disk may be failing.",
    )


def _nothing(result: object, error: str) -> None:
    """Who and where this was is said again by the next welcome."""
