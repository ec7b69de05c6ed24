"""Making the files of exports: page by page, noted every second, so that a stop costs little.

An export is a row that says how far its file is good. Whoever takes it up leases it, cuts the file to what
is noted, and goes on behind the last order in it. So a stop, a crash and a second server are the same case.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from databases.schema import data_exports, organizations, sites
from intake.exported import ExportFile, export_file
from server.interface.filters import OrderFilter, OrderFinder, Place
from server.kernel.records import SiteKey, SiteRow
from server.modules.exports.tables import export_jobs
from sync.contract.orders import order_from_bytes
from sync.contract.ports import Clock

FOLDER: Final = "exports"
PAGE_ORDERS: Final = 200
BREATH_S: Final = 0.002
"""A pause after each page, so that whoever waits for this process gets a turn."""
NOTE_MS: Final = 1_000
"""How often progress is noted: every note is a commit, which terminals would wait behind."""
KEPT_MS: Final = 24 * 3_600_000
"""How long an export and its file are kept."""
LEASE_MS: Final = 30_000
ENTITIES: Final = ("orders",)
_DECODE_FILTER: Final = msgspec.json.Decoder(OrderFilter)


class Written(NamedTuple):
    """How far a file is good, and behind which order it goes on."""

    orders: int
    size: int
    last: Place | None


Progress = Callable[[Written], bool]
"""Hears of every page; False ends the work."""


def write_orders(
    file: BinaryIO,
    finder: OrderFinder,
    site: SiteRow,
    wanted: OrderFilter,
    kind: ExportFile,
    begun: Written | None,
    progress: Progress,
) -> Written | None:
    """Write the orders of a filter into ``file``, from where it was left; None when it was ended."""
    written = begun or Written(0, file.write(kind.head()), None)
    while True:
        page = finder.page(site, wanted, written.last, PAGE_ORDERS)
        orders = [order_from_bytes(body) for body in page.orders]
        size = written.size + file.write(kind.part(orders, is_first=not written.orders))
        written = Written(written.orders + len(orders), size, page.last)
        if page.last is None:
            return Written(written.orders, size + file.write(kind.tail()), None)
        file.flush()
        if not progress(written):
            return None


def record_export(
    connection: Connection,
    export_id: str,
    site: SiteRow,
    user_id: str | None,
    kind: str,
    wanted: str,
    written: Written,
    now_ms: int,
) -> None:
    """Note that data left the house: what, how much, and who asked."""
    connection.execute(
        insert(data_exports).values(
            id=export_id,
            organization_id=site.key.organization_id,
            user_id=user_id,
            entities=list(ENTITIES),
            format=kind,
            record_count=written.orders,
            bytes=written.size,
            filter=wanted,
            created_at=now_ms,
        )
    )


class Exports:
    """The exports under way on this data."""

    def __init__(self, engine: Engine, folder: Path, clock: Clock) -> None:
        """Keep files below the data folder ``folder``."""
        self._engine = engine
        self._finder = OrderFinder(engine)
        self._folder = folder / FOLDER
        self._clock = clock
        self._noted_ms = 0

    def file_of(self, export_id: str, kind: str) -> Path:
        """Return where the finished file of an export lies."""
        return self._folder / f"{export_id}.{kind}"

    def work(self, stopping: threading.Event) -> None:
        """Make every export that waits, one after the other."""
        while not stopping.is_set() and (row := self._lease()) is not None:
            self._make(row, stopping)

    def tidy(self) -> None:
        """Remove exports that are older than a day, and files that belong to none."""
        oldest_ms = self._clock.wall_ms() - KEPT_MS
        # Looked at first: a file that is begun meanwhile belongs to a row that this does not know yet.
        paths = list(self._folder.iterdir()) if self._folder.is_dir() else []
        with self._engine.begin() as connection:
            connection.execute(delete(export_jobs).where(export_jobs.c.created_at <= oldest_ms))
            kept = set(connection.execute(select(export_jobs.c.id)).scalars())
        for path in paths:
            if path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)

    def remove(self, export_id: str) -> None:
        """Remove the files of an export that is gone."""
        for path in self._folder.glob(f"{export_id}.*"):
            path.unlink(missing_ok=True)

    def _lease(self) -> Row[tuple[object, ...]] | None:
        """Take the oldest export that waits and that nobody works on."""
        now_ms = self._clock.wall_ms()
        with self._engine.begin() as connection:
            row = connection.execute(
                select(export_jobs)
                .where(export_jobs.c.state.in_(("waiting", "running")), export_jobs.c.leased_until <= now_ms)
                .order_by(export_jobs.c.created_at, export_jobs.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is not None:
                values = {"state": "running", "leased_until": now_ms + LEASE_MS}
                connection.execute(update(export_jobs).where(export_jobs.c.id == row.id).values(values))
        return row

    def _make(self, row: Row[tuple[object, ...]], stopping: threading.Event) -> None:
        kind = export_file(row.format, has_bom=row.has_bom)
        final = self.file_of(row.id, row.format)
        part = final.with_name(f"{final.name}.part")
        site = self._site(row)
        wanted = _DECODE_FILTER.decode(row.filter)
        try:
            with _opened(part) as file:
                begun = _begun(file, row)
                if begun is None:
                    self._note(row.id, orders_total=self._finder.count(site, wanted))
                written = write_orders(
                    file, self._finder, site, wanted, kind, begun,
                    lambda now: self._keep_on(row.id, now, stopping),
                )  # fmt: skip
                os.fsync(file.fileno())
            if written is not None:
                part.replace(final)
                self._finish(row, site, written)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            words = f"The file cannot be written: {error.strerror}."
            self._note(row.id, state="failed", problem=words, finished_at=self._clock.wall_ms())
        except Exception:
            # Tried again it would go wrong again, every half minute for a day.
            words = "The server could not make the file."
            self._note(row.id, state="failed", problem=words, finished_at=self._clock.wall_ms())
            raise
        if not self._is_there(row.id):
            self.remove(row.id)

    def _keep_on(self, export_id: str, now: Written, stopping: threading.Event) -> bool:
        """Note a page; say whether to go on: not when the export is gone, nor when the server stops."""
        stopping.wait(BREATH_S)
        is_stopping = stopping.is_set()
        mono_ms = self._clock.mono_ms()
        if not is_stopping and mono_ms - self._noted_ms < NOTE_MS:
            return True
        self._noted_ms = mono_ms
        assert now.last is not None
        is_there = self._note(
            export_id,
            orders_done=now.orders,
            bytes=now.size,
            last_created_at=now.last.created_ms,
            last_id=now.last.order_id,
            leased_until=0 if is_stopping else self._clock.wall_ms() + LEASE_MS,
        )
        return is_there and not is_stopping

    def _finish(self, row: Row[tuple[object, ...]], site: SiteRow, written: Written) -> None:
        now_ms = self._clock.wall_ms()
        with self._engine.begin() as connection:
            done = connection.execute(
                update(export_jobs)
                .where(export_jobs.c.id == row.id)
                .values(
                    state="finished", orders_done=written.orders, orders_total=written.orders,
                    bytes=written.size, finished_at=now_ms,
                )
            )  # fmt: skip
            if done.rowcount:
                record_export(connection, row.id, site, row.user_id, row.format, row.filter, written, now_ms)

    def _note(self, export_id: str, **values: object) -> bool:
        with self._engine.begin() as connection:
            noted = connection.execute(
                update(export_jobs).where(export_jobs.c.id == export_id).values(**values)
            )
        return bool(noted.rowcount)

    def _is_there(self, export_id: str) -> bool:
        with self._engine.begin() as connection:
            found = select(export_jobs.c.id).where(export_jobs.c.id == export_id)
            return connection.execute(found).scalar() is not None

    def _site(self, row: Row[tuple[object, ...]]) -> SiteRow:
        with self._engine.begin() as connection:
            site = connection.execute(
                select(sites.c.name, sites.c.time_zone, organizations.c.name.label("organization"))
                .join(organizations, organizations.c.id == sites.c.organization_id)
                .where(sites.c.id == row.site_id)
            ).one()
        return SiteRow(
            SiteKey(row.organization_id, row.site_id), site.name, site.time_zone, site.organization
        )


def _begun(file: BinaryIO, row: Row[tuple[object, ...]]) -> Written | None:
    """Return how far the file is, cut to what is good; None when it has to be begun anew."""
    size = file.seek(0, os.SEEK_END)
    begun = None
    if row.last_id is not None and size >= row.bytes:
        begun = Written(row.orders_done, row.bytes, Place(row.last_created_at, row.last_id))
    file.truncate(begun.size if begun else 0)
    file.seek(0, os.SEEK_END)
    return begun


def _opened(path: Path) -> BinaryIO:
    """Open a file for writing, not for everybody; what is in it stays."""
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(mode=0o750)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o640), "r+b")
