"""One order beside the board: who has it, when it leaves, its lines. Data in, signals out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sync.contract.orders import Order
from sync.contract.stages import Stage, next_stage
from widgets.board.texts import stage_name
from widgets.elided_label import ElidedLabel
from widgets.order_lines import OrderLines
from widgets.order_texts import (
    band_words,
    carrier_words,
    facts_text,
    holder_text,
    more_lines_text,
    move_text,
    number_text,
    place_text,
    removed_lines,
    size_text,
    time_words,
)
from widgets.theme.look import Look
from widgets.tinted import Tinted
from widgets.tones import Tone
from widgets.words import translate

WIDTH: Final = 560
MOST_PERCENT: Final = 46
"""Of the window's width, whatever the text size: the board stays readable beside the panel."""


class OrderPanel(QFrame):
    """The dock at the right of the board."""

    move_requested = Signal()
    closed = Signal()

    def __init__(
        self, look: Look, now_ms: Callable[[], int], zone: tzinfo, parent: QWidget | None = None
    ) -> None:
        """Begin empty and hidden; :meth:`show_order` fills it."""
        super().__init__(parent)
        self.setObjectName("orderPanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(translate("Order", "Order"))
        self._look, self._now_ms, self._zone = look, now_ms, zone
        self._seconds_per_line = 0.0
        self._order: Order | None = None
        self._tinted: list[Tinted] = []
        self.title = QLabel(self)
        self.title.setObjectName("orderTitle")
        self.title.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._stage = QLabel(self)
        self._stage.setProperty("chip", Tone.BLUE.value)
        self._holder, self._place, self._size = ElidedLabel(self), QLabel(self), QLabel(self)
        self.close_button = QToolButton(self)
        self.close_button.clicked.connect(self.closed)
        self.move_button = QPushButton(self)
        self.move_button.setProperty("kind", "primary")
        self.move_button.clicked.connect(self.move_requested)
        self._heading, self._more = QLabel(self), QLabel(self)
        self._note_heading, self._note = QLabel(self), QLabel(self)
        self._note.setProperty("kind", "note")
        self._tags, self._facts = QLabel(self), QLabel(self)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._facts.setProperty("tone", "quiet")
        self.lines = OrderLines(look, self)
        self._chips, self._bands = QHBoxLayout(), QVBoxLayout()
        self._build()
        forward = QShortcut(QKeySequence("]"), self, self._on_forward)
        forward.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._name()
        self.set_look(look)
        self.hide()

    def _build(self) -> None:
        """Head and buttons stay; what is below them scrolls."""
        for label in (self.title, self._holder, self._place, self._note):
            label.setProperty("is_data", True)
        texts = (self.title, self._place, self._size, self._facts, self._note, self._tags, self._more)
        for label in texts:
            label.setTextFormat(Qt.TextFormat.PlainText)
        for label in texts[1:]:
            label.setWordWrap(True)
        top = QHBoxLayout()
        top.setSpacing(10)
        for part in (self.title, self._stage):
            top.addWidget(part, alignment=Qt.AlignmentFlag.AlignVCenter)
        top.addWidget(self._holder, stretch=1)
        top.addWidget(self.close_button)
        self._chips.setSpacing(8)
        self._head = QVBoxLayout()
        for row in (top, self._chips):
            self._head.addLayout(row)
        self._head.insertWidget(1, self._place)
        self._head.insertWidget(2, self._size)
        self._head.insertWidget(3, self._facts)
        self._head.addWidget(self.move_button, alignment=Qt.AlignmentFlag.AlignLeft)
        inside = QWidget(self)
        inside.setObjectName("orderBody")
        self._body = QVBoxLayout(inside)
        self._body.addLayout(self._bands)
        below: tuple[QWidget, ...] = (self._more, self._note_heading, self._note, self._tags)
        for each in (self._heading, self.lines, *below):
            self._body.addWidget(each)
        self._body.addStretch(1)
        self._scroll = QScrollArea(self)
        self._scroll.setWidget(inside)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self._scroll, stretch=1)
        self.lines.reached.connect(lambda y: self._scroll.ensureVisible(0, self.lines.y() + y))

    def _name(self) -> None:
        """Set the words that no order changes."""
        self.close_button.setAccessibleName(translate("Order", "Close the order"))
        self.close_button.setToolTip(translate("Order", "Close the order"))
        self._heading.setText(translate("Order", "Lines, in walking order"))
        self._note_heading.setText(translate("Order", "Note"))

    @property
    def order(self) -> Order | None:
        """The order that is shown, None while nothing is."""
        return self._order if not self.isHidden() else None

    def sizeHint(self) -> QSize:
        """Want the width of the design, or as much of a narrow window as the board can spare."""
        return QSize(min(self._look.px(WIDTH), self.window().width() * MOST_PERCENT // 100), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follow the window."""
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Take exactly the width that is wanted; large text is cut or wrapped inside."""
        self.setFixedWidth(self.sizeHint().width())

    def open(self, order: Order, seconds_per_line: float) -> None:
        """Show an order from its top and take the focus to its title."""
        self._seconds_per_line = seconds_per_line
        self.fit()
        self.show_order(order)
        self.show()
        self._scroll.verticalScrollBar().setValue(0)
        self.title.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_order(self, order: Order) -> None:
        """Show ``order`` as it is now; focus and scroll position stay."""
        self._order = order
        number, now_ms = number_text(order), self._now_ms()
        self.title.setText(number)
        self.title.setAccessibleName(
            translate("Order", "Order {number}", number=order.number.removeprefix("#"))
        )
        self._stage.setText(stage_name(order.stage))
        self._holder.setText(holder_text(order, now_ms, self._zone))
        self._place.setText(place_text(order))
        self._size.setText(size_text(order))
        self._show_text(self._facts, facts_text(order))
        goal = next_stage(order.stage) if order.is_open and order.is_on_board else None
        if goal is None and self.move_button.hasFocus():
            self.title.setFocus(Qt.FocusReason.OtherFocusReason)
        self.move_button.setVisible(goal is not None)
        self.move_button.setText("" if goal is None else move_text(goal))
        is_shipped = order.stage is Stage.SHIPPED
        self.lines.show_lines(order.lines, removed_lines(order), is_shipped=is_shipped)
        self._show_text(self._more, more_lines_text(len(order.lines)))
        self._show_text(self._note, order.note)
        self._note_heading.setVisible(bool(order.note))
        tags = ", ".join(order.tags)
        self._show_text(self._tags, translate("Order", "Tags: {tags}", tags=tags) if tags else "")
        self.on_minute()

    def on_minute(self) -> None:
        """Tell what depends on the clock anew."""
        order, now_ms = self._order, self._now_ms()
        if order is None:
            return
        for old in self._tinted:
            old.hide()
            old.deleteLater()
        while self._chips.count():
            self._chips.takeAt(0)
        time = time_words(order, now_ms, self._seconds_per_line)
        chips = [carrier_words(order, now_ms, self._zone)] + ([time] if time is not None else [])
        bands = band_words(order, now_ms, self._zone)
        made = [Tinted(words, self._look, "chip", self) for words in chips]
        for chip in made:
            self._chips.addWidget(chip)
        self._chips.addStretch(1)
        self._tinted = made + [Tinted(words, self._look, "band", self) for words in bands]
        for band in self._tinted[len(made) :]:
            self._bands.addWidget(band)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        self.title.setFont(look.font(24, 700))
        for label in (self._stage, self._holder, self._size, self._facts, self._more, self._tags):
            label.setFont(look.font(14, 600 if label is self._stage else 400))
        for label in (self._place, self._note):
            label.setFont(look.font(15))
        for label in (self._heading, self._note_heading):
            label.setFont(look.font(13, 600))
        self.close_button.setIcon(look.icon("x", 18, "ink", self.devicePixelRatioF()))
        self.close_button.setIconSize(QSize(look.px(18), look.px(18)))
        self.move_button.setFont(look.font(14, 600))
        self.move_button.setIcon(look.button_icon("arrow-right", 16, "onblue", self.devicePixelRatioF()))
        self.move_button.setIconSize(look.button_icon_size(16))
        self._head.setSpacing(look.px(8))
        self._body.setSpacing(look.px(8))
        self._head.setContentsMargins(look.px(20), look.px(12), look.px(12), look.px(12))
        self._body.setContentsMargins(look.px(20), look.px(12), look.px(20), look.px(16))
        self.lines.set_look(look)
        self.fit()
        if self._order is not None:
            self.show_order(self._order)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape goes one step back: out of the panel."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def _on_forward(self) -> None:
        if not self.move_button.isHidden():
            self.move_requested.emit()

    def _show_text(self, label: QLabel, text: str) -> None:
        """Show a text, or nothing at all where there is none."""
        label.setText(text)
        label.setVisible(bool(text))
