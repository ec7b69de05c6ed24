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

from intake.moments import moment_text
from intake.plain_operation import Wanted, as_operation
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
from sync.contract.permissions import Right

OPERATIONS_MAX: Final = 256


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
            operation = as_operation(each, zone)
        except MisplacedError as error:
            outer = f"operations[{place}]" if isinstance(given, list) else ""
            raise error.within(outer).problem("the operation") from error
        by = {"sign_in_id": principal.person.sign_in_id, "wall_ms": now_ms}
        submissions.append(Submission(msgspec.structs.replace(operation, **by), principal))
    if not submissions:
        return []
    verdicts = services.store.commit(Batch(principal.site.key, tuple(submissions))).verdicts
    return [_result(*pair) for pair in zip(wanted, verdicts, strict=True)]


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
