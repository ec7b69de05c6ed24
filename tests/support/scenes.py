"""Screenshot scenes as data: a fixed clock, the same orders, one look each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from support.card_rows import MINUTE_MS, NOW_MS, card_row
from support.list_source import ListSource
from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderException
from sync.contract.rows import CardRow, Fate
from sync.contract.stages import STAGES, Stage
from telemetry.recorder import MemoryRecorder
from widgets.banner import age_banner
from widgets.board.focus import Focus
from widgets.board.view import Board
from widgets.connection_badge import ConnectionState, LinkState
from widgets.main_window import MainWindow
from widgets.status_line import Figures
from widgets.theme import Look, ThemeName
from widgets.view_bar import Summary

ZONE = ZoneInfo("Europe/London")

_SOON, _NEXT, _LATER = NOW_MS + 12 * MINUTE_MS, NOW_MS + 42 * MINUTE_MS, NOW_MS + 330 * MINUTE_MS
_NEXT_DAY, _EXPRESS = "Parcelline Next Day", "Swiftway Express"
_PEOPLE = {"Bea F.": "u-bea", "Omar L.": "u-omar", "Tess W.": "u-tess", "Ivo P.": "u-ivo"}


def _order(
    local_id: int, *, cut: int | None, picked: int = 0, lines: int = 4, by: str = "", **more: object
) -> CardRow:
    """Return one order of the scene."""
    carrier = _NEXT_DAY if cut == _SOON else "Post Standard" if cut is None or cut > _NEXT else _EXPRESS
    base = {"cut_off_ms": cut, "carrier": carrier, "lines_total": lines, "lines_picked": picked}
    base |= {"pieces": lines * 3 - 1, "claimed_by": by, "claimed_id": _PEOPLE.get(by, "")}
    return card_row(local_id, **(base | more))


def _confirmed() -> list[CardRow]:
    """Return the orders that wait."""
    rows = [
        _order(11, cut=_SOON, lines=17, priority=1, has_note=True, pieces=31),
        _order(12, cut=_SOON, lines=3, priority=1),
        _order(13, cut=_SOON, lines=18, tags=("cold",)),
        _order(14, cut=_NEXT, lines=2),
        _order(15, cut=_NEXT, hold_reason="Address needs checking", hold_until_ms=NOW_MS + 96 * MINUTE_MS),
        _order(16, cut=_NEXT, lines=11, tags=("gift",)),
        _order(17, cut=_NEXT, lines=4, has_note=True),
        _order(18, cut=_NEXT, lines=7),
        _order(19, cut=_NEXT, lines=1, tags=("gift",), pieces=1),
    ]
    rows += [_order(each, cut=_NEXT, lines=1 + each % 9) for each in range(20, 50)]
    rows += [_order(each, cut=_LATER, lines=1 + each % 6) for each in range(50, 140)]
    return rows + [_order(each, cut=None, lines=1 + each % 4) for each in range(140, 152)]


def _picking() -> list[CardRow]:
    """Return the orders that are being picked, with every rare state."""
    more: dict[str, Any] = {"stage": Stage.PICKING}
    late = NOW_MS - 4 * MINUTE_MS + 1
    return [
        _order(201, cut=late, lines=8, picked=5, by="Bea F.", priority=1, **more),
        _order(202, cut=_SOON, lines=6, picked=4, by="Omar L.", is_cancelled=True, **more),
        _order(
            203, cut=_SOON, lines=9, picked=5, by="Bea F.", lines_short=4, backorder_number="70203-B", **more
        ),
        _order(204, cut=_SOON, lines=20, picked=2, by="Tess W.", **more),
        _order(205, cut=_NEXT, lines=6, picked=2, by="Ivo P.", **more),
        _order(206, cut=_NEXT, lines=3, picked=1, by="Tess W.", **more),
        _order(207, cut=_NEXT, lines=5, picked=2, by="Omar L.", **more),
        _order(208, cut=_NEXT, lines=9, picked=7, by="Bea F.", **more),
    ]


def _picked() -> list[CardRow]:
    """Return the orders that wait for packing."""
    more: dict[str, Any] = {"stage": Stage.PICKED}
    rows = [
        _order(301, cut=_SOON, lines=5, picked=5, by="Omar L.", **more),
        _order(302, cut=_SOON, lines=3, picked=3, fate=Fate.PENDING, **more),
        _order(303, cut=_SOON, lines=2, picked=2, exception="Two moves disagree", **more),
        _order(304, cut=_SOON, lines=22, picked=22, by="Ivo P.", **more),
        _order(305, cut=_NEXT, lines=1, picked=1, by="Tess W.", tags=("gift",), **more),
        _order(306, cut=_NEXT, lines=7, picked=7, by="Bea F.", **more),
        _order(307, cut=_NEXT, lines=4, picked=4, by="Ivo P.", fate=Fate.PENDING, **more),
    ]
    return rows + [
        _order(each, cut=_NEXT, lines=each % 7 + 1, picked=each % 7 + 1, by="Omar L.", **more)
        for each in range(308, 315)
    ]


def _shipped() -> list[CardRow]:
    """Return what left today."""
    return [
        _order(
            each, cut=NOW_MS - 9_000_000, lines=3, picked=3, stage=Stage.SHIPPED,
            stage_ms=NOW_MS - (each - 400) * 137_000, carrier=_NEXT_DAY if each % 3 else _EXPRESS,
        )
        for each in range(401, 505)
    ]  # fmt: skip


def scene_rows() -> list[CardRow]:
    """Return the orders of the dispatch scene."""
    return _confirmed() + _picking() + _picked() + _shipped()


def changed_rows() -> list[CardRow]:
    """Return the same, but sources have changed some of them."""
    words = {
        204: "Lines changed: SWM-SLT 12 → 10, GBX-M removed. Picking had begun.",
        205: "Lines changed: SWM-SLT 12 → 10, GBX-M removed. Picking had begun.",
        305: "Address changed after the order was picked.",
    }
    return [row._replace(exception=words.get(row.local_id, row.exception)) for row in scene_rows()]


def scene_order() -> Order:
    """Return the order that the panel shows: half picked, one line short, on hold."""
    lines = (
        LineItem(1, "SWM-SLT", "Stoneware mug, slate", 12, "B-02-3", 7),
        LineItem(2, "CN-OAT-4", "Cotton napkin, oat, set of 4", 6, "A-04-2", 6),
        LineItem(3, "OSB-L", "Oak serving board, large", 1, "A-11-1", 1),
        LineItem(4, "SWP-27", "Stoneware plate 27 cm", 6, "B-07-1", 4, quantity_cancelled=2),
        LineItem(5, "BWC-P", "Beeswax candle, pillar", 2, "C-15-4"),
        LineItem(
            6, "GBX-M", "Gift box, medium, with a ribbon and a card that is written by hand", 1, "D-01-1"
        ),
    )
    began = NOW_MS - 12 * MINUTE_MS
    return Order(
        id="order-205", organization_id="organization-1", site_id="site-1", source="test",
        external_ref="205", number="70205", stage=Stage.PICKING, placed_ms=began, stage_ms=began,
        created_ms=began, updated_ms=began, cut_off_ms=_NEXT, carrier=_EXPRESS, customer="Mill Street Shop",
        ship_to=Address(city="Harbour Town", postcode="HT9 4HP"), claimed_by=Claim("u-ivo", "Ivo P.", began),
        hold=Hold("incorrect address", "Tess W.", NOW_MS - 2 * MINUTE_MS), tags=("gift", "fragile"),
        note="The shop opens at 09:00, leave nothing at the gate.", lines=lines,
    )  # fmt: skip


def changed_order() -> Order:
    """Return the order whose source changed it under somebody's hands."""
    sentence = "Lines changed: SWM-SLT 12 → 10, GBX-M removed. Picking had begun."
    told = OrderException("LINES_CHANGED", sentence, "op-1", NOW_MS - 3 * MINUTE_MS)
    first, *rest, last = scene_order().lines
    lines = (
        msgspec.structs.replace(first, quantity_ordered=10),
        *rest,
        msgspec.structs.replace(last, quantity_cancelled=last.quantity_ordered, quantity_picked=1),
    )
    return msgspec.structs.replace(
        scene_order(), hold=None, exceptions=(told,), cut_off_rule="express", lines=lines
    )


