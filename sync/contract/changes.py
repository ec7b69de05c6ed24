"""What an operation does to an order: one class a kind, the tag ``kind`` names it on the wire.

An *intent* (claim, move, hold, …) is validated against the order as it is now and may be refused. A *fact*
(pick, short pick, pack, ship) has happened in the hall: it is always recorded, and where it no longer fits
it opens an exception on the order.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sync.contract.orders import Order, OrderPatch
from sync.contract.stages import Stage


class Create(msgspec.Struct, frozen=True, tag="create", tag_field="kind", omit_defaults=True):
    """A new order by hand. In the log ``order`` is empty: the entry carries it as it was stored."""

    order: Order | None = None


class Import(msgspec.Struct, frozen=True, tag="import", tag_field="kind", omit_defaults=True):
    """An order as its source says it: new, or changed since; one ``batch_id`` a file or request.

    ``said_ms`` is when the source last changed it (0: unknown), ``patch`` what of that is taken: the
    server works it out and whatever else comes in is ignored. In the log both orders are empty.
    """

    order: Order | None = None
    said_ms: int = 0
    patch: OrderPatch | None = None


class Move(msgspec.Struct, frozen=True, tag="move", tag_field="kind"):
    """To another stage. Moving to picking claims the order."""

    to: Stage


class Take(msgspec.Struct, frozen=True, tag="claim", tag_field="kind"):
    """Claim: the actor holds the order."""


class Unclaim(msgspec.Struct, frozen=True, tag="unclaim", tag_field="kind"):
    """The actor holds it no longer; whoever asked for it holds it then."""


class RequestHandover(
    msgspec.Struct, frozen=True, tag="request_handover", tag_field="kind", omit_defaults=True
):
    """The actor asks whoever holds the order to hand it over, or no longer asks."""

    withdrawn: bool = False


class Assign(msgspec.Struct, frozen=True, tag="assign", tag_field="kind", omit_defaults=True):
    """The order is for this person (empty: for nobody); ``was_id`` is for whom it was on screen."""

    assignee_id: str = ""
    assignee: str = ""
    was_id: str = ""


class Prioritise(msgspec.Struct, frozen=True, tag="prioritise", tag_field="kind"):
    """How urgent the order is, 0 to 3, the higher the sooner."""

    priority: int


class PutOnHold(msgspec.Struct, frozen=True, tag="hold", tag_field="kind", omit_defaults=True):
    """The order waits for ``reason`` (one of ``HoldReason``)."""

    reason: str
    note: str = ""
    until_ms: int | None = None


class Release(msgspec.Struct, frozen=True, tag="release", tag_field="kind"):
    """The order waits no longer."""


class Cancel(msgspec.Struct, frozen=True, tag="cancel", tag_field="kind", omit_defaults=True):
    """Nobody fulfils the order any more; what is picked goes back. ``note`` says why."""

    note: str = ""


class Reinstate(msgspec.Struct, frozen=True, tag="reinstate", tag_field="kind"):
    """The cancelled order is to be fulfilled after all."""


class Pick(msgspec.Struct, frozen=True, tag="pick", tag_field="kind", omit_defaults=True):
    """A fact: pieces of a line were picked; a negative quantity was put back.

    The line is the one at ``position`` with this ``sku``; lines move when their source changes the order.
    """

    position: int
    quantity: int
    sku: str = ""


class ShortLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Pieces of one line that are not there."""

    position: int
    quantity: int
    sku: str = ""


class ShortPick(msgspec.Struct, frozen=True, tag="short_pick", tag_field="kind", omit_defaults=True):
    """A fact: pieces were not found.

    A ``reason`` makes a backorder of them, without one the lines stay open.
    """

    lines: tuple[ShortLine, ...]
    reason: str = ""
    note: str = ""


class Pack(msgspec.Struct, frozen=True, tag="pack", tag_field="kind", omit_defaults=True):
    """A fact: packed into so many parcels; 0 takes it back."""

    parcels: int = 1


class Ship(msgspec.Struct, frozen=True, tag="ship", tag_field="kind", omit_defaults=True):
    """A fact: handed to the carrier, with the number on the label; another number corrects it."""

    tracking_number: str = ""
    carrier: str = ""


class Schedule(msgspec.Struct, frozen=True, tag="schedule", tag_field="kind", omit_defaults=True):
    """The server worked the cut-off out anew by the rule ``rule`` (empty: no rule fits any more)."""

    cut_off_ms: int | None = None
    rule: str = ""


class Retire(msgspec.Struct, frozen=True, tag="retire", tag_field="kind"):
    """The finished order leaves the board set, on every terminal at the same seq."""


class Note(msgspec.Struct, frozen=True, tag="note", tag_field="kind"):
    """A line more in the order's note: what others wrote meanwhile stays."""

    text: str


class Tag(msgspec.Struct, frozen=True, tag="tag", tag_field="kind", omit_defaults=True):
    """Tags that come and go."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class Edit(msgspec.Struct, frozen=True, tag="edit", tag_field="kind"):
    """Fields corrected by hand. ``was`` is what the same fields held on screen."""

    fields: OrderPatch
    was: OrderPatch


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge", tag_field="kind"):
    """The actor has seen what became of the operation ``of``: an exception, or a refusal."""

    of: str


class Resolve(msgspec.Struct, frozen=True, tag="resolve", tag_field="kind", omit_defaults=True):
    """The exception that the operation ``of`` opened is settled; ``how`` in a word, such as "returned"."""

    of: str
    how: str = ""
    note: str = ""


class Skip(msgspec.Struct, frozen=True, tag="skip", tag_field="kind"):
    """Stands in the place of an operation that the server failed on again and again."""


class Unknown(msgspec.Struct, frozen=True, tag="unknown", tag_field="kind"):
    """An operation of a later release, which this one only knows by ``name``."""

    name: str


Fact = Pick | ShortPick | Pack | Ship
"""What has happened in the hall, whatever the order says."""

Change = (
    Create | Import | Move | Take | Unclaim | RequestHandover | Assign | Prioritise | PutOnHold | Release
    | Cancel | Reinstate | Fact | Schedule | Retire | Note | Tag | Edit | Acknowledge | Resolve
    | Skip | Unknown
)  # fmt: skip
"""What an operation does."""

KINDS: Final[tuple[str, ...]] = (
    *("create", "import", "move", "claim", "unclaim", "request_handover", "assign", "prioritise", "hold"),
    *("release", "cancel", "reinstate", "pick", "short_pick", "pack", "ship", "schedule", "retire"),
    *("note", "tag", "edit", "acknowledge", "resolve", "skip"),
)
"""Every kind that may be sent; "unknown" is none of them."""
