"""From a row to what is drawn: a background, small pictures, laid-out texts, all at fixed offsets.

Preparing costs about 0.04 ms a card and happens once per change; drawing a prepared card is a few
copies. Nothing here paints.
"""

from __future__ import annotations

from typing import Final

from sync.contract.rows import CardRow, Fate
from sync.contract.stages import Stage
from widgets.board.card_parts import ClaimPart, CountPart, PlainPart, TimePart
from widgets.board.card_shape import CardShape
from widgets.board.card_sheet import SETTLES_AFTER, CardSheet, PreparedCard
from widgets.board.card_words import CardStyles, CardWords, Moment
from widgets.board.geometry import Box
from widgets.board.sprites import BAND_ICONS, BAND_TOKENS, Avatar, Face, Pips, SpriteAtlas
from widgets.board.statics import TextCache, TextStyle
from widgets.board.texts import Band, BandKind, Urgency, after_dot, avatar_index, band_of, urgency
from widgets.theme.look import Look
from widgets.words import translate

_MAX_TAGS: Final = 3
_TAG_ICONS: Final = {"gift": "gift", "cold": "snowflake", "frozen": "snowflake", "fragile": "package-open"}
_PILLS: Final = {
    Urgency.AT_RISK: ("triangle-alert", "amberfill", "onamber"),
    Urgency.LATE: ("octagon-alert", "redfill", "onred"),
}
_CANCELLED: Final = ("octagon-alert", "redfill", "onred")
_HELD: Final = ("circle-pause", "holdfill", "onhold")
# A member of an enumeration is looked up by a function: names in a module are not.
_SHIPPED: Final = Stage.SHIPPED
_SETTLED: Final = Fate.SETTLED
_SAVING: Final = Fate.SAVING
_CALM: Final = Urgency.NONE


class CardMaker:
    """Prepares cards for one look; remembers words, holds no state of the board."""

    def __init__(self, look: Look, atlas: SpriteAtlas, texts: TextCache) -> None:
        """Use the pictures of ``atlas`` and the texts of ``texts``."""
        self.look = look
        self.atlas = atlas
        self.texts = texts
        self.words = CardWords()
        self._styles: dict[CardShape, CardStyles] = {}

    def make(
        self, row: CardRow, shape: CardShape, width: int, moment: Moment, *, is_selected: bool, ground: str
    ) -> PreparedCard:
        """Prepare one card of ``width`` pixels on a column of colour ``ground``."""
        self.words.at(moment)
        return _Work(self, row, shape, width, moment).prepare(is_selected=is_selected, ground=ground)

    def seen(self, card: PreparedCard) -> bool:
        """Count a paint; a card that stays gets its words as pictures: say whether it did now."""
        card.paints += 1
        if card.paints < SETTLES_AFTER:
            return False
        card.settle(self.atlas)
        return True

    def styles(self, shape: CardShape) -> CardStyles:
        """Return the styles of a shape."""
        found = self._styles.get(shape)
        if found is None:
            found = self._styles[shape] = CardStyles.of(shape)
        return found


