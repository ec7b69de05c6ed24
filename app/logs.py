"""The log of the client: JSON lines in the profile, bounded, and redacted where everything passes.

One handler on the root logger writes; whatever a library or one of our rooms says goes through
:func:`app.redaction.redacted` on its way, tracebacks too.
"""

from __future__ import annotations

import json
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from app.redaction import redacted

KEPT_FILES: Final = 3
MAX_TEXT: Final = 8_000
"""Longer messages and traces are cut: a log line is read, not parsed for data."""
FILE_NAME: Final = "client.jsonl"
_LIBRARIES: Final = ("asyncio", "keyring", "websockets")


class JsonLines(logging.Formatter):
    """One record, one line of JSON with ``at``, ``level``, ``from``, ``thread``, ``message``, ``trace``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; every text in it is redacted."""
        line = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03}Z",
            "level": record.levelname,
            "from": record.name,
            "thread": record.threadName or "",
            "message": redacted(_message(record))[:MAX_TEXT],
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["trace"] = redacted(self.formatException(record.exc_info))[-MAX_TEXT:]
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # A wrong log call must not hide what it wanted to tell about.
        return f"{record.msg} {record.args}"


class ProfileLog(RotatingFileHandler):
    """The rotating file; a disk that refuses to take it never disturbs the program."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Leave the record out."""


def start_log(folder: Path, level: str, max_bytes: int) -> logging.Handler | None:
    """Send every record of this process to a file in ``folder``; None when there cannot be one."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    handler = ProfileLog(
        folder / FILE_NAME, maxBytes=max_bytes, backupCount=KEPT_FILES, encoding="utf-8", delay=True
    )
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # They write every request with its address; ours say what matters.
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    return handler


def stop_log(handler: logging.Handler | None) -> None:
    """Close the file."""
    if handler is not None:
        logging.getLogger().removeHandler(handler)
        handler.close()
