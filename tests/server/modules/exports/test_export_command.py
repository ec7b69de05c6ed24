"""The command writes the same file at once, and it is remembered like any other export."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.main import main
from server.modules.exports import work
from support.server_bench import ServerBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ServerBench]:
    """A data folder with three orders."""
    bench = ServerBench(tmp_path / "data")
    bench.import_orders(3)
    yield bench
    bench.close()


def export(bench: ServerBench, *words: str) -> int:
    """Run the command on the bench's data."""
    return main(["export", "--data", str(bench.folder), *words])


def recorded(bench: ServerBench) -> list[tuple[object, ...]]:
    """Return what is remembered."""
    return bench.raw("SELECT user_id, format, record_count, bytes, filter FROM data_exports")


def test_a_csv_is_written_and_recorded(bench: ServerBench, tmp_path: Path) -> None:
    """Readable for its owner and group only; without a person, because the command has none."""
    target = tmp_path / "orders.csv"
    assert export(bench, "--output", str(target), "--bom", "--filter", "status=confirmed&q=so-1") == 0
    data = target.read_bytes()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert {row["number"] for row in rows} == {"SO-1"}
    assert target.stat().st_mode & 0o777 == 0o640
    ((user, kind, count, size, wanted),) = recorded(bench)
    assert (user, kind, count, size) == (None, "csv", 1, len(data))
    assert json.loads(str(wanted)) == {"q": "so-1", "status": "confirmed"}
    assert list(tmp_path.glob("*.part")) == []


def test_a_device_is_never_replaced(
    bench: ServerBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever may write anywhere must not turn /dev/null into a file of orders."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert export(bench, "--output", str(pipe)) == 1
    assert "it is no ordinary file" in capsys.readouterr().err
    assert export(bench, "--output", "") == 1
    assert (pipe.is_fifo(), recorded(bench)) == (True, [])


def test_a_link_is_followed(bench: ServerBench, tmp_path: Path) -> None:
    """The file that it leads to is written, and the link stays."""
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "orders.csv")
    assert export(bench, "--output", str(link)) == 0
    assert (link.is_symlink(), (tmp_path / "orders.csv").is_file()) == (True, True)


def test_a_file_beside_it_is_left_alone(bench: ServerBench, tmp_path: Path) -> None:
    """Also one whose name looks like half a file of ours; nothing else stays behind."""
    mine = tmp_path / "orders.csv.part"
    mine.write_text("mine")
    before = set(tmp_path.iterdir())
    assert export(bench, "--output", str(tmp_path / "orders.csv")) == 0
    assert mine.read_text() == "mine"
    assert set(tmp_path.iterdir()) == before | {tmp_path / "orders.csv"}


def test_standard_output_gets_nothing_but_the_file(
    bench: ServerBench, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """So that it can be piped."""
    assert export(bench, "--format", "json", "--output", "-") == 0
    captured = capfdbinary.readouterr()
    assert len(json.loads(captured.out)["orders"]) == 3
    assert recorded(bench)[0][1:3] == ("json", 3)


def test_a_terminal_hears_how_far_it_is(
    bench: ServerBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A large export takes a minute, and nobody should wonder whether it does anything."""
    monkeypatch.setattr(work, "PAGE_ORDERS", 2)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert export(bench, "--output", str(tmp_path / "orders.csv")) == 0
    assert capsys.readouterr().err == "\r\x1b[K2 orders written\r\x1b[K"


def test_an_export_that_is_stopped_leaves_nothing(
    bench: ServerBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file of customers is not left lying about, and no export is recorded."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("server.modules.exports.command.record_export", stopped)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        raise SystemExit(export(bench, "--output", str(tmp_path / "orders.csv")))
    assert list(tmp_path.glob("orders*")) == []
    assert recorded(bench) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--output", "/nowhere/at/all/orders.csv"), 1),
        (("--output", "-", "--filter", "status=lost"), 1),
        (("--output", "-", "--filter", "colour=red"), 1),
        (("--output", "-", "--site", "Elsewhere"), 1),
        (("--output", "-", "--format", "xlsx"), 2),
        ((), 2),
    ],
)
def test_what_cannot_be_is_one_sentence(
    bench: ServerBench, words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is recorded."""
    try:
        found = export(bench, *words)
    except SystemExit as ending:
        found = int(ending.code or 0)
    assert found == code
    assert "Traceback" not in capsys.readouterr().err
    assert recorded(bench) == []
