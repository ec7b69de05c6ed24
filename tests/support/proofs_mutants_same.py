"""Changes of the tool that change nothing, each with the reason why nobody can see it."""

from __future__ import annotations

from typing import Final, NamedTuple

from support.proofs_mutants import Mutant


class Same(NamedTuple):
    """A change by its place and words, and why the program does the same with it."""

    path: str
    function: str
    before: str
    after: str
    nth: int
    why: str


SAME: Final = (
    Same(
        "sync/client/backoff.py",
        "Backoff.failed",
        *("10", "11", 1),
        "250 ms doubled ten times is beyond both ceilings already",
    ),
    Same(
        "sync/client/quarantine.py",
        "Quarantine.__init__",
        *("0", "1", 2),
        "every link sets it to 0 before anything can be sent over it",
    ),
    Same(
        "sync/client/watchdog.py",
        "Watchdog.__init__",
        *("0", "1", 1),
        "the first operation that is watched sets it to 0",
    ),
    Same(
        "sync/contract/facts.py",
        "_packed",
        '_recorded(order, operation, judge, {"packed": None, "parcels": 0}, [])',
        '_recorded(order, None, judge, {"packed": None, "parcels": 0}, [])',
        1,
        "the operation is only named in exceptions, and there are none",
    ),
)


def same_as(mutant: Mutant) -> str:
    """Return why a change is none, "" when it is one."""
    words = (mutant.path, mutant.function, mutant.before, mutant.after, mutant.nth)
    return next((same.why for same in SAME if words == same[:5]), "")
