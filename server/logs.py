"""The log: one JSON object a line, rotating, redacted at the root.

Whatever logs (this program, uvicorn, websockets, alembic) passes one handler, and that handler takes out
what must never be written: tokens, passwords, what an order says. A new call cannot forget it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor

LOG_BYTES: Final = 5 * 1024 * 1024
LOG_FILES: Final = 5
TEXT_CHARACTERS: Final = 8_000
REPEATED_S: Final = 60
REDACTED: Final = "[REDACTED]"
REDACTED_ORDER: Final = "[REDACTED - Order Data]"

_SECRETS: Final = frozenset(
    {
        "access_token",
        "authorization",
        "cookie",
        "device_token",
        "password",
        "password_hash",
        "refresh_token",
        "secret",
        "token",
    }
)
_ORDER_DATA: Final = frozenset(
    {
        "address",
        "body",
        "customer",
        "entries",
        "entry",
        "lines",
        "note",
        "operation",
        "operations",
        "order",
        "orders",
        "ship_to",
    }
)
_TOKEN: Final = re.compile(r"(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])")
"""What 256 random bits look like."""
_DETAIL: Final = re.compile(r"(?<=DETAIL:).*")
"""PostgreSQL shows the row that it did not take."""
_ARGON: Final = re.compile(r"\$argon2\w+\$\S+")


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Take out of a log line what must not be in it; the names of keys decide, then the look of values."""
    # Another handler may have left its formatted text on the record; the event says it already.
    return {key: _redacted(key, value) for key, value in event.items() if key != "message"}


def _redacted(key: str, value: object) -> object:
    name = key.lower()
    if name in _SECRETS:
        return REDACTED
    if name in _ORDER_DATA:
        return REDACTED_ORDER
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), part) for inner, part in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", part) for part in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    text = _DETAIL.sub(f" {REDACTED_ORDER}", str(value))
    return _ARGON.sub(REDACTED, _TOKEN.sub(REDACTED, text))[:TEXT_CHARACTERS]


def set_up_logging(folder: Path, console: TextIO | None) -> logging.Handler:
    """Send everything that is logged to ``folder``/server.jsonl, warnings also to ``console``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    to_file = RotatingFileHandler(
        folder / "server.jsonl", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8", delay=True
    )
    to_file.setFormatter(_formatter(structlog.processors.JSONRenderer(sort_keys=True)))
    to_file.addFilter(_OnceAMinute())
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(to_file)
    for talker in ("httpx", "httpcore", "websockets", "alembic", "uvicorn"):
        logging.getLogger(talker).setLevel(logging.WARNING)
    # That a job still runs when its time comes is what is wanted of a job that takes long.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    # A handshake that fails is the other side's affair, and anybody can make one.
    logging.getLogger("websockets.server").setLevel(logging.CRITICAL)
    if console is not None:
        to_console = logging.StreamHandler(console)
        to_console.setLevel(logging.WARNING)
        to_console.setFormatter(_formatter(structlog.processors.JSONRenderer(sort_keys=True)))
        to_console.addFilter(_OnceAMinute())
        root.addHandler(to_console)
    return to_file


class _OnceAMinute(logging.Filter):
    """Holds back what the event loop repeats: out of open files it complains thousands of times a second."""

    _words, _at = "", 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line is written."""
        words = record.getMessage().partition("\n")[0] if record.name == "asyncio" else ""
        if words and words == self._words and record.created - self._at < REPEATED_S:
            return False
        if words:
            self._words, self._at = words, record.created
        return True


def _formatter(renderer: Processor) -> logging.Formatter:
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )
