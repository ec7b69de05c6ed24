"""The demo board: harmless to ask for twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.main import main


def test_the_command_adds_only_what_is_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same demo again changes nothing; a larger one adds the rest."""
    where = ["--data", str(tmp_path / "data")]
    assert main(["setup", *where, "--organization", "O", "--site", "S", "--user", "Ana"]) == 0
    capsys.readouterr()
    assert main(["demo", *where, "--orders", "20"]) == 0
    assert capsys.readouterr().out == "20 demo orders new, 0 already here.\n"
    assert main(["demo", *where, "--orders", "25"]) == 0
    assert capsys.readouterr().out == "5 demo orders new, 20 already here.\n"


def test_a_wrong_number_is_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A negative number of orders is refused before anything is opened."""
    assert main(["demo", "--data", str(tmp_path / "none"), "--orders", "-1"]) == 2
    assert "--orders" in capsys.readouterr().err
