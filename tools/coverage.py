"""``make coverage``: what must be covered in every branch by its unit tests alone.

The places where a mistake loses an operation: the contract, the outbox, rebase, the protocol's step machine
and the hub. Covered from their own unit tests, because a scenario passes a branch without asking for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = (
    "sync/contract/*",
    # the client's step machine and its parts
    "sync/client/backoff.py",
    "sync/client/batches.py",
    "sync/client/conversation.py",
    "sync/client/emitter.py",
    "sync/client/environment.py",
    "sync/client/follower.py",
    "sync/client/link.py",
    "sync/client/machine.py",
    "sync/client/notices.py",
    "sync/client/offer.py",
    "sync/client/quarantine.py",
    "sync/client/sending.py",
    "sync/client/waiting_list.py",
    "sync/client/watchdog.py",
    "sync/client/window.py",
    # what is pending, kept, shown, and waits for a person
    "sync/client/needs_you.py",
    "sync/client/outbox.py",
    "sync/client/stores/outbox_history.py",
    "sync/client/stores/outbox_ladder.py",
    "sync/client/stores/outbox_needs.py",
    "sync/client/overlay.py",
    "sync/client/rebase.py",
    "sync/client/stores/outbox_history.py",
    "sync/client/stores/outbox_needs.py",
    "sync/client/stores/outbox_schema.py",
    # the server's step machine and its parts
    "server/kernel/batches.py",
    "server/kernel/batches.py",
    "server/kernel/connections.py",
    "server/kernel/decisions.py",
    "server/kernel/fanout.py",
    "server/kernel/hub.py",
    "server/kernel/pace.py",
    "server/kernel/questions.py",
    "server/kernel/refusals.py",
    "server/kernel/wishes.py",
    "server/sources.py",
)
TESTS = ("tests/sync/contract", "tests/sync/client", "tests/server/kernel", "tests/server/test_sources.py")
GOAL_PERCENT = 100


def commands() -> list[list[str]]:
    """Return the test run that measures and the report that judges."""
    measure = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--cov=sync", "--cov=server", "--cov-branch"]
    judge = [sys.executable, "-m", "coverage", "report", f"--include={','.join(PLACES)}"]
    return [
        [*measure, "--cov-report=", *TESTS],
        [*judge, "--show-missing", "--skip-covered", f"--fail-under={GOAL_PERCENT}"],
    ]


def main() -> int:
    """Measure and judge; 1 when tests fail or a branch was not taken."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": "C.UTF-8"}
    for command in commands():
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
