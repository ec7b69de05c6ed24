"""What a person types into the search, and which orders it means.

Every word must begin a word of the order's number, customer, city or products. The search runs on
any thread but the GUI's, numbered, and gives up when a newer one has been asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sync.client.stores.cache_reader import CacheReader


def expression(words: str) -> str:
    """Return the full-text expression of what was typed, empty when it says nothing."""
    terms = (word.strip("#").replace('"', '""') for word in words.replace("\0", " ").split())
    return " ".join(f'"{term}"*' for term in terms if any(map(str.isalnum, term)))


class SearchResult(NamedTuple):
    """The local ids of the orders of one search."""

    generation: int
    ids: frozenset[int]


class Searcher:
    """Searches the cache on a connection of its own; used by one thread, asked from any."""

    def __init__(self, cache_path: Path) -> None:
        """Search the cache in ``cache_path``; it is opened by the first search."""
        self._reader = CacheReader(cache_path)
        self._newest = 0

    def ask(self, generation: int) -> None:
        """Say that ``generation`` is wanted now: older searches give up."""
        self._newest = max(self._newest, generation)
        self._reader.interrupt()

    def search(self, words: str, generation: int) -> SearchResult | None:
        """Return what ``words`` find, None when something newer is wanted."""
        self._newest = max(self._newest, generation)
        if generation < self._newest:
            return None
        wanted = expression(words)
        ids = frozenset(self._reader.matching(wanted) if wanted else ())
        return SearchResult(generation, ids) if generation == self._newest else None

    def close(self) -> None:
        """Close the connection, on the thread that searched."""
        self._reader.close()
