"""Watched folders: whole files are imported once, half ones wait, bad ones go aside; a crash does no harm."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from server import importing
from server.modules.folders.places import Folders
from server.modules.folders.watching import FRESH_MS, watch
from server.registration import JobContext
from support.http_bench import HttpBench
from sync.contract.orders import Order, order_from_bytes
from sync.contract.problems import ProblemError

HEADER = "order_ref,customer,city,sku,name,quantity"
GOOD = f"{HEADER}\nR-1,Ada,Oslo,S-1,Lamp,2\nR-2,Bo,Bergen,S-2,Mug,1\n"


class Stopping(threading.Event):
    """Between the two looks of the job, ``meanwhile`` happens; no time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = lambda: None

    def wait(self, timeout: float | None = None) -> bool:
        """Let something happen."""
        self.meanwhile()
        return self.is_set()


class WatchBench(HttpBench):
    """A watched folder; files in it are as old as their writer says."""

    def __init__(self, base: Path, url: str = "", **answers: Any) -> None:  # noqa: ANN401 - the importer's
        super().__init__(base / "data", url=url)
        self.place = base / "in"
        self.place.mkdir()
        self.folders = Folders(self.database.engine, self.clock, self.ids)
        self.folders.add(self.site.key, self.place, answers, self.folder)
        self.stopping = Stopping()

    def put(self, name: str, text: str | bytes = GOOD, age_ms: int = 60_000) -> Path:
        """Put a file there that was written ``age_ms`` ago."""
        path = self.place / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        at_s = (self.clock.wall - age_ms) / 1000
        os.utime(path, (at_s, at_s))
        return path

    def watch(self) -> None:
        """Do what the job does."""
        watch(JobContext(self.database, self.services, self.stopping))

    def names(self, where: str = "") -> list[str]:
        """Return the names of the files (not folders) in a part of the folder."""
        place = self.place / where
        return sorted(each.name for each in place.iterdir() if not each.is_dir()) if place.exists() else []

    def report(self, where: str, name: str) -> dict[str, Any]:
        """Return the report beside a file."""
        report: dict[str, Any] = json.loads((self.place / where / f"{name}.report.json").read_bytes())
        return report

    def orders(self) -> int:
        """Return how many orders there are."""
        return sum(self.database.reader.counts(self.site.key).values())

    def order(self) -> Order:
        """Return the only order there is."""
        ((body,),) = self.raw("SELECT body FROM orders")
        return order_from_bytes(bytes(body))

    @property
    def problem(self) -> str:
        """What is wrong with the folder."""
        (folder,) = self.folders.all(self.site.key)
        return folder.problem


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[WatchBench]:
    """A watched folder with nothing in it."""
    with WatchBench(tmp_path) as bench:
        yield bench


def test_a_file_is_imported_and_kept_with_its_report(tmp_path: Path, database_url: str) -> None:
    """On either database."""
    with WatchBench(tmp_path, database_url) as bench:
        bench.put("orders.csv")
        bench.watch()
        assert bench.orders() == 2
        assert bench.names() == []
        assert bench.names("done") == ["orders.csv", "orders.csv.report.json"]
        assert (bench.place / "done" / "orders.csv").read_text(encoding="utf-8") == GOOD
        report = bench.report("done", "orders.csv")
        assert (report["result"], report["new"], report["refused_rows"]) == ("imported", 2, 0)
        assert report["sentence"].startswith("2 orders are new")
        assert list((bench.place / ".work").iterdir()) == []
        assert bench.problem == ""


def test_a_file_that_is_being_written_waits(bench: WatchBench) -> None:
    """Fresh, growing, exchanged between two looks, or under an unfinished name."""
    bench.put("fresh.csv", age_ms=FRESH_MS - 500)
    for name in ("a.csv.part", "b.TMP", "c.filepart", "d.csv.crdownload", ".hidden.csv"):
        bench.put(name)
    growing = bench.put("growing.csv", GOOD[:60])
    exchanged = bench.put("exchanged.csv")

    def meanwhile() -> None:
        with growing.open("a", encoding="utf-8") as file:
            file.write(GOOD[60:])
        at_s = (bench.clock.wall - 60_000) / 1000
        os.utime(growing, (at_s, at_s))
        exchanged.unlink()
        bench.put("other", GOOD).rename(exchanged)
        bench.put("new.csv")

    bench.stopping.meanwhile = meanwhile
    bench.watch()
    assert bench.orders() == 0
    assert {"fresh.csv", "growing.csv", "exchanged.csv", "new.csv", "a.csv.part"} <= set(bench.names())
    bench.stopping.meanwhile = lambda: None
    bench.clock.advance(FRESH_MS)
    bench.watch()
    assert bench.names() == [".hidden.csv", "a.csv.part", "b.TMP", "c.filepart", "d.csv.crdownload"]
    assert bench.orders() == 2


