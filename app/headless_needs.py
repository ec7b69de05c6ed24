"""What waits for a person, without a screen: told, acknowledged, settled, tried again, written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from app.needs_words import needs_told
from app.outcome_words import exception_told
from app.plain_words import ENGLISH
from sync.client.board_view import BoardView
from sync.client.needs_you import NeedsYou, NeedsYouKind, json_lines
from sync.contract.operations import Acknowledge, Change, Resolve
from sync.contract.orders import Order, OrderException
from sync.contract.problems import Problem

Write = Callable[[Path, bytes], None]
NumberOf = Callable[[str], str]

_RETRIED: Final = frozenset({NeedsYouKind.REJECTED, NeedsYouKind.QUARANTINED, NeedsYouKind.UPGRADE})


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet; raises ``OSError``."""
    with path.open("xb") as file:
        file.write(data)


class HeadlessNeeds:
    """The entries of this profile, and the exceptions of the orders on the board."""

    def __init__(self, view: BoardView, number_of: NumberOf, zone: tzinfo, write: Write = write_new) -> None:
        """Look orders up in ``view``; ``number_of`` an order id its number, where it is still known."""
        self._view = view
        self._number_of = number_of
        self._zone = zone
        self._write = write
        self._entries: dict[str, NeedsYou] = {}

    def take(self, entries: Iterable[NeedsYou], removed: Iterable[str] = ()) -> dict[str, Any]:
        """Take a change of the list; return the fields of the line that tells it."""
        gone = [self._entries.pop(each, None) for each in removed]
        new = list(entries)
        self._entries.update({entry.id: entry for entry in new})
        return {
            "entries": [self._entry_fields(entry) for entry in new],
            "removed": [entry.id for entry in gone if entry is not None],
            "waiting": len(self._entries),
        }

    def fields(self) -> dict[str, Any]:
        """Return what the answer to ``needs_you`` says: entries oldest first, exceptions by order."""
        exceptions = [(order, each) for order in self._view.exceptional() for each in order.exceptions]
        return {
            "entries": [self._entry_fields(entry) for entry in self._entries.values()],
            "exceptions": [self._exception_fields(order, each) for order, each in exceptions],
        }

    def has(self, entry_id: str) -> bool:
        """Say whether an entry of this profile has this id."""
        return entry_id in self._entries

    def retried(self, entry_id: str) -> Problem | None:
        """Return why an entry cannot be tried again, None when it can."""
        entry = self._entries.get(entry_id)
        if entry is None:
            return unknown(entry_id)
        if entry.operation is None or entry.kind not in _RETRIED:
            return Problem("NOT_RETRIED", "There is nothing to try again here.", "Acknowledge it instead.")
        return None

    def exception(self, op_id: str) -> tuple[Order, OrderException] | None:
        """Return the open exception that an operation opened, and its order."""
        exceptions = ((order, each) for order in self._view.exceptional() for each in order.exceptions)
        return next((found for found in exceptions if found[1].op_id == op_id), None)

    def seen(self, op_id: str) -> tuple[Order, Change] | Problem:
        """Return how an exception is acknowledged, or why it is not."""
        found = self.exception(op_id)
        return unknown(op_id) if found is None else (found[0], Acknowledge(op_id))

    def settled(self, op_id: str, how: str, note: str) -> tuple[Order, Change] | Problem:
        """Return how an exception is resolved, or why it is not."""
        found = self.exception(op_id)
        return unknown(op_id) if found is None else (found[0], Resolve(op_id, how, note))

    def export(self, path: str) -> int | Problem:
        """Write all entries to a new file, whole, one a line; return how many."""
        entries = list(self._entries.values())
        try:
            self._write(Path(path), json_lines(entries))
        except FileExistsError:
            return Problem("FILE_THERE", f"There is a file {path} already.", "Name another one.")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Problem("NOT_WRITTEN", f"{path} could not be written: {why}.", "Name another file.")
        return len(entries)

    def _entry_fields(self, entry: NeedsYou) -> dict[str, Any]:
        operation, verdict = entry.operation, entry.verdict
        order_id = "" if operation is None else operation.order_id
        number = self._number_of(order_id) if order_id else ""
        order = self._order(order_id)
        told = needs_told(entry, number, order, self._zone, ENGLISH)
        return {
            "id": entry.id,
            "kind": entry.kind,
            "at_ms": entry.at_ms,
            "number": number,
            "order_id": order_id,
            "operation": "" if operation is None else type(operation.change).__struct_config__.tag,
            "reason": "" if verdict is None else verdict.reason,
            "sentence": told.sentence,
        }

    def _exception_fields(self, order: Order, exception: OrderException) -> dict[str, Any]:
        told = exception_told(None, order, exception, self._zone, ENGLISH)
        return {
            "id": exception.op_id,
            "number": order.number,
            "order_id": order.id,
            "code": exception.code,
            "at_ms": exception.at_ms,
            "sentence": told.sentence,
            "seen_by": exception.seen_by,
            "seen_ms": exception.seen_ms or None,
        }

    def _order(self, order_id: str) -> Order | None:
        local_id = self._view.local_id(order_id) if order_id else None
        return None if local_id is None else self._view.order(local_id)


def unknown(entry_id: str) -> Problem:
    """Return what is wrong with an id that nothing here has."""
    return Problem(
        "ENTRY_UNKNOWN", f'Nothing here waits under "{entry_id}".', "The needs_you request lists what does."
    )
