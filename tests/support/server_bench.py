"""A server's database in a test's folder: sites with people and devices, and operations to commit."""

from __future__ import annotations

import functools
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine

from server.database import FILE_NAME, Database, create_database
from server.kernel.auth import SignIns
from server.kernel.records import Batch, Committed, Principal, SiteRow, Submission
from support.clocks import CountingIds, FakeClock
from support.orders import make_order
from sync.contract.messages import Hello
from sync.contract.operations import Change, Create, Import, Operation
from sync.contract.orders import Order
from sync.contract.ports import FaultHook
from sync.contract.stages import Stage


class ServerBench:
    """One database with a site; ``crowd`` adds others.

    In ``folder``, or at ``url`` (the fixture ``database_url``) with our tables in it.
    """

    def __init__(self, folder: Path, faults: FaultHook | None = None, url: str = "") -> None:
        self.folder = folder
        self.url = url
        self.clock = FakeClock()
        self.ids = CountingIds()
        folder.mkdir(parents=True, exist_ok=True)
        if not url:
            (folder / FILE_NAME).write_bytes(_empty())
        self.database: Database = create_database(folder, self.clock, self.ids, faults, url)
        self.site = self.crowd("Organization", "Main")
        self.tokens = 0

    def crowd(self, organization: str, site: str, role: str = "supervisor") -> SiteRow:
        """Make a site with one user called Ana."""
        row = self.database.identities.ensure_site(organization, site, "Europe/London")
        self.database.identities.add_user(row.key, "Ana", role)
        return row

    @property
    def reading(self) -> Engine:
        """The engine that reads."""
        return self.database.engine.execution_options(is_reading=True)

    def sign_ins(self) -> SignIns:
        """Return a desk that signs people in."""
        return SignIns(self.database.engine, self.clock, self.ids)

    def device(self, site: SiteRow | None = None, user: str = "Ana") -> str:
        """Enrol a device and return its token."""
        self.tokens += 1
        token = f"device-token-{self.tokens}"
        self.database.identities.add_device((site or self.site).key, user, f"Station {self.tokens}", token)
        return token

    def principal(self, site: SiteRow | None = None) -> Principal:
        """Sign Ana in on a new device."""
        return self.sign_ins().sign_in("127.0.0.1", self.device(site)).principal

    def join(self, principal: Principal, device_id: str = "device-1", **more: Any) -> Any:  # noqa: ANN401
        """Say hello for a device."""
        fields = {"next_device_seq": 1, **more}
        return self.database.store.join(principal, Hello(2, 2, "1.0", device_id, **fields))

    def commit(self, principal: Principal, *operations: Operation) -> Committed:
        """Commit operations as a client's."""
        submissions = tuple(Submission(operation, principal) for operation in operations)
        return self.database.store.commit(Batch(principal.site.key, submissions))

    def import_orders(self, count: int, site: SiteRow | None = None, first: int = 0) -> list[Order]:
        """Put ``count`` confirmed orders on a board and return them as they were given."""
        orders = [fresh_order(first + place) for place in range(count)]
        key = (site or self.site).key
        operations = [
            Operation(self.ids.new(), f"{key.site_id}-{order.external_ref}", Import(order))
            for order in orders
        ]
        self.database.store.import_orders(key, operations, "batch-1")
        return orders

    def raw(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database itself, on a connection of its own."""
        if self.url:
            with psycopg.connect(self.url) as other:
                cursor = other.execute(sql.encode())
                return cursor.fetchall() if cursor.description else []
        with sqlite3.connect(self.folder / FILE_NAME) as connection:
            rows = connection.execute(sql).fetchall()
        connection.close()
        return rows

    def close(self) -> None:
        """Close the database."""
        self.database.close()


@functools.cache
def _empty() -> bytes:
    """Return a file that all migrations made: they need not run again for every test."""
    with tempfile.TemporaryDirectory() as folder:
        create_database(Path(folder), FakeClock(), CountingIds()).close()
        return (Path(folder) / FILE_NAME).read_bytes()


def fresh_order(place: int) -> Order:
    """Return an order that nobody has touched."""
    return make_order(
        place + 1,
        source="test",
        external_ref=f"A-{place}",
        number=f"SO-{place}",
        stage=Stage.CONFIRMED,
        claimed_by=None,
        hold=None,
        cancelled_ms=None,
    )


def numbered(number: int, change: Change, order_id: str = "order-1", device: str = "device-1") -> Operation:
    """Return a numbered operation."""
    return Operation(f"op-{device}-{number}", order_id, change, device, number)


def create(number: int, order_id: str = "order-1", device: str = "device-1") -> Operation:
    """Return an operation that makes an order."""
    return numbered(number, Create(fresh_order(number)), order_id, device)
