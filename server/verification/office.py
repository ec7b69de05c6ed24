"""The office of the world: another process on the server's data, which imports, schedules and retires.

It writes through the same stores as the server does, also while the server is down, and it too may die at
any point of them. The terminals hear of it because the hub looks.
"""

from __future__ import annotations

from typing import Final

import msgspec

from calendars.schedule import Rule
from intake.arrival import Arrival
from server.arrivals import Fate
from server.kernel.records import Batch, Submission
from server.verification.people import SKU
from server.verification.rooms import ServerRoom
from server.verification.world import START_WALL_MS, SimulatedCrash
from sync.contract.operations import Operation, Retire, Schedule, Skip
from sync.contract.orders import LineItem, Order
from sync.contract.stages import STAGES

SOURCE: Final = "simulation"
VAN: Final = "Van"
NEW: Final = 0.3
"""How often an arrival is a new order and not another word on a known one."""
OLD_MS: Final = 3_000
"""How long finished orders stay on the board: a day is too long for a run."""


LATE_MS: Final = 20_000


class Office:
    """Whoever brings orders in and lets them go."""

    def __init__(self, room: ServerRoom, orders: int) -> None:
        """Let the first ``orders`` orders arrive."""
        self._room = room
        self._random = room.world.random
        self.order_ids: list[str] = []
        self._said: dict[str, Order] = {}
        self._newest: dict[tuple[int, str], int] = {}
        """When the newest word on an order was said, in each life of the server's data."""
        self._take([self._new_order() for _ in range(orders)])

    def act(self) -> None:
        """Do one thing; a crash in the middle ends it, and the next time it is a new process."""
        try:
            match self._random.choice(("arrive", "arrive", "retire", "retire", "schedule", "insist")):
                case "arrive":
                    self._take([self._any_order() for _ in range(self._random.choice((1, 1, 4)))])
                case "retire":
                    self._room.retire(self._now_ms() - OLD_MS)
                case "schedule":
                    self._schedule()
                case _:
                    self._insist()
        except SimulatedCrash:
            self._room.world.note("office", "died", [])

    def _now_ms(self) -> int:
        return START_WALL_MS + self._room.world.now_ms

    def _take(self, orders: list[Order]) -> None:
        """Say something of orders; sometimes an older word, which arrives late and must change nothing."""
        late_ms = self._random.choice((0, 0, 0, LATE_MS))
        arrivals = [Arrival(order, self._now_ms() - late_ms) for order in orders]
        taken = self._room.doors().take(self._room.site.key, arrivals)
        for (order, said_ms), arrived in zip(arrivals, taken, strict=True):
            newest = self._newest.get((self._room.life, order.external_ref), 0)
            if said_ms < newest and arrived.fate is not Fate.UNCHANGED:
                self._room.world.faults.append(
                    f"office: an older word made {arrived.fate} of {arrived.order_id}"
                )
            # What is only repeated writes nothing, not even when it was said.
            if arrived.fate not in {Fate.REFUSED, Fate.UNCHANGED}:
                self._newest[self._room.life, order.external_ref] = max(said_ms, newest)
            self._said[order.external_ref] = order
            if arrived.order_id and arrived.order_id not in self.order_ids:
                self.order_ids.append(arrived.order_id)

    def _any_order(self) -> Order:
        return self._new_order() if not self._said or self._room.world.chance(NEW) else self._changed_order()

    def _new_order(self) -> Order:
        reference = f"R-{len(self._said) + 1}-{self._random.getrandbits(16)}"
        stage = self._random.choice(STAGES)
        lines = tuple(
            LineItem(place, f"SKU-{place}", "Thing", self._random.randint(1, 3))
            for place in range(1, self._random.randint(2, 3))
        )
        ship_method = self._random.choice(("", VAN))
        names = ("", "", "", SOURCE, reference, reference)
        return Order(*names, stage, 0, 0, 0, 0, ship_method=ship_method, lines=lines)

    def _changed_order(self) -> Order:
        order = self._said[self._random.choice(list(self._said))]
        changes: tuple[dict[str, object], ...] = (
            {},
            {"stage": self._random.choice(STAGES)},
            {"note": f"Note {self._random.randint(1, 9)}"},
            {"ship_method": self._random.choice(("", VAN))},
            {"lines": (LineItem(1, SKU, "Thing", self._random.randint(1, 4)),)},
            {"cancelled_ms": 0},
            {"cancelled_ms": None},
        )
        return msgspec.structs.replace(order, **self._random.choice(changes))

    def _schedule(self) -> None:
        minute = self._random.randrange(24 * 60)
        self._room.reschedule([Rule(self._random.choice(("", VAN)), weekday, minute) for weekday in range(7)])

    def _insist(self) -> None:
        """Say of any order what the server says by itself: another process may be late with it."""
        room, random = self._room, self._random
        drafts = []
        for order_id in random.choices(self.order_ids, k=6):
            late = Schedule(self._now_ms() + 60_000 * random.randint(1, 99), "late")
            change = random.choice((Retire(), late, Skip()))
            revision = random.choice((0, 0, 1, 2, 5))
            drafts.append(Operation(room.ids.new(), order_id, change, base_revision=revision))
        room.commit(Batch(room.site.key, tuple(Submission(draft) for draft in drafts)))
