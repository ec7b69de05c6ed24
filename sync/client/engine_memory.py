"""What the engine has told so far, kept so that whoever comes later can be told it too."""

from __future__ import annotations

from collections.abc import Iterable

from sync.client.needs_you import PRECIOUS, NeedsYou
from sync.client.news import (
    BoardChanged,
    ConnectionChanged,
    DelayMeasured,
    LinkState,
    NeedsYouChanged,
    News,
    OperationFaulted,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsReoffered,
    OperationsSaved,
    OperationsSent,
    QueueStuck,
    SnapshotApplied,
    SnapshotHeld,
    Started,
    Welcomed,
)
from sync.contract.messages import Person, Site
from sync.contract.operations import Operation, Outcome
from sync.contract.ports import Recorder


class EngineMemory:
    """The operations that are not done, who and where this is, and how the connection stands."""

    def __init__(self, recorder: Recorder) -> None:
        """Count what passes by in ``recorder``."""
        self._recorder = recorder
        self._operations: dict[str, Operation] = {}
        self._site: Site | None = None
        self._person: Person | None = None
        self._connection = ConnectionChanged(LinkState.OFFLINE, 0)
        self._needs_you: dict[str, NeedsYou] = {}
        self._standing: dict[type, News] = {}
        """What goes on until other news ends it."""

    def first_news(self) -> list[News]:
        """Return what brings a newcomer to where everybody is."""
        contact_ms = self._connection.since_wall_ms
        needs_you = tuple(self._needs_you.values())
        started = Started(tuple(self._operations.values()), self._site, self._person, contact_ms, needs_you)
        return [started, self._connection, *self._standing.values()]

    def take(self, news: News) -> None:
        """Take in one piece of news."""
        match news:
            case Started():
                self._operations = {each.op_id: each for each in news.operations}
                self._site, self._person = news.site, news.person
                self._connection = ConnectionChanged(LinkState.OFFLINE, news.last_contact_ms)
                self._needs_you = {each.id: each for each in news.needs_you}
                self._standing.clear()
            case OperationsSaved(operations) | OperationsRenumbered(operations):
                self._operations.update({each.op_id: each for each in operations})
                self._recorder.inc("operations.saved", len(operations))
            case OperationsReoffered(operations):
                self._operations = {each.op_id: each for each in operations}
                self._recorder.inc("operations.reoffered", len(operations))
            case NeedsYouChanged(entries, removed):
                self._take_entries(entries, removed)
            case QueueStuck(count=0):
                self._standing.pop(QueueStuck, None)
            case SnapshotHeld() | QueueStuck():
                self._standing[type(news)] = news
            case OperationsDone(op_ids):
                self._forget(op_ids)
                self._recorder.inc("operations.done", len(op_ids))
            case OperationsDecided(verdicts):
                rejected = [each.op_id for each in verdicts if each.outcome is Outcome.REJECTED]
                # A newcomer must not replay what the server has refused.
                self._forget(tuple(rejected))
                self._recorder.inc("operations.decided", len(verdicts))
                self._recorder.inc("operations.rejected", len(rejected))
            case Welcomed(site, person):
                self._site, self._person = site, person
            case ConnectionChanged():
                self._connection = news
            case _:
                self._count(news)

    def _count(self, news: News) -> None:
        match news:
            case OperationsSent(op_ids):
                self._recorder.inc("operations.sent", len(op_ids))
            case OperationsNotSaved(op_ids):
                self._recorder.inc("operations.not_saved", len(op_ids))
            case BoardChanged(changed):
                self._recorder.inc("board.changes", len(changed))
            case SnapshotApplied():
                self._standing.pop(SnapshotHeld, None)
                self._recorder.inc("board.snapshots")
            case OperationFaulted():
                self._recorder.inc("operations.faulted")
            case DelayMeasured(ms):
                self._recorder.set("link.delay_ms", ms)

    def _take_entries(self, entries: Iterable[NeedsYou], removed: Iterable[str]) -> None:
        for each in removed:
            self._needs_you.pop(each, None)
        for entry in entries:
            self._needs_you[entry.id] = entry
            self._recorder.inc(f"needs_you.{entry.kind}")
            if entry.kind in PRECIOUS:
                self._forget((entry.id,))

    def _forget(self, op_ids: tuple[str, ...]) -> None:
        for op_id in op_ids:
            self._operations.pop(op_id, None)
