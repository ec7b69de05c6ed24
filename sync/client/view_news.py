"""What each piece of the engine's news does to a board view: the same for the window and ``headless``."""

from __future__ import annotations

from collections.abc import Iterable

from sync.client.board_view import BoardView
from sync.client.needs_you import PRECIOUS
from sync.client.news import (
    BoardChanged,
    NeedsYouChanged,
    News,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsReoffered,
    OperationsSaved,
    OperationsSent,
    SnapshotApplied,
    Started,
)
from sync.contract.operations import Outcome
from sync.contract.rows import BoardChange
from sync.contract.stages import STAGES
from sync.contract.state_machine import Judge

_NOTHING = BoardChange()


def take_news(view: BoardView, news: News, judge: Judge) -> BoardChange:
    """Bring ``view`` to what ``news`` says; return what has to be repainted.

    ``judge`` is whoever is signed in: operations that were begun elsewhere are replayed by it.
    """
    match news:
        case Started(operations):
            # A file that was missing, damaged or of an older release could not be read before.
            is_current = sum(map(view.total, STAGES)) == view.info().orders
            everything = _NOTHING if is_current else view.reload()
            return _joined(everything, view.saved(operations, judge))
        case SnapshotApplied(op_ids=done):
            view.apply((), (), done)
            return view.take_whole()
        case BoardChanged(changed, removed, done):
            return view.apply(changed, removed, done)
        case OperationsSaved(operations):
            return view.saved(operations, judge)
        case OperationsRenumbered(operations, contained):
            return _joined(view.saved(operations, judge), view.apply((), (), contained))
        case OperationsReoffered(operations):
            return view.saved(operations, judge)
        case OperationsSent(op_ids):
            view.sent(op_ids)
            return _NOTHING
        case NeedsYouChanged(entries):
            return view.rejected(entry.id for entry in entries if entry.kind in PRECIOUS)
        case OperationsNotSaved(op_ids):
            return view.rejected(op_ids)
        case OperationsDone(op_ids):
            return view.apply((), (), op_ids)
        case OperationsDecided(verdicts):
            refused = [each.op_id for each in verdicts if each.outcome is Outcome.REJECTED]
            settled = [each.op_id for each in verdicts if each.outcome is not Outcome.REJECTED]
            return _joined(view.rejected(refused), view.settled(settled))
        case _:
            return _NOTHING


def can_wait(news: News) -> bool:
    """Say whether nobody here waits for these news: other people changed something."""
    return isinstance(news, BoardChanged) and not news.op_ids


def gathered(batch: Iterable[News]) -> list[News]:
    """Return the news of a batch with changes of the board that follow each other as one."""
    found: list[News] = []
    together: list[BoardChanged] = []
    for news in batch:
        if isinstance(news, BoardChanged):
            together.append(news)
            continue
        found += _as_one(together)
        together = []
        found.append(news)
    return found + _as_one(together)


def _as_one(changes: list[BoardChanged]) -> list[News]:
    if len(changes) < 2:
        return [*changes]
    last = changes[-1]
    changed = dict.fromkeys(local_id for each in changes for local_id in each.changed)
    removed = dict.fromkeys(local_id for each in changes for local_id in each.removed)
    done = tuple(op_id for each in changes for op_id in each.op_ids)
    return [BoardChanged(tuple(changed), tuple(removed), done, last.cursor, last.decided_device_seq)]


def _joined(first: BoardChange, second: BoardChange) -> BoardChange:
    rows = dict.fromkeys((*first.rows, *second.rows))
    columns = dict.fromkeys((*first.columns, *second.columns))
    return BoardChange(tuple(rows), tuple(columns))
