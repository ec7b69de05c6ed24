"""Every proof with real processes must be able to fail: each planted fault has to turn its proof red.

Copies of our packages with one fault in them (``tests/support/proofs_planted.py``) run through the same
worlds, floors and storms as the real ones. A fault that nobody sees means that its proof proves nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from proofs import proof_faultproxy, proof_fuzz, proof_kill9, proof_offline_kill, proof_restore
from support import proofs_planted as plants
from support.proofs_planted import Plant, planted
from support.proving import Budget, Finding, counted, prove

QUIET_S: Final = 5.0
"""Nobody waits long for programs that are broken on purpose."""


class Control(NamedTuple):
    """A fault, the proof that must see it, how that proof is played once, and how often at most."""

    plant: Plant
    proof: str
    sees: Callable[[int, Path], object]
    tries: int


def _kill9_lost(seed: int, code: Path) -> object:
    return proof_kill9.play(seed, code=code, quiet_s=QUIET_S).faults.lost


def _kill9_doubled(seed: int, code: Path) -> object:
    return proof_kill9.play(seed, code=code, quiet_s=QUIET_S).faults.doubled


def _offline_lost(seed: int, code: Path) -> object:
    return proof_offline_kill.play(seed, 20, code, QUIET_S).faults.lost


def _faultproxy_stuck(seed: int, code: Path) -> object:
    return proof_faultproxy.play(seed, 5, code, QUIET_S).stuck


def _faultproxy_slow(seed: int, code: Path) -> object:
    times = proof_faultproxy.play(seed, 5, code, 30.0).caught_up_s.values()
    return max(times) > proof_faultproxy.CATCH_UP_S


def _restore_lost(seed: int, code: Path) -> object:
    return proof_restore.play_telling(seed, code, QUIET_S).faults.lost


def _server_fuzz(seed: int, code: Path) -> object:
    came_to = proof_fuzz.storm_server(1_000, seed, code)
    return came_to.errors or came_to.crashes


def _long_server_fuzz(seed: int, code: Path) -> object:
    # One frame in some thousands is an order that people could make but for one number.
    came_to = proof_fuzz.storm_server(4_000, seed, code)
    return came_to.errors or came_to.crashes


def _terminal_fuzz(seed: int, code: Path) -> object:
    came_to = proof_fuzz.storm_terminals(1_000, seed, code)
    return came_to.errors or came_to.crashes


CONTROLS: Final = (
    Control(plants.NO_DEDUP, "kill9", _kill9_doubled, 20),
    Control(plants.OUTBOX_FORGOTTEN, "offline_kill", _offline_lost, 3),
    Control(plants.NEVER_SENT_AGAIN, "faultproxy", _faultproxy_stuck, 8),
    Control(plants.JUNK_NOT_CAUGHT, "fuzz", _server_fuzz, 1),
    Control(plants.JUNK_NOT_CAUGHT, "fuzz", _terminal_fuzz, 1),
    Control(plants.NUMBERS_NOT_CHECKED, "fuzz", _long_server_fuzz, 8),
    Control(plants.KEPT_FORGOTTEN, "restore", _restore_lost, 3),
    Control(plants.SAFE_TOO_EARLY, "restore", _restore_lost, 3),
    Control(plants.CLAIMED_LENGTH_BELIEVED, "fuzz", _terminal_fuzz, 3),
    Control(plants.BACK_LATE, "faultproxy", _faultproxy_slow, 3),
    Control(plants.OUTBOX_FORGOTTEN, "kill9", _kill9_lost, 20),
    Control(plants.ANSWERED_TOO_EARLY, "kill9", _kill9_lost, 20),
    Control(plants.SAVED_TOO_EARLY, "kill9", _kill9_lost, 20),
)


def run(budget: Budget) -> list[Finding]:
    """Try as many controls as the budget has, the quick ones first."""
    controls = CONTROLS[: budget.of(ci=len(CONTROLS), full=len(CONTROLS))]
    seen: list[str] = []
    unseen: list[str] = []
    for control in controls:
        name = f"{control.proof}: {control.plant.name}"
        with planted(control.plant) as code:
            seeds = range(budget.first, budget.first + control.tries)
            tries = next((place for place, seed in enumerate(seeds, 1) if control.sees(seed, code)), 0)
        (seen if tries else unseen).append(f"{name} (try {tries})" if tries else name)
        sys.stderr.write(f"{name}: {f'seen at try {tries}' if tries else 'NOT SEEN'}\n")
    return [
        Finding("planted.total", len(controls), "faults", len(controls), "; ".join(seen)),
        counted("planted.unseen", unseen, "faults", len(controls)),
    ]


if __name__ == "__main__":
    prove(run)
