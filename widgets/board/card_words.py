"""The words of cards that many cards share, remembered: times of a moment, counts; and their styles.

A page of new cards has to be ready within a frame. Asking the translator and the calendar again for
what the card above has asked already would take a third of it.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final, NamedTuple

from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from widgets.board.card_shape import CardShape
from widgets.board.statics import TextStyle
from widgets.board.texts import count_text, moment_text, time_text
from widgets.theme.fonts import FontKey

MAX_WORDS: Final = 500
"""Counts and times kept of each kind; beyond that they are asked for anew."""

_MINUTE_MS: Final = 60_000
# A member of an enumeration is looked up by a function: names in a module are not.
_CONFIRMED: Final = Stage.CONFIRMED


class Moment(NamedTuple):
    """When and where the words of a card are true."""

    now_ms: int
    zone: tzinfo
    seconds_per_line: float


class CardWords:
    """Remembers words by what they depend on."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._moment: Moment | None = None
        self._times: dict[int | None, str] = {}
        self._moments: dict[int, str] = {}
        self._counts: dict[tuple[bool, int, int, int], str] = {}

    def at(self, moment: Moment) -> None:
        """Tell times as they are at ``moment`` from now on."""
        if moment != self._moment:
            self._moment = moment
            self._times.clear()
            self._moments.clear()

    def time_left(self, cut_off_ms: int | None) -> str:
        """Return what :func:`~widgets.board.texts.time_text` says at the moment."""
        found = self._times.get(cut_off_ms)
        if found is None:
            assert self._moment is not None
            if len(self._times) >= MAX_WORDS:
                self._times.clear()
            found = time_text(cut_off_ms, self._moment.now_ms, self._moment.zone)
            self._times[cut_off_ms] = found
        return found

    def shipped(self, at_ms: int) -> str:
        """Return what :func:`~widgets.board.texts.moment_text` says; seconds make no difference to it."""
        minute = at_ms // _MINUTE_MS
        found = self._moments.get(minute)
        if found is None:
            assert self._moment is not None
            if len(self._moments) >= MAX_WORDS:
                self._moments.clear()
            found = self._moments[minute] = moment_text(at_ms, self._moment.now_ms, self._moment.zone)
        return found

    def count(self, row: CardRow) -> str:
        """Return what :func:`~widgets.board.texts.count_text` says."""
        key = (row.stage is _CONFIRMED, row.lines_total, row.lines_picked, row.pieces)
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= MAX_WORDS:
                self._counts.clear()
            found = self._counts[key] = count_text(row)
        return found


class CardStyles(NamedTuple):
    """Fonts and colours of the words on a card of one shape."""

    number: TextStyle
    time: TextStyle
    shipped: TextStyle
    customer: TextStyle
    customer_quiet: TextStyle
    city: TextStyle
    counted: TextStyle
    name: TextStyle
    quiet_count: TextStyle
    quiet_name: TextStyle
    band: FontKey
    link: FontKey

    @classmethod
    def of(cls, shape: CardShape) -> CardStyles:
        """Return the styles of ``shape``."""
        time, detail = FontKey(shape.time_font, 600, figures=True), FontKey(shape.detail_font)
        figures, band = detail._replace(figures=True), detail._replace(weight=600)
        customer = FontKey(shape.customer_font)
        return cls(
            number=TextStyle(FontKey(shape.number_font, 700, figures=True, zero=True), "ink"),
            time=TextStyle(time, "ink2"),
            shipped=TextStyle(time._replace(weight=500), "ink2"),
            customer=TextStyle(customer, "ink"),
            customer_quiet=TextStyle(customer, "ink2"),
            city=TextStyle(customer, "ink3"),
            counted=TextStyle(figures, "ink2"),
            name=TextStyle(detail, "ink2"),
            quiet_count=TextStyle(figures, "ink3"),
            quiet_name=TextStyle(detail, "ink3"),
            band=band,
            link=band._replace(underline=True),
        )
