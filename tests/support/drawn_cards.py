"""What a prepared card draws, as boxes."""

from __future__ import annotations

import math

from widgets.board.card_sheet import PreparedCard
from widgets.board.geometry import Box


def drawn_boxes(card: PreparedCard) -> list[Box]:
    """Return the boxes of all pictures and texts of a card, from its top left corner."""
    pictures = [(x, y, picture.deviceIndependentSize()) for x, y, picture in card.blits]
    texts = [(x, y, text.size()) for _, x, y, text in card.texts]
    return [Box(x, y, math.ceil(size.width()), round(size.height())) for x, y, size in pictures + texts]
