"""A floor terminal without a screen: takes wishes and news, writes lines. No threads, no files, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from app.headless_answers import HeadlessSearch, board_status, listed
from app.headless_changes import no_stage
from app.headless_fates import HeadlessFates
from app.headless_lines import card_fields, line_of, read_wish
from app.headless_needs import HeadlessNeeds
from app.headless_orders import HeadlessOrders
from app.headless_wishes import LAST, ListWish, Wish, change_wish
from app.site_zone import SiteZone
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.news import (
    BoardChanged,
    BoardRepaired,
    ClockSkew,
    ConnectionChanged,
    LinkState,
    NeedsYouChanged,
    News,
    OlderOrdersFound,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    ProblemArose,
    ProblemCleared,
    QueueStuck,
    SnapshotApplied,
    SnapshotHeld,
    Started,
    Stopped,
    Welcomed,
)
from sync.client.view_news import take_news
from sync.contract.messages import Person, Site
from sync.contract.operations import Operation, Outcome
from sync.contract.permissions import Role
from sync.contract.ports import Clock, Ids
from sync.contract.problems import Problem
from sync.contract.rows import CardRow
from sync.contract.stages import STAGES
from sync.contract.state_machine import Judge

FATAL_WITHOUT_BOARD: Final = (
    "SERVER_NOT_OURS",
    "SIGN_IN_NEEDED",
    "DEVICE_UNKNOWN",
    "DEVICE_REVOKED",
    "PROTOCOL_TOO_OLD",
    "PROTOCOL_TOO_NEW",
    "PROTOCOL_UNSUPPORTED",
    "OUTBOX_UNUSABLE",
    "OUTBOX_TOO_NEW",
    "CACHE_UNUSABLE",
    "PROFILE_READ_ONLY",
)
"""With a cached board there is work to do in spite of these; without one there is nothing."""
_NUMBERS: Final = 10_000
"""Orders whose numbers are still known when they leave the board."""


class Engine(Protocol):
    """What the floor needs of the engine, here or in another process."""

    def submit(self, drafts: Sequence[Operation]) -> None:
        """Make operations durable and send them."""
        ...

    def try_now(self) -> None:
        """Connect now."""
        ...

    def find_older(self, question: OlderQuestion) -> None:
        """Look for orders that left the board."""
        ...

    def acknowledge(self, op_id: str) -> None:
        """Somebody has seen an entry of the needs-you list."""
        ...

    def retry(self, op_id: str) -> None:
        """Try the operation of an entry again."""
        ...

    def accept_board(self) -> None:
        """Let a board in that was held back."""
        ...


class Place(NamedTuple):
    """Which terminal this is, for the lines that say so."""

    profile: str
    server: str
    is_attached: bool
    version: str


class HeadlessFloor:
    """One terminal; :meth:`on_line` and :meth:`on_news` are called one after the other."""

    def __init__(
        self,
        view: BoardView,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        place: Place,
        write: Callable[[str], None],
    ) -> None:
        """Show through ``view``, act through ``engine``, write lines with ``write``."""
        self._view = view
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._place = place
        self._write = write
        self._site: Site | None = None
        self._person: Person | None = None
        self._connection = ConnectionChanged(LinkState.CONNECTING, 0)
        self._zone = SiteZone(self._time_zone())
        self._numbers: dict[int, str] = {}
        self._fates = HeadlessFates(view, self._say, self._zone)
        self._orders = HeadlessOrders(
            view, engine.submit, clock, ids, self._fates, self.problem, self._judge, self._zone
        )
        self._needs = HeadlessNeeds(
            view, engine, self._orders.put, self._number_of, self._say, self.problem, self._zone
        )
        self._search = HeadlessSearch(view, engine.find_older, ids.new(), self._say, self.problem)
        self.is_started = False
        self.is_quitting = False
        self.is_stopped = False
        self.has_failed = False
        self._has_view = True

    @property
    def is_settled(self) -> bool:
        """Say whether requests can be answered sensibly: live, or known to be offline."""
        return self.is_started and self._connection.state in {LinkState.LIVE, LinkState.OFFLINE}

    @property
    def has_unsent(self) -> bool:
        """Say whether something that was asked for here is still on its way over a link that is up."""
        is_waited_for = self._fates.has_undecided or self._search.is_waiting
        return is_waited_for and self._connection.state is LinkState.LIVE

    def close_view(self) -> None:
        """Let go of the cache; from now on only fates are told."""
        self._has_view = self._fates.is_view_open = False
        self._view.close()

    # ------------------------------------------------------------------ news

    def on_news(self, news: News) -> None:
        """Take in what the engine says, and say it in lines."""
        if isinstance(news, Started | Welcomed):
            self._site, self._person = news.site, news.person
            self._zone.set_name(self._time_zone())
        if self._has_view:
            take_news(self._view, news, self._judge())
        match news:
            case Started():
                self._on_started(news)
            case ConnectionChanged(state, since_ms, detail):
                self._connection = news
                self._say("connection", {"state": state, "since_ms": since_ms or None, "detail": detail})
            case Stopped(is_clean):
                self.is_stopped = True
                self.has_failed = self.has_failed or not is_clean
                self._say("stopped", {"is_clean": is_clean})
            case OlderOrdersFound() if self._has_view:
                self._search.on_found(news)
            case ProblemArose() | ProblemCleared() | ClockSkew():
                self._on_trouble(news)
            case NeedsYouChanged(entries, removed):
                self._say("needs_you_changed", self._needs.take(entries, removed))
            case _:
                self._on_board(news)
                self._on_fate(news)

    def _on_started(self, news: Started) -> None:
        self.is_started = True
        for operation in news.operations:
            self._fates.know(operation)
        self._needs.take(news.needs_you)
        state = self._view.info()
        fields = {
            "profile": self._place.profile,
            "server": self._place.server,
            "attached": self._place.is_attached,
            "version": self._place.version,
            "orders": state.orders,
            "not_sent": self._view.not_sent_count(),
            "needs_you": len(news.needs_you),
        }
        self._say("ready", fields)

    def _on_trouble(self, news: ProblemArose | ProblemCleared | ClockSkew) -> None:
        match news:
            case ProblemArose(problem):
                self._on_problem(problem)
            case ProblemCleared(code):
                self._say("problem_over", {"code": code})
            case ClockSkew(ms) if ms:
                minutes = round(abs(ms) / 60_000)
                self.problem(
                    Problem("CLOCK_SKEW", f"This computer's clock is {minutes} minutes off.", "Set it.")
                )

    def _on_problem(self, problem: Problem) -> None:
        self.problem(problem)
        has_board = not self._has_view or bool(self._view.info().epoch)
        if not self.is_started or (problem.code in FATAL_WITHOUT_BOARD and not has_board):
            self.has_failed = True
            self.is_quitting = True

    def _on_board(self, news: News) -> None:
        """Say what became of the board."""
        match news:
            case SnapshotApplied(seq, orders):
                self._numbers.clear()
                self._say("snapshot", {"seq": seq, "orders": orders})
            case SnapshotHeld(removed, is_open):
                self._say("snapshot_held", {"removed": removed, "open": is_open})
            case BoardRepaired(orders):
                self._say("repaired", {"orders": orders})
            case QueueStuck(since_ms, count):
                self._say("stuck", {"since_ms": since_ms or None, "count": count})
            case BoardChanged(changed, removed) if self._has_view:
                for row in self._view.rows(changed):
                    self._say_order(row)
                self._say_retired(removed)

    def _say_order(self, row: CardRow) -> None:
        self._numbers[row.local_id] = row.number
        if len(self._numbers) > _NUMBERS:
            del self._numbers[next(iter(self._numbers))]
        self._say("order", card_fields(row))

    def _say_retired(self, removed: Sequence[int]) -> None:
        if removed:
            known = (self._numbers.pop(local_id, "") for local_id in removed)
            self._say("retired", {"orders": len(removed), "numbers": [each for each in known if each]})

    def _on_fate(self, news: News) -> None:
        """Say what became of operations; what was not accepted cannot be taken back."""
        self._fates.on_news(news)
        match news:
            case OperationsNotSaved(op_ids):
                self._orders.forget(op_ids)
            case OperationsDecided(verdicts):
                self._orders.forget(each.op_id for each in verdicts if each.outcome is Outcome.REJECTED)
            case OperationsDone(op_ids) | BoardChanged(op_ids=op_ids) | SnapshotApplied(op_ids=op_ids):
                self._orders.note_shown(op_ids)

    # ------------------------------------------------------------------ wishes

    def on_line(self, line: str) -> None:
        """Do what a line of input asks for; a line that makes no sense is a problem, not the end."""
        wish = read_wish(line)
        if isinstance(wish, Problem):
            self.problem(wish)
        else:
            self._carry_out(wish)

    def _carry_out(self, wish: Wish) -> None:
        if change_wish(wish) is not None:
            self._orders.change(wish)
        elif wish.create is not None:
            self._orders.create(wish.create, self._site, wish.ref)
        elif wish.undo is not None:
            self._orders.undo(wish.undo if isinstance(wish.undo, str) else LAST, wish.ref)
        elif wish.find is not None:
            self._search.find(wish.find, wish.ref, is_live=self._connection.state is LinkState.LIVE)
        elif wish.list is not None:
            self._list(wish.list)
        elif not self._needs.answer(wish):
            self._steer(wish)

    def _steer(self, wish: Wish) -> None:
        """Carry out what is about the program itself."""
        if wish.quit is not None:
            self.is_quitting = True
        elif wish.try_now is not None:
            self._engine.try_now()
        elif wish.accept_board is not None:
            self._engine.accept_board()
        else:
            self._say("status", self._status())

    def _list(self, wish: ListWish) -> None:
        if wish.stage and wish.stage not in set(STAGES):
            self.problem(no_stage(wish.stage))
        else:
            self._say("list", listed(self._view, wish))

    def _status(self) -> dict[str, object]:
        return {
            **board_status(self._view, self._connection, self._clock.wall_ms()),
            "site": self._site.name if self._site else "",
            "person": self._person.name if self._person else "",
            "person_id": self._person.id if self._person else "",
            "role": self._person.role if self._person else "",
            "profile": self._place.profile,
            "server": self._place.server,
            "attached": self._place.is_attached,
            "version": self._place.version,
        }

    # ------------------------------------------------------------------ words

    def problem(self, problem: Problem, ref: str = "") -> None:
        """Say that something is wrong."""
        fields = {"code": problem.code, "sentence": problem.sentence, "what_to_do": problem.what_to_do}
        self._say("problem", fields | ({"ref": ref} if ref else {}))

    def _number_of(self, order_id: str) -> str:
        """Return the number of an order that this terminal has, or did something to."""
        order = self._fates.order(order_id)
        return self._fates.number(order_id) if order is None else order.number

    def _time_zone(self) -> str:
        return self._site.time_zone if self._site else ""

    def _say(self, name: str, fields: object) -> None:
        self._write(line_of(name, fields))

    def _judge(self) -> Judge:
        person = self._person
        if person is None:
            return Judge("", "", Role.VIEWER, self._clock.wall_ms())
        role = Role(person.role) if person.role in set(Role) else Role.VIEWER
        return Judge(person.id, person.name, role, self._clock.wall_ms())
