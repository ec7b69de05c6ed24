"""The one line above the board: what leaves next, what is at risk, what is late."""

from __future__ import annotations

from typing import Final

from sync.contract.stages import Stage
from widgets.board.rows import RowSource
from widgets.board.texts import Urgency, urgency
from widgets.view_bar import Summary

RISK_WINDOW_MS: Final = 3 * 3_600_000
"""Only what leaves within this time can be at risk; further away nobody worries yet."""
RISK_ROWS: Final = 150
"""Rows looked at in a column, nearest cut-off first: the line must not cost a frame."""
_OPEN: Final = (Stage.CONFIRMED, Stage.PICKING, Stage.PICKED)


def summarise(source: RowSource, now_ms: int, seconds_per_line: float) -> Summary:
    """Count the open orders of ``source`` by their cut-offs."""
    leaving: dict[int, int] = {}
    late = at_risk = 0
    for stage in _OPEN:
        risky = 0
        for group in source.groups(stage):
            cut_off_ms = group.key.cut_off_ms
            if cut_off_ms is None:
                continue
            if cut_off_ms < now_ms:
                late += group.count
            else:
                leaving[cut_off_ms] = leaving.get(cut_off_ms, 0) + group.count
            if 0 <= cut_off_ms - now_ms < RISK_WINDOW_MS and risky < RISK_ROWS:
                ids = source.ids(stage)[group.start : group.start + min(group.count, RISK_ROWS - risky)]
                risky += len(ids)
                rows = source.rows(ids)
                at_risk += sum(urgency(row, now_ms, seconds_per_line) is Urgency.AT_RISK for row in rows)
    soonest = min(leaving, default=None)
    count = leaving[soonest] if soonest is not None else 0
    return Summary(leaving=count, leave_by_ms=soonest, at_risk=at_risk, late=late)
