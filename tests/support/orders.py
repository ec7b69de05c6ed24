"""Seeded orders for tests, benches and scenes: made-up people and goods, real proportions.

The same seed and the same "now" give the same orders on every machine. Cut-offs lie around "now";
all stages, holds, claims, cancellations and express orders occur.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple

from sync.contract.orders import Address, Claim, Hold, HoldReason, LineItem, Order
from sync.contract.stages import Stage

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
NOON_MS: Final = 1_767_182_400_000
"""2025-12-31T12:00Z, the "now" of tests that need one."""

FIRST_NAMES: Final = (
    "Ada", "Bela", "Carmen", "Dilan", "Edda", "Farid", "Greta", "Hanno", "Ines", "Joris", "Kaya", "Levin",
    "Mila", "Nuri", "Olga", "Pablo", "Quinn", "Rosa", "Sami", "Tilda", "Umar", "Vera", "Wanda", "Yara",
)  # fmt: skip
LAST_NAMES: Final = (
    "Ahlberg", "Brandão", "Castillo", "Drożdż", "Eriksen", "Fontaine", "Gülay", "Hofer", "Ivanova", "Jansson",
    "Kowal", "Lindqvist", "Moreau", "Novák", "Okafor", "Petit", "Quist", "Rossi", "Sørensen", "Tanaka",
)  # fmt: skip
COMPANIES: Final = (
    "Alder & Finch", "Bright Harbour", "Copper Lane", "Dovetail Works", "Eastgate Books", "Fernhill Cycles",
    "Granary Row", "Hollow Oak", "Juniper Street", "Kestrel Outdoor", "Lantern House", "Millpond Ceramics",
)  # fmt: skip
CITIES: Final = (
    "Alnwick", "Bergen", "Cádiz", "Dresden", "Évora", "Falun", "Gdańsk", "Halle", "Innsbruck", "Jena",
    "Kolding", "Leiden", "Malmö", "Namur", "Oulu", "Porto", "Rouen", "Siena", "Tartu", "Utrecht",
)  # fmt: skip
ADJECTIVES: Final = ("Blue", "Folding", "Heavy", "Linen", "Oak", "Quiet", "Round", "Small", "Steel", "Woven")
GOODS: Final = (
    "basket", "bench", "bowl", "clamp", "cushion", "jug", "kettle", "ladder", "lamp", "mug", "notebook",
    "parasol", "pillow", "rack", "scarf", "stool", "tray", "vase",
)  # fmt: skip
CARRIERS: Final = ("Northline", "Parcelway", "Quickpost", "Redvan", "")
PICKERS: Final = (("user-1", "Ana K."), ("user-2", "Joy T."), ("user-3", "Marek O."))
TAGS: Final = ("gift", "fragile", "export", "repeat")
_CUT_OFFS_H: Final = (-2, 0.2, 1, 1, 2.5, 2.5, 2.5, 4, 4, 6, 24, 25, 28, 48)
_STAGES: Final = (Stage.CONFIRMED,) * 11 + (Stage.PICKING,) * 3 + (Stage.PICKED,) * 2 + (Stage.SHIPPED,) * 4


class Made(NamedTuple):
    """What the orders of one generator have in common."""

    seed: int = 1
    now_ms: int = NOON_MS
    organization_id: str = "organization-1"
    site_id: str = "site-1"
    source: str = "test"


def make_orders(count: int, made: Made | None = None) -> Iterator[Order]:
    """Give ``count`` orders, one at a time: 100,000 of them need no memory here."""
    made = made or Made()
    # Seeded by text: the same on every platform, whatever the hash seed.
    rng = random.Random(f"orders {made.seed}")
    for number in range(count):
        yield _order(rng, number, made)


def make_order(seed: int = 1, **changed: object) -> Order:
    """Return one order with some fields as they are named."""
    import msgspec

    order = next(make_orders(1, Made(seed=seed)))
    return msgspec.structs.replace(order, **changed)


def _order(rng: random.Random, index: int, made: Made) -> Order:
    stage = rng.choice(_STAGES)
    placed_ms = made.now_ms - rng.randrange(5, 60 * 72) * MINUTE_MS
    stage_ms = rng.randrange(placed_ms, made.now_ms)
    customer, company = _customer(rng)
    is_cancelled = rng.random() < 0.01
    return Order(
        id=str(
            uuid.UUID(int=(placed_ms << 80) | (7 << 76) | (0b10 << 62) | (rng.getrandbits(32) << 24) | index)
        ),
        organization_id=made.organization_id,
        site_id=made.site_id,
        source=made.source,
        external_ref=f"{made.seed}-{index}",
        number=str(40_000 + index),
        stage=stage,
        placed_ms=placed_ms,
        stage_ms=stage_ms,
        created_ms=placed_ms,
        updated_ms=stage_ms,
        priority=int(rng.random() < 0.08),
        cut_off_ms=_cut_off_ms(rng, made.now_ms),
        ship_method=rng.choice(("standard", "express")),
        carrier=rng.choice(CARRIERS),
        customer=customer,
        ship_to=_address(rng, customer, company),
        note="Ring twice, the bell is quiet." if rng.random() < 0.1 else "",
        tags=(rng.choice(TAGS),) if rng.random() < 0.15 else (),
        claimed_by=_claim(rng, stage, stage_ms),
        hold=_hold(rng, stage, stage_ms),
        cancelled_ms=stage_ms if is_cancelled else None,
        lines=tuple(_lines(rng, stage)),
    )


def _customer(rng: random.Random) -> tuple[str, str]:
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    return name, rng.choice(COMPANIES) if rng.random() < 0.3 else ""


def _address(rng: random.Random, name: str, company: str) -> Address:
    street = f"{rng.choice(LAST_NAMES)} Street {rng.randrange(1, 200)}"
    return Address(
        name=name,
        company=company,
        street=street,
        city=rng.choice(CITIES),
        postcode=f"{rng.randrange(10_000, 99_999)}",
        country="XX",
    )


def _cut_off_ms(rng: random.Random, now_ms: int) -> int | None:
    if rng.random() < 0.05:
        return None
    hour = rng.choice(_CUT_OFFS_H)
    # Whole quarters of an hour, as a carrier's van comes.
    return (now_ms + int(hour * HOUR_MS)) // (15 * MINUTE_MS) * 15 * MINUTE_MS


def _claim(rng: random.Random, stage: Stage, stage_ms: int) -> Claim | None:
    is_claimed = stage in {Stage.PICKING, Stage.PICKED} and rng.random() < 0.9
    return Claim(*rng.choice(PICKERS), stage_ms) if is_claimed else None


def _hold(rng: random.Random, stage: Stage, stage_ms: int) -> Hold | None:
    if stage is Stage.SHIPPED or rng.random() > 0.03:
        return None
    return Hold(rng.choice(tuple(HoldReason)).value, "Sam P.", stage_ms)


def _lines(rng: random.Random, stage: Stage) -> Iterator[LineItem]:
    for position in range(1, 1 + min(int(rng.expovariate(0.35)) + 1, 24)):
        ordered = rng.choice((1, 1, 1, 2, 3, 6, 12))
        is_picked = stage in {Stage.PICKED, Stage.SHIPPED} or (stage is Stage.PICKING and rng.random() < 0.5)
        good = f"{rng.choice(ADJECTIVES)} {rng.choice(GOODS)}"
        yield LineItem(
            position=position,
            sku=f"{good[:3].upper()}-{rng.randrange(100, 999)}",
            name=good,
            quantity_ordered=ordered,
            location=f"{rng.choice('ABCD')}-{rng.randrange(1, 30):02}-{rng.randrange(1, 6)}",
            quantity_picked=ordered if is_picked else 0,
        )
