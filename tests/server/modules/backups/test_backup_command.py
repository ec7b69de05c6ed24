"""``backup``: one whole file that stood its test, or nothing; only such a one lets terminals forget."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from server.modules.backups import backing_up
from server.modules.backups.backing_up import back_up, prune, raise_durable
from server.modules.backups.copying import Manifest, write_copy
from support.backups import backups_in, command, filled_bench, heads, made_backup, set_board
from support.server_bench import ServerBench
from sync.contract.problems import ProblemError


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Data with something in every corner, open as a server has it."""
    bench = filled_bench(tmp_path / "data", database_url)
    yield bench
    bench.close()


def test_a_backup_is_one_private_file_that_says_what_it_holds(
    bench: ServerBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made beside whoever serves; for its owner only; its digest beside it; nothing else is left."""
    before = heads(bench.database)
    assert command("backup", bench, "--to", tmp_path / "to", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    path = Path(said["file"])
    assert sorted(path.parent.iterdir()) == [path, path.with_name(f"{path.name}.sha256")]
    assert {each.stat().st_mode & 0o777 for each in path.parent.iterdir()} == {0o600}
    assert hashlib.sha256(path.read_bytes()).hexdigest() == said["sha256"]
    assert path.with_name(f"{path.name}.sha256").read_text() == f"{said['sha256']}  {path.name}\n"
    assert (
        subprocess.run(["sha256sum", "-c", f"{path.name}.sha256"], cwd=path.parent, check=False).returncode
        == 0
    )
    with closing(sqlite3.connect(path)) as file:
        (text,) = file.execute("SELECT manifest FROM backup").fetchone()
        assert file.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    manifest = msgspec.json.decode(text, type=Manifest)
    assert {each.site_id: (each.epoch, each.seq) for each in manifest.boards} == {
        site: (epoch, seq) for site, (epoch, seq, _) in before.items()
    }
    assert (manifest.rows["orders"], manifest.rows["operation_log"], manifest.rows["data_exports"]) == (
        12,
        14,
        1,
    )
    assert said["rows"] == manifest.rows


def test_what_a_backup_covers_is_told_to_the_boards(bench: ServerBench, tmp_path: Path) -> None:
    """``durable_seq`` is where the log stood, of every board."""
    assert {durable for _, _, durable in heads(bench.database).values()} == {0}
    made_backup(bench, tmp_path / "to")
    assert all(durable == seq > 0 for _, seq, durable in heads(bench.database).values())


def test_a_copy_is_one_moment_while_orders_move(bench: ServerBench, tmp_path: Path) -> None:
    """What is committed while it is made is not in it, and not called safe; the copy is whole."""
    committed: list[int] = []

    def meanwhile(_words: str) -> None:
        if len(committed) < 20:
            bench.import_orders(1, first=1_000 + len(committed))
            committed.append(1)

    before = heads(bench.database)
    made = back_up(bench.database, tmp_path / "to", bench.clock, bench.ids, meanwhile)
    site = bench.site.key.site_id
    assert committed
    (mark,) = [each for each in made.manifest.boards if each.site_id == site]
    assert mark.seq == before[site][1]
    epoch, seq, durable = heads(bench.database)[site]
    assert (epoch, durable) == (before[site][0], mark.seq)
    assert seq == mark.seq + len(committed)


def test_what_is_safe_stays_safe(bench: ServerBench, tmp_path: Path) -> None:
    """An older backup takes nothing back; one of another history says nothing about this one."""
    made = back_up(bench.database, tmp_path / "to", bench.clock, bench.ids, lambda _words: None)
    set_board(bench.database, seq=100, durable_seq=50)
    raise_durable(bench.database.engine, made.manifest)
    assert {durable for _, _, durable in heads(bench.database).values()} == {50}
    set_board(bench.database, epoch="another", durable_seq=1)
    raise_durable(bench.database.engine, made.manifest)
    assert {durable for _, _, durable in heads(bench.database).values()} == {1}


DAMAGE = (
    "UPDATE orders SET priority = 9 WHERE id = 'odd'",
    "DELETE FROM order_line_items WHERE order_id = 'odd'",
    "UPDATE operation_log SET seq = 99 WHERE order_id = 'odd'",
    "UPDATE boards SET state_hash = 5",
)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_copy_that_fails_its_test_counts_for_nothing(
    bench: ServerBench, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    """One line, exit code 1; the file stays and says that it failed; nothing is called safe."""
    with bench.database.engine.begin() as connection:
        connection.execute(text(damage))
    assert command("backup", bench, "--to", tmp_path / "to", "--keep", "1") == 1
    (line,) = capsys.readouterr().err.splitlines()
    (name,) = backups_in(tmp_path / "to")
    assert name.endswith(".FAILED.sqlite")
    assert line.startswith("The copy did not stand its test: ")
    assert line.endswith("[BACKUP_UNSOUND]")
    assert str(tmp_path / "to" / name) in line
    assert {durable for _, _, durable in heads(bench.database).values()} == {0}


def test_a_copy_that_the_disk_changed_fails(
    bench: ServerBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that got lost on the way, and one bit in the middle of the file."""
    written = write_copy

    def losing(*arguments: object) -> Path:
        path = written(*arguments)  # type: ignore[arg-type]
        with closing(sqlite3.connect(path)) as file:
            file.execute("DELETE FROM data_exports")
            file.commit()
        return path

    monkeypatch.setattr(backing_up, "write_copy", losing)
    with pytest.raises(ProblemError, match="data_exports has 0 rows, the database had 1"):
        back_up(bench.database, tmp_path / "to", bench.clock, bench.ids, lambda _words: None)

    def flipping(*arguments: object) -> Path:
        path = written(*arguments)  # type: ignore[arg-type]
        data = bytearray(path.read_bytes())
        data[data.index(b"Europe/London")] ^= 1
        path.write_bytes(data)
        return path

    monkeypatch.setattr(backing_up, "write_copy", flipping)
    with pytest.raises(ProblemError, match="a row of sites is not what the database had"):
        back_up(bench.database, tmp_path / "to", bench.clock, bench.ids, lambda _words: None)
    assert {durable for _, _, durable in heads(bench.database).values()} == {0}


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), sqlite3.OperationalError("database or disk is full")],
)
def test_a_disk_without_room_for_the_test_keeps_no_copy(
    bench: ServerBench,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    """Nobody knows whether it was good, and it would take the last room."""

    def full(*_arguments: object) -> None:
        error.sqlite_errorname = "SQLITE_FULL"  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr("shutil.copyfile", full)
    assert command("backup", bench, "--to", tmp_path / "to") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "no space is left to try it" in line
    assert line.endswith("[BACKUP_FAILED]")
    assert list((tmp_path / "to").iterdir()) == []


def test_only_the_newest_failure_is_kept(bench: ServerBench, tmp_path: Path) -> None:
    """A database that is damaged fails every hour."""
    set_board(bench.database, state_hash=5)
    assert command("backup", bench, "--to", tmp_path / "to") == 1
    (first,) = backups_in(tmp_path / "to")
    assert command("backup", bench, "--to", tmp_path / "to") == 1
    (second,) = backups_in(tmp_path / "to")
    assert first < second


def test_ctrl_c_leaves_nothing(bench: ServerBench, tmp_path: Path) -> None:
    """Neither half a copy nor its working folder."""

    def stop(_words: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(bench.database, tmp_path / "to", bench.clock, bench.ids, stop)
    assert list((tmp_path / "to").iterdir()) == []


def test_what_a_killed_backup_left_goes_after_a_day(bench: ServerBench, tmp_path: Path) -> None:
    """A young one may be at work."""
    old, young = tmp_path / "to" / ".backup-old", tmp_path / "to" / ".backup-young"
    for folder in (old, young):
        (folder / "copy").mkdir(parents=True)
    os.utime(old, (time.time() - 90_000,) * 2)
    made_backup(bench, tmp_path / "to")
    assert not old.exists()
    assert young.exists()


def test_only_the_newest_are_kept(bench: ServerBench, tmp_path: Path) -> None:
    """What failed before them goes too; what is somebody else's, and what failed since, stays."""
    goal = tmp_path / "to"
    first, second = made_backup(bench, goal), made_backup(bench, goal)
    shutil.copy(first, goal / first.name.replace(".sqlite", ".FAILED.sqlite"))
    late = goal / "kanban-29990101_000000_000.FAILED.sqlite"
    for path in (late, goal / "kanban-mine.sqlite", goal / "other.sqlite"):
        path.write_bytes(b"x")
    assert command("backup", bench, "--to", goal, "--keep", "2") == 0
    kept = backups_in(goal)
    assert first.name not in kept
    assert not (goal / f"{first.name}.sha256").exists()
    assert {second.name, late.name, "kanban-mine.sqlite", "other.sqlite"} < set(kept)
    assert len(kept) == 5
    # A clock that went back must not cost the one that was just made.
    prune(goal, 1, second)
    assert second.exists()


def test_backups_lie_in_the_data_folder_unless_told(bench: ServerBench) -> None:
    """They are no hindrance there."""
    assert command("backup", bench) == 0
    assert len(backups_in(bench.folder / "backups")) == 1


def test_bad_words_are_refused_in_a_line(
    bench: ServerBench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A place that is a file, a number that keeps nothing, data that is not there."""
    (tmp_path / "file").write_bytes(b"")
    assert command("backup", bench, "--to", tmp_path / "file") == 1
    assert "[BACKUP_FAILED]" in capsys.readouterr().err
    assert command("backup", bench, "--to", tmp_path / "file" / "below") == 1
    assert "[BACKUP_FAILED]" in capsys.readouterr().err
    assert command("backup", bench, "--keep", "0") == 2
    assert "[KEEP_WRONG]" in capsys.readouterr().err
    assert command("backup", tmp_path / "nowhere") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("[NOT_SET_UP]")
