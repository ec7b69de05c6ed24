"""What a client may say with its numbers and ids: whatever else it says could not be stored.

One operation that the tables cannot hold would fail the batch of everybody, so it is stopped at the door.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

import msgspec

from sync.contract.limits import (
    COMPARE_RANGES,
    NOTE_BYTES,
    PRIORITY_MAX,
    QUANTITY_MAX,
    SAID_PRIORITY_MAX,
    SHORT_LINES,
    TAG_CHARACTERS,
    TAGS_MAX,
)
from sync.contract.messages import Hello
from sync.contract.operations import (
    Acknowledge,
    Change,
    Create,
    Edit,
    Import,
    Operation,
    Pack,
    Pick,
    Prioritise,
    Resolve,
    ShortPick,
    Tag,
    Unknown,
)
from sync.contract.orders import HASH_MODULUS, LineItem, Order, OrderPatch

ID_CHARACTERS: Final = 64
KEY_CHARACTERS: Final = 200
COLUMN_MAX: Final = 1 << 31
NUMBER_MAX: Final = 1 << 53
"""Exact in every language that reads JSON, and far inside what a column holds."""
_ENCODER: Final = msgspec.json.Encoder()
_MAY_BE_LARGE: Final = re.compile(rb"\\u0000|\d{16}")
"""In an encoded change: a zero character, or a number of as many digits as :data:`NUMBER_MAX`."""


def is_usable_hello(hello: Hello) -> bool:
    """Say whether a hello has an id and numbers that can be worked with."""
    return (
        _is_id(hello.device_id)
        and 0 < hello.next_device_seq < NUMBER_MAX
        and 0 <= hello.kept_device_seq <= hello.next_device_seq
        and 0 <= hello.cursor < NUMBER_MAX
        and 0 <= hello.state_hash < HASH_MODULUS
    )


def are_usable_ranges(ranges: list[tuple[str, str]]) -> bool:
    """Say whether these ranges can be summed up: ascending, apart, not too many."""
    if not 0 < len(ranges) <= COMPARE_RANGES or not all(is_usable_range(lo, hi) for lo, hi in ranges):
        return False
    return all(hi and hi <= lo for (_, hi), (lo, _) in pairwise(ranges))


def is_usable_range(lo: str, hi: str) -> bool:
    """Say whether this is a range of order ids: from ``lo`` to before ``hi``; empty is the board's end."""
    return _is_short(lo) and _is_short(hi) and (not hi or lo < hi)


def is_usable_operation(operation: Operation, device_id: str) -> bool:
    """Say whether an operation is numbered by this device and can be stored."""
    is_numbered = operation.device_id == device_id and 0 < operation.device_seq < NUMBER_MAX
    return is_numbered and is_usable_draft(operation)


def is_usable_draft(operation: Operation) -> bool:
    """Say whether an operation can be stored, once it is numbered.

    A terminal asks before it keeps one: the server closes the link on any other, whenever it is sent.
    """
    if not (_is_id(operation.op_id) and _is_id(operation.order_id) and _is_short(operation.undoes)):
        return False
    change = operation.change
    try:
        encoded = _ENCODER.encode(change)
    except UnicodeEncodeError:  # half of a character: nothing could write it down
        return False
    # One look shows of almost every change that no text and no number in it is too large.
    is_small = len(encoded) <= NOTE_BYTES and not _MAY_BE_LARGE.search(encoded)
    if is_small and not isinstance(change, Edit):
        return _is_usable(change)
    plain = msgspec.to_builtins(change)
    if not _is_usable(change) or not all(abs(number) < NUMBER_MAX for number in _numbers(plain)):
        return False
    if isinstance(change, Edit):
        # To take a correction back puts there what a source said, which may say more than people can.
        is_meant = bool(operation.undoes) or _is_typed(change.fields)
        return is_meant and _are_texts(msgspec.to_builtins(change.fields))
    return _are_texts(plain)


def _is_usable(change: Change) -> bool:
    match change:
        case Create(order) | Import(order):
            return order is None or _is_storable(order)
        case Pick():
            return _is_picked(change.position, change.quantity, change.sku)
        case ShortPick(lines):
            return len(lines) <= SHORT_LINES and all(
                line.quantity >= 0 and _is_picked(line.position, line.quantity, line.sku) for line in lines
            )
        case Pack(parcels):
            return 0 <= parcels <= QUANTITY_MAX
        case Prioritise(priority):
            return 0 <= priority <= PRIORITY_MAX
        case Edit(fields):
            return fields.priority is msgspec.UNSET or abs(fields.priority) < COLUMN_MAX
        case Tag(add, remove):
            tags = (*add, *remove)
            return len(tags) <= 2 * TAGS_MAX and all(len(tag) <= TAG_CHARACTERS for tag in tags)
        case Acknowledge(of) | Resolve(of):
            return _is_id(of)
        case _:
            return not isinstance(change, Unknown)


def _is_picked(position: int, quantity: int, sku: str) -> bool:
    return abs(position) < COLUMN_MAX and abs(quantity) <= QUANTITY_MAX and _is_key(sku)


def _is_id(text: str) -> bool:
    return bool(text) and _is_short(text)


def _is_short(text: str) -> bool:
    return len(text) <= ID_CHARACTERS and "\0" not in text


def _is_storable(order: Order) -> bool:
    keys = (order.source, order.external_ref, order.number, *order.tags)
    positions = {line.position for line in order.lines}
    return (
        all(map(_is_key, keys))
        and 0 <= order.priority <= SAID_PRIORITY_MAX
        and len(order.tags) <= TAGS_MAX
        and len(positions) == len(order.lines)
        and all(_is_line(line) for line in order.lines)
    )


def _is_line(line: LineItem) -> bool:
    given_up = (line.quantity_cancelled, line.quantity_short)
    quantities = (line.quantity_ordered, line.quantity_picked, *given_up)
    owned = [each.quantity for each in line.picked_by]
    is_counted = all(0 <= quantity <= QUANTITY_MAX for quantity in (*quantities, *owned))
    return is_counted and 0 <= line.position < COLUMN_MAX and _is_key(line.sku)


def _is_typed(fields: OrderPatch) -> bool:
    """Say whether a person may write this: the order keeps a number, and a priority that people know."""
    is_number = fields.number is msgspec.UNSET or (bool(fields.number.strip()) and _is_key(fields.number))
    return is_number and (fields.priority is msgspec.UNSET or 0 <= fields.priority <= PRIORITY_MAX)


def _are_texts(value: object) -> bool:
    """Say whether no text in plain nested values is too long, or holds the zero that PostgreSQL refuses."""
    if isinstance(value, str):
        return "\0" not in value and len(value.encode("utf-8", "surrogatepass")) <= NOTE_BYTES
    if isinstance(value, dict):
        return all(map(_are_texts, value.values()))
    return not isinstance(value, list | tuple) or all(map(_are_texts, value))


def _is_key(text: str) -> bool:
    """Say whether a text can be a key: PostgreSQL holds no zero character, and its indexes no long text."""
    return len(text) <= KEY_CHARACTERS and "\0" not in text


def _numbers(value: object) -> Iterator[int]:
    """Give every whole number in plain nested values."""
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        yield from _all_numbers(value.values())
    elif isinstance(value, list | tuple):
        yield from _all_numbers(value)


def _all_numbers(values: Iterable[object]) -> Iterator[int]:
    for value in values:
        yield from _numbers(value)
