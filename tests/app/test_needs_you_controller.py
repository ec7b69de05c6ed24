"""What waits for a person, in the window: a count, a banner each, seen when it is closed."""

from __future__ import annotations

from support.client_bench import ClientBench
from support.drafts import draft
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import NeedsYouChanged, OperationsDecided, Started
from sync.contract.messages import Verdict
from sync.contract.operations import Acknowledge, Cancel, Outcome, Pick, PutOnHold, Reason, Ship
from sync.contract.orders import lines_crc
from sync.contract.stages import Stage


def _entry(op_id: str, order_id: str = "gone") -> NeedsYou:
    verdict = Verdict(1, op_id, 9, Outcome.REJECTED, Reason.FORBIDDEN)
    return NeedsYou(op_id, NeedsYouKind.REJECTED, 5, draft(op_id, order_id), verdict)


def _banners(bench: ClientBench) -> dict[str, tuple[str, str]]:
    shown = bench.client.window.banners._shown
    return {key: (message.strong, message.text) for key, (message, _) in shown.items()}


def _count(bench: ClientBench) -> str:
    button = bench.client.window.header._needs_you
    return button.text().rpartition(" ")[2] if button.isVisible() else ""


def test_entries_of_an_earlier_run_are_counted_and_shown_when_asked_for(bench: ClientBench) -> None:
    """Nothing jumps at the person at the start; the count says that something is there."""
    entries = tuple(_entry(f"op-{place}") for place in range(5))
    bench.tell(Started((), None, None, 0, entries))
    assert (_count(bench), _banners(bench)) == ("5", {})
    bench.client.window.header.needs_you_requested.emit()
    assert list(_banners(bench)) == ["needs:op-2", "needs:op-3", "needs:op-4"]
    bench.client.window.banners._close("needs:op-4")
    assert bench.engine.acknowledged == ["op-4"]
    bench.tell(NeedsYouChanged((), ("op-4", "unknown")))
    assert _count(bench) == "4"


def test_a_refusal_is_one_banner_and_seen_when_it_is_closed(bench: ClientBench) -> None:
    """The verdict and its entry are the same matter, in the same words."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    (operation,) = bench.save()
    verdict = Verdict(1, operation.op_id, 9, Outcome.REJECTED, Reason.FORBIDDEN)
    bench.tell(OperationsDecided((verdict,)))
    first = _banners(bench)
    bench.tell(NeedsYouChanged((NeedsYou(operation.op_id, NeedsYouKind.REJECTED, 5, operation, verdict),)))
    assert _banners(bench) == first
    assert _count(bench) == "1"
    bench.client.window.banners._close(f"needs:{operation.op_id}")
    assert bench.engine.acknowledged == [operation.op_id]


def test_a_banner_that_is_no_entry_is_just_closed(bench: ClientBench) -> None:
    """A move that the program itself refused waits nowhere."""
    bench.client.controller.refused.emit("order-1", "#SO-1 is on hold.", "")
    bench.client.window.banners._close("needs:order-1")
    bench.client.window.banners._close("cut")
    assert bench.engine.acknowledged == []


def test_what_was_told_before_is_not_told_again(bench: ClientBench) -> None:
    """That somebody has seen it may be refused as well; what was set aside is in the list already."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.engine.submitted += [
        draft("seen", order.id, Acknowledge("op")),
        draft("aside", order.id, Cancel()),
    ]
    bench.save()
    for number, op_id, reason in ((1, "seen", Reason.FORBIDDEN), (2, "aside", Reason.QUARANTINED)):
        bench.tell(OperationsDecided((Verdict(number, op_id, 9, Outcome.REJECTED, reason),)))
    assert _banners(bench) == {}


def test_an_entry_without_an_order_here_is_told_all_the_same(bench: ClientBench) -> None:
    """The order left while the program was not running; a salvage never had one."""
    bench.tell(NeedsYouChanged((_entry("op"),)))
    assert _banners(bench)["needs:op"][0] == "Your last change came too late: its order had left the board."


def test_what_an_own_fact_opened_is_told_when_the_board_has_it(bench: ClientBench) -> None:
    """Another program of this profile shipped an order that was put on hold meanwhile."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.engine.submitted.append(draft("ship", order.id, Ship("JD01")))
    operations = bench.save()
    bench.server.decide(draft("h", order.id, PutOnHold("incorrect address")))
    bench.decide(operations)
    strong, text = _banners(bench)["needs:ship"]
    assert strong == f"#{order.number} is on hold: incorrect address."
    assert text.endswith("Do not hand it over. If it has gone, call the carrier.")


def test_pieces_of_a_cancelled_order_go_back(bench: ClientBench) -> None:
    """With the shelves; the same is not told again when another page changes the order."""
    (local_id,) = bench.first(Stage.PICKING)
    order = bench.client.view.order(local_id)
    assert order is not None
    line = next(line for line in order.lines if line.quantity_open)
    bench.engine.submitted.append(draft("pick", order.id, Pick(line.position, 1, line.sku)))
    operations = bench.save()
    bench.server.decide(draft("c", order.id, Cancel()))
    bench.decide(operations)
    strong, text = _banners(bench)["needs:pick"]
    assert strong.startswith(f"#{order.number} was cancelled at ")
    assert "Put back: " in text
    assert line.location in text
    bench.client.window.banners._close("needs:pick")
    bench.decide([])
    assert _banners(bench) == {}


def test_a_finished_pick_names_the_lines_that_were_shown(bench: ClientBench) -> None:
    """The server can say that they changed; the undo goes back through the picking column."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    controller = bench.client.controller
    controller.on_move_requested((local_id,), Stage.PICKING)
    order = bench.client.view.order(local_id)
    assert order is not None
    controller.on_move_requested((local_id,), Stage.PICKED)
    begun, finished = bench.engine.submitted
    assert (begun.base_lines, finished.base_lines) == (None, lines_crc(order))
    controller.undo()
    controller.undo()
    back = bench.engine.submitted[2:]
    assert [operation.undoes for operation in back] == [finished.op_id, begun.op_id]
    assert bench.stage(local_id) is Stage.CONFIRMED
