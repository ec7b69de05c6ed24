"""Every cell of the conflict table: each operation on each state of an order, as a picker and as the office.

A state is a stage with what may stand beside it: cancelled, on hold, held by somebody else, retired, unknown.
The table says what comes out; an operation or a state without a cell fails. Small letters are outcomes
without a reason, capitals are reasons.
"""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from sync.contract import operations as ops
from sync.contract.facts import FACT_REASONS
from sync.contract.operations import Change, Operation, Outcome, Reason
from sync.contract.orders import Claim, Hold, LineItem, Order, OrderException, OrderPatch
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge, decide

NOW = 1_700_000_000_000
CUP = LineItem(1, "CUP", "Cup", 2, "A-1")
DONE = LineItem(2, "TRAY", "Tray", 1, "B-2", quantity_picked=1)
JOY = Claim("joy", "Joy", 5)
SEEN = OrderException("LINES_CHANGED", "Lines changed.", "op-9", 4)

STATES: Final[dict[str, Order | None]] = {}


def _state(name: str, stage: Stage, **fields: object) -> None:
    order = Order(
        "o1", "org", "site", "csv", "R1", "1001", stage, 1, 1, 1, 1, lines=(CUP, DONE), exceptions=(SEEN,)
    )
    STATES[name] = msgspec.structs.replace(order, **fields)


for each in Stage:
    _state(each.value, each)
    _state(f"{each.value} taken", each, claimed_by=JOY)
    _state(f"{each.value} held", each, hold=Hold("other", "Sam", 5))
    _state(f"{each.value} cancelled", each, cancelled_ms=6)
_state("retired", Stage.SHIPPED, retired_ms=7)
_state("deleted", Stage.CONFIRMED, deleted_ms=7)
STATES["unknown"] = None

PICKER = Judge("ana", "Ana", Role.PICKER, NOW)
BOSS = Judge("boss", "Boss", Role.SUPERVISOR, NOW)
SYSTEM = Judge("", "System", Role.SYSTEM, NOW)
VIEWER = Judge("v", "V", Role.VIEWER, NOW)

_TO = {stage: ops.Move(stage) for stage in Stage}
CHANGES: Final[dict[str, tuple[Change, Judge]]] = {
    **{f"move to {stage.value}": (change, PICKER) for stage, change in _TO.items()},
    **{f"boss moves to {stage.value}": (change, BOSS) for stage, change in _TO.items()},
    "claim": (ops.Take(), PICKER),
    "unclaim": (ops.Unclaim(), PICKER),
    "boss unclaims": (ops.Unclaim(), BOSS),
    "request_handover": (ops.RequestHandover(), PICKER),
    "assign": (ops.Assign("ali", "Ali"), BOSS),
    "assign over another": (ops.Assign("ali", "Ali", "eva"), BOSS),
    "prioritise": (ops.Prioritise(2), BOSS),
    "hold": (ops.PutOnHold("other"), PICKER),
    "release": (ops.Release(), BOSS),
    "cancel": (ops.Cancel(), BOSS),
    "reinstate": (ops.Reinstate(), BOSS),
    "pick": (ops.Pick(1, 2, "CUP"), PICKER),
    "pick too many": (ops.Pick(1, 3, "CUP"), PICKER),
    "pick another line": (ops.Pick(7, 1, "JUG"), PICKER),
    "put back": (ops.Pick(2, -1, "TRAY"), PICKER),
    "short_pick": (ops.ShortPick((ops.ShortLine(1, 2, "CUP"),), "not there"), PICKER),
    "short_pick without reason": (ops.ShortPick((ops.ShortLine(1, 2, "CUP"),)), PICKER),
    "pack": (ops.Pack(2), PICKER),
    "unpack": (ops.Pack(0), PICKER),
    "ship": (ops.Ship("T-1"), PICKER),
    "note": (ops.Note("ring twice"), PICKER),
    "tag": (ops.Tag(("gift",)), PICKER),
    "edit": (ops.Edit(OrderPatch(customer="Ann"), OrderPatch(customer="")), BOSS),
    "edit of a changed field": (ops.Edit(OrderPatch(customer="Ann"), OrderPatch(customer="Bo")), BOSS),
    "acknowledge": (ops.Acknowledge("op-9"), PICKER),
    "acknowledge nothing": (ops.Acknowledge("op-0"), PICKER),
    "resolve": (ops.Resolve("op-9"), PICKER),
    "resolve nothing": (ops.Resolve("op-0"), PICKER),
    "create": (ops.Create(STATES["confirmed"]), BOSS),
    "import": (ops.Import(STATES["confirmed"]), SYSTEM),
    "revision": (ops.Import(patch=OrderPatch(customer="Ann")), SYSTEM),
    "schedule": (ops.Schedule(9, "van"), SYSTEM),
    "retire": (ops.Retire(), SYSTEM),
    "skip": (ops.Skip(), VIEWER),
    "unknown": (ops.Unknown("teleport"), BOSS),
}

