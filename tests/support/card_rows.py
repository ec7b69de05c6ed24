"""Card rows for tests, scenes and benchmarks: made up, seeded, the same on every machine."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any, Final

from sync.contract.rows import CardRow, Fate
from sync.contract.stages import STAGES, Stage

NOW_MS: Final = int(datetime(2026, 3, 17, 10, 24, 8, tzinfo=UTC).timestamp() * 1000)
"""A Tuesday morning: the fixed clock of every scene."""

MINUTE_MS: Final = 60_000

_CUSTOMERS: Final = (
    ("Birchwood Pharmacy", "Preston"), ("Halden & Moss Ltd", "Carlisle"), ("Inez Carvalho", "Porto, PT"),
    ("Riverside Canteen", "Durham"), ("Tallow Lane Candles", "Whitehaven"), ("O. Fairweather", "Stirling"),
    ("Kestrel Climbing Hall", "Penrith"), ("Yusuf Aydin", "Bolton"), ("Marram Point Hotel", "Amble"),
    ("Brightside Nursery School", "Oldham"), ("Dr E. Lindqvist", "Lund, SE"),
    ("Copperfield Repairs", "Wigan"),
    ("Salt & Timber Kitchens", "Redcar"), ("Wren Cottage Bakery", "Settle"), ("Thandiwe Moyo", "Salford"),
    ("Old Foundry Brewing", "Selby"), ("Lantern Street Books", "Lancaster"), ("P. Castellanos", "Vigo, ES"),
    ("Northmoor Veterinary Group", "Alnwick"), ("Juniper Yoga Rooms", "Ripon"),
    ("Hexley Model Railways", "Crewe"),
    ("Greta Aaltonen", "Turku, FI"), ("Quayside Chandlers", "Maryport"),
    ("St Oswin Parish Office", "Tynemouth"),
)  # fmt: skip
_PEOPLE: Final = (
    ("Bea F.", "u-bea"), ("Omar L.", "u-omar"), ("Tess W.", "u-tess"), ("Ivo P.", "u-ivo"),
    ("Nia J.", "u-nia"),
)  # fmt: skip
_CARRIERS: Final = ("Parcelline Next Day", "Swiftway Express", "Harbour Freight", "Post Standard")


def card_row(local_id: int = 1, **changes: Any) -> CardRow:  # noqa: ANN401 - the fields of a row
    """Return a plain order, with some fields changed."""
    customer, city = _CUSTOMERS[local_id % len(_CUSTOMERS)]
    row = CardRow(
        local_id=local_id,
        order_id=f"01890000-0000-7000-8000-{local_id:012d}",
        number=str(70_000 + local_id),
        customer=customer,
        city=city,
        stage=Stage.CONFIRMED,
        priority=0,
        cut_off_ms=NOW_MS + 42 * MINUTE_MS,
        carrier="Swiftway Express",
        placed_ms=NOW_MS - 3_600_000 + local_id,
        stage_ms=NOW_MS - 600_000,
        lines_total=4,
        lines_picked=0,
        lines_short=0,
        pieces=9,
        claimed_by="",
        claimed_id="",
        hold_reason="",
        hold_until_ms=None,
        is_cancelled=False,
        exception="",
        backorder_number="",
        has_note=False,
        tags=(),
        fate=Fate.SETTLED,
    )
    return row._replace(**changes)


def mixed_rows(count: int, seed: int = 1) -> list[CardRow]:
    """Return ``count`` orders over all stages, carriers and states, the first ones the most varied."""
    pick = random.Random(seed)
    return [_mixed(local_id, pick) for local_id in range(1, count + 1)]


def _mixed(local_id: int, pick: random.Random) -> CardRow:
    """Return one order of a mixed board."""
    stage = STAGES[local_id % 4]
    lines = pick.choice((1, 2, 3, 4, 6, 8, 11, 22))
    picked = {Stage.CONFIRMED: 0, Stage.PICKING: pick.randrange(lines + 1)}.get(stage, lines)
    carrier = pick.randrange(len(_CARRIERS))
    person, person_id = pick.choice(_PEOPLE) if stage in (Stage.PICKING, Stage.PICKED) else ("", "")
    row = card_row(
        local_id,
        stage=stage,
        priority=int(pick.random() < 0.15),
        cut_off_ms=NOW_MS + (-4, 12, 42, 400)[carrier] * MINUTE_MS,
        carrier=_CARRIERS[carrier],
        stage_ms=NOW_MS - local_id * 37_000 % 14_000_000,
        lines_total=lines,
        lines_picked=picked,
        pieces=lines * pick.randrange(1, 6),
        claimed_by=person,
        claimed_id=person_id,
        has_note=pick.random() < 0.1,
        tags=("gift",) if pick.random() < 0.1 else (),
    )
    return row if stage is Stage.SHIPPED else _exceptional(row, pick.random())


def _exceptional(row: CardRow, chance: float) -> CardRow:
    """Return the row with one of the rarer states, or unchanged."""
    if chance < 0.05:
        return row._replace(is_cancelled=True)
    if chance < 0.1:
        return row._replace(hold_reason="Address needs checking", hold_until_ms=NOW_MS + 90 * MINUTE_MS)
    if chance < 0.15:
        return row._replace(lines_short=1, backorder_number=f"{row.number}-B")
    if chance < 0.2:
        return row._replace(exception="Two moves disagree")
    if chance < 0.3:
        return row._replace(fate=Fate.PENDING)
    return row
