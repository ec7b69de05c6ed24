"""The server's data in a SQLite file, with the real stores, office jobs and rows."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import insert, select, update

from calendars.schedule import Rule
from databases.schema import boards, operation_log, orders, sign_ins, tokens, users
from server.arrivals import Arrivals
from server.cut_offs.recomputing import Recomputing
from server.cut_offs.rows import Calendars, change
from server.database import FILE_NAME, create_database, open_database
from server.interface import search_rows
from server.kernel.board_reader import of_site
from server.kernel.records import Batch, Committed, Head
from server.kernel.signed import unsigned
from server.kernel.store import Store
from server.kernel.token_rows import ACCESS, hashed
from server.modules.backups.restoring import begin_new_life
from server.modules.retirement import Closing, Retirement
from server.verification.processes import Processes
from server.verification.rooms import ORGANIZATION, SITE, TIME_ZONE, VALID_MS, ServerRoom, Worker
from server.verification.world import World
from sync.contract.permissions import Role


class FileRoom(ServerRoom):
    """A folder that outlives crashes."""

    def __init__(self, world: World, processes: Processes, folder: Path) -> None:
        """Set the data up in ``folder`` and start the first process."""
        super().__init__(world, processes)
        self._folder = folder
        self._enrolments: dict[str, str] = {}
        self._copies = 0
        self.database = create_database(folder, self.clock, self.ids, self.hook)
        self._prepare()
        self.site = self.database.identities.ensure_site(ORGANIZATION, SITE, TIME_ZONE)
        self.start()

    def _prepare(self) -> None:
        """Let the store decide as the world wants it."""
        database = self.database
        database.store = Store(
            database.engine,
            database.reader,
            self.clock,
            self.ids,
            self.hook,
            self.decide,
            Calendars(),
            search_rows.write,
        )

    def stores(self) -> Mapping[str, object]:
        """Return the opened stores by the names that the hub knows."""
        names = ("store", "reader", "copies")
        return {name: getattr(self.database, name) for name in names if hasattr(self.database, name)}

    def reopen(self) -> None:
        """Open the files as the next process does."""
        self.database.close()
        self.database = open_database(self._folder, self.clock, self.ids, self.hook)
        self._prepare()

    def commit(self, batch: Batch) -> Committed:
        """Decide a batch as another process does."""
        return self.database.store.commit(batch)

    def doors(self) -> Arrivals:
        """Return the door for orders from outside."""
        return Arrivals(self.database.store, self.ids)

    def retire(self, before_ms: int) -> None:
        """Run the office's retirement."""
        retirement = Retirement(self.database.engine, self.database.store, self.ids)
        retirement.run(Closing(self.site.key, self.zone, before_ms), lambda: False)

    def reschedule(self, rules: list[Rule]) -> None:
        """Change the schedule and bring the open orders in line."""
        engine, store, site = self.database.engine, self.database.store, self.site.key
        with engine.begin() as connection:
            change(connection, site, lambda before: before.with_rules(rules))
        Recomputing(engine, store, lambda: False).run(site)

    def head(self) -> Head:
        """Return where the log stands."""
        return self.database.reader.head(self.site.key)

    def entries(self, after: int) -> list[bytes]:
        """Return the encoded log after ``after``."""
        query = (
            select(operation_log.c.entry)
            .where(operation_log.c.site_id == self.site.key.site_id, operation_log.c.seq > after)
            .order_by(operation_log.c.seq)
        )
        with self.database.engine.begin() as connection:
            return list(connection.execute(query).scalars())

    def bodies(self) -> dict[str, bytes]:
        """Return every stored order as its canonical bytes."""
        with self.database.engine.begin() as connection:
            rows = connection.execute(select(orders.c.id, orders.c.body).where(*of_site(self.site.key)))
            return {row.id: row.body for row in rows}

    def state_hash(self) -> int:
        """Return the stored hash of the board."""
        with self.database.engine.begin() as connection:
            return unsigned(connection.execute(select(boards.c.state_hash)).scalar_one())

    def worker(self, name: str, role: Role, enrolment: str) -> Worker:
        """Make a person who is signed in on an enrolled device, with a token that the seed made.

        Tokens of production come from the operating system's randomness, which no seed repeats, so the
        rows are written here as a sign-in writes them.
        """
        site, chance, identities = self.site.key, self.world.random, self.database.identities
        user = identities.add_user(site, name, role)
        if not enrolment:
            enrolment = identities.add_device(site, user.name, name, f"device-{chance.getrandbits(128)}").id
        sign_in_id, token, now = f"sign-in-{name}", f"access-{chance.getrandbits(128)}", self.clock.wall_ms()
        signed_in = {
            "id": sign_in_id,
            "organization_id": site.organization_id,
            "site_id": site.site_id,
            "user_id": user.id,
            "enrolment_id": enrolment,
            "created_at": now,
        }
        access = {
            "token_hash": hashed(token),
            "sign_in_id": sign_in_id,
            "kind": ACCESS,
            "created_at": now,
            "expires_at": now + VALID_MS,
        }
        with self.database.engine.begin() as connection:
            connection.execute(insert(sign_ins).values(**signed_in))
            connection.execute(insert(tokens).values(**access))
        self._enrolments[sign_in_id] = enrolment
        return Worker(user.id, name, sign_in_id, token)

    def enrolment_of(self, worker: Worker) -> str:
        """Return the enrolment that a person is signed in on."""
        return self._enrolments[worker.sign_in_id]

    def set_role(self, user_id: str, role: Role) -> None:
        """Give a person another role."""
        with self.database.engine.begin() as connection:
            connection.execute(update(users).where(users.c.id == user_id).values(role=role.value))

    def backup(self) -> Path:
        """Copy the file while the server may be at work."""
        self._copies += 1
        path = self._folder / f"backup-{self._copies}.sqlite"
        with (
            contextlib.closing(sqlite3.connect(self._folder / FILE_NAME)) as source,
            contextlib.closing(sqlite3.connect(path)) as goal,
        ):
            source.backup(goal)
        return path

    def restore(self, backup: object, *, is_known: bool = True) -> None:
        """Put a copy in the place of the file, and begin a new history where that is known."""
        assert isinstance(backup, Path)
        self.database.close()
        for ending in ("-wal", "-shm"):
            (self._folder / f"{FILE_NAME}{ending}").unlink(missing_ok=True)
        shutil.copyfile(backup, self._folder / FILE_NAME)
        self.database = open_database(self._folder, self.clock, self.ids, self.hook)
        if is_known:
            with self.database.engine.begin() as connection:
                begin_new_life(connection, self.ids)
        self._prepare()

    def verified(self, seq: int) -> None:
        """Note that a verified backup covers the log up to ``seq``."""
        with self.database.engine.begin() as connection:
            connection.execute(update(boards).values(durable_seq=seq))

    def close(self) -> None:
        """Let go of the files."""
        self.database.close()
