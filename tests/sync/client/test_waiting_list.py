"""What a person's word on an entry comes to."""

from __future__ import annotations

import msgspec
import pytest

from support.clocks import CountingIds
from support.drafts import draft
from support.orders import make_order
from sync.client.commands import Acknowledge, RetryQuarantined
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.waiting_list import answers_to
from sync.contract import operations
from sync.contract.orders import OrderPatch, lines_crc
from sync.contract.stages import Stage

TRIED = msgspec.structs.replace(
    draft("op-1", "order-1"),
    device_id="device-1",
    device_seq=7,
    actor_id="user-1",
    sign_in_id="sign-in-1",
    batch_id="batch-1",
    wall_ms=5,
    mono_ms=6,
    boot_id="boot-1",
)
ENTRY = NeedsYou("op-1", NeedsYouKind.QUARANTINED, 77, TRIED)


def test_a_retry_is_a_new_draft_of_whoever_asks_for_it() -> None:
    """Nothing of the first try is in it but what was to be done, and which one it repeats."""
    ids = CountingIds(90)
    (again,) = answers_to(RetryQuarantined("op-1"), ENTRY, ids)
    fresh = operations.Operation(again.op_id, "order-1", TRIED.change, source=TRIED.source, retry_of="op-1")
    assert again == fresh
    assert again.op_id != "op-1"


def test_seeing_it_is_told_in_a_draft_of_its_own() -> None:
    """The exception of that operation gets the mark of who has seen it."""
    (seen,) = answers_to(Acknowledge("op-1"), ENTRY, CountingIds(90))
    assert (seen.order_id, seen.change) == ("order-1", operations.Acknowledge("op-1"))
    assert (seen.device_id, seen.device_seq) == ("", 0)


def test_a_salvage_is_answered_to_nobody() -> None:
    """It is this computer's own affair."""
    salvage = NeedsYou("salvage-1", NeedsYouKind.SALVAGED, 77)
    assert answers_to(Acknowledge("salvage-1"), salvage, CountingIds(90)) == ()


BASED = msgspec.structs.replace(TRIED, base_stage=Stage.SHIPPED, base_revision=3, base_lines=1)
ORDER = make_order(1, id="order-1", stage=Stage.PICKING, assignee_id="ben", note="Now")


@pytest.mark.parametrize(
    ("change", "again", "lines"),
    [
        (operations.Move(Stage.PICKED), operations.Move(Stage.PICKED), lines_crc(ORDER)),
        (operations.Take(), operations.Take(), None),
        (operations.Assign("eva", "Eva", "ali"), operations.Assign("eva", "Eva", "ben"), None),
        (
            operations.Edit(OrderPatch(note="New"), OrderPatch(note="Old")),
            operations.Edit(OrderPatch(note="New"), OrderPatch(note="Now")),
            None,
        ),
    ],
)
def test_a_retry_is_based_on_what_is_there_now(
    change: operations.Change, again: operations.Change, lines: int | None
) -> None:
    """Also what the change itself says of before; without the order nothing is said."""
    entry = msgspec.structs.replace(ENTRY, operation=msgspec.structs.replace(BASED, change=change))
    (made,) = answers_to(RetryQuarantined("op-1"), entry, CountingIds(90), ORDER)
    assert (made.change, made.base_stage, made.base_revision, made.base_lines) == (
        again,
        Stage.PICKING,
        ORDER.revision,
        lines,
    )
    (blind,) = answers_to(RetryQuarantined("op-1"), entry, CountingIds(90))
    assert (blind.base_stage, blind.base_revision, blind.base_lines) == (None, 0, None)
