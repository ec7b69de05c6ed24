"""What a person is told of an operation that did not simply come true. Pure; no Qt.

Always: what is true now, who and when; what they did themselves; the next step for their hands. The window
and ``headless`` say the same, each in its own :class:`~app.plain_words.Language`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final, NamedTuple

from app.deed_words import clock, deed_sentence
from app.outcome_forms import FORMS, NOT_CHANGED, UNDO
from app.plain_words import Language
from sync.contract.messages import Verdict
from sync.contract.operations import Operation, Outcome, Pick, Reason
from sync.contract.orders import LineItem, Order, OrderException
from sync.contract.stages import Stage

CONTEXT: Final = "Outcome"
NAMED_PLACES: Final = 6
"""Shelves that one sentence names; the open order lists them all."""
NAMED_PEOPLE: Final = 4
_MINUTES_TOLD: Final = 180
"""Above three hours the clock speaks."""


class Told(NamedTuple):
    """A message: ``strong`` first, because it may be cut; then what to know and what to do."""

    strong: str
    text: str = ""

    @property
    def sentence(self) -> str:
        """Return all of it as one line."""
        return f"{self.strong} {self.text}".strip()


class Situation(NamedTuple):
    """What a message is about; ``order`` is how the order is shown now, None when it is not here.

    ``is_local``: the program itself would not let it be done, so nothing was done.
    """

    number: str
    reason: Reason
    by: str = ""
    at_ms: int = 0
    operation: Operation | None = None
    order: Order | None = None
    is_local: bool = False


_LEFT: Final = "Your last change came too late: its order had left the board."
_IN_WORDS: Final = frozenset({Reason.LINES_CHANGED, Reason.LINE_UNKNOWN, Reason.OTHER})
"""Exceptions whose own sentence says more than any words for their code."""
_OF_HOLD: Final = frozenset(
    {Reason.ON_HOLD, Reason.PICKED_ON_HOLD, Reason.PACKED_ON_HOLD, Reason.SHIPPED_ON_HOLD}
)
_OF_CANCEL: Final = frozenset(
    {Reason.CANCELLED, Reason.PICKED_AFTER_CANCEL, Reason.PACKED_AFTER_CANCEL, Reason.SHIPPED_AFTER_CANCEL}
)


def outcome_told(situation: Situation, zone: tzinfo, language: Language) -> Told:
    """Return the message of a situation."""
    teller = _Teller(situation, zone, language)
    deed = situation.operation
    parts = [] if deed is None or situation.is_local else [deed_sentence(deed, zone, language)]
    return Told(teller.strong(), " ".join(part for part in (*parts, teller.next_step()) if part))


def refusal_told(
    operation: Operation, order: Order | None, reason: Reason, zone: tzinfo, language: Language, me: str = ""
) -> Told:
    """Return the message for what this terminal itself refuses on ``order`` as it is shown to ``me``."""
    by, at_ms = ("", 0) if order is None else _in_the_way(order, reason)
    by = "" if by == me else by
    number = "" if order is None else order.number
    return outcome_told(Situation(number, reason, by, at_ms, operation, order, is_local=True), zone, language)


def verdict_told(
    operation: Operation | None,
    number: str,
    verdict: Verdict,
    order: Order | None,
    zone: tzinfo,
    language: Language,
) -> Told | None:
    """Return the message of a verdict, None when there is nothing to say: it simply came true."""
    if verdict.outcome not in {Outcome.REJECTED, Outcome.EXCEPTION} and not verdict.reason:
        return None
    situation = Situation(number, verdict.reason, verdict.by, verdict.at_ms, operation, order)
    return outcome_told(situation, zone, language)


def exception_told(
    operation: Operation | None,
    order: Order,
    exception: OrderException,
    zone: tzinfo,
    language: Language,
    verdict: Verdict | None = None,
) -> Told:
    """Return the message of an exception that stands on ``order``.

    ``operation`` is what opened it here, and ``verdict`` what the server said of that: who was in the way.
    """
    reason = Reason(exception.code)
    if reason not in FORMS or reason in _IN_WORDS:
        what = {"number": bare(order.number), "what": exception.sentence}
        return Told(language.translate(CONTEXT, "#{number}: {what}", **what))
    by, at_ms = _in_the_way(order, reason) if verdict is None else (verdict.by, verdict.at_ms)
    return outcome_told(Situation(order.number, reason, by, at_ms, operation, order), zone, language)


def overruled_told(number: str, assignee: str, by: str, at_ms: int, zone: tzinfo, language: Language) -> Told:
    """Return the message for whoever assigned an order that somebody assigned anew afterwards."""
    at = clock(at_ms, zone) if at_ms else ""
    values = {"number": bare(number), "by": by, "at": at, "assignee": assignee}
    text = "#{number} is for {assignee}: assigned by {by} at {at}, after you."
    if not at_ms:
        # It came in a whole board, which does not say when.
        text = "#{number} is for {assignee}: assigned by {by}, after you."
        text = text if assignee else "#{number} is for nobody in particular: {by} said so, after you."
    elif not assignee:
        text = "#{number} is for nobody in particular: {by} said so at {at}, after you."
    return Told(
        language.translate(CONTEXT, text, **values),
        language.translate(CONTEXT, "Talk to {by} about it.", by=by),
    )


def places_text(lines: Sequence[LineItem]) -> str:
    """Return what is in somebody's hands and where it belongs: "2 x A-02-1, 1 x A-02-4"."""
    held = [line for line in lines if line.quantity_picked > 0]
    named = [f"{line.quantity_picked} x {line.location or line.sku or line.name}" for line in held]
    return ", ".join(named[:NAMED_PLACES]) + (", …" if len(named) > NAMED_PLACES else "")


