"""The door of the proofs: runs what is asked for, tells a broken promise from a broken proof, merges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.proving import Budget, Finding, counted, parse
from tools import results, verify

GOOD = """
from support.proving import Budget, Finding, prove
def run(budget: Budget) -> list[Finding]:
    return [Finding("calm.runs", budget.of(10, 500), "runs", 1), Finding("calm.lost", 0, "moves", 1, most=0)]
prove(run)
"""
BAD = """
from support.proving import Budget, Finding, counted, prove
prove(lambda _: [counted("calm.lost", ["seed 3 lost SO-1"], "moves", 1)])
"""


def write(folder: Path, name: str, text: str) -> Path:
    """Write one proof."""
    path = folder / f"proof_{name}.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_share_goes_with_the_seeds() -> None:
    """200 seeds are the size for each change, fewer are less but never nothing; full is the table."""
    assert [Budget(seeds).of(50, 1_000) for seeds in (200, 20, 1, 1_000)] == [50, 5, 1, 250]
    assert Budget(1, is_full=True).of(50, 1_000) == 1_000


def test_a_finding_survives_the_way() -> None:
    """What a proof prints is read back; other lines are none, a wrong shape is an error."""
    finding = counted("a.lost", ["seed 1: x", "seed 2: y"], "moves", 7)
    assert parse(finding.line()) == finding
    assert (finding.value, finding.is_good) == (2, False)
    assert parse("hello") is None
    assert parse('{"other": 1}') is None
    with pytest.raises(ValueError, match="not of the shape"):
        parse('{"metric": "a.b", "length": 1}')
    with pytest.raises(ValueError, match="not a number"):
        parse('{"metric": "a.b", "value": NaN, "unit": "s", "runs": 1}')


def test_a_proof_gets_its_share(tmp_path: Path) -> None:
    """Findings of a good proof come back with their values."""
    findings, failures = verify.find_all([write(tmp_path, "calm", GOOD)], ["--seeds", "20"], 60)
    assert not failures
    assert findings["calm.runs"] == Finding("calm.runs", 1, "runs", 1)


def test_a_broken_promise_is_a_failure_with_its_words(tmp_path: Path) -> None:
    """A value above what is allowed is merged, and named with its detail."""
    findings, failures = verify.find_all([write(tmp_path, "calm", BAD)], [], 60)
    assert findings["calm.lost"].value == 1
    assert failures == ["calm.lost is 1: seed 3 lost SO-1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.exit(3)", "found nothing and exited with 3"),
        (GOOD + "\n", ""),
        ("print('{\"metric\": 1}')", "not of the shape"),
        ("import time; time.sleep(60)", "was not done within"),
        (
            BAD.replace("prove(", "import sys\nprint((").replace("1)])", "1)])(1)[0].line()); sys.exit(0)"),
            "exited",
        ),
    ],
)
def test_a_broken_proof_is_a_failure(tmp_path: Path, text: str, words: str) -> None:
    """A proof that breaks, hangs or contradicts itself never counts as kept."""
    _, failures = verify.find_all([write(tmp_path, "calm", text)], [], 3 if "sleep" in text else 60)
    assert [words in failure for failure in failures] == ([True] if words else [])


def test_an_unknown_name_is_told(tmp_path: Path) -> None:
    """ONLY takes the name of a proof, or of the simulation, which is no file here."""
    write(tmp_path, "calm", GOOD)
    assert [path.stem for path in verify.proof_files(tmp_path, "calm")] == ["proof_calm"]
    assert verify.proof_files(tmp_path, "simulation") == []
    with pytest.raises(verify.ProofError, match="there are: simulation, calm"):
        verify.proof_files(tmp_path, "storm")


def test_findings_are_merged_beside_measurements(tmp_path: Path) -> None:
    """Both files keep what was there under other names."""
    (tmp_path / "bench-details.json").write_text('{"board.paint_ms_p50": {"value": 2}}', encoding="utf-8")
    results.merge(tmp_path, {"kill9.lost": Finding("kill9.lost", 0, "moves", 9, most=0)})
    flat = json.loads((tmp_path / "bench.json").read_text(encoding="utf-8"))
    details = json.loads((tmp_path / "bench-details.json").read_text(encoding="utf-8"))
    assert flat == {"board.paint_ms_p50": 2, "kill9.lost": 0}
    assert details["kill9.lost"]["runs"] == 9
