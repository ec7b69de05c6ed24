"""What somebody did, in a sentence: "You moved it to Picked at 13:09." Pure; no Qt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, Final

from app.plain_words import Language
from sync.contract.operations import (
    Acknowledge,
    Assign,
    Cancel,
    Create,
    Edit,
    Move,
    Note,
    Operation,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reinstate,
    Release,
    RequestHandover,
    Resolve,
    Ship,
    ShortPick,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.stages import Stage

CONTEXT: Final = "Deed"
LATEST_MS: Final = 253_370_764_800_000
"""The year 9999 begins: what every zone's calendar can show. A terminal may say any number."""

_STAGES: Final = {
    Stage.CONFIRMED: "Confirmed",
    Stage.PICKING: "Picking",
    Stage.PICKED: "Picked",
    Stage.SHIPPED: "Shipped",
}

_TEXTS: Final[dict[type, str]] = {
    Move: "You moved it to {stage}",
    Take: "You took it",
    Unclaim: "You let go of it",
    RequestHandover: "You asked for it",
    Assign: "You gave it to {person}",
    Prioritise: "You changed its priority",
    PutOnHold: "You put it on hold",
    Release: "You released it",
    Cancel: "You cancelled it",
    Reinstate: "You opened it again",
    Pick: "You picked {quantity} x {sku}",
    ShortPick: "You reported missing pieces",
    Pack: "You packed it",
    Ship: "You shipped it",
    Note: "You wrote a note",
    Tag: "You changed its tags",
    Edit: "You corrected it",
    Create: "You made it",
    Acknowledge: "You had seen it",
    Resolve: "You settled it",
}
_UNDID: Final = "You wanted to undo your last step"
_CHANGED: Final = "You changed it"


def deed_sentence(operation: Operation, zone: tzinfo, language: Language) -> str:
    """Return what the person did and when."""
    text = _UNDID if operation.undoes else _TEXTS.get(type(operation.change), _CHANGED)
    values = _VALUES.get(type(operation.change), _no_values)(operation.change, language)
    if isinstance(operation.change, Pick) and operation.change.quantity < 0 and not operation.undoes:
        text = "You put {quantity} x {sku} back"
    if isinstance(operation.change, Assign) and not operation.change.assignee_id:
        text = "You gave it to nobody in particular"
    if not operation.wall_ms:
        return language.translate(CONTEXT, f"{text}.", **values)
    at = clock(operation.wall_ms, zone)
    return language.translate(CONTEXT, f"{text} at {{at}}.", at=at, **values)


def clock(at_ms: int, zone: tzinfo) -> str:
    """Return "13:12"; a time that no calendar reaches is told as the nearest that one does."""
    return datetime.fromtimestamp(min(max(at_ms, 0), LATEST_MS) / 1000, zone).strftime("%H:%M")


def stage_word(stage: Stage, language: Language) -> str:
    """Return what a stage is called in sentences."""
    return language.translate("Board", _STAGES[stage])


def _no_values(_change: object, _language: Language) -> dict[str, object]:
    return {}


_VALUES: Final[dict[type, Callable[[Any, Language], dict[str, object]]]] = {
    Move: lambda change, language: {"stage": stage_word(change.to, language)},
    Assign: lambda change, _: {"person": change.assignee},
    Pick: lambda change, _: {"quantity": abs(change.quantity), "sku": change.sku or f"{change.position}"},
}
