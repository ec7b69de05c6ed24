"""The proof about damaged files, small, and that it would see what it looks for."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from unittest import mock

import pytest

from proofs.proof_damage import run, trials
from support.proofs_damage import PAGE_BYTES, is_there, record
from support.proving import Budget
from sync.client.stores import outbox_damage, outbox_mark


def test_no_damage_passes_for_a_whole_file() -> None:
    """Some files of each kind; every loss is said and nothing readable is lost."""
    findings = {finding.metric: finding for finding in run(Budget(seeds=32))}
    assert findings["damage.runs"].value == 16
    for metric in ("damage.undetected", "damage.good_rows_lost", "damage.control_harmless"):
        assert findings[metric].value == 0, findings[metric].detail


def test_without_the_mark_and_the_row_checks_it_is_noticed() -> None:
    """The same damage on a program that trusts SQLite: the proof finds what is lost in silence."""
    with (
        mock.patch.object(outbox_mark.Mark, "read", return_value=None),
        mock.patch.object(outbox_damage, "_missing", return_value=0),
    ):
        assert any(found.undetected for _, found in trials(24, 1, ("outbox",)))


@pytest.mark.parametrize("size", [0, 10, 600, 4_060, 4_061, 4_062, 5_000, 9_000, 60_000])
def test_a_record_is_written_as_sqlite_writes_it(tmp_path: Path, size: int) -> None:
    """The oracle works out bytes by itself; SQLite's own file has them, also over several pages."""
    path = tmp_path / "x.db"
    text = " ".join(str(number) for number in range(size))[:size]
    values = ("key", text, text.encode(), 0, 1, -1, 200, 70_000, 1 << 40, None)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i, j)")
    connection.execute("INSERT INTO t VALUES (7,?,?,?,?,?,?,?,?,?,?)", values)
    connection.commit()
    assert connection.execute("PRAGMA page_size").fetchone()[0] == PAGE_BYTES
    connection.close()
    data = path.read_bytes()
    row = record((None, *values))
    assert is_there(row, [data], [data])
    place = data.rindex(row[-8:])
    assert not is_there(row, [data], [data[:place] + bytes(len(data) - place)])
