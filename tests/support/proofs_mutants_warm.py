"""Run tests against a changed program in a fork of a process that has everything else loaded.

What costs a second of each test run is the loading of other people's packages. Here one process loads them
once; for each changed program it forks, puts the changed modules in the place of ours, and runs pytest
until a test fails. Our own packages and tests are loaded in the fork, from a copy that nobody edits.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

import pytest

MEMORY_BYTES: Final = 4 << 30
"""A changed program that wants more is stopped, and seen."""
TEST_TIMEOUT_S: Final = 20
OPTIONS: Final = (
    "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-p", "no:pytest-qt",
    "-p", "no:faulthandler", "--no-header", "--tb=no", "--import-mode=importlib", "-W", "error",
    "-W", "ignore::pytest.PytestConfigWarning", "-W", "ignore::pytest.PytestAssertRewriteWarning",
    f"--timeout={TEST_TIMEOUT_S}", "--hypothesis-seed=0",
)  # fmt: skip
SETTINGS: Final = (
    "[pytest]\npythonpath = . tests\nmarkers =\n    expects_log_warnings: x\n    leaves_threads: x\n"
)
LEFT_OUT: Final = (".git", ".venv", "build", "dist", "__pycache__", ".*_cache", ".hypothesis")


class BlindError(Exception):
    """Nothing was tried, so nothing could be seen: the proof itself is broken."""


@dataclass(frozen=True)
class Job:
    """Changed modules, by the path of their file, and what is to be run with them in a fork.

    ``run`` returns who saw the change, "" when nobody did; whatever it raises has seen it too.
    """

    name: str
    sources: Mapping[str, str]
    run: Callable[[], str]
    deadline_s: float


@dataclass(frozen=True)
class Seen:
    """What came of a job: who saw the change ("" for nobody), and the seconds that it took."""

    job: Job
    by: str
    seconds: float


class _Loader(importlib.machinery.SourceFileLoader):
    """Load one of our modules from other words than its file has."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        """Compile the words that were given."""
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder:
    """Stand before every other finder for the changed modules."""

    def __init__(self, root: Path, sources: Mapping[str, str]) -> None:
        self._loaders = {_module(path): (str(root / path), source) for path, source in sources.items()}

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the changed module of that name, None for all others."""
        if name not in self._loaders:
            return None
        path, source = self._loaders[name]
        return importlib.util.spec_from_file_location(name, path, loader=_Loader(name, path, source))