def older_orders(count: int = 9) -> tuple[Order, ...]:
    """Return orders that left the board on earlier days, newest first."""
    day_ms = 24 * 60 * MINUTE_MS
    made = []
    for place in range(count):
        row = card_row(900 + place)
        ended_ms = NOW_MS - (1 + place * 5) * day_ms + place * 7 * MINUTE_MS
        made.append(
            msgspec.structs.replace(
                scene_order(), id=f"older-{place}", number=str(61_900 - 37 * place), customer=row.customer,
                ship_to=Address(city=row.city, postcode="HT9 4HP"), stage=Stage.SHIPPED, stage_ms=ended_ms,
                cancelled_ms=ended_ms if place == 2 else None, claimed_by=None, hold=None, retired_ms=NOW_MS,
                tracking_number="" if place == 2 else f"JD0146 0009 {7_781 + place * 113}",
            )
        )  # fmt: skip
    return tuple(made)


def older_order() -> Order:
    """Return the order that the panel shows read only."""
    return older_orders()[0]


@dataclass(frozen=True)
class Scene:
    """One picture: which orders, which look, what happens before it is taken."""

    name: str
    theme: ThemeName = ThemeName.LIGHT
    scale_percent: int = 100
    rows: Callable[[], list[CardRow]] = scene_rows
    is_offline: bool = False
    search: str = ""
    selected: tuple[int, ...] = ()
    drag_from: int | None = None
    drag_to: Stage | None = None
    focus: int | None = 14
    opened: Callable[[], Order] | None = None
    older: int = 0
    is_list_open: bool = False
    size: tuple[int, int] = field(default=(1920, 1080))


