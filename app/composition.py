"""The one place where the client's objects are made and joined. Everything arrives by constructor.

Made before the first paint: what paints from the cache. After it: the engine with its threads, the
session, the embedded server, the search, the probe; their imports cost more than everything before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from app.board_controller import BoardController
from app.bridge import Bridge
from app.connection_controller import ConnectionController
from app.device_token import DeviceToken
from app.feature_use import FILTERS, FeatureUse
from app.moves import Moves
from app.needs_you_controller import NeedsYouController
from app.order_panel_controller import OrderPanelController
from app.problems_surface import ProblemSurface
from app.settings import LoadedSettings, Settings, remember
from app.shell import Shell
from app.site_zone import SiteZone
from app.system import SystemClock, SystemRandom
from app.version import VERSION
from sync.client.board_view import BoardView
from sync.client.news import (
    ConnectionChanged,
    LinkState,
    News,
    ProblemArose,
    RaiseWanted,
    SnapshotApplied,
    Started,
    Welcomed,
)
from sync.client.profile import Profile
from sync.contract.flags import DefaultFlags
from sync.contract.ids import Uuid7Ids
from sync.contract.messages import Site
from sync.contract.operations import Operation
from sync.contract.problems import Problem
from sync.contract.stages import Stage
from telemetry.recorder import MemoryRecorder
from widgets.actions import LATER
from widgets.board.view import Board
from widgets.main_window import MainWindow
from widgets.theme import ThemeName, make_look

if TYPE_CHECKING:
    from app.embedded import EmbeddedServer
    from app.memory_probe import MemoryProbe
    from app.older_orders_controller import OlderOrdersController
    from app.search_controller import SearchController
    from sync.client.commands import OlderQuestion
    from sync.client.engine import Engine
    from sync.client.session import Credentials

SEARCH_AGAIN_MS: Final = 400

_SETTING_OF: Final = {
    "theme_light": "theme",
    "theme_dark": "theme",
    "theme_high_contrast": "theme",
    "text_larger": "text_scale",
    "text_smaller": "text_scale",
    "text_normal": "text_scale",
}
"""Actions that change a setting: not to be had where IT has locked it."""


@dataclass(frozen=True)
class Wishes:
    """What this start is asked for besides settings."""

    demo_orders: int = 0


class Client(QObject):
    """The desktop client of one profile, from the cached board to an orderly end."""

    def __init__(
        self,
        profile: Profile,
        loaded: LoadedSettings,
        token: DeviceToken,
        wishes: Wishes,
        surface: ProblemSurface,
        parent: QObject,
    ) -> None:
        """Make everything that the first paint needs; nothing is shown yet."""
        super().__init__(parent)
        self._profile = profile
        self._loaded = loaded
        self._token = token
        self._wishes = wishes
        self._surface = surface
        self._engine: Engine | None = None
        self._server: EmbeddedServer | None = None
        self._search: SearchController | None = None
        self._older: OlderOrdersController | None = None
        self._link = ConnectionChanged(LinkState.CONNECTING, 0)
        self._probe: MemoryProbe | None = None
        self._early: list[Operation] = []
        settings = loaded.settings
        self.clock = SystemClock()
        self.recorder = MemoryRecorder()
        self._features = FeatureUse(DefaultFlags(), self.recorder)
        self.view = BoardView(profile.cache)
        self.view.reload()
        info = self.view.info()
        self._zone = SiteZone(info.site.time_zone if info.site else "")
        look = make_look(ThemeName(settings.theme), settings.text_scale)
        self.board = Board(look, self.clock.wall_ms, self._zone, self.recorder, self._may_move)
        self.window = MainWindow(
            look, self.board, self.clock.wall_ms, self._zone, self._is_enabled, version=VERSION
        )
        self.controller = BoardController(
            self.board,
            self.view,
            Moves(Uuid7Ids(self.clock, SystemRandom())),
            self._submit,
            self.clock,
            self._zone,
            self._features,
        )
        self.connection = ConnectionController(
            self.window, self.view, self.clock, self._zone, self._try_now, self
        )
        self.order_panel = OrderPanelController(self.window, self.view, self.controller, self)
        self.needs_you = NeedsYouController(
            self.window, self.view, self._zone, self._acknowledge, self.controller.number_of, self
        )
        self.shell = self._make_shell(settings)
        self.bridge = Bridge(surface.on_loop_exception, self)
        self.bridge.open(self._on_news)
        surface.show_with(self._show_problem_from_anywhere)
        self.board.set_seconds_per_line(settings.seconds_per_line)
        self._show_site(info.site)
        self.board.set_source(self.view)
        self.window.header.search_changed.connect(self.on_search_changed)

    def _make_shell(self, settings: Settings) -> Shell:
        return Shell(
            self.window,
            self.view,
            self.controller,
            self.connection,
            self.recorder,
            self.clock,
            settings.seconds_per_line,
            self._remember,
            self._try_now,
        )

    # ---------------------------------------------------------------- life

    def show(self) -> None:
        """Show the cached board; the first paint comes with the event loop."""
        settings = self._loaded.settings
        self.shell.place_window(settings.window, settings.is_maximized, settings.is_kiosk)

    def start(self) -> None:
        """Start what the board lives from, after the first paint."""
        from app.memory_probe import MemoryProbe
        from app.memory_tuning import give_memory_back
        from app.slim_imports import load_seldom_used_late
        from sync.client.engine import Engine

        load_seldom_used_late()
        give_memory_back()
        self._probe = MemoryProbe(self)
        self._probe.measured.connect(self.shell.set_memory)
        self.shell.refresh_counts()
        self.window.actions_book.refresh()
        for problem in self._loaded.problems():
            self._surface.tell(problem)
        ids = Uuid7Ids(self.clock, SystemRandom())
        self._engine = Engine(
            self._profile,
            self._credentials(),
            self._tell,
            clock=self.clock,
            ids=ids,
            random=SystemRandom(),
            recorder=self.recorder,
            version=VERSION,
            has_window=True,
        )
        self._engine.start()
        if self._early:
            self._engine.submit(self._early)
            self._early = []

    def stop(self) -> bool:
        """End everything in order: readers before the writer, the server last."""
        self._surface.show_with(None)
        self.bridge.close()
        if self._search is not None:
            self._search.stop()
        if self._probe is not None:
            self._probe.stop()
        self.view.close()
        is_clean = self._engine.stop() if self._engine is not None else True
        if self._server is not None:
            self._server.stop()
        return is_clean

    def _credentials(self) -> Credentials:
        """Return the way through the server's door: the named server, or one of our own."""
        from sync.client.session import MemorySecrets, Session

        settings = self._loaded.settings
        folder = os.fspath(self._profile.folder)
        url = settings.server_url or self._token.server
        if url:
            from app.keyring_store import KeyringSecrets

            secrets = KeyringSecrets() if settings.use_keyring else MemorySecrets()
            return Session(url, secrets, device_token=self._token.token, profile=folder)
        from app.embedded import EmbeddedServer
        from app.own_server import OwnServerSession

        self._server = EmbeddedServer(self._profile.server, self._wishes.demo_orders)
        return OwnServerSession(self._server, folder)

    # ---------------------------------------------------------------- news

    def _tell(self, news: News) -> None:
        """Take one piece of news from the engine, on its thread."""
        if isinstance(news, SnapshotApplied) and not self.view.is_empty:
            # Nobody scrolls through an empty board: the first one comes without a second thread's memory.
            self.view.read_ahead()
        self.bridge.tell(news)

    def _on_news(self, batch: list[News]) -> None:
        """Take news on the GUI thread, oldest first."""
        for news in batch:
            match news:
                case Started(site=site) | Welcomed(site=site):
                    self._show_site(site)
                case RaiseWanted():
                    self.shell.raise_window()
                case ProblemArose(problem):
                    self._surface.told.append(problem)
                case ConnectionChanged():
                    self._link = news
            self.controller.on_news(news)
            self.connection.on_news(news)
            self.needs_you.on_news(news)
            if self._older is not None:
                self._older.on_news(news)
        # Not restarted: under a steady stream of changes it would never fire.
        if self._search is not None and not self._again.isActive():
            self._again.start()

    def _show_site(self, site: Site | None) -> None:
        name = site.name if site is not None else ""
        self.window.header.set_place(name, self._loaded.settings.station)
        if site is not None and self._zone.set_name(site.time_zone):
            self.board.on_minute()

    def _show_problem_from_anywhere(self, problem: Problem) -> None:
        """Show a problem from any thread: it crosses like the news."""
        self.bridge.tell(ProblemArose(problem))

    # ---------------------------------------------------------------- between the parts

    def _may_move(self, local_ids: tuple[int, ...], goal: Stage) -> str:
        return self.controller.may_move(local_ids, goal)

    def _is_enabled(self, action: str) -> bool:
        if self._loaded.is_locked(_SETTING_OF.get(action, "")):
            return False
        # The window asks while it is made, before there is a shell.
        shell: Shell | None = getattr(self, "shell", None)
        return action not in LATER if shell is None else shell.is_enabled(action)

    def _submit(self, operations: Sequence[Operation]) -> None:
        """Give operations to the engine; those of the first moments wait for it."""
        if self._engine is None:
            self._early.extend(operations)
        else:
            self._engine.submit(operations)

    def _try_now(self) -> None:
        if self._engine is not None:
            self._engine.try_now()

    def _acknowledge(self, op_id: str) -> None:
        if self._engine is not None:
            self._engine.acknowledge(op_id)

    def _remember(self, changed: dict[str, object]) -> None:
        kept = {name: value for name, value in changed.items() if not self._loaded.is_locked(name)}
        if kept:
            remember(self._profile.settings, kept)

    def on_search_changed(self, words: str) -> None:
        """Search as the person types; the searcher is made at the first letter."""
        if self._search is None:
            from app.search_controller import SearchController
            from sync.client.search import Searcher

            self._search = SearchController(Searcher(self._profile.cache), self)
            self._search.found.connect(self.on_found)
            self._again = QTimer(self, singleShot=True, interval=SEARCH_AGAIN_MS)
            self._again.timeout.connect(self._search.again)
            self._rest_of_filter = QTimer(self, singleShot=True, interval=0)
            self._rest_of_filter.timeout.connect(self._complete_filter)
            self._older = self._make_older()
            self._features.used(FILTERS)
        self._search.search(words)
        if self._older is not None:
            self._older.on_search_changed(words)

    def _make_older(self) -> OlderOrdersController:
        from app.older_orders_controller import OlderOrdersController

        older = OlderOrdersController(self.window, self.view, self.order_panel, self._find_older, self)
        older.on_news(self._link)
        return older

    def _find_older(self, question: OlderQuestion) -> None:
        if self._engine is not None:
            self._engine.find_older(question)

    def on_found(self, ids: frozenset[int] | None) -> None:
        """Show only what was found; None shows everything."""
        words = "" if ids is None else self.window.header.search_text().strip()
        # New words begin at the top, and their first page is on screen before the rest has been looked at.
        is_first_page = bool(words) and words != self.board.filter_words and not self.board.is_dragging
        change = self.view.set_filter(ids, is_first_page=is_first_page)
        self.board.set_filter(words)
        self.board.show_change(change)
        if is_first_page:
            self._paint_first_page()
        if ids is None:
            self.board.reveal_focused()

    def _paint_first_page(self) -> None:
        self.board.repaint()
        self._rest_of_filter.start()

    def _complete_filter(self) -> None:
        self.board.show_change(self.view.complete_filter())
