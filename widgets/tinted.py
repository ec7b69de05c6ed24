"""An icon and words on the tint of a tone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from widgets.order_texts import Words
from widgets.theme.look import Look
from widgets.tones import TONES, Tone


class Tinted(QFrame):
    """An icon and words on the tint of a tone: a chip, or a band over the whole width."""

    def __init__(self, words: Words, look: Look, kind: str, parent: QWidget) -> None:
        """Show ``words`` as a ``chip`` or a ``band``."""
        super().__init__(parent)
        self.setProperty(kind, words.tone.value)
        self.setAccessibleName(words.text)
        icon, text = QLabel(self), QLabel(words.text, self)
        token = TONES[words.tone].ink
        icon.setPixmap(look.pixmap(words.icon, 16, token, self.devicePixelRatioF()))
        text.setFont(look.font(14, 600))
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(kind == "band")
        for label in (self, text):
            label.setProperty("is_data", words.tone is Tone.PLAIN or kind == "band")
        row = QHBoxLayout(self)
        side, above = (look.px(12), look.px(8)) if kind == "band" else (look.px(8), look.px(4))
        row.setContentsMargins(side, above, side, above)
        row.setSpacing(look.px(6))
        row.addWidget(icon)
        row.addWidget(text, stretch=1)
