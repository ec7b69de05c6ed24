"""``restore``: all of a backup in the place of the data, of either kind of database, or nothing of it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from databases.rows import all_rows
from server import folders
from server.checking import check
from server.database import FILE_NAME, open_database
from server.kernel import migrations
from server.modules.backups import restoring
from server.modules.backups.copying import Manifest
from server.modules.backups.restoring import _exchange
from support.backups import (
    backups_in,
    command,
    filled_bench,
    flipped,
    heads,
    made_backup,
    opened,
    rows_of,
    without_life,
)
from support.clocks import CountingIds, FakeClock
from support.repository import ROOT
from support.server_bench import ServerBench
from sync.contract.problems import ProblemError

GOLDEN = ROOT / "tests" / "golden" / "server" / "v1.sqlite"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Data of either kind with something in every corner."""
    bench = filled_bench(tmp_path / "data", database_url)
    yield bench
    bench.close()


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of a file."""
    bench = filled_bench(tmp_path / "first")
    path = made_backup(bench, tmp_path / "to")
    bench.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def goal_url(request: pytest.FixtureRequest) -> str:
    """Restore into a file, and into a database without a table."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("empty_postgresql_url"))


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of a refusal."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_everything_comes_back_in_either_kind(bench: ServerBench, tmp_path: Path, goal_url: str) -> None:
    """Every row of every table, from either kind to either; only the boards begin a new life."""
    before = rows_of(bench.database)
    path = made_backup(bench, tmp_path / "to")
    assert command("restore", tmp_path / "new", path, url=goal_url) == 0
    with opened(tmp_path / "new", bench, goal_url) as database:
        assert without_life(rows_of(database)) == without_life(before)
        assert check(database.engine).is_whole
        old, new = heads(bench.database), heads(database)
        assert all(old[site][0] != new[site][0] for site in old)
        assert {site: (seq, seq) for site, (_, seq, _) in old.items()} == {
            site: (seq, durable) for site, (_, seq, durable) in new.items()
        }
        assert len({epoch for epoch, _, _ in new.values()}) == len(new)
        # It goes on from there, and can be backed up again.
        again = ServerBench.__new__(ServerBench)
        again.folder, again.url, again.database = tmp_path / "new", goal_url, database
        made_backup(again, tmp_path / "again")


