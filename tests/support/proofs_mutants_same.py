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


SAME: Final[tuple[Same, ...]] = ()


def same_as(mutant: Mutant) -> str:
    """Return why a change is none, "" when it is one."""
    words = (mutant.path, mutant.function, mutant.before, mutant.after, mutant.nth)
    return next((same.why for same in SAME if words == same[:5]), "")
