"""What a line of ``headless`` asks for as a change of an order, and what takes it back. Pure."""

from __future__ import annotations

from app.headless_lines import Wish
from sync.contract.operations import Change, Move, PutOnHold, Release, Take, Unclaim
from sync.contract.orders import HoldReason, Order
from sync.contract.problems import Problem
from sync.contract.stages import STAGES, Stage


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
    if wish.claim is not None:
        return Take()
    return Unclaim() if wish.unclaim is not None else Release()


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


def no_stage(stage: str) -> Problem:
    """Return what is wrong with a stage that is none."""
    return Problem("STAGE_UNKNOWN", f'"{stage}" is no stage.', f"Use one of: {', '.join(STAGES)}.")
