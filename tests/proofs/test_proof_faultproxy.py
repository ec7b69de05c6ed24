"""A bad network leaves nobody behind, and the proof of that sees a terminal that stays behind."""

from __future__ import annotations

import socket
import time

import pytest

from proofs.proof_faultproxy import play, schedule
from support.proofs_floor import free_ports
from support.proofs_planted import NEVER_SENT_AGAIN, planted
from support.proofs_proxy import Proxy, Way, Weather

pytestmark = pytest.mark.timeout(120)


def test_a_bad_network_leaves_nobody_behind() -> None:
    """Three schedules on one floor: all caught up, nothing lost or doubled."""
    played = play(3, schedules=3)
    assert not played.faults
    assert not played.stuck
    assert len(played.caught_up_s) == 3


def test_a_terminal_that_sends_nothing_again_is_seen() -> None:
    """What was on its way when a link broke would wait for ever."""
    with planted(NEVER_SENT_AGAIN) as code:
        assert any(play(seed, 3, code, stuck_s=5).stuck for seed in range(1, 4))


def test_the_schedule_is_the_seeds() -> None:
    """The same seed brings the same weather for the same time."""
    assert _names(7) == _names(7) != _names(8)


def _names(seed: int) -> list[tuple[str, float, int]]:
    return [(step.name, step.lasts_s, step.moves) for place in range(5) for step in schedule(seed, place)]


def test_the_proxy_holds_and_lets_go() -> None:
    """Bytes pass; held they wait until it heals, and none is missing."""
    with _connected() as (proxy, near, far):
        near.sendall(b"one")
        assert far.recv(10) == b"one"
        proxy.set(Weather(held=frozenset(Way)))
        near.sendall(b"two")
        far.settimeout(0.1)
        with pytest.raises(TimeoutError):
            far.recv(10)
        proxy.heal()
        far.settimeout(10)
        assert far.recv(10) == b"two"


def test_the_proxy_throttles() -> None:
    """A trickle takes its time."""
    with _connected() as (proxy, near, far):
        proxy.set(Weather(bytes_per_s=100, latency_s=0.01))
        began = time.monotonic()
        near.sendall(b"x" * 20)
        assert far.recv(20) == b"x" * 20
        assert time.monotonic() - began >= 0.2


def test_half_a_connection_is_silent_until_it_heals() -> None:
    """The far end is gone, the near one hears of it only when the network works again."""
    with _connected() as (proxy, near, far):
        proxy.sever(Way.UP)
        with pytest.raises(ConnectionResetError):
            far.recv(10)
        near.sendall(b"hello?")
        near.settimeout(0.1)
        with pytest.raises(TimeoutError):
            near.recv(10)
        proxy.heal()
        near.settimeout(10)
        with pytest.raises(ConnectionResetError):
            near.recv(10)


def test_the_proxy_tears_in_the_middle() -> None:
    """Half of what was said arrives, then both ends hear the end."""
    with _connected() as (proxy, near, far):
        proxy.truncate(Way.UP)
        near.sendall(b"12345678")
        assert far.recv(10) == b"1234"
        for end in (near, far):
            with pytest.raises(ConnectionResetError):
                end.recv(10)


def test_the_proxy_refuses() -> None:
    """A new connection is reset."""
    with _connected() as (proxy, near, _):
        proxy.set(Weather(is_refusing=True))
        with socket.create_connection(near.getpeername(), 10) as late, pytest.raises(ConnectionResetError):
            late.recv(10)


class _connected:  # noqa: N801 - reads like a function
    """A proxy with one connection through it: proxy, near end, far end."""

    def __enter__(self) -> tuple[Proxy, socket.socket, socket.socket]:
        self._listener = socket.create_server(("127.0.0.1", 0))
        (port,) = free_ports(1)
        self._proxy = Proxy({port: self._listener.getsockname()[1]}, 1)
        self._proxy.__enter__()
        self._near = socket.create_connection(("127.0.0.1", port), 10)
        self._far, _ = self._listener.accept()
        self._far.settimeout(10)
        self._near.sendall(b"?")
        assert self._far.recv(1) == b"?"
        return self._proxy, self._near, self._far

    def __exit__(self, *_: object) -> None:
        for end in (self._near, self._far, self._listener):
            end.close()
        self._proxy.__exit__(None, None, None)
