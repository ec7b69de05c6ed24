"""Packed columns: always sorted, grouped in runs, and nobody's array changes under their hands."""

from __future__ import annotations

from array import array
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sync.client.columns import Column, Places, Run
from sync.client.sort_keys import GROUP_SHIFT

ENTRIES = st.dictionaries(
    st.integers(1, 60), st.integers(0, 8).map(lambda number: number << (GROUP_SHIFT - 1))
)


def column_of(entries: dict[int, int]) -> Column:
    """Return a column that was filled one by one."""
    column = Column()
    for local_id, key in entries.items():
        column.insert(local_id, key)
    return column


@given(ENTRIES, st.data())
def test_a_column_is_sorted_whatever_goes_in_and_out(entries: dict[int, int], data: st.DataObject) -> None:
    """By key, then by local id; every order is found at its place and taken out once."""
    column = column_of(entries)
    gone = data.draw(st.lists(st.sampled_from(sorted(entries)), unique=True)) if entries else []
    for local_id in gone:
        assert column.remove(local_id, entries[local_id])
        assert not column.remove(local_id, entries[local_id])
    rest = sorted((key, local_id) for local_id, key in entries.items() if local_id not in gone)
    assert list(column.ids) == [local_id for _, local_id in rest]
    assert list(column.items()) == [(local_id, key) for key, local_id in rest]
    assert len(column) == len(rest)
    for place, (key, local_id) in enumerate(rest):
        assert column.place(local_id, key) == place
        assert column.place(local_id, key + 1) is None


@given(ENTRIES)
def test_runs_cover_the_column(entries: dict[int, int]) -> None:
    """Runs follow each other without a gap, and neighbours differ in their group."""
    column = column_of(entries)
    keys = [key for _, key in column.items()]
    runs = column.runs()
    assert runs is column.runs()
    assert [run.start for run in runs] == [sum(each.length for each in runs[:n]) for n in range(len(runs))]
    assert [key >> GROUP_SHIFT for key in keys] == [run.group for run in runs for _ in range(run.length)]
    assert all(one.group != two.group for one, two in pairwise(runs))


def test_runs_are_counted_anew_after_a_change() -> None:
    """A cached answer does not outlive the change."""
    column = column_of({1: 5})
    assert column.runs() == (Run(0, 1, 0),)
    column.insert(2, 6)
    assert column.runs() == (Run(0, 2, 0),)


def test_an_array_that_was_given_away_never_changes() -> None:
    """The board compares what it drew with what is there now."""
    column = column_of({1: 5, 2: 7})
    before = column.ids
    column.insert(3, 6)
    assert (before.tolist(), column.ids.tolist()) == ([1, 2], [1, 3, 2])
    column.remove(1, 5)
    assert column.ids.tolist() == [3, 2]


@given(ENTRIES, st.sets(st.integers(1, 60)))
def test_a_filtered_column_keeps_the_order(entries: dict[int, int], wanted: set[int]) -> None:
    """Only the wanted, in the same order, with the same keys."""
    column = column_of(entries)
    few = column.only(wanted, entries.__getitem__)
    assert list(few.items()) == [item for item in column.items() if item[0] in wanted]


def test_a_filtered_column_begins_with_a_page() -> None:
    """The page is the beginning of the whole, in the same groups."""
    column = column_of({number: number << GROUP_SHIFT >> 5 for number in range(1, 5_000)})
    wanted = frozenset(range(1, 5_000, 2))
    whole = column.only(wanted, int)
    page = column.only(wanted, int, 64)
    assert 64 <= len(page) < len(whole)
    assert page.ids == whole.ids[: len(page)]
    assert sum(run.length for run in page.runs()) == len(page)
    assert len(page.runs()) > 1
    assert [run.group for run in page.runs()] == [run.group for run in whole.runs()][: len(page.runs())]


@given(ENTRIES, ENTRIES, st.lists(st.tuples(st.integers(1, 90), st.integers(0, 1), st.booleans())))
def test_places_remember_like_a_dictionary(
    first: dict[int, int], second: dict[int, int], steps: list[tuple[int, int, bool]]
) -> None:
    """Whatever is put, moved and dropped, below and above the known range."""
    second = {local_id: key for local_id, key in second.items() if local_id not in first}
    places = Places([column_of(first), Column(), column_of(second)])
    model = {local_id: (0, key) for local_id, key in first.items()}
    model |= {local_id: (2, key) for local_id, key in second.items()}
    for local_id, column, is_put in steps:
        if is_put:
            places.put(local_id, column, local_id * 3)
            model[local_id] = (column, local_id * 3)
        elif local_id in model:
            places.drop(local_id)
            del model[local_id]
    assert {local_id: places.get(local_id) for local_id in range(-1, 100)} == {
        local_id: model.get(local_id) for local_id in range(-1, 100)
    }


def test_a_column_can_start_full() -> None:
    """Sorted arrays out of the cache are taken as they are."""
    column = Column(array("q", [4, 2]), array("q", [1, 9]))
    assert column.place(2, 9) == 1
