"""From a fresh machine to a virtual environment: ``python3 tools/bootstrap.py [--dev]``.

System packages first, then ``.venv`` from the hash-locked requirements, then this project in place. Each
result is stamped with a digest of what it was made from, so a second run only compares. Standard library
only, and never a traceback: what goes wrong is a sentence, exit code 1.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

if __package__ in {None, ""}:  # started as a script: let it find its neighbours
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import system_packages
from tools.system_packages import SetupError

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)


class Environment:
    """The virtual environment of one checkout.

    ``root`` is the checkout; ``kind`` is ``run`` (both programs) or ``dev`` (all that tests and gates
    need besides).
    """

    def __init__(self, root: Path, kind: str) -> None:
        self.root = root
        self.kind = kind
        self.folder = root / ".venv"
        self.python = self.folder / "bin" / "python"
        self.lock = root / "requirements" / f"{kind}.txt"

    def origin(self) -> str:
        """Say what the environment belongs to: scripts and links in it hold these for good."""
        return f"python {sys.version_info[0]}.{sys.version_info[1]} at {self.root}\n"

    def digest(self, kind: str) -> str:
        """Return the digest of everything that the packages in the environment were chosen by."""
        lock = self.root / "requirements" / f"{kind}.txt"
        parts = [lock.read_bytes(), (self.root / "pyproject.toml").read_bytes(), self.origin().encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def is_current(self) -> bool:
        """Return whether nothing has to be done; a ``dev`` environment serves for ``run`` too."""
        if not self.python.exists() or _text(self.folder / "origin") != self.origin():
            return False
        kinds = {self.kind, "dev"}
        return any(_text(self.folder / f"stamp-{kind}") == self.digest(kind) for kind in kinds)

    def make(self) -> None:
        """Create or renew the environment.

        Raises:
            SetupError: when the environment or a package cannot be made, with pip's last words.
        """
        if not self.python.exists() or _text(self.folder / "origin") != self.origin():
            print("Making the virtual environment .venv", flush=True)
            shutil.rmtree(self.folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(self.folder)], "make the virtual environment")
            (self.folder / "origin").write_text(self.origin(), encoding="utf-8")
        print(f"Installing the packages of requirements/{self.kind}.txt: a minute or two, once", flush=True)
        pip = [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-q"]
        # The lock is complete, so nothing is resolved: a release made after the lock, of a package that
        # another one asks for with an extra, would be taken for a candidate and refused for its hash.
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(self.lock)], "install the locked packages")
        # hatchling is among the locked packages: building in isolation would fetch an unlocked one.
        in_place = ["--no-deps", "--no-build-isolation", "-e", str(self.root)]
        _run([*pip, *in_place], "install this project in its environment")
        # pip compiles what it copies, but not what it only points to: every first start would do it.
        rooms = [str(room.parent) for room in self.root.glob("*/__init__.py")]
        _run([str(self.python), "-m", "compileall", "-q", *rooms], "compile this project")
        (self.folder / f"stamp-{self.kind}").write_text(self.digest(self.kind), encoding="utf-8")


def _text(path: Path) -> str | None:
    """Return the text of a small file, None when there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None


def _run(command: list[str], purpose: str) -> None:
    """Run a quiet command; raise with the end of what it said when it fails."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last_words = "\n".join(f"  {line}" for line in done.stdout.splitlines()[-8:])
        message = f"Could not {purpose}. The last words were:\n{last_words}"
        raise SetupError(message)


def bootstrap(kind: str) -> None:
    """Make this machine ready for ``run`` or ``dev``.

    Raises:
        SetupError: a sentence that says what is missing and what to do.
    """
    if sys.version_info < OLDEST_PYTHON:
        message = f"Python 3.11 or later is needed; {sys.executable} is {sys.version.split()[0]}."
        raise SetupError(message)
    started = time.monotonic()
    system_packages.ensure(with_tests=kind == "dev")
    environment = Environment(ROOT, kind)
    if not environment.is_current():
        environment.make()
        print(f"Ready after {time.monotonic() - started:.0f} s", flush=True)


def run_safely(kind: str) -> int:
    """Bootstrap and return the exit code; every failure is a sentence on standard error."""
    try:
        bootstrap(kind)
    except SetupError as problem:
        print(problem, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The machine could not be set up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def main() -> int:
    """Read the command line and bootstrap."""
    parser = argparse.ArgumentParser(description="Install what the programs, or tests and gates, need.")
    parser.add_argument("--dev", action="store_true", help="also what make test and make check need")
    return run_safely("dev" if parser.parse_args().dev else "run")


if __name__ == "__main__":
    sys.exit(main())
