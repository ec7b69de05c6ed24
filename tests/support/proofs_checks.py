"""What must be true of a floor when it is quiet again; each check returns sentences of what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from support.proofs_floor import Floor, FloorTerminal
from sync.contract.operations import LogEntry, Outcome
from sync.contract.orders import Order, patched

Lost = Callable[[FloorTerminal, Sequence[LogEntry]], Iterable[str]]


@dataclass
class Faults:
    """What went wrong, by promise."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    def add(self, more: Faults, where: str = "") -> None:
        """Take more in, each sentence beginning with ``where``."""
        for mine, theirs in ((self.lost, more.lost), (self.doubled, more.doubled), (self.other, more.other)):
            mine += [f"{where}{sentence}" for sentence in theirs]

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled or self.other)


def examine(floor: Floor, lost: Lost | None = None) -> Faults:
    """Compare what was said with what is in the log, and what the terminals show.

    ``lost`` says otherwise than usual what a terminal has lost.
    """
    log = floor.server.log()
    faults = Faults()
    for terminal in floor.terminals:
        faults.lost += (lost or _lost)(terminal, log)
        faults.other += terminal.deaths()
    faults.doubled += [*_doubled(log), *_changed_twice(log)]
    faults.other += [f"the server logged: {line}" for line in floor.server.errors()]
    if [entry.seq for entry in log] != list(range(1, len(log) + 1)):
        faults.other.append("the log's seq is not gapless from 1")
    truth = board_of(log)
    for terminal in floor.terminals:
        if terminal.is_running and terminal.board() != truth:
            faults.other.append(f"{terminal.name} shows another board than the log makes")
    return faults


def board_of(log: Sequence[LogEntry]) -> dict[str, str]:
    """Return the stage of every order that the log makes."""
    return {order.number: order.stage.value for order in _replayed(log)[0].values()}


def _lost(terminal: FloorTerminal, log: Sequence[LogEntry]) -> Iterable[str]:
    """What was called saved is in the log; what was called decided stands there as it was told."""
    logged = {entry.operation.op_id: entry for entry in log}
    for op_id in sorted(terminal.saved() - logged.keys()):
        yield f"{terminal.name} saved {op_id}, and it is not in the log"
    for line in terminal.fates("decided"):
        entry = logged.get(str(line["op_id"]))
        if entry is None or (entry.seq, entry.outcome) != (line["seq"], line["outcome"]):
            yield f"{terminal.name} was told {line['op_id']} is {line['outcome']} at {line['seq']}; it is not"


def _doubled(log: Sequence[LogEntry]) -> Iterable[str]:
    """No operation is in the log twice, and no number of a device has two."""
    own = [entry.operation for entry in log if entry.operation.device_id]
    for op_id, times in Counter(operation.op_id for operation in own).items():
        if times > 1:
            yield f"{op_id} is in the log {times} times"
    for (device, number), times in Counter((each.device_id, each.device_seq) for each in own).items():
        if times > 1:
            yield f"number {number} of {device} is in the log {times} times"


def _changed_twice(log: Sequence[LogEntry]) -> Iterable[str]:
    return _replayed(log)[1]


def _replayed(log: Sequence[LogEntry]) -> tuple[dict[str, Order], list[str]]:
    """Return the orders that the log makes, and where an entry changes more than itself."""
    orders: dict[str, Order] = {}
    wrong: list[str] = []
    for entry in log:
        order_id = entry.operation.order_id
        if entry.order is not None:
            orders[order_id] = entry.order
        elif entry.patch is not None:
            before = orders[order_id]
            orders[order_id] = patched(before, entry.patch)
            if orders[order_id].revision != before.revision + 1 or entry.outcome is Outcome.REJECTED:
                wrong.append(f"seq {entry.seq} changes {before.number} otherwise than once")
    return orders, wrong
