"""Conversations between client and server as files: one JSON line per frame, both directions.

``{"from": "client" | "server", "frame": {...}}``; a line ``{"from": "person", "submit": [...]}`` gives
the client operations, ``{"from": "clock", "fire": name}`` lets time pass up to a timer of that name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from support.machine_bench import MachineBench
from support.repository import ROOT
from sync.client.cache import Cache
from sync.contract.codec import decode_server
from sync.contract.operations import Operation
from sync.contract.steps import Send

FOLDER: Path = ROOT / "tests" / "golden" / "protocol"


def versions() -> list[int]:
    """Return the protocol versions that have a transcript."""
    return sorted(int(path.stem.removeprefix("v")) for path in FOLDER.glob("v*.jsonl"))


def transcript(version: int) -> list[dict[str, Any]]:
    """Return the lines of a version's transcript."""
    text = (FOLDER / f"v{version}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class Player:
    """A client's machine with a real cache, to which the others of a conversation happen."""

    def __init__(self, folder: Path) -> None:
        self._bench = MachineBench()
        # Sums and repairs need orders, not only a place in the log.
        self._bench.cache = Cache.open(folder / "cache.db").cache  # type: ignore[assignment]

    def play(self, line: dict[str, Any]) -> list[dict[str, Any]]:
        """Do what a line says of somebody other than the client; return the frames that it then sent."""
        bench = self._bench
        bench.clear()
        if line["from"] == "server":
            bench.hear(decode_server(json.dumps(line["frame"])))
        elif line["from"] == "clock":
            bench.fire(line["fire"])
        elif "submit" in line:
            bench.submit(*msgspec.convert(line["submit"], list[Operation]))
        else:
            bench.connect()
        return [json.loads(effect.frame) for effect in bench.effects if isinstance(effect, Send)]
