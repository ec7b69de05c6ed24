"""The command ``cut-off`` says what it changed, lets open orders follow, and refuses with a reason."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.main import make_parser
from server.registration import CommandContext
from support.server_bench import ServerBench
from support.shop import log_of, order_of, put
from sync.contract.problems import ProblemError, UsageError

CHRISTMAS = round(datetime.fromisoformat("2026-12-23T09:00+00:00").timestamp() * 1000)


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site in London, two days before Christmas."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.clock.wall = CHRISTMAS
    yield bench
    bench.close()


def run(bench: ServerBench, *words: str) -> list[str]:
    """Run the command beside the bench's own database and return its lines."""
    place = ["--database", bench.url] if bench.url else []
    arguments = make_parser().parse_args(["cut-off", *words, "--data", str(bench.folder), *place])
    out = io.StringIO()
    context = CommandContext(bench.clock, bench.ids, io.StringIO(), out, io.StringIO())
    assert arguments.run(arguments, context) == 0
    return out.getvalue().splitlines()


def refused(bench: ServerBench, *words: str) -> str:
    """Run a command that cannot be carried out and return the sentence."""
    with pytest.raises(ProblemError) as caught:
        run(bench, *words)
    return caught.value.problem.sentence


VAN = ("--ship-method", "Royal Mail 24")


def cut_off(bench: ServerBench, order_id: str) -> str:
    """Return an order's cut-off in UTC."""
    ms = order_of(bench, order_id).cut_off_ms
    return "none" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%d %H:%M")


def test_a_schedule_is_set_and_open_orders_follow(bench: ServerBench) -> None:
    """Each command says what changed and how many orders that touched."""
    van, other = put(bench, {"ship_method": "royal mail 24"}, {})
    assert run(bench, "set", *VAN, "--weekdays", "mon-fri", "--time", "16:00") == [
        "+ Royal Mail 24: mon-fri 16:00",
        "2 open orders recomputed, 1 changed.",
    ]
    assert (cut_off(bench, van), cut_off(bench, other)) == ("23 16:00", "none")
    assert run(bench, "set", "--weekdays", "mon-sat", "--time", "17:30")[-1].endswith("1 changed.")
    assert run(bench, "holiday", "add", "2026-12-23", "--name", "Snow")[-1].endswith("2 changed.")
    assert (cut_off(bench, van), cut_off(bench, other)) == ("24 16:00", "24 17:30")
    assert run(bench, "override", "2026-12-24", "--time", "12:00", *VAN)[-1].endswith("1 changed.")
    assert cut_off(bench, van) == "24 12:00"
    assert run(bench, "list") == [
        "Main, Europe/London",
        "  every other: mon-sat 17:30",
        "  Royal Mail 24: mon-fri 16:00",
        "  2026-12-23 holiday: every ship method (Snow)",
        "  2026-12-24 12:00: Royal Mail 24",
        "Next of Royal Mail 24: Thu 24 Dec 2026 12:00 GMT (Royal Mail 24, 2026-12-24 12:00)",
        "Next of every other: Thu 24 Dec 2026 17:30 GMT (every other, thu 17:30)",
    ]
    told = json.loads(run(bench, "list", "--json")[0])
    assert told["holidays"] == [{"date": "2026-12-23", "name": "Snow", "ship_method": ""}]
    assert told["next"][0]["rule"] == "Royal Mail 24, 2026-12-24 12:00"
    assert run(bench, "holiday", "remove", "2026-12-23")[-1].endswith("2 changed.")
    assert run(bench, "override", "2026-12-24", "--remove", *VAN)[-1].endswith("0 changed.")
    assert run(bench, "remove", *VAN, "--weekdays", "wed")[0:2] == [
        "- Royal Mail 24: mon-fri 16:00",
        "+ Royal Mail 24: mon-tue,thu-fri 16:00",
    ]
    assert cut_off(bench, van) == "24 16:00"
    run(bench, "remove", *VAN)
    assert cut_off(bench, van) == "23 17:30"
    assert run(bench, "remove")[-1].endswith("2 changed.")
    assert cut_off(bench, van) == "none"
    assert run(bench, "remove")[0] == "The schedule is the same as before."
    assert run(bench, "list") == ["Main, Europe/London", "  There are no cut-offs."]


def test_a_file_replaces_the_whole_schedule(bench: ServerBench, tmp_path: Path) -> None:
    """First it is shown, then done with --apply."""
    put(bench, {}, {})
    run(bench, "set", *VAN, "--weekdays", "mon", "--time", "9:00")
    file = tmp_path / "cut-offs.toml"
    file.write_text('\ufeff[[weekly]]\nweekdays = "mon-fri"\ntime = "17:00"\n', encoding="utf-8")
    difference = ["- Royal Mail 24: mon 09:00", "+ every other: mon-fri 17:00"]
    assert run(bench, "import-file", str(file)) == [
        *difference,
        "2 open orders looked at, 2 would change.",
        "Preview: nothing has been written; add --apply.",
    ]
    assert log_of(bench, "schedule") == []
    assert run(bench, "import-file", str(file), "--apply") == [
        *difference,
        "2 open orders recomputed, 2 changed.",
    ]
    assert run(bench, "import-file", str(file), "--apply")[0] == "The schedule is the same as before."


@pytest.mark.parametrize(
    ("arrival", "lines"),
    [
        (
            "2026-03-29T00:30",
            [
                "Arrival Sun 29 Mar 2026 00:30 GMT",
                "Cut-off Sun 29 Mar 2026 02:30 BST (every other, sun 01:30)",
            ],
        ),
        (
            "2026-10-25T01:45+01:00",
            [
                "Arrival Sun 25 Oct 2026 01:45 BST",
                "Cut-off Mon 26 Oct 2026 01:30 GMT (every other, mon 01:30)",
            ],
        ),
        (
            "",
            [
                "Arrival Wed 23 Dec 2026 09:00 GMT",
                "Cut-off Thu 24 Dec 2026 01:30 GMT (every other, thu 01:30)",
            ],
        ),
    ],
)
def test_an_arrival_can_be_tried_out(bench: ServerBench, arrival: str, lines: list[str]) -> None:
    """In site time, unless it names an offset; now without one."""
    run(bench, "set", "--weekdays", "mon-sun", "--time", "1:30")
    assert run(bench, "preview", "--at", arrival) == lines
    run(bench, "remove")
    assert run(bench, "preview", "--at", arrival)[1] == "Cut-off none"


def test_what_is_wrong_changes_nothing(bench: ServerBench, tmp_path: Path) -> None:
    """One sentence each."""
    assert "no time of day" in refused(bench, "set", "--weekdays", "mon", "--time", "25:00")
    assert "no weekdays" in refused(bench, "set", "--weekdays", "mo", "--time", "15:00")
    assert "no date" in refused(bench, "holiday", "add", "tomorrow")
    assert "cannot be read" in refused(bench, "import-file", str(tmp_path / "nowhere.toml"))
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    assert "it is no UTF-8" in refused(bench, "import-file", str(tmp_path / "latin.toml"))
    (tmp_path / "long.toml").write_bytes(b"#" * 1_048_577)
    assert "longer than 1 MiB" in refused(bench, "import-file", str(tmp_path / "long.toml"))
    with pytest.raises(UsageError, match="is no time"):
        run(bench, "preview", "--at", "noon")
    assert bench.raw("SELECT count(*) FROM cut_off_schedules") == [(0,)]
