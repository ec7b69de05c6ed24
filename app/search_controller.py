"""Search and filter: off the GUI thread, numbered, so that an old answer never overtakes a new one."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal

from sync.client.search import Searcher, SearchResult


class SearchController(QObject):
    """Asks the searcher on a thread of its own; tells the newest answer on the GUI thread."""

    found = Signal(object)
    """The local ids (a frozen set), or None when nothing is searched."""
    _answered = Signal(object)

    def __init__(self, searcher: Searcher, parent: QObject | None = None) -> None:
        """Search with ``searcher``; its thread starts with the first words."""
        super().__init__(parent)
        self._searcher = searcher
        self._generation = 0
        self._taken = 0
        self._words = ""
        self._wanted = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)

    def search(self, words: str) -> None:
        """Look for ``words``; blank words end the search at once."""
        with self._wanted:
            self._generation += 1
            self._words = words.strip()
            self._searcher.ask(self._generation)
            self._wanted.notify()
        if not self._words:
            self.found.emit(None)
        elif self._thread is None:
            self._thread = threading.Thread(target=self._work, name="search", daemon=True)
            self._thread.start()

    def again(self) -> None:
        """Search the same words again: orders came or changed."""
        if self._words:
            self.search(self._words)

    def stop(self) -> None:
        """End the thread and close the searcher's connection."""
        with self._wanted:
            self._is_stopping = True
            self._generation += 1
            self._searcher.ask(self._generation)
            self._wanted.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (asked := self._next()) is not None:
            words, generation = asked
            if words:
                self._tell(self._searcher.search(words, generation))
        self._searcher.close()

    def _next(self) -> tuple[str, int] | None:
        """Wait for the next question; None at the end."""
        with self._wanted:
            self._wanted.wait_for(lambda: self._is_stopping or self._generation > self._taken)
            self._taken = self._generation
            return None if self._is_stopping else (self._words, self._generation)

    def _tell(self, result: SearchResult | None) -> None:
        if result is not None:
            self._answered.emit(result)

    def _on_answered(self, result: SearchResult) -> None:
        if result.generation == self._generation:
            self.found.emit(result.ids)
