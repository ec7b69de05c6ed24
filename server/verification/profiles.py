"""The files of one terminal, which outlive its processes: real ones in a folder, or memory."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Protocol

from server.verification.memory_cache import CacheFile, MemoryCache
from server.verification.memory_outbox import new_outbox, opened_again
from server.verification.screen import FileScreen, MemoryScreen, Screen
from sync.client.cache import Cache
from sync.client.outbox import Outbox
from sync.contract.ports import FaultHook, Ids


class Profile(Protocol):
    """Opened stores and the screen over them; ``open`` begins the next process."""

    outbox: Outbox
    screen: Screen

    @property
    def cache(self) -> Cache | MemoryCache:
        """The opened cache."""
        ...

    def open(self) -> None:
        """Open the stores as the next process does."""
        ...

    def lose_an_order(self, random: Random) -> bool:
        """Let the cached board lack an order; say whether there was one."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class FileProfile:
    """A folder with the real files."""

    def __init__(self, folder: Path, ids: Ids, hook: FaultHook) -> None:
        """Keep the files in ``folder``."""
        folder.mkdir(parents=True)
        self._folder = folder
        self._ids = ids
        self._hook = hook
        self._is_open = False
        self.open()

    def open(self) -> None:
        """Open the files as the next process does."""
        self.close()
        self.outbox = Outbox.open(self._folder / "outbox.db", self._ids, self._hook).outbox
        self.cache = Cache.open(self._folder / "cache.db", self._hook).cache
        self.screen: Screen = FileScreen(self._folder / "cache.db")
        self._is_open = True

    def lose_an_order(self, random: Random) -> bool:
        """Take one out of the tables, as a defect would, and let the file say so of itself."""
        connection = self.cache._connection  # noqa: SLF001 - a defect asks nobody
        local_ids = [row[0] for row in connection.execute("SELECT local_id FROM orders ORDER BY local_id")]
        if not local_ids:
            return False
        lost = random.choice(local_ids)
        for table in ("orders", "bodies"):
            connection.execute(f"DELETE FROM {table} WHERE local_id = ?", (lost,))  # noqa: S608 - a name of ours
        self.cache.resum()
        return True

    def close(self) -> None:
        """Let go of the files."""
        if self._is_open:
            self.screen.close()
            self.outbox.close()
            self.cache.close()
        self._is_open = False


class MemoryProfile:
    """Files that are no files."""

    def __init__(self, ids: Ids, hook: FaultHook) -> None:
        """Begin empty."""
        self._hook = hook
        self._file = CacheFile()
        self.outbox = new_outbox(ids, hook)
        self.cache = MemoryCache(self._file, hook)
        self.screen: Screen = MemoryScreen(self._file)

    def open(self) -> None:
        """Open what the process before left."""
        self.outbox = opened_again(self.outbox, self._hook)
        self.cache = MemoryCache(self._file, self._hook)
        self.screen = MemoryScreen(self._file)

    def lose_an_order(self, random: Random) -> bool:
        """Take one out, as a defect would, and let the cache say so of itself."""
        rows = sorted(self._file.rows.items(), key=lambda item: item[1].local_id)
        if not rows:
            return False
        del self._file.rows[random.choice(rows)[0]]
        self.cache.resum()
        return True

    def close(self) -> None:
        """Let go of the outbox's memory."""
        self.outbox.close()
