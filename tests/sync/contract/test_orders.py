"""Orders as values: patches, canonical bytes, hashes, ids and flags."""

from __future__ import annotations

import random
import uuid

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from support.clocks import FakeClock
from support.orders import make_order
from sync.contract import operations, orders
from sync.contract.flags import BUCKETS, DefaultFlags, bucket
from sync.contract.ids import Uuid7Ids, derived
from sync.contract.operations import Change
from sync.contract.orders import NO_ADDRESS, Address, Order, OrderPatch, canonical_bytes
from sync.contract.ports import NoFaults
from sync.contract.stages import Stage

ORDER = Order("o1", "org", "site", "csv", "R1", "1001", Stage.CONFIRMED, 1, 2, 3, 4)


def _orders() -> st.SearchStrategy[Order]:
    return st.builds(
        msgspec.structs.replace,
        st.just(ORDER),
        stage=st.sampled_from(Stage),
        note=st.text(),
        priority=st.integers(0, 3),
        cut_off_ms=st.none() | st.integers(0, 2**40),
        tags=st.lists(st.text(), max_size=3).map(tuple),
        hold=st.none() | st.builds(orders.Hold, st.text(), st.text(), st.integers(0, 9)),
    )


@given(_orders(), _orders())
def test_a_patch_carries_one_order_to_the_other(before: Order, after: Order) -> None:
    """Diff and patched are each other's inverse, also over the wire."""
    patch = orders.diff(before, after)
    wire = msgspec.json.decode(msgspec.json.encode(patch), type=OrderPatch)
    assert orders.patched(before, wire) == after
    assert (patch == OrderPatch()) == (before == after)


def test_a_patch_can_carry_every_field_that_may_change() -> None:
    """A field added to Order but not to OrderPatch would never reach a terminal."""
    identity = {"id", "organization_id", "site_id", "source", "external_ref"}
    assert set(orders.PATCHED_FIELDS) == set(Order.__struct_fields__) - identity


@given(_orders())
def test_canonical_bytes_come_back(order: Order) -> None:
    """Bytes to order to bytes is the same, and so is the hash."""
    data = orders.canonical_bytes(order)
    assert orders.order_from_bytes(data) == order
    assert orders.canonical_bytes(orders.order_from_bytes(data)) == data
    assert 0 <= orders.row_hash(data) < orders.HASH_MODULUS


def test_an_added_field_with_its_default_changes_no_hash() -> None:
    """Defaults stay out of the bytes, so releases agree on old orders."""
    assert b"note" not in orders.canonical_bytes(ORDER)
    changed = msgspec.structs.replace(ORDER, note="x")
    assert orders.row_hash(orders.canonical_bytes(ORDER)) != orders.row_hash(orders.canonical_bytes(changed))


def test_open_means_that_somebody_still_has_to_do_something() -> None:
    """Shipped and cancelled orders are not open."""
    assert ORDER.is_open
    assert not msgspec.structs.replace(ORDER, stage=Stage.SHIPPED).is_open
    assert not msgspec.structs.replace(ORDER, cancelled_ms=1).is_open


def test_the_kinds_are_the_tags_of_the_changes() -> None:
    """KINDS names exactly what may be sent: all but what stands for a kind of a later release."""
    tags = [change.__struct_config__.tag for change in Change.__args__]
    assert [*operations.KINDS, "unknown"] == tags


def test_ids_are_version_7_sort_by_time_and_repeat_by_seed() -> None:
    """The same clock and seed give the same ids; later ones are larger."""
    clock = FakeClock()
    ids = Uuid7Ids(clock, random.Random(1))
    first = ids.new()
    clock.advance(1)
    second = ids.new()
    assert uuid.UUID(first).version == 7
    assert uuid.UUID(first).variant == uuid.RFC_4122
    assert first < second
    assert Uuid7Ids(FakeClock(), random.Random(1)).new() == first


def test_buckets_are_the_same_everywhere_and_spread() -> None:
    """Vectors that every release must keep, and an even spread."""
    assert bucket("enhanced-filters", "device-1") == 5247
    assert bucket("bulk-operations", "device-1") == 7777
    places = [bucket("f", str(n)) for n in range(2_000)]
    assert all(0 <= place < BUCKETS for place in places)
    assert 800 < sum(place < BUCKETS // 2 for place in places) < 1_200


def test_default_flags() -> None:
    """The specification's two features are on with their first variant."""
    flags = DefaultFlags()
    assert flags.is_enabled("enhanced-filters")
    assert flags.variant("bulk-operations") == "standard"
    assert not flags.is_enabled("nonsense")
    assert flags.variant("nonsense") == ""
    NoFaults().at("anywhere")


def test_an_id_that_follows_from_another_is_always_the_same() -> None:
    """Version 8, and another word gives another id."""
    first = derived("op-1", "backorder")
    assert first == derived("op-1", "backorder") != derived("op-1", "follow-up")
    assert uuid.UUID(first).version == 8
    assert uuid.UUID(first).variant == uuid.RFC_4122


def test_equal_orders_have_equal_bytes() -> None:
    """An empty address is an empty address, whoever made it."""
    order = make_order(ship_to=NO_ADDRESS)
    other = msgspec.structs.replace(order, ship_to=Address())
    assert canonical_bytes(other) == canonical_bytes(order)
