"""Carrying cards: lift, aim, drop, put back. The pointer and the keyboard both steer it.

Nothing here paints or moves orders: it tells which boxes to repaint, and one callback tells the move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sync.contract.operations import Source
from sync.contract.rows import CardRow
from sync.contract.stages import STAGES, Stage, stage_index
from widgets.announcements import (
    dropped_text,
    left_text,
    lifted_text,
    over_text,
    overtaken_text,
    put_back_text,
    refused_text,
)
from widgets.board.columns import Columns
from widgets.board.drag import PICTURE_MARGIN, Drag
from widgets.board.drop_place import drop_slot
from widgets.board.geometry import Box


@dataclass(frozen=True)
class CarryHooks:
    """What carrying needs from the board."""

    row_of: Callable[[int], CardRow | None]
    may_move: Callable[[tuple[int, ...], Stage], str]
    repaint: Callable[[Iterable[Box]], None]
    moved: Callable[[tuple[int, ...], Stage, Source], None]
    say: Callable[[str, bool], None]
    say_soon: Callable[[str], None]
    """Say something, but not before the picture."""
    released: Callable[[set[Stage]], None]
    """Some columns need not be held still any more."""


class Carry:
    """The one drag that there can be."""

    def __init__(self, columns: Columns, hooks: CarryHooks) -> None:
        """Carry cards over ``columns``."""
        self._columns = columns
        self._hooks = hooks
        self.drag: Drag | None = None

    @property
    def is_active(self) -> bool:
        """Whether cards are in the air (not: dropped and settling)."""
        return self.drag is not None and not self.drag.is_settling

    def held_stages(self) -> set[Stage]:
        """Return the stages whose columns must not change now."""
        drag = self.drag
        if drag is None or drag.is_settling:
            return set()
        return {stage for stage in STAGES if drag.holds(stage_index(stage))}

    def lift(
        self,
        local_id: int,
        ids: tuple[int, ...],
        point: tuple[int, int] | None,
        spot: tuple[int, int] | None = None,
    ) -> bool:
        """Lift ``ids`` by the card ``local_id``; ``point`` is the pointer, None for the keyboard.

        ``spot`` is the card's column and place when it is known, as of a card that was pressed.
        """
        found = spot or self._columns.find(local_id)
        row = self._hooks.row_of(local_id)
        if found is None or row is None:
            return False
        self.end_settling()
        column, place = found
        box = self._columns.each[column].card_box(place)
        lifted = box._replace(width=min(box.width, self._columns.each[0].box.width - 16))
        stages = self._columns.stages_of(ids) | {local_id: STAGES[column]}
        margin = self._columns.scaled(PICTURE_MARGIN)
        drag = Drag(ids, row, column, lifted, stages, margin, is_by_keyboard=point is None)
        if point is None:
            drag.box = box.moved(8, -6)
        else:
            drag.grab_x, drag.grab_y = point[0] - box.x, point[1] - box.y
        self.drag = drag
        self.note((local_id,))
        self._hooks.repaint([drag.picture_box, *self._ghost_boxes()])
        words = lifted_text(row.number, len(ids), is_by_keyboard=point is None)
        if point is None:
            self._hooks.say(words, False)
        else:
            self._hooks.say_soon(words)
        return True

    def note(self, changed: Iterable[int]) -> None:
        """Note that orders have changed: carried ones may be elsewhere now, or may not go any more."""
        drag, source = self.drag, self._columns.source
        if drag is None or drag.is_settling or source is None:
            return
        touched = [one for one in changed if one in drag.stages]
        if not touched:
            return
        now = {row.local_id: row.stage for row in source.rows(touched)}
        drag.left.difference_update(touched)
        drag.left.update(one for one in touched if now.get(one) is not drag.stages[one])
        if drag.target is not None and drag.target != drag.origin:
            drag.refusal = self._refusal(drag, self._columns.each[drag.target].stage)
            self._hooks.repaint([self._columns.each[drag.target].box])

    def _refusal(self, drag: Drag, stage: Stage) -> str:
        """Return why nothing of what is carried may go to a stage, "" when something may."""
        going = drag.going
        return self._hooks.may_move(going, stage) if going else self._overtaken(drag)

    def _overtaken(self, drag: Drag) -> str:
        """Return where the lead card went while it was carried."""
        source = self._columns.source
        rows = source.rows((drag.lead.local_id,)) if source is not None else []
        return overtaken_text(drag.lead.number, rows[0].stage if rows else None)

    def _ghost_boxes(self) -> list[Box]:
        """Return the boxes of the lifted cards where they came from."""
        assert self.drag is not None
        shown = self._columns.visible_cards()
        return [shown[one] for one in self.drag.ids if one in shown]

    def move_to(self, x: int, y: int) -> None:
        """Follow the pointer and aim at the column below it."""
        drag = self.drag
        if drag is None or drag.is_settling:
            return
        before = drag.picture_box
        drag.follow(x, y)
        hit = self._columns.hit(x, y)
        self._aim(hit.column if hit is not None else None)
        self._hooks.repaint([before, drag.picture_box])

    def aim_step(self, step: int) -> None:
        """Aim at the next column (keyboard): the lifted card is shown over its slot."""
        drag = self.drag
        if drag is None or drag.is_settling:
            return
        current = drag.origin if drag.target is None else drag.target
        goal = current + step
        if not 0 <= goal < len(STAGES):
            return
        before = drag.picture_box
        self._aim(goal)
        column = self._columns.each[goal]
        if drag.slot is not None:
            view = column.view
            y = column.content_y(column.slot_box().y)
            if not view.y <= column.slot_box().y < view.bottom - column.layout.card_height:
                column.scroll_to(y - view.height // 3)
                self._columns.moved()
                self._hooks.repaint([column.box])
            place = column.slot_box()
        else:
            found = self._columns.find(drag.lead.local_id)
            place = column.card_box(found[1]) if found is not None else drag.box
        drag.box = Box(place.x + 8, place.y - 6, drag.box.width, drag.box.height)
        self._hooks.repaint([before, drag.picture_box])
        self._hooks.say(self._over_words(drag), False)

    def _over_words(self, drag: Drag) -> str:
        """Return what is said while the lifted card is over a column."""
        target = drag.origin if drag.target is None else drag.target
        column = self._columns.each[target]
        if drag.refusal:
            return refused_text(drag.refusal)
        place = drag.slot.place + 1 if drag.slot is not None else 1
        return over_text(column.stage, place, len(column.ids) + (1 if drag.slot else 0))

    def _aim(self, target: int | None) -> None:
        """Point at a column: open its slot where the sort would put the card, or say why not."""
        drag = self.drag
        assert drag is not None
        if target == drag.target:
            return
        before = self.held_stages()
        self._close_slot()
        old, drag.target = drag.target, target
        drag.refusal = ""
        drag.slot = None
        if target is not None and target != drag.origin:
            column = self._columns.each[target]
            drag.refusal = self._refusal(drag, column.stage)
            drag.slot = drop_slot(drag.lead, column.stage, column.ids, column.groups, self._hooks.row_of)
            self._hooks.repaint(self._columns.set_slot(target, drag.slot))
        tinted = [
            self._columns.each[one].box for one in (old, target) if one is not None and one != drag.origin
        ]
        self._hooks.repaint(tinted)
        self._hooks.released(before - self.held_stages())

    def _close_slot(self) -> None:
        """Close the slot that is open, if one is."""
        drag = self.drag
        if drag is not None and drag.target is not None:
            self._hooks.repaint(self._columns.set_slot(drag.target, None))

    def drop(self) -> None:
        """Drop: tell the move, or put everything back where it was."""
        drag = self.drag
        if drag is None or drag.is_settling:
            return
        if not drag.can_drop or drag.target is None:
            if drag.refusal:
                self._hooks.say(refused_text(drag.refusal), True)
            self.put_back(is_silent=bool(drag.refusal))
            return
        stage = STAGES[drag.target]
        drag.is_settling = True
        boxes = [drag.picture_box, *self._ghost_boxes(), self._columns.each[drag.target].box]
        self._hooks.repaint(boxes)
        place = drag.slot.place + 1 if drag.slot is not None else 1
        going = drag.going
        self._hooks.say(dropped_text(drag.lead.number, len(going), stage, place), False)
        # First the move, then the columns that were held: the rows then already know the move.
        self._hooks.moved(going, stage, Source.KEY if drag.is_by_keyboard else Source.DRAG)
        if drag.left:
            # After the move, which says what it did.
            self._hooks.say(left_text(len(drag.left)), True)
        self._hooks.released(set(STAGES))

    def put_back(self, *, is_silent: bool = False) -> None:
        """Let go without moving anything."""
        drag = self.drag
        if drag is None:
            return
        self._close_slot()
        boxes = [drag.picture_box, *self._ghost_boxes()]
        if drag.target is not None:
            boxes.append(self._columns.each[drag.target].box)
        self.drag = None
        self._hooks.repaint(boxes)
        if not is_silent and drag.lead.local_id in drag.left:
            self._hooks.say(f"{self._overtaken(drag)}.", True)
        elif not is_silent:
            self._hooks.say(put_back_text(drag.lead.number, STAGES[drag.origin]), False)
        self._hooks.released(set(STAGES))

    def end_settling(self) -> None:
        """Stop drawing a dropped card in its slot: the rows tell where it is now."""
        drag = self.drag
        if drag is None or not drag.is_settling:
            return
        self._close_slot()
        boxes = self._ghost_boxes()
        if drag.target is not None:
            boxes.append(self._columns.each[drag.target].box)
        self.drag = None
        self._hooks.repaint(boxes)
