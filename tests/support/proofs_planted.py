"""Copies of our packages with one fault planted in them: a proof that stays green over one proves nothing.

Production code has no switches for this. A plant names words of a file and what stands there instead; when
the words are not there exactly once, the code has changed and the plant has to follow.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = (
    "app",
    "calendars",
    "databases",
    "intake",
    "resources",
    "server",
    "sync",
    "telemetry",
    "widgets",
)


class Change(NamedTuple):
    """Words of a file, and what stands there in the copy."""

    path: str
    words: str
    instead: str


class Plant(NamedTuple):
    """One fault."""

    name: str
    changes: tuple[Change, ...]


SAVED_TOO_EARLY: Final = Plant(
    "a move is called saved before the outbox has it",
    (
        Change(
            "sync/client/sending.py",
            '        self._emitter.job("outbox", "append", filled, then=done)',
            "        self._emitter.publish(OperationsSaved(filled))\n"
            '        self._emitter.job("outbox", "append", filled, then=done)',
        ),
    ),
)
OUTBOX_FORGOTTEN: Final = Plant(
    "what the outbox held is forgotten at the next start",
    (
        Change(
            "sync/client/outbox.py",
            "            return OpenedOutbox(cls(connection, hook, mark), report)",
            '            connection.execute("DELETE FROM operations")\n'
            "            return OpenedOutbox(cls(connection, hook, mark), report)",
        ),
    ),
)
NO_DEDUP: Final = Plant(
    "an operation that comes again is decided again",
    (
        Change(
            "server/kernel/decisions.py",
            "    if device and number <= mark:\n        return None\n    if device and not is_next:",
            "    if device and number > mark + 1:",
        ),
        Change(
            "server/kernel/store.py",
            '        "op_id": operation.op_id,\n        "device_id"',
            '        "op_id": f"{operation.op_id}:{row.entry.seq}",\n        "device_id"',
        ),
        Change(
            "server/kernel/store.py",
            '        "device_seq": operation.device_seq,\n        "order_id"',
            '        "device_seq": row.entry.seq,\n        "order_id"',
        ),
    ),
)
_COMMIT_LATE: Final = """        late = self.__dict__.pop("late", None)
        if late is not None:
            late.commit()
            late.close()
"""
ANSWERED_TOO_EARLY: Final = Plant(
    "the server answers before its transaction is committed",
    (
        Change(
            "server/kernel/store.py",
            "        with self._engine.begin() as connection:\n            loaded = _load(connection, batch)",
            _COMMIT_LATE
            + "        connection = self.__dict__['late'] = self._engine.connect()\n"
            + "        if True:\n            loaded = _load(connection, batch)",
        ),
        Change(
            "server/kernel/store.py",
            "        with self._engine.begin() as connection:\n            board =",
            _COMMIT_LATE + "        with self._engine.begin() as connection:\n            board =",
        ),
    ),
)


NEVER_SENT_AGAIN: Final = Plant(
    "what was under way on a link that broke is not sent again",
    (
        Change(
            "sync/client/window.py",
            "        self._to_send = next(undecided, self._next_device_seq)",
            "        if self._to_send is None:\n"
            "            self._to_send = next(undecided, self._next_device_seq)",
        ),
        Change(
            "sync/client/window.py",
            "        self._to_send = self._faulted = None\n        for held in",
            "        for held in",
        ),
    ),
)
JUNK_NOT_CAUGHT: Final = Plant(
    "a frame that is no JSON is caught by nobody",
    (
        Change(
            "sync/contract/codec.py",
            "    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:",
            "    except msgspec.ValidationError as error:",
        ),
    ),
)
NUMBERS_NOT_CHECKED: Final = Plant(
    "the server takes numbers that its tables cannot hold",
    (
        Change(
            "sync/contract/checks.py",
            "all(abs(number) < NUMBER_MAX for number in _numbers(plain))",
            "all(True for number in _numbers(plain))",
        ),
    ),
)
CLAIMED_LENGTH_BELIEVED: Final = Plant(
    "a page that claims to be long costs memory",
    (
        Change(
            "sync/client/cache.py",
            "    return len(entries) == seq - prev_seq and all(",
            "    return bool(list(range(prev_seq + 1, seq + 1))) and all(",
        ),
    ),
)
BACK_LATE: Final = Plant(
    "a terminal waits long before it comes back",
    (
        Change("sync/client/backoff.py", "FIRST_MS: Final = 250", "FIRST_MS: Final = 5_000"),
        Change("sync/client/backoff.py", "NEAR_MS: Final = 1_200", "NEAR_MS: Final = 12_000"),
    ),
)
KEPT_FORGOTTEN: Final = Plant(
    "a terminal forgets what is done before a backup holds it",
    (
        Change(
            "sync/client/stores/outbox_history.py",
            "let_go(connection, history, newest - KEPT_OPERATIONS)",
            "let_go(connection, history, newest)",
        ),
    ),
)
SAFE_TOO_EARLY: Final = Plant(
    "a backup calls safe what it does not hold",
    (
        Change(
            "server/modules/backups/backing_up.py",
            ".values(durable_seq=mark.seq)",
            ".values(durable_seq=mark.seq + 1_000_000)",
        ),
    ),
)
ALL: Final = (
    SAVED_TOO_EARLY,
    OUTBOX_FORGOTTEN,
    NO_DEDUP,
    ANSWERED_TOO_EARLY,
    NEVER_SENT_AGAIN,
    JUNK_NOT_CAUGHT,
    NUMBERS_NOT_CHECKED,
    CLAIMED_LENGTH_BELIEVED,
    BACK_LATE,
    KEPT_FORGOTTEN,
    SAFE_TOO_EARLY,
)


def changed_sources(root: Path, plant: Plant) -> dict[str, str]:
    """Return what the files below ``root`` say with the fault in them, by path."""
    sources: dict[str, str] = {}
    for change in plant.changes:
        text = sources.get(change.path) or (root / change.path).read_text(encoding="utf-8")
        times = text.count(change.words)
        assert times == 1, f"{change.path} has these words {times} times: {change.words}"
        sources[change.path] = text.replace(change.words, change.instead)
    return sources


@contextlib.contextmanager
def planted(plant: Plant) -> Iterator[Path]:
    """Give a folder with our packages and the fault in them, for ``PYTHONPATH``."""
    with tempfile.TemporaryDirectory(prefix="fk-") as folder:
        for package in PACKAGES:
            shutil.copytree(
                ROOT / package, Path(folder) / package, ignore=shutil.ignore_patterns("__pycache__")
            )
        for path, source in changed_sources(Path(folder), plant).items():
            (Path(folder) / path).write_text(source, encoding="utf-8")
        yield Path(folder)
