"""The words of the order panel: pure, from the order as a plain value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from sync.contract.operations import Reason
from sync.contract.orders import Hold, LineItem, Order, OrderException
from sync.contract.stages import Stage
from widgets.board.texts import left_text, moment_text
from widgets.tones import Tone
from widgets.words import counted, translate

SHOWN_LINES: Final = 200
"""A panel shows so many lines; nobody reads the ten-thousandth, and all of them would freeze it."""

_CONTEXT: Final = "Order"


class Words(NamedTuple):
    """A sentence with its icon and its tone."""

    tone: Tone
    icon: str
    text: str


class LineState(NamedTuple):
    """How far a line is: its icon, the colour of its words, the words."""

    icon: str
    token: str
    text: str


def number_text(order: Order) -> str:
    """Return "#48203", whether or not the number has its sign already."""
    return f"#{order.number.removeprefix('#')}"


def holder_text(order: Order, now_ms: int, zone: tzinfo) -> str:
    """Return who has the order and since when; of a shipped one, when it left."""
    claim = order.claimed_by
    if order.stage is Stage.SHIPPED:
        return moment_text(order.stage_ms, now_ms, zone)
    if claim is None:
        return translate(_CONTEXT, "Nobody has it")
    since = moment_text(claim.at_ms, now_ms, zone)
    return translate(_CONTEXT, "{name}, since {since}", name=claim.name, since=since)


def place_text(order: Order) -> str:
    """Return customer, city and postcode, as far as they are known."""
    city = " ".join(part for part in (order.ship_to.city, order.ship_to.postcode) if part)
    return " · ".join(part for part in (order.customer, city) if part)


def size_text(order: Order) -> str:
    """Return "6 lines · 28 pcs"."""
    pieces = sum(line.quantity_ordered for line in order.lines)
    lines = counted(_CONTEXT, "{n} line", "{n} lines", len(order.lines))
    return f"{lines} · {counted(_CONTEXT, '{n} pc', '{n} pcs', pieces)}"


def carrier_words(order: Order, now_ms: int, zone: tzinfo) -> Words:
    """Return the carrier, before one is known the ship method, and its cut-off."""
    carrier = order.carrier or order.ship_method or translate(_CONTEXT, "No carrier")
    if order.cut_off_ms is None:
        cut_off = translate(_CONTEXT, "no cut-off")
    else:
        cut_off = moment_text(order.cut_off_ms, now_ms, zone)
    return Words(Tone.PLAIN, "truck", f"{carrier} · {cut_off}")


def time_words(order: Order, now_ms: int, seconds_per_line: float) -> Words | None:
    """Return the time left of an order that still has to leave, None where the clock says nothing."""
    if order.cut_off_ms is None or not order.is_open:
        return None
    text = left_text(order.cut_off_ms, now_ms)
    if order.cut_off_ms < now_ms:
        return Words(Tone.RED, "octagon-alert", text)
    if not text:
        return None
    open_lines = sum(line.requires_picking and not _is_done(line) for line in order.lines)
    is_tight = order.cut_off_ms - now_ms < open_lines * seconds_per_line * 1000
    return Words(Tone.AMBER, "triangle-alert", text) if is_tight else Words(Tone.PLAIN, "hourglass", text)


def band_words(order: Order, now_ms: int, zone: tzinfo) -> list[Words]:
    """Return what is exceptional about an order, the worst first."""
    bands: list[Words] = []
    if not order.is_on_board:
        bands.append(Words(Tone.PLAIN, "truck", left_board_text(order, now_ms, zone)))
    elif order.cancelled_ms is not None:
        bands.append(Words(Tone.RED, "ban", _cancelled_text(order, order.cancelled_ms, now_ms, zone)))
    bands += [
        Words(Tone.VIOLET, "diamond", _disagreement_text(each, now_ms, zone))
        for each in reversed(order.exceptions)
        if each.code != Reason.CANCELLED or order.cancelled_ms is None
    ]
    if order.hold is not None:
        bands.append(Words(Tone.AMBER, "circle-pause", _hold_text(order.hold, now_ms, zone)))
    return bands


def finished_text(order: Order, now_ms: int, zone: tzinfo) -> str:
    """Return "Shipped 12 Nov" or "Cancelled 12 Nov"."""
    if order.cancelled_ms is not None:
        return translate(_CONTEXT, "Cancelled {at}", at=moment_text(order.cancelled_ms, now_ms, zone))
    return translate(_CONTEXT, "Shipped {at}", at=moment_text(order.stage_ms, now_ms, zone))


def left_board_text(order: Order, now_ms: int, zone: tzinfo) -> str:
    """Return how an order ended that no board holds any more."""
    return translate(
        _CONTEXT, "{finished}, no longer on the board", finished=finished_text(order, now_ms, zone)
    )


def _disagreement_text(exception: OrderException, now_ms: int, zone: tzinfo) -> str:
    """Return since when two things about the order are true, what they are, and what to do."""
    advice: dict[str, str] = {
        Reason.LINES_CHANGED: translate(_CONTEXT, "Go through the lines below again."),
        Reason.ADDRESS_CHANGED: translate(_CONTEXT, "Check the label."),
    }
    sentence = " ".join((exception.sentence, advice.get(exception.code, ""))).strip()
    at = moment_text(exception.at_ms, now_ms, zone)
    return translate(_CONTEXT, "{at} · {sentence}", at=at, sentence=sentence)


def facts_text(order: Order) -> str:
    """Return the parcel's number and the rule behind the cut-off, one a line, as far as there are any."""
    facts = []
    if order.tracking_number:
        facts.append(translate(_CONTEXT, "Tracking number {number}", number=order.tracking_number))
    if order.cut_off_rule:
        facts.append(translate(_CONTEXT, "Cut-off by the rule “{rule}”", rule=order.cut_off_rule))
    return "\n".join(facts)


