"""The command: real files onto a real board, previews that write nothing, sentences for what is wrong."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from server.database import open_database
from server.folders import DATABASE_VARIABLE, database_url
from server.importing.importer import Importer
from server.kernel.store import Store
from server.main import main
from server.modules.imports.progress import Progress
from support.clocks import CountingIds, FakeClock
from support.repository import ROOT
from sync.contract.orders import Order, order_from_bytes
from sync.contract.stages import Stage

DATA = ROOT.parent / "shared" / "data"
SUPERSTORE = DATA / "superstore_orders.csv"
NORTHWIND = DATA / "northwind_orders_nested.json"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real order files are not in ../shared/data")

SMALL = (
    "Order ID,Order Date,Ship Mode,Customer Name,Product ID,Product Name,Quantity\n"
    "A-1,31/12/24,First Class,Ada,S-1,Mug,2\n"
    "A-2,31/12/24,First Class,Bo,S-2,Jug,0\n"
    "A-3,30/12/24,Second Class,Cy,S-3,Pot,1\n"
)


@pytest.fixture
def folder(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Return a data folder that has been set up; on PostgreSQL the environment names the database."""
    path = tmp_path / "data"
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)
    assert main(["setup", "--data", str(path), "--organization", "O", "--site", "S", "--user", "Ana"]) == 0
    capsys.readouterr()
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a file of three rows, one of them refused."""
    path = tmp_path / "small.csv"
    path.write_text(SMALL, encoding="utf-8")
    return path


def stored(folder: Path) -> list[Order]:
    """Return the orders on the board of a data folder."""
    with (
        open_database(folder, FakeClock(), CountingIds(), url=database_url(None)) as database,
        database.engine.connect() as connection,
    ):
        rows = connection.exec_driver_sql("SELECT body FROM orders").fetchall()
    return [order_from_bytes(body) for (body,) in rows]


def ask(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """Run an import with ``--json`` and return its answer, which is one line."""
    assert main(["import", *map(str, words), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


@needs_data
def test_the_superstore_fills_a_board(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """5,111 open orders with 10,194 lines; four disagree and are held; again changes nothing."""
    answer = ask(capsys, SUPERSTORE, "--as-open", "--apply", "--data", folder)
    assert (answer["rows"], answer["orders"], answer["lines"]) == (10_194, 5_111, 10_194)
    assert (answer["refused"], answer["applied"], answer["new"]) == ([], True, 5_111)
    assert [held["ref"] for held in answer["held"]] == [
        "CA-2019-131807",
        "CA-2021-121465",
        "CA-2022-130494",
        "CA-2022-131807",
    ]
    orders = stored(folder)
    assert len(orders) == 5_111
    assert {order.stage for order in orders} == {Stage.CONFIRMED}
    assert sum(order.hold is not None for order in orders) == 4
    assert {order.carrier for order in orders} == {
        "Standard Class",
        "Second Class",
        "First Class",
        "Same Day",
    }
    again = ask(capsys, SUPERSTORE, "--as-open", "--apply", "--data", folder)
    assert (again["new"], again["already_here"]) == (0, 5_111)
    assert len(stored(folder)) == 5_111


@needs_data
def test_northwind_fills_a_board(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """830 orders with 2,155 lines, as the file says them; 21 have not shipped."""
    answer = ask(capsys, NORTHWIND, "--apply", "--data", folder)
    assert (answer["orders"], answer["lines"], answer["refused"], answer["held"]) == (830, 2_155, [], [])
    orders = {order.number: order for order in stored(folder)}
    assert sum(order.stage is Stage.CONFIRMED for order in orders.values()) == 21
    for item in json.loads(NORTHWIND.read_text(encoding="utf-8")):
        order = orders[str(item["orderID"])]
        assert order.customer == item["shipName"].strip()
        assert (order.ship_to.city, order.ship_to.country) == (
            item["shipAddress"]["city"].strip(),
            item["shipAddress"]["country"],
        )
        assert [(line.sku, line.quantity_ordered) for line in order.lines] == [
            (str(detail["productID"]), detail["quantity"]) for detail in item["details"]
        ]


def test_a_preview_writes_nothing(folder: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --apply the board stays as it is, and the preview says so and what it would do."""
    assert main(["import", str(small), "--data", str(folder)]) == 0
    said = capsys.readouterr()
    assert "Preview: 2 new, 0 already here. Nothing has been written; add --apply to import." in said.out
    assert "row 3: quantity 0 is not pickable" in said.out
    assert "fields parted by comma" in said.out
    assert said.err == ""
    assert stored(folder) == []


