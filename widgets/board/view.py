"""The board: one widget that paints all columns.

A widget per card needs seconds and hundreds of megabytes at 10,000 orders; this one asks its
:class:`~widgets.board.rows.RowSource` for the rows that show and paints them from prepared pictures.
It never moves an order: it asks (``move_requested``) and shows what the rows say.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from sync.contract.operations import Source
from sync.contract.ports import Recorder
from sync.contract.rows import BoardChange
from sync.contract.stages import STAGES, Stage, next_stage, previous_stage
from widgets.announcements import end_text, refused_text
from widgets.board.canvas import PaintObserver
from widgets.board.carry import Carry, CarryHooks
from widgets.board.drag import Drag
from widgets.board.focused_canvas import FocusedCanvas
from widgets.board.keys import BoardKeys
from widgets.board.mouse import BoardMouse
from widgets.board.no_match import NoMatch
from widgets.board.rows import RowSource
from widgets.theme.look import Look
from widgets.words import translate

MayMove = Callable[[tuple[int, ...], Stage], str]
"""Answers "" when these orders may go to the stage, else the reason as a sentence for people."""

_SETTLE_MS = 3_000
"""How long a dropped card is drawn in its slot while the rows say nothing."""

_NEXT_FRAME_MS = 30
"""When the picture of a lift has gone to the screen: its words, which are painted too, come after it."""


class _Landing(NamedTuple):
    """A dropped card that gets its place, and the height it was dropped at, if that has to be kept."""

    local_id: int
    column: int
    y: int | None


class Board(FocusedCanvas):
    """All columns of the board."""

    move_requested = Signal(object, object, object)
    order_opened = Signal(object)
    filter_clear_requested = Signal()
    elsewhere_requested = Signal()

    def __init__(
        self,
        look: Look,
        now_ms: Callable[[], int],
        zone: tzinfo,
        recorder: Recorder,
        may_move: MayMove,
        *,
        source: RowSource | None = None,
        observer: PaintObserver | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Show ``source`` in ``look``; times are told in ``zone``; paints are told to ``recorder``."""
        super().__init__(look, now_ms, zone, recorder, observer, parent)
        self._may_move = may_move
        self.filter_words = ""
        self._pending: set[Stage] = set()
        self.carry = Carry(self.columns, self._hooks())
        self._mouse = BoardMouse(self)
        self._keys = BoardKeys(self)
        self._no_match = NoMatch(look, self)
        self._no_match.clear_requested.connect(self.filter_clear_requested)
        self._no_match.more_requested.connect(self.elsewhere_requested)
        self._settle_timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle_timer.timeout.connect(self._give_up_settling)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setObjectName("board")
        self._name()
        if source is not None:
            self.set_source(source)

    def _hooks(self) -> CarryHooks:
        """Return what carrying needs from this widget."""
        return CarryHooks(
            row_of=self.row,
            may_move=self._may_move,
            repaint=self.repaint_boxes,
            moved=self._tell_move,
            say=lambda words, is_assertive: self.say(words, is_assertive=is_assertive),
            say_soon=lambda words: QTimer.singleShot(_NEXT_FRAME_MS, self, partial(self._say_carried, words)),
            released=self._release,
        )

    def _name(self) -> None:
        """Name the board for screen readers."""
        self.setAccessibleName(translate("Board", "Board of orders"))
        self.setAccessibleDescription(
            translate(
                "Board", "Four columns. Arrow keys walk over the orders, Space lifts one, Enter opens it."
            )
        )

    def current_drag(self) -> Drag | None:
        """Return what is being carried."""
        return self.carry.drag

    # ------------------------------------------------------------ what it shows

    def set_source(self, source: RowSource) -> None:
        """Show ``source``: reads all columns anew."""
        # What is pressed or carried is known by ids of the old source.
        self.carry.put_back(is_silent=not self.is_dragging)
        self._mouse.forget()
        self._pending.clear()
        self.pictures.shelf.clear()
        self.pictures.groups.forget()
        self.columns.set_source(source)
        self.focus_state.drop_missing()
        if self.focus_state.follow():
            self.tell_focus()
        self._show_emptiness()
        self.update()

    def show_change(self, change: BoardChange) -> None:
        """Repaint the cards of ``change.rows`` that show, and what differs in ``change.columns``."""
        source = self.columns.source
        if source is None:
            return
        self.pictures.shelf.forget(change.rows)
        self.pictures.groups.forget()
        self.carry.note(change.rows)
        if change.columns:
            self._read(set(change.columns))
        shown = self.columns.visible_cards()
        self.repaint_boxes(shown[one] for one in change.rows if one in shown)

    def _read(self, stages: set[Stage]) -> None:
        """Read columns anew, but leave those alone that the pointer holds still."""
        held = self._held_stages() & stages
        landing = self._landing(stages)
        self._pending = (self._pending | held) - (stages - held)
        stages = stages - held
        if not stages:
            return
        if landing is not None:
            self._settle_timer.stop()
            self.carry.end_settling()
        self.repaint_boxes(self.columns.read(stage for stage in STAGES if stage in stages))
        if landing is not None and landing.y is not None:
            self._keep_landed(landing)
        self._repaint_stale(stages)
        self.focus_state.drop_missing()
        if STAGES[self.focus_state.column] not in self._held_stages() and self.focus_state.follow():
            self.tell_focus()
        self._show_emptiness()

    def _held_stages(self) -> set[Stage]:
        """Return the stages whose columns stay as they are: those of a drag, and that of a pressed card."""
        return self.carry.held_stages() | self._mouse.held_stages()

    def _landing(self, stages: set[Stage]) -> _Landing | None:
        """Return what has been dropped and now gets its place, if its column is about to be read."""
        drag = self.carry.drag
        if drag is None or not drag.is_settling or drag.target is None or STAGES[drag.target] not in stages:
            return None
        # Without others' changes the card stands where its slot was, or below the header that it opens.
        is_late = STAGES[drag.target] in self._pending and drag.slot is not None
        y = self.columns.each[drag.target].slot_box().y if is_late else None
        return _Landing(drag.lead.local_id, drag.target, y)

    def _keep_landed(self, landing: _Landing) -> None:
        """Let a dropped card stand where it was dropped, whatever others did to its column meanwhile."""
        assert landing.y is not None
        if self.columns.keep_at(landing.local_id, landing.column, landing.y):
            self.repaint_boxes([self.columns.each[landing.column].box])

    def _repaint_stale(self, stages: set[Stage]) -> None:
        """Repaint cards whose rows differ from the painted ones, named in the change or not."""
        source, shown = self.columns.source, self.columns.visible_cards()
        assert source is not None
        ids = [
            column.ids[item.number]
            for column in self.columns.each
            if column.stage in stages
            for item in column.visible()
            if item.kind == "card"
        ]
        self.repaint_boxes(shown[one] for one in self.pictures.shelf.stale(source, ids) if one in shown)

    def set_filter(self, words: str) -> None:
        """Say what the next rows are filtered by ("" = nothing), and begin at the top of them."""
        if words != self.filter_words:
            self._scroll_for_filter(is_filtered=bool(words))
        self.filter_words = words
        self.is_filtered = bool(words)
        self._show_emptiness()
        self.update()

    def _scroll_for_filter(self, *, is_filtered: bool) -> None:
        """Go to the top of new hits, or back to where everything stood; never below a pressed card."""
        if self._held_stages():
            self.columns.forget_filter()
        elif is_filtered:
            self.columns.begin_filter()
        else:
            self.columns.end_filter()

    def offer_elsewhere(self, text: str, is_listed: bool = False) -> None:
        """Offer what the filter's words find elsewhere ("": nothing), or know that it is listed already."""
        self._no_match.show_more(text, is_listed=is_listed)

    def _show_emptiness(self) -> None:
        """Show "No order matches" when a filter leaves nothing at all."""
        is_shown = bool(self.filter_words) and self.columns.source is not None and self.columns.is_empty
        self._no_match.show_words(self.filter_words if is_shown else "")

    def set_seconds_per_line(self, seconds: float) -> None:
        """Set the site's median seconds per line, from which "at risk" is worked out."""
        self.seconds_per_line = seconds
        self.pictures.seconds_per_line = seconds
        self.on_minute()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._no_match.set_look(look)
        super().set_look(look)

    def on_minute(self) -> None:
        """Tell the times anew: a minute has passed."""
        self.pictures.shelf.forget_pictures()
        self.pictures.groups.forget()
        self.update()

    # ------------------------------------------------------------ moves

    def request_move(self, step: int) -> None:
        """Ask to move the targets one stage forward (1) or back (-1); the focused column decides."""
        self.request_move_of(self.targets(), step)

    def request_move_of(self, ids: tuple[int, ...], step: int) -> None:
        """Ask to move these orders one stage forward (1) or back (-1); the first one's column decides."""
        row = self.row(ids[0]) if ids and not self.is_dragging else None
        if row is None:
            return
        stage = next_stage(row.stage) if step > 0 else previous_stage(row.stage)
        if stage is None:
            self.announced.emit(end_text(row.stage), False)
            return
        reason = self._may_move(ids, stage)
        if reason:
            self.announced.emit(refused_text(reason), True)
        else:
            self._tell_move(ids, stage, Source.KEY)

    def _tell_move(self, ids: tuple[int, ...], stage: Stage, source: Source) -> None:
        """Emit the move and how it was given; typed, because signals check nothing."""
        self._settle_timer.start()
        self.move_requested.emit(ids, stage, source)
        if not self.focus_state.selected.keys().isdisjoint(ids):
            # The next ] is meant for the card with the focus, not again for what has just gone.
            self.change_focus(lambda focus: focus.clear())

    def open_focused(self) -> None:
        """Open the focused order; while cards are in the air, Enter drops them instead."""
        local_id = self.focused()
        if self.is_dragging:
            self._keys.drop()
        elif local_id is not None:
            self.open_order(local_id)

    def open_order(self, local_id: int) -> None:
        """Tell that a person wants to see an order."""
        self.order_opened.emit(local_id)

    # ------------------------------------------------------------ carrying

    @property
    def is_dragging(self) -> bool:
        """Whether cards are in the air."""
        return self.carry.is_active

    def cancel_drag(self) -> None:
        """Put lifted cards back."""
        self.carry.put_back()
        self._mouse.forget()
        self.release_columns()

    def lift(
        self,
        local_id: int,
        point: tuple[int, int] | None,
        began: float | None = None,
        spot: tuple[int, int] | None = None,
    ) -> bool:
        """Lift an order, or the selection if it is part of it; ``began`` is the event's own time.

        ``spot`` is the column and the place of a card that was pressed.
        """
        state = self.focus_state
        ids = tuple(state.selected) if local_id in state.selected else (local_id,)
        is_lifted = self.carry.lift(local_id, ids, point, spot)
        self.begin_lift(began if is_lifted else None)
        return is_lifted

    def release_columns(self) -> None:
        """Read the columns that waited for a pressed card to be let go."""
        self._release(set(STAGES) - self._held_stages())

    def _say_carried(self, words: str) -> None:
        """Say what is held, unless it was let go since."""
        if self.is_dragging:
            self.say(words)

    def _release(self, stages: set[Stage]) -> None:
        """Read the columns that waited for the drag to leave them."""
        waiting = self._pending & stages
        self._pending -= waiting
        if waiting:
            self._read(waiting)

    def _give_up_settling(self) -> None:
        """Show what the rows say: nobody answered the drop."""
        if self.carry.drag is not None and self.carry.drag.is_settling:
            self.carry.end_settling()
            self._read(set(STAGES))

    # ------------------------------------------------------------ input

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out, and keep the panel in the middle."""
        super().resizeEvent(event)
        self._no_match.centre()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Arm a drag, or act on what is below the pointer."""
        self._mouse.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Lift, carry or scroll."""
        self._mouse.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop, or finish a click."""
        self._mouse.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the order below the pointer."""
        self._mouse.double_click(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll the column below the pointer, or sideways."""
        self._mouse.wheel(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk, select, lift; everything else goes on to the actions."""
        if not self._keys.handle(event):
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the ring and say where it is; the first time, focus the first card."""
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.MouseFocusReason:
            if self.focus_state.local_id is None:
                self.focus_first()
            else:
                self.tell_focus()
        self.repaint_boxes(())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the ring; cards lifted by keyboard go back, because Escape cannot reach them any more."""
        super().focusOutEvent(event)
        drag = self.carry.drag
        if drag is not None and drag.is_by_keyboard and not drag.is_settling:
            self.carry.put_back()
        self.repaint_boxes(())
