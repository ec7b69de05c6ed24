"""A server that comes back from a backup: what any terminal ever called saved is back once, or asks somebody.

A drill: three terminals work, and somewhere in it a backup is made. They go on for 500 operations more, some
on orders that came after the backup; the server is stopped or killed, now and then a terminal too. The backup
is restored, the server starts, the terminals come back by themselves; where many orders would vanish from a
board, its person is asked and says yes. Then every operation that was ever called saved is in the log exactly
once, also those that had been decided and shown; one that the log refuses, or does not have, stands on its
terminal's list of what needs a person. All boards are the log's board.

A world plays several drills on the same files, so that a history ends more than once:
``make verify ONLY=restore FIRST=17 SEEDS=1`` plays world 17 again.
"""

from __future__ import annotations

import contextlib
import json
import random
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from server.system import SystemClock, SystemRandom
from support.headless import put_orders
from support.proofs_checks import Faults, examine
from support.proofs_floor import ROUND, Floor, FloorTerminal, opened_floor
from support.proving import Budget, Finding, counted, prove
from support.waiting import eventually
from sync.client.outbox import Outbox
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import LogEntry, Outcome

TERMINALS: Final = ("one", "two", "three")
ORDERS: Final = 60
OPERATIONS: Final = 500
DRILLS: Final = 5
WORLDS_AT_ONCE: Final = 2
_ONE_LINE: Final[dict[str, object]] = {"position": 1, "quantity": 1}
OTHERS: Final[tuple[tuple[str, dict[str, object]], ...]] = (
    ("claim", {}),
    ("unclaim", {}),
    ("hold", {"reason": "other"}),
    ("release", {}),
    ("release", {}),
    ("prioritise", {"priority": 2}),
    ("prioritise", {"priority": 0}),
    ("assign", {"person": "Ben", "person_id": "ben"}),
    ("note", {"text": "looked at"}),
    ("tag", {"add": ["seen"]}),
    ("pick", _ONE_LINE),
    ("pick", {"position": 1, "quantity": -1}),
    ("short_pick", {"lines": [_ONE_LINE], "reason": "not found"}),
    ("pack", {}),
    ("cancel", {}),
    ("reinstate", {}),
    ("create", {"lines": [{"sku": "A-1", "name": "Cup", "quantity": 2}]}),
)
HEARTBEAT_S: Final = 5.5
"""Every terminal has heard a heartbeat by then."""


class Drill(NamedTuple):
    """One drill: how many operations come before the backup and after it, and what ends how."""

    before: int
    after: int
    is_quiet_before: bool
    """Whether all is decided when the backup is made; else it is made while operations stream."""
    is_quiet_after: bool
    """Whether all is decided when the server ends; else it ends in the middle."""
    is_killed: bool
    beat_s: float
    """How long everybody goes on, so that terminals hear how far the backup reaches and let go."""
    dead: str
    """Which terminal is killed before the server and started again after the restore; empty: none."""


class Played(NamedTuple):
    """One world: how many drills, how many operations were saved and refused, what was wrong."""

    drills: int
    saved: int
    refused: int
    faults: Faults


def schedule(seed: int, drills: int, operations: int = OPERATIONS) -> list[Drill]:
    """Return the drills of a world."""
    chance = random.Random(f"restore {seed}")
    return [
        Drill(
            chance.randint(5, 60),
            operations,
            chance.random() < 0.5,
            chance.random() < 0.6,
            chance.random() < 0.5,
            HEARTBEAT_S if chance.random() < 0.5 else 0.0,
            chance.choice(TERMINALS) if chance.random() < 0.3 else "",
        )
        for _ in range(drills)
    ]


def play(
    seed: int,
    drills: int = DRILLS,
    operations: int = OPERATIONS,
    code: Path | None = None,
    quiet_s: float = 60.0,
) -> Played:
    """Play one world to its end and examine it."""
    return _played(seed, schedule(seed, drills, operations), code, quiet_s)


def play_telling(seed: int, code: Path, quiet_s: float) -> Played:
    """Play one short drill in which a fault that was planted has every occasion to do harm."""
    drill = Drill(10, 60, True, True, is_killed=False, beat_s=HEARTBEAT_S, dead="")
    return _played(seed, [drill], code, quiet_s)


