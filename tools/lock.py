"""``make lock``: write the hash-locked requirements from pyproject.toml.

``requirements/run.txt`` holds what both programs need, ``requirements/dev.txt`` the same versions and
what tests and gates need besides. Resolved for the oldest supported Python, so that what it needs extra
is in; the hashes of every file of a version are, so newer Pythons install from the same lock. No file
records where the packages came from.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = """\
# Locked with hashes by make lock (tools/lock.py) from pyproject.toml. Do not edit.
"""
OPTIONS = [
    "--quiet",
    "--generate-hashes",
    "--allow-unsafe",
    "--strip-extras",
    "--no-header",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-emit-options",
    "--build-deps-for=editable",
]
PROGRAMS = ["client", "server", "server-postgresql"]
EXTRAS = {"run": PROGRAMS, "dev": [*PROGRAMS, "dev"]}


def tidy(text: str) -> str:
    """Return the lock without comments that name files of this machine, and without blank lines."""
    kept = [line for line in text.splitlines() if line.strip() and "://" not in line]
    return HEADER + "\n".join(kept) + "\n"


def compile_one(kind: str, upgrade: bool) -> None:
    """Resolve one lock file; versions already locked stay unless ``upgrade``."""
    target = Path("requirements") / f"{kind}.txt"
    (ROOT / target.parent).mkdir(exist_ok=True)
    command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, f"--output-file={target}"]
    command += [f"--extra={extra}" for extra in EXTRAS[kind]]
    if kind == "dev":
        command += ["--constraint=requirements/run.txt"]
    if upgrade:
        command += ["--upgrade"]
    subprocess.run([*command, "pyproject.toml"], cwd=ROOT, check=True)
    path = ROOT / target
    path.write_text(tidy(path.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> int:
    """Write both lock files; ``UPGRADE=1`` in the environment takes the newest versions."""
    upgrade = bool(os.environ.get("UPGRADE"))
    for kind in EXTRAS:
        try:
            compile_one(kind, upgrade)
        except subprocess.CalledProcessError as error:
            print(
                f"requirements/{kind}.txt could not be resolved (exit {error.returncode}).", file=sys.stderr
            )
            return 1
        print(f"requirements/{kind}.txt written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
