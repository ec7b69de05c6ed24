"""What goes into a step machine and what comes out: events and effects as plain values.

Both machines (the client's protocol and the server's hub) are ``step(event) -> list[Effect]``.
One step is one entry of a replayable trace. A driver carries effects out in their order and
decides nothing; the simulation is such a driver on a virtual clock.

A ``Job`` names a store and one of its methods, with plain arguments. Jobs of one store run one
after the other in the order in which they were given; the result comes back as ``JobDone``.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Connected:
    """A link came up. ``link`` numbers the links of this machine's life."""

    link: int


@dataclass(frozen=True, slots=True)
class Received:
    """One frame arrived: text is a JSON message, bytes are a compressed one."""

    link: int
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Drained:
    """Everything handed to the link so far has left for the other side."""

    link: int


@dataclass(frozen=True, slots=True)
class Closed:
    """A link went down, or could not be made; ``code`` is the WebSocket close code or 0."""

    link: int
    code: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The timer ``name`` reached its time."""

    name: str


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job's result; ``error`` is a store error as value, its class name and text."""

    ticket: int
    result: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Something wanted from outside: a person, an HTTP request, another room."""

    request: object


Event = Connected | Received | Drained | Closed | TimerFired | JobDone | Command


@dataclass(frozen=True, slots=True)
class Connect:
    """Make a link with this number (client only)."""

    link: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send one frame over a link."""

    link: int
    frame: str | bytes


@dataclass(frozen=True, slots=True)
class Close:
    """Close a link."""

    link: int
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Fire ``name`` at the monotonic time ``at_ms``; setting it again moves it."""

    name: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer ``name``; nothing happens when it is not set."""

    name: str


@dataclass(frozen=True, slots=True)
class Job:
    """Call ``method`` of ``store`` with ``arguments``; answer with ``JobDone(ticket, result)``."""

    ticket: int
    store: str
    method: str
    arguments: tuple[object, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell whoever listens (the board, ``headless``, an HTTP request that waits)."""

    news: object


Effect = Connect | Send | Close | SetTimer | CancelTimer | Job | Publish
