"""From the search field to orders that left the board: asked of the server a moment after typing ends.

Nothing waits for the answer. A newer question replaces an older one, and what cannot be known is said in
quiet words beside the summary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from app.order_panel_controller import OrderPanelController
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.news import ConnectionChanged, LinkState, News, OlderOrdersFound
from sync.contract.orders import Order
from sync.contract.problems import Problem
from widgets.main_window import MainWindow
from widgets.words import translate

if TYPE_CHECKING:
    from widgets.older_orders import OlderOrders

ASK_MS: Final = 400
"""After the last letter: the board has searched itself by then."""
AGAIN_MS: Final = 1_500
LEAST_LETTERS: Final = 2
"""One letter begins half of all orders."""
_ASKER: Final = "window"
_CONTEXT: Final = "Older"


class OlderOrdersController(QObject):
    """Keeps what the window says about older orders true to the words in the search field."""

    def __init__(
        self,
        window: MainWindow,
        view: BoardView,
        panel: OrderPanelController,
        find: Callable[[OlderQuestion], None],
        parent: QObject | None = None,
    ) -> None:
        """Ask with ``find``; what is opened goes to ``panel``."""
        super().__init__(parent)
        self._window = window
        self._view = view
        self._panel = panel
        self._find = find
        self._shown: OlderOrders | None = None
        self._words = ""
        self._number = 0
        self._is_live = False
        self._is_waiting = False
        self._is_known = False
        self._has_tried_again = False
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.ask)

    def on_search_changed(self, words: str) -> None:
        """Forget what was found for other words; ask for these when the typing ends."""
        words = words.strip()
        if words == self._words:
            return
        self._words = words
        if self._is_waiting:
            self._question("")
        self._is_known = self._has_tried_again = False
        if self._shown is not None:
            self._shown.clear()
        if self._is_worth_asking:
            self._soon.start(ASK_MS)
        else:
            self._soon.stop()

    def ask(self) -> None:
        """Ask the server, or say that it cannot be asked."""
        if self._is_live:
            self._question(self._words)
        else:
            self._window_part().show_quiet(translate(_CONTEXT, "Older orders: only online"))

    def on_news(self, news: News) -> None:
        """Take one piece of news that concerns older orders."""
        match news:
            case OlderOrdersFound(asker=asker, number=number) if (asker, number) == (_ASKER, self._number):
                self._on_found(news)
            case ConnectionChanged(state):
                self._on_connection(is_live=state is LinkState.LIVE)

    @property
    def _is_worth_asking(self) -> bool:
        return sum(map(str.isalnum, self._words)) >= LEAST_LETTERS

    def _question(self, words: str) -> None:
        self._number += 1
        self._is_waiting = bool(words)
        self._find(OlderQuestion(_ASKER, self._number, words))

    def _on_connection(self, *, is_live: bool) -> None:
        has_come = is_live and not self._is_live
        self._is_live = is_live
        if has_come and self._is_worth_asking and not self._is_known:
            self._soon.start(ASK_MS)

    def _on_found(self, news: OlderOrdersFound) -> None:
        self._is_waiting = False
        if news.problem is not None:
            self._on_problem(news.problem)
            return
        self._is_known = True
        # Retired there a moment ago and not yet here: it still has its card.
        older = [order for order in news.orders if self._view.local_id(order.id) is None]
        total = max(news.total, len(news.orders)) - (len(news.orders) - len(older))
        self._window_part().show_found(older, total)

    def _on_problem(self, problem: Problem) -> None:
        if problem.code == "NOT_SIGNED_IN" and not self._has_tried_again:
            # The sign-in is being renewed, which takes a moment.
            self._has_tried_again = True
            self._soon.start(AGAIN_MS)
            return
        self._window_part().show_quiet(_problem_words(problem))

    def _window_part(self) -> OlderOrders:
        if self._shown is None:
            self._shown = self._window.make_older()
            self._shown.opened.connect(self.on_opened)
        return self._shown

    def on_opened(self, order: Order) -> None:
        """Open an order to be read."""
        self._panel.open_older(order)


def _problem_words(problem: Problem) -> str:
    if problem.code == "SERVER_UNREACHABLE":
        return translate(_CONTEXT, "Older orders: the server does not answer")
    if problem.code == "FORBIDDEN":
        return translate(_CONTEXT, "Older orders: your role may not see them")
    return translate(_CONTEXT, "Older orders: not searched")
