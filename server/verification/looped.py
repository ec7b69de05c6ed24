"""The same world through the real asyncio drivers of both programs, on a loop whose time is virtual.

What is not real are sockets and threads: frames go over the world's cables, jobs run on its time line.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, cast

from server.kernel.driver import Driver as ServerDriver
from server.kernel.hub import Hub
from server.verification.cable import Cable
from server.verification.later_release import later
from server.verification.memory_socket import joined
from server.verification.node import JOB_MS, StepMachine
from server.verification.rooms import ServerRoom
from server.verification.server_node import EXPECTED
from server.verification.simulation import Plan, Report, Simulation
from server.verification.terminal import REFUSED_MS
from server.verification.virtual_loop import LoopedWorld
from server.verification.world import CrashHook, SimulatedCrash, World
from sync.client.driver import Driver as ClientDriver
from sync.client.machine import ClientMachine
from sync.client.socket_link import Socket
from sync.contract.steps import Effect, Event, Job


def simulate_looped(seed: int, plan: Plan | None = None) -> Report:
    """Run one seed through the drivers, in memory."""
    world = LoopedWorld(seed)
    log = logging.getLogger("server.kernel.driver")
    # A store that cannot decide an operation is part of the play.
    was_disabled, log.disabled = log.disabled, True
    try:
        simulation = Simulation(seed, plan or Plan(), None, world, Looped())
        report = simulation.run()
        simulation.end()
        simulation.close()
    finally:
        world.close()
        log.disabled = was_disabled
    return report


class Looped:
    """Processes that the asyncio drivers run."""

    def server(self, room: ServerRoom) -> LoopedServer:
        """Start the server over the opened data of its room."""
        return LoopedServer(room)

    def terminal(
        self,
        room: ServerRoom,
        name: str,
        machine: ClientMachine,
        stores: Mapping[str, object],
        hook: CrashHook,
        mono_ms: Callable[[], int],
        on_news: Callable[[object], None],
    ) -> LoopedTerminal:
        """Start a terminal."""
        return LoopedTerminal(room, name, machine, stores, mono_ms, on_news)


class _Noted:
    """A machine whose steps stand in the trace."""

    def __init__(self, world: World, name: str, machine: StepMachine) -> None:
        self._world = world
        self._name = name
        self._machine = machine

    def step(self, event: Event) -> list[Effect]:
        """Step the machine, and note it."""
        effects = self._machine.step(event)
        self._world.note(self._name, event, effects)
        return effects


class _Monotonic:
    """The clock of a driver: only spans are asked of it."""

    def __init__(self, mono_ms: Callable[[], int]) -> None:
        self.mono_ms = mono_ms

    def wall_ms(self) -> int:
        """Never asked."""
        raise NotImplementedError

    def boot_id(self) -> str:
        """Never asked."""
        raise NotImplementedError


class _Thread(Executor):
    """One store's thread: its jobs run one after the other, each at its virtual time."""

    def __init__(self, world: World, die: Callable[[], None], is_alive: Callable[[], bool]) -> None:
        self._world = world
        self._die = die
        self._is_alive = is_alive
        self._free_ms = 0

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **_named: Any) -> Any:  # noqa: ANN401
        now_ms = self._world.now_ms
        self._free_ms = max(now_ms, self._free_ms) + self._world.within(JOB_MS)
        self._world.later(self._free_ms - now_ms, lambda: self._run(lambda: call(*arguments)))

    def _run(self, call: Callable[[], object]) -> None:
        if self._is_alive():
            try:
                call()
            except SimulatedCrash:
                self._die()


class _Watched:
    """A store whose failures are faults of the world."""

    def __init__(self, world: World, name: str, store: object, expected: tuple[str, ...] = ()) -> None:
        self._world = world
        self._name = name
        self._store = store
        self._expected = expected

    def __getattr__(self, method: str) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            try:
                return getattr(self._store, method)(*arguments)
            except Exception as error:
                kind = type(error).__name__
                if kind not in self._expected:
                    self._world.faults.append(f"{self._name}.{method} failed: {kind}: {error}")
                raise

        return call


