"""What a person is told of what did not simply come true: the same words in the window and without it."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import msgspec
import pytest

from app.deed_words import LATEST_MS, clock, deed_sentence
from app.needs_words import needs_told
from app.outcome_words import (
    Situation,
    exception_told,
    outcome_told,
    overruled_told,
    places_text,
    refusal_told,
    verdict_told,
)
from app.plain_words import ENGLISH
from app.refusal_words import WINDOW
from support.headless_bench import LINES
from support.orders import make_order
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.contract.facts import FACT_REASONS
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Assign,
    Cancel,
    Edit,
    Move,
    Note,
    Operation,
    Outcome,
    Pack,
    Pick,
    Reason,
    RequestHandover,
    Ship,
    Take,
    Unknown,
)
from sync.contract.orders import Claim, Hold, LineItem, Order, OrderException, OrderPatch, Picked
from sync.contract.problems import Problem
from sync.contract.stages import Stage

AT_MS = 1_700_000_000_000
"""22:13 UTC."""
MOVE = Operation("op", "order-1", Move(Stage.PICKED), wall_ms=AT_MS)
PICKED = tuple(msgspec.structs.replace(line, quantity_picked=2) for line in LINES)


def order(**changed: object) -> Order:
    """Return order SO-1 with two lines."""
    fields: dict[str, object] = {
        "number": "SO-1",
        "stage": Stage.PICKING,
        "lines": LINES,
        "hold": None,
        "cancelled_ms": None,
        "exceptions": (),
        "claimed_by": None,
    }
    return make_order(1, **{**fields, **changed})


def said(reason: Reason, now: Order | None = None, by: str = "", at_ms: int = 0, **more: object) -> str:
    """Return what is told of a move of SO-1 that met ``reason``."""
    situation = Situation("SO-1", reason, by, at_ms, MOVE, now)._replace(**more)  # type: ignore[arg-type]
    return outcome_told(situation, UTC, ENGLISH).sentence


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
def test_every_reason_has_words_of_its_own(reason: Reason) -> None:
    """Nobody is left with "it was not changed" when the program knows why; the code stays out of it."""
    sentence = said(reason)
    assert sentence != said(Reason.NONE)
    assert "#SO-1" in sentence
    assert reason.value not in sentence
    for word in ("error", "failed", "sync", "oops"):
        assert word not in sentence.lower()
    assert "You moved it to Picked at 22:13." in sentence


@pytest.mark.parametrize("reason", sorted(FACT_REASONS - {Reason.LINE_UNKNOWN}))
def test_every_exception_says_what_the_hands_do_next(reason: Reason) -> None:
    """Also when nobody at this terminal did it."""
    exception = OrderException(reason.value, "What the server says.", "op", AT_MS)
    told = exception_told(None, order(), exception, UTC, ENGLISH)
    assert told.strong.endswith(".")
    assert told.text.endswith(".")
    assert "You" not in told.sentence.split()[:1]


def test_who_was_first_and_by_how_much() -> None:
    """Minutes below three hours, the clock above; somebody without a name."""
    at = AT_MS - 2 * 60_000
    assert said(Reason.ALREADY_CLAIMED, None, "Maria", at).startswith(
        "#SO-1 was taken by Maria at 22:11, 2 min before you. You moved it to Picked at 22:13. Take another"
    )
    assert said(Reason.ALREADY_CLAIMED, None, "Maria", AT_MS - 4 * 3_600_000).startswith(
        "#SO-1 was taken by Maria at 18:13. "
    )
    assert said(Reason.ALREADY_CLAIMED).startswith("#SO-1 was taken by somebody else. ")
    assert said(Reason.MOVED_MEANWHILE, None, "Marek", AT_MS).startswith(
        "Marek moved #SO-1 meanwhile, at 22:13."
    )


def test_a_cancelled_order_names_the_shelves() -> None:
    """What is in the hands, and where it goes; nothing when nothing was picked."""
    cancelled = order(cancelled_ms=AT_MS, lines=PICKED)
    assert said(Reason.CANCELLED, cancelled) == (
        "#SO-1 was cancelled at 22:13. You moved it to Picked at 22:13. Put back: 2 x A-03, 2 x B-11."
    )
    assert "Nothing of it was picked" in said(Reason.PICKED_AFTER_CANCEL, order(cancelled_ms=AT_MS))
    assert "Unpack it. Put back: 2 x A-03" in said(Reason.PACKED_AFTER_CANCEL, cancelled)
    assert "call the carrier" in said(Reason.SHIPPED_AFTER_CANCEL, cancelled)
    many = tuple(LineItem(place, f"S{place}", "Thing", 1, quantity_picked=1) for place in range(9))
    assert places_text(many) == "1 x S0, 1 x S1, 1 x S2, 1 x S3, 1 x S4, 1 x S5, …"


def test_who_cancelled_is_named_while_it_is_the_last_that_happened() -> None:
    """The server says it to whoever met it; the order itself says it until somebody changes it again."""
    cancelled = order(cancelled_ms=AT_MS, updated_ms=AT_MS, updated_by="Office", lines=PICKED)
    exception = OrderException("PICKED_AFTER_CANCEL", "Cancelled.", "op", AT_MS)
    assert exception_told(None, cancelled, exception, UTC, ENGLISH).strong == (
        "#SO-1 was cancelled by Office at 22:13."
    )
    later = msgspec.structs.replace(cancelled, updated_ms=AT_MS + 1, updated_by="Bo")
    assert exception_told(None, later, exception, UTC, ENGLISH).strong == "#SO-1 was cancelled at 22:13."
    verdict = Verdict(1, "op", 5, Outcome.EXCEPTION, Reason.PICKED_AFTER_CANCEL, "Office", AT_MS)
    told = exception_told(MOVE, later, exception, UTC, ENGLISH, verdict)
    assert told.strong == "#SO-1 was cancelled by Office at 22:13."
    undo = Operation("u", "order-1", Note("x"), undoes="op")
    assert refusal_told(undo, later, Reason.CHANGED_SINCE, UTC, ENGLISH).strong == (
        "Not undone: Bo changed #SO-1 after you, at 22:13."
    )
    # Nobody is in their own way: it was another step of theirs.
    mine = refusal_told(undo, later, Reason.CHANGED_SINCE, UTC, ENGLISH, "Bo")
    assert mine.strong == "Not undone: #SO-1 was changed again since."


def test_a_hold_says_why_who_and_since_when() -> None:
    """With the next step that fits what was done."""
    held = order(hold=Hold("incorrect address", "Sam P.", AT_MS))
    assert said(Reason.ON_HOLD, held) == (
        "#SO-1 is on hold: incorrect address. You moved it to Picked at 22:13. "
        "Sam P. put it on hold at 22:13. Put the basket on the hold shelf, or release it first."
    )
    assert said(Reason.SHIPPED_ON_HOLD, held).endswith(
        "Do not hand it over. If it has gone, call the carrier."
    )
    unsigned = order(hold=Hold("other", "", AT_MS))
    assert said(Reason.PICKED_ON_HOLD, unsigned).endswith("22:13. Keep what you picked. Do not pack it.")


def test_too_many_picks_say_the_counts_and_the_shelf() -> None:
    """All that were picked by everybody, how many it should be, where the rest goes."""
    over = (msgspec.structs.replace(LINES[0], quantity_picked=6), LINES[1])
    assert said(Reason.OVER_PICKED, order(lines=over)).endswith(
        "6 of 4 are picked by all. Put back: 2 x A-03."
    )
    assert said(Reason.OVER_PICKED, order()).endswith("Put back what is too much.")
    tally = (Picked("m", "Maria", 3), Picked("b", "Bo", 2))
    named = (msgspec.structs.replace(over[0], picked_by=tally), over[1])
    assert said(Reason.OVER_PICKED, order(lines=named)).endswith(
        "6 of 4 are picked: Maria 3, Bo 2, others 1. Put back: 2 x A-03."
    )
    whole = (msgspec.structs.replace(named[0], quantity_picked=5), over[1])
    assert "picked: Maria 3, Bo 2. Put back: 1 x" in said(Reason.OVER_PICKED, order(lines=whole))


def test_too_many_picks_speak_of_the_line_that_was_meant() -> None:
    """Where another line holds too many as well."""
    over = tuple(msgspec.structs.replace(line, quantity_picked=9) for line in LINES)
    mine = msgspec.structs.replace(MOVE, change=Pick(LINES[1].position, 1, LINES[1].sku))
    assert LINES[1].location in said(Reason.OVER_PICKED, order(lines=over), operation=mine)
    assert LINES[0].location in said(Reason.OVER_PICKED, order(lines=over))


def test_changed_lines_are_named_old_and_new() -> None:
    """As the order itself says them."""
    changed = OrderException("LINES_CHANGED", "Lines changed: MUG 4 → 6.", "x", AT_MS)
    sentence = said(Reason.LINES_CHANGED, order(exceptions=(changed,)))
    assert "Lines changed: MUG 4 → 6. Look at the lines again" in sentence
    assert exception_told(None, order(), changed, UTC, ENGLISH).sentence == "#SO-1: Lines changed: MUG 4 → 6."
    strange = OrderException("FROM_THE_FUTURE", "Something new.", "x", AT_MS)
    assert exception_told(None, order(), strange, UTC, ENGLISH).strong == "#SO-1: Something new."


def test_what_moved_on_is_looked_for_where_it_is() -> None:
    """A shipped order at the packing bench."""
    assert "packing bench" in said(Reason.MOVED_MEANWHILE, order(stage=Stage.SHIPPED))
    assert "where they put it" in said(Reason.MOVED_MEANWHILE, order())


def test_an_undo_and_a_correction_that_came_late_are_told_apart() -> None:
    """Both were overtaken; only one wanted to go back."""
    undo = Operation("u", "order-1", Note("x"), undoes="op")
    assert said(Reason.CHANGED_SINCE, None, "Marek O.", AT_MS, operation=undo) == (
        "Not undone: Marek O. changed #SO-1 after you, at 22:13. "
        "You wanted to undo your last step. Look at it first."
    )
    edit = Operation("e", "order-1", Edit(OrderPatch(note="b"), OrderPatch(note="a")))
    assert said(Reason.CHANGED_SINCE, operation=edit).startswith("Not changed: somebody changed the same")


def test_what_the_program_itself_refuses_was_not_done() -> None:
    """So it does not say that you did it; it names who is in the way of the order as it is shown."""
    taken = order(claimed_by=Claim("m", "Maria", AT_MS), handover=Claim("j", "Joy", AT_MS))
    told = refusal_told(MOVE, taken, Reason.ALREADY_CLAIMED, UTC, ENGLISH)
    assert told.strong == "#SO-1 was taken by Maria at 22:13."
    assert "You moved" not in told.text
    ask = Operation("h", "order-1", RequestHandover())
    assert "Joy asked" in refusal_told(ask, taken, Reason.ALREADY_REQUESTED, UTC, ENGLISH).strong
    assert refusal_told(MOVE, taken, Reason.FORBIDDEN, UTC, ENGLISH).text == "Ask a supervisor."
    assert "left the board" in refusal_told(MOVE, None, Reason.UNKNOWN_ORDER, UTC, ENGLISH).strong


def test_a_verdict_without_a_reason_needs_no_words() -> None:
    """Applied, or so already; a merged assignment is told."""
    assert verdict_told(MOVE, "SO-1", Verdict(1, "op", 5, Outcome.APPLIED), None, UTC, ENGLISH) is None
    merged = Verdict(1, "op", 5, Outcome.MERGED, Reason.ASSIGNED_MEANWHILE, "Eva", AT_MS)
    operation = Operation("op", "order-1", Assign("ali", "Ali"), wall_ms=AT_MS)
    told = verdict_told(operation, "SO-1", merged, None, UTC, ENGLISH)
    assert told is not None
    assert told.sentence == (
        "Eva had given #SO-1 to somebody else, at 22:13. What you said counts now. "
        "You gave it to Ali at 22:13. Tell them."
    )


@pytest.mark.parametrize(
    ("operation", "sentence"),
    [
        (Operation("o", "x", Take()), "You took it."),
        (Operation("o", "x", Pick(1, 2, "MUG")), "You picked 2 x MUG."),
        (Operation("o", "x", Pick(1, -2)), "You put 2 x 1 back."),
        (Operation("o", "x", Pick(1, -2), undoes="p"), "You wanted to undo your last step."),
        (Operation("o", "x", Assign()), "You gave it to nobody in particular."),
        (Operation("o", "x", Ship(), wall_ms=AT_MS), "You shipped it at 22:13."),
        (Operation("o", "x", Pack()), "You packed it."),
        (Operation("o", "x", Cancel()), "You cancelled it."),
        (Operation("o", "x", Unknown("weigh")), "You changed it."),
    ],
)
def test_what_was_done_is_said_plainly(operation: Operation, sentence: str) -> None:
    """Without a time where none is known."""
    assert deed_sentence(operation, UTC, ENGLISH) == sentence


def test_the_window_says_the_same(qapp: object) -> None:
    """Through Qt's translators, with nothing lost on the way."""
    situation = Situation("SO-1", Reason.ALREADY_CLAIMED, "Maria", AT_MS - 120_000, MOVE, None)
    assert outcome_told(situation, UTC, WINDOW) == outcome_told(situation, UTC, ENGLISH)


