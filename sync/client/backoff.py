"""How long to wait before the next try: full jitter under a ceiling that doubles.

Full jitter, because after a server's restart a hall of terminals must not come back in one instant. The
ceiling pauses a little over a second for the first tries: most outages are a restart or a change of radio
cells, and whoever stands at the terminal should have the board back within two seconds of their end.
"""

from __future__ import annotations

from typing import Final, Protocol

FIRST_MS: Final = 250
NEAR_MS: Final = 1_200
"""The ceiling while the outage is young."""
NEAR_TRIES: Final = 20
"""So many failures in a row, about a quarter of a minute, are a young outage."""
LONGEST_MS: Final = 30_000
SHORTEST_MS: Final = 50
"""Never at once: a server that closes every link must not be hammered by an unlucky draw."""


class Jitter(Protocol):
    """The one method of ``random.Random`` that waiting needs."""

    def random(self) -> float:
        """Return a number from 0 up to, not including, 1."""
        ...


class Backoff:
    """Counts failures in a row and draws the wait after each."""

    def __init__(self, jitter: Jitter) -> None:
        """Draw from ``jitter``."""
        self._jitter = jitter
        self._failures = 0

    @property
    def has_failed(self) -> bool:
        """Say whether there was a failure since the last success."""
        return self._failures > 0

    def failed(self, *, is_refusal: bool = False) -> int:
        """Count a failure and return how many milliseconds to wait.

        A server that was reached and said no says no again: then the ceiling doubles without a pause.
        """
        failures = self._failures
        self._failures += 1
        if failures < NEAR_TRIES and not is_refusal:
            ceiling = min(NEAR_MS, FIRST_MS << min(failures, 10))
        else:
            doublings = failures if is_refusal else failures - NEAR_TRIES + 3
            ceiling = min(LONGEST_MS, FIRST_MS << min(doublings, 10))
        return max(SHORTEST_MS, int(ceiling * self._jitter.random()))

    def reset(self) -> None:
        """Forget the failures: the link was good, or a person wants it now."""
        self._failures = 0
