"""System packages: one list, root installs, everybody else reads the command."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tools import system_packages

LIST = "# words\n[venv]\npython3-venv\n[run]\nlibone # why\nlibtwo\n\n[tests]\nxvfb\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pretended programs that stands first on the path, and a pretended list of packages."""
    folder = tmp_path / "bin"
    folder.mkdir()
    list_file = tmp_path / "list.txt"
    (tmp_path / "mirror_Packages").touch()
    list_file.write_text(LIST, encoding="utf-8")
    monkeypatch.setattr(system_packages, "LIST_FILE", list_file)
    monkeypatch.setattr(system_packages, "APT_LISTS", tmp_path)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def pretend(folder: Path, name: str, script: str) -> None:
    """Put a shell script in place of a program."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_list_has_sections_and_comments() -> None:
    """Comments and blank lines are not packages."""
    assert system_packages.read_list(LIST) == {
        "venv": ["python3-venv"],
        "run": ["libone", "libtwo"],
        "tests": ["xvfb"],
    }


def test_only_what_is_needed_is_wanted() -> None:
    """The X server is for tests; python3-venv only where Python cannot do it alone."""
    sections = system_packages.read_list(LIST)
    assert system_packages.wanted(sections, with_tests=False, can_make_venv=True) == ["libone", "libtwo"]
    assert system_packages.wanted(sections, with_tests=True, can_make_venv=False) == [
        "libone",
        "libtwo",
        "python3-venv",
        "xvfb",
    ]


def test_nothing_happens_when_all_is_there(programs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A complete machine is not touched and not talked about."""
    pretend(programs, "dpkg-query", "echo libone installed; echo libtwo installed")
    pretend(programs, "apt-get", "exit 9")
    system_packages.ensure(with_tests=False, is_root=True)
    assert capsys.readouterr().out == ""


def test_a_person_reads_the_exact_command(programs: Path) -> None:
    """Without root the command names what is missing, a removed package with configuration left included."""
    pretend(programs, "dpkg-query", "echo libone installed; echo libtwo config-files; exit 1")
    with pytest.raises(system_packages.SetupError, match=r"  sudo apt-get install libtwo xvfb$"):
        system_packages.ensure(with_tests=True, is_root=False)


def test_root_gets_what_some_tests_can_do_without(programs: Path, tmp_path: Path) -> None:
    """A person is not asked for it: those tests say that they were skipped."""
    with system_packages.LIST_FILE.open("a", encoding="utf-8") as file:
        file.write("[root-tests]\ndatabase\n")
    pretend(programs, "dpkg-query", "for name in libone libtwo xvfb; do echo $name installed; done")
    pretend(programs, "apt-get", f'echo "$@" > {tmp_path}/asked')
    system_packages.ensure(with_tests=True, is_root=False)
    assert not (tmp_path / "asked").exists()
    system_packages.ensure(with_tests=True, is_root=True)
    assert (tmp_path / "asked").read_text().split()[-1] == "database"


def test_the_command_works_on_a_fresh_image(programs: Path) -> None:
    """Where apt-get has no lists yet, the command gets them first."""
    (programs.parent / "mirror_Packages").unlink()
    pretend(programs, "dpkg-query", "echo libone installed")
    with pytest.raises(
        system_packages.SetupError, match=r"sudo apt-get update && sudo apt-get install libtwo$"
    ):
        system_packages.ensure(with_tests=False, is_root=False)


def test_root_gets_them_installed(programs: Path, tmp_path: Path) -> None:
    """Root's lists are refreshed when there are none, then exactly the missing packages are installed."""
    (tmp_path / "mirror_Packages").unlink()
    pretend(programs, "dpkg-query", "echo libone installed")
    pretend(programs, "apt-get", f'echo "$@" >> {tmp_path}/calls')
    system_packages.ensure(with_tests=False, is_root=True)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[3] for call in calls] == ["update", "install"]
    assert calls[1].endswith("install --yes --no-install-recommends libtwo")


def test_a_stale_list_is_refreshed_once(programs: Path, tmp_path: Path) -> None:
    """A failed installation is tried again after an update, and then its last words are told."""
    pretend(programs, "dpkg-query", "echo libone installed")
    pretend(programs, "apt-get", f'echo "$4" >> {tmp_path}/calls; echo "E: no such file"; exit 100')
    with pytest.raises(system_packages.SetupError, match=r"could not install libtwo.*\nE: no such file"):
        system_packages.ensure(with_tests=False, is_root=True)
    assert (tmp_path / "calls").read_text().split() == ["install", "update", "install"]


def test_another_system_goes_on(
    programs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there is no dpkg the list is pointed at and nothing is asked."""
    monkeypatch.setenv("PATH", str(programs))
    system_packages.ensure(with_tests=False, is_root=True)
    assert "packaging/system-packages.txt" in capsys.readouterr().out
