"""Between what waits for a person and the window: how many, what each says, and that it was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QObject

from app.needs_words import needs_told
from app.refusal_words import WINDOW
from sync.client.board_view import BoardView
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import NeedsYouChanged, News, Started
from widgets.banner import MAX_BANNERS, BannerMessage
from widgets.main_window import MainWindow
from widgets.tones import Tone

KEY: Final = "needs:"
"""Before the id of an entry: the key of its banner."""


class NeedsYouController(QObject):
    """Counts in the header; an entry is a banner, and closing it says that somebody has seen it."""

    def __init__(
        self,
        window: MainWindow,
        view: BoardView,
        zone: tzinfo,
        acknowledge: Callable[[str], None],
        number_of: Callable[[str], str],
        parent: QObject | None = None,
    ) -> None:
        """Show entries in ``window``; ``number_of`` an order id its number, where it is known."""
        super().__init__(parent)
        self._window = window
        self._view = view
        self._zone = zone
        self._acknowledge = acknowledge
        self._number_of = number_of
        self._entries: dict[str, NeedsYou] = {}
        window.header.needs_you_requested.connect(self.on_requested)
        window.banners.closed.connect(self.on_closed)

    def on_news(self, news: News) -> None:
        """Take what the engine says of the list."""
        match news:
            case Started(needs_you=entries):
                self._entries = {entry.id: entry for entry in entries}
            case NeedsYouChanged(entries, removed):
                self._entries.update({entry.id: entry for entry in entries})
                self._take_away(removed)
                for entry in entries:
                    self._show(entry)
            case _:
                return
        self._window.header.set_needs_you(len(self._entries))

    def on_requested(self) -> None:
        """Show the entries that came last; closing them makes room for the ones before."""
        for entry in list(self._entries.values())[-MAX_BANNERS:]:
            self._show(entry)

    def on_closed(self, key: str) -> None:
        """Somebody has read a banner: if it was an entry's, it waits no longer."""
        entry = self._entries.get(key.removeprefix(KEY)) if key.startswith(KEY) else None
        if entry is not None:
            self._acknowledge(entry.id)

    def _take_away(self, removed: Iterable[str]) -> None:
        for entry_id in removed:
            if self._entries.pop(entry_id, None) is not None:
                self._window.banners.hide_banner(KEY + entry_id)

    def _show(self, entry: NeedsYou) -> None:
        order_id = "" if entry.operation is None else entry.operation.order_id
        local_id = self._view.local_id(order_id) if order_id else None
        order = None if local_id is None else self._view.order(local_id)
        number = order.number if order is not None else self._number_of(entry.id)
        told = needs_told(entry, number, order, self._zone, WINDOW)
        icon = "users" if entry.kind is NeedsYouKind.OVERRULED else "octagon-x"
        self._window.banners.show_banner(
            KEY + entry.id, BannerMessage(Tone.AMBER, icon, told.strong, told.text)
        )
