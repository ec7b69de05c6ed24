"""Which Debian packages are missing, and how they get installed.

The list is ``packaging/system-packages.txt``: sections in brackets, one package a line, comments with #.
Root gets them installed; everybody else gets the exact command. Standard library only: this runs before
there is an environment.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

LIST_FILE = Path(__file__).resolve().parent.parent / "packaging" / "system-packages.txt"
APT_LISTS = Path("/var/lib/apt/lists")


class SetupError(Exception):
    """What keeps the machine from being set up, as a sentence for a person."""


def read_list(text: str) -> dict[str, list[str]]:
    """Return section name -> package names, in the order of the file."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        entry = line.split("#", 1)[0].strip()
        if entry.startswith("[") and entry.endswith("]"):
            current = sections.setdefault(entry[1:-1], [])
        elif entry:
            current.append(entry)
    return sections


def wanted(sections: dict[str, list[str]], *, with_tests: bool, can_make_venv: bool) -> list[str]:
    """Return the packages this machine must have."""
    names = list(sections["run"])
    if not can_make_venv:
        names += sections["venv"]
    if with_tests:
        names += sections["tests"]
    return names


def missing(names: list[str]) -> list[str]:
    """Return those of ``names`` that dpkg does not report as installed."""
    # dpkg-query exits with 1 when it does not know one of the names; what it printed still counts.
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    installed = {line.split()[0] for line in answer.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def can_make_venv() -> bool:
    """Return whether this interpreter has what ``python3 -m venv`` needs (Debian splits it off)."""
    return importlib.util.find_spec("ensurepip") is not None and importlib.util.find_spec("venv") is not None


def ensure(*, with_tests: bool, is_root: bool | None = None) -> None:
    """Make sure that the system packages are there.

    Raises:
        SetupError: with the exact command when somebody else must install them, or apt-get's last words.
    """
    if shutil.which("dpkg-query") is None:
        print("This is not a Debian system: packaging/system-packages.txt says what Qt needs.")
        return
    sections = read_list(LIST_FILE.read_text(encoding="utf-8"))
    is_root = os.geteuid() == 0 if is_root is None else is_root
    names = wanted(sections, with_tests=with_tests, can_make_venv=can_make_venv())
    if with_tests and is_root:
        # Others do without: their tests say what was skipped.
        names += sections.get("root-tests", [])
    absent = missing(names)
    if not absent:
        return
    if not is_root:
        command = f"sudo apt-get install {' '.join(absent)}"
        if not _has_lists():
            command = f"sudo apt-get update && {command}"
        message = f"System packages are missing. Install them with:\n  {command}"
        raise SetupError(message)
    print(f"Installing system packages: {' '.join(absent)}", flush=True)
    _install(absent)


def _has_lists() -> bool:
    """Return whether apt-get knows any package: a fresh image has no lists yet."""
    return any(APT_LISTS.glob("*_Packages*"))


def _install(names: list[str]) -> None:
    """Install with apt-get; refresh its lists first when there are none, and once more after a failure."""
    if not _has_lists():
        _apt_get("update")
    install = ["install", "--yes", "--no-install-recommends", *names]
    if _apt_get(*install) is None:
        return
    _apt_get("update")  # an old list names files that the mirror no longer has
    problem = _apt_get(*install)
    if problem is not None:
        message = f"apt-get could not install {' '.join(names)}. Its last words:\n{problem}"
        raise SetupError(message)


def _apt_get(*arguments: str) -> str | None:
    """Run apt-get; return None when it worked, else the end of what it said."""
    done = subprocess.run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return None if done.returncode == 0 else "\n".join(done.stdout.splitlines()[-5:])
