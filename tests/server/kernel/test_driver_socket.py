"""What the driver's own socket refuses before the hub hears of it."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from server.kernel.driver import Driver
from support.clocks import FakeClock
from sync.contract.limits import CLIENT_FRAME_BYTES
from sync.contract.steps import Closed, Command, Connected, Drained, Effect, Event, Received


class DeafHub:
    """Wants nothing, and keeps what it was told."""

    def __init__(self) -> None:
        self.seen: list[Event] = []

    def step(self, event: Event) -> list[Effect]:
        """Keep an event."""
        self.seen.append(event)
        return []


def test_a_browser_and_a_frame_that_is_too_long_are_refused_at_the_socket() -> None:
    """A browser names the page it comes from; a frame over 64 KiB is never put together."""

    async def play() -> tuple[int, int | None, list[Event]]:
        hub = DeafHub()
        driver = Driver(hub, {}, FakeClock(), print)  # type: ignore[arg-type]
        url = f"ws://127.0.0.1:{await driver.start('127.0.0.1', 0)}/"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, origin=Origin("https://elsewhere.test"), proxy=None)
        async with connect(url, proxy=None, compression=None) as socket:
            await socket.send("x" * CLIENT_FRAME_BYTES)
            await socket.send("x" * (CLIENT_FRAME_BYTES + 1))
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
        await driver.stop("bye")
        return refused.value.response.status_code, socket.close_code, hub.seen

    status, close_code, seen = asyncio.run(play())
    assert (status, close_code) == (403, 1009)
    assert [len(event.frame) for event in seen if isinstance(event, Received)] == [CLIENT_FRAME_BYTES]


class ClumsyHub(DeafHub):
    """Stumbles over every frame."""

    def step(self, event: Event) -> list[Effect]:
        """Keep an event, or fail over it."""
        if isinstance(event, Received):
            raise ZeroDivisionError
        return super().step(event)


@pytest.mark.expects_log_warnings
def test_a_hub_that_stumbles_over_a_frame_ends_that_link_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody else would say so: the socket library's log of handlers is turned off."""

    async def play() -> list[Event]:
        hub = ClumsyHub()
        driver = Driver(hub, {}, FakeClock(), print)  # type: ignore[arg-type]
        url = f"ws://127.0.0.1:{await driver.start('127.0.0.1', 0)}/"
        async with connect(url, proxy=None) as socket:
            await socket.send("x")
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
        await driver.stop("bye")
        return hub.seen

    seen = asyncio.run(play())
    kinds = [type(event) for event in seen if not isinstance(event, Drained)]
    assert kinds == [Connected, Closed, Command]
    assert [record.getMessage() for record in caplog.records] == ["link failed"]
