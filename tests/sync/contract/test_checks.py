"""What a client may ask: just what fits is taken, one more is not."""

from __future__ import annotations

import msgspec
import pytest

from support.hub_bench import hello
from sync.contract.checks import NUMBER_MAX, are_usable_ranges, is_usable_hello
from sync.contract.limits import COMPARE_RANGES
from sync.contract.orders import HASH_MODULUS


def ranges(count: int) -> list[tuple[str, str]]:
    """Return so many ranges, one behind the other."""
    return [(f"{place:03}", f"{place + 1:03}") for place in range(count)]


def test_so_many_ranges_are_taken_and_no_more() -> None:
    """A question has an end."""
    assert are_usable_ranges(ranges(COMPARE_RANGES))
    assert not are_usable_ranges(ranges(COMPARE_RANGES + 1))
    assert not are_usable_ranges([])


@pytest.mark.parametrize(
    ("fields", "is_usable"),
    [
        ({"next_device_seq": NUMBER_MAX - 1}, True),
        ({"next_device_seq": NUMBER_MAX}, False),
        ({"next_device_seq": 1}, True),
        ({"next_device_seq": 0}, False),
        ({"next_device_seq": 5, "kept_device_seq": 5}, True),
        ({"next_device_seq": 5, "kept_device_seq": 6}, False),
        ({"kept_device_seq": -1}, False),
        ({"cursor": NUMBER_MAX - 1}, True),
        ({"cursor": NUMBER_MAX}, False),
        ({"cursor": -1}, False),
        ({"state_hash": HASH_MODULUS - 1}, True),
        ({"state_hash": HASH_MODULUS}, False),
        ({"state_hash": -1}, False),
        ({"device_id": ""}, False),
        ({"device_id": "d" * 64}, True),
        ({"device_id": "d" * 65}, False),
        ({"device_id": "d\0"}, False),
    ],
    ids=str,
)
def test_a_hello_has_numbers_that_tables_hold(fields: dict[str, object], is_usable: bool) -> None:
    """The last that fits is taken, the first that does not is refused."""
    assert is_usable_hello(msgspec.structs.replace(hello(), **fields)) is is_usable