def _cancelled_text(order: Order, at_ms: int, now_ms: int, zone: tzinfo) -> str:
    at = moment_text(at_ms, now_ms, zone)
    pieces = sum(line.quantity_picked for line in order.lines)
    if not pieces:
        return translate(_CONTEXT, "Cancelled at {at}: nothing to put back", at=at)
    return counted(
        _CONTEXT, "Cancelled at {at}: put {n} piece back", "Cancelled at {at}: put {n} pieces back",
        pieces, at=at,
    )  # fmt: skip


def _hold_text(hold: Hold, now_ms: int, zone: tzinfo) -> str:
    since = moment_text(hold.at_ms, now_ms, zone)
    reason = ". ".join(part for part in (hold.reason, hold.note) if part)
    if hold.until_ms is None:
        return translate(
            _CONTEXT, "On hold since {since} by {name}: {reason}", since=since, name=hold.by, reason=reason
        )
    return translate(
        _CONTEXT,
        "On hold since {since} by {name} until {until}: {reason}",
        since=since,
        name=hold.by,
        until=moment_text(hold.until_ms, now_ms, zone),
        reason=reason,
    )


def walking_order(lines: Sequence[LineItem]) -> list[LineItem]:
    """Return the lines as a person walks: by bin, then by position; what has no bin comes last."""
    return sorted(lines, key=lambda line: (not line.location, line.location, line.position))


def removed_lines(order: Order) -> frozenset[int]:
    """Return the positions of lines that the order's source took away; short lines are none."""
    if not any(each.code == Reason.LINES_CHANGED for each in order.exceptions):
        return frozenset()
    return frozenset(
        line.position for line in order.lines if line.quantity_cancelled >= line.quantity_ordered
    )


def line_state(line: LineItem, *, is_removed: bool = False, is_shipped: bool = False) -> LineState:
    """Return how far a line is; of a shipped order nothing is left to pick, whatever was counted."""
    too_many = line.quantity_picked + line.quantity_cancelled - line.quantity_ordered
    if too_many > 0:
        return LineState("undo-2", "violet", translate(_CONTEXT, "Put {n} back", n=too_many))
    if is_removed:
        return LineState("ban", "ink3", translate(_CONTEXT, "Removed"))
    if line.quantity_cancelled:
        short = translate(_CONTEXT, "Short {n}", n=line.quantity_cancelled)
        return LineState("package-x", "amber", short)
    if not line.requires_picking:
        return LineState("circle", "ink3", translate(_CONTEXT, "Not picked"))
    if _is_done(line):
        return LineState("circle-check", "green", translate(_CONTEXT, "Done"))
    if is_shipped:
        return LineState("circle-check", "green", translate(_CONTEXT, "Shipped"))
    return LineState("circle", "ink2", translate(_CONTEXT, "To pick"))


def pieces_text(line: LineItem, *, is_shipped: bool = False) -> str:
    """Return "2 / 5", or "5" where an order was shipped without anybody having counted here."""
    if is_shipped and not line.quantity_picked:
        return str(line.quantity_ordered)
    return f"{line.quantity_picked} / {line.quantity_ordered}"


def _is_done(line: LineItem) -> bool:
    return line.quantity_picked + line.quantity_cancelled >= line.quantity_ordered


def more_lines_text(count: int) -> str:
    """Return how many lines are not shown, nothing for none."""
    hidden = count - SHOWN_LINES
    if hidden <= 0:
        return ""
    return counted(_CONTEXT, "{n} more line is not shown.", "{n} more lines are not shown.", hidden)


def move_text(goal: Stage) -> str:
    """Return what the button that moves the order says."""
    texts = {
        Stage.CONFIRMED: translate(_CONTEXT, "Move to Confirmed"),
        Stage.PICKING: translate(_CONTEXT, "Move to Picking"),
        Stage.PICKED: translate(_CONTEXT, "Move to Picked"),
        Stage.SHIPPED: translate(_CONTEXT, "Move to Shipped"),
    }
    return texts[goal]
