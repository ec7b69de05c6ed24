"""One life of the server's process: the real hub, driven by the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from server.kernel.hub import Hub
from server.verification.cable import Cable
from server.verification.later_release import later
from server.verification.node import Node
from server.verification.world import CrashHook, VirtualClock, World
from sync.contract.steps import Close, Connect, Connected, Job, Send

EXPECTED: Final = ("OperationFaultError",)
"""How a store says that an operation cannot be decided: the hub must live with it."""


class ServerNode(Node):
    """The hub over its stores; with ``is_later`` it speaks as a later release."""

    def __init__(
        self,
        world: World,
        clock: VirtualClock,
        stores: Mapping[str, object],
        hook: CrashHook,
        *,
        is_later: bool,
    ) -> None:
        """Start the hub over opened stores."""
        super().__init__(world, "server", Hub(clock, "0.1.0"), stores, hook, EXPECTED)
        self._clock = clock
        self._cables: dict[int, Cable] = {}
        self._links = 0
        self._commits = 0
        self._is_later = is_later

    def mono_ms(self) -> int:
        """Return the server's monotonic time."""
        return self._clock.mono_ms()

    def accept(self, terminal: Node, terminal_link: int) -> Cable:
        """Take a connection of a terminal."""
        self._links += 1
        cable = Cable(self.world, terminal, terminal_link, self, self._links)
        cable.changed = later if self._is_later else None
        self._cables[self._links] = cable
        self.feed(Connected(self._links))
        return cable

    def on_link(self, effect: Connect | Send | Close) -> None:
        """Send and close over the cable of the link."""
        cable = self._cables.get(effect.link)
        if cable is None:
            return
        if isinstance(effect, Send):
            cable.send(self, effect.frame)
        elif isinstance(effect, Close):
            cable.close(self, effect.code)

    def _start(self, job: Job) -> None:
        if job.method == "commit":
            self._commits += 1
            if self._commits > 1:
                self.world.faults.append("server: a batch was handed over while another was under way")
        super()._start(job)

    def _run(self, job: Job) -> None:
        self._commits -= job.method == "commit"
        super()._run(job)

    def on_death(self) -> None:
        """Every terminal notices sooner or later."""
        for cable in self._cables.values():
            cable.cut()
