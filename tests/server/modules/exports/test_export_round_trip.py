"""An export is a file that the importer reads: orders move to another server by a file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from server.database import FILE_NAME
from server.main import main
from support.server_bench import ServerBench
from sync.contract.orders import Order, order_from_bytes


def orders_of(folder: Path) -> dict[str, Order]:
    """Return the orders of a data folder by their reference."""
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        found = [order_from_bytes(row[0]) for row in connection.execute("SELECT body FROM orders")]
    return {order.external_ref: order for order in found}


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_an_export_can_be_imported(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Reference, number, customer, address, times and lines are the same; a second time changes nothing."""
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / f"orders.{kind}"
    bench = ServerBench(here)
    bench.import_orders(12)
    bench.close()
    ServerBench(there).close()
    assert main(["export", "--data", str(here), "--format", kind, "--output", str(file)]) == 0
    for _ in range(2):
        assert main(["import", str(file), "--data", str(there), "--apply"]) == 0
    assert "12 already here" in capsys.readouterr().out
    told, read = orders_of(here), orders_of(there)
    assert set(told) == set(read)
    for ref, order in told.items():
        other = read[ref]
        for name in ("number", "stage", "placed_ms", "cut_off_ms", "ship_method", "customer", "ship_to"):
            assert getattr(order, name) == getattr(other, name), f"{ref}: {name}"
        assert [(line.sku, line.name, line.quantity_ordered, line.location) for line in order.lines] == [
            (line.sku, line.name, line.quantity_ordered, line.location) for line in other.lines
        ]
