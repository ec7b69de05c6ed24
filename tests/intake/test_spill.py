"""What is larger than memory: nobody else sees it, it is gone afterwards, and a full disk is a sentence."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from intake.reader import Answers
from intake.report import Refusal
from intake.rows import Item, Taken
from intake.spill import Spill, SpilledList, SpilledRows
from server.importing.importer import Importer
from support.imports import NOW_MS, shop_shelf
from sync.contract.problems import ProblemError


def test_a_list_comes_back_in_its_order() -> None:
    """By its own order, and equal ones as they came."""
    with Spill() as spill:
        entries = SpilledList(spill, "refused", Refusal, by="file, line")
        said = [Refusal("b", 1, "x"), Refusal("a", 10, "y"), Refusal("a", 9, "z"), Refusal("a", 9, "é")]
        for entry in said:
            entries.append(entry)
        assert len(entries) == 4
        assert list(entries) == [said[2], said[3], said[1], said[0]]
        entries.append(Refusal("a", 1, "w"))
        assert next(iter(entries)) == Refusal("a", 1, "w")


def test_rows_come_back_order_by_order() -> None:
    """Orders as they first stood in the files, their rows as they were read; kinds stay apart."""
    with Spill() as spill:
        rows = SpilledRows(spill)
        for number, (kind, ref) in enumerate([(0, "b"), (1, "a"), (0, "a"), (0, "b"), (0, "a")]):
            rows.add(kind, Taken(ref, 0, number, ("é",), Item("s", "n", 1, ""), -7))
        assert [(row.ref, row.line) for row in rows.of(0)] == [("b", 0), ("b", 3), ("a", 2), ("a", 4)]
        (other,) = rows.of(1)
        assert other == Taken("a", 0, 1, ("é",), Item("s", "n", 1, ""), -7)


def test_nothing_of_it_can_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The temporary folder stays empty while rows are kept there, so nothing is left whatever happens."""
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    with Spill() as spill:
        rows = SpilledRows(spill)
        for number in range(30_000):
            rows.add(0, Taken(f"{number % 100}", 0, number, ("x" * 400,), None, 0))
        assert sum(1 for _ in rows.of(0)) == 30_000
        assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    """No room for temporary files stops the import, which says so and what to do."""
    path = tmp_path / "orders.csv"
    path.write_text("ref,sku,qty\n" + "".join(f"{number},A,1\n" for number in range(9_000)), encoding="utf-8")
    with pytest.raises(ProblemError) as caught, Spill(pages=8) as spill:
        Importer(spill, Answers(), shelf=shop_shelf()).read([path])
    assert caught.value.problem.code == "TEMPORARY_SPACE"
    assert "TMPDIR" in caught.value.problem.what_to_do


def test_another_failure_stays_what_it_is() -> None:
    """Only the temporary file's own failures are about room."""
    with pytest.raises(KeyError), Spill():
        raise KeyError


def test_refusals_need_no_room_in_memory(tmp_path: Path) -> None:
    """Forty thousand refused and held rows are all listed, and little of them is in memory at a time."""
    path = tmp_path / "orders.csv"
    rows = "".join(
        f"{number},A,{number % 2},C{number},2024-01-01\n{number},A,1,D{number},2024-01-01\n"
        for number in range(20_000)
    )
    path.write_text("ref,sku,qty,city,date\n" + rows, encoding="utf-8")
    with Spill() as spill:
        importer = Importer(spill, Answers(), shelf=shop_shelf())
        tracemalloc.start()
        try:
            importer.read([path])
            (maker,) = importer.makers(ZoneInfo("UTC"), NOW_MS)
            assert sum(1 for _ in importer.orders(0, maker)) == 20_000
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(importer.report.refused) == 10_000
        assert len(importer.report.held) == 20_000
        assert len(list(importer.report.refused)) == 10_000
    assert peak < 8_000_000
