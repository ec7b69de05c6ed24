"""The colours and numbers of a theme, read once from ``resources/themes``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources


class ThemeName(StrEnum):
    """The themes; the value is the file's name and what settings store."""

    LIGHT = "light"
    DARK = "dark"
    HIGH_CONTRAST = "high_contrast"


@dataclass(frozen=True)
class Theme:
    """One theme: colour tokens by name (``#RRGGBB``) and the few numbers that differ."""

    name: ThemeName
    is_dark: bool
    is_high_contrast: bool
    border_px: int
    hatch_percent: int
    shadow_percent: int
    shadow_colour: str
    avatars: tuple[str, ...]
    colours: Mapping[str, str]


def load_theme(name: ThemeName) -> Theme:
    """Read a theme from the package's data."""
    text = (resources.files("resources") / "themes" / f"{name.value}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return Theme(
        name=name,
        is_dark=table["is_dark"],
        is_high_contrast=table["is_high_contrast"],
        border_px=table["border_px"],
        hatch_percent=table["hatch_percent"],
        shadow_percent=table["shadow_percent"],
        shadow_colour=table["shadow_colour"],
        avatars=tuple(table["avatars"]),
        colours=table["colours"],
    )


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#RRGGBB`` as WCAG 2 defines it, 0 to 1."""
    parts = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the WCAG contrast ratio of two ``#RRGGBB`` colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
