"""The ports: everything that the step machines and the widgets get from outside.

A core holds no clock, socket, thread, lock or random source; it is given these.
"""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time. Wall clocks are for display, the monotonic one measures spans."""

    def wall_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        ...

    def mono_ms(self) -> int:
        """Return milliseconds of a clock that never goes back, since an unknown instant."""
        ...

    def boot_id(self) -> str:
        """Return an id of this boot of the machine: monotonic times compare only within it."""
        ...


class Ids(Protocol):
    """Where new ids come from (UUIDv7)."""

    def new(self) -> str:
        """Return a new id as 36 characters."""
        ...


class Recorder(Protocol):
    """Where measurements go; implementations in :mod:`telemetry.recorder`.

    Called on the paint path: an implementation allocates next to nothing and never blocks.
    """

    def observe(self, kpi: str, value: float) -> None:
        """Add one sample of ``kpi`` in the unit of the catalogue."""
        ...

    def inc(self, name: str, by: int = 1) -> None:
        """Count ``by`` more occurrences of ``name``."""
        ...

    def set(self, name: str, value: float) -> None:
        """Remember the current value of ``name``."""
        ...


class Flags(Protocol):
    """Which features are on for this terminal, and which variant of each."""

    def is_enabled(self, feature: str) -> bool:
        """Say whether ``feature`` is on."""
        ...

    def variant(self, feature: str) -> str:
        """Return the variant of ``feature``, empty when it is off."""
        ...


class FaultHook(Protocol):
    """Where a simulation may crash a store: before write, before fsync, after commit."""

    def at(self, point: str) -> None:
        """Pass the named point, or raise to crash there."""
        ...


class NoFaults:
    """The hook of production: passes every point."""

    def at(self, point: str) -> None:
        """Do nothing."""