def test_a_time_in_the_future_does_not_wait_for_ever(bench: WatchBench) -> None:
    """The clock of the machine that wrote it is ahead."""
    bench.put("orders.csv", age_ms=-3_600_000)
    bench.watch()
    assert bench.orders() == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b"\x00\x01\x02\x03", ""),
        (b"order_ref,customer\nR-1,\xff\xfe\n", "UTF-8"),
        (b"this is no table", ""),
        (b"{broken", ""),
    ],
)
def test_a_bad_file_goes_aside_with_a_sentence(bench: WatchBench, text: bytes, words: str) -> None:
    """And nothing of it is on the board."""
    bench.put("bad.csv", text)
    bench.watch()
    assert (bench.orders(), bench.names(), bench.names("done")) == (0, [], [])
    assert bench.names("bad") == ["bad.csv", "bad.csv.report.json"]
    report = bench.report("bad", "bad.csv")
    assert report["result"] == "refused"
    assert words in report["sentence"]
    assert ".work" not in report["sentence"]


def test_a_file_with_some_refused_rows_is_taken(bench: WatchBench) -> None:
    """Its report lists them; a file of refused rows alone is bad."""
    bench.put("some.csv", GOOD + ",Cy,Rome,S-3,Pen,1\n")
    bench.put("none.csv", f"{HEADER}\n,Cy,Rome,S-3,Pen,1\n")
    bench.watch()
    assert bench.orders() == 2
    report = bench.report("done", "some.csv")
    assert (report["refused_rows"], [each["line"] for each in report["refused"]]) == (1, [4])
    report = bench.report("bad", "none.csv")
    assert (report["refused_rows"], report["sentence"]) == (1, "No order of the file could be used.")


def test_the_answers_of_the_folder_count(tmp_path: Path) -> None:
    """What the importer would ask is said once, when the folder is added."""
    text = f"{HEADER}\nR-1,Zoë,Köln,S-1,Lamp,2\n".encode("cp1252")
    with WatchBench(tmp_path, encoding="cp1252", source="till") as bench:
        bench.put("orders.csv", text)
        bench.watch()
        order = bench.order()
    assert (order.customer, order.source) == ("Zoë", "till")


def test_names_that_are_taken_get_a_number(bench: WatchBench) -> None:
    """Also beside what a person put there."""
    for _ in range(3):
        bench.put("orders.csv")
        bench.watch()
    assert bench.names("done")[::2] == ["orders-2.csv", "orders-3.csv", "orders.csv"]
    (bench.place / "bad" / "x.csv").write_text("somebody's")
    bench.put("x.csv", b"")
    bench.watch()
    assert (bench.place / "bad" / "x.csv").read_text() == "somebody's"
    assert "x-2.csv" in bench.names("bad")


def test_long_and_odd_names_do_no_harm(bench: WatchBench) -> None:
    """Up to what the disk takes; bytes that are no text, too."""
    names = ["n" * 251 + ".csv", "ü" * 120 + ".csv", "orders\n.csv", "-rf.csv", os.fsdecode(b"\xff\xfe.csv")]
    for name in names:
        bench.put(name)
    bench.watch()
    assert (bench.names(), bench.names("bad"), bench.orders()) == ([], [], 2)
    assert len(bench.names("done")) == 2 * len(names)


def test_what_is_no_file_is_left_alone(bench: WatchBench) -> None:
    """Links, folders, pipes: a link could name any file that the server may read."""
    secret = bench.folder / "secret.csv"
    secret.write_text(GOOD)
    (bench.place / "link.csv").symlink_to(secret)
    (bench.place / "loop.csv").symlink_to(bench.place / "loop.csv")
    (bench.place / "folder.csv").mkdir()
    os.mkfifo(bench.place / "pipe.csv")
    bench.watch()
    assert bench.orders() == 0
    assert {each.name for each in bench.place.iterdir()} >= {"link.csv", "folder.csv", "pipe.csv"}


def test_a_link_put_in_place_of_a_file_is_not_read(bench: WatchBench) -> None:
    """In the moment between the look and the claim."""
    secret = bench.folder / "secret.csv"
    secret.write_text(GOOD)
    work = bench.place / ".work" / "claimed"
    work.mkdir(parents=True)
    (work / "orders.csv").symlink_to(secret)
    bench.watch()
    assert bench.orders() == 0


