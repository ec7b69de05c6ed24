"""The schedule over HTTP: read, changed and sent back; open orders follow in the background."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest

from server.modules import cut_offs
from server.registration import JobContext
from support.http_bench import HttpBench
from support.shop import order_of, put

MORNING = round(datetime.fromisoformat("2026-01-05T09:00+00:00").timestamp() * 1000)
PLAN = {
    "weekly": [{"weekdays": "mon-fri", "time": "16:00", "ship_method": "Royal Mail 24"}],
    "holidays": [{"date": "2026-01-05", "name": "Snow", "ship_method": ""}],
    "overrides": [],
}


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """A site in London on a Monday morning."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        bench.clock.wall = MORNING
        yield bench


def work(bench: HttpBench, *, is_stopping: bool = False) -> None:
    """Let the job run that the route woke."""
    (job,) = cut_offs.MODULE.jobs
    context = JobContext(bench.database, bench.services, Event())
    if is_stopping:
        context.stopping.set()
    job.run(context)


def test_a_schedule_is_set_and_read_back(bench: HttpBench) -> None:
    """What was read can be changed and sent back; orders follow soon after."""
    (van,) = put(bench, {"ship_method": "Royal Mail 24"})
    headers = bench.bearer()
    empty = bench.client.get("/cut-offs", headers=headers).json()
    assert empty == {
        "schedule": {"weekly": [], "holidays": [], "overrides": [], "revision": 0},
        "time_zone": "Europe/London",
        "is_applied": True,
        "next": [],
    }
    answer = bench.client.request("PUT", "/cut-offs", headers=headers, json=PLAN)
    assert answer.status_code == 200
    told = answer.json()
    assert told["schedule"] == {**PLAN, "revision": 1}
    assert told["is_applied"] is False
    assert told["next"] == [
        {
            "ship_method": "Royal Mail 24",
            "cut_off_ms": MORNING + 31 * 3_600_000,
            "cut_off": "2026-01-06T16:00:00+00:00",
            "rule": "Royal Mail 24, tue 16:00",
        },
        {"ship_method": "", "cut_off_ms": None, "cut_off": None, "rule": ""},
    ]
    assert bench.woken == ["cut-offs"]
    work(bench, is_stopping=True)
    assert order_of(bench, van).cut_off_ms is None
    work(bench)
    assert order_of(bench, van).cut_off_ms == MORNING + 31 * 3_600_000
    read = bench.client.get("/cut-offs", headers=headers).json()
    assert read == {**told, "is_applied": True}
    again = bench.client.request("PUT", "/cut-offs", headers=headers, json=read["schedule"])
    assert again.json() == read


def test_who_read_an_older_schedule_is_told(bench: HttpBench) -> None:
    """And changes nothing."""
    headers = bench.bearer()
    bench.client.request("PUT", "/cut-offs", headers=headers, json=PLAN)
    answer = bench.client.request("PUT", "/cut-offs", headers=headers, json={"revision": 0})
    assert (answer.status_code, answer.json()["code"]) == (409, "CUT_OFFS_CHANGED")
    assert bench.client.get("/cut-offs", headers=headers).json()["schedule"]["revision"] == 1


def test_what_is_no_schedule_is_refused(bench: HttpBench) -> None:
    """With a sentence."""
    bodies: tuple[object, ...] = ({"weekly": [{"weekdays": "mon", "time": "25:00"}]}, {"else": 1}, [])
    for body in bodies:
        answer = bench.client.request("PUT", "/cut-offs", headers=bench.bearer(), json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, "CUT_OFF_WRONG")
    assert bench.woken == []
