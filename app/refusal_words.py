"""What a person is told when an operation was not accepted: what is true now, who, when. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from sync.contract.messages import Verdict
from sync.contract.operations import Reason
from widgets.board.texts import clock_text
from widgets.words import counted, translate

_CONTEXT: Final = "Refusal"

_SENTENCES: Final = {
    Reason.ADDRESS_CHANGED: "The address of #{number} changed after it was picked. Check the label.",
    Reason.ALREADY_CLAIMED: "#{number} was taken by {by} at {at}.",
    Reason.ALREADY_SHIPPED: "#{number} has shipped already. Look at the packing bench.",
    Reason.CANCELLED: "#{number} was cancelled. Put its items back.",
    Reason.CHANGED_SINCE: "Not undone: {by} changed #{number} after you.",
    Reason.DEVICE_SEQ_GAP: "#{number} waits for a move before it. It is sent again by itself.",
    Reason.DUPLICATE_ORDER: "#{number} is already on the board.",
    Reason.FORBIDDEN: "Your role may not do this to #{number}. Ask a supervisor.",
    Reason.LINES_CHANGED: "The lines of #{number} changed after picking began. Look at them again.",
    Reason.MOVED_MEANWHILE: "{by} moved #{number} meanwhile, at {at}. It stays where they put it.",
    Reason.NOT_CLAIMED: "#{number} was taken by nobody.",
    Reason.NOT_ON_HOLD: "#{number} is not on hold any more.",
    Reason.ON_HOLD: "#{number} is on hold: {hold}.",
    Reason.STILL_OPEN: "#{number} is not finished. It stays on the board.",
    Reason.STEP_TOO_LONG: "#{number} goes one column at a time. Ask a supervisor to skip one.",
    Reason.UNKNOWN_ORDER: "#{number} is not on this board any more.",
}
_ON_HOLD: Final = "#{number} is on hold: release it first."
_LEFT: Final = "Your last change came too late: its order had left the board."
"""Without a number: this terminal no longer has the order, which is why it cannot name it."""
_WITHOUT_NAME: Final = {
    Reason.ALREADY_CLAIMED: "#{number} was taken by somebody else.",
    Reason.CHANGED_SINCE: "Not undone: somebody changed #{number} after you.",
    Reason.MOVED_MEANWHILE: "Somebody moved #{number} meanwhile. It stays where they put it.",
}


def refusal_sentence(
    number: str, reason: Reason, zone: tzinfo, by: str = "", at_ms: int = 0, hold: str = ""
) -> str:
    """Return the sentence for order ``number`` ("": it is not known here any more).

    Without a name it is the form that needs none.

    ``by`` is who is in the way and ``at_ms`` since when, ``hold`` the reason of the order's hold.
    """
    text = _SENTENCES.get(reason, "#{number} was not changed.")
    if reason is Reason.ON_HOLD and not hold:
        text = _ON_HOLD
    if not (by and at_ms):
        text = _WITHOUT_NAME.get(reason, text)
    if not number:
        text = _LEFT
    at = clock_text(at_ms, zone) if at_ms else ""
    return translate(_CONTEXT, text, number=number.removeprefix("#"), by=by, at=at, hold=hold)


def verdict_sentence(number: str, verdict: Verdict, zone: tzinfo) -> str:
    """Return the sentence for a verdict of the server."""
    return refusal_sentence(number, verdict.reason, zone, verdict.by, verdict.at_ms)


def left_sentence(numbers: Sequence[str]) -> str:
    """Return why a step cannot be taken back whose orders have all left the board."""
    return counted(
        _CONTEXT,
        "Not undone: #{number} has left the board.",
        "Not undone: #{number} and the others have left the board.",
        len(numbers),
        number=numbers[0].removeprefix("#") if numbers else "",
    )
