"""An export is made in the background, survives any stop, is fetched as a file, and is remembered."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from databases.schema import orders
from server.interface import filters
from server.modules.exports import MODULE, work
from server.modules.exports.work import Exports
from server.registration import JobContext
from support.http_bench import HttpBench
from sync.contract.orders import order_from_bytes

PATH = "/exports"


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """Seven orders, on either database."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        bench.import_orders(7)
        yield bench


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two orders a page, each page noted: so that seven orders have something to stop between."""
    monkeypatch.setattr(work, "PAGE_ORDERS", 2)
    monkeypatch.setattr(work, "NOTE_MS", 0)


def begin(bench: HttpBench, status: int = 202, **body: object) -> Any:  # noqa: ANN401 - JSON
    """Ask for an export."""
    answer = bench.client.post(PATH, json={"format": "csv", **body}, headers=bench.bearer())
    assert answer.status_code == status, answer.text
    if status == 202:
        assert answer.headers["location"] == f"{PATH}/{answer.json()['id']}"
    return answer.json()


def state(bench: HttpBench, export_id: str) -> Any:  # noqa: ANN401 - JSON
    """Ask how far an export is."""
    answer = bench.client.get(f"{PATH}/{export_id}", headers=bench.bearer())
    assert answer.status_code == 200, answer.text
    return answer.json()


def fetch(bench: HttpBench, export_id: str) -> bytes:
    """Fetch the file of an export."""
    answer = bench.client.get(f"{PATH}/{export_id}/file", headers=bench.bearer())
    assert answer.status_code == 200, answer.text
    return answer.content


def exports(bench: HttpBench) -> Exports:
    """Return the worker, as a job that has just started would make it."""
    return Exports(bench.services.engine, bench.folder, bench.clock)


def run(bench: HttpBench) -> None:
    """Run the job."""
    (job, _) = MODULE.jobs
    job.run(JobContext(bench.database, bench.services, threading.Event()))


class StopAfter(threading.Event):
    """A server that stops while the ``pages``-th page is written."""

    def __init__(self, pages: int) -> None:
        super().__init__()
        self.pages = pages

    def is_set(self) -> bool:
        """Count how often somebody asks."""
        self.pages -= 1
        return self.pages < 0


def refs(data: bytes) -> list[str]:
    """Return the references of a CSV in their order, each once."""
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return list(dict.fromkeys(row["external_ref"] for row in rows))


def test_an_export_is_made_fetched_and_recorded(bench: HttpBench) -> None:
    """From the request to the file; the record says who took what and how much."""
    begun = begin(bench, filter={"status": "confirmed"}, bom=True)
    assert (begun["state"], begun["file"], begun["orders_done"]) == ("waiting", None, 0)
    assert bench.woken == ["exports"]
    early = bench.client.get(f"{PATH}/{begun['id']}/file", headers=bench.bearer())
    assert (early.status_code, early.json()["code"]) == (409, "NOT_READY")
    run(bench)
    done = state(bench, begun["id"])
    assert (done["state"], done["orders_done"], done["orders_total"]) == ("finished", 7, 7)
    answer = bench.client.get(done["file"], headers=bench.bearer())
    assert answer.headers["content-disposition"] == 'attachment; filename="orders-2023-11-14.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert (len(answer.content), answer.content[:3]) == (done["bytes"], b"\xef\xbb\xbf")
    assert sorted(refs(answer.content[3:])) == [f"A-{place}" for place in range(7)]
    ((entities, kind, count, size, wanted, user),) = bench.raw(
        "SELECT entities, format, record_count, bytes, filter, user_id FROM data_exports"
    )
    assert entities in ('["orders"]', ["orders"])
    assert (kind, count, size, wanted) == ("csv", 7, done["bytes"], '{"status":"confirmed"}')
    assert bench.raw(f"SELECT name FROM users WHERE id = '{user}'") == [("Ana",)]


def test_the_query_of_the_specification_counts_exports(tmp_path: Path, postgresql_url: str) -> None:
    """``entities @> '["orders"]'`` is true of every export of orders on PostgreSQL."""
    with HttpBench(tmp_path / "data", url=postgresql_url) as bench:
        begin(bench)
        run(bench)
        found = bench.raw("SELECT COUNT(*) FROM data_exports WHERE entities @> '[\"orders\"]'")
        assert found == [(1,)]


def test_a_json_export_can_be_sent_in_again(bench: HttpBench) -> None:
    """It speaks the words of POST /orders, and adds what only we know."""
    begun = begin(bench, format="json")
    run(bench)
    exported = json.loads(fetch(bench, begun["id"]))["orders"]
    ours = ("order_id", "created_at", "updated_at", "retired_at", "claimed_by")
    for order in exported:
        for name in ours:
            del order[name]
        for line in order["lines"]:
            del line["quantity_picked"], line["quantity_cancelled"], line["quantity_short"]
        order.update({name: None for name in ("cut_off_at", "cancelled_at") if not order[name]})
    answer = bench.client.post("/orders", json=exported, headers=bench.bearer())
    assert answer.status_code == 200, answer.text
    results = [each["result"] for each in answer.json()["orders"]]
    assert set(results) <= {"unchanged", "updated"}, answer.text


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_stop_in_the_middle_costs_nothing(bench: HttpBench, kind: str, pages: int) -> None:
    """The next start goes on behind the last page, and the file is the same as without the stop."""
    whole = begin(bench, format=kind)["id"]
    run(bench)
    stopped = begin(bench, format=kind)["id"]
    exports(bench).work(StopAfter(pages))
    assert state(bench, stopped)["state"] in {"running", "waiting"}
    run(bench)
    assert state(bench, stopped)["state"] == "finished"
    assert fetch(bench, stopped) == fetch(bench, whole)


@pytest.mark.usefixtures("small_pages")
def test_a_crash_in_the_middle_costs_nothing(bench: HttpBench) -> None:
    """Nobody let go of it: it is taken up when its lease is over, and cut to what is known to be good."""
    begun = begin(bench)["id"]
    with pytest.raises(KeyboardInterrupt):
        exports(bench).work(_Crash(2))
    part = bench.folder / "exports" / f"{begun}.csv.part"
    with part.open("ab") as file:
        file.write(b"half a row that was nev")
    run(bench)
    assert state(bench, begun)["state"] == "running"
    bench.clock.advance(work.LEASE_MS)
    run(bench)
    assert state(bench, begun)["state"] == "finished"
    assert len(refs(fetch(bench, begun))) == 7


@pytest.mark.usefixtures("small_pages")
def test_a_part_that_was_lost_is_made_anew(bench: HttpBench) -> None:
    """What is noted counts only as far as the file is there."""
    begun = begin(bench)["id"]
    exports(bench).work(StopAfter(2))
    (bench.folder / "exports" / f"{begun}.csv.part").unlink()
    run(bench)
    assert len(refs(fetch(bench, begun))) == 7


class _Crash(StopAfter):
    """A process that is gone at once."""

    def is_set(self) -> bool:
        if super().is_set():
            raise KeyboardInterrupt
        return False


@pytest.mark.usefixtures("small_pages")
def test_an_export_that_is_removed_on_its_way_stops(bench: HttpBench) -> None:
    """Nothing of it stays, neither row nor file nor record."""
    begun = begin(bench)["id"]

    class RemovedMeanwhile(StopAfter):
        def is_set(self) -> bool:
            if self.pages == 1:
                answer = bench.client.request("DELETE", f"{PATH}/{begun}", headers=bench.bearer())
                assert answer.status_code == 204
            self.pages -= 1
            return False

    exports(bench).work(RemovedMeanwhile(2))
    assert bench.client.get(f"{PATH}/{begun}", headers=bench.bearer()).status_code == 404
    assert list((bench.folder / "exports").iterdir()) == []
    assert bench.raw("SELECT id FROM data_exports") == []


def test_a_finished_export_can_be_removed(bench: HttpBench) -> None:
    """Its record stays."""
    begun = begin(bench)["id"]
    run(bench)
    for status in (204, 404):
        answer = bench.client.request("DELETE", f"{PATH}/{begun}", headers=bench.bearer())
        assert answer.status_code == status
    assert list((bench.folder / "exports").iterdir()) == []
    assert len(bench.raw("SELECT id FROM data_exports")) == 1


def test_the_list_shows_the_newest_first(bench: HttpBench) -> None:
    """Those of the own site only."""
    stranger = bench.crowd("Other organization", "Main")
    token = bench.desk.sign_in("here", bench.device(stranger)).access_token
    answer = bench.client.post(PATH, json={"format": "csv"}, headers=bench.bearer(token))
    foreign = answer.json()["id"]
    begun = []
    for _ in range(3):
        bench.clock.advance(1)
        begun.append(begin(bench)["id"])
    listed = bench.client.get(PATH, headers=bench.bearer()).json()["exports"]
    assert [each["id"] for each in listed] == begun[::-1]
    for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
        answer = bench.client.request(method, f"{PATH}/{foreign}{path}", headers=bench.bearer())
        assert answer.status_code == 404


def test_files_are_not_for_everybody_and_not_for_ever(bench: HttpBench) -> None:
    """Only the owner and its group read them; after a day they are gone, and strays with them."""
    begun = begin(bench)["id"]
    run(bench)
    folder = bench.folder / "exports"
    assert folder.stat().st_mode & 0o777 == 0o750
    (path,) = folder.iterdir()
    assert path.stat().st_mode & 0o777 == 0o640
    (folder / "stray.csv").write_text("x")
    (_, tidy) = MODULE.jobs
    context = JobContext(bench.database, bench.services, threading.Event())
    tidy.run(context)
    assert list(folder.iterdir()) == [path]
    bench.clock.advance(work.KEPT_MS)
    tidy.run(context)
    assert list(folder.iterdir()) == []
    assert bench.client.get(f"{PATH}/{begun}", headers=bench.bearer()).status_code == 404


def test_an_export_that_begins_while_others_are_tidied_away_stays(
    bench: HttpBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row and its file come just before the folder is looked at."""
    begun: list[str] = []
    real = Path.is_dir

    def is_dir(path: Path) -> bool:
        if path.name == work.FOLDER and not begun:
            begun.append(begin(bench)["id"])
            run(bench)
        return real(path)

    monkeypatch.setattr(Path, "is_dir", is_dir)
    exports(bench).tidy()
    assert exports(bench).file_of(begun[0], "csv").is_file()


