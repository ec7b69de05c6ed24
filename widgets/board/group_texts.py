"""The line above each group: truck, carrier, cut-off, minutes left, a rule, how many."""

from __future__ import annotations

from typing import Final, NamedTuple

from sync.contract.rows import Group, GroupKey
from sync.contract.stages import Stage
from widgets.board.brush import Brush
from widgets.board.card_words import Moment
from widgets.board.columns import Column
from widgets.board.rows import RowSource
from widgets.board.sprites import SpriteAtlas
from widgets.board.statics import TextCache, TextStyle
from widgets.board.texts import Urgency, left_text, moment_text, urgency
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look
from widgets.words import translate

LOOKED_AT: Final = 24
"""Cards of a group that are looked at to see whether one is at risk: the most urgent come first."""

_COUNT: Final = TextStyle(FontKey(13, 600, figures=True), "ink2")
_CARRIER: Final = TextStyle(FontKey(13, 600), "ink")
_PLAIN: Final = TextStyle(FontKey(13, 500, figures=True), "ink2")
_WORDS: Final = TextStyle(FontKey(13, 500), "ink2")
"""Words have no tabular figures: those widen the hyphen of "No cut-off"."""


class _Part(NamedTuple):
    """One word group of a header, with an icon before it or ""."""

    text: str
    style: TextStyle
    icon: str


class GroupTexts:
    """Draws group headers; remembers for a minute which groups hold an order at risk."""

    def __init__(self, look: Look, atlas: SpriteAtlas, texts: TextCache) -> None:
        """Use the pictures and texts of one look."""
        self._look = look
        self._atlas = atlas
        self._texts = texts
        self._known: dict[tuple[Stage, GroupKey], Urgency] = {}

    def forget(self) -> None:
        """Forget what is at risk: a minute passed or rows changed."""
        self._known.clear()

    def draw(self, brush: Brush, column: Column, number: int, moment: Moment, source: RowSource) -> None:
        """Draw the header of group ``number``: the carrier gets what the times leave."""
        look, box, group = self._look, column.header_box(number), column.groups[number]
        x, line = box.x + look.px(6), box.height
        end = box.right - look.px(6)
        icon, gap = look.px(16), look.px(8)
        brush.painter.drawPixmap(x, box.y + (line - icon) // 2, self._atlas.icon("truck", icon, "ink3"))
        x += look.px(24)
        end -= self._texts.lay(str(group.count), _COUNT.font).width
        brush.text(str(group.count), _COUNT, end, box.y, line)
        times = self._times(group, self._state(column, group, moment, source), moment)
        needed = sum(self._texts.lay(part.text, part.style.font).width + gap for part in times)
        needed += sum(look.px(19) for part in times if part.icon)
        name = group.key.carrier or translate("Board", "No carrier")
        name = self._texts.elide(name, _CARRIER.font, max(look.px(40), end - x - needed - 2 * gap))
        x += brush.text(name, _CARRIER, x, box.y, line) + gap
        for part in times:
            if part.icon:
                size = look.px(14)
                picture = self._atlas.icon(part.icon, size, part.style.token)
                brush.painter.drawPixmap(x, box.y + (line - size) // 2, picture)
                x += size + look.px(5)
            x += brush.text(part.text, part.style, x, box.y, line) + gap
        if end - x > look.px(16):
            brush.painter.fillRect(x, box.y + line // 2, end - x - gap, 1, look.colour("control"))

    def _times(self, group: Group, state: Urgency, moment: Moment) -> list[_Part]:
        """Return cut-off and time left, with an icon where somebody has to hurry."""
        cut_off = group.key.cut_off_ms
        if cut_off is None:
            return [_Part(translate("Board", "No cut-off"), _WORDS, "")]
        parts = [_Part(moment_text(cut_off, moment.now_ms, moment.zone), _PLAIN, "")]
        left = left_text(cut_off, moment.now_ms)
        if left and state is Urgency.NONE:
            parts.append(_Part(left, _PLAIN, ""))
        elif left:
            icon, token = (
                ("triangle-alert", "amber") if state is Urgency.AT_RISK else ("octagon-alert", "red")
            )
            parts.append(_Part(left, TextStyle(FontKey(13, 700, figures=True), token), icon))
        return parts

    def _state(self, column: Column, group: Group, moment: Moment, source: RowSource) -> Urgency:
        """Say whether the group is late, or holds an order that will be."""
        cut_off = group.key.cut_off_ms
        if cut_off is None:
            return Urgency.NONE
        if cut_off < moment.now_ms:
            return Urgency.LATE
        known = self._known.get((column.stage, group.key))
        if known is None:
            ids = column.ids[group.start : group.start + min(group.count, LOOKED_AT)]
            states = (urgency(row, moment.now_ms, moment.seconds_per_line) for row in source.rows(ids))
            known = Urgency.AT_RISK if Urgency.AT_RISK in states else Urgency.NONE
            self._known[(column.stage, group.key)] = known
        return known
