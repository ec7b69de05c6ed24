"""The desktop client as installed, telling what it reports of its own drags.

One JSON line a drag, ``{"drag_latency_ms": n}``, when the program has that figure itself.
"""

from __future__ import annotations

import json
import sys

import app.window_run
from app.composition import Client
from app.main import main
from sync.contract.ports import Recorder


class TellingRecorder:
    """Passes everything on, and tells drags."""

    def __init__(self, recorder: Recorder) -> None:
        """Pass on to ``recorder``."""
        self._recorder = recorder
        self.inc, self.set = recorder.inc, recorder.set

    def observe(self, kpi: str, value: float) -> None:
        """Pass the sample on; tell it when it is a drag's."""
        self._recorder.observe(kpi, value)
        if kpi == "drag_latency":
            sys.stdout.write(json.dumps({"drag_latency_ms": value}) + "\n")
            sys.stdout.flush()


class ToldClient(Client):
    """The client, whose board tells its drags."""

    def start(self) -> None:
        """Start as always, then listen."""
        super().start()
        self.board._recorder = TellingRecorder(self.board._recorder)  # noqa: SLF001 - no use but here


if __name__ == "__main__":
    vars(app.window_run)["Client"] = ToldClient
    sys.exit(main())
