"""Every history that the server's data had: one a life, found by the epochs under which terminals know it."""

from __future__ import annotations

from server.verification.cells import Cells
from server.verification.history import History
from server.verification.rooms import ServerRoom
from sync.contract.permissions import Role


class Archive:
    """Reads the log as it grows, and remembers what a restore took away."""

    def __init__(self, room: ServerRoom) -> None:
        """Follow ``room``."""
        self._room = room
        self.cells = Cells()
        self.roles: dict[str, list[Role]] = {}
        self.now = History(self.roles, self.cells)
        self.lives = [self.now]
        self._by_epoch: dict[str, History] = {}
        self.catch_up()

    def catch_up(self) -> History:
        """Read what came to the log, and return the present history."""
        head = self._room.head()
        self._by_epoch[head.epoch] = self.now
        if head.seq > self.now.seq:
            self.now.extend(self._room.entries(self.now.seq))
        elif head.seq < self.now.seq:
            self.now.found.append(f"the head went back from {self.now.seq} to {head.seq}")
        return self.now

    def of(self, epoch: str) -> History | None:
        """Return the history that a terminal knows by ``epoch``, None when it never was looked at."""
        return self._by_epoch.get(epoch)

    def set_role(self, user_id: str, role: Role) -> None:
        """Note a person's role from here on."""
        self.catch_up()
        self.roles.setdefault(user_id, []).append(role)

    def restored(self, seq: int) -> None:
        """Begin the next life at what the backup holds; the log has been read up to the crash."""
        self.now = self.now.until(seq)
        self.lives.append(self.now)

    def found(self) -> list[str]:
        """Return what was illegal in any life."""
        return [sentence for life in self.lives for sentence in life.found]
