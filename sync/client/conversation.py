"""The client's half of the conversation on one link: what is said first, and what each answer means.

Whether there is a link at all is decided by :mod:`sync.client.machine`; here a link is either well
or *ended* for a reason. The two halves of the work are :class:`~sync.client.sending.Sending`
(operations out) and :class:`~sync.client.follower.Follower` (the board in).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync.client.backoff import Jitter
from sync.client.emitter import Emitter
from sync.client.follower import Follower
from sync.client.link import Link
from sync.client.news import BoardChanged, DelayMeasured, OperationsDone, SnapshotApplied, Welcomed
from sync.client.notices import Notices
from sync.client.sending import Sending
from sync.client.store_values import CacheChange, CacheSnapshot, CacheState, OutboxState
from sync.contract.codec import CodecError, decode_server
from sync.contract.messages import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    Decided,
    Delta,
    Heartbeat,
    Hello,
    Pong,
    Refused,
    ServerMessage,
    SnapshotBegin,
    SnapshotChunk,
    SnapshotEnd,
    Verdict,
    Welcome,
)
from sync.contract.ports import Clock, Ids
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


@dataclass(frozen=True, slots=True)
class Environment:
    """What the machine gets from outside."""

    clock: Clock
    ids: Ids
    jitter: Jitter
    version: str


End = Callable[[str, int], None]
"""Ends the link: why, and with which close code."""


class Conversation:
    """Speaks over whatever link is up."""

    def __init__(
        self,
        outbox: OutboxState,
        cache: CacheState,
        environment: Environment,
        emitter: Emitter,
        notices: Notices,
        end: End,
        forget_token: Callable[[str], None],
    ) -> None:
        """Start with what the two files hold; ``end`` and ``forget_token`` belong to the machine."""
        clock = environment.clock
        self._clock = clock
        self._version = environment.version
        self._emitter = emitter
        self._notices = notices
        self._end = end
        self._forget_token = forget_token
        self._welcome: Welcome | None = None
        self._sending = Sending(outbox, cache.person, clock, environment.ids, emitter)
        self._follower = Follower(cache, clock, emitter, self._on_applied, self._on_failed)
        self.submit = self._sending.submit
        self.send = self._sending.send

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

    def close_link(self) -> None:
        """Forget what was said on the link; what was underway on it counts as not sent."""
        self._welcome = None
        self._sending.window.close_link()
        self._follower.close_link()

    def say_hello(self, number: int, cache: CacheState) -> None:
        """Tell the server what the files hold."""
        self._follower.open_link(number, cache)
        window = self._sending.window
        hello = Hello(
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            client_version=self._version,
            device_id=window.device_id,
            next_device_seq=window.first_device_seq,
            epoch=cache.epoch,
            cursor=cache.cursor,
            state_hash=cache.state_hash,
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
            case Heartbeat(head=head, wall_ms=wall_ms):
                self._notices.note_server_wall(wall_ms)
                if link.live_ms is not None and link.is_falling_behind(head, self._follower.received):
                    self._end("behind", 1000)
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

    def _on_board(self, message: Decided | Delta | SnapshotBegin | SnapshotChunk | SnapshotEnd) -> None:
        device_id = self._sending.window.device_id
        match message:
            case Decided(verdicts):
                self._on_decided(verdicts)
            case Delta():
                self._follower.on_delta(device_id, message)
            case SnapshotBegin():
                self._follower.on_begin(message)
            case SnapshotChunk():
                self._follower.on_chunk(message)
            case _:
                self._follower.on_end(device_id, message)

    def _on_welcome(self, link: Link, welcome: Welcome) -> None:
        link.welcome = self._welcome = welcome
        self._notices.note_server_wall(welcome.wall_ms)
        self._sending.person = welcome.person
        self._emitter.job("cache", "remember", welcome.site, welcome.person, None, then=_nothing)
        self._emitter.publish(Welcomed(welcome.site, welcome.person))
        is_same_epoch = self._follower.epoch == welcome.epoch
        self._sending.open_link(welcome.decided_device_seq, is_same_epoch=is_same_epoch)
        self._publish_done(self._finish())

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
        return () if self._shown_welcome() is None else self._sending.finish(self._follower.cursor)

    def _shown_welcome(self) -> Welcome | None:
        """Return the welcome of this link, once the cache holds a board of its epoch."""
        welcome = self._welcome
        return welcome if welcome is not None and welcome.epoch == self._follower.epoch else None

    def _publish_done(self, op_ids: tuple[str, ...]) -> None:
        if op_ids:
            self._emitter.publish(OperationsDone(op_ids))

    def _on_applied(self, result: CacheChange | CacheSnapshot) -> None:
        done = self._finish()
        decided = result.decided_device_seq
        if isinstance(result, CacheSnapshot):
            self._emitter.publish(SnapshotApplied(result.seq, result.orders, done, decided))
        else:
            self._emitter.publish(BoardChanged(result.changed, result.removed, done, result.cursor, decided))
        self._publish_done(done)

    def _on_failed(self, detail: str, problem: Problem | None) -> None:
        if problem is not None:
            self._notices.tell(problem)
        self._end(detail, 1000)


def _nothing(result: object, error: str) -> None:
    """Who and where this was is said again by the next welcome."""
