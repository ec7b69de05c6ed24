"""The admin guide names every sub-command, option and route of the server."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

import pytest

from server.main import all_commands, make_parser
from server.modules import MODULES
from support.repository import ROOT

GUIDE = (ROOT / "docs" / "admin-guide.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """Return the text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", GUIDE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parsers(
    parser: argparse.ArgumentParser, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Give every parser below this one, with the words that lead to it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield (*words, name), below
                yield from parsers(below, (*words, name))


ALL = list(parsers(make_parser()))


@pytest.mark.parametrize(("words", "parser"), ALL, ids=[" ".join(words) for words, _ in ALL])
def test_every_sub_command_and_option_is_in_the_guide(
    words: tuple[str, ...], parser: argparse.ArgumentParser
) -> None:
    """In the section of its command."""
    section = sections().get(words[0], "")
    assert section, f"docs/admin-guide.md has no section ## {words[0]}"
    if len(words) > 1:
        assert f"`{' '.join(words)}`" in section
    for action in parser._actions:
        for option in action.option_strings:
            if option.startswith("--") and option != "--help":
                assert re.search(rf"`{option}[ `]", section), f"{option} of {' '.join(words)} is missing"
        for choice in action.choices or () if action.option_strings else ():
            assert f"`{choice}`" in section, f"{choice} of {' '.join(words)} is missing"


def test_the_guide_invents_no_command_and_no_option() -> None:
    """What was taken out of the program leaves the guide, too."""
    options = {option for _, parser in ALL for action in parser._actions for option in action.option_strings}
    named = set(re.findall(r"`(--[a-z-]+)[ `]", GUIDE))
    assert named - options - {"--version"} == set()
    assert {command.name for command in all_commands()} <= set(sections())


def test_every_route_is_in_the_guide() -> None:
    """With its method."""
    for module in MODULES:
        for route in module.routes:
            assert f"`{route.method} {route.path}`" in GUIDE
