"""Themes, fonts, icons and style sheets: made in one place, complete in every theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtGui import QFontMetricsF

from widgets.theme import TEXT_SCALES, Look, ThemeName, load_theme
from widgets.theme.fonts import WEIGHTS, FontKey
from widgets.theme.icons import ICON_NAMES, LucideFile
from widgets.theme.style import fill_template, read_templates

WIDGETS = Path(__file__).resolve().parents[3] / "widgets"


def test_all_themes_have_the_same_tokens() -> None:
    """A token that one theme has, every theme has."""
    tokens = {name: set(load_theme(name).colours) for name in ThemeName}
    assert len(set(map(frozenset, tokens.values()))) == 1


@pytest.mark.parametrize("name", list(ThemeName))
@pytest.mark.parametrize("scale", TEXT_SCALES)
def test_style_sheets_are_filled_completely(name: ThemeName, scale: int) -> None:
    """No placeholder is left, in any theme, at any text size."""
    filled = fill_template(read_templates(), load_theme(name), scale)
    assert "@" not in filled
    assert "QPushButton" in filled


def test_an_unknown_token_is_an_error() -> None:
    """A typing mistake in a template is found at once."""
    with pytest.raises(KeyError):
        fill_template("QLabel { color: @inkk; }", load_theme(ThemeName.LIGHT), 100)


def test_style_sheets_never_set_fonts() -> None:
    """Weights in a style sheet have no effect on the variable font, so none may stand there."""
    rules = re.sub(r"/\*.*?\*/", "", read_templates(), flags=re.DOTALL)
    assert "font" not in rules


def test_pixels_of_style_sheets_grow_with_the_text() -> None:
    """A length in a template is at 100 %."""
    assert fill_template("a { width: @px(10); }", load_theme(ThemeName.LIGHT), 150) == "a { width: 15px; }"


def test_each_weight_draws_differently(look: Look) -> None:
    """The axis of the variable font is set: heavier is wider."""
    widths = [QFontMetricsF(look.font(16, weight)).horizontalAdvance("Harbour Yard") for weight in WEIGHTS]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(widths)


def test_figures_have_one_width_and_hyphens_stay_narrow(look: Look) -> None:
    """Figure fonts align columns of numbers; fonts for prose keep the hyphen of a bin narrow."""
    figures = QFontMetricsF(look.font(16, 600, figures=True))
    prose = QFontMetricsF(look.font(16, 600))
    assert figures.horizontalAdvance("111111") == figures.horizontalAdvance("888888")
    assert prose.horizontalAdvance("111111") < prose.horizontalAdvance("888888")
    assert prose.horizontalAdvance("-") < figures.horizontalAdvance("-")


def test_fonts_are_made_once_and_grow(look: Look) -> None:
    """The same key gives the same font; a larger text scale gives more pixels."""
    key = FontKey(14, 500)
    assert look.fonts.font(key) is look.fonts.font(key)
    assert look.with_scale(200).font(14).pixelSize() == 28
    assert look.with_scale(900).scale_percent == 200
    assert look.with_scale(1).scale_percent == 100


def test_lengths_are_rounded_up(look: Look) -> None:
    """A scaled length never loses the last line of a text."""
    assert look.with_scale(125).px(9) == 12
    assert look.px(9) == 9


def test_every_icon_in_use_exists() -> None:
    """All names are in the package, and every name written in the code is in the list."""
    read = LucideFile()
    assert all(b"<svg" in read(name) for name in ICON_NAMES)
    pattern = re.compile(r'(?:\.icon|\.pixmap|button_icon)\(\s*"([a-z0-9-]+)"')
    used = {
        name for path in WIDGETS.rglob("*.py") for name in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= set(ICON_NAMES)


def test_icons_are_rendered_once_in_their_colour(look: Look) -> None:
    """The same question gives the same picture, and its pixels have the token's colour."""
    first = look.pixmap("circle", 18, "red")
    assert look.pixmap("circle", 18, "red") is first
    image = first.toImage()
    strongest = max(
        (image.pixelColor(x, y) for x in range(18) for y in range(18)), key=lambda one: one.alpha()
    )
    assert abs(strongest.red() - look.colour("red").red()) <= 3
    assert look.pixmap("circle", 18, "red", 2.0).width() == 36


def test_icons_have_a_limit(look: Look) -> None:
    """Asking for many sizes does not keep them all."""
    from widgets.theme.icons import Icons

    icons = Icons(LucideFile(("x",)))
    for px in range(8, 24):
        for number in range(40):
            icons.pixmap("x", px, f"#0000{number:02X}")
    assert len(icons._rendered) <= 512


def test_an_unknown_icon_is_an_error(look: Look) -> None:
    """A typing mistake does not paint an empty square."""
    with pytest.raises(KeyError):
        look.pixmap("no-such-icon", 18, "ink")
