"""``docs/verification.md`` names every proof, every metric and every planted fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import repository
from support.proofs_mutants_page import BEGIN, END
from support.proofs_mutants_same import SAME
from support.proofs_planted import ALL
from support.proofs_planted_named import NAMED

PAGE = (repository.ROOT / "docs" / "verification.md").read_text(encoding="utf-8")
PROOFS = sorted((repository.ROOT / "tests" / "proofs").glob("proof_*.py"))
METRIC = re.compile(r"(?:Finding|counted)\(\s*\"([a-z0-9_]+\.[a-z0-9_]+)\"")


@pytest.mark.parametrize("path", PROOFS, ids=lambda path: path.stem)
def test_every_metric_is_on_the_page(path: Path) -> None:
    """Whoever reads ``build/bench.json`` finds there what a number counts."""
    assert f"tests/proofs/{path.name}" in PAGE
    metrics = set(METRIC.findall(path.read_text(encoding="utf-8")))
    assert metrics
    assert not {metric for metric in metrics if f"`{metric}`" not in PAGE}


def test_no_metric_is_left_over() -> None:
    """A metric that is gone leaves the page too."""
    made = {metric for path in PROOFS for metric in METRIC.findall(path.read_text(encoding="utf-8"))}
    families = {metric.split(".")[0] for metric in made}
    told = set(re.findall(r"`([a-z0-9_]+\.[a-z0-9_]+)`", PAGE))
    assert not {metric for metric in told - made if metric.split(".")[0] in families}


def test_every_planted_fault_is_on_the_page() -> None:
    """The list of faults is published as it is."""
    rows = re.findall(r"^\| (.+?) \|", PAGE, re.MULTILINE)
    assert {plant.name for plant in ALL} <= set(rows)


def table(heading: str) -> list[list[str]]:
    """Return the rows below a heading of the list of wrong programs, without the heads."""
    listed = PAGE.split(BEGIN)[1].split(END)[0]
    part = re.split(rf"^### {heading}.*$", listed, flags=re.MULTILINE)[1].split("###")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]


def test_every_named_fault_is_published_with_who_saw_it() -> None:
    """The list is of these faults, in their order; every test that it names is there."""
    rows = table("Named faults")
    assert [row[0] for row in rows] == [plant.name for plant in NAMED]
    for name, places, seen_by in rows:
        (plant,) = (plant for plant in NAMED if plant.name == name)
        assert set(re.findall(r"`(.+?)`", places)) == {change.path for change in plant.changes}
        assert seen_by != "nobody"
        if seen_by.startswith("`tests/"):
            file, test = re.findall(r"`(.+?)`", seen_by)
            assert f"def {test}(" in (repository.ROOT / file).read_text(encoding="utf-8"), seen_by


def test_every_change_of_the_tool_is_published() -> None:
    """At least 300, of files that are there; 3 in 100 are explained at most, and with today's reasons."""
    by_file = table("Changes made by the tool")
    made, *seen = (sum(int(row[column]) for row in by_file) for column in range(1, 5))
    assert made >= 300
    assert made == sum(seen)
    assert seen[-1] * 100 <= made * 3
    assert all((repository.ROOT / row[0].strip("`")).is_file() for row in by_file)
    listed = "; ".join(row[1] for row in table("Every change of the tool"))
    assert listed.count(" → ") >= made
    assert {row[2] for row in table("Changes that change nothing")} <= {same.why for same in SAME}
