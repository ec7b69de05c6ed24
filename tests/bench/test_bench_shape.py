"""A measurement has one shape, and the runner merges what files print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import run, shape

GOOD = """
from bench.shape import report
print("words between lines are passed over")
report("board.paint_ms_p50", [1.0, 2.0, 3.0], "ms", floor=0.5)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for bench files."""
    (tmp_path / "bench").mkdir()
    return tmp_path / "bench"


def test_percentiles_lie_between_samples() -> None:
    """A percentile is interpolated; the ends are the least and the greatest sample."""
    samples = [4.0, 1.0, 3.0, 2.0]
    assert [shape.percentile(samples, at) for at in (0, 50, 100)] == [1.0, 2.5, 4.0]
    with pytest.raises(ValueError, match="no samples"):
        shape.percentile([], 50)


def test_a_line_survives_the_way() -> None:
    """What is printed is read back as it was; other lines are not measurements."""
    measurement = shape.summarise("a.b_ms_p99", [1.0, 2.0], "ms", percent=99, floor=0.1)
    assert shape.parse(measurement.line()) == measurement
    assert shape.parse("hello") is None
    assert shape.parse('{"other": 1}') is None


@pytest.mark.parametrize(
    "line",
    [
        '{"metric": "a"}',
        '{"metric": "a", "value": 1, "unit": "ms", "runs": 1, "spread": 0, "floor": null, "more": 1}',
        '{"metric": "a", "value": NaN, "unit": "ms", "runs": 1, "spread": 0, "floor": null}',
        '{"metric": "a", "value": "1", "unit": "ms", "runs": 1, "spread": 0, "floor": null}',
    ],
)
def test_another_shape_is_refused(line: str) -> None:
    """A line that names a metric and is not of the shape is an error, not a silent loss."""
    with pytest.raises(ValueError, match=r"not of the shape|not a number"):
        shape.parse(line)


def test_results_are_merged_flat_and_whole(folder: Path) -> None:
    """One file has the numbers, the other the whole measurements."""
    (folder / "bench_board.py").write_text(GOOD, encoding="utf-8")
    measured, failures = run.run_all(run.bench_files(folder, None))
    assert failures == []
    build = folder.parent / "build"
    run.merge(build, measured, keep=False)
    assert json.loads((build / "bench.json").read_text()) == {"board.paint_ms_p50": 2.0}
    assert json.loads((build / "bench-details.json").read_text())["board.paint_ms_p50"] == {
        "metric": "board.paint_ms_p50",
        "value": 2.0,
        "unit": "ms",
        "runs": 3,
        "spread": 1.6,
        "floor": 0.5,
    }


def test_one_failure_does_not_stop_the_rest(folder: Path) -> None:
    """A file that fails, one that is silent and one that repeats a metric are named; the good one counts."""
    (folder / "bench_a_fails.py").write_text("raise SystemExit('no engine')", encoding="utf-8")
    (folder / "bench_b_silent.py").write_text("", encoding="utf-8")
    (folder / "bench_c_good.py").write_text(GOOD, encoding="utf-8")
    (folder / "bench_d_again.py").write_text(GOOD, encoding="utf-8")
    measured, failures = run.run_all(run.bench_files(folder, None))
    assert list(measured) == ["board.paint_ms_p50"]
    assert [failure.split()[0] for failure in failures] == [
        "bench_a_fails.py",
        "bench_b_silent.py",
        "bench_d_again.py",
    ]
    assert "no engine" in failures[0]


def test_a_hanging_file_is_ended(folder: Path) -> None:
    """A bench has a deadline."""
    path = folder / "bench_hangs.py"
    path.write_text("import signal; signal.pause()", encoding="utf-8")
    with pytest.raises(run.BenchError, match="was not done within"):
        run.measure(path, deadline_s=0.5)


def test_only_keeps_the_others(folder: Path) -> None:
    """Measuring one file again leaves the other numbers; an unknown name says which there are."""
    (folder / "bench_board.py").write_text(GOOD, encoding="utf-8")
    build = folder.parent / "build"
    run.merge(build, {"start.ms": shape.Measurement("start.ms", 7, "ms", 1, 0)}, keep=False)
    measured, _ = run.run_all(run.bench_files(folder, "board"))
    run.merge(build, measured, keep=True)
    assert json.loads((build / "bench.json").read_text()) == {"board.paint_ms_p50": 2.0, "start.ms": 7}
    with pytest.raises(run.BenchError, match=r"no bench 'desk'; there are: board"):
        run.bench_files(folder, "desk")
