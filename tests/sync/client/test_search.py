"""The search: what is typed, what it finds, and that only the newest question is answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from support.boards import ServerBoard
from support.orders import Made, make_orders
from sync.client.cache import Cache
from sync.client.search import Searcher, expression
from sync.contract.orders import Address, LineItem

ORDERS = list(make_orders(3, Made(seed=2)))
ORDERS[0] = msgspec.structs.replace(
    ORDERS[0],
    number="SO-1042",
    external_ref="gid-99812",
    tracking_number="JD0146 0009 7781",
    customer="Zoë Müller",
    ship_to=Address(name="Zoë Müller", city="Łódź"),
    lines=(LineItem(1, "KET-77/b", "Copper kettle", 1),),
)


@pytest.fixture
def searcher(tmp_path: Path) -> Iterator[Searcher]:
    """A searcher in a cache of three orders."""
    with closing(Cache.open(tmp_path / "cache.db").cache) as cache:
        ServerBoard(ORDERS).snapshot_into(cache)
        with closing(Searcher(tmp_path / "cache.db")) as made:
            yield made


@pytest.mark.parametrize(
    "words",
    [
        "SO-1042",
        "gid-998",
        "jd0146",
        "7781",
        "so-10",
        "#1042",
        "zoe",
        "MÜLL",
        "kettle copp",
        "ket-77",
        "ket-77/b",
        "copper zoe 1042",
        " zoë  ",
    ],
)
def test_words_find_the_order(searcher: Searcher, words: str) -> None:
    """Beginnings of number, customer and products, in any order, case and accent."""
    result = searcher.search(words, 1)
    assert result is not None
    assert 1 in result.ids
    assert result.generation == 1


@pytest.mark.parametrize(
    "words", ["", "  ", "#", '"', "* - (", "zoe tulip", "ettle", "OR", 'NEAR("a"', "a\0b"]
)
def test_words_that_mean_nothing_find_nothing(searcher: Searcher, words: str) -> None:
    """Also when they look like the search engine's own language."""
    result = searcher.search(words, 1)
    assert result is not None
    assert 1 not in result.ids


def test_an_overtaken_search_gives_up(searcher: Searcher) -> None:
    """Only the newest generation gets an answer."""
    searcher.ask(5)
    assert searcher.search("zoe", 4) is None
    assert searcher.search("zoe", 5) is not None


def test_a_search_without_a_cache_finds_nothing(tmp_path: Path) -> None:
    """Before the first snapshot there is nothing to find, and nothing to complain about."""
    with closing(Searcher(tmp_path / "cache.db")) as searcher:
        searcher.ask(1)
        result = searcher.search("zoe", 1)
    assert result is not None
    assert len(result.ids) == 0


def test_typed_words_are_quoted() -> None:
    """Nothing that is typed becomes an operator."""
    assert expression('#10 "big" -x * ') == '"10"* """big"""* "-x"*'
