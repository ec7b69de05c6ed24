"""The short numbers that carriers have in this cache: a part of every sort key."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sync.client.sort_keys import CARRIERS, sort_key
from sync.client.stores.card_columns import carrier_name
from sync.contract.orders import Order

SHARED: Final = CARRIERS - 1
"""What carriers share that come after all other numbers are given: they have no group of their own."""


class Carriers:
    """Numbers by name, read once and written when a new name turns up. No carrier is number 0."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the table ``carriers``."""
        self._connection = connection
        self._numbers: dict[str, int] = {}
        self.forget()

    def forget(self) -> None:
        """Read the table anew, for a transaction that was rolled back may have added names."""
        self._numbers = {str(name): int(number) for number, name in _rows(self._connection)}

    def sort_key(self, order: Order) -> int:
        """Return the sort key of an order; inside a transaction, for the name may be new."""
        return sort_key(order, self._number(carrier_name(order)))

    def _number(self, name: str) -> int:
        number = len(self._numbers) + 1
        if name and name not in self._numbers and number < SHARED:
            self._connection.execute("INSERT INTO carriers (id, name) VALUES (?, ?)", (number, name))
            self._numbers[name] = number
        return carrier_number(self._numbers, name)


def carrier_number(numbers: Mapping[str, int], name: str) -> int:
    """Return the number of a name that is in a cache: one without its own shares the last."""
    return numbers.get(name, SHARED) if name else 0


def _rows(connection: sqlite3.Connection) -> sqlite3.Cursor:
    return connection.execute("SELECT id, name FROM carriers ORDER BY id")
