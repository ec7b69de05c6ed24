"""The sentences that a screen reader speaks and the status line repeats: pure."""

from __future__ import annotations

from datetime import tzinfo

from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from widgets.board.texts import Urgency, clock_text, stage_name, time_text, urgency
from widgets.words import counted, translate

_CONTEXT = "Announcement"


def focus_text(
    row: CardRow, place: int, count: int, now_ms: int, zone: tzinfo, seconds_per_line: float = 45.0
) -> str:
    """Return what is said when a card gets the focus; ``place`` counts from 1."""
    lines = counted("Card", "{n} line", "{n} lines", row.lines_total)
    parts = [translate(_CONTEXT, "Order {number}", number=row.number), row.customer, lines]
    state = urgency(row, now_ms, seconds_per_line)
    time = time_text(row.cut_off_ms, now_ms, zone) if row.stage is not Stage.SHIPPED else ""
    if time:
        parts.append(time)
    if state is Urgency.AT_RISK:
        parts.append(translate(_CONTEXT, "at risk"))
    if row.is_cancelled:
        parts.append(translate(_CONTEXT, "cancelled"))
    if row.hold_reason:
        parts.append(translate(_CONTEXT, "on hold: {reason}", reason=row.hold_reason))
    if row.priority > 0:
        parts.append(translate(_CONTEXT, "express"))
    words = ", ".join(part for part in parts if part)
    where = translate(
        _CONTEXT, "{place} of {count} in {stage}.", place=place, count=count, stage=stage_name(row.stage)
    )
    return f"{words}. {where}"


def lifted_text(number: str, count: int, *, is_by_keyboard: bool = True) -> str:
    """Return what is said when cards are lifted: what lets them go depends on what holds them."""
    if not is_by_keyboard:
        return counted(
            _CONTEXT,
            "Holding order {number}. Let go over a column to move it, Escape puts it back.",
            "Holding {n} orders. Let go over a column to move them, Escape puts them back.",
            count,
            number=number,
        )
    return counted(
        _CONTEXT,
        "Lifted order {number}. Arrow keys move it, Space drops it, Escape puts it back.",
        "Lifted {n} orders. Arrow keys move them, Space drops them, Escape puts them back.",
        count,
        number=number,
    )


def over_text(stage: Stage, place: int, count: int) -> str:
    """Return what is said while lifted cards are over a column."""
    return translate(
        _CONTEXT, "{stage}, place {place} of {count}.", stage=stage_name(stage), place=place, count=count
    )


def dropped_text(number: str, count: int, stage: Stage, place: int) -> str:
    """Return what is said after a drop; it is not sent yet, and says so."""
    return counted(
        _CONTEXT,
        "Order {number} moved to {stage}, place {place}. Not sent yet.",
        "{n} orders moved to {stage}. Not sent yet.",
        count,
        number=number,
        stage=stage_name(stage),
        place=place,
    )


def put_back_text(number: str, stage: Stage) -> str:
    """Return what is said when cards went back."""
    return translate(
        _CONTEXT, "Put back. Order {number} is in {stage}.", number=number, stage=stage_name(stage)
    )


def overtaken_text(number: str, stage: Stage | None) -> str:
    """Return what is said of an order that somebody else moved while it was carried; None: off the board."""
    if stage is None:
        return translate(_CONTEXT, "Order {number} left the board while you carried it", number=number)
    return translate(
        _CONTEXT,
        "Somebody else moved order {number} to {stage} while you carried it",
        number=number,
        stage=stage_name(stage),
    )


def left_text(count: int) -> str:
    """Return what is said of those that a drop of several did not move."""
    return counted(
        _CONTEXT,
        "{n} of them stays: somebody else moved it while you carried it.",
        "{n} of them stay: others moved them while you carried them.",
        count,
    )


def refused_text(reason: str) -> str:
    """Return what is said when a move is refused."""
    return translate(_CONTEXT, "Not moved. {reason}.", reason=reason.rstrip("."))


def end_text(stage: Stage) -> str:
    """Return what is said when there is no column in that direction."""
    words = (
        translate(_CONTEXT, "{stage} is the last column", stage=stage_name(stage))
        if stage is Stage.SHIPPED
        else translate(_CONTEXT, "{stage} is the first column", stage=stage_name(stage))
    )
    return refused_text(words)


def offline_text(since_ms: int, zone: tzinfo) -> str:
    """Return what is said when the connection is lost."""
    return translate(
        _CONTEXT, "No connection since {time}. You can keep working.", time=clock_text(since_ms, zone)
    )


def online_text(sent: int) -> str:
    """Return what is said when the connection is back and the stored moves have gone."""
    if not sent:
        return translate(_CONTEXT, "Connected.")
    return counted(_CONTEXT, "Connected. {n} move sent.", "Connected. {n} moves sent.", sent)


def remote_text(count: int) -> str:
    """Return the summary of what others moved."""
    return counted(_CONTEXT, "{n} order moved by others.", "{n} orders moved by others.", count)
