"""The words that an order is found by. Pure.

They stand folded (no case, no accents), each behind a blank, each field on its own line. A search is a look
for " begi" in a text, on any database.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from sync.contract.orders import Order

_WORD: Final = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """Return the words of a text, each behind a blank, without case and accents."""
    if text.isascii():
        plain = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text.casefold())
        plain = "".join(part for part in parts if not unicodedata.combining(part))
    return "".join(f" {word}" for word in _WORD.findall(plain))


def search_words(order: Order) -> str:
    """Return what an order is found by: the same fields as on the board, and its reference."""
    ship_to = order.ship_to
    names = (order.number, order.external_ref, order.tracking_number, order.customer)
    places = (ship_to.name, ship_to.company, ship_to.city)
    items = (word for line in order.lines for word in (line.sku, line.name))
    return "\n".join(dict.fromkeys(folded(text) for text in (*names, *places, *items) if text))
