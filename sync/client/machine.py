"""The client's protocol as a step machine: ``step(event) -> list[Effect]``, no I/O, no clock of its own.

A link goes: connect, ``auth``, ask the cache where it stands, ``hello``, ``welcome``, then deltas or a
snapshot, then live. Nothing is remembered as "busy": what to do next is worked out after every
event from the link, its welcome, the window of operations and the time of the next try, so
nothing can stay stuck; where an answer is missing too long the link is dropped and everything
starts again from what the files hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync.client.backoff import Backoff, Jitter
from sync.client.commands import GoOffline, GoOnline, NewToken, NoToken, Stop, SubmitDrafts, TryNow
from sync.client.emitter import Emitter
from sync.client.follower import Follower
from sync.client.link import Link
from sync.client.news import (
    BoardChanged,
    CredentialsWanted,
    DelayMeasured,
    LinkState,
    OperationsDone,
    SnapshotApplied,
    Welcomed,
)
from sync.client.notices import Notices
from sync.client.sending import Sending
from sync.client.store_values import CacheChange, CacheSnapshot, CacheState, OutboxState
from sync.contract.codec import CodecError, decode_server
from sync.contract.limits import HEARTBEAT_MS
from sync.contract.messages import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    Auth,
    Decided,
    Delta,
    Heartbeat,
    Hello,
    Ping,
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
from sync.contract.steps import (
    CancelTimer,
    Close,
    Closed,
    Command,
    Connect,
    Connected,
    Effect,
    Event,
    JobDone,
    Received,
    SetTimer,
    TimerFired,
)

RETRY: Final = "retry"
LOOK: Final = "look"
TOKEN_PATIENCE_MS: Final = 30_000
"""An access token that was asked for and has not come by then is asked for again."""
CONTACT_EVERY_MS: Final = 60_000
"""How often a live link notes in the cache that the board is still the server's."""

_SIGN_IN_CODES: Final = ("TOKEN_EXPIRED", "SIGNED_OUT", "SIGN_IN_NEEDED")
_QUIET_CODES: Final = ("NEW_EPOCH", "SERVER_STOPPING", "TOO_SLOW")
"""Refusals that a new link answers by itself; nobody needs to know."""