def test_a_file_that_is_gone_is_said(bench: HttpBench) -> None:
    """Somebody cleaned up by hand."""
    begun = begin(bench)["id"]
    run(bench)
    exports(bench).file_of(begun, "csv").unlink()
    answer = bench.client.get(f"{PATH}/{begun}/file", headers=bench.bearer())
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_disk_that_cannot_be_written_fails_the_export(bench: HttpBench) -> None:
    """It says why, and the next one is tried."""
    (bench.folder / "exports").write_text("a file where the folder should be")
    begun = begin(bench)["id"]
    run(bench)
    failed = state(bench, begun)
    assert failed["state"] == "failed"
    assert "cannot be written" in failed["problem"]
    (bench.folder / "exports").unlink()
    again = begin(bench)["id"]
    run(bench)
    assert state(bench, again)["state"] == "finished"


def test_a_fault_fails_the_export_once(bench: HttpBench) -> None:
    """An order that cannot be read ends it; the log of the job has the trace."""
    begun = begin(bench)["id"]
    with bench.services.engine.begin() as connection:
        connection.execute(update(orders).values(body=b"{"))
    with pytest.raises(msgspec.DecodeError):
        run(bench)
    assert state(bench, begun)["state"] == "failed"
    run(bench)


def test_exports_have_a_limit(bench: HttpBench) -> None:
    """Ten on their way at a time."""
    for _ in range(10):
        begin(bench)
    assert begin(bench, status=429)["code"] == "TOO_MANY_EXPORTS"
    run(bench)
    begin(bench)


