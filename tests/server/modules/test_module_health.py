"""Health says "I am alive", ready says "I can work", and both to anybody."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.kernel.services import WORKERS
from support.http_bench import VERSION, HttpBench
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """A site and the application over it."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        yield bench


def test_health_answers_while_the_process_lives(bench: HttpBench) -> None:
    """Also without a database: a restart would not help that."""
    bench.raw("DROP TABLE alembic_version")
    answer = bench.client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "version": VERSION})


def test_ready_names_its_checks(bench: HttpBench) -> None:
    """Database, migrations, disk."""
    answer = bench.client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": True, "migrations": True, "disk": True}


def test_ready_answers_while_every_worker_is_busy(bench: HttpBench) -> None:
    """Slow requests are no reason to take a server out of service."""
    let_go = threading.Event()
    busy = [bench.services.threads.submit(let_go.wait, 60) for _ in range(2 * WORKERS)]
    try:
        assert bench.client.get("/ready").status_code == 200
        assert not any(each.done() for each in busy)
    finally:
        let_go.set()


def test_missing_migrations_are_not_ready(bench: HttpBench) -> None:
    """Another release's tables."""
    bench.raw("UPDATE alembic_version SET version_num = '0000'")
    answer = bench.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": True, "migrations": False, "disk": True}


def test_an_unusable_database_is_not_ready(bench: HttpBench, request: pytest.FixtureRequest) -> None:
    """It is gone, or no database any more."""
    bench.database.close()
    if bench.url:
        request.getfixturevalue("postgres").drop(bench.url)
    else:
        shutil.rmtree(bench.folder)
        bench.folder.mkdir()
        (bench.folder / "server.sqlite").write_bytes(b"no database" * 1000)
    answer = bench.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] is False


def test_a_full_disk_is_not_ready(bench: HttpBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less than 100 MiB free."""
    usage = shutil.disk_usage(bench.folder)._replace(free=99 * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    answer = bench.client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["disk"] is False


def test_a_client_can_tell_that_this_is_the_right_program(bench: HttpBench) -> None:
    """Product, version, protocols."""
    assert bench.client.get("/.well-known/fulfillment-kanban").json() == {
        "product": "fulfillment-kanban",
        "version": VERSION,
        "protocol_min": PROTOCOL_MIN,
        "protocol_max": PROTOCOL_MAX,
    }
