"""Files of a terminal and a server that were at work, to be damaged: what they held, and what is found."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from server.database import FILE_NAME, open_database
from server.kernel.signed import unsigned
from support.boards import ServerBoard
from support.clocks import CountingIds, FakeClock
from support.drafts import draft
from support.orders import make_orders
from support.proofs_damage import damage, is_there, record
from support.proofs_work import OutboxWorker, ServerTemplate, ServerWorker, any_change, check_server
from sync.client.bisecting import EVERYTHING
from sync.client.cache import Cache
from sync.client.database_thread import Priority
from sync.client.engine_stores import Opened, Stores
from sync.client.profile import open_profile
from sync.client.store_values import CacheRepair
from sync.client.stores import files, outbox_schema
from sync.client.stores.cache_reader import CacheReader
from sync.contract.messages import Hello
from sync.contract.operations import Operation
from sync.contract.orders import HASH_MODULUS, canonical_bytes, row_hash
from sync.contract.problems import Problem, ProblemError

ORDERS: Final = 120


class Found(NamedTuple):
    """What one damaged file came to; ``said`` is the code of the problem, or that nothing changed."""

    said: str
    undetected: str = ""
    """What is wrong and nobody is told; nothing else may be."""
    good_rows_lost: int = 0
    server_unseen: str = ""
    """What changed in a server's file where no checksum covers it."""


class Sample(Protocol):
    """Files to be damaged, in ``folder``."""

    folder: Path

    def try_one(self, folder: Path, chance: random.Random) -> tuple[str, Found]:
        """Damage a copy in ``folder`` and open it; return how it was damaged and what came of it."""
        ...


def content(path: Path) -> bytes:
    """Return what is in a file, nothing when it is not there."""
    return path.read_bytes() if path.exists() else b""


class Reopened(NamedTuple):
    """A profile that was opened, and everything that was said about it."""

    opened: Opened
    problems: list[Problem]


def reopen(folder: Path) -> Reopened:
    """Open a profile as the program does, and let it go through the whole board."""

    async def live() -> Reopened:
        problems: list[Problem] = []
        stores = Stores(open_profile(folder), CountingIds(900_000), problems.append)
        try:
            opened = await stores.open()
            # Each damaged order is a step of its own.
            for _ in range(ORDERS * 2 + 10):
                await stores._call(lambda: None, Priority.TELEMETRY)
            return Reopened(opened, [*opened.problems, *problems])
        finally:
            stores.close(5)

    return asyncio.run(live())


