"""The asyncio drivers come to the same end as the stepped machines, on a loop whose time is virtual."""

from __future__ import annotations

import asyncio
import time

import pytest

from server.verification.looped import simulate_looped
from server.verification.simulation import Plan
from server.verification.virtual_loop import LoopedWorld
from sync.client.driver import Driver


def test_the_drivers_lose_nothing_and_repeat_themselves() -> None:
    """Everything goes wrong around the real drivers too: no check complains, and it can be replayed."""
    plan = Plan(operations=80)
    first = simulate_looped(3, plan)
    assert first.violations == ()
    assert first.operations > 250
    assert simulate_looped(3, plan) == first


def test_a_driver_that_drops_frames_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: every effect is carried out but the sending of what came after the first second."""
    original = Driver._carry_out

    def lossy(self: Driver, effect: object) -> None:
        if not (type(effect).__name__ == "Send" and self._clock.mono_ms() > 1_000):
            original(self, effect)  # type: ignore[arg-type]

    monkeypatch.setattr(Driver, "_carry_out", lossy)
    found = simulate_looped(3, Plan(operations=40)).violations
    assert any("not done after quiet" in sentence for sentence in found)


def test_waiting_costs_no_time() -> None:
    """An hour of the loop is over at once, timers come in their order, and the end is on time."""
    world = LoopedWorld(1)
    seen: list[tuple[int, str]] = []

    async def sleep() -> None:
        await asyncio.sleep(3_600)
        seen.append((world.now_ms, "slept"))

    started = time.monotonic()
    world.later(1_800_000, lambda: seen.append((world.now_ms, "half")))
    task = world.loop.create_task(sleep())
    world.run(4_000_000)
    assert task.done()
    assert seen == [(1_800_000, "half"), (3_600_000, "slept")]
    assert world.now_ms == 4_000_000
    assert time.monotonic() - started < 30
    world.close()
