"""From a row to what is drawn: a background, small pictures, laid-out texts, all at fixed offsets.

Preparing costs about 0.1 ms a card and happens once per change; drawing a prepared card is a few
copies. Nothing here paints.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final, NamedTuple

from sync.contract.rows import CardRow, Fate
from sync.contract.stages import Stage
from widgets.board.card_shape import CardShape
from widgets.board.card_sheet import SETTLES_AFTER, CardSheet, PreparedCard
from widgets.board.geometry import Box
from widgets.board.sprites import (
    BAND_ICONS,
    BAND_TOKENS,
    MAX_PIPS,
    Avatar,
    Face,
    Pill,
    Pips,
    SpriteAtlas,
)
from widgets.board.statics import TextCache
from widgets.board.texts import (
    Band,
    BandKind,
    Urgency,
    avatar_index,
    band_of,
    count_text,
    moment_text,
    time_text,
    urgency,
)
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look
from widgets.words import translate

_MAX_TAGS: Final = 3
_TAG_ICONS: Final = {"gift": "gift", "cold": "snowflake", "frozen": "snowflake", "fragile": "package-open"}
_PILLS: Final = {
    Urgency.AT_RISK: ("triangle-alert", "amberfill", "onamber"),
    Urgency.LATE: ("octagon-alert", "redfill", "onred"),
}


class Moment(NamedTuple):
    """When and where the words of a card are true."""

    now_ms: int
    zone: tzinfo
    seconds_per_line: float


class CardMaker:
    """Prepares cards for one look; holds no state of the board."""

    def __init__(self, look: Look, atlas: SpriteAtlas, texts: TextCache) -> None:
        """Use the pictures of ``atlas`` and the texts of ``texts``."""
        self._look = look
        self._atlas = atlas
        self._texts = texts

    def make(
        self, row: CardRow, shape: CardShape, width: int, moment: Moment, *, is_selected: bool, ground: str
    ) -> PreparedCard:
        """Prepare one card of ``width`` pixels on a column of colour ``ground``."""
        work = _Work(self._look, self._atlas, self._texts, row, shape, width, moment)
        return work.prepare(is_selected=is_selected, ground=ground)

    def seen(self, card: PreparedCard) -> None:
        """Count a paint; a card that stays gets its words as pictures."""
        card.paints += 1
        if card.paints == SETTLES_AFTER:
            card.settle(self._atlas)


class _Work:
    """The preparation of one card."""

    def __init__(
        self,
        look: Look,
        atlas: SpriteAtlas,
        texts: TextCache,
        row: CardRow,
        shape: CardShape,
        width: int,
        moment: Moment,
    ) -> None:
        """Begin with nothing placed."""
        self._look = look
        self._atlas = atlas
        self._cache = texts
        self._row = row
        self._shape = shape
        self._width = width
        self._moment = moment
        self._sheet = CardSheet(atlas, texts)
        self._band = band_of(row, moment.now_ms, moment.zone)

    def prepare(self, *, is_selected: bool, ground: str) -> PreparedCard:
        """Place every part; what many cards share becomes one picture."""
        face = self._face(is_selected=is_selected, ground=ground)
        # On hatching a run would show as a plain box.
        self._sheet.surface = "" if face.is_hatched else face.surface
        shape = self._shape
        time_left = self._time()
        self._sheet.bake((0, 0), time_left, shape.pill_y, self._width - shape.pill_right, shape.pill_height)
        self._number(time_left)
        right = self._detail() if self._shape.has_pips else self._compact_detail(time_left)
        self._customer(right)
        return PreparedCard(self._atlas.card(face), self._sheet)

    def _face(self, *, is_selected: bool, ground: str) -> Face:
        """Decide the background: the worst exception wins, selection adds tint and tick."""
        row, shape = self._row, self._shape
        face = Face(self._width, shape, ground=ground)
        if row.stage is Stage.SHIPPED:
            face = face._replace(surface="surface2", glyph="circle-check", glyph_token="green")
        elif row.hold_reason:
            face = face._replace(glyph="circle-pause", glyph_token="hold")
        elif row.priority > 0:
            face = face._replace(glyph="chevrons-up", glyph_token="red")
        if row.fate is not Fate.SETTLED:
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
        font = FontKey(shape.time_font, 600, figures=True)
        inner = self._width - shape.pill_right - shape.pill_pad
        if row.stage is Stage.SHIPPED and not row.is_cancelled:
            text = moment_text(row.stage_ms, moment.now_ms, moment.zone)
            plain = font._replace(weight=500)
            return self._sheet.write_right(text, plain, "ink2", inner, shape.pill_y, shape.pill_height)
        if row.is_cancelled:
            return self._pill(translate("Card", "Cancelled"), font, ("octagon-alert", "redfill", "onred"))
        if row.hold_reason:
            return self._pill(translate("Card", "On hold"), font, ("circle-pause", "holdfill", "onhold"))
        text = time_text(row.cut_off_ms, moment.now_ms, moment.zone)
        state = urgency(row, moment.now_ms, moment.seconds_per_line)
        if state is not Urgency.NONE:
            return self._pill(text, font, _PILLS[state])
        if not text:
            return inner
        return self._sheet.write_right(text, font, "ink2", inner, shape.pill_y, shape.pill_height)

    def _pill(self, text: str, font: FontKey, dress: tuple[str, str, str]) -> int:
        """Place a filled capsule with icon and text; return where it begins."""
        shape = self._shape
        icon, fill, ink = dress
        right = self._width - shape.pill_right
        begin = self._sheet.write_right(
            text, font, ink, right - shape.pill_pad, shape.pill_y, shape.pill_height
        )
        x = begin - 6 - shape.pill_icon - shape.pill_pad
        pill = Pill(right - x, shape.pill_height, shape.pill_icon, shape.pill_pad, icon, fill, ink)
        self._sheet.blit(x, shape.pill_y, self._atlas.pill(pill))
        return x

    def _number(self, limit: int) -> None:
        """Place the order number and up to three tags right of it."""
        row, shape = self._row, self._shape
        font = FontKey(shape.number_font, 700, figures=True, zero=True)
        room = limit - shape.text_x - 8
        text = self._cache.elide(f"#{row.number}", font, room)
        used = self._sheet.write(text, font, "ink", shape.text_x, shape.number_y, shape.number_line)
        x = shape.text_x + used + 8
        icons = ["message-square"] if row.has_note else []
        icons += [_TAG_ICONS.get(tag, "tag") for tag in row.tags]
        for name in icons[:_MAX_TAGS]:
            if x + shape.tag > limit - 4:
                break
            self._sheet.blit(x, shape.tag_y, self._atlas.icon(name, shape.tag, "ink2"))
            x += shape.tag + shape.tag_gap
        self._sheet.areas.append(Box(shape.text_x, shape.number_y, x - shape.text_x, shape.number_line))

    def _customer(self, right: int) -> None:
        """Place customer and city in one line that ends before ``right``."""
        row, shape = self._row, self._shape
        font = FontKey(shape.customer_font)
        room = right - shape.text_x
        is_quiet = row.stage is Stage.SHIPPED
        name = self._cache.elide(row.customer, font, room)
        token = "ink2" if is_quiet else "ink"
        used = self._sheet.write(name, font, token, shape.text_x, shape.customer_y, shape.customer_line)
        rest = room - used
        if row.city and rest > shape.glyph * 3:
            city = self._cache.elide(f" · {row.city}", font, rest)
            y, line = shape.customer_y, shape.customer_line
            used += self._sheet.write(city, font, "ink3", shape.text_x + used, y, line)
        self._sheet.areas.append(Box(shape.text_x, shape.customer_y, max(1, used), shape.customer_line))

    def _detail(self) -> int:
        """Place the lowest row: band, or pips with count and claim; return the customer's right edge."""
        if self._band is not None:
            self._band_row(self._band)
        else:
            self._pip_row()
        return self._width - self._shape.customer_right

    def _band_row(self, band: Band) -> None:
        """Place the words of the band, "+1", and the avatar or "Decide"."""
        shape = self._shape
        _, ink = BAND_TOKENS[band.kind]
        font = FontKey(shape.detail_font, 600)
        right = self._width - shape.avatar_right
        top, tall = shape.band_y, shape.band_height
        if band.kind is BandKind.CONFLICT:
            link = font._replace(underline=True)
            right = self._sheet.write_right(translate("Card", "Decide"), link, ink, right - 2, top, tall) - 8
        elif self._row.claimed_by:
            ring = ink if band.kind is BandKind.CANCELLED else ""
            y = top + (tall - shape.avatar) // 2
            right = self._avatar(right, y, ring) - 8
        text = f"{band.text}  +{band.more}" if band.more else band.text
        self._sheet.write(
            self._cache.elide(text, font, right - shape.text_x), font, ink, shape.text_x, top, tall
        )

    def _pip_row(self) -> None:
        """Place pips or bar, the count, and on the right who holds it or that it is not sent."""
        row, shape = self._row, self._shape
        pips = Pips(
            row.lines_total,
            row.lines_picked,
            row.lines_short,
            shape.pip_width,
            shape.pip_height,
            shape.bar_width,
            self._look.px(2),
        )
        mark = self._sheet.mark()
        self._sheet.blit(shape.text_x, shape.pips_y, self._atlas.pips(pips))
        is_bar = row.lines_total > MAX_PIPS
        gap = self._look.px(2)
        used = shape.bar_width if is_bar else row.lines_total * (shape.pip_width + gap) - gap
        font = FontKey(shape.detail_font, figures=True)
        x = shape.text_x + max(0, used) + self._look.px(8)
        top = shape.pips_y + (shape.pip_height - shape.detail_line) // 2
        count = self._cache.elide(count_text(row), font, self._count_right() - x)
        end = x + self._sheet.write(count, font, "ink2", x, top, shape.detail_line)
        self._sheet.bake(mark, shape.text_x, top, end, shape.detail_line)
        mark = self._sheet.mark()
        begin = self._claim(end, top)
        self._sheet.bake(mark, begin, shape.avatar_y, self._width - shape.avatar_right, shape.avatar)

    def _count_right(self) -> int:
        """Return where the count must end: before the avatar and the cloud, inside the card."""
        row, shape = self._row, self._shape
        avatar = shape.avatar + 6 if row.claimed_by else 0
        cloud = shape.tag + 6 if row.fate is not Fate.SETTLED else 0
        return self._width - shape.avatar_right - avatar - cloud

    def _claim(self, left: int, top: int) -> int:
        """Place avatar and name, or avatar and "Not sent yet", right of ``left``; return where it begins."""
        row, shape = self._row, self._shape
        right = self._width - shape.avatar_right
        if row.claimed_by:
            right = self._avatar(right, shape.avatar_y, "")
        if row.fate is not Fate.SETTLED:
            return self._unsent(left, right - 6 if row.claimed_by else right, top)
        if row.claimed_by and self._width > shape.name_from_width:
            font = FontKey(shape.detail_font)
            name = self._cache.elide(row.claimed_by, font, right - 6 - left - 12)
            return self._sheet.write_right(name, font, "ink2", right - 6, top, shape.detail_line)
        return right

    def _unsent(self, left: int, right: int, top: int) -> int:
        """Place the cloud and "Not sent yet", or only the cloud; return where they begin."""
        shape = self._shape
        is_saving = self._row.fate is Fate.SAVING
        words = translate("Card", "Storing") if is_saving else translate("Card", "Not sent yet")
        token = "ink3" if is_saving else "blue"
        font = FontKey(shape.detail_font, 600)
        laid = self._cache.lay(words, font)
        icon = shape.tag
        if right - laid.width - icon - 6 > left + 8:
            right = self._sheet.write_right(words, font, token, right, top, shape.detail_line) - 6
        y = top + (shape.detail_line - icon) // 2
        self._sheet.blit(right - icon, y, self._atlas.icon("cloud-upload", icon, token))
        return right - icon

    def _avatar(self, right: int, y: int, ring: str) -> int:
        """Place the avatar so that it ends at ``right``; return where it begins."""
        row, size = self._row, self._shape.avatar
        colours = self._look.theme.avatars
        colour = colours[avatar_index(row.claimed_id or row.claimed_by, len(colours))]
        picture = self._atlas.avatar(Avatar(row.claimed_by, colour, size, ring))
        self._sheet.blit(right - size, y, picture)
        return right - size

    def _compact_detail(self, time_left: int) -> int:
        """Place carrier or count in the second row of a compact card, and the band's icon."""
        row, shape = self._row, self._shape
        if self._band is not None:
            icon = self._atlas.icon(
                BAND_ICONS[self._band.kind], shape.band_icon, _icon_token(self._band.kind)
            )
            self._sheet.blit(time_left - shape.band_icon - 8, shape.tag_y, icon)
        right = self._width - shape.avatar_right
        y, line = shape.customer_y, shape.customer_line
        if row.fate is not Fate.SETTLED:
            icon = self._atlas.icon("cloud-upload", shape.tag, "blue")
            self._sheet.blit(right - shape.tag, y, icon)
            return right - shape.tag - 8
        font = FontKey(shape.detail_font, figures=row.stage is not Stage.SHIPPED)
        text = row.carrier if row.stage is Stage.SHIPPED else count_text(row)
        text = self._cache.elide(text, font, self._width * 2 // 5)
        if not text:
            return right
        mark = self._sheet.mark()
        begin = self._sheet.write_right(text, font, "ink3", right, y, line)
        self._sheet.bake(mark, begin, y, right, line)
        return begin - 8


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