@pytest.mark.expects_log_warnings
def test_a_folder_that_is_gone_is_said_once_and_picked_up_again(
    bench: WatchBench, caplog: pytest.LogCaptureFixture
) -> None:
    """A drive that is not mounted; the list of folders says it, too."""
    away = bench.place.with_name("away")
    with caplog.at_level("INFO", "server.modules.folders"):
        bench.put("orders.csv")
        bench.place.rename(away)
        for _ in range(3):
            bench.watch()
        assert bench.problem == "The folder is not there."
        bench.place.write_text("a file")
        bench.watch()
        assert bench.problem == "There is a file in its place."
        bench.place.unlink()
        away.rename(bench.place)
        bench.watch()
    assert (bench.problem, bench.orders()) == ("", 2)
    said = [
        (record.levelname, record.__dict__["problem"])
        for record in caplog.records
        if record.msg == "watched folder"
    ]
    assert said == [
        ("WARNING", "The folder is not there."),
        ("WARNING", "There is a file in its place."),
        ("INFO", "none"),
    ]


@pytest.mark.expects_log_warnings
def test_a_folder_that_cannot_be_written_to_is_a_problem(
    bench: WatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is imported, because the file could not be put aside."""
    bench.put("orders.csv")
    monkeypatch.setattr(os, "access", lambda *_: False)
    bench.watch()
    assert bench.problem == "The server may not read and write in it."
    assert (bench.orders(), bench.names()) == (0, ["orders.csv"])


def test_a_file_that_goes_away_meanwhile_is_no_trouble(
    bench: WatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took it between the list of names and the look at it."""
    bench.put("a.csv")
    bench.put("b.csv", GOOD.replace("R-", "T-"))
    real = os.scandir

    @contextlib.contextmanager
    def scandir(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with real(path) as entries:
            found = list(entries)
        (bench.place / "a.csv").unlink(missing_ok=True)
        yield iter(found)

    monkeypatch.setattr(os, "scandir", scandir)
    bench.watch()
    assert (bench.problem, bench.orders()) == ("", 2)
    assert bench.names("done")[:1] == ["b.csv"]


@pytest.mark.expects_log_warnings
@pytest.mark.parametrize("name", ["done", "bad", ".work"])
def test_a_link_does_not_choose_where_the_server_writes(bench: WatchBench, tmp_path: Path, name: str) -> None:
    """Who may put files there may not have the server put them anywhere else."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (bench.place / name).symlink_to(elsewhere)
    bench.put("orders.csv")
    bench.watch()
    assert bench.problem == "The server may not read and write in it."
    assert (bench.orders(), list(elsewhere.iterdir())) == (0, [])


@pytest.mark.expects_log_warnings
def test_other_folders_are_watched_whatever_is_wrong_with_one(bench: WatchBench, tmp_path: Path) -> None:
    """One team's drive is not the other's affair."""
    second = tmp_path / "zz"
    second.mkdir()
    bench.folders.add(bench.site.key, second, {}, bench.folder)
    bench.place.rmdir()
    (second / "orders.csv").write_text(GOOD)
    os.utime(second / "orders.csv", (0, 0))
    bench.watch()
    assert bench.orders() == 2


def test_a_database_that_refuses_one_file_takes_those_of_other_folders(
    bench: WatchBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays where it is and is tried again; the job says that it failed."""
    second = tmp_path / "zz"
    second.mkdir()
    bench.folders.add(bench.site.key, second, {}, bench.folder)
    real = importing.import_files

    def import_files(paths: list[Path], *arguments: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        if paths[0].is_relative_to(bench.place):
            raise OperationalError("", {}, Exception("index row requires 9056 bytes"))
        return real(paths, *arguments, **more)

    monkeypatch.setattr(importing, "import_files", import_files)
    bench.put("orders.csv", GOOD.replace("R-", "T-"))
    (second / "orders.csv").write_text(GOOD)
    os.utime(second / "orders.csv", (0, 0))
    with pytest.raises(OperationalError):
        bench.watch()
    assert bench.orders() == 2


@pytest.mark.parametrize("moment", ["claimed", "imported", "reported"])
def test_a_crash_in_the_middle_is_imported_again(
    bench: WatchBench, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was: nothing is doubled, nothing is lost."""

    class Crash(BaseException):
        """The process is gone."""

    real = importing.import_files

    def import_files(*arguments: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on
        if moment == "claimed":
            raise Crash
        answer = real(*arguments, **more)
        if moment == "imported":
            raise Crash
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(importing, "import_files", import_files)
        if moment == "reported":
            patch.setattr(os, "fdopen", lambda *_, **__: (_ for _ in ()).throw(Crash()))
        bench.put("orders.csv")
        with pytest.raises(Crash):
            bench.watch()
    assert bench.names() == []
    bench.watch()
    assert bench.orders() == 2
    assert [name for name in bench.names("done") if not name.endswith(".report.json")]
    assert list((bench.place / ".work").iterdir()) == []
    log = bench.raw("SELECT count(*) FROM operation_log")
    assert log == [(2,)]


def test_what_another_process_is_importing_is_left_to_it(bench: WatchBench) -> None:
    """The lock says that it lives; when it is gone, the file is anybody's."""
    bench.put("orders.csv")
    work = bench.place / ".work" / "theirs"
    work.mkdir(parents=True)
    (bench.place / "orders.csv").rename(work / "orders.csv")
    with (work / "orders.csv").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        bench.watch()
        assert bench.orders() == 0
    bench.watch()
    assert bench.orders() == 2


def test_two_processes_on_one_folder_import_each_file_once(bench: WatchBench) -> None:
    """Whoever renames first has it."""
    for place in range(20):
        bench.put(f"{place}.csv", f"{HEADER}\nR-{place},Ada,Oslo,S-1,Lamp,2\n")
    errors: list[BaseException] = []

    def one() -> None:
        try:
            watch(JobContext(bench.database, bench.services, Stopping()))
        except BaseException as error:  # noqa: BLE001 - the test fails with it
            errors.append(error)

    together = [threading.Thread(target=one) for _ in range(3)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join(30)
    assert errors == []
    assert bench.orders() == 20
    assert len(bench.names("done")) == 40
    new = [bench.report("done", name)["new"] for name in bench.names("done") if name.endswith(".csv")]
    assert new == [1] * 20


@pytest.mark.expects_log_warnings
def test_a_file_that_breaks_the_reader_holds_up_nobody(
    bench: WatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes aside; one that met a database in trouble stays and is imported later."""
    real = importing.import_files
    trouble: list[Exception] = [ValueError("a fault of ours")]

    def import_files(*arguments: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - handed on
        if trouble:
            raise trouble.pop()
        return real(*arguments, **more)

    monkeypatch.setattr(importing, "import_files", import_files)
    bench.put("a.csv")
    bench.put("b.csv", age_ms=50_000)
    bench.watch()
    assert (bench.names("bad")[:1], bench.orders()) == (["a.csv"], 2)
    trouble.append(OperationalError("", {}, Exception("database is locked")))
    bench.put("c.csv", GOOD.replace("R-", "T-"))
    with pytest.raises(OperationalError):
        bench.watch()
    bench.watch()
    assert bench.orders() == 4


@pytest.mark.expects_log_warnings
def test_a_file_waits_for_room(bench: WatchBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is not the file's fault."""

    def import_files(*_: object, **__: object) -> dict[str, Any]:
        raise ProblemError("TEMPORARY_SPACE", "There is no room for temporary files.", "Make room.")

    bench.put("orders.csv")
    with monkeypatch.context() as patch:
        patch.setattr(importing, "import_files", import_files)
        bench.watch()
    assert bench.problem == "The system refused: no room for temporary files."
    assert bench.names("bad") == []
    bench.watch()
    assert (bench.problem, bench.orders()) == ("", 2)


def test_a_file_that_may_not_be_read_holds_up_nobody(
    bench: WatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes aside with its report, and the folder itself has no problem."""
    opened = Path.open

    def open_(path: Path, *words: Any, **more: Any) -> Any:  # noqa: ANN401 - as Path.open
        if path.name == "shut.csv":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(path, *words, **more)

    bench.put("shut.csv", age_ms=70_000)
    bench.put("good.csv")
    monkeypatch.setattr(Path, "open", open_)
    bench.watch()
    assert (bench.orders(), bench.problem) == (2, "")
    assert "Permission denied" in bench.report("bad", "shut.csv")["sentence"]
    assert "good.csv" in bench.names("done")


def test_the_oldest_file_goes_first(bench: WatchBench) -> None:
    """A later file may change what an earlier one brought."""
    for name, minutes, city in (("b.csv", 3, "Oslo"), ("a.csv", 2, "Bergen"), ("c.csv", 1, "Voss")):
        bench.put(name, f"{HEADER}\nR-1,Ada,{city},S-1,Lamp,2\n", age_ms=minutes * 60_000)
    bench.watch()
    assert bench.order().ship_to.city == "Voss"


def test_a_stop_between_two_files_is_heard(bench: WatchBench) -> None:
    """The rest waits for the next start."""
    bench.put("orders.csv")
    bench.stopping.meanwhile = bench.stopping.set
    bench.watch()
    assert (bench.orders(), bench.names()) == (0, ["orders.csv"])


def test_a_folder_is_one_sites_and_apart_from_others(bench: WatchBench, tmp_path: Path) -> None:
    """Within another, around another, the server's own, or not there: all refused."""
    other = bench.crowd("Other", "Main")
    (bench.place / "inner").mkdir()
    data = bench.folder
    for path in (bench.place, bench.place / "inner", tmp_path, data, data / "logs", tmp_path / "not there"):
        with pytest.raises(ProblemError):
            bench.folders.add(other.key, path, {}, data)
    assert bench.folders.all(other.key) == []
    with pytest.raises(ProblemError):
        bench.folders.remove(other.key, bench.place)
    bench.folders.remove(bench.site.key, bench.place)
    assert bench.folders.all() == []
