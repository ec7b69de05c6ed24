"""``make check`` runs every gate and fails when one fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import check, coverage, lock
from tools import test as test_command

BIN = Path(sys.executable).parent
GOOD = check.Gate("good", (("python", "-c", "print('fine')"),))
BAD = check.Gate("bad", (("python", "-c", "raise SystemExit('three things are wrong')"),))


def test_every_gate_runs_after_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """The first failure does not hide the next; what failed is told, what passed is quiet."""
    assert check.check([BAD, GOOD, BAD]) == 1
    shown = capsys.readouterr()
    assert shown.out.count("three things are wrong") == 2
    assert "good       ok" in shown.out
    assert "fine" not in shown.out
    assert shown.err == "make check: bad, bad failed\n"
    assert check.check([GOOD]) == 0


def test_a_silent_failure_is_told() -> None:
    """A program that fails without a word still fails the gate."""
    gate = check.Gate("silent", (("python", "-c", "raise SystemExit(3)"),))
    assert check.run_gate(gate) == "python exited with 3"


def test_an_unknown_gate_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that is no gate gets the list, exit code 2."""
    monkeypatch.setattr(sys, "argv", ["check.py", "mypi"])
    assert check.main() == 2
    assert "mypy" in capsys.readouterr().err


def test_every_gate_of_the_style_is_there() -> None:
    """Format, lint, types, layers, spelling and the wheel are gates."""
    assert [gate.name for gate in check.GATES] == ["format", "lint", "mypy", "layers", "spelling", "wheel"]


def test_a_whole_run_uses_both_cores_and_a_part_does_not() -> None:
    """Two workers for everything; one process for a few files."""
    assert test_command.command([])[3:] == ["-n", "2", "--dist", "worksteal"]
    assert test_command.command(["tests/guards"])[3:] == ["tests/guards"]


def test_tests_see_no_screen_and_no_keyring() -> None:
    """A developer's display and keyring are not the tests' business."""
    environment = test_command.environment({"DISPLAY": ":0", "HOME": "here"})
    assert "DISPLAY" not in environment
    assert environment["QT_QPA_PLATFORM"] == "offscreen"
    assert environment["PYTHON_KEYRING_BACKEND"] == "keyring.backends.null.Keyring"
    assert environment["HOME"] == "here"


def test_a_lock_keeps_no_address() -> None:
    """Lines with an address and blank lines are dropped, pins and hashes stay."""
    text = "--find-links file://somewhere\n\none==1 \\\n    --hash=sha256:ab\n    # via two\n"
    assert lock.tidy(text) == lock.HEADER + "one==1 \\\n    --hash=sha256:ab\n    # via two\n"


def test_what_must_be_covered_exists() -> None:
    """A place that was renamed would silently be covered by nobody."""
    for pattern in coverage.PLACES:
        assert list(check.ROOT.glob(pattern)), pattern
    for folder in coverage.TESTS:
        assert (check.ROOT / folder).exists(), folder
