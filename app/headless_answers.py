"""Answers about the board without a window: its orders, how it stands, what words find. No Qt.

Orders of the board are found at once, older ones by the server's answer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from app.headless_lines import card_fields
from app.headless_wishes import MOST_ROWS, ListWish
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.news import ConnectionChanged, LinkState, OlderOrdersFound
from sync.client.search import expression
from sync.contract.orders import Order
from sync.contract.problems import Problem
from sync.contract.stages import STAGES, Stage

MOST_FOUND: Final = 50
NOTHING_TO_FIND: Final = Problem(
    "NOTHING_TO_FIND", "There is no word to look for.", 'Name a number or a word, like {"find": "SO-12"}.'
)


class _Wanted(NamedTuple):
    words: str
    ref: str


class HeadlessSearch:
    """One question after the other; each is answered by one ``found`` line."""

    def __init__(
        self,
        view: BoardView,
        find_older: Callable[[OlderQuestion], None],
        asker: str,
        say: Callable[[str, object], None],
        tell: Callable[[Problem, str], None],
    ) -> None:
        """Look through ``view``, ask ``find_older`` in the name of ``asker``; ``tell`` takes problems."""
        self._view = view
        self._find_older = find_older
        self._asker = asker
        self._say = say
        self._tell = tell
        self._waiting: deque[_Wanted] = deque()
        self._number = 0

    @property
    def is_waiting(self) -> bool:
        """Say whether the server still has to answer."""
        return bool(self._waiting)

    def find(self, words: str, ref: str, *, is_live: bool) -> None:
        """Look for ``words``; offline the board is all there is."""
        if not expression(words):
            self._tell(NOTHING_TO_FIND, ref)
        elif not is_live:
            self._answer(_Wanted(words, ref), None, None)
        else:
            self._waiting.append(_Wanted(words, ref))
            if len(self._waiting) == 1:
                self._ask()

    def on_found(self, news: OlderOrdersFound) -> None:
        """Take an answer; those to other programs' questions come by as well."""
        if (news.asker, news.number) != (self._asker, self._number) or not self._waiting:
            return
        wanted = self._waiting.popleft()
        if news.problem is not None:
            self._tell(news.problem, wanted.ref)
            self._answer(wanted, None, None)
        else:
            self._answer(wanted, [older_fields(order) for order in news.orders], news.total)
        if self._waiting:
            self._ask()

    def _ask(self) -> None:
        self._number += 1
        self._find_older(OlderQuestion(self._asker, self._number, self._waiting[0].words))

    def _answer(self, wanted: _Wanted, older: list[dict[str, Any]] | None, older_total: int | None) -> None:
        found = self._view.search(wanted.words)
        fields: dict[str, Any] = {
            "words": wanted.words,
            "total": len(found),
            "orders": [card_fields(row) for row in self._view.rows(found[:MOST_FOUND])],
            "older_total": older_total,
            "older": older,
        }
        self._say("found", fields | ({"ref": wanted.ref} if wanted.ref else {}))


def listed(view: BoardView, wish: ListWish) -> dict[str, Any]:
    """Return what a ``list`` line says: the orders of a known stage, or of all, in the board's order."""
    stages = [Stage(wish.stage)] if wish.stage else list(STAGES)
    limit = max(0, min(wish.limit, MOST_ROWS))
    ids = [local_id for stage in stages for local_id in view.ids(stage)[:limit]][:limit]
    orders = [card_fields(row) for row in view.rows(ids)]
    return {"stage": wish.stage, "total": sum(map(view.total, stages)), "orders": orders}


def board_status(view: BoardView, connection: ConnectionChanged, now_ms: int) -> dict[str, Any]:
    """Return what a ``status`` line says of the board, how old it is and what is not sent."""
    since_ms = connection.since_wall_ms
    is_live = connection.state is LinkState.LIVE
    return {
        "connection": connection.state,
        "since_ms": since_ms or None,
        "board_age_s": 0 if is_live else round((now_ms - since_ms) / 1000) if since_ms else None,
        "orders": {str(stage): view.total(stage) for stage in STAGES},
        "seq": view.info().cursor,
        "not_sent": view.not_sent_count(),
        "oldest_not_sent_ms": view.oldest_not_sent_ms(),
    }


def older_fields(order: Order) -> dict[str, Any]:
    """Return what a ``found`` line says of an order that left the board."""
    return {
        "number": order.number,
        "order_id": order.id,
        "stage": order.stage,
        "customer": order.customer or order.ship_to.name,
        "city": order.ship_to.city,
        "carrier": order.carrier,
        "tracking_number": order.tracking_number,
        "shipped_ms": order.stage_ms if order.stage is Stage.SHIPPED else None,
        "cancelled_ms": order.cancelled_ms,
    }
