"""The board's answers: the cache with what is unfinished on top, always in order."""

from __future__ import annotations

import random
import shutil
from array import array
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.boards import SYSTEM, ServerBoard
from support.drafts import JUDGE, draft
from support.orders import Made, make_orders
from sync.client.board_view import CACHED_ROWS, BoardView
from sync.client.cache import Cache
from sync.client.stores.card_columns import carrier_name
from sync.contract.operations import Move, Operation, Outcome, Reason, Release, Retire, Ship
from sync.contract.orders import LineItem, Order, OrderException
from sync.contract.rows import BoardChange, Fate, Group, GroupKey
from sync.contract.stages import STAGES, Stage

ORDERS = tuple(make_orders(80, Made(seed=5)))


class Board:
    """A server, a cache and a view on it."""

    def __init__(self, folder: Path, orders: tuple[Order, ...] = ORDERS) -> None:
        """Fill the cache with ``orders`` and show it."""
        self.server = ServerBoard(orders)
        self.path = folder / "cache.db"
        self.cache = Cache.open(self.path).cache
        self.server.snapshot_into(self.cache)
        self.view = BoardView(self.path)
        self.view.reload()
        self.next_number = 1

    def close(self) -> None:
        """Close reader, then writer."""
        self.view.close()
        self.cache.close()

    def local_id(self, order: Order) -> int:
        """Return the local id of an order."""
        local_id = self.view.local_id(order.id)
        assert local_id is not None
        return local_id

    def first(self, stage: Stage) -> Order:
        """Return the first order of a column that anything can be done with."""
        for local_id in self.view.ids(stage):
            order = self.view.order(local_id)
            assert order is not None
            if order.hold is None and order.cancelled_ms is None:
                return order
        raise AssertionError(stage)

    def number(self, operation: Operation) -> Operation:
        """Return the operation as the outbox would number it."""
        numbered = msgspec.structs.replace(operation, device_id="device", device_seq=self.next_number)
        self.next_number += 1
        return numbered


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """Eighty orders on screen."""
    with closing(Board(tmp_path)) as made:
        yield made


def fate(view: BoardView, local_id: int) -> Fate:
    """Return how far the card says its operations have come."""
    (row,) = view.rows([local_id])
    return row.fate


def test_columns_show_the_orders_in_their_order(board: Board) -> None:
    """Cut-off, carrier group, priority, age; shipped by time of shipping."""
    for stage in STAGES:
        orders = [board.view.order(local_id) for local_id in board.view.ids(stage)]
        assert all(order is not None and order.stage is stage for order in orders)
        assert board.view.total(stage) == sum(order.stage is stage for order in ORDERS)
    shipped = board.view.rows(board.view.ids(Stage.SHIPPED))
    assert [row.stage_ms for row in shipped] == sorted((row.stage_ms for row in shipped), reverse=True)
    rows = board.view.rows(board.view.ids(Stage.CONFIRMED))
    cut_offs = [row.cut_off_ms if row.cut_off_ms is not None else 1 << 62 for row in rows]
    assert cut_offs == sorted(cut_offs)


def test_groups_are_runs_of_equal_cut_off_and_carrier(board: Board) -> None:
    """The cards below a header share both; the shipped column has no headers."""
    assert board.view.groups(Stage.SHIPPED) == ()
    ids = board.view.ids(Stage.CONFIRMED)
    groups = board.view.groups(Stage.CONFIRMED)
    assert sum(group.count for group in groups) == len(ids)
    for group in groups:
        for row in board.view.rows(ids[group.start : group.start + group.count]):
            assert (row.cut_off_ms, row.carrier) == group.key


def test_a_row_has_all_that_its_card_shows(tmp_path: Path) -> None:
    """Every field of the card comes from the order, wherever it stands."""
    order = msgspec.structs.replace(ORDERS[0], tags=("gift", "export"), note="ring twice")
    rest = msgspec.structs.replace(ORDERS[1], backorder_of=order.id, number="777")
    with closing(Board(tmp_path, (order, rest))) as board:
        (row,) = board.view.rows([board.local_id(order)])
    to_pick = [line for line in order.lines if line.requires_picking]
    assert row.order_id == order.id
    assert (row.number, row.customer, row.city) == (order.number, order.customer, order.ship_to.city)
    assert (row.carrier, row.cut_off_ms, row.stage) == (carrier_name(order), order.cut_off_ms, order.stage)
    assert (row.lines_total, row.pieces) == (len(to_pick), sum(line.quantity_ordered for line in to_pick))
    assert (row.backorder_number, row.has_note, row.tags) == ("777", True, ("gift", "export"))
    assert row.fate is Fate.SETTLED