SCENES = (
    Scene("board-light"),
    Scene("board-dark", theme=ThemeName.DARK),
    Scene("board-high-contrast", theme=ThemeName.HIGH_CONTRAST),
    Scene("board-offline", is_offline=True),
    Scene("board-drag", selected=(11, 12, 13, 14, 16), drag_from=14, drag_to=Stage.PICKING),
    Scene("board-drag-refused", theme=ThemeName.DARK, drag_from=15, drag_to=Stage.PICKED),
    Scene("board-empty", rows=list, focus=None),
    Scene("board-no-match", search="harrbour", focus=None),
    Scene("board-200-percent", scale_percent=200),
    Scene("board-narrow", size=(1280, 800)),
    Scene("order-panel", focus=205, opened=scene_order),
    Scene("order-panel-dark", theme=ThemeName.DARK, focus=205, opened=scene_order),
    Scene(
        "order-panel-high-contrast",
        theme=ThemeName.HIGH_CONTRAST,
        focus=205,
        opened=scene_order,
        size=(1280, 800),
    ),
    Scene("order-panel-200-percent", scale_percent=200, focus=205, opened=scene_order),
    Scene("order-changed", focus=205, opened=changed_order, rows=changed_rows),
    Scene("order-changed-dark", theme=ThemeName.DARK, focus=205, opened=changed_order, rows=changed_rows),
    Scene("older-found", search="har", older=3),
    Scene("older-found-no-match", search="harrbour", focus=None, older=1),
    Scene("older-offline", search="har", is_offline=True),
    Scene("older-list", search="har", older=312, is_list_open=True),
    Scene("older-list-dark", theme=ThemeName.DARK, search="har", older=5, is_list_open=True),
    Scene(
        "older-list-high-contrast",
        theme=ThemeName.HIGH_CONTRAST,
        search="har",
        older=9,
        is_list_open=True,
        size=(1280, 800),
    ),
    Scene("older-list-200-percent", scale_percent=200, search="har", older=9, is_list_open=True),
    Scene("older-order", search="har", older=9, is_list_open=True, opened=older_order),
    Scene(
        "older-order-narrow-200-percent",
        scale_percent=200,
        search="har",
        older=9,
        is_list_open=True,
        opened=older_order,
        size=(1280, 800),
    ),
)
"""Every picture that ``make screenshots`` takes."""


