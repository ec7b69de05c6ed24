"""A floor terminal without a screen: takes wishes and news, writes lines. No threads, no files, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from app.headless_answers import HeadlessSearch, board_status, listed
from app.headless_changes import NOTHING_TO_UNDO, change_of, no_stage, no_way_back, number_of, way_back
from app.headless_lines import (
    ListWish,
    Wish,
    card_fields,
    line_of,
    operation_fields,
    read_wish,
    refused,
)
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.news import (
    BoardChanged,
    ClockSkew,
    ConnectionChanged,
    LinkState,
    News,
    OlderOrdersFound,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsSaved,
    ProblemArose,
    SnapshotApplied,
    Started,
    Stopped,
    Welcomed,
)
from sync.client.view_news import take_news
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import (
    Change,
    Operation,
    Outcome,
    Source,
)
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.ports import Clock, Ids
from sync.contract.problems import Problem
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
)
"""With a cached board there is work to do in spite of these; without one there is nothing."""
_FORGOTTEN: Final = 10_000


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


class Place(NamedTuple):
    """Which terminal this is, for the lines that say so."""

    profile: str
    server: str
    is_attached: bool
    version: str


class _Done(NamedTuple):
    """The last thing done here, for undo: the operation, and how often the order had changed then."""

    operation: Operation
    number: str
    revision: int
    before: Order


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
        self._own: dict[str, tuple[Operation, str, str]] = {}
        self._undecided: set[str] = set()
        self._last: _Done | None = None
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
        is_waited_for = bool(self._undecided) or self._search.is_waiting
        return is_waited_for and self._connection.state is LinkState.LIVE

    def close_view(self) -> None:
        """Let go of the cache; from now on only fates are told."""
        self._has_view = False
        self._view.close()

    # ------------------------------------------------------------------ news

    def on_news(self, news: News) -> None:
        """Take in what the engine says, and say it in lines."""
        if isinstance(news, Started | Welcomed):
            self._site, self._person = news.site, news.person
        if self._has_view:
            take_news(self._view, news, self._judge())
        match news:
            case Started():
                self._on_started(news)
            case ConnectionChanged(state, since_ms, detail):
                self._connection = news
                self._say("connection", {"state": state, "since_ms": since_ms or None, "detail": detail})
            case SnapshotApplied(seq, orders):
                self._say("snapshot", {"seq": seq, "orders": orders})
            case BoardChanged(changed=changed) if self._has_view:
                for row in self._view.rows(changed):
                    self._say("order", card_fields(row))
            case OlderOrdersFound() if self._has_view:
                self._search.on_found(news)
            case ProblemArose(problem):
                self._on_problem(problem)
            case ClockSkew(ms) if ms:
                minutes = round(abs(ms) / 60_000)
                self.problem(
                    Problem("CLOCK_SKEW", f"This computer's clock is {minutes} minutes off.", "Set it.")
                )
            case Stopped(is_clean):
                self.is_stopped = True
                self.has_failed = self.has_failed or not is_clean
                self._say("stopped", {"is_clean": is_clean})
            case _:
                self._on_fate(news)

    def _on_started(self, news: Started) -> None:
        self.is_started = True
        for operation in news.operations:
            self._know(operation)
        state = self._view.info()
        fields = {
            "profile": self._place.profile,
            "server": self._place.server,
            "attached": self._place.is_attached,
            "version": self._place.version,
            "orders": state.orders,
            "not_sent": self._view.not_sent_count(),
        }
        self._say("ready", fields)

    def _on_problem(self, problem: Problem) -> None:
        self.problem(problem)
        has_board = not self._has_view or bool(self._view.info().epoch)
        if not self.is_started or (problem.code in FATAL_WITHOUT_BOARD and not has_board):
            self.has_failed = True
            self.is_quitting = True

    def _on_fate(self, news: News) -> None:
        match news:
            case OperationsSaved(operations):
                for operation in operations:
                    self._know(operation)
                    self._say_fate(operation.op_id, "saved")
            case OperationsNotSaved(op_ids):
                self._undecided.difference_update(op_ids)
                for op_id in op_ids:
                    self._say_fate(op_id, "not_saved")
            case OperationsDecided(verdicts):
                for verdict in verdicts:
                    self._on_verdict(verdict)
            case OperationsDone(op_ids):
                self._undecided.difference_update(op_ids)
                for op_id in op_ids:
                    self._say_fate(op_id, "done")

    def _on_verdict(self, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.REJECTED:
            self._undecided.discard(verdict.op_id)
        more = {"outcome": verdict.outcome, "seq": verdict.seq}
        if verdict.reason:
            more |= {"reason": verdict.reason, "by": verdict.by, "at_ms": verdict.at_ms}
        self._say_fate(verdict.op_id, "decided", more)

    def _know(self, operation: Operation) -> None:
        """Remember an operation for the lines about its fate; the number of its order stays the same."""
        _, number, ref = self._own.get(operation.op_id, (operation, "", ""))
        if not number and self._has_view:
            local_id = self._view.local_id(operation.order_id)
            order = None if local_id is None else self._view.order(local_id)
            number = order.number if order is not None else ""
        self._own[operation.op_id] = (operation, number, ref)
        while len(self._own) > _FORGOTTEN:
            del self._own[next(iter(self._own))]

    def _say_fate(self, op_id: str, fate: str, more: dict[str, object] | None = None) -> None:
        known = self._own.get(op_id)
        if known is not None:
            self._say("operation", operation_fields(known[0], known[1], fate, known[2]) | (more or {}))

    # ------------------------------------------------------------------ wishes

    def on_line(self, line: str) -> None:
        """Do what a line of input asks for; a line that makes no sense is a problem, not the end."""
        wish = read_wish(line)
        if isinstance(wish, Problem):
            self.problem(wish)
        else:
            self._carry_out(wish)

    def _carry_out(self, wish: Wish) -> None:
        if wish.quit is not None:
            self.is_quitting = True
        elif wish.try_now is not None:
            self._engine.try_now()
        elif wish.status is not None:
            self._say("status", self._status())
        elif wish.list is not None:
            self._list(wish.list)
        elif wish.find is not None:
            self._search.find(wish.find, wish.ref, is_live=self._connection.state is LinkState.LIVE)
        elif wish.undo is not None:
            self._undo(wish.ref)
        else:
            self._change(wish)

    def _change(self, wish: Wish) -> None:
        change = change_of(wish)
        if isinstance(change, Problem):
            self.problem(change, wish.ref)
            return
        number = number_of(wish)
        order = self._find(number)
        if order is None:
            what = "Look at the number again; the list request names the orders of a stage."
            self.problem(
                Problem("ORDER_UNKNOWN", f"There is no order {number} on this board.", what), wish.ref
            )
            return
        self._submit(order, change, wish.ref)

    def _find(self, number: str) -> Order | None:
        local_id = self._view.find(number)
        return None if local_id is None else self._view.order(local_id)

    def _submit(self, order: Order, change: Change, ref: str, undoes: str = "", revision: int = 0) -> None:
        operation = Operation(
            op_id=self._ids.new(),
            order_id=order.id,
            change=change,
            source=Source.KEY,
            undoes=undoes,
            base_stage=order.stage,
            base_revision=revision or order.revision,
            wall_ms=self._clock.wall_ms(),
        )
        judge = self._judge()
        decision = self._view.decision(operation, judge)
        self._own[operation.op_id] = (operation, order.number, ref)
        if decision.outcome is Outcome.REJECTED:
            self.problem(refused(order.number, decision.reason), ref)
        elif decision.order is None:
            self._say_fate(operation.op_id, "nothing_to_do")
        else:
            self._undecided.add(operation.op_id)
            self._last = _Done(operation, order.number, decision.order.revision, order)
            self._view.begin((operation,), judge)
            self._engine.submit((operation,))

    def _undo(self, ref: str) -> None:
        last, self._last = self._last, None
        order = None if last is None else self._find(last.number)
        if last is None or order is None:
            self.problem(NOTHING_TO_UNDO, ref)
            return
        back = way_back(last.before, last.operation.change)
        if back is None:
            self.problem(no_way_back(last.number, last.operation.change), ref)
            return
        self._submit(order, back, ref, last.operation.op_id, last.revision)
        self._last = None

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

    def _say(self, name: str, fields: object) -> None:
        self._write(line_of(name, fields))

    def _judge(self) -> Judge:
        person = self._person
        if person is None:
            return Judge("", "", Role.VIEWER, self._clock.wall_ms())
        role = Role(person.role) if person.role in set(Role) else Role.VIEWER
        return Judge(person.id, person.name, role, self._clock.wall_ms())