def test_a_folder_with_data_is_left_alone_unless_told(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told, it is put aside under a name with the time, whole, and that is said."""
    folder = tmp_path / "data"
    filled_bench(folder).close()
    was = (folder / FILE_NAME).read_bytes()
    assert command("restore", folder, backup) == 1
    assert refused(capsys).endswith("[DATA_THERE]")
    assert (folder / FILE_NAME).read_bytes() == was
    assert command("restore", folder, backup, "--yes") == 0
    (aside,) = folder.glob("server.before-*.sqlite")
    assert str(aside) in capsys.readouterr().out
    assert aside.read_bytes() == was
    assert sorted(path.name for path in folder.iterdir()) == [aside.name, FILE_NAME]
    assert (folder / FILE_NAME).stat().st_mode & 0o777 == 0o640


def test_the_log_of_the_old_data_goes_with_it(tmp_path: Path) -> None:
    """Without it the old data would be older than it was; what fails halfway leaves all as it was."""
    folder = tmp_path / "data"
    bench = filled_bench(folder)
    shutil.copytree(folder, tmp_path / "killed")
    bench.close()
    folder = tmp_path / "killed"
    names = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert f"{FILE_NAME}-wal" in names
    with pytest.raises(FileNotFoundError):
        _exchange(folder, folder / "nothing", "aside.sqlite")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == names
    (folder / "fresh").write_bytes(b"fresh")
    _exchange(folder, folder / "fresh", "aside.sqlite")
    assert (folder / FILE_NAME).read_bytes() == b"fresh"
    assert {name.replace(FILE_NAME, "aside.sqlite") for name in names} | {FILE_NAME} == {
        path.name for path in folder.iterdir()
    }
    with closing(sqlite3.connect(folder / "aside.sqlite")) as file:
        assert file.execute("SELECT count(*) FROM orders").fetchone() == (12,)
    (folder / "fresh").write_bytes(b"fresh")
    with pytest.raises(FileExistsError):
        _exchange(folder, folder / "fresh", "aside.sqlite")


def test_data_that_is_served_is_not_replaced(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither while it is open, nor can it be opened while it is replaced."""
    bench = filled_bench(tmp_path / "data")
    assert command("restore", bench, backup, "--yes") == 1
    assert refused(capsys).endswith("[DATA_IN_USE]")
    bench.close()
    (tmp_path / "data" / ".restore-killed").mkdir()
    lock = folders.lock(tmp_path / "data", is_alone=True)
    with pytest.raises(ProblemError) as caught:
        open_database(tmp_path / "data", FakeClock(), CountingIds())
    assert caught.value.problem.code == "DATA_IN_USE"
    folders.unlock(lock)
    assert command("restore", bench, backup, "--yes") == 0
    assert not list((tmp_path / "data").glob(".restore-*"))


def test_a_damaged_backup_changes_nothing(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its digest beside it one bit is enough, wherever; nothing of it is left behind."""
    folder = tmp_path / "data"
    filled_bench(folder).close()
    was = (folder / FILE_NAME).read_bytes()
    flipped(backup, iter([backup.stat().st_size - 20]))
    assert command("restore", folder, backup, "--yes") == 1
    line = refused(capsys)
    assert line.endswith("[BACKUP_UNUSABLE]")
    assert "its bytes are not those that were written. Nothing has been changed." in line
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert (folder / FILE_NAME).read_bytes() == was


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_damage_is_found_without_a_digest_or_does_no_harm(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int
) -> None:
    """A page of noise anywhere in the file: refused in a line, or every row is there as it was."""
    bench = ServerBench(tmp_path / "empty")
    command("restore", tmp_path / "good", backup)
    backup.with_name(f"{backup.name}.sha256").unlink()
    size = backup.stat().st_size
    flipped(
        backup, iter(range(size * place // 100 // 4096 * 4096, size * place // 100 // 4096 * 4096 + 4096))
    )
    capsys.readouterr()
    if command("restore", tmp_path / "new", backup) == 0:
        with opened(tmp_path / "good", bench) as good, opened(tmp_path / "new", bench) as found:
            assert without_life(rows_of(found)) == without_life(rows_of(good))
    else:
        assert refused(capsys).endswith(("[BACKUP_UNUSABLE]", "[NOT_A_BACKUP]"))
        assert not (tmp_path / "new").exists() or not list((tmp_path / "new").iterdir())
    bench.close()


def test_what_is_no_backup_is_refused(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing, a folder, any file, a server's own file, another program's, half a backup."""
    (tmp_path / "text").write_text("orders")
    (tmp_path / "half").write_bytes(backup.read_bytes()[: backup.stat().st_size // 2])
    with closing(sqlite3.connect(tmp_path / "foreign")) as file:
        file.execute("CREATE TABLE backup (manifest TEXT)")
        file.execute("INSERT INTO backup VALUES ('{}')")
        file.commit()
    wanted = {
        tmp_path / "nothing": "BACKUP_MISSING",
        tmp_path: "BACKUP_MISSING",
        tmp_path / "text": "NOT_A_BACKUP",
        tmp_path / "first" / FILE_NAME: "NOT_A_BACKUP",
        tmp_path / "foreign": "NOT_A_BACKUP",
        tmp_path / "half": "NOT_A_BACKUP",
    }
    for path, code in wanted.items():
        assert command("restore", tmp_path / "new", path) == 1
        assert refused(capsys).endswith(f"[{code}]"), path
    assert not (tmp_path / "new").exists()


def test_a_folder_of_something_else_is_left_alone(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What our own programs leave beside their data is no hindrance."""
    folder = tmp_path / "new"
    (folder / "logs").mkdir(parents=True)
    (folder / "backups").mkdir()
    (folder / "photo.jpg").write_bytes(b"")
    assert command("restore", folder, backup) == 1
    assert refused(capsys).endswith("[NOT_OUR_FOLDER]")
    (folder / "photo.jpg").unlink()
    assert command("restore", folder, backup) == 0


def test_ctrl_c_leaves_the_data_as_it_was(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing beside it."""
    folder = tmp_path / "data"
    filled_bench(folder).close()
    was = (folder / FILE_NAME).read_bytes()

    def stop(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "begin_new_life", stop)
    assert command("restore", folder, backup, "--yes") == 130
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]
    assert (folder / FILE_NAME).read_bytes() == was


def test_a_backup_of_an_older_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its tables are those of its time until it is opened."""
    path = tmp_path / "old.sqlite"
    shutil.copy(GOLDEN, path)
    mark_as_backup(path)
    assert command("restore", tmp_path / "new", path) == 0
    with open_database(tmp_path / "new", FakeClock(), CountingIds()) as database:
        assert check(database.engine).is_whole
        ((_, seq, durable),) = heads(database).values()
        assert (seq, durable) == (8, 8)


def test_a_backup_of_a_newer_release_is_refused(
    backup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do."""
    backup.with_name(f"{backup.name}.sha256").unlink()
    with closing(sqlite3.connect(backup)) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
        file.commit()
    assert command("restore", tmp_path / "new", backup) == 1
    assert refused(capsys).endswith("[NEWER_DATA]")
    assert list((tmp_path / "new").iterdir()) == []


def mark_as_backup(path: Path) -> None:
    """Write into a server's file what makes it a backup."""
    with closing(sqlite3.connect(path)) as file:
        names = [row[0] for row in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}
        boards = [
            {"site_id": row[0], "organization": "O", "site": "S", "epoch": row[1], "seq": row[2]}
            | {"state_hash": row[3] % (1 << 64)}
            for row in file.execute("SELECT site_id, epoch, seq, state_hash FROM boards")
        ]
        told = {"product": "fulfillment-kanban-server", "version": "0.0.1", "schema": "0001", "made_ms": 1}
        manifest = msgspec.convert({**told, "boards": boards, "rows": rows, "sums": {}}, Manifest)
        file.execute("CREATE TABLE backup (manifest TEXT NOT NULL)")
        file.execute("INSERT INTO backup VALUES (?)", (msgspec.json.encode(manifest).decode(),))
        file.commit()


# ---------------------------------------------------------------- PostgreSQL


def test_a_database_with_data_is_left_alone(
    backup: Path, tmp_path: Path, postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also with --yes: it may be everything that a company has."""
    bench = filled_bench(tmp_path / "data", postgresql_url)
    before = rows_of(bench.database)
    assert command("restore", bench, backup, "--yes") == 1
    line = refused(capsys)
    assert line.endswith("[DATABASE_NOT_EMPTY]")
    assert rows_of(bench.database) == before
    bench.close()


def test_a_restore_that_is_cut_off_can_be_done_again(
    backup: Path,
    tmp_path: Path,
    empty_postgresql_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is one transaction: either nobody finds a row, or all are there and stood their test."""
    url = empty_postgresql_url

    def stop(*arguments: object) -> Iterator[object]:
        yield from list(all_rows(*arguments))[:-4]  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(restoring, "all_rows", stop)
    assert command("restore", tmp_path / "new", backup, url=url) == 130
    monkeypatch.setattr(restoring, "all_rows", lambda *arguments: list(all_rows(*arguments))[1:])
    assert command("restore", tmp_path / "new", backup, url=url) == 1
    assert refused(capsys).endswith("[BACKUP_UNUSABLE]")
    monkeypatch.undo()
    assert command("restore", tmp_path / "new", backup, url=url) == 0
    with open_database(tmp_path, FakeClock(), CountingIds(), None, url) as database:
        assert len(rows_of(database)["orders"]) == 12
        with database.engine.begin() as connection:
            found = connection.execute(text("SELECT entities FROM data_exports")).scalar()
    assert found == ["orders"]


def test_the_newest_tables_are_those_of_this_release(backup: Path) -> None:
    """A backup says which."""
    with closing(sqlite3.connect(backup)) as file:
        (said,) = file.execute("SELECT manifest FROM backup").fetchone()
    assert msgspec.json.decode(said, type=Manifest).schema == migrations.HEAD
    assert backups_in(backup.parent) == [backup.name]
