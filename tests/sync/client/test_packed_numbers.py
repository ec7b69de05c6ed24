"""Lists of numbers out of the cache become arrays piece by piece."""

from __future__ import annotations

import json
from array import array

import msgspec
import pytest

from sync.client.stores import cache_reader
from sync.client.stores.cache_reader import _packed


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50, 1_000])
@pytest.mark.parametrize("piece", [1, 7, 65_536])
def test_every_number_is_there_once_and_in_order(
    count: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the pieces end."""
    monkeypatch.setattr(cache_reader, "_PIECE", piece)
    numbers = [(-1) ** number * 7**number % (2**63) for number in range(count)]
    assert _packed(json.dumps(numbers, separators=(",", ":"))) == array("q", numbers)


@pytest.mark.parametrize(
    "text", ["[1,null]", '["a,b"]', "[1.5]", "[1e30]", "[99999999999999999999]", "[1,,2]"]
)
def test_what_is_no_number_is_an_error(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file must not show as an order that nobody has."""
    monkeypatch.setattr(cache_reader, "_PIECE", 1)
    with pytest.raises((msgspec.MsgspecError, OverflowError)):
        _packed(text)
