"""Demo orders: a busy floor around now, the same for the same seed. Pure.

Collections have fixed times of the day at the site, so whatever the clock says some orders are late,
some leave soon and some tomorrow.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from calendars.local_times import day_start_ms
from intake.demo_words import CARRIERS, GOODS, HOLD_NOTES, NOTES, PICKERS, PLACES, TAGS, Place
from sync.contract.orders import Address, Claim, Hold, HoldReason, LineItem, Order
from sync.contract.stages import Stage

SOURCE: Final = "demo"
MINUTE_MS: Final = 60_000
FIRST_NUMBER: Final = 48_001

_STAGES: Final = (Stage.CONFIRMED,) * 11 + (Stage.PICKING,) * 2 + (Stage.PICKED,) * 2 + (Stage.SHIPPED,) * 5
_LINES: Final = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 11)
_QUANTITIES: Final = (1, 1, 1, 1, 2, 2, 3, 4, 6, 12)
_AHEAD: Final = (0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4)
"""How many collections from now an open order leaves; the soonest have the most."""


class DemoPlan(NamedTuple):
    """What decides the demo orders: the same plan gives the same orders (ids aside)."""

    orders: int
    seed: int
    now_ms: int
    zone: tzinfo


class _Collection(NamedTuple):
    at_ms: int
    carrier: str


def demo_orders(plan: DemoPlan) -> Iterator[Order]:
    """Yield the orders of ``plan``, without ids; fewer of the same seed are the first of more."""
    rng = random.Random(f"demo {plan.seed}")  # a text seeds the same everywhere
    collections = _collections(plan)
    next_one = next(place for place, each in enumerate(collections) if each.at_ms > plan.now_ms)
    for index in range(plan.orders):
        yield _order(rng, index, plan, collections, next_one)


def _collections(plan: DemoPlan) -> list[_Collection]:
    """Return the collections of yesterday to two days ahead, the earliest first."""
    today = datetime.fromtimestamp(plan.now_ms / 1000, plan.zone).date()
    return sorted(
        _Collection(
            int(
                datetime.combine(
                    today + timedelta(days=day), time.fromisoformat(at), tzinfo=plan.zone
                ).timestamp()
                * 1000
            ),
            carrier,
        )
        for day in (-1, 0, 1, 2)
        for carrier, at in CARRIERS
    )


def _order(
    rng: random.Random, index: int, plan: DemoPlan, collections: list[_Collection], next_one: int
) -> Order:
    stage = rng.choice(_STAGES)
    is_late = rng.random() < 0.03
    step = -1 if stage is Stage.SHIPPED or is_late else rng.choice(_AHEAD)
    leaves = collections[next_one + step]
    has_cut_off = rng.random() > 0.05
    # Someone who ordered before the collection before that one would have been served by it.
    placed_ms = min(leaves.at_ms, plan.now_ms) - rng.randrange(20, 20 * 60) * MINUTE_MS
    stage_ms = _stage_ms(rng, stage, placed_ms, plan)
    place = rng.choice(PLACES)
    is_express = rng.random() < 0.07
    return Order(
        id="",
        organization_id="",
        site_id="",
        source=SOURCE,
        external_ref=f"{plan.seed}-{index + 1}",
        number=str(FIRST_NUMBER + index),
        stage=stage,
        placed_ms=placed_ms,
        stage_ms=stage_ms,
        created_ms=placed_ms,
        updated_ms=stage_ms,
        priority=int(is_express),
        cut_off_ms=leaves.at_ms if has_cut_off else None,
        ship_method="Express" if is_express else "Standard",
        carrier=leaves.carrier if has_cut_off else "",
        note=rng.choice(NOTES) if rng.random() < 0.12 else "",
        tags=tuple(rng.sample(TAGS, rng.choice((1, 1, 2)))) if rng.random() < 0.2 else (),
        claimed_by=None if stage is Stage.CONFIRMED else _claim(rng, stage_ms),
        hold=_hold(rng, plan.now_ms) if stage is Stage.CONFIRMED and rng.random() < 0.06 else None,
        cancelled_ms=_cancelled_ms(plan) if stage is Stage.PICKING and rng.random() < 0.06 else None,
        tracking_number=f"FK{rng.randrange(10**9):09d}" if stage is Stage.SHIPPED else "",
        lines=_lines(rng, stage),
        **_recipient(rng, place),
    )


def _stage_ms(rng: random.Random, stage: Stage, placed_ms: int, plan: DemoPlan) -> int:
    """Return since when the order stands in its stage: what is on the floor came there lately."""
    if stage is Stage.CONFIRMED:
        return placed_ms
    longest = 8 * 60 if stage is Stage.SHIPPED else 50
    since_ms = max(placed_ms, plan.now_ms - rng.randrange(2, longest) * MINUTE_MS)
    # What was finished yesterday is no longer on a board.
    return max(since_ms, _today_ms(plan)) if stage is Stage.SHIPPED else since_ms


def _cancelled_ms(plan: DemoPlan) -> int:
    return max(plan.now_ms - 9 * MINUTE_MS, _today_ms(plan))


def _today_ms(plan: DemoPlan) -> int:
    return day_start_ms(plan.now_ms, plan.zone)


def _claim(rng: random.Random, at_ms: int) -> Claim:
    place = rng.randrange(len(PICKERS))
    return Claim(f"demo-picker-{place + 1}", PICKERS[place], at_ms)


_HOLD_REASONS: Final = (
    HoldReason.AWAITING_PAYMENT,
    HoldReason.HIGH_RISK_OF_FRAUD,
    HoldReason.INCORRECT_ADDRESS,
    HoldReason.OUT_OF_STOCK,
    HoldReason.UNKNOWN_DELIVERY_DATE,
)


def _hold(rng: random.Random, now_ms: int) -> Hold:
    until_ms = now_ms + rng.choice((45, 90, 240)) * MINUTE_MS if rng.random() < 0.5 else None
    at_ms = now_ms - rng.randrange(5, 180) * MINUTE_MS
    return Hold(rng.choice(_HOLD_REASONS), rng.choice(PICKERS), at_ms, rng.choice(HOLD_NOTES), until_ms)


def _lines(rng: random.Random, stage: Stage) -> tuple[LineItem, ...]:
    goods = rng.sample(GOODS, rng.choice(_LINES))
    picked = {Stage.CONFIRMED: 0, Stage.PICKING: rng.randrange(len(goods) + 1)}.get(stage, len(goods))
    lines = []
    for place, (sku, name, location) in enumerate(goods):
        quantity = rng.choice(_QUANTITIES)
        lines.append(LineItem(place + 1, sku, name, quantity, location, quantity if place < picked else 0))
    return tuple(lines)


def _recipient(rng: random.Random, place: Place) -> dict[str, Any]:
    person = rng.choice(place.people)
    company = rng.choice(place.companies) if rng.random() < 0.55 else ""
    letters = {"#": "0123456789", "@": "ABDEFGHJLNPQRSTUWXYZ"}
    postcode = "".join(rng.choice(letters[mark]) if mark in letters else mark for mark in place.postcode)
    address = Address(
        name=person,
        company=company,
        street=f"{rng.choice(place.streets)} {rng.randrange(1, 140)}",
        city=place.city,
        region=place.region,
        postcode=postcode,
        country=place.country,
    )
    return {"customer": company or person, "ship_to": address}
