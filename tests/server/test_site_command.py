"""The commands ``site`` and ``retire``: what a board keeps, and what leaves it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from server.main import make_parser
from server.registration import CommandContext
from support.server_bench import ServerBench
from support.shop import put
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

DAY_MS = 86_400_000
NOON = round(datetime.fromisoformat("2026-01-05T12:00+00:00").timestamp() * 1000)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site in London at noon."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.clock.wall = NOON
    yield bench
    bench.close()


def run(bench: ServerBench, *words: str) -> str:
    """Run a command beside the bench's own database and return what it says."""
    place = ["--database", bench.url] if bench.url else []
    arguments = make_parser().parse_args([*words, "--data", str(bench.folder), *place])
    out = io.StringIO()
    context = CommandContext(bench.clock, bench.ids, io.StringIO(), out, io.StringIO())
    assert arguments.run(arguments, context) == 0
    return out.getvalue().rstrip("\n")


def test_a_site_keeps_what_it_is_told(bench: ServerBench) -> None:
    """Today unless told; listed for people and programs."""
    assert run(bench, "site", "list") == "Organization / Main: Europe/London, keeps what was shipped today"
    told = "what was shipped in 3 days, today included"
    assert run(bench, "site", "set", "--shipped-days", "3") == f"The board of Main keeps {told}."
    assert run(bench, "site", "list") == f"Organization / Main: Europe/London, keeps {told}"
    (site,) = json.loads(run(bench, "site", "list", "--json"))
    assert site == {
        "id": bench.site.key.site_id,
        "name": "Main",
        "organization": "Organization",
        "time_zone": "Europe/London",
        "shipped_days": 3,
    }
    for days in ("0", "32", "-1"):
        with pytest.raises(ProblemError, match="cannot keep"):
            run(bench, "site", "set", "--shipped-days", days)


def test_finished_orders_leave_by_command(bench: ServerBench) -> None:
    """First counted, then gone; those of other sites and those that are kept stay."""
    put(
        bench,
        *({"stage": Stage.SHIPPED, "stage_ms": NOON - days * DAY_MS} for days in (0, 1, 2, 3)),
        {"stage_ms": 1},
    )
    second = bench.crowd("Organization", "Second")
    bench.import_orders(1, second, first=50)
    here = ("--site", "Main")
    run(bench, "site", "set", "--shipped-days", "2", *here)
    before = "finished before Sun 04 Jan 2026 00:00 GMT"
    assert run(bench, "retire", "--dry-run", *here) == f"2 orders {before} would leave the board of Main."
    assert run(bench, "retire", *here) == f"2 orders {before} left the board of Main."
    assert run(bench, "retire", *here) == f"0 orders {before} left the board of Main."
    assert sum(bench.database.reader.counts(bench.site.key).values()) == 3
    assert sum(bench.database.reader.counts(second.key).values()) == 1