_UNREADABLE: Final = Problem(
    "SERVER_UNREADABLE",
    "The server says something that this version does not understand. Your moves stay on this computer.",
    "Ask IT whether this program has to be updated.",
)
_CACHE_UNREADABLE: Final = Problem(
    "CACHE_UNREADABLE",
    "The board's copy on this computer cannot be read. Your own moves are kept apart from it.",
    "Restart the program; if this comes back, call IT.",
)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the machine gets from outside."""

    clock: Clock
    ids: Ids
    jitter: Jitter
    version: str


class ClientMachine:
    """The conversation of one terminal with its server. Not thread-safe: one caller steps it."""

    def __init__(self, outbox: OutboxState, cache: CacheState, environment: Environment) -> None:
        """Start offline with what the two files hold."""
        self._clock = environment.clock
        self._version = environment.version
        self._emitter = Emitter()
        self._backoff = Backoff(environment.jitter)
        self._sending = Sending(outbox, cache.person, environment.clock, environment.ids, self._emitter)
        self._follower = Follower(cache, environment.clock, self._emitter, self._on_applied, self._on_failed)
        self._is_wanted = False
        self._token = ""
        self._why_token = ""
        self._link: Link | None = None
        self._links = 0
        self._retry_ms: int | None = None
        self._contact_ms = 0
        self._notices = Notices(cache.last_contact_ms, environment.clock, self._emitter)

    def step(self, event: Event) -> list[Effect]:
        """Take one event in and return what has to be done about it, in this order."""
        match event:
            case Command(request):
                self._on_command(request)
            case Connected(number):
                self._on_connected(number)
            case Received(number, frame):
                self._on_frame(number, frame)
            case Closed(number, code, reason):
                self._on_closed(number, code, reason)
            case TimerFired(name):
                self._on_timer(name)
            case JobDone():
                self._note_progress()
                self._emitter.job_done(event)
            case _:  # Drained: what we send is small, the socket's own buffer is enough
                pass
        self._advance()
        return self._emitter.take()

    # ------------------------------------------------------------------ what to do next

    def _advance(self) -> None:
        """Do whatever the state asks for now."""
        if self._link is None:
            self._advance_without_link()
        elif self._link.welcome is not None:
            self._note_live(self._link, self._link.welcome)
            self._sending.send(self._link.number)
        self._show_connection()

    def _advance_without_link(self) -> None:
        if not self._is_wanted or self._retry_ms is not None or self._sending.is_renewing:
            return
        if not self._token:
            self._retry_at(self._clock.mono_ms() + TOKEN_PATIENCE_MS)
            self._emitter.publish(CredentialsWanted(self._why_token))
            return
        now = self._clock.mono_ms()
        self._links += 1
        self._link = Link(self._links, heard_ms=now, progress_ms=now)
        self._emitter.emit(Connect(self._links))
        self._look_again(self._link)

    def _note_live(self, link: Link, welcome: Welcome) -> None:
        if link.live_ms is not None or not self._is_caught_up(welcome):
            return
        link.live_ms = self._clock.mono_ms()
        self._backoff.reset()
        self._notices.is_well()
        self._note_contact(link.live_ms)

    def _is_caught_up(self, welcome: Welcome) -> bool:
        return self._follower.epoch == welcome.epoch and self._follower.cursor >= welcome.head

    def _note_contact(self, now_ms: int) -> None:
        """Keep when the board was last the server's: after a crash it says how old the board is."""
        self._contact_ms = now_ms
        self._notices.note_contact()

    def _show_connection(self) -> None:
        link = self._link
        if link is not None and link.live_ms is not None:
            self._notices.show(LinkState.LIVE)
        elif link is not None and link.welcome is not None:
            self._notices.show(LinkState.CATCHING_UP)
        elif self._is_wanted and not self._backoff.has_failed:
            self._notices.show(LinkState.CONNECTING)
        else:
            self._notices.show(LinkState.OFFLINE)

    # ------------------------------------------------------------------ commands and timers

    def _on_command(self, request: object) -> None:
        match request:
            case SubmitDrafts(drafts):
                self._sending.submit(drafts)
            case GoOnline(token):
                self._is_wanted = True
                self._token = token or self._token
            case GoOffline() | Stop():
                self._is_wanted = False
                self._notices.detail = ""
                self._close("", 1000)
                self._retry_now()
            case TryNow():
                self._backoff.reset()
                self._retry_now()
            case NewToken(token):
                self._on_token(token)
            case NoToken(problem):
                self._on_no_token(problem)
            case _:
                raise TypeError(f"not a request to the client's machine: {request!r}")

    def _on_token(self, token: str) -> None:
        self._token = token
        self._why_token = ""
        self._retry_now()
        if self._link is not None and self._link.welcome is not None:
            self._emitter.send(self._link.number, Auth(token))

    def _on_no_token(self, problem: Problem) -> None:
        # With a link, this was an early renewal: the server says when it really needs one.
        if self._is_wanted and self._link is None:
            self._notices.tell(problem)
            self._wait(problem.code)

    def _on_timer(self, name: str) -> None:
        if name == RETRY:
            self._retry_ms = None
        elif self._link is not None:
            self._look_at(self._link)

    def _look_at(self, link: Link) -> None:
        """Drop a link that does not answer; keep the other side sure that we are here."""
        now = self._clock.mono_ms()
        complaint = link.complaint(now, self._sending.window.oldest_sent_ms())
        if complaint:
            self._drop(complaint)
            return
        if link.is_up and now >= link.pinged_ms + HEARTBEAT_MS:
            link.pinged_ms = now
            link.pings += 1
            self._emitter.send(link.number, Ping(link.pings, now))
        if link.live_ms is not None and now >= self._contact_ms + CONTACT_EVERY_MS:
            self._note_contact(now)
        self._look_again(link)

    def _look_again(self, link: Link) -> None:
        at = link.next_look_ms(self._sending.window.oldest_sent_ms())
        self._emitter.emit(SetTimer(LOOK, at))

    def _retry_at(self, at_ms: int) -> None:
        self._retry_ms = at_ms
        self._emitter.emit(SetTimer(RETRY, at_ms))

    def _retry_now(self) -> None:
        if self._retry_ms is not None:
            self._retry_ms = None
            self._emitter.emit(CancelTimer(RETRY))

    # ------------------------------------------------------------------ the life of a link

    def _on_connected(self, number: int) -> None:
        link = self._current(number)
        if link is None:
            return
        link.is_up = True
        link.heard_ms = link.progress_ms = link.pinged_ms = self._clock.mono_ms()
        self._emitter.send(number, Auth(self._token))
        self._look_again(link)

        def hello(result: object, error: str) -> None:
            if self._current(number) is not None:
                self._say_hello(number, result, error)

        # The answer comes after everything that older links gave the cache to do.
        self._emitter.job("cache", "state", then=hello)

    def _say_hello(self, number: int, result: object, error: str) -> None:
        if not isinstance(result, CacheState):
            self._notices.tell(_CACHE_UNREADABLE)
            self._drop(error)
            return
        self._follower.open_link(number, result)
        window = self._sending.window
        hello = Hello(
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            client_version=self._version,
            device_id=window.device_id,
            next_device_seq=window.first_device_seq,
            epoch=result.epoch,
            cursor=result.cursor,
            state_hash=result.state_hash,
        )
        self._emitter.send(number, hello)

    def _on_closed(self, number: int, code: int, reason: str) -> None:
        if self._current(number) is None:
            return
        if reason in _SIGN_IN_CODES:
            self._forget_token(reason)
        self._lose()
        self._wait(reason or f"closed with {code}")

    def _drop(self, detail: str, code: int = 1000) -> None:
        """Close the link, if there is one, and try again after a while."""
        if self._link is not None:
            self._close(detail, code)
            self._wait(detail)

    def _close(self, reason: str, code: int) -> None:
        if self._link is not None:
            self._emitter.emit(Close(self._link.number, code, reason))
            self._lose()

    def _lose(self) -> None:
        """Forget the link; what was underway on it counts as not sent."""
        if self._link is not None and self._link.live_ms is not None:
            self._note_contact(self._clock.mono_ms())
        self._link = None
        self._sending.window.close_link()
        self._follower.close_link()
        self._emitter.emit(CancelTimer(LOOK))

    def _wait(self, detail: str) -> None:
        self._notices.detail = detail
        self._retry_at(self._clock.mono_ms() + self._backoff.failed())

    def _forget_token(self, why: str) -> None:
        self._token = ""
        self._why_token = why

    def _current(self, number: int) -> Link | None:
        """Return the link when ``number`` is the present one: older ones have nothing to say."""
        return self._link if self._link is not None and self._link.number == number else None

    def _note_progress(self) -> None:
        if self._link is not None:
            self._link.progress_ms = self._clock.mono_ms()

    # ------------------------------------------------------------------ what the server says

    def _on_frame(self, number: int, frame: str | bytes) -> None:
        link = self._current(number)
        if link is None:
            return
        link.heard_ms = self._clock.mono_ms()
        try:
            message = decode_server(frame)
        except CodecError as error:
            self._notices.tell(_UNREADABLE)
            self._drop(str(error), 1007)
            return
        self._on_message(link, message)

    def _on_message(self, link: Link, message: ServerMessage) -> None:
        match message:
            case Heartbeat(head=head, wall_ms=wall_ms):
                self._notices.note_server_wall(wall_ms)
                if link.live_ms is not None and link.is_falling_behind(head, self._follower.received):
                    self._drop("behind")
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
            self._drop("no welcome first", 1002)
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
            case SnapshotEnd():
                self._follower.on_end(device_id, message)

    def _on_welcome(self, link: Link, welcome: Welcome) -> None:
        link.welcome = welcome
        self._notices.note_server_wall(welcome.wall_ms)
        self._sending.person = welcome.person
        self._emitter.job("cache", "remember", welcome.site, welcome.person, None, then=_nothing)
        self._emitter.publish(Welcomed(welcome.site, welcome.person))
        is_same_epoch = self._follower.epoch == welcome.epoch
        self._sending.open_link(welcome.decided_device_seq, is_same_epoch=is_same_epoch)
        self._publish_done(self._finish())

    def _on_decided(self, verdicts: list[Verdict]) -> None:
        if not self._sending.decided(verdicts):
            self._drop("gap")
        self._publish_done(self._finish())

    def _on_refused(self, problem: Problem) -> None:
        if problem.code in _SIGN_IN_CODES:
            self._forget_token(problem.code)
        elif problem.code == "DEVICE_CLONED":
            self._sending.renew_identity()
        elif problem.code not in _QUIET_CODES:
            self._notices.tell(problem)
        self._drop(problem.code)

    # ------------------------------------------------------------------ what came of it

    def _finish(self) -> tuple[str, ...]:
        """Let go of what is done; while the cache holds another epoch's board, nothing is."""
        welcome = self._link.welcome if self._link is not None else None
        if welcome is None or welcome.epoch != self._follower.epoch:
            return ()
        return self._sending.finish(self._follower.cursor)

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
        self._drop(detail)


def _nothing(result: object, error: str) -> None:
    """Who and where this was is said again by the next welcome."""
