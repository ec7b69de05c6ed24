"""Every named fault fits the code, the tool's changes stay the same, and forks see what they should see."""

from __future__ import annotations

from pathlib import Path

import pytest
from libcst import Module

from proofs.proof_mutants import findings
from support.proofs_mutants import changed_lines, made, sample, sites
from support.proofs_mutants_map import CoverMap, measured, places
from support.proofs_mutants_page import Tried
from support.proofs_mutants_same import SAME, Same, same_as
from support.proofs_mutants_warm import BlindError, Job, Warm, copied, seen_by_tests
from support.proofs_planted import ROOT, Plant, changed_sources
from support.proofs_planted_named import NAMED

SMALL = ["server/kernel/pace.py", "sync/client/backoff.py", "sync/contract/judging.py"]


@pytest.mark.parametrize("plant", NAMED, ids=lambda plant: plant.name.replace(" ", "-"))
def test_every_named_fault_fits_the_code(plant: Plant) -> None:
    """Its words are in the code, once, and what comes out is another program."""
    for path, source in changed_sources(ROOT, plant).items():
        assert source != (ROOT / path).read_text(encoding="utf-8")
        compile(source, path, "exec", dont_inherit=True)


def test_named_faults_are_many_and_each_is_another() -> None:
    """No two have one name or one change."""
    assert len(NAMED) >= 40
    assert len({plant.name for plant in NAMED}) == len({plant.changes for plant in NAMED}) == len(NAMED)


def test_the_tool_changes_the_same_things_each_time() -> None:
    """A sample stays as long as the code does; every change is another program; no file is left out."""
    first, again = sample(ROOT, SMALL, 30, 1), sample(ROOT, SMALL, 30, 1)
    assert first == again
    assert {mutant.path for mutant in first} == set(SMALL)
    assert len({mutant.source for mutant in first}) == len({mutant.name for mutant in first}) == len(first)
    assert {mutant.name for mutant in sample(ROOT, SMALL, 30, 2)} != {mutant.name for mutant in first}
    for mutant in first:
        text = (ROOT / mutant.path).read_text(encoding="utf-8")
        assert changed_lines(text, mutant.source) == mutant.lines


def test_an_edit_elsewhere_leaves_the_sample_as_it_was() -> None:
    """Which changes are taken depends on their own words: a new function moves no rank of the others."""
    text = (ROOT / SMALL[0]).read_text(encoding="utf-8")
    ranks = {site.rank for site in sites(SMALL[0], text, 1)[1]}
    more = {site.rank for site in sites(SMALL[0], f"{text}\n\ndef more() -> int:\n    return 1 + 1\n", 1)[1]}
    assert ranks < more


def test_only_code_is_changed() -> None:
    """Types, decorators, defaults and words in quotes stay as they are."""
    text = (
        'X: int | None = 1\n@f(1)\ndef g(a: int = 2, *, b: "x" = 3) -> int:\n    """4."""\n    return a + 5\n'
    )
    _, found = sites("x.py", text, 1)
    changed = {Module([]).code_for_node(site.old) for site in found}
    assert changed == {"a + 5", "5"}


def test_every_place_is_a_file_of_ours() -> None:
    """Contract, outbox, rebase, protocol and hub are all among them."""
    assert all((ROOT / path).is_file() for path in places())
    wanted = (
        "sync/contract/facts.py",
        "sync/client/outbox.py",
        "sync/client/rebase.py",
        "server/kernel/hub.py",
    )
    assert set(wanted) <= set(places())


@pytest.mark.parametrize("same", SAME, ids=lambda same: f"{same.path}-{same.function}")
def test_every_explained_change_fits_the_code(same: Same) -> None:
    """The explanation is of a change that the tool still makes."""
    module, found = sites(same.path, (ROOT / same.path).read_text(encoding="utf-8"), 1)
    mutants = [made(module, site) for site in found if site.function == same.function]
    assert any(mutant is not None and same_as(mutant) for mutant in mutants)
    assert same.why


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one module of ours and one test."""
    root = tmp_path_factory.mktemp("small")
    (root / "tests" / "unit").mkdir(parents=True)
    (root / "ours").mkdir()
    (root / "ours" / "__init__.py").write_text("")
    (root / "ours" / "sums.py").write_text(
        "def add(a, b):\n    return a + b\n\n\ndef twice(a):\n    return 2 * a\n"
    )
    (root / "tests" / "unit" / "test_sums.py").write_text(
        "from ours.sums import add, twice\n\n\ndef test_add():\n    assert add(2, 3) == 5\n\n\n"
        "def test_twice():\n    assert twice(2) == 4\n"
    )
    return root


# Newer Pythons warn of a fork beside threads; what runs the tests in parallel has one.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_sees_a_change_and_nothing_else(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the changed line fails; without a change nobody complains; who hangs or dies is seen."""
    monkeypatch.setattr("support.proofs_mutants_map.UNIT_TESTS", ("tests/unit",))
    path = "ours/sums.py"
    text = (small / path).read_text(encoding="utf-8")
    file = "tests/unit/test_sums.py"
    with copied(small) as root:
        warm = Warm(root, 2)
        seconds, by_line, broken = warm.learn(lambda: measured([path]), 60)
        assert broken == []
        tests = CoverMap(seconds, {path: {int(line): names for line, names in by_line[path].items()}})
        assert tests.tests_of(path, [2]) == [f"{file}::test_add"]
        assert len(tests.tests_of(path, [1])) == 2

        def job(name: str, source: str, deadline_s: float = 60) -> Job:
            return Job(name, {path: source}, lambda: seen_by_tests([file]), deadline_s)

        jobs = [
            job("same", text),
            job("wrong", text.replace("a + b", "a - b")),
            job("hangs", text.replace("return a + b", "while True:\n        pass"), 5),
            job("dies", text.replace("return a + b", "__import__('os')._exit(0)")),
            job("no program", "def"),
        ]
        seen = {each.job.name: each.by for each in warm.all(jobs)}
        with pytest.raises(BlindError, match="nothing to run"):
            list(warm.all([Job("nothing to run", {}, lambda: seen_by_tests([file], ["no such"]), 60)]))
    assert seen == {
        "same": "",
        "wrong": f"{file}::test_add",
        "hangs": "nothing within 5 s",
        "dies": "the process died",
        "no program": file,
    }


def test_survivors_break_the_promise_and_explained_ones_are_few() -> None:
    """A named fault must be seen; of the tool's changes 3 in 100 may be explained, none may be unseen."""
    seen = [Tried(f"made {number}", ("x.py",), "f", "a", "b", 1, "a test") for number in range(100)]
    same = [Tried(f"same {number}", ("x.py",), "f", "a", "b", 1, "", "why") for number in range(4)]
    named = Tried("named", ("x.py",), "", "", "", 1, "a test")
    good = {finding.metric: finding for finding in findings([named, *seen, *same[:3]], [], 1.0)}
    assert all(finding.is_good for finding in good.values())
    assert (good["mutants.total"].value, good["mutants.named"].value) == (104, 1)
    bad = {finding.metric: finding for finding in findings([named._replace(by=""), *seen, *same], ["t"], 1.0)}
    broken = {metric for metric, finding in bad.items() if not finding.is_good}
    assert broken == {"mutants.survivors", "mutants.explained", "mutants.broken_tests"}
    assert bad["mutants.survivors"].detail == "named"
