"""Conversations between client and server as files: one JSON line per frame, both directions.

``{"from": "client" | "server", "frame": {...}}``; a line ``{"from": "person", "submit": [...]}`` gives
the client operations, ``{"from": "clock", "ms": n}`` lets time pass up to a timer of that name.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.repository import ROOT

FOLDER: Path = ROOT / "tests" / "golden" / "protocol"


def versions() -> list[int]:
    """Return the protocol versions that have a transcript."""
    return sorted(int(path.stem.removeprefix("v")) for path in FOLDER.glob("v*.jsonl"))


def transcript(version: int) -> list[dict[str, Any]]:
    """Return the lines of a version's transcript."""
    text = (FOLDER / f"v{version}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