def test_a_card_says_the_newest_disagreement(tmp_path: Path) -> None:
    """A cancelled order is told as cancelled, so that its source cancelled it is not told twice."""
    lines = OrderException("LINES_CHANGED", "Lines changed: A 2 → 3.", "op-1", 1)
    cancelled = OrderException("CANCELLED", "Cancelled after picking began.", "op-2", 2)
    orders = (
        msgspec.structs.replace(ORDERS[0], cancelled_ms=2, exceptions=(lines, cancelled)),
        msgspec.structs.replace(ORDERS[1], cancelled_ms=2, exceptions=(cancelled,)),
        msgspec.structs.replace(ORDERS[2], cancelled_ms=None, exceptions=(lines,)),
    )
    with closing(Board(tmp_path, orders)) as board:
        rows = board.view.rows([board.local_id(order) for order in orders])
    assert [row.exception for row in rows] == [lines.sentence, "", lines.sentence]


def test_a_line_that_the_source_took_away_is_not_short(tmp_path: Path) -> None:
    """The card says that lines changed; pieces are missing where people did not find them."""
    told = OrderException("LINES_CHANGED", "Lines changed: B removed.", "op-1", 1)
    less, gone, short = (
        LineItem(1, "A", "A", 3, quantity_cancelled=1),
        LineItem(2, "B", "B", 2, quantity_cancelled=2),
        LineItem(3, "C", "C", 2, quantity_short=1),
    )
    orders = (
        msgspec.structs.replace(ORDERS[0], exceptions=(told,), lines=(less, gone)),
        msgspec.structs.replace(ORDERS[1], exceptions=(), lines=(less, gone, short)),
    )
    with closing(Board(tmp_path, orders)) as board:
        rows = board.view.rows([board.local_id(order) for order in orders])
    assert [row.lines_short for row in rows] == [0, 1]


def test_rows_come_in_the_order_asked_for(board: Board) -> None:
    """Unknown ids are left out, repeated and cached ones are fine."""
    ids = list(board.view.ids(Stage.CONFIRMED))[:5]
    asked = [ids[3], 10_000, ids[0], ids[3]]
    assert [row.local_id for row in board.view.rows(asked)] == [ids[3], ids[0], ids[3]]
    assert board.view.rows([]) == []


def test_rows_are_remembered_within_bounds(tmp_path: Path) -> None:
    """However far the board scrolls, only so many rows stay in memory."""
    orders = tuple(make_orders(CACHED_ROWS + 300, Made(seed=8)))
    with closing(Board(tmp_path, orders)) as board:
        everything = [local_id for stage in STAGES for local_id in board.view.ids(stage)]
        assert len(board.view.rows(everything)) == len(orders)
        assert len(board.view._rows) == CACHED_ROWS


def test_a_move_is_shown_before_it_is_saved(board: Board) -> None:
    """Begun, saved, settled, done: the card stands in its new column all the while, with its mark."""
    order = board.first(Stage.CONFIRMED)
    local_id = board.local_id(order)
    operation = draft("op-1", order.id, Move(Stage.PICKING))
    change = board.view.begin([operation], JUDGE)
    assert change == BoardChange((local_id,), (Stage.CONFIRMED, Stage.PICKING))
    assert board.view.begin([operation], JUDGE) == BoardChange()
    place = board.view.place(local_id)
    assert place is not None
    assert place[0] is Stage.PICKING
    assert (fate(board.view, local_id), board.view.not_sent_count()) == (Fate.SAVING, 1)
    numbered = board.number(operation)
    assert board.view.saved([numbered], JUDGE) == BoardChange((local_id,))
    assert (fate(board.view, local_id), board.view.oldest_not_sent_ms()) == (Fate.PENDING, JUDGE.now_ms)
    board.server.decide(numbered)
    assert board.view.settled(["op-1"]) == BoardChange((local_id,))
    assert (fate(board.view, local_id), board.view.not_sent_count()) == (Fate.SETTLED, 0)
    told = board.server.send(board.cache)
    assert board.view.apply(told.changed, told.removed, ["op-1"]).rows == (local_id,)
    assert board.view.place(local_id) == place
    assert board.view.oldest_not_sent_ms() is None


