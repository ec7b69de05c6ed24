"""Every pair of colours in use can be read: the WCAG ratios are worked out from the tokens."""

from __future__ import annotations

import pytest

from widgets.theme import ThemeName, contrast, load_theme

TEXT_PAIRS = (
    *(
        (ink, ground)
        for ink in ("ink", "ink2", "ink3")
        for ground in ("surface", "surface2", "track", "canvas")
    ),
    *((ink, "bluetint") for ink in ("ink", "ink2", "ink3", "blue")),
    *(("blue", ground) for ground in ("surface", "track")),
    *((f"on{name}", f"{name}fill") for name in ("blue", "amber", "red", "green", "violet", "hold")),
    *((name, f"{name}tint") for name in ("amber", "red", "green", "violet", "hold")),
    *((name, "surface") for name in ("amber", "red", "green", "violet", "hold")),
    *(("ink", f"{name}tint") for name in ("amber", "red", "blue")),
    ("amber", "track"),
    ("red", "track"),
    ("red", "redtint"),
    ("green", "surface2"),
    ("oninverse", "inverse"),
    ("inverse2", "inverse"),
)
EDGE_PAIRS = (
    ("control", "surface"),
    ("control", "track"),
    ("control", "canvas"),
    ("focus", "surface"),
    ("focus", "track"),
    ("bluefill", "track"),
    ("redfill", "surface"),
    ("violetfill", "surface"),
    ("violetfill", "track"),
    ("amber", "canvas"),
)


@pytest.mark.parametrize("name", list(ThemeName))
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read(name: ThemeName, ink: str, ground: str) -> None:
    """Text has at least 4.5 to 1 against what it stands on."""
    colours = load_theme(name).colours
    assert contrast(colours[ink], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", list(ThemeName))
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_and_marks_can_be_seen(name: ThemeName, edge: str, ground: str) -> None:
    """What carries meaning without words has at least 3 to 1 against what is beside it."""
    colours = load_theme(name).colours
    assert contrast(colours[edge], colours[ground]) >= 3.0


@pytest.mark.parametrize("name", list(ThemeName))
def test_initials_can_be_read(name: ThemeName) -> None:
    """White initials have at least 4.5 to 1 on every avatar colour."""
    for colour in load_theme(name).avatars:
        assert contrast("#FFFFFF", colour) >= 4.5


def test_ratios_are_those_of_the_standard() -> None:
    """Black on white is 21, equal colours are 1, and the order does not matter."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21.0)
    assert contrast("#123456", "#123456") == pytest.approx(1.0)
    light = load_theme(ThemeName.LIGHT).colours
    assert contrast(light["ink"], light["surface"]) == pytest.approx(18.15, abs=0.01)
