"""What stands on the board when a filter leaves nothing: the words looked for, and the way out."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from widgets.theme.look import Look
from widgets.words import translate


class NoMatch(QFrame):
    """A panel in the middle of the board; hidden while anything matches."""

    clear_requested = Signal()
    more_requested = Signal()

    def __init__(self, look: Look, board: QWidget) -> None:
        """Stand over ``board``, hidden."""
        super().__init__(board)
        self.setObjectName("noMatch")
        self._icon = QLabel(self)
        self._heading = QLabel(self)
        self._sentence = QLabel(translate("Board", "Look at the spelling, or search for the order number."))
        self._clear = QPushButton(translate("Board", "Clear the search"))
        self._clear.clicked.connect(self.clear_requested)
        self._more = QPushButton(self)
        self._more.setProperty("kind", "primary")
        self._more.clicked.connect(self.more_requested)
        self._more.hide()
        self._words = ""
        self._is_listed = False
        for label in (self._heading, self._sentence):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(10)
        self._sentence.setProperty("tone", "quiet")
        for part in (self._icon, self._heading, self._sentence):
            column.addWidget(part)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addWidget(self._more)
        buttons.addWidget(self._clear)
        buttons.addStretch(1)
        column.addLayout(buttons)
        self.set_look(look)
        self.hide()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(look.pixmap("search", 32, "ink2", ratio))
        self._heading.setFont(look.font(20, 700))
        self._sentence.setFont(look.font(15))
        self._clear.setFont(look.font(14, 600))
        self._clear.setIconSize(look.button_icon_size(16))
        self._more.setFont(look.font(14, 600))
        self.setFixedWidth(look.px(420))
        self._dress()
        self._fit()

    def show_words(self, words: str) -> None:
        """Show the panel for what was looked for; hide it for ""."""
        self._words = words[:80]
        self._write()
        self.setVisible(bool(words))

    def show_more(self, text: str, *, is_listed: bool = False) -> None:
        """Offer what was found elsewhere, as a button that says ``text``; nothing for "".

        ``is_listed``: it stands above the board already, so the words did find something.
        """
        self._is_listed = is_listed
        self._more.setText(text)
        self._more.setVisible(bool(text))
        self._write()

    def _write(self) -> None:
        """Say that nothing was found, or nothing here."""
        if not self._words:
            return
        is_elsewhere = self._is_listed or not self._more.isHidden()
        if is_elsewhere:
            heading = translate("Board", "No order on the board matches “{words}”", words=self._words)
        else:
            heading = translate("Board", "No order matches “{words}”", words=self._words)
        self._heading.setText(heading)
        self._sentence.setVisible(not is_elsewhere)
        self._dress()
        self._fit()

    def _dress(self) -> None:
        """Fill the button of what helps most: what was found elsewhere, else the way back."""
        is_first = self._more.isHidden()
        self._clear.setProperty("kind", "primary" if is_first else "")
        self._clear.style().polish(self._clear)
        token = "onblue" if is_first else "ink"
        self._clear.setIcon(self._look.button_icon("x", 16, token, self.devicePixelRatioF()))

    def _fit(self) -> None:
        """Take the height that the wrapped words need at this width."""
        self.setFixedHeight(self.heightForWidth(self.width()))
        self.centre()

    def centre(self) -> None:
        """Stand in the middle of the board, a little high."""
        board = self.parentWidget()
        if board is not None:
            x = (board.width() - self.width()) // 2
            self.move(max(0, x), max(0, (board.height() - self.height()) // 3))
