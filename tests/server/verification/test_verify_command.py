"""``verify``: says what it played, how to play a failing seed again, and its figures as findings."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from server.main import main
from server.verification import running
from server.verification.cells import Cells, table
from server.verification.command import findings
from server.verification.running import Job, Summary
from server.verification.simulation import Plan, Report


def report(seed: int, *violations: str) -> Report:
    """Return what a run came to."""
    return Report(seed, "trace", 10, 20, 30, {"cut": 1}, violations, Cells())


def played(monkeypatch: pytest.MonkeyPatch, bad: Sequence[Job] = ()) -> list[Job]:
    """Let every seed be over at once, those in ``bad`` with a violation; return what is played."""
    jobs: list[Job] = []

    def play(job: Job) -> Report:
        jobs.append(job)
        return report(job.seed, *(("terminal-1: lost a move",) if job in bad else ()))

    monkeypatch.setattr(running, "play", play)
    return jobs


def test_one_seed_in_twenty_is_played_through_the_drivers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--seeds 40 --first 7`` is forty seeds from seven on, and two more in the other way."""
    jobs = played(monkeypatch)
    assert main(["verify", "--seeds", "40", "--first", "7", "--processes", "1"]) == 0
    assert jobs == [*(Job(seed) for seed in range(7, 47)), Job(7, is_looped=True), Job(8, is_looped=True)]


def test_a_failing_seed_says_how_to_play_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, and the words to be typed are those of the command."""
    jobs = played(monkeypatch, [Job(3), Job(2, is_looped=True)])
    assert main(["verify", "--seeds", "3", "--processes", "1"]) == 1
    said = capsys.readouterr().out
    assert "terminal-1: lost a move" in said
    assert "again: fulfillment-kanban-server verify --seeds 1 --first 3\n" in said
    jobs.clear()
    assert main(["verify", "--seeds", "1", "--first", "2", "--looped", "--processes", "1"]) == 1
    assert jobs == [Job(2, is_looped=True)]
    assert "again: fulfillment-kanban-server verify --seeds 1 --first 2 --looped\n" in capsys.readouterr().out


def test_findings_stand_alone_on_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``make verify`` reads them; what a person reads goes beside."""
    played(monkeypatch)
    assert main(["verify", "--seeds", "20", "--json", "--processes", "1"]) == 0
    captured = capsys.readouterr()
    found = {each["metric"]: each for each in map(json.loads, captured.out.splitlines())}
    assert found["sim.seeds"]["value"] == 20
    assert found["sim.looped_seeds"]["value"] == 1
    assert found["sim.violations"]["value"] == found["sim.violations"]["most"] == 0
    assert found["sim.cells_uncovered"]["value"] == len(table())
    assert found["sim.cells_uncovered"]["most"] is None
    assert "seed 20" in captured.err


def test_a_thousand_seeds_have_to_meet_every_cell() -> None:
    """Fewer seeds may miss some, and say so."""
    summary = Summary(seeds=1_000)
    uncovered = next(each for each in findings(summary, Summary()) if each["metric"] == "sim.cells_uncovered")
    assert (uncovered["most"], uncovered["value"]) == (0, len(table()))


def test_two_processes_come_to_what_one_does() -> None:
    """Reports come back whole, and in the order of the seeds."""
    jobs = [Job(5), Job(6)]
    lines: list[str] = []
    summary = running.run(jobs, lines.append, processes=2)
    alone = [running.play(job) for job in jobs]
    assert [line.split(";")[0] for line in lines] == [
        running.line(job, report).split(";")[0] for job, report in zip(jobs, alone, strict=True)
    ]
    assert summary.operations == sum(report.operations for report in alone)
    assert summary.cells.met == alone[0].cells.met + alone[1].cells.met
    assert Plan().terminals * Plan().operations == 1_000


def test_a_long_run_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fifty seeds, with what is left; the end speaks for itself."""
    played(monkeypatch)
    lines: list[str] = []
    running.run(running.plain(100, 1), lines.append, processes=1)
    told = [line for line in lines if line.startswith("== ")]
    assert [line.partition(" seeds in ")[0] for line in told] == ["== 50 of 100"]
    summary = Summary(seeds=250, failed={"again": ("a violation",)})
    assert (
        running.progress(summary, 1_000, 40.0) == "== 250 of 1,000 seeds in 40 s, 1 failed; about 120 s left"
    )


def test_a_number_that_is_none_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is played, and the usage is shown."""
    with pytest.raises(SystemExit):
        main(["verify", "--seeds", "0"])
    assert "must be 1 or more" in capsys.readouterr().err
