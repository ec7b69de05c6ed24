"""The words for every reason why an operation did not simply come true. Data only.

Who puts them together with names and times is :mod:`app.outcome_words`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sync.contract.operations import Reason


class Form(NamedTuple):
    """The words for a reason: with a name and a time, without, and the next step."""

    plain: str
    next_step: str = ""
    named: str = ""
    timed: str = ""


_CANCELLED_BY: Final = "#{number} was cancelled by {by} at {at}."
_CANCELLED_AT: Final = "#{number} was cancelled at {at}."

FORMS: Final = {
    Reason.ALREADY_CLAIMED: Form(
        "#{number} was taken by somebody else.",
        "Take another order, or ask them to hand it over. If you hold any of it, bring it to them.",
        "#{number} was taken by {by} at {at}.",
    ),
    Reason.ALREADY_REQUESTED: Form(
        "Somebody asked for #{number} before you.",
        "Agree between you who gets it.",
        "{by} asked for #{number} before you, at {at}.",
    ),
    Reason.ALREADY_SHIPPED: Form("#{number} has shipped already.", "Look at the packing bench."),
    Reason.CANCELLED: Form(
        "#{number} was cancelled.", "Put its items back.", named=_CANCELLED_BY, timed=_CANCELLED_AT
    ),
    Reason.CHANGED_SINCE: Form(
        "Not changed: somebody changed the same of #{number} before you.",
        "Read what stands there now, then decide again.",
        "Not changed: {by} changed the same of #{number} before you, at {at}.",
    ),
    Reason.DEVICE_SEQ_GAP: Form("#{number} waits for a move before it.", "It is sent again by itself."),
    Reason.DUPLICATE_ORDER: Form("#{number} is already on the board.", "Search for it."),
    Reason.FORBIDDEN: Form(
        "Your role may not do this to #{number}.", "Ask a supervisor; it is kept under Needs you."
    ),
    Reason.LINES_CHANGED: Form(
        "The lines of #{number} changed after you looked at them. It stays where it is.",
        "Look at the lines again, pick what is missing, put back what is too much.",
    ),
    Reason.LINE_UNKNOWN: Form("#{number} has no such line.", "Put the piece back. It is not counted."),
    Reason.MOVED_MEANWHILE: Form(
        "Somebody moved #{number} meanwhile.",
        "It stays where they put it.",
        "{by} moved #{number} meanwhile, at {at}.",
    ),
    Reason.NOT_CANCELLED: Form("#{number} is not cancelled any more.", "Go on with it."),
    Reason.NOT_CLAIMED: Form("Nobody holds #{number}.", "Take it if you want it."),
    Reason.NOT_ON_HOLD: Form("#{number} is not on hold any more.", "Go on with it."),
    Reason.NOTE_TOO_LONG: Form("The note of #{number} has no room for more.", "Shorten it first."),
    Reason.ON_HOLD: Form("#{number} is on hold: release it first."),
    Reason.OVER_PICKED: Form("Too many were picked for #{number}.", "Put back what is too much."),
    Reason.QUARANTINED: Form(
        "The server could not work with this change of #{number}. It is kept here.",
        "Tell IT. Under Needs you it can be tried again.",
    ),
    Reason.STILL_OPEN: Form("#{number} is not finished. It stays on the board."),
    Reason.STEP_TOO_LONG: Form("#{number} goes one column at a time.", "Ask a supervisor to skip one."),
    Reason.TOO_MANY_TAGS: Form("#{number} has as many tags as it can have.", "Take one off first."),
    Reason.UNKNOWN_ORDER: Form(
        "#{number} is not on this board any more.", "The search finds it among the older orders."
    ),
    Reason.UPGRADE_REQUIRED: Form(
        "The server is too old for this change of #{number}. It is kept here.", "Tell IT."
    ),
    Reason.OTHER: Form(
        "#{number} was not changed, for a reason that this program is too old to know.", "Tell IT."
    ),
    Reason.ASSIGNED_MEANWHILE: Form(
        "#{number} was for somebody else meanwhile. What you said counts now.",
        "Tell them.",
        "{by} had given #{number} to somebody else, at {at}. What you said counts now.",
    ),
    # What a fact opened: it is recorded, and no longer fits.
    Reason.ADDRESS_CHANGED: Form("The address of #{number} changed after it was picked.", "Check the label."),
    Reason.PICKED_AFTER_CANCEL: Form(
        "#{number} was cancelled.", "Put its items back.", named=_CANCELLED_BY, timed=_CANCELLED_AT
    ),
    Reason.PICKED_ON_HOLD: Form("#{number} is on hold.", "Keep what you picked. Do not pack it."),
    Reason.PICKED_AFTER_SHIP: Form(
        "#{number} has shipped already.", "Keep the pieces aside and call a supervisor."
    ),
    Reason.PACKED_AFTER_CANCEL: Form(
        "#{number} was cancelled.",
        "Unpack it and put its items back.",
        named=_CANCELLED_BY,
        timed=_CANCELLED_AT,
    ),
    Reason.PACKED_ON_HOLD: Form("#{number} is on hold.", "Do not hand it over."),
    Reason.SHIPPED_AFTER_CANCEL: Form(
        "#{number} was cancelled.",
        "Hold the parcel back. If it has gone, call the carrier.",
        named=_CANCELLED_BY,
        timed=_CANCELLED_AT,
    ),
    Reason.SHIPPED_ON_HOLD: Form(
        "#{number} is on hold.", "Do not hand it over. If it has gone, call the carrier."
    ),
    Reason.SHIPPED_EARLY: Form(
        "#{number} was shipped before it was picked.", "Check what went into the parcel."
    ),
}
UNDO: Final = Form(
    "Not undone: #{number} was changed again since.",
    "Look at it first.",
    "Not undone: {by} changed #{number} after you, at {at}.",
)
NOT_CHANGED: Final = Form("#{number} was not changed.")