def _played(seed: int, drills: Sequence[Drill], code: Path | None, quiet_s: float) -> Played:
    with opened_floor(code) as floor:
        floor.set_up(TERMINALS, ORDERS)
        floor.start()
        chance = random.Random(f"drills {seed}")
        stuck: list[str] = []
        done = 0
        for drill in drills:
            stuck += _carry_out(floor, drill, chance, quiet_s)
            done += 1
            if stuck:
                break
        faults = examine(floor, lost=lambda *_: ())
        # It replays the whole log, and fails where that does not make the orders.
        floor.server.command("backup", "--to", floor.folder / "backups", "--keep", "1")
        log = floor.server.log()
        faults.other += [*stuck, *_out_of_order(log)]
        for terminal in floor.terminals:
            terminal.quit()
            faults.lost += _lost(terminal, log)
            faults.other += _told_wrong(terminal, log)
        if faults and code is None:
            floor.keep(f"restore-{seed}")
        refused = sum(entry.outcome is Outcome.REJECTED for entry in log)
        saved = sum(len(terminal.saved()) for terminal in floor.terminals)
    return Played(done, saved, refused, faults)


def _carry_out(floor: Floor, drill: Drill, chance: random.Random, quiet_s: float) -> list[str]:
    """Play one drill; return a sentence for each terminal that is stuck at its end."""
    stuck: list[str] = []
    _stream(floor, chance, drill.before)
    if drill.is_quiet_before:
        stuck += floor.await_quiet(quiet_s)
    said = floor.server.command("backup", "--to", floor.folder / "backups", "--json")
    backup = json.loads(said)["file"]
    for part in range(2):
        if part:
            # Nobody's terminal holds these: what is done to them has to come back as a question.
            floor.numbers += put_orders(floor.server, 2, first=len(floor.numbers))
        _work(floor, chance, drill.after // 2)
    time.sleep(drill.beat_s)
    if drill.is_quiet_after:
        stuck += floor.await_quiet(quiet_s)
    else:
        time.sleep(chance.uniform(0.0, 1.0))
    _end(floor, drill)
    floor.server.command("restore", backup, "--yes")
    floor.server.begin()
    _stream(floor, chance, 10)
    floor.server.await_ready()
    for terminal in floor.terminals:
        if terminal.name == drill.dead:
            terminal.begin()
    for terminal in () if stuck else floor.terminals:
        with contextlib.suppress(AssertionError):
            # Who does not come back is found below.
            eventually(lambda: _is_let_in(terminal), quiet_s, f"{terminal.name} is live")  # noqa: B023 - called at once
    return stuck + floor.await_quiet(quiet_s)


def _is_let_in(terminal: FloorTerminal) -> bool:
    """Say whether it is live; be the person who is asked whether the board may lose so many orders."""
    if terminal.now.lines("snapshot_held"):
        terminal.ask(accept_board={})
    return bool(terminal.now.status()["connection"] == "live")


def _end(floor: Floor, drill: Drill) -> None:
    for terminal in floor.terminals:
        if terminal.name == drill.dead:
            terminal.kill()
    if drill.is_killed:
        floor.server.kill()
    else:
        floor.server.stop()


def _work(floor: Floor, chance: random.Random, operations: int) -> None:
    """Go on until so many more operations are saved: some wishes are none, because it is so already."""
    goal = _saved(floor) + operations
    while (missing := goal - _saved(floor)) > 0:
        _stream(floor, chance, missing)


def _saved(floor: Floor) -> int:
    """Return how many operations were called saved, when everything that was asked has been heard."""
    for terminal in floor.terminals:
        if terminal.is_running:
            terminal.now.status()
    return sum(len(terminal.fates("saved")) for terminal in floor.terminals)


def _stream(floor: Floor, chance: random.Random, operations: int) -> None:
    """Ask terminals that are alive for so many operations in all; wait for nothing."""
    alive = [terminal for terminal in floor.terminals if terminal.is_running]
    for _ in range(operations):
        chance.choice(alive).ask(**_wish(floor, chance))


def _wish(floor: Floor, chance: random.Random) -> dict[str, object]:
    """Return one wish: mostly a move, now and then each of the others."""
    number = chance.choice(floor.numbers)
    if chance.random() < 0.55:
        return {"move": {"number": number, "to": chance.choice(ROUND)}}
    name, more = chance.choice(OTHERS)
    if name == "create":
        # Everything later may be about it, on every terminal.
        number = f"NEW-{len(floor.numbers)}"
        floor.numbers.append(number)
    return {name: {"number": number, **more}}


def _lost(terminal: FloorTerminal, log: Sequence[LogEntry]) -> Iterable[str]:
    """What was called saved is in the log, or its person is asked; also when the log refuses it."""
    outcomes = {entry.operation.op_id: entry.outcome for entry in log}
    asked = _needs_you(terminal)
    for op_id in sorted(terminal.saved() - asked):
        if op_id not in outcomes:
            yield f"{terminal.name} saved {op_id}; it is neither in the log nor does it need a person"
        elif outcomes[op_id] is Outcome.REJECTED:
            yield f"{terminal.name} saved {op_id}; the log refuses it and nobody is told"


def _told_wrong(terminal: FloorTerminal, log: Sequence[LogEntry]) -> Iterable[str]:
    """What a terminal said last of an operation is what the log says, also when it was decided again."""
    logged = {entry.operation.op_id: (entry.seq, entry.outcome.value) for entry in log}
    said = {} if terminal.has_died else {str(line["op_id"]): line for line in terminal.fates("decided")}
    for op_id, line in said.items():
        if logged.get(op_id) != (line["seq"], line["outcome"]):
            told = f"{line['outcome']} at {line['seq']}"
            yield f"{terminal.name} said last that {op_id} is {told}; the log says {logged.get(op_id)}"


def _needs_you(terminal: FloorTerminal) -> set[str]:
    """Return the operations that wait for a person, out of the terminal's file; the terminal has ended."""
    clock = SystemClock()
    opened = Outbox.open(terminal.profile / "outbox.db", Uuid7Ids(clock, SystemRandom()))
    try:
        assert opened.salvage is None, "the outbox is damaged"
        return {entry.id for entry in opened.outbox.needs_you()}
    finally:
        opened.outbox.close()


def _out_of_order(log: Sequence[LogEntry]) -> Iterable[str]:
    """A device's operations stand in the log in the order in which they were made."""
    last: dict[str, int] = {}
    for entry in log:
        operation = entry.operation
        if operation.device_id and operation.device_seq <= last.get(operation.device_id, 0):
            yield f"seq {entry.seq} is number {operation.device_seq} of {operation.device_id}, out of order"
        last[operation.device_id] = operation.device_seq


def _tried(seed: int) -> Played:
    """Play a world; a program that does not even come up is a fault like others."""
    try:
        return play(seed)
    except (AssertionError, BrokenPipeError) as error:
        return Played(0, 0, 0, Faults(other=[str(error)[-1000:]]))


def run(budget: Budget) -> list[Finding]:
    """Play as many worlds as the budget has drills for."""
    wanted = budget.of(ci=DRILLS, full=100)
    worlds = -(-wanted // DRILLS)
    seeds = range(budget.first, budget.first + worlds)
    started = time.monotonic()
    faults = Faults()
    drills = saved = refused = 0
    with ThreadPoolExecutor(WORLDS_AT_ONCE) as pool:
        for seed, world in zip(seeds, pool.map(_tried, seeds), strict=True):
            faults.add(world.faults, f"world {seed}: ")
            drills, saved, refused = drills + world.drills, saved + world.saved, refused + world.refused
            sys.stderr.write(f"world {seed}: {world.drills} drills, {world.saved} operations saved\n")
    words = f"{saved} operations were saved, {refused} of them refused"
    return [
        Finding("restore.drills", drills, "drills", worlds, words),
        counted("restore.lost", faults.lost, "operations", saved),
        counted("restore.doubled", faults.doubled, "operations", saved),
        counted("restore.other", faults.other, "faults", max(1, drills)),
        Finding("restore.s_per_drill", round((time.monotonic() - started) / max(1, drills), 3), "s", drills),
    ]


if __name__ == "__main__":
    prove(run)
