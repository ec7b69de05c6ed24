"""Malformed frames for the real server and for real terminals: nobody falls, honest terminals are served.

Six frames in ten go to a server: junk, flipped bits, cut-off, deep, long, packed, bombs, odd values and
fields in the messages of a terminal, broken framing; on connections that have said nothing, that have signed
in, or that are live. Meanwhile an honest terminal makes moves, and the time from asking to the server's
decision is taken. Four in ten go to terminals, from a server that greets them as ours does. In the end the
server still runs and has logged no error; the terminals still run, have logged none, show the true board, and
the move that they made at the beginning is decided.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

from bench.shape import percentile
from support.processes import Process
from support.proofs_floor import Floor, FloorTerminal, opened_floor
from support.proofs_liar import ORDERS as TRUTH
from support.proofs_liar import Liar
from support.proving import Budget, Finding, counted, prove
from support.waiting import eventually
from sync.contract.stages import Stage

AT_ONCE: Final = 20_000
"""Frames of one fuzzer; after them a fresh server takes the place of the old one."""
LIED_TO: Final = 3
HONEST_P99_MS: Final = 100.0
THINK_S: Final = 0.05
"""An honest hand stays below the 50 operations a second that the server lets everybody have."""
CALM_MOVES: Final = 100
STUCK_S: Final = 60.0
MOVED: Final = next(
    order.number
    for order in TRUTH
    if order.stage is Stage.CONFIRMED and not (order.hold or order.claimed_by or order.cancelled_ms)
)
"""What every terminal moves before the storm; its outcome comes after it."""


class Stormed(NamedTuple):
    """What one side came to: frames by kind, what fell, what was logged, honest times in ms."""

    kinds: Counter[str]
    crashes: list[str]
    errors: list[str]
    honest_ms: list[float]
    calm_ms: list[float]
    """The same before the storm: what this machine needs anyway."""


def storm_server(frames: int, seed: int, code: Path | None = None) -> Stormed:
    """Say frames to a real server while an honest terminal works."""
    with opened_floor(code) as floor:
        floor.set_up(("honest", "fuzzer"), 40)
        honest, fuzzer = floor.terminals
        floor.server.begin()
        floor.server.await_ready()
        honest.begin()
        honest.await_live()
        chance = random.Random(f"honest {seed}")
        places = itertools.count()
        calm = [_move_ms(honest, floor, next(places), chance) for _ in range(CALM_MOVES)]
        storm = _start_fuzzer(floor, fuzzer, frames, seed)
        times: list[float] = []
        crashes: list[str] = []
        try:
            while storm.is_running() and honest.is_running and floor.server.process.is_running():
                times.append(_move_ms(honest, floor, next(places), chance))
        except (AssertionError, BrokenPipeError) as error:
            crashes.append(f"an honest move was not decided: {str(error)[-600:]}")
        crashes += honest.deaths()
        if storm.wait() != 0:
            crashes.append(f"the fuzzer gave up: {storm.stderr[-1500:]}")
        if not floor.server.process.is_running():
            crashes.append(f"the server fell: {floor.server.process.stderr[-1500:]}")
        kinds = Counter(json.loads(storm.stdout)["frames"]) if not crashes else Counter()
        errors = [*floor.server.errors(), *_client_errors(floor.folder / "honest")]
        if (crashes or errors) and code is None:
            floor.keep(f"fuzz-{seed}")
        return Stormed(kinds, crashes, errors, times, calm)


def _start_fuzzer(floor: Floor, fuzzer: FloorTerminal, frames: int, seed: int) -> Process:
    token = json.loads(fuzzer.token.read_text(encoding="utf-8"))["device_token"]
    paths = [str(Path(__file__).parents[1]), *sys.path]
    # A token may begin with a dash.
    words = ["--port", str(floor.server.sync_port), "--http", floor.server.url, f"--token={token}"]
    words += ["--frames", str(frames), "--seed", str(seed)]
    return floor.runner.start(
        *(
            sys.executable,
            "-m",
            "support.proofs_fuzzer",
            *words,
            "--frames",
            str(frames),
            "--seed",
            str(seed),
        ),
        env={"PYTHONPATH": ":".join(paths)},
    )


def _move_ms(honest: FloorTerminal, floor: Floor, place: int, chance: random.Random) -> float:
    """Move an order there or back; return how long it took to be decided."""
    time.sleep(THINK_S * chance.random())
    goals = ("picking", "confirmed")
    number = floor.numbers[place // len(goals) % len(floor.numbers)]
    ref = f"honest-{place}"
    began = time.perf_counter()
    honest.now.move(number, goals[place % len(goals)], ref)
    honest.now.wait("operation", ref=ref, fate="decided")
    return (time.perf_counter() - began) * 1000


def storm_terminals(frames: int, seed: int, code: Path | None = None) -> Stormed:
    """Say frames to real terminals from a server that lies."""
    with opened_floor(code) as floor:
        return asyncio.run(_storm_terminals(floor, frames, seed, is_kept=code is None))


async def _storm_terminals(floor: Floor, frames: int, seed: int, *, is_kept: bool) -> Stormed:
    terminals: dict[str, FloorTerminal] = {}

    def come_back(token: str) -> None:
        terminals[token].ask(try_now={})

    liar = Liar(frames, seed, come_back)
    crashes: list[str] = []
    async with liar.listening() as port:
        for number in range(LIED_TO):
            token = f"token-{number}"
            terminal = FloorTerminal(floor.runner, floor.folder, token, f"http://127.0.0.1:{port}")
            terminal.token.write_text(json.dumps({"device_token": token}), encoding="utf-8")
            terminal.begin()
            terminals[token] = terminal
            # Its board comes before the nonsense, so it can be worked with from the start.
            await asyncio.to_thread(terminal.now.wait, "snapshot")
            terminal.ask(move={"number": MOVED, "to": "picking"}, ref="kept")
        while not liar.is_done.is_set() and time.monotonic() < liar.at + STUCK_S:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(liar.is_done.wait(), 1.0)
            for terminal in terminals.values():
                terminal.ask(try_now={})
        if not liar.is_done.is_set():
            crashes.append(f"the terminals stopped connecting: {liar.ends}")
        for terminal in terminals.values():
            crashes += await asyncio.to_thread(_is_sane, terminal)
    for terminal in terminals.values():
        crashes += terminal.deaths()
        if "MemoryError" in terminal.said():
            crashes.append(f"{terminal.name} wanted more memory than a terminal may have")
    errors = [line for name in terminals for line in _client_errors(floor.folder / name)]
    if (crashes or errors) and is_kept:
        floor.terminals = list(terminals.values())
        floor.keep(f"fuzz-terminals-{seed}")
    return Stormed(liar.kinds, crashes, errors, [], [])


def _is_sane(terminal: FloorTerminal) -> list[str]:
    """After the storm the truth is heard again: the board, and the outcome of the move made before it."""

    def has_outcome() -> bool:
        # A lie may have set the move aside, which counts as sent; the truth takes it from there.
        fates = {line["fate"] for line in terminal.now.lines("operation") if line.get("ref") == "kept"}
        return terminal.is_settled() and {"saved", "decided"} <= fates

    try:
        eventually(has_outcome, STUCK_S, f"{terminal.name} is live and its move is decided")
    except (AssertionError, BrokenPipeError) as error:
        return [f"{terminal.name} did not come back: {str(error)[-600:]}"]
    found: list[str] = []
    truth = {order.number: order.stage.value for order in TRUTH}
    try:
        # A terminal that has swallowed a lie is live before the true board has replaced its own.
        eventually(lambda: terminal.board() == truth, what=f"{terminal.name} shows the true board")
    except AssertionError as error:
        found.append(str(error)[-300:])
    return found


def _client_errors(profile: Path) -> list[str]:
    """Return the lines of level error in the logs of a profile."""
    found = []
    for path in sorted((profile / "logs").glob("client.jsonl*")):
        lines = path.read_text(encoding="utf-8").splitlines()
        found += [line[:1500] for line in lines if json.loads(line)["level"] in {"ERROR", "CRITICAL"}]
    return found


def run(budget: Budget) -> list[Finding]:
    """Say as many frames as the budget has."""
    frames = budget.of(ci=10_000, full=100_000)
    kinds: Counter[str] = Counter()
    crashes: list[str] = []
    errors: list[str] = []
    honest_ms: list[float] = []
    calm_ms: list[float] = []
    for storm, total in ((storm_server, frames * 6 // 10), (storm_terminals, frames - frames * 6 // 10)):
        for place, begin in enumerate(range(0, total, AT_ONCE)):
            came_to = storm(min(AT_ONCE, total - begin), budget.first + place)
            kinds += came_to.kinds
            crashes += came_to.crashes
            errors += came_to.errors
            honest_ms += came_to.honest_ms
            calm_ms += came_to.calm_ms
            sys.stderr.write(f"{storm.__name__} {budget.first + place}: {came_to.kinds.total()} frames\n")
    honest_ms = honest_ms or [STUCK_S * 1000]
    said = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    slowest = (
        f"p50 {percentile(honest_ms, 50):.1f} ms, slowest {max(honest_ms):.1f} ms; "
        f"before the storm p50 {percentile(calm_ms, 50):.1f} ms, p90 {percentile(calm_ms, 90):.1f} ms"
    )
    most_ms = HONEST_P99_MS if percentile(calm_ms, 90) <= HONEST_P99_MS / 2 else None
    if most_ms is None:
        slowest += "; the machine was too busy with other things to tell"
    p99_ms = round(percentile(honest_ms, 99), 1)
    return [
        Finding("fuzz.frames", kinds.total(), "frames", 1, said),
        counted("fuzz.crashes", crashes, "programs", kinds.total()),
        counted("fuzz.logged_errors", errors, "lines", kinds.total()),
        Finding("fuzz.honest_p99_ms", p99_ms, "ms", len(honest_ms), slowest, most_ms),
    ]


if __name__ == "__main__":
    prove(run)