_DONE = {"cancelled": "CANCELLED", "shipped": "ALREADY_SHIPPED"}
_WORK = {"open": "applied", "taken": "applied", "held": "applied", **_DONE}
_HERE = {
    "open": "applied",
    "taken": "applied",
    "held": "applied",
    "shipped": "applied",
    "cancelled": "applied",
}
_NOT = dict.fromkeys(_HERE, "noop")
_MISSING = {"retired": "UNKNOWN_ORDER", "deleted": "UNKNOWN_ORDER", "unknown": "UNKNOWN_ORDER"}
_FACT = {**_MISSING, "retired": "applied"}


def _moves(to: str, by_stage: dict[str, str], **states: str) -> dict[str, str]:
    """Return the row of a move: by stage, then what stands beside it, then by both."""
    row = {**_MISSING, **by_stage, "cancelled": "CANCELLED", f"{to} cancelled": "noop"}
    row[f"{to} held"] = "noop"
    return row | {name.replace("_", " "): value for name, value in states.items()}


_HELD = "ON_HOLD"
_FORWARD_HELD = {"confirmed_held": _HELD, "picking_held": _HELD, "picked_held": _HELD}

TABLE: Final[dict[str, dict[str, str]]] = {
    "move to confirmed": _moves(
        "confirmed",
        {"confirmed": "noop", "picking": "applied", "picked": "STEP_TOO_LONG", "shipped": "FORBIDDEN"},
    ),
    "move to picking": _moves(
        "picking",
        {"confirmed": "applied", "picking": "noop", "picked": "applied", "shipped": "FORBIDDEN"},
        confirmed_held=_HELD,
        confirmed_taken="ALREADY_CLAIMED",
        picking_taken="ALREADY_CLAIMED",
    ),
    "move to picked": _moves(
        "picked",
        {"confirmed": "STEP_TOO_LONG", "picking": "applied", "picked": "noop", "shipped": "FORBIDDEN"},
        confirmed_held=_HELD,
        picking_held=_HELD,
    ),
    "move to shipped": _moves(
        "shipped",
        {"confirmed": "STEP_TOO_LONG", "picking": "STEP_TOO_LONG", "picked": "applied", "shipped": "noop"},
        **_FORWARD_HELD,
    ),
    "boss moves to confirmed": _moves(
        "confirmed",
        {"confirmed": "noop", "picking": "applied", "picked": "applied", "shipped": "applied"},
    ),
    "boss moves to picking": _moves(
        "picking",
        {"confirmed": "applied", "picking": "noop", "picked": "applied", "shipped": "applied"},
        confirmed_held=_HELD,
        confirmed_taken="ALREADY_CLAIMED",
        picking_taken="ALREADY_CLAIMED",
    ),
    "boss moves to picked": _moves(
        "picked",
        {"confirmed": "applied", "picking": "applied", "picked": "noop", "shipped": "applied"},
        confirmed_held=_HELD,
        picking_held=_HELD,
    ),
    "boss moves to shipped": _moves(
        "shipped",
        {"confirmed": "applied", "picking": "applied", "picked": "applied", "shipped": "noop"},
        **_FORWARD_HELD,
    ),
    "claim": _WORK | _MISSING | {"taken": "ALREADY_CLAIMED"},
    "unclaim": _MISSING | _DONE | {"open": "NOT_CLAIMED", "held": "NOT_CLAIMED", "taken": "ALREADY_CLAIMED"},
    "boss unclaims": _MISSING | _DONE | {"open": "NOT_CLAIMED", "held": "NOT_CLAIMED", "taken": "applied"},
    "request_handover": _MISSING | _DONE | {"open": "NOT_CLAIMED", "held": "NOT_CLAIMED", "taken": "applied"},
    "assign": _WORK | _MISSING,
    "assign over another": _MISSING | _DONE | dict.fromkeys(("open", "held", "taken"), "ASSIGNED_MEANWHILE"),
    "prioritise": _WORK | _MISSING,
    "hold": _WORK | _MISSING,
    "release": _MISSING
    | dict.fromkeys(("open", "taken", "shipped"), "NOT_ON_HOLD")
    | {"held": "applied", "shipped held": "applied", "cancelled": "CANCELLED"},
    "cancel": _WORK | _MISSING | {"cancelled": "noop"},
    "reinstate": _MISSING
    | dict.fromkeys(("open", "taken", "held", "shipped"), "NOT_CANCELLED")
    | {"cancelled": "applied"},
    "pick": _FACT
    | _HERE
    | {"held": "PICKED_ON_HOLD", "cancelled": "PICKED_AFTER_CANCEL"}
    | {"shipped": "PICKED_AFTER_SHIP", "retired": "PICKED_AFTER_SHIP"},
    "pick too many": _FACT
    | {"open": "OVER_PICKED", "taken": "OVER_PICKED", "held": "PICKED_ON_HOLD"}
    | {"cancelled": "PICKED_AFTER_CANCEL", "shipped": "PICKED_AFTER_SHIP", "retired": "PICKED_AFTER_SHIP"},
    "pick another line": _FACT | dict.fromkeys((*_HERE, "retired"), "LINE_UNKNOWN"),
    "put back": _FACT | _HERE,
    "short_pick": _FACT | _HERE | {"cancelled": "noop"},
    "short_pick without reason": _FACT | _NOT | {"retired": "noop"},
    "pack": _FACT
    | _HERE
    | {"held": "PACKED_ON_HOLD", "cancelled": "PACKED_AFTER_CANCEL"}
    | {"shipped held": "PACKED_ON_HOLD"},
    "unpack": _FACT | _NOT | {"retired": "noop"},
    "ship": _FACT
    | _HERE
    | dict.fromkeys(("confirmed", "picking", "confirmed taken", "picking taken"), "SHIPPED_EARLY")
    | {"held": "SHIPPED_ON_HOLD", "cancelled": "SHIPPED_AFTER_CANCEL"}
    | {"shipped held": "applied", "shipped cancelled": "applied"},
    "note": _HERE | _MISSING,
    "tag": _HERE | _MISSING,
    "edit": _WORK | _MISSING,
    "edit of a changed field": _MISSING | _DONE | dict.fromkeys(("open", "held", "taken"), "CHANGED_SINCE"),
    "acknowledge": _HERE | _MISSING,
    "acknowledge nothing": _NOT | _MISSING,
    "resolve": _HERE | _MISSING,
    "resolve nothing": _NOT | _MISSING,
    "create": dict.fromkeys((*_HERE, "retired", "deleted"), "DUPLICATE_ORDER") | {"unknown": "applied"},
    "import": dict.fromkeys((*_HERE, "retired", "deleted"), "DUPLICATE_ORDER") | {"unknown": "applied"},
    "revision": {**_NOT, "retired": "noop", "deleted": "noop", "unknown": "UNKNOWN_ORDER"}
    | dict.fromkeys(("open", "taken", "held"), "merged"),
    "schedule": _WORK | _MISSING,
    "retire": _MISSING
    | dict.fromkeys(("open", "taken", "held"), "STILL_OPEN")
    | {"shipped": "applied", "cancelled": "applied"},
    "skip": dict.fromkeys((*_HERE, *_MISSING), "QUARANTINED"),
    "unknown": dict.fromkeys((*_HERE, *_MISSING), "UPGRADE_REQUIRED"),
}