class OutboxSample:
    """The profile of somebody who was working, and what the outbox held."""

    def __init__(self, folder: Path, steps: int, *, is_closed: bool) -> None:
        """Work for ``steps``; then take the files as after an end, or as after a crash."""
        chance = random.Random(steps)
        self.folder = folder
        work = folder.with_name(f"{folder.name}-work")
        open_profile(work)
        worker = OutboxWorker(work)
        for _ in range(steps):
            worker.step(chance)
        self._entries = frozenset(worker.entries)
        self._held = {each.operation.op_id: each.operation for each in worker._outbox.state().held}
        query = f"SELECT {outbox_schema.COLUMNS} FROM operations"
        rows = worker._outbox._connection.execute(query)
        self._records = {str(row[1]): record((None, *row[1:])) for row in rows}
        query = "SELECT op_id, body, crc, kind FROM needs_you"
        rows = worker._outbox._connection.execute(query)
        self._entry_records = {str(row[0]): record((None, *row)) for row in rows}
        if is_closed:
            worker.close()
        shutil.copytree(work, folder)
        if not is_closed:
            worker.close()
        self._before = self._contents(folder)

    def try_one(self, folder: Path, chance: random.Random) -> tuple[str, Found]:
        """Damage a copy and open it."""
        shutil.copytree(self.folder, folder)
        words = damage(folder / "outbox.db", chance)
        left = self._contents(folder)
        try:
            opened = reopen(folder)
        except ProblemError as error:
            # Nothing is lost as long as nothing was touched and the person knows.
            is_same = left == self._contents(folder)
            wrong = "" if is_same else "the file was changed although it could not be used"
            return words, Found(error.problem.code, wrong)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return words, Found("traceback", f"{error!r}")
        return words, self._judged(opened, left)

    def _contents(self, folder: Path) -> list[bytes]:
        return [content(folder / name) for name in ("outbox.db", "outbox.db-wal")]

    def _judged(self, found: Reopened, left: list[bytes]) -> Found:
        sentences = [each.sentence for each in found.problems if each.code == "OUTBOX_SALVAGED"]
        said = "OUTBOX_SALVAGED" if sentences else "nothing changed"
        held = {each.operation.op_id: each.operation for each in found.opened.outbox.held}
        changed = sorted(op_id for op_id in held.keys() & self._held.keys() if self._differs(held[op_id]))
        if changed:
            return Found(said, f"{changed} are not what was made")
        # One whose operation is not decided any more comes again, with the outcome that the server stored.
        waiting = {entry.id for entry in found.opened.needs_you} | held.keys()
        operations, entries = self._held.keys() - held.keys(), self._entries - waiting
        missing = operations | entries
        if not missing:
            return Found(said)
        if not sentences:
            return Found(said, f"{len(missing)} of {len(self._held)} are missing and nothing is said")
        if " 0 lost" in sentences[0]:
            return Found(said, f"{len(missing)} are missing; said: {sentences[0]}")
        rows = [self._records[op_id] for op_id in operations]
        rows += [self._entry_records[op_id] for op_id in entries]
        good = [row for row in rows if is_there(row, self._before, left)]
        return Found(said, good_rows_lost=len(good))

    def _differs(self, operation: Operation) -> bool:
        was = self._held[operation.op_id]
        return (was.order_id, was.change, was.actor_id, was.wall_ms) != (
            operation.order_id,
            operation.change,
            operation.actor_id,
            operation.wall_ms,
        )


class CacheSample:
    """The profile of a terminal with a board."""

    def __init__(self, folder: Path, steps: int, *, is_closed: bool) -> None:
        """Load a board and follow ``steps`` operations on it."""
        chance = random.Random(steps)
        self.folder = folder
        work = folder.with_name(f"{folder.name}-work")
        open_profile(work)
        orders = list(make_orders(ORDERS))
        self._board = ServerBoard(orders)
        cache = Cache.open(work / "cache.db").cache
        self._board.snapshot_into(cache)
        self._hashes = {self._board.seq: self._board.state_hash()}
        for step in range(steps):
            operation = draft(f"op-{step}", chance.choice(orders).id, any_change(chance))
            self._board.decide(operation)
            if step % 3 == 0 or step == steps - 1:
                self._board.send(cache)
            self._hashes[self._board.seq] = self._board.state_hash()
        if is_closed:
            cache.close()
        shutil.copytree(work, folder)
        if not is_closed:
            cache.close()
        self._shown = shown(work)

    def try_one(self, folder: Path, chance: random.Random) -> tuple[str, Found]:
        """Damage a copy and open it; a board that is gone must come anew."""
        shutil.copytree(self.folder, folder)
        words = damage(folder / "cache.db", chance)
        try:
            found = reopen(folder)
            said = [each.code for each in found.problems]
            if not said:
                return words, self._judged(shown(folder))
            # Somebody looks at it before it is mended.
            shown(folder)
            self._mend(folder, is_emptied="CACHE_PUT_ASIDE" in said)
            is_mended = shown(folder)[1:] == self._shown[1:]
            return words, Found(said[0], "" if is_mended else "the board did not come")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return words, Found("traceback", f"{error!r}")

    def _mend(self, folder: Path, *, is_emptied: bool) -> None:
        """Bring the server's board into what is left, as the machine and the stores do it."""
        with closing(Cache.open(folder / "cache.db").cache) as cache:
            try:
                if not is_emptied:
                    cache.resum()
                    lo, hi = EVERYTHING
                    repaired = cache.repair(cache.state().cursor, lo, hi, list(self._board.orders.values()))
                    assert isinstance(repaired, CacheRepair), repaired
                    return
            except Exception as error:
                if not files.is_rotten(error):
                    raise
                cache.rebuild()
            self._board.snapshot_into(cache)

    def _judged(self, now: tuple[Any, ...]) -> Found:
        """A board of before is one too, and none at all: the next hello says what it lacks."""
        if now == self._shown:
            return Found("nothing changed")
        state, orders, cards, _ = now
        if state.cursor == 0:
            return Found("empty")
        if None in orders.values():
            return Found("of before", "an order cannot be read and nothing is said")
        total = sum(row_hash(canonical_bytes(order)) for order in orders.values()) % HASH_MODULUS
        is_whole = total == state.state_hash == self._hashes.get(state.cursor)
        names = {order_id: order.number for order_id, order in orders.items()}
        is_whole = is_whole and names == {order_id: card.number for order_id, card in cards.items()}
        return Found("of before", "" if is_whole else "another board is shown and nothing is said")