def bare(number: str) -> str:
    """Return an order's number without the sign that sentences put before it."""
    return number.removeprefix("#")


class _Teller:
    """One message in the making."""

    def __init__(self, situation: Situation, zone: tzinfo, language: Language) -> None:
        """Take what it is about."""
        self._it = situation
        self._zone = zone
        self._language = language
        operation = situation.operation
        is_undo = operation is not None and bool(operation.undoes)
        is_late_undo = is_undo and situation.reason is Reason.CHANGED_SINCE
        self._form = UNDO if is_late_undo else FORMS.get(situation.reason, NOT_CHANGED)

    def strong(self) -> str:
        """Return what is true now, who and when."""
        it, form = self._it, self._form
        if not it.number:
            return self._say(_LEFT)
        if it.reason in _OF_HOLD and it.order is not None and it.order.hold is not None:
            return self._say("#{number} is on hold: {hold}.", hold=it.order.hold.reason)
        minutes = self._minutes_before()
        if it.reason is Reason.ALREADY_CLAIMED and it.by and minutes:
            return self._language.counted(
                CONTEXT,
                "#{number} was taken by {by} at {at}, {n} min before you.",
                "#{number} was taken by {by} at {at}, {n} min before you.",
                minutes,
                **self._values(),
            )
        if form.named and it.by and it.at_ms:
            return self._say(form.named)
        return self._say(form.timed if form.timed and self._at_ms() else form.plain)

    def next_step(self) -> str:
        """Return what the hands do now."""
        it, order = self._it, self._it.order
        if it.reason is Reason.FORBIDDEN and it.is_local:
            return self._say("Ask a supervisor.")
        if not it.number or order is None:
            return self._say(self._form.next_step)
        if it.reason in _OF_CANCEL and it.reason is not Reason.SHIPPED_AFTER_CANCEL:
            return self._put_back(order)
        if it.reason is Reason.OVER_PICKED:
            return self._over(order)
        if it.reason is Reason.MOVED_MEANWHILE and order.stage is Stage.SHIPPED:
            return self._say("Look at the packing bench. If the parcel has gone, it is shipped.")
        if it.reason is Reason.LINES_CHANGED:
            return " ".join((self._changed_lines(order), self._say(self._form.next_step))).strip()
        if it.reason in _OF_HOLD and order.hold is not None:
            return self._held(order)
        return self._say(self._form.next_step)

    def _put_back(self, order: Order) -> str:
        places = places_text(order.lines)
        if not places:
            return self._say("Nothing of it was picked: nothing goes back.")
        if self._it.reason is Reason.PACKED_AFTER_CANCEL:
            return self._say("Unpack it. Put back: {places}.", places=places)
        return self._say("Put back: {places}.", places=places)

    def _over(self, order: Order) -> str:
        over = [line for line in order.lines if line.quantity_picked > _wanted(line)]
        if not over:
            return self._say(self._form.next_step)
        mine = self._it.operation
        deed = None if mine is None else mine.change
        # The line that the person meant, when that is one of them.
        of_deed = (line for line in over if isinstance(deed, Pick) and line.position == deed.position)
        line = next(of_deed, over[0])
        text = "{picked} of {wanted} are picked by all. Put back: {over} x {place}."
        if line.picked_by:
            text = "{picked} of {wanted} are picked: {people}. Put back: {over} x {place}."
        return self._say(
            text,
            people=self._people(line),
            picked=line.quantity_picked,
            wanted=_wanted(line),
            over=line.quantity_picked - _wanted(line),
            place=line.location or line.sku or line.name,
        )

    def _people(self, line: LineItem) -> str:
        """Return whose the picked pieces are: "Maria 3, Bo 2"; those without a name came with the order."""
        named = [f"{each.name} {each.quantity}" for each in line.picked_by[:NAMED_PEOPLE]]
        rest = line.quantity_picked - sum(each.quantity for each in line.picked_by[:NAMED_PEOPLE])
        return ", ".join((*named, self._say("others {n}", n=rest)) if rest > 0 else named)

    def _changed_lines(self, order: Order) -> str:
        """Return what the order says of its lines: old → new, as its source changed them."""
        said = [each.sentence for each in order.exceptions if each.code == Reason.LINES_CHANGED]
        return said[-1] if said else ""

    def _held(self, order: Order) -> str:
        hold = order.hold
        assert hold is not None, "only asked of an order on hold"
        since = self._say("{by} put it on hold at {at}.", at=clock(hold.at_ms, self._zone), by=hold.by)
        text = self._form.next_step or "Put the basket on the hold shelf, or release it first."
        return f"{since} {self._say(text)}" if hold.by else self._say(text)

    def _minutes_before(self) -> int:
        """Return how long before the person somebody else was there; 0 when that says nothing."""
        operation, at_ms = self._it.operation, self._it.at_ms
        if operation is None or self._it.is_local or not at_ms or not operation.wall_ms:
            return 0
        minutes = (operation.wall_ms - at_ms) // 60_000
        return minutes if 0 < minutes < _MINUTES_TOLD else 0

    def _at_ms(self) -> int:
        order = self._it.order
        since = order.cancelled_ms if order is not None and self._it.reason in _OF_CANCEL else None
        return self._it.at_ms or since or 0

    def _values(self) -> dict[str, object]:
        at_ms = self._at_ms()
        at = clock(at_ms, self._zone) if at_ms else ""
        return {"number": bare(self._it.number), "by": self._it.by, "at": at}

    def _say(self, text: str, **more: object) -> str:
        if not text:
            return ""
        return self._language.translate(CONTEXT, text, **{**self._values(), **more})


def _in_the_way(order: Order, reason: Reason) -> tuple[str, int]:
    """Return who is in the way on ``order`` as it is shown, and since when; the server says it likewise."""
    mark = {Reason.ALREADY_CLAIMED: order.claimed_by, Reason.ALREADY_REQUESTED: order.handover}.get(reason)
    if mark is not None:
        return mark.name, mark.at_ms
    since_ms = order.updated_ms if reason is Reason.CHANGED_SINCE else None
    since_ms = order.cancelled_ms if reason in _OF_CANCEL else since_ms
    if since_ms is None:
        return "", 0
    # Somebody else may have changed something else after it.
    return order.updated_by if since_ms == order.updated_ms else "", since_ms


def _wanted(line: LineItem) -> int:
    return max(0, line.quantity_ordered - line.quantity_cancelled)
