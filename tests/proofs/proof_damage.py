"""A damaged file is never taken for a whole one, and nothing that is still readable is lost.

Copies of ``outbox.db``, ``cache.db`` and ``server.sqlite``, with and without the log that a crash leaves, are
cut off, zeroed, flipped, filled with noise, given another header or removed. Then the program opens them:

- outbox: every operation is there, or its loss is said; every row that still stands where it was is saved;
- cache: the board is the one that was stored, or it is said and loaded anew;
- server: it never starts on an emptied file and never ends in a traceback. ``damage.server_unseen`` counts
  what no checksum covers there; it promises nothing yet.

Half of the damage has to do something, or this proof could not have found anything.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from support.proofs_samples import CacheSample, Found, OutboxSample, Sample, ServerSample
from support.proving import Budget, Finding, counted, prove

STEPS: Final = (3, 12, 60, 300)
"""How much had happened before the damage."""
MAKERS: Final[dict[str, Callable[..., Sample]]] = {
    "outbox": OutboxSample,
    "cache": CacheSample,
    "server": ServerSample,
}
_SHARES: Final = ("outbox", "outbox", "cache", "server")
"""Half of the files are outboxes: they are what nobody else has."""


def run(budget: Budget) -> list[Finding]:
    """Damage files and open them."""
    runs = budget.of(100, 1_000)
    results = list(trials(runs, budget.first))
    undetected = [f"{words}: {found.undetected}" for words, found in results if found.undetected]
    lost = [f"{words}: {found.good_rows_lost}" for words, found in results if found.good_rows_lost]
    unseen = [f"{words}: {found.server_unseen}" for words, found in results if found.server_unseen]
    told = Counter(found.said for _, found in results)
    return [
        Finding(
            "damage.runs", runs, "files", runs, ", ".join(f"{word} {n}" for word, n in told.most_common())
        ),
        counted("damage.undetected", undetected, "files", runs),
        counted("damage.good_rows_lost", lost, "files", runs),
        Finding("damage.server_unseen", len(unseen), "files", runs, "; ".join(unseen)[:2_000]),
        # Damage that changes nothing would be found by nobody; most of it has to do something.
        counted("damage.control_harmless", _too_harmless(told), "files", runs),
    ]


def trials(runs: int, first: int, only: Sequence[str] = _SHARES) -> Iterator[tuple[str, Found]]:
    """Damage ``runs`` files; yield how, and what came of it."""
    made: dict[Path, Sample] = {}
    with tempfile.TemporaryDirectory(prefix="damage-") as name:
        folder = Path(name)
        for seed in range(first, first + runs):
            kind = only[seed % len(only)]
            steps = STEPS[seed // len(only) % len(STEPS)]
            is_closed = seed // len(only) // len(STEPS) % 2 == 0
            place = folder / f"{kind}-{steps}-{'ended' if is_closed else 'killed'}"
            if place not in made:
                made[place] = MAKERS[kind](place, steps, is_closed=is_closed)
            words, found = made[place].try_one(folder / "try", random.Random(seed))
            yield f"seed {seed} {place.name} {words}", found
            shutil.rmtree(folder / "try")
            if seed % 100 == 0:
                sys.stderr.write(f"damage: {seed - first} of {runs} files\n")


def _too_harmless(told: Counter[str]) -> list[str]:
    harmless = told["nothing changed"]
    return [f"{harmless} of {told.total()} changed nothing"] if harmless * 2 > told.total() else []


if __name__ == "__main__":
    prove(run)
