"""``docs/verification.md`` names every proof, every metric and every planted fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import repository
from support.proofs_planted import ALL

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
