"""The board's answers: the cache, with this terminal's unfinished operations on top.

Implements ``RowSource`` of the widgets (structurally) on a connection that cannot write; lives on
the GUI thread. Columns are packed arrays read at once; rows are fetched when they are shown. The
overlay holds what the server has not told back yet, and every answer asks it first.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sync.client.board_filter import BoardFilter
from sync.client.columns import Column, Places
from sync.client.overlay import Overlay
from sync.client.rebase import Pending, fate_of, not_in_truth, replay
from sync.client.search import expression
from sync.client.sort_keys import group_carrier, group_cut_off_ms, sort_key
from sync.client.store_values import CacheState
from sync.client.stores.cache_reader import CacheReader, Spot, Truth
from sync.client.stores.card_columns import card_row, card_values, carrier_name
from sync.client.stores.carriers import SHARED, carrier_number
from sync.contract.operations import Operation
from sync.contract.orders import Order
from sync.contract.rows import BoardChange, CardRow, Group, GroupKey
from sync.contract.stages import STAGES, Stage, stage_index
from sync.contract.state_machine import Decision, Judge, decide

CACHED_ROWS: Final = 1_024
_EVERYTHING: Final = BoardChange((), STAGES)


class BoardView:
    """All columns of the board, what is on top of them, and the filter."""

    def __init__(self, cache_path: Path) -> None:
        """Show the cache in ``cache_path``; :meth:`reload` reads it for the first time."""
        self._cache_path = cache_path
        self._reader = CacheReader(cache_path)
        self._columns = [Column() for _ in STAGES]
        self._read_ahead: tuple[list[Column], Places] | None = None
        self._filter: BoardFilter | None = None
        self._first_page: list[Column] | None = None
        self._places: Places | None = None
        self._carriers: dict[int, str] = {}
        self._group_keys: dict[int, GroupKey] = {}
        self._rows: OrderedDict[int, CardRow] = OrderedDict()
        self._overlay = Overlay()
        self._shown: dict[int, Order] = {}
        self._carrier_numbers: dict[str, int] = {}

    # ---------------------------------------------------------------- what the board asks

    def ids(self, stage: Stage) -> array[int]:
        """Return the local ids of a column in display order, filtered. The array never changes."""
        return self._shown_columns()[stage_index(stage)].ids

    def groups(self, stage: Stage) -> Sequence[Group]:
        """Return the runs of equal cut-off and carrier; the shipped column has none."""
        if stage is Stage.SHIPPED:
            return ()
        runs = self._shown_columns()[stage_index(stage)].runs()
        return [Group(start, count, self._group_key(group)) for start, count, group in runs]

    def rows(self, ids: Sequence[int]) -> list[CardRow]:
        """Return the rows of ``ids`` in their order; unknown ones are left out."""
        missing = [local_id for local_id in ids if local_id not in self._rows]
        if missing:
            self._fetch(missing)
        found = [row for local_id in ids if (row := self._rows.get(local_id)) is not None]
        for row in found:
            self._rows.move_to_end(row.local_id)
        while len(self._rows) > CACHED_ROWS:
            self._rows.popitem(last=False)
        return found

    def total(self, stage: Stage) -> int:
        """Return how many orders the stage holds, whatever the filter hides."""
        return len(self._columns[stage_index(stage)])

    @property
    def is_empty(self) -> bool:
        """Say whether no stage holds an order; on any thread."""
        return not any(map(len, self._columns))

    def shown_count(self, stage: Stage) -> int | None:
        """Return how many of them are shown, None while only the first page of them is known."""
        return None if self._first_page is not None else len(self._visible()[stage_index(stage)])

    def place(self, local_id: int) -> tuple[Stage, int] | None:
        """Return column and place of an order, None when it is not shown."""
        spot = self._all_places().get(local_id)
        if spot is None or not self._is_wanted(local_id):
            return None
        place = self._visible()[spot[0]].place(local_id, spot[1])
        return None if place is None else (STAGES[spot[0]], place)

    # ---------------------------------------------------------------- what others ask

    def order(self, local_id: int) -> Order | None:
        """Return an order whole, as it is shown."""
        shown = self._shown.get(local_id)
        return self._reader.order(local_id) if shown is None else shown

    def find(self, number: str) -> int | None:
        """Return the order with this number, written with or without ``#``."""
        found = self._reader.find(number)
        return self._reader.find(number.removeprefix("#")) if found is None else found

    def local_id(self, order_id: str) -> int | None:
        """Return the short name of an order in this cache."""
        return self._reader.local_ids((order_id,)).get(order_id)

    def decision(self, operation: Operation, judge: Judge) -> Decision:
        """Return what ``operation`` would do to the order as it is shown."""
        truth = self._reader.truths((operation.order_id,)).get(operation.order_id)
        order = None if truth is None else self._replayed(truth, self._overlay.of(operation.order_id))
        return decide(order, operation, judge)

    def search(self, words: str) -> array[int]:
        """Return the local ids that ``words`` find, ascending; for callers without a frame to keep."""
        wanted = expression(words)
        return array("q", self._reader.matching(wanted) if wanted else ())

    def exceptional(self) -> list[Order]:
        """Return the orders with open exceptions, as they are shown; for callers without a frame to keep."""
        shown = {order.id: order for order in self._shown.values()}
        told = {
            order.id: shown.get(order.id, order) for order in (*self._reader.exceptional(), *shown.values())
        }
        return [order for order in told.values() if order.exceptions]

    def not_sent_count(self) -> int:
        """Return how many operations of this terminal have no outcome yet."""
        return len(self._overlay.not_sent())

    def oldest_not_sent_ms(self) -> int | None:
        """Return when the oldest of them was made, wall time."""
        return min((operation.wall_ms for operation in self._overlay.not_sent()), default=None)

    def info(self) -> CacheState:
        """Return where the cached board stands, whose it is and how old."""
        return self._reader.state()

    # ---------------------------------------------------------------- what changes it

    def read_ahead(self) -> None:
        """Read the columns of a board that has come as a whole, for :meth:`take_whole`; on any thread.

        What changes meanwhile is told after it, and each change asks the cache anew.
        """
        with closing(CacheReader(self._cache_path)) as reader:
            columns = reader.columns()
            self._read_ahead = (columns, Places(columns)) if reader.is_readable else None

    def take_whole(self) -> BoardChange:
        """Show a board that has come as a whole, from what was read ahead if it was."""
        # Taken once: what was read for one board says nothing of the next.
        ahead, self._read_ahead = self._read_ahead, None
        if ahead is None:
            return self.reload()
        self._reader.reopen()
        return self._show(*ahead)

    def reload(self) -> BoardChange:
        """Read everything anew: at first, after the cache was put aside."""
        self._reader.reopen()
        return self._show(self._reader.columns(), None)

    def _show(self, columns: list[Column], places: Places | None) -> BoardChange:
        self._columns, self._places = columns, places
        self._read_carriers()
        self._rows.clear()
        self._shown.clear()
        self._first_page = None
        if self._filter is not None:
            self._filter.renew(self._columns)
        overlaid = self._reader.local_ids(self._overlay.order_ids())
        self._refresh(overlaid.values())
        return _EVERYTHING

    def apply(
        self, changed: Sequence[int], removed: Sequence[int] = (), done: Collection[str] = ()
    ) -> BoardChange:
        """Take over what a page of the log changed in the cache; ``done`` are op ids it contains."""
        dropped = self._overlay.drop(done) if done else ()
        # One question less for what others did, which is nearly everything.
        finished = self._reader.local_ids(dropped).values() if dropped else ()
        return self._refresh((*changed, *removed, *finished))

    def begin(self, operations: Sequence[Operation], judge: Judge) -> BoardChange:
        """Show what a person just did; nothing of it is durable yet."""
        return self._overlaid(self._overlay.begin(operations, judge))

    def saved(self, operations: Sequence[Operation], judge: Judge) -> BoardChange:
        """They are durable, with their numbers. Those that were begun elsewhere are added.

        Added ones are replayed with the rights of ``judge``, as their own actor, at their time.
        """
        return self._overlaid(self._overlay.saved(operations, judge))

    def sent(self, op_ids: Iterable[str]) -> None:
        """They were handed to the socket; nothing looks different."""
        self._overlay.sent(op_ids)

    def settled(self, op_ids: Iterable[str]) -> BoardChange:
        """Their outcome is known; they stay on top until the cache contains them."""
        return self._overlaid(self._overlay.settled(op_ids))

    def rejected(self, op_ids: Iterable[str]) -> BoardChange:
        """Take them off again: refused by the server, or never saved. The rest is replayed."""
        return self._overlaid(self._overlay.drop(op_ids))

    def set_filter(self, matching: Collection[int] | None, *, is_first_page: bool = False) -> BoardChange:
        """Show only these orders; None shows all.

        With ``is_first_page`` ids and groups end after a page until :meth:`complete_filter`.
        """
        self._filter = self._first_page = None
        if matching is not None:
            self._filter = BoardFilter(frozenset(matching), self._columns, self._key)
            self._first_page = self._filter.first_page() if is_first_page else None
        return _EVERYTHING

    def complete_filter(self) -> BoardChange:
        """Show everything that the filter leaves."""
        if self._first_page is None:
            return BoardChange()
        self._first_page = None
        return _EVERYTHING

    def close(self) -> None:
        """Close the connection; before the writer closes its own."""
        self._reader.close()

    # ---------------------------------------------------------------- inside

    def _visible(self) -> list[Column]:
        return self._columns if self._filter is None else self._filter.columns()

    def _shown_columns(self) -> list[Column]:
        return self._visible() if self._first_page is None else self._first_page

    def _is_wanted(self, local_id: int) -> bool:
        return self._filter is None or local_id in self._filter.wanted

    def _key(self, local_id: int) -> int:
        return self._all_places().key(local_id)

    def _all_places(self) -> Places:
        # Made when first needed: the first paint does without.
        if self._places is None:
            self._places = Places(self._columns)
        return self._places

    def _group_key(self, group: int) -> GroupKey:
        key = self._group_keys.get(group)
        if key is None:
            key = self._group_keys[group] = self._new_group_key(group)
        return key

    def _new_group_key(self, group: int) -> GroupKey:
        number = group_carrier(group)
        if 0 < number < SHARED and number not in self._carriers:
            self._read_carriers()
        return GroupKey(group_cut_off_ms(group), self._carriers.get(number, ""))

    def _read_carriers(self) -> None:
        self._carriers = self._reader.carriers()
        self._group_keys.clear()
        self._carrier_numbers = {name: number for number, name in self._carriers.items()}

    def _fetch(self, local_ids: Sequence[int]) -> None:
        for row in self._reader.cards(local_ids):
            order = self._shown.get(row.local_id)
            self._rows[row.local_id] = row if order is None else self._shown_row(row, order)

    def _shown_row(self, row: CardRow, order: Order) -> CardRow:
        fate = fate_of(self._overlay.of(order.id))
        return card_row(row.local_id, order.id, card_values(order), row.backorder_number, fate)

    def _overlaid(self, order_ids: Sequence[str]) -> BoardChange:
        return self._refresh(self._reader.local_ids(order_ids).values())

    def _refresh(self, local_ids: Iterable[int]) -> BoardChange:
        """Bring orders to where cache and overlay have them now; say what has to be repainted."""
        wanted = tuple(dict.fromkeys(local_ids))
        if not wanted:
            return BoardChange()
        found = self._reader.spots(wanted)
        if not self._reader.is_readable:
            return BoardChange()
        self._replay(wanted, found)
        spots = {spot.local_id: self._with_overlay(spot) for spot in found}
        columns: set[int] = set()
        for local_id in wanted:
            self._rows.pop(local_id, None)
            columns |= self._move(local_id, spots.get(local_id))
        return BoardChange(wanted, tuple(STAGES[number] for number in sorted(columns)))

    def _replay(self, wanted: Sequence[int], spots: Sequence[Spot]) -> None:
        """Work out anew how those look that have operations on top."""
        for local_id in wanted:
            self._shown.pop(local_id, None)
        topped = [spot.order_id for spot in spots if self._overlay.of(spot.order_id)]
        if not topped:
            return
        for order_id, truth in self._reader.truths(topped).items():
            self._shown[truth.local_id] = self._replayed(truth, self._overlay.of(order_id))

    def _replayed(self, truth: Truth, pending: Sequence[Pending]) -> Order:
        fresh = not_in_truth(pending, truth.device_id, truth.decided_device_seq)
        return replay(truth.order, fresh).order or truth.order

    def _with_overlay(self, spot: Spot) -> Spot:
        order = self._shown.get(spot.local_id)
        if order is None:
            return spot
        name = carrier_name(order)
        if name and name not in self._carrier_numbers:
            self._read_carriers()
        key = sort_key(order, carrier_number(self._carrier_numbers, name))
        return spot._replace(column=stage_index(order.stage), key=key)

    def _move(self, local_id: int, spot: Spot | None) -> set[int]:
        """Put one order where it belongs; return the numbers of the columns that changed."""
        places = self._all_places()
        old = places.get(local_id)
        new = None if spot is None else (spot.column, spot.key)
        if old == new:
            return set()
        for columns in self._holding(local_id):
            if old is not None:
                columns[old[0]].remove(local_id, old[1])
            if new is not None:
                columns[new[0]].insert(local_id, new[1])
        if new is not None:
            places.put(local_id, *new)
        elif old is not None:
            places.drop(local_id)
        return {where[0] for where in (old, new) if where is not None}

    def _holding(self, local_id: int) -> list[list[Column]]:
        """Return the sets of columns that an order stands in: all, and the filtered ones."""
        if self._filter is not None and local_id in self._filter.wanted:
            return [self._columns, self._filter.columns()]
        return [self._columns]
