"""One value behind every error surface: what is wrong, and what to do about it.

Command lines print it, the board shows it in a banner, ``headless`` writes it as a JSON line, the
server answers with it. A refusal of an operation is not a problem: it is an outcome
(:mod:`sync.contract.operations`).

Errors of this package::

    Exception
    └── ProblemError          carries a Problem; the only error shown to people
        └── UsageError        the same, caused by what was typed (exit code 2)
"""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """What went wrong, in words for the person who sees it.

    ``code`` is an upper-case word for IT and for programs (``SERVER_NOT_OURS``), ``sentence`` says
    what happened and what is safe, ``what_to_do`` says the next step for the hands.
    """

    code: str
    sentence: str
    what_to_do: str = ""

    def line(self) -> str:
        """Return the one line that a terminal prints, the code last (it is for IT)."""
        words = " ".join(part for part in (self.sentence, self.what_to_do) if part)
        return f"{words} [{self.code}]"


class ProblemError(Exception):
    """An error that carries its :class:`Problem`; raised where work cannot go on."""

    def __init__(self, code: str, sentence: str, what_to_do: str = "") -> None:
        """Make the error from the fields of its problem."""
        super().__init__(sentence)
        self.problem = Problem(code, sentence, what_to_do)


class UsageError(ProblemError):
    """What was typed cannot be carried out; programs exit with 2 instead of 1."""