def test_a_rejected_move_goes_back_and_the_rest_stays(board: Board) -> None:
    """Only the rejected operation leaves; an order without a place in this cache is no trouble."""
    one, two = (board.view.order(local_id) for local_id in board.view.ids(Stage.CONFIRMED)[:2])
    assert one is not None
    assert two is not None
    board.view.begin([draft("a", one.id), draft("b", two.id), draft("c", "nowhere")], JUDGE)
    change = board.view.rejected(["a", "c"])
    assert change.rows == (board.local_id(one),)
    assert board.local_id(one) in board.view.ids(Stage.CONFIRMED)


def test_an_operation_that_the_cache_contains_is_not_replayed(board: Board) -> None:
    """Between the page and the news of it, the card shows the truth once, not twice."""
    order = board.first(Stage.CONFIRMED)
    local_id = board.local_id(order)
    numbered = board.number(draft("op-1", order.id, Move(Stage.PICKING)))
    board.view.saved([numbered], JUDGE)
    board.server.decide(numbered)
    board.server.decide(draft("op-2", order.id, Move(Stage.CONFIRMED)))
    told = board.server.send(board.cache)
    board.view.apply(told.changed)
    assert local_id in board.view.ids(Stage.CONFIRMED)


def test_a_decision_is_made_on_what_is_shown(board: Board) -> None:
    """May this card move? asks the order with what is on top of it."""
    order = board.first(Stage.CONFIRMED)
    release = draft("x", order.id, Release())
    assert board.view.decision(release, JUDGE).outcome is Outcome.REJECTED
    board.view.begin([draft("op-1", order.id, Move(Stage.PICKING))], JUDGE)
    again = draft("op-2", order.id, Move(Stage.PICKING))
    assert board.view.decision(again, JUDGE).outcome is Outcome.NOOP
    assert board.view.decision(draft("y", "nowhere"), JUDGE).outcome is Outcome.REJECTED


def test_orders_are_found_by_number(board: Board) -> None:
    """With or without #, in any case; a local id only while the order is here."""
    order = ORDERS[7]
    assert board.view.find(order.number) == board.view.find(f"#{order.number}") == board.local_id(order)
    assert board.view.find("no such number") is None
    assert board.view.local_id("no such order") is None
    assert board.view.order(board.local_id(order)) == order
    assert board.view.order(10_000) is None


def test_a_filter_hides_and_says_so(board: Board) -> None:
    """Ids and groups are filtered, totals are not; a change of a hidden order stays hidden."""
    order = board.first(Stage.CONFIRMED)
    local_id = board.local_id(order)
    assert board.view.set_filter(array("q", [local_id])).columns == STAGES
    assert board.view.ids(Stage.CONFIRMED).tolist() == [local_id]
    assert [group.count for group in board.view.groups(Stage.CONFIRMED)] == [1]
    assert board.view.total(Stage.CONFIRMED) > 1
    hidden = next(each for each in ORDERS if each.stage is Stage.CONFIRMED and each.id != order.id)
    assert board.view.place(board.local_id(hidden)) is None
    board.view.begin([draft("a", hidden.id), draft("b", order.id)], JUDGE)
    assert board.view.ids(Stage.CONFIRMED).tolist() == []
    assert board.view.ids(Stage.PICKING).tolist() == [local_id]
    board.view.set_filter(None)
    assert len(board.view.ids(Stage.PICKING)) == board.view.total(Stage.PICKING)
    assert board.view.set_filter(array("q")).columns == STAGES
    assert [len(board.view.ids(stage)) for stage in STAGES] == [0, 0, 0, 0]


