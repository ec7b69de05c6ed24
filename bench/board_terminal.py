"""The desktop client as installed, driven over standard input and telling what it painted.

One JSON line in, ``{"drop": "picking"}``, drops the first free card of the column before (or, for
``confirmed``, of the column behind) there, as the mouse would. Lines out, with the machine's monotonic
clock in ns: ``{"dropped": number, "at_ns": n}`` and ``{"painted": number, "stage": s, "at_ns": n}``.
"""

from __future__ import annotations

import json
import os
import sys
import time

from PySide6.QtCore import QSocketNotifier

import app.window_run
from app.composition import Client
from app.main import main
from sync.contract.operations import Source
from sync.contract.stages import Stage

ORIGINS = {Stage.PICKING: Stage.CONFIRMED, Stage.CONFIRMED: Stage.PICKING}


class WatchedClient(Client):
    """The client, with an eye on its board and a hand on it."""

    def start(self) -> None:
        """Start as always, then watch."""
        super().start()
        self._told: dict[str, Stage] = {}
        self.board._observer = self.on_painted  # noqa: SLF001 - composition has no use for it
        self._notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self.on_input)
        _tell({"started": os.getpid()})

    def on_input(self) -> None:
        """Carry out one line; the end of the input ends the program."""
        line = sys.stdin.readline()
        if not line:
            self._notifier.setEnabled(False)
            self.window.close()
            return
        goal = Stage(json.loads(line)["drop"])
        first = self.view.rows(self.view.ids(ORIGINS[goal])[:1])[0]
        _tell({"dropped": first.number, "at_ns": time.monotonic_ns()})
        self.board.move_requested.emit((first.local_id,), goal, Source.DRAG)

    def on_painted(self, local_ids: frozenset[int]) -> None:
        """Tell the cards whose column is new since they were last told."""
        at_ns = time.monotonic_ns()
        for row in self.view.rows(sorted(local_ids)):
            if self._told.get(row.number) is not row.stage:
                self._told[row.number] = row.stage
                _tell({"painted": row.number, "stage": row.stage, "at_ns": at_ns})


def _tell(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    vars(app.window_run)["Client"] = WatchedClient
    sys.exit(main())
