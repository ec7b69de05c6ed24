"""Files onto a board, again and changed: what repeats itself writes nothing, what changed is taken."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from intake.spill import Spill
from server.importing import Answers, import_files
from server.importing.importer import Board, Importer
from support.server_bench import ServerBench
from sync.contract.operations import Move, Operation
from sync.contract.orders import Order, order_from_bytes
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

HEAD = "order id,sku,qty,customer,city,order date,updated at\n"
ROWS = "1,A,1,Ada,Bath,2024-01-31,\n1,B,2,Ada,Bath,2024-01-31,\n2,A,1,Bo,York,2024-01-31,\n"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Return a board without orders."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def put(bench: ServerBench, rows: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 – of import_files
    """Import a file of these rows."""
    path = bench.folder / "orders.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    return import_files([path], bench.database, bench.site, bench.clock, bench.ids, **more)


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many orders are new, changed and already here."""
    assert answer["orders"] == answer["new"] + answer["updated"] + answer["already_here"] + len(
        answer["not_taken"]
    )
    return answer["new"], answer["updated"], answer["already_here"]


def seq(bench: ServerBench) -> int:
    """Return how long the log is."""
    return bench.database.reader.head(bench.site.key).seq


def order(bench: ServerBench, ref: str) -> Order:
    """Return an order of the file."""
    order_id = bench.database.store.said(bench.site.key, "file", [ref])[ref][0]
    body = bench.database.reader.order(bench.site.key, order_id)
    assert body is not None
    return order_from_bytes(body)


def test_again_writes_nothing(bench: ServerBench) -> None:
    """The same file, later, in shuffled rows of other orders: no new entry in the log."""
    assert counts(put(bench, ROWS, is_real=False)) == (2, 0, 0)
    assert seq(bench) == 0
    assert counts(put(bench, ROWS)) == (2, 0, 0)
    written = seq(bench)
    bench.clock.advance(86_400_000)
    shuffled = "".join(ROWS.splitlines(keepends=True)[place] for place in (2, 0, 1))
    for rows in (ROWS, shuffled):
        assert counts(put(bench, rows, is_real=False)) == (0, 0, 2)
        assert counts(put(bench, rows)) == (0, 0, 2)
    assert seq(bench) == written


def test_a_changed_file_changes_what_it_may(bench: ServerBench) -> None:
    """The preview counts it, the import takes it, and what did not change is left alone."""
    put(bench, ROWS)
    changed = ROWS.replace("Bo,York", "Bo,Leeds") + "3,C,1,Cy,Hull,2024-01-31,\n"
    assert counts(put(bench, changed, is_real=False)) == (1, 1, 1)
    assert order(bench, "2").ship_to.city == "York"
    assert counts(put(bench, changed)) == (1, 1, 1)
    assert order(bench, "2").ship_to.city == "Leeds"
    assert counts(put(bench, changed)) == (0, 0, 3)


def test_lines_changed_after_picking_began_raise_an_alarm(bench: ServerBench) -> None:
    """The new lines are taken, the order carries an exception, and the report names it with its reason."""
    put(bench, ROWS)
    picked = order(bench, "1")
    move = Operation(bench.ids.new(), picked.id, Move(Stage.PICKING), base_stage=Stage.CONFIRMED)
    bench.commit(bench.principal(), move)
    answer = put(bench, ROWS.replace("1,B,2", "1,B,5"))
    assert counts(answer) == (0, 1, 1)
    ((alarm),) = answer["alarmed"]
    assert alarm["ref"] == "1"
    assert "B 2 → 5" in alarm["reason"]
    after = order(bench, "1")
    assert after.stage is Stage.PICKING
    assert [line.quantity_ordered for line in after.lines] == [1, 5]
    assert [exception.code for exception in after.exceptions] == ["LINES_CHANGED"]
    assert counts(put(bench, ROWS.replace("1,B,2", "1,B,5"))) == (0, 0, 2)


def test_an_older_word_changes_nothing(bench: ServerBench) -> None:
    """A file that says when it was changed does not undo a newer one."""
    put(bench, ROWS.replace("York,2024-01-31,", "York,2024-01-31,2024-02-02 10:00"))
    older = ROWS.replace("York,2024-01-31,", "Hull,2024-01-31,2024-02-01 10:00")
    assert counts(put(bench, older)) == (0, 0, 2)
    assert order(bench, "2").ship_to.city == "York"


def test_another_sites_orders_are_not_taken(bench: ServerBench) -> None:
    """The report names each order that the board refuses, with the reason."""
    put(bench, ROWS)
    other = bench.crowd("Organization", "Second")
    path = bench.folder / "orders.csv"
    answer = import_files([path], bench.database, other, bench.clock, bench.ids)
    assert (answer["new"], answer["updated"]) == (0, 0)
    assert [entry["ref"] for entry in answer["not_taken"]] == ["1", "2"]


def test_lists_are_cut_and_numbers_are_whole(bench: ServerBench) -> None:
    """What a report beside a file needs: some entries and all figures."""
    answer = put(bench, ROWS + ",A,1,,,,\n" * 30, listed=3)
    assert (len(answer["refused"]), answer["refused_rows"]) == (3, 30)
    assert (answer["rows"], answer["lines"], answer["held_orders"], answer["waiting_lines"]) == (33, 3, 0, 0)


def test_what_stops_an_import_writes_nothing(bench: ServerBench) -> None:
    """A question of the last column comes before the first order is written."""
    with pytest.raises(ProblemError) as caught:
        put(bench, ROWS.replace("2024-01-31", "03/04/2024"))
    assert caught.value.problem.code == "DATES_AMBIGUOUS"
    assert seq(bench) == 0
    put(bench, ROWS.replace("2024-01-31", "03/04/2024"), answers=Answers(date_style="d/m/y"))
    assert order(bench, "1").placed_ms == 1_712_098_800_000, "midnight in London's summer"


def test_an_import_that_is_stopped_is_repeated(bench: ServerBench) -> None:
    """What was written stays; the same import brings the rest, and nothing twice."""
    path = bench.folder / "orders.csv"
    path.write_text(HEAD + "".join(f"{number},A,1,Ada,Bath,,\n" for number in range(1_200)), encoding="utf-8")
    turns = itertools.count()

    def stop(_what: str, _part: float, _count: int) -> None:
        if next(turns) == 1:
            raise KeyboardInterrupt

    board = Board(bench.database, bench.site, bench.clock, bench.ids)
    with Spill() as spill:
        importer = Importer(spill, Answers(), stop)
        importer.read([path])
        with pytest.raises(KeyboardInterrupt):
            importer.take(board, is_real=True)
        assert importer.report.new == 1_000
    answer = import_files([path], bench.database, bench.site, bench.clock, bench.ids)
    assert counts(answer) == (200, 0, 1_000)