def shown(folder: Path) -> tuple[Any, ...]:
    """Return where a board stands and everything that it shows, by order."""
    reader = CacheReader(folder / "cache.db")
    with closing(reader):
        state = reader.state()
        ids = [local_id for column in reader.columns() for local_id in column.ids]
        places = {number: [] for number in range(len(reader.columns()))}  # type: dict[int, list[str]]
        spots = {spot.local_id: spot for spot in reader.spots(ids)}
        for local_id in ids:
            places[spots[local_id].column].append(spots[local_id].order_id)
        orders = {spot.order_id: reader.order(spot.local_id) for spot in spots.values()}
        cards = {each.order_id: each._replace(local_id=0) for each in reader.cards(ids)}
    return state, orders, cards, {number: sorted(column) for number, column in places.items()}


class ServerSample:
    """The folder of a server that was deciding."""

    def __init__(self, folder: Path, steps: int, *, is_closed: bool) -> None:
        """Decide for ``steps``."""
        chance = random.Random(steps)
        self.folder = folder
        work = folder.with_name(f"{folder.name}-work")
        work.mkdir()
        worker = ServerWorker(work, ServerTemplate(folder.with_name(f"{folder.name}-template")))
        for _ in range(steps):
            worker.step(chance)
        self._principal = worker.principal
        if is_closed:
            worker.close()
        shutil.copytree(work, folder)
        if not is_closed:
            worker.close()
        with closing(sqlite3.connect(work / FILE_NAME)) as connection:
            self._rows = _everything(connection)
            epoch, seq, state_hash = connection.execute(
                "SELECT epoch, seq, state_hash FROM boards"
            ).fetchone()
        self._hello = Hello(2, 2, "1.0", "device-9", 1, epoch, seq, unsigned(state_hash))

    def try_one(self, folder: Path, chance: random.Random) -> tuple[str, Found]:
        """Damage a copy, start on it, and compare."""
        shutil.copytree(self.folder, folder)
        words = damage(folder / FILE_NAME, chance)
        try:
            wrong = check_server(folder)
        except ProblemError as error:
            return words, Found(error.problem.code)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return words, Found("traceback", f"{error!r}")
        if wrong:
            return words, Found("check")
        with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
            found = _everything(connection)
        changed = sorted(name for name in self._rows if self._rows[name] != found.get(name))
        if not changed:
            return words, Found("nothing changed")
        if self._is_told_by_a_terminal(folder):
            return words, Found("told by a terminal")
        return words, Found("server unseen", server_unseen=", ".join(changed))

    def _is_told_by_a_terminal(self, folder: Path) -> bool:
        """Say hello as a terminal that saw more: a server of before then takes a new epoch."""
        with open_database(folder, FakeClock(), CountingIds(6_000_000)) as database:
            joined = database.store.join(self._principal, self._hello)
        return joined.is_new_epoch


def _everything(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for (name,) in names}
