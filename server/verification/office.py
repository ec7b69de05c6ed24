"""The office of the world: another process on the server's data, which imports, schedules and retires.

It writes through the same stores as the server does, also while the server is down, and it too may die at
any point of them. The terminals hear of it because the hub looks.
"""

from __future__ import annotations

from typing import Final

import msgspec

from calendars.schedule import Rule
from intake.arrival import Arrival
from server.arrivals import Arrivals
from server.cut_offs.recomputing import Recomputing
from server.cut_offs.rows import change
from server.modules.retirement import Closing, Retirement
from server.verification.server_node import ServerRoom
from server.verification.world import START_WALL_MS, SimulatedCrash
from sync.contract.orders import LineItem, Order
from sync.contract.stages import STAGES

SOURCE: Final = "simulation"
VAN: Final = "Van"
NEW: Final = 0.3
"""How often an arrival is a new order and not another word on a known one."""


class Office:
    """Whoever brings orders in and lets them go."""

    def __init__(self, room: ServerRoom, orders: int) -> None:
        """Let the first ``orders`` orders arrive."""
        self._room = room
        self._random = room.world.random
        self.order_ids: list[str] = []
        self._said: dict[str, Order] = {}
        self._take([self._new_order() for _ in range(orders)])

    def act(self) -> None:
        """Do one thing; a crash in the middle ends it, and the next time it is a new process."""
        try:
            match self._random.choice(("arrive", "arrive", "retire", "schedule")):
                case "arrive":
                    self._take([self._any_order() for _ in range(self._random.choice((1, 1, 4)))])
                case "retire":
                    self._retire()
                case _:
                    self._schedule()
        except SimulatedCrash:
            self._room.world.note("office", "died", [])

    def _take(self, orders: list[Order]) -> None:
        database = self._room.database
        arrivals = [Arrival(order, START_WALL_MS + self._room.world.now_ms) for order in orders]
        door = Arrivals(database.store, self._room.ids)
        for order, arrived in zip(orders, door.take(self._room.site.key, arrivals), strict=True):
            self._said[order.external_ref] = order
            if arrived.order_id and arrived.order_id not in self.order_ids:
                self.order_ids.append(arrived.order_id)

    def _any_order(self) -> Order:
        return self._new_order() if not self._said or self._room.world.chance(NEW) else self._changed_order()

    def _new_order(self) -> Order:
        reference = f"R-{len(self._said) + 1}"
        stage = self._random.choice(STAGES)
        return Order(
            *("", "", "", SOURCE, reference, reference, stage, 0, 0, 0, 0),
            ship_method=self._random.choice(("", VAN)),
            lines=(LineItem(1, "SKU-1", "Thing", 2),),
        )

    def _changed_order(self) -> Order:
        order = self._said[self._random.choice(sorted(self._said))]
        changes: tuple[dict[str, object], ...] = (
            {},
            {"stage": self._random.choice(STAGES)},
            {"note": f"Note {self._random.randint(1, 9)}"},
            {"ship_method": self._random.choice(("", VAN))},
            {"lines": (LineItem(1, "SKU-1", "Thing", self._random.randint(1, 4)),)},
            {"cancelled_ms": 0},
        )
        return msgspec.structs.replace(order, **self._random.choice(changes))

    def _retire(self) -> None:
        room = self._room
        closing = Closing(room.site.key, room.zone, START_WALL_MS + room.world.now_ms - 5_000)
        retirement = Retirement(room.database.engine, room.database.store, room.ids)
        retirement.run(closing, lambda: False)

    def _schedule(self) -> None:
        room, site = self._room, self._room.site.key
        minute = self._random.randrange(24 * 60)
        rules = [Rule(self._random.choice(("", VAN)), weekday, minute) for weekday in range(7)]
        with room.database.engine.begin() as connection:
            change(connection, site, lambda before: before.with_rules(rules))
        Recomputing(room.database.engine, room.database.store, lambda: False).run(site)