def build_window(scene: Scene, look: Look) -> tuple[MainWindow, ListSource]:
    """Return the window of a scene, not shown yet."""
    source = ListSource(scene.rows())
    board = Board(look, lambda: NOW_MS, ZONE, MemoryRecorder(), _may_move(source))
    board.set_source(source)
    window = MainWindow(look, board, lambda: NOW_MS, ZONE, version="0.1.0")
    count = sum(source.total(stage) for stage in STAGES)
    window.header.set_place("Harbour Yard", "Station 2, packing hall")
    window.header.set_counts({"all": count})
    if count:
        window.header.set_needs_you(1)
        window.view_bar.set_summary(Summary(63, _NEXT, 4, 1), NOW_MS)
        window.view_bar.set_can_undo(True)
        window.status_line.set_last_action("#70302 moved to Picked by you, 10:23.", can_undo=True)
    if scene.is_offline:
        as_of = NOW_MS - 37 * MINUTE_MS
        window.header.set_connection(ConnectionState(LinkState.OFFLINE, since_ms=as_of, not_sent=2))
        window.banners.show_banner("age", age_banner(as_of, NOW_MS, ZONE))
    else:
        window.header.set_connection(
            ConnectionState(LinkState.LIVE, delay_ms=200, not_sent=2 if count else 0)
        )
    window.status_line.set_figures(Figures(9, 2.1, 0.2, 38, is_offline=scene.is_offline))
    window.resize(*scene.size)
    return window, source


def _may_move(source: ListSource) -> Callable[[tuple[int, ...], Stage], str]:
    """Return the rule of the scenes: what is on hold stays."""

    def may_move(ids: tuple[int, ...], _stage: Stage) -> str:
        is_held = any(source.row(one).hold_reason for one in ids)
        return "On hold: release it first" if is_held else ""

    return may_move


def stage_scene(scene: Scene, window: MainWindow, source: ListSource) -> None:
    """Bring a shown window to the moment of its picture, with real events."""
    board = window.board
    if scene.search:
        window.header.search.setText(scene.search)
        board.set_filter(scene.search)
        board.show_change(source.search(scene.search))
    if scene.focus is not None and not scene.search:
        board.setFocus(Qt.FocusReason.OtherFocusReason)
        board.focus_order(scene.focus)
    if scene.older:
        older = window.make_older()
        older.show_found(older_orders(min(scene.older, 9)), scene.older)
        if scene.is_list_open:
            older.open_list()
    elif scene.search and scene.is_offline:
        window.make_older().show_quiet("Older orders: only online")
    if scene.opened is not None:
        window.make_panel().open(scene.opened(), seconds_per_line=45)
    for local_id in scene.selected:
        board.change_focus(partial(Focus.toggle, local_id=local_id))
    if scene.drag_from is not None and scene.drag_to is not None:
        box = board.columns.visible_cards()[scene.drag_from]
        start = QPoint(box.x + 180, box.y + 40)
        goal = board.columns.each[STAGES.index(scene.drag_to)].box
        QTest.mousePress(board, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(board, start + QPoint(20, 10))
        QTest.mouseMove(board, QPoint(goal.x + 300, goal.y + 420))
