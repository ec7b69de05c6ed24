"""Makes the web boards: packages by the ordinary npm client, put together by esbuild, below ``build/peers``.

``package.json`` names exact versions, ``package-lock.json`` their hashes. Scripts of packages are not run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOM = Path(__file__).resolve().parent
FILES = ("package.json", "package-lock.json")
BOARDS = ("pangea", "dnd-kit", "pragmatic", "virtual")
_NPM_S = 180
_ESBUILD_S = 60


class PeersError(Exception):
    """Why the web boards cannot be made or run, as a sentence for a person."""


def missing_programs() -> str:
    """Return one sentence about the programs that this needs and cannot find; empty when all are there."""
    wanted = {"node": "nodejs", "npm": "npm", "Xvfb": "xvfb", "chromium": "chromium"}
    absent = [package for program, package in wanted.items() if shutil.which(program) is None]
    if not absent:
        return ""
    names = " ".join(absent)
    return f"The web boards need what is not installed here. Install it with: sudo apt-get install {names}"


def build_boards(folder: Path) -> Path:
    """Install the packages below ``folder`` unless they are there, build all boards; return where they are.

    Raises:
        PeersError: when npm or esbuild fails, with its last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp, digest = folder / "installed", _digest()
    if not stamp.is_file() or stamp.read_text(encoding="ascii") != digest:
        stamp.unlink(missing_ok=True)
        for name in FILES:
            shutil.copyfile(ROOM / name, folder / name)
        # What chooses the packages is in the two files; nothing of a package runs before it is used.
        words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        _run(words, folder, _NPM_S, "npm could not install the packages")
        stamp.write_text(digest, encoding="ascii")
    built = folder / "boards"
    _run(
        [
            str(folder / "node_modules" / ".bin" / "esbuild"),
            *(str(ROOM / "boards" / f"{board}.jsx") for board in BOARDS),
            "--bundle",
            "--minify",
            "--format=iife",
            "--jsx=automatic",
            "--target=es2023",
            '--define:process.env.NODE_ENV="production"',
            f"--outdir={built}",
            "--log-level=warning",
        ],
        folder,
        _ESBUILD_S,
        "esbuild could not build the boards",
    )
    return built


def _digest() -> str:
    return hashlib.sha256(b"".join((ROOM / name).read_bytes() for name in FILES)).hexdigest()


def _run(words: list[str], folder: Path, within_s: float, problem: str) -> None:
    """Run a program of the build to its end."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**os.environ, "NODE_PATH": str(folder / "node_modules")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=within_s,
        )
    except subprocess.TimeoutExpired:
        raise PeersError(f"{problem} within {within_s:g} s.") from None
    if done.returncode != 0:
        last_words = " ".join(f"{done.stdout}\n{done.stderr}".split())[-300:]
        raise PeersError(f"{problem}: {last_words}")
