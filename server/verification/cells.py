"""The cells of the conflict table that a run has met: each kind of operation on an order in each state."""

from __future__ import annotations

from collections import Counter
from typing import Final

from sync.contract.operations import KINDS, LogEntry, Outcome, Reason
from sync.contract.orders import Order

STATES: Final = (
    *("confirmed", "picking", "picked", "shipped", "cancelled", "on hold", "claimed by another", "retired"),
)
_IMPOSSIBLE: Final[frozenset[tuple[str, str]]] = frozenset()

Cell = tuple[str, str]


class Cells:
    """Counts how often each cell was met, by outcome."""

    def __init__(self) -> None:
        """Begin with nothing met."""
        self.met: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[tuple[str, Outcome, Reason]] = Counter()

    def note(self, entry: LogEntry, before: Order | None) -> None:
        """Count one decided operation on the order as it was."""
        kind = str(entry.operation.change.__struct_config__.tag)
        self.outcomes[kind, entry.outcome, entry.reason] += 1
        if before is not None:
            self.met.update((kind, state) for state in states(before, entry.operation.actor_id))

    def add(self, other: Cells) -> None:
        """Add what another run met."""
        self.met.update(other.met)
        self.outcomes.update(other.outcomes)

    def uncovered(self) -> list[Cell]:
        """Return the cells that were never met."""
        return sorted(table() - set(self.met))


def table() -> set[Cell]:
    """Return every cell that there is."""
    return {(kind, state) for kind in KINDS for state in STATES} - _IMPOSSIBLE


def states(order: Order, actor_id: str) -> list[str]:
    """Return the states that count of an order: its stage, and what lies across it."""
    if order.retired_ms is not None:
        return ["retired"]
    found = [order.stage.value]
    if order.cancelled_ms is not None:
        found.append("cancelled")
    if order.hold is not None:
        found.append("on hold")
    if order.claimed_by is not None and order.claimed_by.user_id != actor_id:
        found.append("claimed by another")
    return found
