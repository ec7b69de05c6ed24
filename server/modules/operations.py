"""Operations of people over HTTP: decided like those of a terminal, by the rights of whoever asks.

They carry no device and no number, only an ``op_id`` of the caller's: what was decided before is answered
again as it was decided. So a caller that heard no answer sends the same again.
"""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from intake.moments import Moment, moment_text
from intake.plain_order import (
    Id,
    Name,
    Note,
    TypedOrder,
    plain_moment,
    plain_note,
    plain_text,
    typed,
)
from intake.sentences import MisplacedError, decoded
from server.describing import About
from server.kernel.connections import LookNow
from server.kernel.http import json_response
from server.kernel.records import Batch, Principal, Submission
from server.kernel.routes import Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract import operations as contract
from sync.contract.messages import Verdict
from sync.contract.orders import HoldReason, Order
from sync.contract.permissions import Right
from sync.contract.stages import Stage

OPERATIONS_MAX: Final = 256


class _Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every operation says: its own id, and the order. ``base_stage`` is where the caller saw it."""

    op_id: Id
    order_id: Id
    base_stage: Stage | None = None


class MoveOperation(_Wanted, frozen=True, tag="move"):
    """To another stage. Moving to picking claims the order."""

    to: Stage


class ClaimOperation(_Wanted, frozen=True, tag="claim"):
    """The caller holds the order."""


class UnclaimOperation(_Wanted, frozen=True, tag="unclaim"):
    """Nobody holds the order any more."""


class HoldOperation(_Wanted, frozen=True, tag="hold"):
    """The order waits for ``reason``, until a time if one is known."""

    reason: HoldReason
    note: Note = ""
    until: Moment | None = None


class ReleaseOperation(_Wanted, frozen=True, tag="release"):
    """The order waits no longer."""


class CancelOperation(_Wanted, frozen=True, tag="cancel"):
    """Nobody fulfils the order any more."""

    note: Note = ""


class ShipOperation(_Wanted, frozen=True, tag="ship"):
    """The order is handed to the carrier, with the number on its label."""

    tracking_number: Name = ""
    carrier: Name = ""


class CreateOperation(_Wanted, frozen=True, tag="create"):
    """A new order by hand; ``order_id`` is the id that it shall have, best a UUID of version 7."""

    order: TypedOrder


Wanted = (
    MoveOperation
    | ClaimOperation
    | UnclaimOperation
    | HoldOperation
    | ReleaseOperation
    | CancelOperation
    | ShipOperation
    | CreateOperation
)
_PLAIN: Final[dict[type, contract.Change]] = {
    ClaimOperation: contract.Take(),
    UnclaimOperation: contract.Unclaim(),
    ReleaseOperation: contract.Release(),
}


class OperationResult(msgspec.Struct):
    """What was decided. ``by`` and ``at`` say who is in the way of a rejected one, and since when."""

    op_id: str
    order_id: str
    outcome: contract.Outcome
    reason: contract.Reason
    seq: int
    by: str
    at: str


class OperationResults(msgspec.Struct):
    """The verdicts, in the order in which the operations were sent."""

    operations: list[OperationResult]


async def decide_operations(request: Request, principal: Principal, services: Services) -> Response:
    """Decide operations in one transaction, each on what the one before left."""
    body = await request.body()
    results = await services.blocking(_decide, services, principal, body)
    services.send(LookNow())
    return json_response(OperationResults(results))


def _decide(services: Services, principal: Principal, body: bytes) -> list[OperationResult]:
    kind = Annotated[list[Wanted], Meta(max_length=OPERATIONS_MAX)] | Wanted
    given: Wanted | list[Wanted] = decoded(body, kind, "operations")
    wanted = given if isinstance(given, list) else [given]
    zone = ZoneInfo(principal.site.time_zone)
    now_ms = services.clock.wall_ms()
    submissions = []
    for place, each in enumerate(wanted):
        try:
            change = _change(each, zone)
        except MisplacedError as error:
            outer = f"operations[{place}]" if isinstance(given, list) else ""
            raise error.within(outer).problem("the operation") from error
        operation = contract.Operation(
            each.op_id,
            each.order_id,
            change,
            sign_in_id=principal.person.sign_in_id,
            wall_ms=now_ms,
            base_stage=each.base_stage,
        )
        submissions.append(Submission(operation, principal))
    if not submissions:
        return []
    verdicts = services.store.commit(Batch(principal.site.key, tuple(submissions))).verdicts
    return [_result(*pair) for pair in zip(wanted, verdicts, strict=True)]


def _change(wanted: Wanted, zone: ZoneInfo) -> contract.Change:
    match wanted:
        case MoveOperation():
            return contract.Move(wanted.to)
        case HoldOperation():
            note, until_ms = plain_note("note", wanted.note), plain_moment("until", wanted.until, zone)
            return contract.PutOnHold(wanted.reason.value, note, until_ms)
        case CancelOperation():
            return contract.Cancel(plain_note("note", wanted.note))
        case ShipOperation():
            number = plain_text("tracking_number", wanted.tracking_number)
            return contract.Ship(number, plain_text("carrier", wanted.carrier))
        case CreateOperation():
            return contract.Create(_typed(wanted.order, zone))
        case _:
            return _PLAIN[type(wanted)]


def _typed(order: TypedOrder, zone: ZoneInfo) -> Order:
    try:
        return typed(order, zone)
    except MisplacedError as error:
        raise error.within("order") from error


def _result(wanted: Wanted, verdict: Verdict | None) -> OperationResult:
    assert verdict is not None, "an operation without a device cannot be one of a cloned device"
    return OperationResult(
        wanted.op_id,
        wanted.order_id,
        verdict.outcome,
        verdict.reason,
        verdict.seq,
        verdict.by,
        moment_text(verdict.at_ms) if verdict.at_ms else "",
    )


_ABOUT: Final = About(
    "Decide operations of people: one, or a list of up to 256",
    Wanted | Annotated[list[Wanted], Meta(max_length=OPERATIONS_MAX)],
    OperationResults,
)

MODULE: Final = Module(
    name="operations",
    routes=(Route("/operations", "POST", decide_operations, Right.READ_BOARD, _ABOUT),),
)
