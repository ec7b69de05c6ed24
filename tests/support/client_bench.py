"""The client's window over a real cache, with a pretended engine: news in, operations out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject

from app.composition import Client, Wishes
from app.device_token import DeviceToken
from app.problems_surface import ProblemSurface
from app.settings import load_settings
from support.boards import ServerBoard
from support.drafts import JUDGE
from support.orders import Made, make_orders
from sync.client.cache import Cache
from sync.client.commands import OlderQuestion
from sync.client.news import BoardChanged, News, OperationsDecided, OperationsDone, OperationsSaved, Started
from sync.client.profile import open_profile
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation, Outcome
from sync.contract.orders import Order
from sync.contract.stages import Stage

SITE = Site("site-1", "Hall 1", "Europe/London", "organization-1", "Nordlicht")
PERSON = Person(JUDGE.actor_id, JUDGE.actor_name, JUDGE.role.value, "sign-in-1")
ORDERS = tuple(make_orders(60, Made(seed=7)))
CONTACT_MS = JUDGE.now_ms
DEVICE = "device"


class PretendedEngine:
    """Keeps what the window asks of an engine."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.submitted: list[Operation] = []
        self.tries = 0
        self.questions: list[OlderQuestion] = []
        self.acknowledged: list[str] = []

    def submit(self, drafts: Sequence[Operation]) -> None:
        """Keep operations."""
        self.submitted.extend(drafts)

    def try_now(self) -> None:
        """Count a wish to connect."""
        self.tries += 1

    def find_older(self, question: OlderQuestion) -> None:
        """Keep a question about older orders."""
        self.questions.append(question)

    def acknowledge(self, op_id: str) -> None:
        """Keep what somebody has seen."""
        self.acknowledged.append(op_id)

    def stop(self) -> bool:
        """End cleanly."""
        return True


class ClientBench:
    """A client whose engine and server are in the hands of the test."""

    def __init__(
        self,
        folder: Path,
        parent: QObject,
        orders: tuple[Order, ...] = ORDERS,
        managed: dict[str, object] | None = None,
    ) -> None:
        """Fill the cache with ``orders`` and make the window; it is not shown."""
        self.profile = open_profile(folder)
        self.server = ServerBoard(orders)
        self.cache = Cache.open(self.profile.cache).cache
        self.server.snapshot_into(self.cache, DEVICE)
        self.cache.remember(SITE, PERSON, CONTACT_MS)
        self.engine = PretendedEngine()
        self.surface = ProblemSurface()
        policies = folder / "logs" / "policies.json"
        policies.parent.mkdir()
        policies.write_text(json.dumps(managed or {}), encoding="utf-8")
        loaded = load_settings(self.profile.settings, policies)
        self.client = Client(self.profile, loaded, DeviceToken(), Wishes(), self.surface, parent)
        self.client._engine = self.engine  # type: ignore[assignment]
        self.next_number = 1

    @property
    def engine_tries(self) -> int:
        """How often the window wanted to connect."""
        return self.engine.tries

    def tell(self, *news: News) -> None:
        """Give news to the window, as the crossing would."""
        self.client._on_news(list(news))

    def started(self, operations: tuple[Operation, ...] = ()) -> None:
        """Tell the first news."""
        self.tell(Started(operations, SITE, PERSON, CONTACT_MS))

    def save(self) -> tuple[Operation, ...]:
        """Make what was submitted durable, and tell it."""
        numbered = tuple(self._number(draft) for draft in self.engine.submitted)
        self.engine.submitted.clear()
        self.tell(OperationsSaved(numbered))
        return numbered

    def decide(self, operations: Sequence[Operation]) -> None:
        """Decide operations as the server does; tell the verdicts, then the page of the log."""
        entries = [self.server.decide(operation) for operation in operations]
        verdicts = tuple(
            Verdict(entry.operation.device_seq, entry.operation.op_id, entry.seq, entry.outcome, entry.reason)
            for entry in entries
        )
        self.tell(OperationsDecided(verdicts))
        change = self.server.send(self.cache, DEVICE)
        done = tuple(entry.operation.op_id for entry in entries if entry.outcome is not Outcome.REJECTED)
        self.tell(
            BoardChanged(change.changed, change.removed, done, change.cursor, change.decided_device_seq),
            OperationsDone(done),
        )

    def first(self, stage: Stage, count: int = 1) -> tuple[int, ...]:
        """Return the first orders of a column that nothing holds back."""
        view = self.client.view
        free = [
            row.local_id
            for row in view.rows(view.ids(stage))
            if not row.hold_reason and not row.is_cancelled and not row.claimed_id
        ]
        return tuple(free[:count])

    def stage(self, local_id: int) -> Stage:
        """Return where the board shows an order."""
        place = self.client.view.place(local_id)
        assert place is not None
        return place[0]

    def close(self) -> None:
        """End the client, then the writer."""
        self.client.stop()
        self.client.window.close()
        self.client.window.deleteLater()
        self.cache.close()

    def _number(self, draft: Operation) -> Operation:
        numbered = msgspec.structs.replace(draft, device_id=DEVICE, device_seq=self.next_number)
        self.next_number += 1
        return numbered
