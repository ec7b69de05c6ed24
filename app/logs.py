"""The log: JSON lines, rotating, redacted at the root so that no record gets past it.

What may never be in a log: tokens, passwords, customers. Keys that name such things lose their
value, and text that looks like a credential is cut out wherever it stands.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

KEPT_FILES: Final = 3
REDACTED: Final = "[REDACTED]"

_SECRET_NAMES: Final = r"token|device_token|access_token|refresh_token|password|passwd|secret|authorization|customer|ship_to|street|phone"
_PATTERNS: Final = (
    # name=value, "name": "value" and name: value, the value quoted or a single word
    re.compile(rf"(?i)([\"']?\b(?:{_SECRET_NAMES})\b[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;}})]+)"),
    re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]+"),
    # 256 random bits in base64url: every token of ours
    re.compile(r"()(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
)


def redacted(text: str) -> str:
    """Return ``text`` without what may not be in a log."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{REDACTED}", text)
    return text


class JsonLines(logging.Formatter):
    """One record, one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; every text in it is redacted."""
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{record.msecs:03.0f}Z",
            "level": record.levelname,
            "from": record.name,
            "thread": record.threadName,
            "message": redacted(record.getMessage()),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = redacted("".join(traceback.format_exception(record.exc_info[1])))
        return json.dumps(line, ensure_ascii=False)


def start_log(folder: Path, max_bytes: int) -> logging.Handler:
    """Send every record of this process to ``client.jsonl`` in ``folder``; returns the handler."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(
        folder / "client.jsonl", maxBytes=max_bytes, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    # They write every request with its address; ours say what matters.
    for name in ("httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler
