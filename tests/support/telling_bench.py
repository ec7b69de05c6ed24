"""A site with orders, targets that are told, and the outbox between them."""

from __future__ import annotations

import threading
from pathlib import Path

from server.modules.webhooks_out.sending import send
from server.registration import JobContext
from server.telling.outbox import DEAD, DONE, WAITING, Delivery, Outbox
from server.telling.targets import Targets
from support.http_bench import HttpBench
from support.server_bench import numbered
from sync.contract.operations import Change

SECRET = "the secret of the target"
ALL = ("created", "moved", "shipped", "held", "released", "cancelled")


class TellingBench(HttpBench):
    """Ana moves orders A-0, A-1 …; ``send`` does what the job does."""

    def __init__(self, folder: Path, url: str = "", orders: int = 3) -> None:
        super().__init__(folder, url=url)
        self.outbox = Outbox(self.database.engine, self.clock, self.ids)
        self.targets = Targets(self.database.engine, self.clock, self.ids)
        self.stopping = threading.Event()
        self.ana = self.principal()
        self.join(self.ana)
        self._done = 0
        self.import_orders(orders)

    def target(self, name: str = "Shop", url: str = "http://127.0.0.1:1/", events: str = "") -> str:
        """Tell a program from now on."""
        wanted = tuple(events.split(",")) if events else ALL
        return self.targets.add(self.site.key, name, url, wanted, SECRET)

    def do(self, change: Change, place: int = 0) -> None:
        """Have Ana do something to order A-``place``."""
        self._done += 1
        committed = self.commit(self.ana, numbered(self._done, change, f"{self.site.key.site_id}-A-{place}"))
        (verdict,) = committed.verdicts
        assert verdict is not None
        assert verdict.reason == "", verdict

    def send(self) -> None:
        """Collect and send what is due, as the job does."""
        send(JobContext(self.database, self.services, self.stopping))

    def collect(self, target_id: str) -> list[Delivery]:
        """Collect what happened, and return what waits, the earliest first."""
        while self.outbox.collect(target_id):
            pass
        return self.waiting()

    def waiting(self) -> list[Delivery]:
        """Return what waits, the earliest first."""
        return self.deliveries(WAITING)

    def dead(self) -> list[Delivery]:
        """Return what was given up."""
        return self.deliveries(DEAD)

    def done(self) -> list[Delivery]:
        """Return what was told."""
        return self.deliveries(DONE)

    def deliveries(self, state: str) -> list[Delivery]:
        """Return the deliveries of a state in the order of the log."""
        found = self.outbox.deliveries(self.site.key, state, 10_000)
        return sorted((delivery for _, delivery in found), key=lambda each: (each.seq, each.event))