class _Work:
    """The preparation of one card."""

    def __init__(self, maker: CardMaker, row: CardRow, shape: CardShape, width: int, moment: Moment) -> None:
        """Begin with nothing placed."""
        self._look = maker.look
        self._atlas = maker.atlas
        self._texts = maker.texts
        self._words = maker.words
        self._styles = maker.styles(shape)
        self._row = row
        self._shape = shape
        self._width = width
        self._moment = moment
        self._sheet = CardSheet(maker.atlas)
        self._band = band_of(row, moment.now_ms, moment.zone)

    def prepare(self, *, is_selected: bool, ground: str) -> PreparedCard:
        """Place every part; what many cards share becomes one picture."""
        face = self._face(is_selected=is_selected, ground=ground)
        # On hatching a run would show as a plain box.
        self._sheet.surface = "" if face.is_hatched else face.surface
        time_left = self._time()
        self._number(time_left)
        right = self._detail() if self._shape.has_pips else self._compact_detail(time_left)
        self._customer(right)
        return PreparedCard(self._atlas.card(face), self._sheet)

    def _face(self, *, is_selected: bool, ground: str) -> Face:
        """Decide the background: the worst exception wins, selection adds tint and tick."""
        row, shape = self._row, self._shape
        face = Face(self._width, shape, ground=ground)
        if row.stage is _SHIPPED:
            face = face._replace(surface="surface2", glyph="circle-check", glyph_token="green")
        elif row.hold_reason:
            face = face._replace(glyph="circle-pause", glyph_token="hold")
        elif row.priority > 0:
            face = face._replace(glyph="chevrons-up", glyph_token="red")
        if row.fate is not _SETTLED:
            face = face._replace(is_dashed=True, border="ink2")
        if self._band is not None:
            face = _with_band(face, self._band.kind)
        if is_selected:
            face = face._replace(
                surface="bluetint", border="blue", is_thick=True, glyph="square-check", glyph_token="blue"
            )
        return face

    def _time(self) -> int:
        """Place the time, plain or in a pill; return where it begins."""
        row, shape, moment = self._row, self._shape, self._moment
        style, dress = self._styles.time, None
        if row.is_cancelled:
            text, dress = translate("Card", "Cancelled"), _CANCELLED
        elif row.stage is _SHIPPED:
            text, style = self._words.shipped(row.stage_ms), self._styles.shipped
        elif row.hold_reason:
            text, dress = translate("Card", "On hold"), _HELD
        else:
            text = self._words.time_left(row.cut_off_ms)
            state = urgency(row, moment.now_ms, moment.seconds_per_line)
            if state is not _CALM:
                dress = _PILLS[state]
        if dress is not None:
            style = TextStyle(style.font, dress[2])
        laid = self._texts.lay(text, style.font)
        part = TimePart(laid, style, shape, dress)
        right = self._width - shape.pill_right - (0 if dress else shape.pill_pad)
        x = right - part.width
        if text:
            key = ("time", text, style, shape, dress)
            self._sheet.run(x, shape.pill_y, part.width, shape.pill_height, key, part.lay)
        return x

    def _number(self, limit: int) -> None:
        """Place the order number and up to three tags right of it."""
        row, shape, sheet, style = self._row, self._shape, self._sheet, self._styles.number
        left, top, line = shape.text_x, shape.number_y, shape.number_line
        laid = self._texts.fit(f"#{row.number}", style.font, limit - left - 8)
        x = sheet.write(laid, style, left, top, line) + 8
        if row.has_note or row.tags:
            icons = ["message-square"] if row.has_note else []
            icons += [_TAG_ICONS.get(tag, "tag") for tag in row.tags]
            for name in icons[:_MAX_TAGS]:
                if x + shape.tag > limit - 4:
                    break
                sheet.blit(x, shape.tag_y, self._atlas.icon(name, shape.tag, "ink2"))
                x += shape.tag + shape.tag_gap
        sheet.areas.append(Box(left, top, x - left, line))

    def _customer(self, right: int) -> None:
        """Place customer and city in one line that ends before ``right``."""
        row, shape, sheet = self._row, self._shape, self._sheet
        styles, texts = self._styles, self._texts
        left, top, line = shape.text_x, shape.customer_y, shape.customer_line
        style = styles.customer_quiet if row.stage is _SHIPPED else styles.customer
        laid = texts.fit(row.customer, style.font, right - left)
        end = sheet.write(laid, style, left, top, line)
        if row.city and right - end > shape.glyph * 3:
            laid = texts.fit(after_dot(row.city), styles.city.font, right - end)
            end = sheet.write(laid, styles.city, end, top, line)
        # No higher than the words: with large text the line begins in the last row of the pill above it.
        sheet.areas.append(Box(left, top + (line - laid.height) // 2, max(1, end - left), laid.height))

    def _detail(self) -> int:
        """Place the lowest row: band, or pips with count and claim; return the customer's right edge."""
        if self._band is not None:
            self._band_row(self._band)
        else:
            self._pip_row()
        return self._width - self._shape.customer_right

    def _band_row(self, band: Band) -> None:
        """Place the words of the band, "+1", and the avatar or "Decide"."""
        shape, sheet = self._shape, self._sheet
        _, ink = BAND_TOKENS[band.kind]
        right = self._width - shape.avatar_right
        top, tall = shape.band_y, shape.band_height
        if band.kind is BandKind.CONFLICT:
            link = self._texts.lay(translate("Card", "Decide"), self._styles.link)
            right -= 2 + link.width
            sheet.write(link, TextStyle(self._styles.link, ink), right, top, tall)
            right -= 8
        elif self._row.claimed_by:
            avatar = self._avatar(ink if band.kind is BandKind.CANCELLED else "")
            sheet.blit(right - shape.avatar, top + (tall - shape.avatar) // 2, self._atlas.avatar(avatar))
            right -= shape.avatar + 8
        text = f"{band.text}  +{band.more}" if band.more else band.text
        laid = self._texts.fit(text, self._styles.band, right - shape.text_x)
        sheet.write(laid, TextStyle(self._styles.band, ink), shape.text_x, top, tall)

    def _pip_row(self) -> None:
        """Place pips or bar, the count, and on the right who holds it or that it is not sent."""
        row, shape, style = self._row, self._shape, self._styles.counted
        pips = Pips(
            row.lines_total,
            row.lines_picked,
            row.lines_short,
            shape.pip_width,
            shape.pip_height,
            shape.bar_width,
            self._look.px(2),
        )
        indent = pips.room + self._look.px(8)
        # The boxes stand where the shape says, the words beside their middle.
        top = shape.pips_y + (shape.pip_height - shape.detail_line) // 2
        room = self._count_right() - shape.text_x - indent
        laid = self._texts.fit(self._words.count(row), style.font, room)
        part = CountPart(laid, style, shape, pips, indent)
        key = ("count", pips, laid.words, style)
        self._sheet.run(shape.text_x, top, part.width, shape.detail_line, key, part.lay)
        if row.claimed_by or row.fate is not _SETTLED:
            self._claim(shape.text_x + part.width, top - shape.avatar_y)

    def _count_right(self) -> int:
        """Return where the count must end: before the avatar and the cloud, inside the card."""
        row, shape = self._row, self._shape
        avatar = shape.avatar + 6 if row.claimed_by else 0
        cloud = shape.tag + 6 if row.fate is not _SETTLED else 0
        return self._width - shape.avatar_right - avatar - cloud

    def _claim(self, left: int, top: int) -> None:
        """Place avatar and name, or avatar and "Not sent yet", right of ``left``."""
        row, shape = self._row, self._shape
        right = self._width - shape.avatar_right
        avatar = self._avatar("") if row.claimed_by else None
        room = right - left - (shape.avatar + 6 if avatar else 0)
        style, cloud, laid = self._styles.name, "", None
        if row.fate is not _SETTLED:
            cloud = "ink3" if row.fate is _SAVING else "blue"
            style = TextStyle(self._styles.band, cloud)
            words = translate("Card", "Storing") if row.fate is _SAVING else translate("Card", "Not sent yet")
            laid = self._texts.lay(words, style.font)
            if room - laid.width - shape.tag - 6 <= 8:
                laid = None
        elif self._width > shape.name_from_width:
            laid = self._texts.fit(row.claimed_by, style.font, room - 12)
        part = ClaimPart(shape, top, laid, style, cloud, avatar)
        key = ("claim", laid and laid.words, style, cloud, avatar, shape)
        self._sheet.run(right - part.width, shape.avatar_y, part.width, shape.avatar, key, part.lay)

    def _avatar(self, ring: str) -> Avatar:
        """Return the avatar of who holds the order."""
        row, colours = self._row, self._look.theme.avatars
        colour = colours[avatar_index(row.claimed_id or row.claimed_by, len(colours))]
        return Avatar(row.claimed_by, colour, self._shape.avatar, ring)

    def _compact_detail(self, time_left: int) -> int:
        """Place carrier or count in the second row of a compact card, and the band's icon."""
        row, shape, sheet = self._row, self._shape, self._sheet
        if self._band is not None:
            icon = self._atlas.icon(
                BAND_ICONS[self._band.kind], shape.band_icon, _icon_token(self._band.kind)
            )
            sheet.blit(time_left - shape.band_icon - 8, shape.tag_y, icon)
        right = self._width - shape.avatar_right
        y, line = shape.customer_y, shape.customer_line
        if row.fate is not _SETTLED:
            icon = self._atlas.icon("cloud-upload", shape.tag, "blue")
            sheet.blit(right - shape.tag, y, icon)
            return right - shape.tag - 8
        if row.stage is _SHIPPED:
            style, text = self._styles.quiet_name, row.carrier
        else:
            style, text = self._styles.quiet_count, self._words.count(row)
        if not text:
            return right
        laid = self._texts.fit(text, style.font, self._width * 2 // 5)
        part = PlainPart(laid, style)
        top = y + (line - laid.height) // 2
        sheet.run(right - laid.width, top, laid.width, laid.height, ("words", laid.words, style), part.lay)
        return right - laid.width - 8


def _with_band(face: Face, kind: BandKind) -> Face:
    """Return the face of a card that carries a band; fixed borders say stop and two truths."""
    face = face._replace(band=kind)
    if kind is BandKind.CANCELLED:
        return face._replace(border="redfill", is_thick=True, is_dashed=False)
    if kind is BandKind.CONFLICT:
        return face._replace(border="violetfill", is_thick=True, is_dashed=False)
    return face._replace(is_hatched=kind is BandKind.HOLD)


def _icon_token(kind: BandKind) -> str:
    """Return the colour of a band's icon where it stands on the card itself."""
    return "red" if kind is BandKind.CANCELLED else BAND_TOKENS[kind][1]
