"""The server's data without a database: one board, its log, its people, as plain values.

``MemoryBoard`` stands for the file: it outlives a crash, and a copy of it is a backup.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from calendars.schedule import Schedule
from server.kernel.decisions import Decided, OrderRow
from server.kernel.records import Head, Principal, SiteRow
from server.sources import Said
from sync.contract.messages import Person, Verdict
from sync.contract.permissions import Role


class LogLine(NamedTuple):
    """One entry of the log."""

    encoded: bytes
    device_id: str
    device_seq: int
    state_hash: int


class User(NamedTuple):
    """A person with a role."""

    id: str
    name: str
    role: Role


class SignIn(NamedTuple):
    """Who signed in on which enrolled device."""

    id: str
    enrolment_id: str
    user_id: str


@dataclass(slots=True)
class MemoryBoard:
    """All rows of a server with one site."""

    site: SiteRow
    epoch: str
    seq: int = 0
    state_hash: int = 0
    durable_seq: int = 0
    log: list[LogLine] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    entries: dict[str, bytes] = field(default_factory=dict)
    """The entry of each logged operation, by its id."""
    marks: dict[str, int] = field(default_factory=dict)
    enrolments: dict[str, str] = field(default_factory=dict)
    """Which enrolment each device identity belongs to."""
    orders: dict[str, OrderRow] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    said: dict[tuple[str, str], Said] = field(default_factory=dict)
    schedule: Schedule = field(default_factory=Schedule)
    users: dict[str, User] = field(default_factory=dict)
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Sign-in and end of each access token."""

    def copied(self) -> Self:
        """Return a backup: the values never change, so the containers are enough."""
        twin = copy.copy(self)
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, dict | list):
                setattr(twin, name, value.copy())
        return twin

    def head(self) -> Head:
        """Return where the log stands."""
        return Head(self.seq, self.epoch, self.durable_seq, self.state_hash)

    def principal(self, token: str, now_ms: int) -> Principal | None:
        """Return who an access token is."""
        sign_in_id, expires_ms = self.tokens.get(token, ("", 0))
        if expires_ms <= now_ms:
            return None
        sign_in = self.sign_ins[sign_in_id]
        user = self.users[sign_in.user_id]
        person = Person(user.id, user.name, user.role.value, sign_in_id)
        return Principal(self.site, person, user.role, sign_in.enrolment_id, expires_ms)

    def write(self, decided: Decided) -> None:
        """Make a decided batch true."""
        for row in decided.rows:
            operation = row.entry.operation
            line = LogLine(row.encoded, operation.device_id, operation.device_seq, row.state_hash)
            self.log.append(line)
            self.verdicts[operation.op_id] = row.verdict
            self.entries[operation.op_id] = row.encoded
        if decided.rows:
            self.seq, self.state_hash = decided.seq, decided.state_hash
        for order_id, written in decided.written.items():
            self.orders[order_id] = written
            order = written.order
            if order_id in decided.made and order.external_ref:
                self.references[order.source, order.external_ref] = order_id
        self.marks.update(decided.marks)
        self.said.update(decided.said)

    def decided_device_seq(self, device_id: str, seq: int) -> int:
        """Return the highest number of a device in the log up to ``seq``."""
        lines = self.log[:seq]
        return max((line.device_seq for line in lines if line.device_id == device_id), default=0)
