"""The line above each group: truck, carrier, cut-off, minutes left, a rule, how many."""

from __future__ import annotations

from typing import Final

from sync.contract.rows import Group, GroupKey
from sync.contract.stages import Stage
from widgets.board.brush import Brush
from widgets.board.columns import Column
from widgets.board.prepared import Moment
from widgets.board.rows import RowSource
from widgets.board.sprites import SpriteAtlas
from widgets.board.statics import TextCache, TextStyle
from widgets.board.texts import Urgency, left_text, moment_text, urgency
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look
from widgets.words import translate

LOOKED_AT: Final = 24
"""Cards of a group that are looked at to see whether one is at risk: the most urgent come first."""


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

    def draw(  # noqa: PLR0913 - one header needs its column, its time and its rows
        self, brush: Brush, column: Column, number: int, moment: Moment, source: RowSource
    ) -> None:
        """Draw the header of group ``number``."""
        look, box, group = self._look, column.header_box(number), column.groups[number]
        x, line = box.x + look.px(6), box.height
        end = box.right - look.px(6)
        icon = look.px(16)
        brush.painter.drawPixmap(x, box.y + (line - icon) // 2, self._atlas.icon("truck", icon, "ink3"))
        x += look.px(24)
        count = TextStyle(FontKey(13, 600, figures=True), "ink2")
        end -= self._texts.lay(str(group.count), count.font).width
        brush.text(str(group.count), count, end, box.y, line)
        carrier = TextStyle(FontKey(13, 600), "ink")
        name = group.key.carrier or translate("Board", "No carrier")
        name = self._texts.elide(name, carrier.font, max(look.px(40), end - x - look.px(190)))
        x += brush.text(name, carrier, x, box.y, line) + look.px(9)
        x = self._times(brush, group, self._state(column, group, moment, source), moment, x, box.y, line)
        y = box.y + line // 2
        if end - x > look.px(24):
            brush.painter.fillRect(x, y, end - x - look.px(8), 1, look.colour("control"))

    def _times(
        self, brush: Brush, group: Group, state: Urgency, moment: Moment, x: int, y: int, line: int
    ) -> int:
        """Draw cut-off and time left; return where the rule may begin."""
        look, cut_off = self._look, group.key.cut_off_ms
        plain = TextStyle(FontKey(13, 500, figures=True), "ink2")
        if cut_off is None:
            return x + brush.text(translate("Board", "No cut-off"), plain, x, y, line) + look.px(8)
        x += brush.text(moment_text(cut_off, moment.now_ms, moment.zone), plain, x, y, line) + look.px(8)
        left = left_text(cut_off, moment.now_ms)
        if not left:
            return x
        style = plain
        if state is not Urgency.NONE:
            icon, token = ("triangle-alert", "amber") if state is Urgency.AT_RISK else ("octagon-alert", "red")
            style = TextStyle(FontKey(13, 700, figures=True), token)
            size = look.px(14)
            brush.painter.drawPixmap(x, y + (line - size) // 2, self._atlas.icon(icon, size, token))
            x += size + look.px(5)
        return x + brush.text(left, style, x, y, line) + look.px(8)

    def _state(
        self, column: Column, group: Group, moment: Moment, source: RowSource
    ) -> Urgency:
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
