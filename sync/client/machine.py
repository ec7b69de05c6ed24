"""The client's protocol as a step machine: ``step(event) -> list[Effect]``, no I/O, no clock of its own.

A link goes: connect, ``auth``, ask the cache where it stands, ``hello``, ``welcome``, then deltas or a
snapshot, then live. Nothing is remembered as "busy": what to do next is worked out after every
event from the link, its welcome, the window of operations and the time of the next try, so
nothing can stay stuck; where an answer is missing too long the link is dropped and everything
starts again from what the files hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sync.client.backoff import Backoff
from sync.client.commands import (
    AcceptBoard,
    Acknowledge,
    GoOffline,
    GoOnline,
    NewToken,
    NoToken,
    RetryQuarantined,
    Stop,
    SubmitDrafts,
    TryNow,
)
from sync.client.conversation import SIGN_IN_CODES, Conversation
from sync.client.emitter import Emitter
from sync.client.environment import Environment
from sync.client.link import Link
from sync.client.needs_you import NeedsYou
from sync.client.news import CredentialsWanted, LinkState
from sync.client.notices import Notices
from sync.client.store_values import CacheState, Kept, OutboxState
from sync.contract.messages import Auth, Ping
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

__all__ = ["ClientMachine", "Environment"]

RETRY: Final = "retry"
LOOK: Final = "look"
TOKEN_PATIENCE_MS: Final = 30_000
"""An access token that was asked for and has not come by then is asked for again."""
CONTACT_EVERY_MS: Final = 60_000
"""How often a live link notes in the cache that the board is still the server's."""

_OUTBOX_UNREADABLE: Final = Problem(
    "OUTBOX_UNREADABLE",
    "The list of moves on this computer cannot be read just now, so nothing is sent. It is tried again.",
    "Restart the program; if this comes back, call IT.",
)
_CACHE_UNREADABLE: Final = Problem(
    "CACHE_UNREADABLE",
    "The board's copy on this computer cannot be read. Your own moves are kept apart from it.",
    "Restart the program; if this comes back, call IT.",
)


