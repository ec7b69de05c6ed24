"""Write the transcript of the newest protocol: ``python tests/golden/make_protocol.py`` from the root.

A transcript is made once, with the release that speaks it first; from then on the tests hold both
programs to it. The server's words are written here, the client's are what the machine says.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.golden_protocol import FOLDER, Player  # noqa: E402 - the path comes first
from support.machine_bench import PERSON, SITE  # noqa: E402
from sync.contract import messages  # noqa: E402
from sync.contract import operations as ops  # noqa: E402
from sync.contract.codec import encode  # noqa: E402
from sync.contract.messages import ServerMessage  # noqa: E402
from sync.contract.operations import Change, LogEntry, Operation, Outcome, Reason  # noqa: E402
from sync.contract.orders import (  # noqa: E402
    HASH_MODULUS,
    Address,
    LineItem,
    Order,
    OrderPatch,
    canonical_bytes,
    row_hash,
)
from sync.contract.problems import Problem  # noqa: E402
from sync.contract.stages import Stage  # noqa: E402

NOW = 1_700_000_000_000
MUG = LineItem(1, "SKU-1", "Mug – blue", 2, "A-03")


def order(number: int, **fields: object) -> Order:
    """Return an order of the board."""
    plain = Order(
        f"order-{number}", "organization-1", "site-1", "demo", f"ref-{number}", f"SO-104{number}",
        Stage.CONFIRMED, NOW - 5_000, NOW - 5_000, NOW - 5_000, NOW - 5_000, cut_off_ms=NOW + 3_600_000,
        ship_method="express", carrier="DHL", customer="Zoë Ågren", ship_to=Address(city="York"),
        tags=("gift",), lines=(MUG,),
    )  # fmt: skip
    return msgspec.structs.replace(plain, **fields)


def board_hash(*orders: Order) -> int:
    """Return the state hash of a board."""
    return sum(row_hash(canonical_bytes(each)) for each in orders) % HASH_MODULUS


def server(message: ServerMessage) -> dict[str, Any]:
    """Return the line of something that the server says."""
    return {"from": "server", "frame": json.loads(encode(message))}


def submit(*changes: Change, first: int, **fields: object) -> dict[str, Any]:
    """Return the line of operations that a person makes on the first order."""
    made = [
        msgspec.structs.replace(Operation(f"op-{number}", "order-1", change), **fields)
        for number, change in enumerate(changes, first)
    ]
    return {"from": "person", "submit": msgspec.to_builtins(made)}


def clock(timer: str) -> dict[str, Any]:
    """Return the line of a timer that fires."""
    return {"from": "clock", "fire": timer}


def applied(seq: int, number: int, change: Change, **more: object) -> LogEntry:
    """Return the log entry of one of the operations."""
    operation = Operation(f"op-{number}", "order-1", change, "device-1", number, "person-1")
    return msgspec.structs.replace(LogEntry(seq, operation, Outcome.APPLIED, NOW, "Eva"), **more)


_WORK: tuple[Change, ...] = (
    ops.Unclaim(),
    ops.Take(),
    ops.RequestHandover(),
    ops.Assign("person-2", "Ali", "person-3"),
    ops.Prioritise(2),
    ops.PutOnHold("incorrect address", "no house number", NOW + 86_400_000),
    ops.Release(),
    ops.Cancel("too late"),
    ops.Reinstate(),
    ops.Pick(1, 2, "SKU-1"),
    ops.ShortPick((ops.ShortLine(1, 1, "SKU-1"),), "out of stock", "shelf empty"),
    ops.Pack(2),
    ops.Ship("JD0146 7781", "DHL Express"),
    ops.Note("ring twice"),
    ops.Tag(("fragile",), ("gift",)),
    ops.Edit(OrderPatch(customer="Zoe"), OrderPatch(customer="Zoë Ågren")),
    ops.Acknowledge("op-0"),
    ops.Resolve("op-0", "returned", "all back"),
    ops.Create(order(5)),
)


def conversation() -> Iterator[dict[str, Any]]:
    """Yield what everybody but the client does."""
    one, two, *more = (order(number) for number in (1, 2, 4, 6, 7, 8))
    yield {"from": "person", "connect": "token-1"}
    yield server(messages.Welcome(2, "1.0", "epoch-1", 7, SITE, PERSON, 0, 0, NOW))
    yield server(messages.SnapshotPage([one]))
    yield server(messages.SnapshotBegin("epoch-1", 7, 6, 1, board_hash(one, two, *more), 0))
    yield server(messages.SnapshotChunk.of(0, [one, two, *more]))
    yield server(messages.SnapshotEnd(7))
    yield submit(ops.Move(Stage.PICKING), first=1, source="drag", base_stage=Stage.CONFIRMED, base_revision=1)
    yield server(messages.Decided([messages.Verdict(1, "op-1", 8, Outcome.APPLIED)]))
    picking = OrderPatch(stage=Stage.PICKING, stage_ms=NOW, updated_ms=NOW, revision=2, updated_by="Eva")
    entry = applied(8, 1, ops.Move(Stage.PICKING), patch=picking)
    yield server(messages.Delta(7, 8, [entry]))
    yield clock("look")
    yield server(messages.Pong(1, 2_200, NOW + 1_200))
    yield submit(*_WORK, first=2, source="menu", batch_id="batch-1", undoes="op-0", station_id="st-1")
    yield submit(ops.Move(Stage.PICKED), first=30, base_lines=77, retry_of="op-0")
    own = [messages.Verdict(number, f"op-{number}", 7 + number, Outcome.APPLIED) for number in range(2, 21)]
    yield server(messages.Decided(own))
    yield server(
        messages.Decided(
            [messages.Verdict(21, "op-30", 28, Outcome.REJECTED, Reason.LINES_CHANGED, "Max", NOW)]
        )
    )
    yield server(messages.Delta(8, 28, list(_rest())))
    three, changed = order(3), msgspec.structs.replace(one, **_fields(picking))
    yield server(messages.Delta(28, 31, list(_of_others(three))))
    yield server(messages.Heartbeat(31, 3, NOW + 1_200, 1))
    # One order is another than the server's: the sums of the parts find it.
    right = [changed, order(2, note="as the server has it"), three, *more]
    yield server(messages.Heartbeat(31, 3, NOW + 1_200, 60, board_hash(*right)))
    yield {"mend": right}
    yield submit(ops.Take(), first=40)
    yield {"fail": "op-40"}
    yield server(messages.Heartbeat(31, 3, NOW + 1_200, 120, 5))
    yield {"lie": "until the client gives up"}
    sentence, next_step = "Your sign-in has run out.", "The program signs in again by itself."
    yield server(messages.Refused(Problem("TOKEN_EXPIRED", sentence, next_step)))


def _rest() -> Iterator[LogEntry]:
    for seq, (number, change) in enumerate(enumerate(_WORK, 2), 9):
        logged = ops.Create() if isinstance(change, ops.Create) else change
        yield applied(seq, number, logged, outcome=Outcome.NOOP)
    late = applied(28, 30, ops.Move(Stage.PICKED), outcome=Outcome.REJECTED, reason=Reason.LINES_CHANGED)
    yield msgspec.structs.replace(late, operation=msgspec.structs.replace(late.operation, device_seq=21))


def _of_others(three: Order) -> Iterator[LogEntry]:
    new = Operation("op-50", "order-3", ops.Import(), batch_id="batch-2")
    yield LogEntry(29, new, Outcome.APPLIED, NOW, "System", order=three)
    for seq, change in ((30, ops.Schedule(NOW, "rule")), (31, ops.Retire())):
        own = Operation(f"op-{seq + 30}", "order-2", change)
        yield LogEntry(seq, own, Outcome.NOOP, NOW, "System")


def _fields(patch: OrderPatch) -> dict[str, object]:
    return {
        name: value
        for name in patch.__struct_fields__
        if (value := getattr(patch, name)) is not msgspec.UNSET
    }


class Author:
    """Plays the conversation and writes down what both said."""

    def __init__(self, folder: Path) -> None:
        self.player = Player(folder)
        self.lines: list[dict[str, Any]] = []
        self.said: dict[str, Any] = {}

    def write(self) -> list[dict[str, Any]]:
        """Return the lines of the transcript."""
        for line in conversation():
            if "mend" in line:
                self._answer_questions(line["mend"])
            elif "lie" in line:
                self._answer_questions([])
            elif "fail" in line:
                self._fail(line["fail"])
            else:
                self._play(line)
        return self.lines

    def _play(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        for frame in self.player.play(line):
            self.said = frame
            self.lines.append({"from": "client", "frame": frame})

    def _fail(self, op_id: str) -> None:
        number = next(each["device_seq"] for each in self.said["operations"] if each["op_id"] == op_id)
        while "skip" not in json.dumps(self.said):
            self._play(server(messages.Faulted(number, op_id)))
            if "skip" not in json.dumps(self.said):
                self._play(clock("again"))

    def _answer_questions(self, right: list[Order]) -> None:
        """Answer what the client asks: with the sums and orders of ``right``, or, without any, with lies."""
        while self.said["type"] in {"compare", "fetch"}:
            asked, self.said = self.said, {"type": ""}
            if asked["type"] == "compare":
                sums = [_sums(right, lo, hi) if right else (5, 1_000) for lo, hi in asked["ranges"]]
                self._play(server(messages.Compared(asked["n"], 31, sums)))
            else:
                found = [each for each in right if _is_in(each, asked["lo"], asked["hi"])]
                answer = messages.Repair(asked["n"], 31, asked["lo"], asked["hi"], found)
                self._play(server(answer))


def _is_in(order: Order, lo: str, hi: str) -> bool:
    return lo <= order.id and (not hi or order.id < hi)


def _sums(orders: list[Order], lo: str, hi: str) -> tuple[int, int]:
    found = [each for each in orders if _is_in(each, lo, hi)]
    return board_hash(*found), len(found)


def main() -> None:
    """Write the file of the newest version, unless it is there."""
    path = FOLDER / f"v{messages.PROTOCOL_MAX}.jsonl"
    if path.exists():
        sys.exit(f"{path.name} is there already: what was released stays as it is.")
    with tempfile.TemporaryDirectory() as folder:
        lines = Author(Path(folder)).write()
    text = "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
