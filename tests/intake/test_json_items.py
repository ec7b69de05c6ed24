"""JSON read in small pieces gives what JSON read at once gives."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake import json_items
from intake.json_items import JsonItems

VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def read(text: str) -> list[tuple[int, Any]]:
    """Return the items of ``text`` and their lines."""
    return list(JsonItems(io.StringIO(text), "file").items())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read three characters at a time."""
    monkeypatch.setattr(json_items, "CHUNK_CHARACTERS", 3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 1]))
def test_pieces_change_nothing(values: list[Any], indent: int | None) -> None:
    """Items are the same wherever the pieces end."""
    assert [item for _, item in read(json.dumps(values, indent=indent))] == values


def test_numbers_over_two_pieces_are_whole() -> None:
    """A number that goes on in the next piece is one number, as text."""
    assert read("[1234567, 1.50, 12e3]") == [(1, "1234567"), (1, "1.50"), (1, "12e3")]


def test_lines_are_counted() -> None:
    """An item knows the line it begins in, whatever stands inside the items before it."""
    text = '[\n{"a":\n1},\n\n{"b": "x\ny"}, {"c": 1}\n, {"d": 1}]\n'
    assert [line for line, _ in read(text)] == [2, 5, 6, 7]


@pytest.mark.parametrize("rest", ["}", ', "page": {"next": 2}}', " } \n"])
def test_a_list_inside_an_object_is_read_item_by_item(rest: str) -> None:
    """What else the object holds is read over; lines are counted from its beginning."""
    assert read(f'{{\n"orders"\n:\n [1, {{"a": "2"}}]{rest}') == [(4, "1"), (4, {"a": "2"})]


@pytest.mark.parametrize("rest", ["", ', "page": {"next"', ","])
def test_a_list_inside_an_object_may_be_cut(rest: str) -> None:
    """The items are there, and that the end is missing is known."""
    source = JsonItems(io.StringIO(f'{{"orders": [1, 2]{rest}'), "file")
    assert [item for _, item in source.items()] == ["1", "2"]
    assert source.cut_off is not None


@pytest.mark.parametrize("rest", ["]", "} 7", "} {}"])
def test_nothing_follows_an_object_around_a_list(rest: str) -> None:
    """Something behind the end is no list of orders."""
    with pytest.raises(Exception, match="follows the list"):
        read(f'{{"orders": [1, 2]{rest}')


def test_an_order_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not JSON is not read to the end of a large file first."""
    monkeypatch.setattr(json_items, "ITEM_CHARACTERS", 20)
    with pytest.raises(Exception, match="too long or not JSON"):
        read('[{"a": "' + "x" * 1000)