class LoopedServer:
    """One life of the server's process behind its real driver."""

    def __init__(self, room: ServerRoom) -> None:
        """Start the hub over opened stores."""
        self.is_alive = True
        self._world = room.world
        self._is_later = room.is_later
        self._cables: list[Cable] = []
        self._tasks: set[asyncio.Task[None]] = set()
        hub = _Noted(room.world, "server", Hub(room.clock, "0.1.0"))
        stores = {
            name: _Watched(room.world, f"server: {name}", store, EXPECTED)
            for name, store in room.stores().items()
        }
        self._driver = ServerDriver(cast(Hub, hub), stores, room.clock, lambda _news: None)
        threads = {name: _Thread(room.world, self.die, lambda: self.is_alive) for name in stores}
        self._driver._threads = cast(dict[str, Executor], threads)  # noqa: SLF001 - time stands still in real ones

    def feed(self, event: Event) -> None:
        """Give the hub an event."""
        if self.is_alive:
            self._driver.feed(event)

    def accept(self) -> tuple[Socket, Cable]:
        """Take a connection, and return the other end of it."""
        terminal, server, cable = joined(self._world)
        cable.changed = later if self._is_later else None
        self._cables.append(cable)
        serving = self._driver._serve_link(cast(Any, server))  # noqa: SLF001 - as websockets calls it
        task = asyncio.get_running_loop().create_task(serving)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return terminal, cable

    def die(self) -> None:
        """End at once: nothing is said to anybody."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._world.note("server", "died", [])
        self._driver._is_stopped = True  # noqa: SLF001 - a killed process takes no event
        for cable in self._cables:
            cable.cut()
        for task in self._tasks:
            task.cancel()


class LoopedTerminal:
    """One life of a terminal's process behind its real driver."""

    def __init__(
        self,
        room: ServerRoom,
        name: str,
        machine: ClientMachine,
        stores: Mapping[str, object],
        mono_ms: Callable[[], int],
        on_news: Callable[[object], None],
    ) -> None:
        """Run ``machine``; its driver is made with the first event, when the loop runs."""
        self.is_alive = True
        self.is_unplugged = False
        self.cable: Cable | None = None
        self._room = room
        self._world = room.world
        self._name = name
        self._machine = _Noted(room.world, name, machine)
        self._stores = {key: _Watched(room.world, f"{name}: {key}", store) for key, store in stores.items()}
        # One database thread for all files, as in the program.
        self._thread = _Thread(room.world, self.die, lambda: self.is_alive)
        self._clock = _Monotonic(mono_ms)
        self._tell = on_news
        self._driver: ClientDriver | None = None

    def feed(self, event: Event) -> None:
        """Give the machine an event."""
        if not self.is_alive:
            return
        if self._driver is None:
            self._driver = ClientDriver(self._machine, self._clock, self._open, self._run_job, self._tell)
            self._driver.fault.add_done_callback(self._on_fault)
        self._driver.step(event)

    def die(self) -> None:
        """End at once: nothing is said to anybody."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._world.note(self._name, "died", [])
        if self.cable is not None:
            self.cable.cut()
        if self._driver is not None and not self._driver.fault.done():
            self._driver.fault.set_result(None)
            for task in self._driver._tasks:  # noqa: SLF001 - a killed process closes nothing
                task.cancel()

    def _on_fault(self, fault: asyncio.Future[None]) -> None:
        error = None if fault.cancelled() else fault.exception()
        if error is not None:
            self._world.faults.append(f"{self._name}: the machine failed: {error!r}")

    def _run_job(self, job: Job, done: Callable[[object, str], None]) -> None:
        def run() -> None:
            try:
                result = getattr(self._stores[job.store], job.method)(*job.arguments)
            except Exception as error:  # noqa: BLE001 - as the database thread does
                done(None, f"{type(error).__name__}: {error}")
            else:
                done(result, "")

        self._thread.submit(run)

    async def _open(self) -> Socket:
        await asyncio.sleep(self._world.within(REFUSED_MS) / 1000)
        server = self._room.node
        if not self._room.is_up or self.is_unplugged or not isinstance(server, LoopedServer):
            raise OSError("nobody is there")
        socket, self.cable = server.accept()
        return socket
