"""What a line of ``headless`` asks for as a change of an order, and what takes it back. Pure."""

from __future__ import annotations

from typing import Final

from app.headless_lines import Wish
from sync.contract.operations import Cancel, Change, Move, PutOnHold, Release, Ship, Take, Unclaim
from sync.contract.orders import HoldReason, Order
from sync.contract.problems import Problem
from sync.contract.stages import STAGES, Stage

NOTHING_TO_UNDO: Final = Problem("NOTHING_TO_UNDO", "There is nothing to take back here.")


def change_of(wish: Wish) -> Change | Problem:
    """Return the change that a wish asks for, or why it is none."""
    if wish.move is not None:
        stage = wish.move.to
        return Move(Stage(stage)) if stage in set(STAGES) else no_stage(stage)
    if wish.hold is not None:
        if wish.hold.reason in set(HoldReason):
            return PutOnHold(wish.hold.reason, wish.hold.note)
        reasons = ", ".join(HoldReason)
        return Problem(
            "REASON_UNKNOWN", f'"{wish.hold.reason}" is no reason for a hold.', f"Use one of: {reasons}."
        )
    if wish.ship is not None:
        return Ship(wish.ship.tracking_number, wish.ship.carrier)
    if wish.cancel is not None:
        return Cancel(wish.cancel.note)
    if wish.claim is not None:
        return Take()
    return Unclaim() if wish.unclaim is not None else Release()


def number_of(wish: Wish) -> str:
    """Return the number of the order that a wish is about, empty when it is about none."""
    named = wish.move or wish.claim or wish.unclaim or wish.hold or wish.release or wish.ship or wish.cancel
    return "" if named is None else named.number


def way_back(before: Order, change: Change) -> Change | None:
    """Return what takes a change back, None where nothing does."""
    match change:
        case Move():
            return Move(before.stage)
        case Take():
            return Unclaim()
        case Unclaim():
            return Take()
        case PutOnHold() if before.hold is None:
            return Release()
        case Release() if before.hold is not None:
            return PutOnHold(before.hold.reason, before.hold.note, before.hold.until_ms)
        case _:
            return None


def no_way_back(number: str, change: Change) -> Problem:
    """Return why a change is not taken back."""
    if isinstance(change, Ship | Cancel):
        what = "shipped" if isinstance(change, Ship) else "cancelled"
        return Problem(
            "NOT_UNDONE",
            f"Order {number} was {what}, which is not taken back here.",
            "A supervisor may move a shipped order back; a cancelled one is ordered anew.",
        )
    return NOTHING_TO_UNDO


def no_stage(stage: str) -> Problem:
    """Return what is wrong with a stage that is none."""
    return Problem("STAGE_UNKNOWN", f'"{stage}" is no stage.', f"Use one of: {', '.join(STAGES)}.")