class ClientMachine:
    """The conversation of one terminal with its server. Not thread-safe: one caller steps it."""

    def __init__(
        self,
        outbox: OutboxState,
        cache: CacheState,
        environment: Environment,
        needs_you: Iterable[NeedsYou] = (),
    ) -> None:
        """Start offline with what the two files hold."""
        self._clock = environment.clock
        self._emitter = Emitter()
        self._backoff = Backoff(environment.jitter)
        self._is_wanted = False
        self._token = ""
        self._why_token = ""
        self._link: Link | None = None
        self._links = 0
        self._retry_ms: int | None = None
        self._contact_ms = 0
        self._notices = Notices(cache.last_contact_ms, environment.clock, self._emitter)
        self._conversation = Conversation(
            outbox,
            cache,
            needs_you,
            environment,
            self._emitter,
            self._notices,
            self._drop,
            self._forget_token,
        )

    def step(self, event: Event) -> list[Effect]:
        """Take one event in and return what has to be done about it, in this order."""
        match event:
            case Command(request):
                self._on_command(request)
            case Connected(number):
                self._on_connected(number)
            case Received(number, frame):
                link = self._current(number)
                if link is not None:
                    self._conversation.on_frame(link, frame)
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
            self._note_live(self._link)
            self._conversation.send(self._link.number)
        self._show_connection()

    def _advance_without_link(self) -> None:
        if not self._is_wanted or self._retry_ms is not None or self._conversation.is_renewing:
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

    def _note_live(self, link: Link) -> None:
        if link.live_ms is not None or not self._conversation.is_caught_up:
            return
        link.live_ms = self._clock.mono_ms()
        self._backoff.reset()
        self._notices.is_well()
        self._note_contact(link)

    def _note_contact(self, link: Link) -> None:
        """Keep when the board was last the server's: after a crash it says how old the board is."""
        now_ms = self._clock.mono_ms()
        self._contact_ms = now_ms
        # A link may have been dead for a while before that is noticed.
        self._notices.note_contact(now_ms - link.heard_ms)

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
                self._conversation.submit(drafts)
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
            case Acknowledge() | RetryQuarantined():
                self._conversation.answer(request)
            case AcceptBoard():
                self._on_accepted()
            case NewToken(token):
                self._on_token(token)
            case NoToken(problem):
                self._on_no_token(problem)
            case _:
                raise TypeError(f"not a request to the client's machine: {request!r}")

    def _on_accepted(self) -> None:
        """Ask for the board again at once, and let it in."""
        if self._conversation.accept_board():
            self._backoff.reset()
            self._close("", 1000)
            self._retry_now()

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
            self._wait(problem.code, is_refusal=problem.code != "SERVER_UNREACHABLE")

    def _on_timer(self, name: str) -> None:
        if name == RETRY:
            self._retry_ms = None
        elif name == LOOK and self._link is not None:
            self._look_at(self._link)

    def _look_at(self, link: Link) -> None:
        """Drop a link that does not answer; keep the other side sure that we are here."""
        now = self._clock.mono_ms()
        link.is_holding = self._conversation.is_holding
        is_stuck = link.welcome is not None and self._conversation.look()
        complaint = link.complaint(now, self._conversation.oldest_sent_ms) or ("stuck" if is_stuck else "")
        if complaint:
            self._drop(complaint)
            return
        if link.is_up and now >= link.ping_ms:
            link.pinged_ms = now
            link.pings += 1
            self._emitter.send(link.number, Ping(link.pings, now))
        if link.live_ms is not None and now >= self._contact_ms + CONTACT_EVERY_MS:
            self._note_contact(link)
        self._look_again(link)

    def _look_again(self, link: Link) -> None:
        at = link.next_look_ms(self._conversation.oldest_sent_ms)
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

        def ask_cache(result: object, error: str) -> None:
            if self._current(number) is None:
                return
            if isinstance(result, Kept):
                self._ask_cache(number, result)
            else:
                self._notices.tell(_OUTBOX_UNREADABLE)
                self._drop(error)

        # The answers come after everything that older links gave the two files to do.
        self._emitter.job("outbox", "kept", then=ask_cache)

    def _ask_cache(self, number: int, kept: Kept) -> None:
        def hello(result: object, error: str) -> None:
            if self._current(number) is None:
                return
            if isinstance(result, CacheState):
                self._conversation.say_hello(number, result, kept)
            else:
                self._notices.tell(_CACHE_UNREADABLE)
                self._drop(error)

        self._emitter.job("cache", "state", then=hello)

    def _on_closed(self, number: int, code: int, reason: str) -> None:
        if self._current(number) is None:
            return
        if reason in SIGN_IN_CODES:
            self._forget_token(reason)
        self._lose()
        self._wait(reason or f"closed with {code}")

    def _drop(self, detail: str, code: int = 1000) -> None:
        """Close the link and try again after a while."""
        self._close(detail, code)
        self._wait(detail)

    def _close(self, reason: str, code: int) -> None:
        if self._link is not None:
            self._emitter.emit(Close(self._link.number, code, reason))
            self._lose()

    def _lose(self) -> None:
        if self._link is not None and self._link.live_ms is not None:
            self._note_contact(self._link)
        self._link = None
        self._conversation.close_link()
        self._emitter.emit(CancelTimer(LOOK))

    def _wait(self, detail: str, *, is_refusal: bool = False) -> None:
        self._notices.detail = detail
        self._retry_at(self._clock.mono_ms() + self._backoff.failed(is_refusal=is_refusal))

    def _forget_token(self, why: str) -> None:
        self._token = ""
        self._why_token = why

    def _current(self, number: int) -> Link | None:
        """Return the link when ``number`` is the present one: older ones have nothing to say."""
        return self._link if self._link is not None and self._link.number == number else None

    def _note_progress(self) -> None:
        if self._link is not None:
            self._link.progress_ms = self._clock.mono_ms()
