"""What can be asked of the client's engine from outside; for its step machine as ``Command(request)``."""

from __future__ import annotations

from dataclasses import dataclass

from sync.contract.operations import Operation
from sync.contract.problems import Problem


@dataclass(frozen=True, slots=True)
class SubmitDrafts:
    """Make these durable, all or none, and send them; ``op_id`` is given, ``device_seq`` is 0."""

    drafts: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class GoOnline:
    """Connect and stay connected; without a ``token`` the machine asks for one."""

    token: str = ""


@dataclass(frozen=True, slots=True)
class GoOffline:
    """Close the link and stay away until told otherwise."""


@dataclass(frozen=True, slots=True)
class TryNow:
    """Somebody pressed "Try now": do not wait for the end of the back-off."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A fresh access token: for the next link, or to renew the sign-in of the present one."""

    token: str


@dataclass(frozen=True, slots=True)
class NoToken:
    """No access token could be had, for this reason."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person has seen the entry ``op_id`` of what waits for one: it goes, and the server is told."""

    op_id: str


@dataclass(frozen=True, slots=True)
class RetryQuarantined:
    """Try the operation of the entry ``op_id`` again, as a new one; the entry goes."""

    op_id: str


@dataclass(frozen=True, slots=True)
class AcceptBoard:
    """A person wants the server's board although it lacks many orders: let the next one in."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Close the link for good; what is on its way to the disk still gets there."""


@dataclass(frozen=True, slots=True)
class OlderQuestion:
    """Look for orders that left the board; asked of the engine, the machine has no part in it.

    ``number`` tells the questions of one ``asker`` apart; without ``words`` it wants nothing any more.
    """

    asker: str
    number: int
    words: str


ClientRequest = (
    SubmitDrafts | GoOnline | GoOffline | TryNow | NewToken | NoToken
    | Acknowledge | RetryQuarantined | AcceptBoard | Stop
)  # fmt: skip