def test_what_another_import_writes_meanwhile_is_already_here(
    folder: Path, small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once may both find an order missing; one of them makes it."""
    assert ask(capsys, small, "--apply", "--data", folder)["new"] == 2
    monkeypatch.setattr(Store, "said", lambda *_: {})
    answer = ask(capsys, small, "--apply", "--data", folder)
    assert (answer["new"], answer["already_here"]) == (0, 2)
    assert len(stored(folder)) == 2


def test_json_has_the_documented_shape(folder: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs find rows, orders, lines, refused with line and reason, held, applied."""
    answer = ask(capsys, small, "--data", folder)
    assert {**answer, "notices": []} == {
        "rows": 3,
        "orders": 2,
        "lines": 2,
        "refused": [{"line": 3, "reason": "quantity 0 is not pickable"}],
        "merged": 0,
        "waiting": [],
        "held": [],
        "applied": False,
        "new": 2,
        "updated": 0,
        "alarmed": [],
        "not_taken": [],
        "already_here": 0,
        "notices": [],
    }


def test_several_files_say_which_row_is_meant(
    folder: Path, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With more than one file a refusal names its file."""
    other = tmp_path / "other.csv"
    other.write_text(SMALL.replace("A-", "B-"), encoding="utf-8")
    answer = ask(capsys, small, other, "--data", folder)
    assert [refusal["file"] for refusal in answer["refused"]] == ["other.csv", "small.csv"]
    assert main(["import", str(small), str(other), "--data", str(folder)]) == 0
    assert "other.csv, row 3: quantity 0" in capsys.readouterr().out


def test_a_bad_file_keeps_the_good_ones_out(
    folder: Path, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All files are read before one order is written."""
    bad = tmp_path / "bad.csv"
    bad.write_text(SMALL + "A-4,30/12", encoding="utf-8")
    assert main(["import", str(small), str(bad), "--apply", "--data", str(folder)]) == 1
    said = capsys.readouterr()
    assert "looks truncated" in said.err
    assert len(said.err.splitlines()) == 1
    assert stored(folder) == []


def test_a_mapping_of_your_own(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A TOML file says what the columns of any file mean."""
    mapping, orders = tmp_path / "mine.toml", tmp_path / "mine.csv"
    mapping.write_text(
        'name = "mine"\ntitle = "Mine"\nsource = "mine"\nformat = "csv"\ndetect = []\n'
        '[order]\nexternal_ref = "no"\n[line]\nquantity = "n"\n',
        encoding="utf-8",
    )
    orders.write_text("no;n\n7;1\n", encoding="utf-8")
    assert ask(capsys, orders, "--mapping", mapping, "--data", folder)["orders"] == 1


BASE = 'name = "a"\ntitle = "b"\nsource = "s"\nformat = "csv"\ndetect = []\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name =", "cannot be used"),
        (f"{BASE}[order]\n[line]\n", "external_ref"),
        (f'{BASE}[order]\nparcel = "y"\n[line]\n', "no field parcel"),
        (f"{BASE}agree = " + "[" * 5_000, "cannot be used"),
        (
            BASE.replace('"s"', '"manual"') + '[order]\nexternal_ref = "r"\n[line]\nquantity = "q"\n',
            "the source manual is no name",
        ),
    ],
)
def test_a_broken_mapping_is_said(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """A mapping that cannot be used says what is wrong with it."""
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    assert main(["import", str(small), "--mapping", str(path)]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (["--mapping", "nobody"], 2, "MAPPING_UNKNOWN"),
        (["--mapping", "none.toml"], 2, "MAPPING_UNKNOWN"),
        (["--mapping", "northwind-nested"], 1, "MAPPING_WRONG"),
        (["--delimiter", "ab"], 2, "DELIMITER_WRONG"),
        (["--delimiter", ";"], 1, "MAPPING_NEEDED"),
        (["--encoding", "nobody"], 2, "ENCODING_UNKNOWN"),
        (["--source", "manual"], 2, "SOURCE_WRONG"),
        (["--source", "our shop"], 2, "SOURCE_WRONG"),
        (["--source", "\udc80"], 2, "SOURCE_WRONG"),
    ],
)
def test_wrong_words_have_their_exit_code(
    folder: Path, small: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, name: str
) -> None:
    """What was typed wrongly exits with 2, a file that does not fit with 1; one line either way."""
    assert main(["import", str(small), *words, "--data", str(folder)]) == code
    said = capsys.readouterr()
    assert name in said.err
    assert (said.out, len(said.err.splitlines())) == ("", 1)


def test_an_output_without_the_letters_of_a_file_is_no_fault(
    folder: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the encoding of the output lacks is written in its code, and the import goes through."""
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert main(["import", str(small.rename(small.with_name("Öl.csv"))), "--data", str(folder)]) == 0
    assert rb"\xd6l.csv: read as" in written.getvalue()


def test_the_mapping_must_fit_the_columns(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mapping named by hand still needs its order number and quantity."""
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["import", str(path), "--mapping", "superstore", "--data", str(folder)]) == 1
    assert "COLUMN_MISSING" in capsys.readouterr().err


def test_long_lists_are_cut_for_people(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal shows the first refusals and says how to see all."""
    path = tmp_path / "many.csv"
    path.write_text(SMALL + "A-9,31/12/24,First Class,Bo,S-2,Jug,0\n" * 30, encoding="utf-8")
    assert main(["import", str(path), "--data", str(folder)]) == 0
    assert "… and 11 more; --json lists all." in capsys.readouterr().out


@pytest.mark.parametrize("is_writing", [False, True])
def test_ctrl_c_says_what_was_written(
    folder: Path,
    small: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    is_writing: bool,
) -> None:
    """One line: nothing, or how much and that the same command brings the rest."""

    def stop(importer: Importer, *_: object) -> None:
        importer.is_writing = is_writing
        raise KeyboardInterrupt

    monkeypatch.setattr(Importer, "take", lambda importer, *_, **__: stop(importer))
    assert main(["import", str(small), "--apply", "--data", str(folder)]) == 130
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert ("imports the rest" in said.err) == is_writing
    assert ("Nothing has been written" in said.err) != is_writing


def test_service_codes_come_from_a_file(
    folder: Path, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One code a line; a file that cannot be read is said."""
    codes = tmp_path / "codes.txt"
    codes.write_text("\ufeffs-1\n\nX-*\n", encoding="utf-8")
    ask(capsys, small, "--apply", "--service-skus", codes, "--data", folder)
    lines = {line.sku: line.requires_picking for order in stored(folder) for line in order.lines}
    assert lines == {"S-1": False, "S-3": True}
    assert main(["import", str(small), "--service-skus", str(tmp_path), "--data", str(folder)]) == 2
    assert "CODES_UNREADABLE" in capsys.readouterr().err


def test_changes_are_counted_for_people(
    folder: Path, small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many orders a changed file changes stands in the preview and after the import."""
    ask(capsys, small, "--apply", "--data", folder)
    small.write_text(SMALL.replace("Cy,S-3", "Cyd,S-3"), encoding="utf-8")
    figures = "0 new, 1 changed, 1 already here."
    for words in ([], ["--apply"]):
        assert main(["import", str(small), *words, "--data", str(folder)]) == 0
        assert figures in capsys.readouterr().out


def test_progress_is_for_terminals() -> None:
    """On a terminal one line says how far it is and goes away; elsewhere nothing is written."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, expected in (
        (Terminal(), "Reading file ██████████░░░░░░░░░░  50%  5,000"),
        (io.StringIO(), ""),
    ):
        progress = Progress(stream)
        progress("Reading file", 0.5, 5_000)
        progress.clear()
        assert expected in stream.getvalue()
        assert bool(stream.getvalue()) == bool(expected)