def test_the_first_page_of_a_filter_comes_before_the_rest(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids and groups end after a page, the count is not told; what is asked for by name is known already."""
    monkeypatch.setattr("sync.client.board_filter.FIRST_PAGE", 1)
    everything = [list(board.view.ids(stage)) for stage in STAGES]
    board.view.set_filter([one for ids in everything for one in ids], is_first_page=True)
    assert board.view.shown_count(Stage.CONFIRMED) is None
    first = list(board.view.ids(Stage.CONFIRMED))
    assert 1 <= len(first) < len(everything[0])
    assert first == everything[0][: len(first)]
    assert sum(group.count for group in board.view.groups(Stage.CONFIRMED)) == len(first)
    assert board.view.place(everything[0][-1]) == (Stage.CONFIRMED, len(everything[0]) - 1)
    assert board.view.complete_filter().columns == STAGES
    assert [list(board.view.ids(stage)) for stage in STAGES] == everything
    assert board.view.shown_count(Stage.CONFIRMED) == len(everything[0])
    assert board.view.complete_filter() == BoardChange()


def test_a_removed_order_leaves_its_column(board: Board) -> None:
    """Gone from the cache, gone from the board, with the column named."""
    order = board.first(Stage.PICKING)
    local_id = board.local_id(order)
    board.cache._connection.execute("DELETE FROM orders WHERE local_id = ?", (local_id,))
    change = board.view.apply((), (local_id,))
    assert change == BoardChange((local_id,), (Stage.PICKING,))
    assert board.view.place(local_id) is None
    assert board.view.rows([local_id]) == []
    assert board.view.apply((), (local_id,)) == BoardChange((local_id,))


def test_a_retired_order_leaves_no_ghost(board: Board) -> None:
    """Neither in column, search or filter, nor on top: a move on it waits for its refusal unseen."""
    order = board.first(Stage.SHIPPED)
    local_id = board.local_id(order)
    board.view.set_filter(board.view.search(order.number))
    operation = board.number(draft("late", order.id, Move(Stage.PICKED)))
    board.view.begin([operation], JUDGE)
    board.view.saved([operation], JUDGE)
    assert board.view.place(local_id) == (Stage.PICKED, 0)
    board.server.decide(draft("r", order.id, Retire()), SYSTEM)
    told = board.server.send(board.cache)
    change = board.view.apply(told.changed, told.removed)
    assert change == BoardChange((local_id,), (Stage.PICKED,))
    assert board.view.place(local_id) is None
    assert [list(board.view.ids(stage)) for stage in STAGES] == [[], [], [], []]
    assert local_id not in board.view.search(order.number)
    assert (board.view.order(local_id), board.view.find(order.number)) == (None, None)
    assert board.view.decision(operation, JUDGE).reason is Reason.UNKNOWN_ORDER
    assert board.view.not_sent_count() == 1
    entry = board.server.decide(operation)
    assert (entry.outcome, entry.reason) == (Outcome.REJECTED, Reason.UNKNOWN_ORDER)
    assert board.view.rejected(["late"]) == BoardChange()
    assert board.view.not_sent_count() == 0
    assert sum(map(board.view.total, STAGES)) == len(ORDERS) - 1


def test_the_overlay_survives_a_snapshot(board: Board) -> None:
    """After a reload the unfinished operations are on top again."""
    order = board.first(Stage.CONFIRMED)
    board.view.begin([draft("a", order.id)], JUDGE)
    board.server.snapshot_into(board.cache)
    assert board.view.reload() == BoardChange((), STAGES)
    place = board.view.place(board.local_id(order))
    assert place is not None
    assert place[0] is Stage.PICKING


def test_a_whole_board_that_was_read_ahead_is_shown_as_any_other(board: Board) -> None:
    """Columns, places and overlay are those of the new board; the next whole board is read anew."""
    moved = board.first(Stage.CONFIRMED)
    board.view.begin([draft("a", moved.id)], JUDGE)
    for orders in (ORDERS[: len(ORDERS) // 2], ORDERS):
        ServerBoard(orders).snapshot_into(board.cache)
        if len(orders) < len(ORDERS):
            reader = Thread(target=board.view.read_ahead)
            reader.start()
            reader.join()
        assert board.view.take_whole() == BoardChange((), STAGES)
        fresh = BoardView(board.path)
        fresh.begin([draft("a", moved.id)], JUDGE)
        fresh.reload()
        shown = [board.view.ids(stage) for stage in STAGES]
        assert shown == [fresh.ids(stage) for stage in STAGES]
        assert sum(map(len, shown)) == len(orders)
        assert [board.view.place(local_id) for local_id in shown[0]] == [
            (Stage.CONFIRMED, place) for place in range(len(shown[0]))
        ]
        fresh.close()


def test_a_change_between_reading_ahead_and_showing_is_shown(board: Board) -> None:
    """What the cache took in meanwhile is told after the whole board, and is on it then."""
    order = board.first(Stage.CONFIRMED)
    board.view.read_ahead()
    board.server.decide(board.number(draft("a", order.id)))
    told = board.server.send(board.cache)
    board.view.take_whole()
    board.view.apply(told.changed, told.removed)
    place = board.view.place(board.local_id(order))
    assert place is not None
    assert place[0] is Stage.PICKING


def test_a_new_carrier_gets_its_name(board: Board) -> None:
    """A group whose carrier came after the last reload is named too."""
    order = msgspec.structs.replace(
        ORDERS[0], id="new", stage=Stage.CONFIRMED, carrier="Brandnew", cut_off_ms=None, hold=None
    )
    board.server.create(order)
    told = board.server.send(board.cache)
    board.view.apply(told.changed)
    keys = [group.key for group in board.view.groups(Stage.CONFIRMED)]
    assert GroupKey(None, "Brandnew") in keys
    board.view.begin([draft("a", "new", Move(Stage.PICKING))], JUDGE)
    assert GroupKey(None, "Brandnew") in [group.key for group in board.view.groups(Stage.PICKING)]


def test_the_carrier_of_an_overlaid_order_may_be_new(board: Board) -> None:
    """The view learns the number of a name that it has not seen when it needs it."""
    order = msgspec.structs.replace(
        ORDERS[0], id="new", stage=Stage.CONFIRMED, carrier="Brandnew", cut_off_ms=None, hold=None
    )
    board.server.create(order)
    board.server.send(board.cache)
    board.view.begin([draft("a", "new", Move(Stage.PICKING))], JUDGE)
    assert GroupKey(None, "Brandnew") in [group.key for group in board.view.groups(Stage.PICKING)]


@pytest.mark.parametrize("spoil", ["missing", "garbage", "too new"])
def test_a_cache_that_cannot_be_read_is_an_empty_board(tmp_path: Path, spoil: str) -> None:
    """Nothing is raised on the GUI thread; the board fills when the file is set right."""
    path = tmp_path / "cache.db"
    if spoil == "garbage":
        path.write_bytes(b"no database at all" * 300)
    if spoil == "too new":
        with closing(Cache.open(path).cache) as cache:
            cache._connection.execute("PRAGMA user_version = 99")
    view = BoardView(path)
    with closing(view):
        view.reload()
        assert [view.total(stage) for stage in STAGES] == [0, 0, 0, 0]
        assert (view.find("1"), view.search("a").tolist(), view.order(1)) == (None, [], None)
        assert view.info().cursor == 0
        assert view.begin([draft("a", "x")], JUDGE) == BoardChange()
        with closing(Cache.open(path).cache) as cache:
            ServerBoard(ORDERS, seq=4).snapshot_into(cache)
            view.reload()
            assert sum(view.total(stage) for stage in STAGES) == len(ORDERS)
            assert view.info().cursor == 4


def test_a_cache_whose_writer_was_killed_is_read_whole(board: Board, tmp_path: Path) -> None:
    """The first paint after a crash comes before the writer is back: the log beside the file counts."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("cache.db", "cache.db-wal"):
        shutil.copy(tmp_path / name, copy / name)
    with closing(BoardView(copy / "cache.db")) as view:
        view.reload()
        assert [view.ids(stage) for stage in STAGES] == [board.view.ids(stage) for stage in STAGES]


def test_a_question_that_fails_changes_nothing(board: Board) -> None:
    """An order is not taken off the board because the file could not be read just now."""
    local_id = board.view.ids(Stage.CONFIRMED)[0]
    board.cache._connection.execute("ALTER TABLE orders RENAME TO elsewhere")
    assert board.view.apply((local_id,)) == BoardChange()
    assert local_id in board.view.ids(Stage.CONFIRMED)


def shown(view: BoardView) -> list[object]:
    """Return everything that a board could draw."""
    return [
        (list(view.ids(stage)), list(view.groups(stage)), view.rows(view.ids(stage)), view.total(stage))
        for stage in STAGES
    ]


def from_scratch(board: Board) -> list[object]:
    """Return the same of a view that reads everything now."""
    fresh = BoardView(board.path)
    with closing(fresh):
        fresh._overlay = board.view._overlay
        if board.view._filter is not None:
            fresh.set_filter(board.view._filter.wanted)
        fresh.reload()
        return shown(fresh)


def check_places(view: BoardView) -> None:
    """Every order that is shown says where."""
    for stage in STAGES:
        for place, local_id in enumerate(view.ids(stage)):
            assert view.place(local_id) == (stage, place)
        assert all(isinstance(group, Group) for group in view.groups(stage))


class Story:
    """A random day: people here and elsewhere, the server, the network."""

    def __init__(self, board: Board, seed: int) -> None:
        """Tell the story of ``seed`` on ``board``."""
        self.board = board
        self.rng = random.Random(f"story {seed}")
        self.count = 0
        self.drafts: list[Operation] = []
        self.sent: list[Operation] = []
        self.orders = list(ORDERS[:30])
        self.spare = list(make_orders(40, Made(seed=seed + 1_000)))

    def some_operation(self) -> Operation:
        """Return an operation on any order."""
        self.count += 1
        order = self.rng.choice(self.orders)
        return draft(f"op-{self.count}", order.id, Move(self.rng.choice(STAGES)))

    def elsewhere(self) -> None:
        """Somebody else moves an order."""
        self.board.server.decide(self.some_operation())

    def arrives(self) -> None:
        """A new order comes in."""
        if self.spare:
            self.orders.append(self.spare.pop())
            self.board.server.create(self.orders[-1])

    def retires(self) -> None:
        """The server lets finished orders go, also those that somebody here still works on."""
        finished = [order for order in self.board.server.orders.values() if not order.is_open]
        for order in self.rng.sample(finished, min(len(finished), 2)):
            self.count += 1
            self.board.server.decide(draft(f"op-{self.count}", order.id, Retire()), SYSTEM)

    def begins(self) -> None:
        """A person here moves cards."""
        operations = [self.some_operation() for _ in range(self.rng.randrange(1, 4))]
        self.drafts += operations
        self.board.view.begin(operations, JUDGE)

    def saves(self) -> None:
        """The outbox has them."""
        numbered = [self.board.number(operation) for operation in self.drafts]
        self.drafts = []
        self.sent += numbered
        self.board.view.saved(numbered, JUDGE)

    def fails(self) -> None:
        """The outbox could not store the newest one."""
        if self.drafts:
            self.board.view.rejected([self.drafts.pop().op_id])

    def decides(self) -> None:
        """The server decides the oldest; the verdict may come before the page."""
        if not self.sent:
            return
        operation = self.sent.pop(0)
        entry = self.board.server.decide(operation)
        if entry.outcome is Outcome.REJECTED:
            self.board.view.rejected([operation.op_id])
        elif self.rng.random() < 0.5:
            self.board.view.settled([operation.op_id])

    def hears(self) -> None:
        """The page arrives, the news of it too."""
        told = self.board.server.send(self.board.cache)
        self.board.view.apply(told.changed, told.removed, [verdict.op_id for verdict in told.own])

    def reconnects(self) -> None:
        """The server sends the whole board anew."""
        self.hears()
        self.board.server.snapshot_into(self.board.cache)
        self.board.view.reload()

    def searches(self) -> None:
        """A filter comes or goes."""
        wanted = self.board.view.search(self.rng.choice(("a", "4000", "lamp", "zz")))
        self.board.view.set_filter(self.rng.choice((None, wanted)))


STEPS = (
    *("elsewhere", "arrives", "retires", "begins", "saves", "fails", "decides", "hears", "reconnects"),
    "searches",
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), steps=st.lists(st.sampled_from(STEPS), min_size=5, max_size=40))
def test_the_board_is_what_it_would_be_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: list[str]
) -> None:
    """After any story, changing the board step by step and reading it anew come to the same."""
    with closing(Board(tmp_path_factory.mktemp("story"), ORDERS[:30])) as board:
        story = Story(board, seed)
        for step in steps:
            getattr(story, step)()
        story.hears()
        assert shown(board.view) == from_scratch(board)
        check_places(board.view)
        for local_id in board.view.ids(Stage.CONFIRMED):
            order = board.view.order(local_id)
            assert order is not None
            assert order.stage is Stage.CONFIRMED


def test_orders_with_open_exceptions_are_named(tmp_path: Path) -> None:
    """Those of the server, also of a cancelled order, and those that an own fact has just opened."""
    told = OrderException("CANCELLED", "Cancelled after picking began.", "op-1", 1)
    orders = (
        msgspec.structs.replace(ORDERS[0], cancelled_ms=2, exceptions=(told,)),
        msgspec.structs.replace(ORDERS[1], cancelled_ms=2, exceptions=()),
        msgspec.structs.replace(
            ORDERS[2], cancelled_ms=None, exceptions=(), stage=Stage.CONFIRMED, hold=None
        ),
    )
    with closing(Board(tmp_path, orders)) as board:
        assert [order.id for order in board.view.exceptional()] == [orders[0].id]
        board.view.begin((draft("s", orders[2].id, Ship()),), JUDGE)
        assert [order.id for order in board.view.exceptional()] == [orders[0].id, orders[2].id]
