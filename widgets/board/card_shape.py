"""Where the parts of a card lie, per density, in pixels from the card's top left corner."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Final

from widgets.board.geometry import Density, scaled


@dataclass(frozen=True, eq=False)
class CardShape:
    """The anatomy of one density at one text scale; lengths are pixels, fonts stay at 100 %.

    There is one of each, so it is equal to itself alone: every picture's key holds it, and a hash over all
    of its lengths would cost a tenth of a card.
    """

    height: int
    glyph_x: int
    glyph_y: int
    glyph: int
    text_x: int
    number_y: int
    number_line: int
    tag_y: int
    tag: int
    tag_gap: int
    pill_right: int
    pill_y: int
    pill_height: int
    pill_pad: int
    pill_icon: int
    customer_y: int
    customer_line: int
    customer_right: int
    pips_y: int
    pip_width: int
    pip_height: int
    bar_width: int
    detail_line: int
    avatar_right: int
    avatar_y: int
    avatar: int
    name_from_width: int
    band_y: int
    band_height: int
    band_icon: int
    number_font: int
    time_font: int
    customer_font: int
    detail_font: int

    @property
    def has_pips(self) -> bool:
        """Whether a row of pips or a band stands below the customer."""
        return self.pips_y > 0


_FONTS: Final = frozenset({"number_font", "time_font", "customer_font", "detail_font"})

SHAPES: Final = {
    Density.COMFORTABLE: CardShape(
        height=84, glyph_x=12, glyph_y=12, glyph=18, text_x=38, number_y=9, number_line=22, tag_y=12, tag=16,
        tag_gap=6, pill_right=10, pill_y=9, pill_height=24, pill_pad=8, pill_icon=15, customer_y=33,
        customer_line=18, customer_right=12, pips_y=62, pip_width=9, pip_height=8, bar_width=112,
        detail_line=18,
        avatar_right=10, avatar_y=55, avatar=22, name_from_width=340, band_y=55, band_height=29, band_icon=16,
        number_font=17, time_font=14, customer_font=14, detail_font=13,
    ),
    Density.COMPACT: CardShape(
        height=52, glyph_x=12, glyph_y=8, glyph=18, text_x=38, number_y=5, number_line=22, tag_y=8, tag=16,
        tag_gap=6, pill_right=10, pill_y=4, pill_height=24, pill_pad=8, pill_icon=15, customer_y=27,
        customer_line=18, customer_right=110, pips_y=0, pip_width=9, pip_height=8, bar_width=112,
        detail_line=18,
        avatar_right=10, avatar_y=27, avatar=18, name_from_width=340, band_y=0, band_height=0, band_icon=16,
        number_font=15, time_font=14, customer_font=13, detail_font=13,
    ),
    Density.FLOOR: CardShape(
        height=132, glyph_x=16, glyph_y=18, glyph=28, text_x=60, number_y=12, number_line=36,
        tag_y=19, tag=22,
        tag_gap=6, pill_right=14, pill_y=14, pill_height=38, pill_pad=12, pill_icon=22, customer_y=54,
        customer_line=26, customer_right=16, pips_y=97, pip_width=16, pip_height=14, bar_width=160,
        detail_line=26, avatar_right=14, avatar_y=86, avatar=34, name_from_width=340, band_y=92,
        band_height=40,
        band_icon=24, number_font=28, time_font=20, customer_font=20, detail_font=20,
    ),
}  # fmt: skip
"""The table of the design at 100 %."""


@cache
def shape_at(density: Density, scale_percent: int) -> CardShape:
    """Return the shape of ``density`` at a text scale; fonts scale elsewhere and stay as they are."""
    shape = SHAPES[density]
    lengths = {
        each.name: scaled(getattr(shape, each.name), scale_percent)
        for each in fields(shape)
        if each.name not in _FONTS
    }
    return replace(shape, **lengths)
