"""Rows in bulk mean the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from databases.schema import order_line_items, organizations
from databases.statements import insert_missing, insert_rows, lock_key, update_rows, upsert_rows
from support.server_bench import ServerBench


@pytest.fixture
def connection(tmp_path: Path, database_url: str) -> Iterator[Connection]:
    """A transaction on a database with one organisation."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.import_orders(1)
    with bench.database.engine.begin() as connection:
        yield connection
    bench.close()


def organization(key: str, name: str, created_at: int = 1) -> dict[str, object]:
    """Return a row."""
    return {"id": key, "name": name, "created_at": created_at}


def named(connection: Connection) -> dict[str, tuple[str, int]]:
    """Return name and time of the organisations of the test by id."""
    rows = connection.execute(select(organizations).where(organizations.c.id.like("t-%")))
    return {row.id: (row.name, row.created_at) for row in rows}


def test_rows_are_inserted_all_or_none(connection: Connection) -> None:
    """A row that is there already fails the statement."""
    insert_rows(connection, organizations, [organization("t-1", "One"), organization("t-2", "Two", 2**62)])
    assert named(connection) == {"t-1": ("One", 1), "t-2": ("Two", 2**62)}
    with pytest.raises(IntegrityError) as caught, connection.begin_nested():
        insert_rows(connection, organizations, [organization("t-3", "Three"), organization("t-1", "Again")])
    assert "Three" not in str(caught.value).partition("DETAIL")[0]
    assert set(named(connection)) == {"t-1", "t-2"}


def test_rows_that_are_there_may_be_left_out(connection: Connection) -> None:
    """Whichever of their keys it is that collides."""
    insert_rows(connection, organizations, [organization("t-1", "One")])
    rows = [organization("t-1", "Other"), organization("t-2", "One"), organization("t-3", "Three")]
    insert_missing(connection, organizations, rows)
    assert named(connection) == {"t-1": ("One", 1), "t-3": ("Three", 1)}


def test_rows_that_are_there_may_be_changed(connection: Connection) -> None:
    """All their other columns; with nothing but the key there is nothing to change."""
    insert_rows(connection, organizations, [organization("t-1", "One")])
    rows = [organization("t-1", "Other", 5), organization("t-2", "Two", 6)]
    upsert_rows(connection, organizations, rows, ("id",))
    assert named(connection) == {"t-1": ("Other", 5), "t-2": ("Two", 6)}
    upsert_rows(connection, organizations, [organization("t-1", "x", 7)], ("id", "name", "created_at")[:1])
    assert named(connection)["t-1"] == ("x", 7)


def test_rows_are_updated_by_their_key(connection: Connection) -> None:
    """Columns that are not named stay, rows that are not named too; a key may have several columns."""
    insert_rows(connection, organizations, [organization(f"t-{place}", f"{place}") for place in range(3)])
    update_rows(connection, organizations, [{"id": "t-0", "name": "a"}, {"id": "t-2", "name": "c"}])
    assert named(connection) == {"t-0": ("a", 1), "t-1": ("1", 1), "t-2": ("c", 1)}
    lines = select(order_line_items).order_by(order_line_items.c.position)
    first, *others = connection.execute(lines).all()
    key = {"order_id": first.order_id, "position": first.position}
    change = {**key, "sku": "NEW", "requires_picking": not first.requires_picking}
    update_rows(connection, order_line_items, [change], ("order_id", "position"))
    after, *others_after = connection.execute(lines).all()
    assert (after.sku, after.requires_picking, after.name) == ("NEW", not first.requires_picking, first.name)
    assert others_after == others


def test_no_rows_are_no_statement(connection: Connection) -> None:
    """So that callers need not ask."""
    insert_rows(connection, organizations, [])
    insert_missing(connection, organizations, [])
    upsert_rows(connection, organizations, [], ("id",))
    update_rows(connection, organizations, [])


def test_every_character_can_be_stored(connection: Connection) -> None:
    """But for the one that PostgreSQL's text lacks, which is replaced there, in lists and by itself."""
    words = "Łódź 'quoted' \"twice\" \\ {a,b} %s \U0001f4e6 NULL"
    insert_rows(connection, organizations, [organization("t-1", words), organization("t-2", "a\0b")])
    found = named(connection)
    assert found["t-1"][0] == words
    assert found["t-2"][0] in {"a\0b", "a\ufffdb"}
    connection.execute(select(organizations).where(organizations.c.name == "a\0b")).one()
    many = [organization(f"t-{place}", f"\0{place}") for place in (3, 4)]
    connection.execute(insert(organizations), many)
    assert set(named(connection)) == {"t-1", "t-2", "t-3", "t-4"}


def test_a_lock_has_one_number_everywhere() -> None:
    """Positive and of 63 bits."""
    assert lock_key("names") == lock_key("names") != lock_key("migrations")
    assert 0 <= lock_key("names") < 2**63
