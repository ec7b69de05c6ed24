"""A floor terminal without a screen over a board in a file, with a pretended engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from app.headless_floor import HeadlessFloor, Place
from support.boards import ServerBoard
from support.clocks import CountingIds, FakeClock
from support.drafts import JUDGE
from support.orders import make_order
from sync.client.board_view import BoardView
from sync.client.cache import Cache
from sync.client.commands import OlderQuestion
from sync.client.news import (
    BoardChanged,
    ConnectionChanged,
    LinkState,
    OperationsDecided,
    OperationsDone,
    OperationsSaved,
    Started,
)
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation
from sync.contract.orders import LineItem
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge

SITE = Site("site-1", "Hall A", "Europe/London", "organization-1", "Example")
PERSON = Person("eva", "Eva", "supervisor", "sign-in-1")
PLACE = Place("/profile", "http://server", is_attached=False, version="1.0")


LINES = (
    LineItem(1, "MUG", "Mug", 4, "A-03"),
    LineItem(2, "POT", "Pot", 2, "B-11"),
)


class FakeEngine:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.submitted: list[Operation] = []
        self.tries = 0
        self.questions: list[OlderQuestion] = []
        self.asked: list[tuple[str, str]] = []

    def submit(self, drafts: Sequence[Operation]) -> None:
        """Keep them."""
        self.submitted += drafts

    def try_now(self) -> None:
        """Count it."""
        self.tries += 1

    def find_older(self, question: OlderQuestion) -> None:
        """Keep it."""
        self.questions.append(question)

    def acknowledge(self, op_id: str) -> None:
        """Keep it."""
        self.asked.append(("acknowledge", op_id))

    def retry(self, op_id: str) -> None:
        """Keep it."""
        self.asked.append(("retry", op_id))

    def accept_board(self) -> None:
        """Keep it."""
        self.asked.append(("accept_board", ""))


class HeadlessBench:
    """A floor terminal over a cache with four orders, and what it said."""

    def __init__(self, folder: Path, *, is_empty: bool = False) -> None:
        path = folder / "cache.db"
        self.cache = Cache.open(path).cache
        orders = [
            make_order(
                place,
                id=f"order-{place}",
                number=f"SO-{place}",
                stage=Stage.CONFIRMED,
                claimed_by=None,
                hold=None,
                cancelled_ms=None,
                note="",
                tags=(),
                exceptions=(),
                priority=0,
                assignee="",
                lines=LINES,
            )
            for place in range(1, 5)
        ]
        self.board = ServerBoard(orders, seq=4)
        if not is_empty:
            self.board.snapshot_into(self.cache)
        self.view = BoardView(path)
        self.view.reload()
        self.engine = FakeEngine()
        self.clock = FakeClock()
        self.said: list[dict[str, Any]] = []
        self.floor = HeadlessFloor(self.view, self.engine, self.clock, CountingIds(), PLACE, self.take)
        self.seq = 0

    def take(self, line: str) -> None:
        """Keep a line that was said."""
        self.said.append(json.loads(line))

    def start(self, person: Person | None = PERSON) -> None:
        """Let the engine start and go live."""
        self.floor.on_news(Started((), SITE if person else None, person, 5))
        self.floor.on_news(ConnectionChanged(LinkState.LIVE, 7))
        self.said.clear()

    def ask(self, **request: object) -> None:
        """Ask for something."""
        self.floor.on_line(json.dumps(request))

    def last(self, name: str) -> dict[str, Any]:
        """Return the last line of a name."""
        fields: dict[str, Any] = next(line[name] for line in reversed(self.said) if name in line)
        return fields

    def save(self) -> Operation:
        """Let the last submitted operation become durable."""
        self.seq += 1
        operation = msgspec.structs.replace(
            self.engine.submitted[-1], device_id="device", device_seq=self.seq
        )
        self.floor.on_news(OperationsSaved((operation,)))
        return operation

    def decide(self, operation: Operation, judge: Judge = JUDGE) -> None:
        """Let the server decide it, and the page arrive."""
        entry = self.board.decide(operation, judge)
        verdict = Verdict(operation.device_seq, operation.op_id, entry.seq, entry.outcome, entry.reason)
        self.floor.on_news(OperationsDecided((verdict,)))
        change = self.board.send(self.cache)
        self.floor.on_news(BoardChanged(change.changed, change.removed, (operation.op_id,), change.cursor, 0))
        self.floor.on_news(OperationsDone((operation.op_id,)))

    def finish(self) -> None:
        """Save and decide the last submitted operation."""
        self.decide(self.save())

    def close(self) -> None:
        """Close reader and writer."""
        self.view.close()
        self.cache.close()
