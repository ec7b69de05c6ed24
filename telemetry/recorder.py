"""Recorders: where the programs put what they measure.

The three verbs follow from what is measured: ``observe`` adds a sample of a KPI, ``inc`` counts
something that happened, ``set`` keeps the current value of something. Both classes fulfil the port
``Recorder`` of :mod:`sync.contract.ports`.

Example::

    recorder = MemoryRecorder()
    recorder.observe("render_time", 1.3)
    recorder.inc("moves.drag")
    recorder.samples("render_time")  # [1.3]
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

SAMPLES_PER_KPI: Final = 4_096
"""How many of the newest samples of one KPI are kept."""

NAMES_AT_MOST: Final = 256
"""How many different names of a kind are known; a name that is new after that is dropped."""


class NullRecorder:
    """Records nothing: for tests and for programs that were told not to measure."""

    def observe(self, kpi: str, value: float) -> None:
        """Forget the sample."""

    def inc(self, name: str, by: int = 1) -> None:
        """Forget the occurrences."""

    def set(self, name: str, value: float) -> None:
        """Forget the value."""


class _Tally:
    """What one thread has counted; only that thread writes it."""

    __slots__ = ("counted", "observed")

    def __init__(self) -> None:
        self.observed: dict[str, int] = {}
        self.counted: dict[str, int] = {}


class MemoryRecorder:
    """Keeps the newest samples and all counts in memory, for every thread, without a lock.

    There is no lock because the painting thread must never wait for one that a background thread
    holds while the operating system runs something else. Instead every step is one that the
    interpreter does not divide: an append to a bounded deque, a look into a dict, ``setdefault``.
    Adding to a number can be divided (read, add, write back), so each thread adds in a tally of its
    own and a reader sums them up. Tallies outlive their threads, so no count is lost with one; the
    threads of these programs are few and live long.
    """

    def __init__(self, samples_per_kpi: int = SAMPLES_PER_KPI) -> None:
        """Make an empty recorder that keeps the newest ``samples_per_kpi`` samples of each KPI."""
        self._samples_per_kpi = samples_per_kpi
        self._series: dict[str, deque[float]] = {}
        self._values: dict[str, float] = {}
        self._tallies: list[_Tally] = []
        self._mine = threading.local()

    def observe(self, kpi: str, value: float) -> None:
        """Add one sample of ``kpi``, in the unit that the catalogue gives it."""
        series = self._series.get(kpi)
        if series is None:
            if len(self._series) >= NAMES_AT_MOST:
                return
            series = self._series.setdefault(kpi, deque(maxlen=self._samples_per_kpi))
        series.append(value)
        observed = self._tally().observed
        observed[kpi] = observed.get(kpi, 0) + 1

    def inc(self, name: str, by: int = 1) -> None:
        """Count ``by`` more occurrences of ``name``."""
        counted = self._tally().counted
        if name in counted or len(counted) < NAMES_AT_MOST:
            counted[name] = counted.get(name, 0) + by

    def set(self, name: str, value: float) -> None:
        """Keep ``value`` as what ``name`` is now."""
        if name in self._values or len(self._values) < NAMES_AT_MOST:
            self._values[name] = value

    def samples(self, kpi: str) -> list[float]:
        """Return the kept samples of ``kpi``, oldest first; empty when there were none."""
        return list(self._series.get(kpi, ()))

    def count(self, kpi: str) -> int:
        """Return how many samples of ``kpi`` there were, also those no longer kept."""
        return sum(tally.observed.get(kpi, 0) for tally in tuple(self._tallies))

    def last(self, kpi: str) -> float | None:
        """Return the newest sample of ``kpi``, or None when there was none."""
        series = self._series.get(kpi)
        return series[-1] if series else None

    def total(self, name: str) -> int:
        """Return how often ``name`` was counted."""
        return sum(tally.counted.get(name, 0) for tally in tuple(self._tallies))

    def value(self, name: str) -> float | None:
        """Return what ``name`` was last set to, or None when it never was."""
        return self._values.get(name)

    def _tally(self) -> _Tally:
        """Return the tally of the calling thread, made at its first call."""
        try:
            tally: _Tally = self._mine.tally
        except AttributeError:
            tally = self._mine.tally = _Tally()
            self._tallies.append(tally)
        return tally
