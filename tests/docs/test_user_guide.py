"""The user guide tells everything that the program takes: options, sub-commands, keys."""

from __future__ import annotations

import argparse

import pytest

from app.main import make_parser
from support.repository import ROOT
from widgets.actions import ACTIONS, LATER, ActionSpec

GUIDE = (ROOT / "docs" / "user-guide.md").read_text(encoding="utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def _actions() -> list[argparse.Action]:
    return [each for each in make_parser()._actions if each.help is not argparse.SUPPRESS]


@pytest.mark.parametrize(
    "option",
    sorted(
        option
        for action in _actions()
        for option in action.option_strings
        if option.startswith("--") and option not in {"--help", "--version"}
    ),
)
def test_every_option_is_told(option: str) -> None:
    """Nobody has to guess what can be typed."""
    assert option in GUIDE + SETTINGS


def test_every_sub_command_is_told() -> None:
    """Each with the program's name before it."""
    (choices,) = [action.choices for action in _actions() if isinstance(action.choices, dict)]
    for name in choices:
        assert f"fulfillment-kanban {name}" in GUIDE


@pytest.mark.parametrize("spec", [spec for spec in ACTIONS if spec.keys and spec.id not in LATER])
def test_every_key_is_told(spec: ActionSpec) -> None:
    """The keyboard map of the guide is the one of the program."""
    assert any(f"`{key}`" in GUIDE for key in spec.keys), spec.keys
