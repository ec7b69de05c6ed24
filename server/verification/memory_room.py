"""The server's data as plain values; the office works on them through the same pure parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from calendars.schedule import Calendar, Rule
from server.arrivals import Arrivals
from server.cut_offs.recomputing import Facts, Recomputed, Recomputing
from server.kernel.records import Batch, Committed, Head, SiteKey, SiteRow
from server.modules.retirement import Closing, Retirement
from server.verification.memory_board import MemoryBoard, SignIn, User
from server.verification.memory_copies import MemoryCopies
from server.verification.memory_server import MemoryReader, MemoryStore
from server.verification.processes import Processes
from server.verification.rooms import ORGANIZATION, SITE, TIME_ZONE, VALID_MS, ServerRoom, Worker
from server.verification.world import World
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.ports import Ids
from sync.contract.stages import Stage


class MemoryRoom(ServerRoom):
    """A board in memory that outlives crashes."""

    def __init__(self, world: World, processes: Processes) -> None:
        """Set the data up and start the first process."""
        super().__init__(world, processes)
        # The ids in the order in which a database gets them.
        organization_id, site_id, epoch = self.ids.new(), self.ids.new(), self.ids.new()
        self.site = SiteRow(SiteKey(organization_id, site_id), SITE, TIME_ZONE, ORGANIZATION)
        self.board = MemoryBoard(self.site, epoch)
        self.reopen()
        self.start()

    def stores(self) -> Mapping[str, object]:
        """Return the opened stores by the names that the hub knows."""
        return {"store": self._store, "reader": self._reader, "copies": self._copies}

    def reopen(self) -> None:
        """Open the data as the next process does."""
        self._store = MemoryStore(self.board, self.clock, self.ids, self.hook, self.decide)
        self._reader = MemoryReader(self.board, self.clock)
        self._copies = MemoryCopies(self.board)

    def commit(self, batch: Batch) -> Committed:
        """Decide a batch as another process does."""
        return self._store.commit(batch)

    def doors(self) -> Arrivals:
        """Return the door for orders from outside."""
        return Arrivals(self._store, self.ids)  # type: ignore[arg-type] # the same methods

    def retire(self, before_ms: int) -> None:
        """Run the office's retirement."""
        _MemoryRetirement(self.board, self._store, self.ids).run(
            Closing(self.site.key, self.zone, before_ms), lambda: False
        )

    def reschedule(self, rules: list[Rule]) -> None:
        """Change the schedule and bring the open orders in line."""
        before = self.board.schedule
        after = before.with_rules(rules)
        if after != before:
            self.board.schedule = after._replace(revision=before.revision + 1)
        _MemoryRecomputing(self.board, self._store).run(self.site.key)

    def head(self) -> Head:
        """Return where the log stands."""
        return self.board.head()

    def entries(self, after: int) -> list[bytes]:
        """Return the encoded log after ``after``."""
        return [line.encoded for line in self.board.log[after:]]

    def bodies(self) -> dict[str, bytes]:
        """Return every stored order as its canonical bytes."""
        return {order_id: row.body for order_id, row in self.board.orders.items()}

    def state_hash(self) -> int:
        """Return the stored hash of the board."""
        return self.board.state_hash

    def worker(self, name: str, role: Role, enrolment: str) -> Worker:
        """Make a person who is signed in on an enrolled device."""
        chance, board = self.world.random, self.board
        user = User(self.ids.new(), name, role)
        board.users[user.id] = user
        if not enrolment:
            enrolment = self.ids.new()
            # The token of the device, which nobody needs here: chance has to go on as with files.
            chance.getrandbits(128)
        sign_in = SignIn(f"sign-in-{name}", enrolment, user.id)
        token = f"access-{chance.getrandbits(128)}"
        board.sign_ins[sign_in.id] = sign_in
        board.tokens[token] = sign_in.id, self.clock.wall_ms() + VALID_MS
        return Worker(user.id, name, sign_in.id, token)

    def enrolment_of(self, worker: Worker) -> str:
        """Return the enrolment that a person is signed in on."""
        return self.board.sign_ins[worker.sign_in_id].enrolment_id

    def set_role(self, user_id: str, role: Role) -> None:
        """Give a person another role."""
        self.board.users[user_id] = self.board.users[user_id]._replace(role=role)

    def backup(self) -> MemoryBoard:
        """Copy the data while the server may be at work."""
        return self.board.copied()

    def restore(self, backup: object, *, is_known: bool = True) -> None:
        """Go back to a copy, and begin a new history where that is known."""
        assert isinstance(backup, MemoryBoard)
        self.board = backup.copied()
        if is_known:
            self.board.epoch = self.ids.new()
            self.board.durable_seq = self.board.seq
        self.reopen()

    def verified(self, seq: int) -> None:
        """Note that a verified backup covers the log up to ``seq``."""
        self.board.durable_seq = seq

    def close(self) -> None:
        """Do nothing: there are no files."""


class _MemoryRetirement(Retirement):
    """Retirement that finds the orders in memory."""

    def __init__(self, board: MemoryBoard, store: MemoryStore, ids: Ids) -> None:
        self._board = board
        self._store = store  # type: ignore[assignment] # the same methods
        self._ids = ids

    def _finished(self, closing: Closing, at_most: int) -> list[tuple[str, int]]:
        orders = (row.order for row in self._board.orders.values())
        over = [order for order in orders if _is_over(order, closing.before_ms)]
        over.sort(key=lambda order: (order.stage_ms, order.id))
        return [(order.id, order.revision) for order in over[:at_most]]


def _is_over(order: Order, before_ms: int) -> bool:
    if not order.is_on_board or order.is_open:
        return False
    is_cancelled_before = order.cancelled_ms is not None and order.cancelled_ms < before_ms
    if order.updated_ms < before_ms:
        return True
    if order.stage is Stage.SHIPPED:
        return order.stage_ms < before_ms and (order.cancelled_ms is None or is_cancelled_before)
    return is_cancelled_before


class _MemoryRecomputing(Recomputing):
    """Recomputing that reads the board in memory."""

    def __init__(self, board: MemoryBoard, store: MemoryStore) -> None:
        self._board = board
        self._memory = store
        self._store = store  # type: ignore[assignment] # the same methods
        self._pause = lambda: False
        self._progress = lambda _sofar: None

    def run(self, site: SiteKey) -> Recomputed:
        """Pass over the open orders until nothing is left to change."""
        sofar = Recomputed(refused=1)
        while sofar.refused:
            sofar = self._pass(site, self._calendar(site), sofar.changed)
        return sofar

    def _calendar(self, _site: SiteKey) -> Calendar:
        return self._memory.calendar()

    def _pages(self, _site: SiteKey) -> Iterator[list[Facts]]:
        rows = sorted(self._board.orders.items())
        yield [
            Facts(order.id, order.created_ms, order.revision, order.cut_off_ms, order.ship_method, rule)
            for order, rule in ((row.order, row.order.cut_off_rule) for _, row in rows)
            if order.is_on_board and order.is_open and (order.cut_off_ms is None or order.cut_off_rule)
        ]
