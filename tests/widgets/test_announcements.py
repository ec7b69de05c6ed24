"""What a screen reader hears: whole sentences with everything that eyes see."""

from __future__ import annotations

from datetime import UTC

from support.card_rows import MINUTE_MS, NOW_MS, card_row
from sync.contract.stages import Stage
from widgets.announcements import (
    dropped_text,
    focus_text,
    lifted_text,
    offline_text,
    online_text,
    over_text,
    put_back_text,
    refused_text,
    remote_text,
)


def test_focus_says_everything_that_the_card_shows() -> None:
    """Number, customer, lines, time, state, place: in the order of importance."""
    row = card_row(
        13,
        number="48213",
        customer="Harrow and Finch Limited",
        lines_total=20,
        cut_off_ms=NOW_MS + 12 * MINUTE_MS,
        priority=1,
    )
    assert focus_text(row, 1, 142, NOW_MS, UTC) == (
        "Order 48213, Harrow and Finch Limited, 20 lines, 12 min, at risk, express. 1 of 142 in Confirmed."
    )


def test_focus_names_holds_and_cancellations() -> None:
    """States that eyes see as bands are words for ears."""
    held = focus_text(card_row(1, hold_reason="address needs checking"), 1, 2, NOW_MS, UTC)
    assert "on hold: address needs checking" in held
    assert "cancelled" in focus_text(card_row(1, is_cancelled=True), 1, 2, NOW_MS, UTC)
    shipped = focus_text(card_row(1, stage=Stage.SHIPPED), 1, 2, NOW_MS, UTC)
    assert shipped.endswith("4 lines. 1 of 2 in Shipped.")


def test_carrying_is_told_step_by_step() -> None:
    """Lift, over, drop, put back, refused: one order and many."""
    assert lifted_text("7", 1) == "Lifted order 7. Arrow keys move it, Space drops it, Escape puts it back."
    assert lifted_text("7", 5).startswith("Lifted 5 orders.")
    by_pointer = "Holding order 7. Let go over a column to move it, Escape puts it back."
    assert lifted_text("7", 1, is_by_keyboard=False) == by_pointer
    assert over_text(Stage.PICKING, 2, 7) == "Picking, place 2 of 7."
    assert dropped_text("7", 1, Stage.PICKING, 2) == "Order 7 moved to Picking, place 2. Not sent yet."
    assert dropped_text("7", 5, Stage.SHIPPED, 1) == "5 orders moved to Shipped. Not sent yet."
    assert put_back_text("7", Stage.CONFIRMED) == "Put back. Order 7 is in Confirmed."
    assert refused_text("On hold.") == "Not moved. On hold."


def test_the_connection_is_told() -> None:
    """Loss and return, and what others did meanwhile."""
    assert offline_text(NOW_MS, UTC) == "No connection since 10:24. You can keep working."
    assert online_text(0) == "Connected."
    assert online_text(1) == "Connected. 1 move sent."
    assert online_text(3) == "Connected. 3 moves sent."
    assert remote_text(4) == "4 orders moved by others."