def test_every_kind_of_entry_has_words() -> None:
    """Refused, set aside, salvaged, overruled, waiting for an upgrade."""
    verdict = Verdict(1, "op", 5, Outcome.REJECTED, Reason.FORBIDDEN)
    other = Operation("b", "order-1", Assign("ali", "Ali"))
    later = Verdict(0, "b", 9, Outcome.MERGED, Reason.ASSIGNED_MEANWHILE, "Eva", AT_MS)
    entries = {
        NeedsYou("op", NeedsYouKind.REJECTED, AT_MS, MOVE, verdict): "Your role may not do this",
        NeedsYou("op", NeedsYouKind.QUARANTINED, AT_MS, MOVE): "could not work with this change",
        NeedsYou("op", NeedsYouKind.UPGRADE, AT_MS, MOVE): "too old for this change",
        NeedsYou(
            "s", NeedsYouKind.SALVAGED, problem=Problem("X", "Was damaged.", "Tell IT.")
        ): "Was damaged. T",
        NeedsYou("op", NeedsYouKind.OVERRULED, AT_MS, MOVE, later, other, "Eva"): (
            "#SO-1 is for Ali: assigned by Eva at 22:13, after you. Talk to Eva about it."
        ),
        NeedsYou("op", NeedsYouKind.OVERRULED, AT_MS, other_name="Eva"): "for nobody in particular: Eva",
    }
    for entry, words in entries.items():
        assert words in needs_told(entry, "SO-1", None, UTC, ENGLISH).sentence


@pytest.mark.parametrize("at_ms", [-(1 << 80), -1, LATEST_MS, 1 << 53, 1 << 80])
def test_a_time_that_no_calendar_reaches_is_told_all_the_same(at_ms: int) -> None:
    """A terminal with a broken clock says any number, and a message about it must not fail."""
    for zone in (UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))):
        assert len(clock(at_ms, zone)) == 5
        operation = Operation("op-1", "order-1", Cancel(), wall_ms=at_ms)
        assert deed_sentence(operation, zone, ENGLISH).startswith("You cancelled it at ")
        assert overruled_told("1", "Ben", "Eva", at_ms, zone, ENGLISH).sentence
