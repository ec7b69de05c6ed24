"""Orders that no warehouse expects and every warehouse gets: one of each kind for each column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from support.card_rows import NOW_MS
from support.orders import Made, make_orders
from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderException
from sync.contract.stages import STAGES

FAMILY: Final = "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
"""One picture of four people, held together by joiners."""

HEBREW: Final = "בית המלאכה של דורית ובניו"
ARABIC: Final = "مكتبة الميناء القديم"
STACKED: Final = "".join(
    letter + "\u0301\u0323\u0330\u030a\u0336\u0352" * 5 for letter in "Stapelwerk Nordhafen"
)
"""Thirty marks on each letter."""

NAMES: Final = {
    "long words": "Consolidated Harbour Provisioning and Chandlery " * 10 + "Ltd and son",
    "one long word": "Donaudampfschifffahrt" * 23 + "sgesellschaft",
    "emoji": f"{FAMILY} Pick\U0001f680\U0001f680 & Mix \U0001f1eb\U0001f1ee \U0001f44b\U0001f3fd",
    "right to left": HEBREW,
    "arabic": ARABIC,
    "turned around": "Harbour \u202eyardS kcotS\u202c Ltd \u2066open",
    "stacked marks": STACKED,
    "composed or not": "Café Zoe\u0301 A\u030angstro\u0308m \u1e9b\u0323",
    "many scripts": "株式会社港 ร้านท่าเรือ बंदरगाह भंडार נמל",
    "tags of a page": "<b>Bold</b> & <i>Sons</i> <img src=x> <table><tr><td>",
    "lines and bells": "Two\nlines\tand\x07a bell\u2028and more\x00",
    "nothing": "",
}
"""Customers by what is hard about them; the first two have about 500 characters."""


def hard_orders(now_ms: int = NOW_MS) -> Iterator[Order]:
    """Return each kind once in every column."""
    plain = make_orders(1_000, Made(seed=9, now_ms=now_ms, source="hard"))
    for stage in STAGES:
        for number, changes in enumerate(_kinds(now_ms)):
            order = next(plain)
            fresh = {
                "stage": stage,
                "stage_ms": now_ms,
                "cancelled_ms": None,
                "hold": None,
                "cut_off_ms": now_ms,
            }
            if number % 2 == 0:
                fresh["claimed_by"] = Claim("user-1", "Ana K.", now_ms)
            yield msgspec.structs.replace(order, **(fresh | changes))


def _kinds(now_ms: int) -> Iterator[dict[str, Any]]:
    """Return what is changed in an ordinary order."""
    for name in NAMES.values():
        yield {"customer": name, "ship_to": _address(name)}
    yield {"note": "Leave it with the neighbour. " * 3_500}
    yield {"lines": tuple(_lines(10_000))}
    yield {"lines": ()}
    yield {"number": "9" * 60, "tags": tuple(f"tag-{each}" for each in range(50)), "note": "x"}
    yield {"hold": Hold(NAMES["long words"], "Sam P.", now_ms, until_ms=now_ms + 5_400_000)}
    yield {"exceptions": (OrderException("moved_elsewhere", STACKED * 4, "op-1", now_ms),)}
    yield {"claimed_by": Claim("user-9", f"{HEBREW} {FAMILY} " * 9, now_ms), "carrier": ARABIC * 5}
    yield {"cancelled_ms": now_ms, "claimed_by": Claim("user-8", STACKED, now_ms), "customer": HEBREW * 20}


def _address(city: str) -> Address:
    """Return an address in a city with a hard name."""
    return Address(name="", street="1 Quay", city=city, postcode="10000", country="XX")


def _lines(count: int) -> Iterator[LineItem]:
    """Return the lines of an order for a whole shop."""
    for position in range(1, count + 1):
        yield LineItem(position, f"SKU-{position}", "Small steel clamp", 1_000, "A-01-1")