def _expected(name: str, state: str) -> str:
    """Return what the table says: the cell of exactly this state, else of what stands beside the stage."""
    row = TABLE[name]
    if state in row:
        return row[state]
    stage, _, beside = state.partition(" ")
    if stage == Stage.SHIPPED and beside != "cancelled" and beside in {"taken", "held"} and "shipped" in row:
        return row["shipped"]
    if beside and beside in row:
        return row[beside]
    return row[stage] if stage in row else row["open"]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", CHANGES)
def test_a_cell_of_the_conflict_table(name: str, state: str) -> None:
    """What comes out is what the table says, and only what was taken changes the order, by one revision."""
    change, judge = CHANGES[name]
    order = STATES[state]
    decision = decide(order, Operation("op-1", "o1", change), judge)
    assert (decision.reason.value or decision.outcome.value) == _expected(name, state)
    if decision.outcome in {Outcome.REJECTED, Outcome.NOOP}:
        assert decision.order is None
        return
    assert decision.order is not None
    if order is not None:
        assert decision.order.revision == order.revision + 1
        assert decision.order.updated_ms == NOW
    if decision.outcome is Outcome.EXCEPTION and isinstance(change, ops.Fact):
        assert decision.order.exceptions[-1].op_id == "op-1"
        assert decision.order.exceptions[-1].code in {reason.value for reason in FACT_REASONS}


def test_the_table_has_a_row_for_every_kind_of_operation() -> None:
    """A new kind without a row fails."""
    assert set(TABLE) == set(CHANGES)
    tags = {change.__struct_config__.tag for change, _ in CHANGES.values()}
    assert tags == {*ops.KINDS, "unknown"}


@pytest.mark.parametrize(
    "name", [name for name, (change, _) in CHANGES.items() if isinstance(change, ops.Fact)]
)
@pytest.mark.parametrize(
    "state", [state for state, order in STATES.items() if order and not order.deleted_ms]
)
def test_a_fact_is_never_refused(name: str, state: str) -> None:
    """Whatever the order says, what happened in the hall is in it afterwards, or was in it already."""
    change, judge = CHANGES[name]
    decision = decide(STATES[state], Operation("op-1", "o1", change), judge)
    assert decision.outcome is not Outcome.REJECTED
    if decision.order is not None:
        assert decision.order.is_on_board


def test_a_viewer_changes_nothing() -> None:
    """Deny by default: neither an intent nor a fact."""
    for change, _ in CHANGES.values():
        if not isinstance(change, ops.Skip | ops.Unknown):
            decision = decide(STATES["confirmed"], Operation("op-1", "o1", change), VIEWER)
            assert (decision.outcome, decision.reason) == (Outcome.REJECTED, Reason.FORBIDDEN)
