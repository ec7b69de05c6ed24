"""A change of an order as an operation: with what the person saw when they asked for it. Pure."""

from __future__ import annotations

from sync.contract.operations import Change, Move, Operation, Source
from sync.contract.orders import Order, lines_crc
from sync.contract.stages import Stage


def draft(
    op_id: str,
    order: Order,
    change: Change,
    source: Source,
    *,
    batch_id: str = "",
    undoes: str = "",
    revision: int = 0,
    wall_ms: int = 0,
) -> Operation:
    """Return an operation on ``order`` as it is shown; ``revision`` says that it must be another one.

    Finishing a pick names the lines that were on screen, so that nobody packs what was ordered before.
    """
    is_finishing = isinstance(change, Move) and change.to is Stage.PICKED
    return Operation(
        op_id,
        order.id,
        change,
        source=source,
        batch_id=batch_id,
        undoes=undoes,
        wall_ms=wall_ms,
        base_stage=order.stage,
        base_revision=revision or order.revision,
        base_lines=lines_crc(order) if is_finishing else None,
    )
