"""Dependencies: locked with hashes, one version of each, every one explained."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support import repository

LOCKS = ("run", "dev")
PROGRAMS = {
    "client": ("app", "widgets", "sync", "telemetry", "resources"),
    "server": ("server", "calendars", "databases", "intake", "sync/contract", "telemetry"),
}
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.IGNORECASE | re.MULTILINE)


def project() -> dict[str, list[str]]:
    """Return what pyproject.toml asks for: extra -> requirements, ``base`` for both programs."""
    table = tomllib.loads((repository.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"base": table["dependencies"], **table["optional-dependencies"]}


def pins(kind: str) -> dict[str, str]:
    """Return package -> version of a lock file."""
    return {canonicalize_name(name): version for name, version in PIN.findall(_lock(kind))}


def _lock(kind: str) -> str:
    """Return the text of a lock file."""
    return Path(repository.ROOT / "requirements" / f"{kind}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", LOCKS)
def test_every_pin_has_hashes(kind: str) -> None:
    """Each package of a lock is followed by at least one hash; the file holds pins, hashes, comments only."""
    text = _lock(kind)
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if entry.strip() and not entry.startswith("#")]
    assert entries
    for entry in entries:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry
    assert "://" not in text


def test_both_locks_agree() -> None:
    """What runs is what was tested: the lock for tests holds every pin of the lock for running."""
    assert pins("run").items() <= pins("dev").items()


@pytest.mark.parametrize(("kind", "extras"), [("run", ("base", "client", "server")), ("dev", ("dev",))])
def test_the_lock_has_what_the_project_asks_for(kind: str, extras: tuple[str, ...]) -> None:
    """Every requirement is locked at a version that it allows: after a change, ``make lock``."""
    locked = pins(kind)
    for extra in extras:
        for text in project()[extra]:
            requirement = Requirement(text)
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{text}: make lock"
            assert requirement.specifier.contains(version, prereleases=True), f"{text} is locked at {version}"


def test_every_dependency_is_explained() -> None:
    """``docs/third-party.md`` has a row for each package that is asked for, and no other row."""
    text = (repository.ROOT / "docs" / "third-party.md").read_text(encoding="utf-8")
    rows = {canonicalize_name(name) for name in re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)}
    asked = {canonicalize_name(Requirement(text).name) for texts in project().values() for text in texts}
    assert rows == asked


def test_every_package_of_the_web_boards_is_explained() -> None:
    """The table of npm packages has a row for each that is asked for, with the licence that the lock names.

    What they need in turn is under licences that ask for nothing more.
    """
    text = (repository.ROOT / "docs" / "third-party.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| npm: `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE))
    room = repository.ROOT / "bench" / "peers"
    asked = json.loads((room / "package.json").read_text(encoding="utf-8"))["dependencies"]
    locked = json.loads((room / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    licences = {place.removeprefix("node_modules/"): package["license"] for place, package in locked.items()}
    assert rows == {name: licences[name] for name in asked}
    assert set(licences.values()) <= {"0BSD", "Apache-2.0", "MIT"}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_imports_what_is_installed_with_it(program: str) -> None:
    """The client needs nothing of the server's extra, and the server installs where there is no Qt."""
    asked = {canonicalize_name(Requirement(text).name) for text in project()["base"] + project()[program]}
    homes = metadata.packages_distributions()
    for path in repository.modules(*PROGRAMS[program]):
        if "verification" in path.parts:
            continue  # the simulation runs where everything is installed
        for name in repository.imported(path):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in repository.ROOMS:
                continue
            found = {canonicalize_name(home) for home in homes.get(top, [top])}
            assert found & asked, f"{path.name} imports {name}, which the extra {program} lacks"
