"""The web boards are made of exactly the packages that were chosen, by the ordinary client of npm."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from bench.peers.packages import BOARDS, ROOM, PeersError, build_boards, missing_programs

NPM = """#!/bin/sh
echo "$@" >> calls
mkdir -p node_modules/.bin
printf '#!/bin/sh\\nfor word in "$@"; do case "$word" in --outdir=*) mkdir -p "${word#*=}";; esac; done\\n' \
  > node_modules/.bin/esbuild
chmod +x node_modules/.bin/esbuild
"""


def room_json(name: str) -> dict[str, Any]:
    """Return a file of npm's."""
    found: dict[str, Any] = json.loads((ROOM / name).read_text(encoding="utf-8"))
    return found


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder that is looked into for programs before all others."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def put_program(folder: Path, name: str, text: str) -> None:
    """Write a program that a shell runs."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_every_version_is_exact_and_locked() -> None:
    """The boards of today are those of next year: no range is left to the day of the measurement."""
    asked = room_json("package.json")["dependencies"]
    locked = room_json("package-lock.json")["packages"]
    for name, version in asked.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), name
        assert locked[f"node_modules/{name}"]["version"] == version
    assert locked[""]["dependencies"] == asked


def test_the_lock_has_hashes_and_no_addresses() -> None:
    """Each package is known by its hash, wherever a machine fetches it from."""
    for place, package in room_json("package-lock.json")["packages"].items():
        if place:
            assert package["integrity"].startswith("sha512-"), place
            assert "resolved" not in package, place


def test_every_board_has_its_source() -> None:
    """Each board that is built is a file of the room."""
    assert all((ROOM / "boards" / f"{board}.jsx").is_file() for board in BOARDS)


def test_the_packages_are_installed_once(tmp_path: Path, programs: Path) -> None:
    """A second run finds them there; scripts of packages never run."""
    put_program(programs, "npm", NPM)
    folder = tmp_path / "built"
    assert build_boards(folder) == build_boards(folder)
    calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
    assert calls == ["ci --ignore-scripts --no-audit --no-fund"]
    assert (folder / "boards").is_dir()


def test_what_npm_says_last_is_one_sentence(tmp_path: Path, programs: Path) -> None:
    """Without a network there is no trace to read, and the next run tries again."""
    put_program(programs, "npm", "#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    with pytest.raises(PeersError, match=r"^npm could not install the packages: no network$"):
        build_boards(tmp_path / "built")
    assert not (tmp_path / "built" / "installed").exists()


def test_what_is_missing_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line names all that has to be installed."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_programs().endswith("sudo apt-get install nodejs npm xvfb chromium")


def test_nothing_is_missing_where_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has everything is asked for nothing."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert missing_programs() == ""
