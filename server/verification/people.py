"""What people do: any kind of operation on any order that they see, know of, or only remember.

Chance chooses; what a person says they saw (stage, revision, lines, fields) is what their screen shows, or
sometimes something else. So every kind meets orders in every state.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from server.verification.poison import POISON
from sync.contract.operations import (
    Acknowledge,
    Assign,
    Cancel,
    Change,
    Create,
    Edit,
    Move,
    Note,
    Operation,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reinstate,
    Release,
    RequestHandover,
    Resolve,
    Retire,
    Schedule,
    Ship,
    ShortLine,
    ShortPick,
    Source,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import LineItem, Order, OrderPatch, lines_crc
from sync.contract.stages import STAGES, Stage

SKU: Final = "SKU-1"
TAGS: Final = ("gift", "fragile", "call first")
STALE: Final = 0.2
"""How often a person says to have seen something else than the screen shows."""

Maker = Callable[[Random, Order | None, str], Change]


def _move(random: Random, _order: Order | None, _me: str) -> Change:
    return Move(random.choice(STAGES))


def _next(random: Random, order: Order | None, _me: str) -> Change:
    """Move one step on: what people do most."""
    place = STAGES.index(order.stage) if order else random.randrange(3)
    return Move(STAGES[min(place + 1, 3)])


def _assign(random: Random, order: Order | None, me: str) -> Change:
    goal = random.choice((me, "", "somebody", "somebody else"))
    was = order.assignee_id if order and random.random() > STALE else "somebody"
    return Assign(goal, goal and f"Name of {goal}", was)


def _pick(random: Random, order: Order | None, _me: str) -> Change:
    position = random.randint(1, 3) if order is None or random.random() < STALE else len(order.lines)
    return Pick(position, random.choice((1, 1, 1, 2, -1)), random.choice(("", SKU, SKU, "SKU-9")))


def _short_pick(random: Random, _order: Order | None, _me: str) -> Change:
    lines = tuple(ShortLine(place, random.randint(1, 2), SKU) for place in range(1, random.randint(2, 3)))
    return ShortPick(lines, random.choice(("", "not found", "damaged")))


def _edit(random: Random, order: Order | None, _me: str) -> Change:
    name = random.choice(("number", "customer", "note", "carrier", "priority", "ship_method"))
    wanted: Any = random.randint(0, 3) if name == "priority" else f"Edited {random.randint(1, 3)}"
    was: Any = getattr(order, name) if order and random.random() > STALE else wanted
    return Edit(OrderPatch(**{name: wanted}), OrderPatch(**{name: was}))


def _of_exception(random: Random, order: Order | None) -> str:
    exceptions = order.exceptions if order else ()
    return random.choice(exceptions).op_id if exceptions else "an operation without an exception"


def _create(random: Random, order: Order | None, _me: str) -> Change:
    reference = "" if random.random() < STALE or order is None else order.external_ref
    new = Order(
        *("", "", "", "manual", reference, f"M-{random.randint(1, 999)}", Stage.CONFIRMED, 0, 0, 0, 0),
        lines=(LineItem(1, SKU, "Thing", random.randint(1, 3)),),
    )
    return Create(new)


def _tag(random: Random, _order: Order | None, _me: str) -> Change:
    return Tag((random.choice(TAGS),), (random.choice(TAGS),))


MAKERS: Final[tuple[tuple[int, Maker], ...]] = (
    (3, _move),
    (5, _next),
    (4, _pick),
    (2, _short_pick),
    (2, lambda random, *_: Pack(random.choice((0, 1, 1, 2)))),
    (2, lambda random, *_: Ship(random.choice(("", "T-1", "T-2")), random.choice(("", "Carrier")))),
    (2, lambda *_: Take()),
    (2, lambda *_: Unclaim()),
    (3, lambda random, *_: RequestHandover(random.random() < 0.3)),
    (2, _assign),
    (1, lambda random, *_: Prioritise(random.randint(0, 3))),
    (2, lambda *_: PutOnHold("incorrect address")),
    (2, lambda *_: Release()),
    (1, lambda *_: Cancel("changed their mind")),
    (2, lambda *_: Reinstate()),
    (1, lambda random, *_: Note(f"Line {random.randint(1, 99)}")),
    (1, _tag),
    (2, _edit),
    (2, lambda random, order, _: Acknowledge(_of_exception(random, order))),
    (2, lambda random, order, _: Resolve(_of_exception(random, order), "returned")),
    (1, _create),
    # What only the server says: refused, whoever asks.
    (1, lambda random, *_: random.choice((Retire(), Schedule(None, "")))),
)
_ALL: Final[tuple[Maker, ...]] = tuple(maker for times, maker in MAKERS for _ in range(times))


def any_change(random: Random, order: Order | None, me: str) -> Change:
    """Return something that a person with the id ``me`` does to ``order`` (None: not on their screen)."""
    return random.choice(_ALL)(random, order, me)


def poison() -> Change:
    """Return what the server fails on."""
    return Tag((POISON,))


def drafted(op_id: str, order_id: str, change: Change, order: Order | None, random: Random) -> Operation:
    """Return the draft, with what its person saw of the order."""
    if order is None:
        return Operation(op_id, order_id, change, source=Source.SCAN)
    is_stale = random.random() < STALE
    return Operation(
        op_id,
        order_id,
        change,
        source=Source.DRAG,
        base_stage=random.choice(STAGES) if is_stale else order.stage,
        base_revision=0 if isinstance(change, Schedule | Retire) else order.revision,
        base_lines=random.choice((None, None, None, lines_crc(order), lines_crc(order), 1)),
    )
