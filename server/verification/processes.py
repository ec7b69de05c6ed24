"""How the processes of the world run: as nodes that the world steps, or through the asyncio drivers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from server.verification.server_node import ServerNode
from server.verification.terminal import Terminal
from sync.contract.steps import Event

if TYPE_CHECKING:
    from server.verification.rooms import ServerRoom
    from server.verification.world import CrashHook
    from sync.client.machine import ClientMachine


class Plugged(Protocol):
    """A connection that can be cut."""

    is_open: bool

    def cut(self) -> None:
        """Cut it."""
        ...


class Process(Protocol):
    """A living process of the world."""

    is_alive: bool

    def feed(self, event: Event) -> None:
        """Give its machine an event."""
        ...

    def die(self) -> None:
        """End at once."""
        ...


class TerminalProcess(Process, Protocol):
    """A terminal's process."""

    is_unplugged: bool

    @property
    def cable(self) -> Plugged | None:
        """The newest connection."""
        ...


class Processes(Protocol):
    """Starts processes."""

    def server(self, room: ServerRoom) -> Process:
        """Start the server over the opened data of its room."""
        ...

    def terminal(
        self,
        room: ServerRoom,
        name: str,
        machine: ClientMachine,
        stores: Mapping[str, object],
        hook: CrashHook,
        mono_ms: Callable[[], int],
        on_news: Callable[[object], None],
    ) -> TerminalProcess:
        """Start a terminal."""
        ...


class Nodes:
    """Processes that the world steps itself: they can die between any two effects."""

    def server(self, room: ServerRoom) -> ServerNode:
        """Start the server over the opened data of its room."""
        return ServerNode(room.world, room.clock, room.stores(), room.hook, is_later=room.is_later)

    def terminal(
        self,
        room: ServerRoom,
        name: str,
        machine: ClientMachine,
        stores: Mapping[str, object],
        hook: CrashHook,
        mono_ms: Callable[[], int],
        on_news: Callable[[object], None],
    ) -> Terminal:
        """Start a terminal."""
        return Terminal(room, name, machine, stores, hook, mono_ms, on_news)