def test_orders_that_come_in_meanwhile_do_not_disturb(
    bench: HttpBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are newer than every page that is still to come: each order stands in the file once."""
    monkeypatch.setattr(work, "PAGE_ORDERS", 2)
    monkeypatch.setattr(work, "NOTE_MS", 0)
    begun = begin(bench)["id"]

    class Busy(StopAfter):
        def is_set(self) -> bool:
            self.pages += 1
            bench.clock.advance(1_000)
            bench.import_orders(1, first=100 + self.pages)
            return False

    exports(bench).work(Busy(0))
    found = refs(fetch(bench, begun))
    assert len(found) == len(set(found))
    assert {f"A-{place}" for place in range(7)} <= set(found)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"format": "xlsx"}, "format is none of the values that there are."),
        ({"format": "csv", "filter": {"status": "lost"}}, "The parameter status names no stage."),
        ({"format": "csv", "filter": {"colour": "red"}}, "filter.colour is not known here."),
        ({"format": "csv", "entities": ["users"]}, "entities[0] is none of the values that there are."),
        ({}, "format is missing."),
    ],
)
def test_an_export_that_makes_no_sense_is_refused_at_once(
    tmp_path: Path, wrong: object, sentence: str
) -> None:
    """Not an hour later in the background."""
    with HttpBench(tmp_path / "data") as bench:
        answer = bench.client.post(PATH, json=wrong, headers=bench.bearer())
        assert (answer.status_code, answer.json()["sentence"]) == (400, sentence)


def test_pages_and_orders_are_the_same(bench: HttpBench) -> None:
    """What a filter finds page by page is what it counts."""
    finder = filters.OrderFinder(bench.services.engine)
    wanted = filters.OrderFilter(q="so")
    page = finder.page(bench.site, wanted, None, 200)
    assert finder.count(bench.site, wanted) == len(page.orders) == 7
    assert {order_from_bytes(body).external_ref for body in page.orders} == {f"A-{n}" for n in range(7)}
