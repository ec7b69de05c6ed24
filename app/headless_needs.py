"""What waits for a person, without a screen: told, acknowledged, settled, tried again, written to a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final, Protocol

from app.headless_wishes import Wish
from app.needs_words import needs_told
from app.outcome_words import exception_told
from app.plain_words import ENGLISH
from sync.client.board_view import BoardView
from sync.client.needs_you import NeedsYou, NeedsYouKind, json_lines
from sync.contract.operations import Acknowledge, Change, Resolve
from sync.contract.orders import Order, OrderException
from sync.contract.problems import Problem

Write = Callable[[Path, bytes], None]


class Engine(Protocol):
    """What answering entries needs of the engine."""

    def acknowledge(self, op_id: str) -> None:
        """Somebody has seen an entry."""
        ...

    def retry(self, op_id: str) -> None:
        """Try the operation of an entry again."""
        ...


_RETRIED: Final = frozenset({NeedsYouKind.REJECTED, NeedsYouKind.QUARANTINED, NeedsYouKind.UPGRADE})


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet; raises ``OSError``."""
    with path.open("xb") as file:
        file.write(data)


class HeadlessNeeds:
    """The entries of this profile, and the exceptions of the orders on the board."""

    def __init__(
        self,
        view: BoardView,
        engine: Engine,
        put: Callable[[Order, Change, str], None],
        number_of: Callable[[str], str],
        say: Callable[[str, object], None],
        tell: Callable[[Problem, str], None],
        zone: tzinfo,
        write: Write = write_new,
    ) -> None:
        """Look orders up in ``view``; ``put`` makes a change of one, ``number_of`` an order id its number."""
        self._view = view
        self._engine = engine
        self._put = put
        self._number_of = number_of
        self._say = say
        self._tell = tell
        self._zone = zone
        self._write = write
        self._entries: dict[str, NeedsYou] = {}

    def answer(self, wish: Wish) -> bool:
        """Carry out what a line asks about this list; say whether it does."""
        problem: Problem | None = None
        if wish.needs_you is not None:
            self._say("needs_you", self._fields() | _ref(wish))
        elif wish.acknowledge is not None:
            problem = self._acknowledge(wish.acknowledge, wish.ref)
        elif wish.resolve is not None:
            settled = Resolve(wish.resolve.id, wish.resolve.how, wish.resolve.note)
            problem = self._change(wish.resolve.id, settled, wish.ref)
        elif wish.retry is not None:
            problem = self._retry(wish.retry)
        elif wish.export_needs_you is not None:
            problem = self._export(wish.export_needs_you, wish)
        else:
            return False
        if problem is not None:
            self._tell(problem, wish.ref)
        return True

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

    def _fields(self) -> dict[str, Any]:
        """Return what the answer to ``needs_you`` says: entries oldest first, exceptions by order."""
        return {
            "entries": [self._entry_fields(entry) for entry in self._entries.values()],
            "exceptions": [self._exception_fields(order, each) for order, each in self._exceptions()],
        }

    def _exceptions(self) -> list[tuple[Order, OrderException]]:
        return [(order, each) for order in self._view.exceptional() for each in order.exceptions]

    def _acknowledge(self, entry_id: str, ref: str) -> Problem | None:
        if entry_id in self._entries:
            self._engine.acknowledge(entry_id)
            return None
        return self._change(entry_id, Acknowledge(entry_id), ref)

    def _change(self, op_id: str, change: Change, ref: str) -> Problem | None:
        """Change the order on which the exception of an operation stands."""
        order = next((order for order, each in self._exceptions() if each.op_id == op_id), None)
        if order is None:
            return _unknown(op_id)
        self._put(order, change, ref)
        return None

    def _retry(self, entry_id: str) -> Problem | None:
        entry = self._entries.get(entry_id)
        if entry is None:
            return _unknown(entry_id)
        if entry.operation is None or entry.kind not in _RETRIED:
            return Problem("NOT_RETRIED", "There is nothing to try again here.", "Acknowledge it instead.")
        self._engine.retry(entry_id)
        return None

    def _export(self, path: str, wish: Wish) -> Problem | None:
        """Write all entries into a new file, whole, one a line."""
        entries = list(self._entries.values())
        try:
            self._write(Path(path), json_lines(entries))
        except FileExistsError:
            return Problem("FILE_THERE", f"There is a file {path} already.", "Name another one.")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            return Problem("NOT_WRITTEN", f"{path} could not be written: {why}.", "Name another file.")
        self._say("exported", {"path": path, "entries": len(entries)} | _ref(wish))
        return None

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


def _unknown(entry_id: str) -> Problem:
    """Return what is wrong with an id that nothing here has."""
    return Problem(
        "ENTRY_UNKNOWN", f'Nothing here waits under "{entry_id}".', "The needs_you request lists what does."
    )


def _ref(wish: Wish) -> dict[str, str]:
    return {"ref": wish.ref} if wish.ref else {}
