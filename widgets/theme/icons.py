"""Icons: Lucide's drawings in our colours, each rendered once per name, size and scale.

A drawing has one colour, so its shape is rendered once and then filled with each colour that is asked
for: another theme costs a tenth of drawing anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources, util
from typing import NamedTuple

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from widgets.theme.archive import read_members

_THIN = 'stroke-width="2"'
_THICK = 'stroke-width="2.4"'
_MAX_KEPT = 512
_ANY_COLOUR = "#000000"


class IconKey(NamedTuple):
    """One rendered icon: name, pixels (already scaled), ``#RRGGBB``, device pixel ratio."""

    name: str
    px: int
    colour: str
    ratio: float


ICON_NAMES = (
    "arrow-down", "arrow-left", "arrow-right", "ban", "chevrons-up", "circle", "circle-check", "circle-pause",
    "cloud-off", "cloud-upload", "diamond", "ellipsis", "file-up", "flag", "gift", "hourglass",
    "inbox", "info",
    "keyboard", "list-filter", "lock", "maximize", "message-square", "octagon-alert", "octagon-x",
    "package-check",
    "package-open", "package-x", "refresh-cw", "scan-barcode", "search", "snowflake", "square-check", "sun",
    "tag", "triangle-alert", "truck", "undo-2", "user", "x", "zap", "zoom-in", "zoom-out",
)  # fmt: skip
"""Every icon in use; read together at the first question."""


class LucideFile:
    """Reads the drawings in use out of the package's archive, at the first question."""

    def __init__(self, names: Sequence[str] = ICON_NAMES) -> None:
        """Prepare to read ``names``; open nothing yet."""
        self._names = names
        self._drawings: dict[str, bytes] = {}

    def __call__(self, name: str) -> bytes:
        """Return the SVG called ``name``; KeyError when it is not one of the names."""
        if not self._drawings:
            found = read_members(_archive(), [f"{each}.svg" for each in self._names])
            self._drawings = {each: found[f"{each}.svg"] for each in self._names}
        return self._drawings[name]


def _archive() -> bytes:
    """Return the package's archive. The package itself is not run: it would load a parser of XML."""
    spec = util.find_spec("lucide")
    if spec is None:
        raise ModuleNotFoundError(name="lucide")
    return (resources.files(util.module_from_spec(spec)) / "lucide.zip").read_bytes()


class Icons:
    """The cache of rendered icons."""

    def __init__(self, read: Callable[[str], bytes]) -> None:
        """Take the drawings from ``read`` (name → SVG bytes)."""
        self._read = read
        self._drawings: dict[str, str] = {}
        self._rendered: dict[IconKey, QPixmap] = {}
        self._shapes: dict[IconKey, QPixmap] = {}

    def pixmap(self, name: str, px: int, colour: str, ratio: float = 1.0) -> QPixmap:
        """Return icon ``name`` at ``px`` logical pixels in ``colour`` (``#RRGGBB``)."""
        key = IconKey(name, px, colour, ratio)
        found = self._rendered.get(key)
        if found is None:
            if len(self._rendered) >= _MAX_KEPT:
                self._rendered.clear()
            found = self._rendered[key] = self._render(key)
        return found

    def icon(self, name: str, px: int, colour: str, ratio: float = 1.0) -> QIcon:
        """Return icon ``name`` for a button or an action."""
        return QIcon(self.pixmap(name, px, colour, ratio))

    def _render(self, key: IconKey) -> QPixmap:
        """Fill the shape of an icon with its colour."""
        plain = key._replace(colour=_ANY_COLOUR)
        shape = self._shapes.get(plain)
        if shape is None:
            if len(self._shapes) >= _MAX_KEPT:
                self._shapes.clear()
            shape = self._shapes[plain] = self._draw(plain)
        pixmap = shape.copy()
        painter = QPainter(pixmap)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        painter.fillRect(pixmap.rect(), QColor(key.colour))
        painter.end()
        pixmap.setDevicePixelRatio(key.ratio)
        return pixmap

    def _draw(self, key: IconKey) -> QPixmap:
        """Draw one icon; small ones get a heavier stroke so that they stay legible."""
        drawing = self._drawing(key.name).replace("currentColor", key.colour)
        if key.px < 16:
            drawing = drawing.replace(_THIN, _THICK)
        side = round(key.px * key.ratio)
        pixmap = QPixmap(side, side)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, side, side))
        painter.end()
        return pixmap

    def _drawing(self, name: str) -> str:
        """Return the SVG text of ``name``, read once."""
        found = self._drawings.get(name)
        if found is None:
            found = self._drawings[name] = self._read(name).decode()
        return found
