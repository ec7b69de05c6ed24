"""How fast each device may hand operations in: a burst at once, the rest at a steady pace. Pure."""

from __future__ import annotations


class Pace:
    """For each device the moment at which its whole burst is free again."""

    def __init__(self, per_s: int, burst: int) -> None:
        """Let ``burst`` operations in at once, and ``per_s`` each second after that."""
        self._cost_ms = 1000 // per_s
        self._burst_ms = burst * self._cost_ms
        self._rested_ms: dict[str, int] = {}

    def let_in(self, device_id: str, wanted: int, now_ms: int) -> int:
        """Return how many of ``wanted`` operations may come in now; they count as come in."""
        rested_ms = max(self._rested_ms.get(device_id, 0), now_ms)
        let_in = min(wanted, (self._burst_ms - (rested_ms - now_ms)) // self._cost_ms)
        self._rested_ms[device_id] = rested_ms + let_in * self._cost_ms
        return let_in

    def forget(self, now_ms: int) -> None:
        """Forget the devices that may do everything again."""
        self._rested_ms = {device: ms for device, ms in self._rested_ms.items() if ms > now_ms}
