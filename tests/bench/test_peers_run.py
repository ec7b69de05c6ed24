"""``make bench-peers`` says in one line what keeps it from measuring, and stops in time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bench.peers import run
from bench.peers.figures import Asked
from bench.peers.packages import PeersError
from bench.peers.programs import WebBoard
from bench.peers.run import Amount, Boards, Comparison
from bench.peers.screen import Picture, Screen


@pytest.fixture(autouse=True)
def _same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment be as it was after a run."""
    monkeypatch.setattr("sys.argv", ["bench-peers"])
    monkeypatch.setattr(run, "_set_environment", lambda: None)


def test_a_missing_program_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is started; the exit code is 1."""
    monkeypatch.setattr(run, "missing_programs", lambda: "Chromium is not here.")
    assert run.main() == 1
    assert capsys.readouterr().err == "Chromium is not here.\n"


def test_packages_that_cannot_be_had_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No trace of Python, no half result."""

    def compare(many: int, rounds: int, boards: tuple[str, ...]) -> Comparison:
        raise PeersError("npm could not install the packages: no network")

    monkeypatch.setattr(run, "missing_programs", lambda: "")
    monkeypatch.setattr(run, "compare", compare)
    assert run.main() == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_after_the_deadline_no_board_is_begun() -> None:
    """What was not measured is named, and nothing is started for it."""
    screen = Screen(":0", Picture(bytes(44) + (32).to_bytes(4, "big") + bytes(52)), None)
    comparison = Comparison(screen, deadline=time.monotonic() - 1)
    board = WebBoard("virtual", "no-such-browser", "", Path(), ":0")
    comparison.ask(Asked("virtual", 1_000), board, Amount(1, 1, 1, 1))
    assert comparison.answered == {}
    assert comparison.failures == ["peers.virtual_1k was not measured: the 540 s were over"]


def test_every_web_board_has_a_profile_of_its_own(tmp_path: Path) -> None:
    """What one board keeps does not warm another; the link leads to the board."""
    boards = Boards(tmp_path, "http://127.0.0.1:1", "chromium", ":0")
    _, link = boards.web(Asked("virtual", 1_000))
    boards.web(Asked("virtual", 5_000))
    assert link == "http://127.0.0.1:1/click?to=/virtual?count=1000"
    assert {path.name for path in tmp_path.iterdir()} == {"virtual-1000", "virtual-5000"}
