"""What the window says about the connection: badge, banners, the age of the board, the words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QObject

from sync.client.board_view import BoardView
from sync.client.news import (
    ConnectionChanged,
    DelayMeasured,
    LinkState,
    News,
    OperationsDecided,
    OperationsNotSaved,
    ProblemArose,
    ProblemCleared,
    Started,
)
from sync.contract.ports import Clock
from sync.contract.problems import Problem
from widgets import connection_badge
from widgets.announcements import offline_text, online_text
from widgets.banner import BannerMessage, age_banner, problem_banner
from widgets.board.texts import clock_text
from widgets.connection_badge import ConnectionState
from widgets.main_window import MainWindow
from widgets.tones import Tone
from widgets.words import counted, translate

AGE: Final = "age"
CUT: Final = "cut"
SHUT_OUT_CODES: Final = ("DEVICE_REVOKED", "DEVICE_UNKNOWN", "SIGNED_OUT", "SIGN_IN_NEEDED")
"""Problems that no waiting ends: moves are kept, but nothing is sent before somebody signs in."""
NOTHING_KEPT_CODES: Final = frozenset(
    {"PROFILE_READ_ONLY", "OUTBOX_UNUSABLE", "OUTBOX_TOO_NEW", "CACHE_UNUSABLE"}
)
"""Problems that leave a board to read and nothing to do on it until the next start."""
_CONTEXT: Final = "Connection"
_LOG: Final = logging.getLogger("app.connection")
OFFLINE_CODES: Final = frozenset({"SERVER_UNREACHABLE"})
"""Problems that the badge already tells."""


class ConnectionController(QObject):
    """Keeps header and banners true."""

    def __init__(
        self,
        window: MainWindow,
        view: BoardView,
        clock: Clock,
        zone: tzinfo,
        try_now: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        """Show on ``window`` what the news say; "Try now" calls ``try_now``."""
        super().__init__(parent)
        self._window = window
        self._view = view
        self._clock = clock
        self._zone = zone
        self._try_now = try_now
        self._link = LinkState.CONNECTING
        self._since_ms = 0
        self._delay_ms: float | None = None
        self._decided = 0
        self._sent_to_tell: int | None = None
        self._was_live = False
        self._is_cut_told = False
        self._is_still = False
        window.banners.button_pressed.connect(self._on_banner_button)
        window.banners.closed.connect(self._on_banner_closed)
        window.header.connection_requested.connect(try_now)

    @property
    def delay_ms(self) -> float | None:
        """The last round trip to the server, None while there is none."""
        return self._delay_ms

    @property
    def is_offline(self) -> bool:
        """Whether the server does not answer."""
        return self._link is LinkState.OFFLINE

    @property
    def is_live(self) -> bool:
        """Whether other people's moves arrive."""
        return self._link is LinkState.LIVE

    def on_news(self, news: News) -> None:
        """Take one piece of news that concerns the connection."""
        match news:
            case Started(last_contact_ms=last_contact_ms):
                self._since_ms = last_contact_ms
            case ConnectionChanged():
                self._on_connection(news)
            case DelayMeasured(ms):
                self._delay_ms = float(ms)
                self.refresh()
            case OperationsDecided(verdicts) if self._link is not LinkState.OFFLINE:
                self._decided += len(verdicts)
            case ProblemArose(problem) | OperationsNotSaved(problem=problem):
                self.show_problem(problem)
            case ProblemCleared(code):
                self._window.banners.hide_banner(code)

    def show_problem(self, problem: Problem) -> None:
        """Show a problem as a banner, unless the badge says it already."""
        if problem.code in SHUT_OUT_CODES:
            # "Will be sent" beside "signed out" would be two truths.
            self._is_cut_told = False
            self._window.banners.hide_banner(CUT)
        if problem.code not in OFFLINE_CODES:
            self._window.banners.show_banner(problem.code, problem_banner(problem))

    def refresh(self) -> None:
        """Write the badge anew: the connection or the count of unsent moves changed."""
        self._window.header.set_connection(
            ConnectionState(
                connection_badge.LinkState(self._link.value),
                since_ms=self._since_ms or None,
                delay_ms=self._delay_ms,
                not_sent=self._view.not_sent_count(),
                oldest_unsent_ms=self._view.oldest_not_sent_ms(),
            )
        )
        self._show_age()
        self._show_cut()
        self._tell_sent()

    def _tell_sent(self) -> None:
        """Say that the connection is back, once the moves stored meanwhile have arrived."""
        if self._sent_to_tell is not None and not self._view.not_sent_count():
            words, self._sent_to_tell = online_text(self._sent_to_tell), None
            self._window.board.say(words)

    def _on_connection(self, news: ConnectionChanged) -> None:
        before = self._link
        if news.state is LinkState.CONNECTING and before is LinkState.OFFLINE:
            # Trying again is not news: the badge would blink between two words.
            return
        if news.state is not before:
            _LOG.info("connection: %s %s", news.state.value, news.detail)
        self._link = news.state
        self._since_ms = news.since_wall_ms or self._since_ms
        if news.state is LinkState.LIVE:
            if self._was_live and before is not LinkState.LIVE:
                self._sent_to_tell = self._decided + self._view.not_sent_count()
            self._was_live = True
            self._is_cut_told = False
            for code in SHUT_OUT_CODES:
                self._window.banners.hide_banner(code)
        elif news.state is LinkState.OFFLINE and before is not LinkState.OFFLINE:
            self._decided = 0
            self._sent_to_tell = None
            self._delay_ms = None
            self._is_cut_told = self._was_live
            # "You can keep working" beside "no move can be kept" would be two truths.
            self._is_still = news.detail in NOTHING_KEPT_CODES
            if self._since_ms and not self._is_still:
                self._window.board.say(offline_text(self._since_ms, self._zone), is_assertive=True)
        self.refresh()

    def _show_age(self) -> None:
        """Tell how old the board is while this start has not reached the server yet."""
        is_old = not self._was_live and self._link is LinkState.OFFLINE and self._since_ms > 0
        if is_old and not self._is_still:
            banner = age_banner(self._since_ms, self._clock.wall_ms(), self._zone)
            self._window.banners.show_banner(AGE, banner)
        else:
            self._window.banners.hide_banner(AGE)

    def _show_cut(self) -> None:
        """Tell that the connection was lost while working, and that nothing is."""
        if not self._is_cut_told:
            self._window.banners.hide_banner(CUT)
            return
        not_sent = self._view.not_sent_count()
        strong = translate(
            _CONTEXT, "No connection since {time}.", time=clock_text(self._since_ms, self._zone)
        )
        text = translate(_CONTEXT, "Keep working: moves are stored here and will be sent.")
        if not_sent:
            text = counted(
                _CONTEXT,
                "Keep working: {n} move is stored here and will be sent.",
                "Keep working: {n} moves are stored here and will be sent.",
                not_sent,
            )
        button = translate(_CONTEXT, "Try now")
        self._window.banners.show_banner(CUT, BannerMessage(Tone.AMBER, "cloud-off", strong, text, button))

    def _on_banner_button(self, key: str) -> None:
        if key in {AGE, CUT}:
            self._try_now()

    def _on_banner_closed(self, key: str) -> None:
        if key == CUT:
            self._is_cut_told = False
