"""Which unit test runs which line: the tests that can see a change, the quickest first."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import coverage
import pytest

from support.proofs_mutants import changed_lines
from support.proofs_mutants_warm import Recorder, run_tests

UNIT_TESTS: Final = (
    "tests/sync/contract",
    "tests/sync/client",
    "tests/server/kernel",
    "tests/server/test_sources.py",
)
"""The tests of ``make coverage``: what they do not see is not tested."""
NOT_HERE: Final = ("-k", "not postgresql and not two_processes and not real_disk")
"""What starts other programs would start them unchanged, and PostgreSQL runs the same lines again."""


@dataclass(frozen=True)
class CoverMap:
    """The tests that pass, with their seconds, and the tests by the lines they run."""

    seconds: Mapping[str, float]
    by_line: Mapping[str, Mapping[int, Sequence[str]]]

    def tests_of(self, path: str, lines: Iterable[int]) -> list[str]:
        """Return the tests that run one of the lines; those of the whole file when none does."""
        known = self.by_line.get(path, {})
        found = {test for line in lines for test in known.get(line, ())}
        if not found:
            found = {test for tests in known.values() for test in tests}
        return sorted(
            (test for test in found if test in self.seconds), key=lambda test: (self.seconds[test], test)
        )

    def tests_of_change(self, path: str, before: str, after: str) -> list[str]:
        """Return the tests that can see what differs between two versions of a file."""
        return self.tests_of(path, changed_lines(before, after))

    def cost_s(self, tests: Iterable[str]) -> float:
        """Return what these tests take on the unchanged program."""
        return sum(self.seconds[test] for test in tests)


def measured(paths: Sequence[str]) -> tuple[dict[str, float], dict[str, dict[int, list[str]]], list[str]]:
    """Run the unit tests in this process with every line watched: seconds, tests by line, and what failed."""
    root = Path.cwd()
    watch = coverage.Coverage(
        data_file=None, include=[str(root / path) for path in paths], config_file=False, branch=False
    )
    recorder = _Switching(watch)
    watch.start()
    run_tests(UNIT_TESTS, recorder, "--maxfail=1000", "--continue-on-collection-errors", *NOT_HERE)
    watch.stop()
    data = watch.get_data()
    by_line = {
        path: {
            line: [name for name in names if name]
            for line, names in data.contexts_by_lineno(str(root / path)).items()
        }
        for path in paths
    }
    passed = {
        name: seconds
        for name, seconds in recorder.seconds.items()
        if name not in recorder.broken and name not in recorder.skipped
    }
    return passed, by_line, sorted(recorder.broken)


class _Switching(Recorder):
    """Tell the measurement which test is running."""

    def __init__(self, watch: coverage.Coverage) -> None:
        super().__init__()
        self.broken: set[str] = set()
        self._watch = watch

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be loaded is broken too."""
        if report.failed:
            self.broken.add(report.nodeid)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """From here on lines belong to this test."""
        self._watch.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note every test that fails, not only the first."""
        super().pytest_runtest_logreport(report)
        if report.failed:
            self.broken.add(report.nodeid)


def places() -> list[str]:
    """Return the files that ``make coverage`` wants covered: where a mistake loses an operation."""
    from tools.coverage import PLACES

    root = Path(__file__).resolve().parents[2]
    found = {str(path.relative_to(root)) for pattern in PLACES for path in root.glob(pattern)}
    return sorted(path for path in found if path.endswith(".py") and not path.endswith("__init__.py"))


def at_once() -> int:
    """Return how many forks work at a time."""
    return max(1, min(4, os.cpu_count() or 1))
