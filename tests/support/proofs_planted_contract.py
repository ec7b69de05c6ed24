"""Planted faults of the state machine that both sides share: what is validated, recorded, and kept apart."""

from __future__ import annotations

from typing import Final

from support.proofs_planted import Change, Plant

_INTENTS: Final = "sync/contract/intents.py"
_FACTS: Final = "sync/contract/facts.py"
_MACHINE: Final = "sync/contract/state_machine.py"

CONTRACT: Final = (
    Plant(
        "the claim of somebody else is not looked at",
        (
            Change(
                _INTENTS,
                "return order.claimed_by is not None and order.claimed_by.user_id != judge.actor_id",
                "return order.claimed_by is judge",
            ),
        ),
    ),
    Plant(
        "a move is taken from whatever stage the order is in now",
        (Change(_INTENTS, "(operation.base_stage not in {None, order.stage}, Reason", "(False, Reason"),),
    ),
    Plant(
        "finishing a pick does not mind that the lines changed",
        (Change(_INTENTS, "(is_forward and is_other_goods, Reason", "(False, Reason"),),
    ),
    Plant(
        "an order on hold moves on",
        (Change(_INTENTS, "(order.hold is not None and is_forward, Reason", "(False, Reason"),),
    ),
    Plant(
        "whoever lost an assignment is not told",
        (
            Change(
                _INTENTS,
                "return decision._replace(outcome=Outcome.MERGED, reason=Reason.ASSIGNED_MEANWHILE)",
                "return decision",
            ),
        ),
    ),
    Plant(
        "a correction overwrites what somebody changed meanwhile",
        (Change(_INTENTS, "        if was not in (UNSET, now):", "        if was is now is UNSET:"),),
    ),
    Plant(
        "a note replaces the notes of others",
        (Change(_INTENTS, 'note = f"{order.note}\\n{text}" if order.note else text', "note = text"),),
    ),
    Plant(
        "tags of others are lost with a new one",
        (
            Change(
                _INTENTS,
                "kept = [tag for tag in order.tags if tag not in change.remove]",
                "kept = [tag for tag in order.tags if tag in change.add]",
            ),
        ),
    ),
    Plant(
        "two can ask for a hand-over, and the first is forgotten",
        (
            Change(
                _INTENTS,
                "    if order.handover is not None:\n        return rejected(Reason.ALREADY_REQUESTED)\n",
                "",
            ),
        ),
    ),
    Plant(
        "facts about a cancelled order are refused",
        (
            Change(
                _MACHINE,
                "    if isinstance(change, Fact):\n",
                "    if isinstance(change, Fact) and order.cancelled_ms is not None:\n"
                "        return rejected(Reason.CANCELLED)\n"
                "    if isinstance(change, Fact):\n",
            ),
        ),
    ),
    Plant(
        "facts about an order that left the board are refused",
        (
            Change(
                _MACHINE,
                "    if isinstance(change, Fact):\n",
                "    if isinstance(change, Fact) and order.is_on_board:\n",
            ),
        ),
    ),
    Plant(
        "a fact does not bring its order back onto the board",
        (
            Change(
                _FACTS,
                "exceptions=exceptions, retired_ms=None, **changed",
                "exceptions=exceptions, **changed",
            ),
        ),
    ),
    Plant(
        "a pick replaces the tally of the other terminal",
        (
            Change(
                _FACTS,
                "quantity = max(0, line.quantity_picked + pick.quantity)",
                "quantity = max(0, pick.quantity)",
            ),
        ),
    ),
    Plant(
        "too many picked opens no exception",
        (Change(_FACTS, "    if words and order.cancelled_ms is None:", "    if words is order:"),),
    ),
    Plant(
        "picked after a cancellation opens no exception",
        (
            Change(
                _FACTS,
                "alarms.append((Reason.PICKED_AFTER_CANCEL, f",
                "_held(lines) if order else alarms.append((Reason.PICKED_AFTER_CANCEL, f",
            ),
        ),
    ),
    Plant(
        "shipped while on hold opens no exception",
        (
            Change(
                _FACTS,
                "        alarms.append((Reason.SHIPPED_ON_HOLD, words))",
                "        alarms.extend([])",
            ),
        ),
    ),
    Plant(
        "a pick without its line is dropped",
        (
            Change(
                _FACTS,
                "        return _recorded(order, operation, judge, {}, [(Reason.LINE_UNKNOWN,",
                "        return nothing() if words else "
                "_recorded(order, operation, judge, {}, [(Reason.LINE_UNKNOWN,",
            ),
        ),
    ),
    Plant(
        "more can be short than is open",
        (
            Change(
                _FACTS,
                "quantity = min(each.quantity, line.quantity_open)",
                "quantity = each.quantity",
            ),
        ),
    ),
    Plant(
        "a short pick without a reason gives the rest up",
        (
            Change(
                _FACTS,
                "if not short.reason or order.cancelled_ms is not None:",
                "if order.cancelled_ms is not None:",
            ),
        ),
    ),
    Plant(
        "an undo is taken although somebody changed the order since",
        (Change(_MACHINE, "    return bool(operation.undoes) or is_servers", "    return is_servers"),),
    ),
    Plant(
        "the server retires orders that are open, or that hold an exception nobody has seen",
        (Change(_MACHINE, "    if order.is_open or is_unseen:", "    if order.is_open and is_unseen:"),),
    ),
    Plant(
        "rights are not looked at",
        (Change(_MACHINE, "    if not judge.may(right) and not", "    if judge is None and not"),),
    ),
    Plant(
        "an order that exists is made anew",
        (Change(_MACHINE, "        return rejected(Reason.DUPLICATE_ORDER)\n", "        pass\n"),),
    ),
    Plant(
        "a change does not raise the order's revision",
        (
            Change(
                "sync/contract/judging.py", '"revision": order.revision + 1,', '"revision": order.revision,'
            ),
        ),
    ),
    Plant(
        "what an operation took away stays on the terminals",
        (
            Change(
                "sync/contract/orders.py",
                "for name, value in said if value is not UNSET",
                "for name, value in said if value not in (UNSET, None)",
            ),
        ),
    ),
    Plant(
        "a checksum is the same whatever the bytes are",
        (Change("sync/contract/operations.py", "    return zlib.crc32(data)", "    return len(data)"),),
    ),
)
