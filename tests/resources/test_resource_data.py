"""What lies in ``resources`` is data, complete and readable."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

from widgets.theme import ThemeName

ROOM = resources.files("resources")


def test_every_theme_has_its_file_and_no_other() -> None:
    """Files and names of themes are the same set."""
    files = {entry.name for entry in (ROOM / "themes").iterdir() if entry.name.endswith(".toml")}
    assert files == {f"{name.value}.toml" for name in ThemeName}


def test_style_sheets_are_numbered() -> None:
    """Their order is in their names."""
    names = [entry.name for entry in (ROOM / "qss").iterdir()]
    assert names
    assert all(re.fullmatch(r"\d\d_[a-z]+\.qss", name) for name in names)


def test_colours_are_written_in_full() -> None:
    """Six digits each: what the contrast is worked out from."""
    for name in ThemeName:
        table = tomllib.loads((ROOM / "themes" / f"{name.value}.toml").read_text(encoding="utf-8"))
        colours = [*table["colours"].values(), *table["avatars"], table["shadow_colour"]]
        assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in colours)


def test_the_pseudo_locale_marks_each_letter_once() -> None:
    """As many accented letters as plain ones, and none twice."""
    table = tomllib.loads((ROOM / "translations" / "pseudo.toml").read_text(encoding="utf-8"))
    assert len(table["from"]) == len(table["into"]) == len(set(table["from"])) == len(set(table["into"]))