@dataclass(eq=False)
class Recorder:
    """A plugin of pytest: choose tests and their order, and note the first that fails."""

    wanted: Sequence[str] = ()
    """Names of tests, in their order; all, when there are none."""
    failed: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    skipped: set[str] = field(default_factory=set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the wanted tests, in their order."""
        if self.wanted:
            places = {name: place for place, name in enumerate(self.wanted)}
            items[:] = sorted(
                (item for item in items if item.nodeid in places), key=lambda item: places[item.nodeid]
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file of tests that cannot be loaded has seen the change."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test took, and whether it failed."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.skipped:
            self.skipped.add(report.nodeid)
        if report.failed and not self.failed:
            self.failed = report.nodeid


def run_tests(tests: Sequence[str], recorder: Recorder, *more: str) -> int:
    """Run files of tests, or single ones, and return what pytest's program would exit with."""
    root = Path.cwd()
    settings = ["-c", str(root / "mutants.ini"), f"--rootdir={root}"]
    return int(pytest.main([*settings, *OPTIONS, *more, *tests], [recorder]))


def seen_by_tests(tests: Sequence[str], names: Sequence[str] = ()) -> str:
    """Return the first test that fails, "" when all pass; ``names`` are chosen among the files' tests."""
    recorder = Recorder(names)
    code = run_tests(tests, recorder)
    if recorder.failed:
        return recorder.failed
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        raise BlindError(f"no such tests: {' '.join((*tests, *names))}"[:500])
    # Whatever else it is, it is not so without the change: that was tried before.
    return "" if code == pytest.ExitCode.OK else f"the tests cannot be run: pytest exited with {code}"


@contextlib.contextmanager
def copied(root: Path) -> Iterator[Path]:
    """Give a copy of the repository with the data beside it; it is the folder that forks work in."""
    with tempfile.TemporaryDirectory(prefix="fk-") as folder:
        copy = Path(folder) / "main"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        (Path(folder) / "tmp").mkdir()
        (copy / "mutants.ini").write_text(SETTINGS, encoding="utf-8")
        with contextlib.suppress(OSError):
            (Path(folder) / "shared").symlink_to(root.parent / "shared")
        yield copy


class Warm:
    """The process that has everything loaded; it forks for each job, a few at a time."""

    def __init__(self, root: Path, at_once: int) -> None:
        self._root = root
        self._at_once = at_once
        self._ours = {path.name.removesuffix(".py") for path in root.iterdir()} | {"support", "proofs"}

    def learn(self, run: Callable[[], object], deadline_s: float) -> Any:  # noqa: ANN401 - what JSON holds
        """Run something once in a fork, return what it returned, and load what it had to load."""

        def told() -> str:
            value = run()
            loaded = [
                name
                for name, module in sys.modules.items()
                if name.split(".")[0] not in self._ours and getattr(module, "__spec__", None)
            ]
            return json.dumps([value, loaded])

        seen = self._one(Job("learn", {}, told, deadline_s))
        try:
            value, loaded = json.loads(seen.by)
        except ValueError:
            raise RuntimeError(seen.by) from None
        for name in loaded:
            if not name.startswith(("_pytest", "__")) and name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        gc.collect()
        gc.freeze()
        return value

    def all(self, jobs: Iterable[Job]) -> Iterator[Seen]:
        """Run every job, and give each when it is done."""
        under_way: dict[int, _Fork] = {}
        waiting = iter(jobs)
        while True:
            while len(under_way) < self._at_once and (job := next(waiting, None)) is not None:
                fork = _Fork(self._root, self._ours, job)
                under_way[fork.pipe] = fork
            if not under_way:
                return
            left = min(fork.deadline for fork in under_way.values()) - time.monotonic()
            ready, _, _ = select.select(list(under_way), [], [], max(0.0, left))
            late = [pipe for pipe, fork in under_way.items() if fork.deadline <= time.monotonic()]
            for pipe in {*ready, *late}:
                fork = under_way[pipe]
                if fork.read() or pipe in late:
                    del under_way[pipe]
                    yield fork.end()

    def _one(self, job: Job) -> Seen:
        return next(iter(self.all([job])))


class _Fork:
    """One job at work."""

    def __init__(self, root: Path, ours: set[str], job: Job) -> None:
        self.job = job
        self.started = time.monotonic()
        self.deadline = self.started + job.deadline_s
        self.pipe, theirs = os.pipe()
        self._said = b""
        self._is_done = False
        sys.stdout.flush()
        sys.stderr.flush()
        self._process = os.fork()
        if not self._process:
            os.close(self.pipe)
            _work(root, ours, job, theirs)
        os.close(theirs)

    def read(self) -> bool:
        """Take what the fork says; True when it has said all."""
        part = os.read(self.pipe, 1 << 16)
        self._said += part
        self._is_done = not part
        return self._is_done

    def end(self) -> Seen:
        """Let the fork and all that it started go, and return what came of it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        os.close(self.pipe)
        seconds = time.monotonic() - self.started
        if not self._is_done:
            return Seen(self.job, f"nothing within {self.job.deadline_s:g} s", seconds)
        said = self._said.decode()
        if said.startswith("!"):
            raise BlindError(f"{self.job.name}: {said[1:]}")
        return Seen(self.job, said.removeprefix("=") if said else "the process died", seconds)


def _work(root: Path, ours: set[str], job: Job, pipe: int) -> None:
    """Be the fork: never return."""
    said = ""
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        _become(root, ours, job)
        said = "=" + job.run()
    except BlindError as error:
        said = f"!{error}"
    except BaseException as error:  # noqa: BLE001 - whatever a changed program raises has been seen
        said = f"={type(error).__name__}: {error}"[:500]
    with contextlib.suppress(OSError):
        view = said.encode()
        while view:
            view = view[os.write(pipe, view) :]
    os._exit(0)


def _become(root: Path, ours: set[str], job: Job) -> None:
    """Forget our packages as they were loaded here, and look for them in the copy."""
    os.chdir(root)
    for name in [name for name in sys.modules if name.split(".")[0] in ours and name != "__main__"]:
        del sys.modules[name]
    elsewhere = [part for part in sys.path if "site-packages" in part or "lib/python" in part]
    sys.path[:] = [str(root), str(root / "tests"), *elsewhere]
    sys.meta_path = [each for each in sys.meta_path if "editable" not in repr(each).lower()]
    importlib.invalidate_caches()
    sys.meta_path.insert(0, _Finder(root, job.sources))
    # What a fork that is stopped leaves behind goes with the copy.
    os.environ["TMPDIR"] = tempfile.tempdir = str(root.parent / "tmp")
    os.environ["PYTHONPATH"] = os.pathsep.join((str(root), str(root / "tests")))
    sys.dont_write_bytecode = bool(job.sources)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
