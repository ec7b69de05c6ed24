"""Whoever logs whatever: a line is one JSON object, and what must not be written is not in it."""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.kernel.auth import Passwords, new_token
from server.logs import set_up_logging

pytestmark = pytest.mark.expects_log_warnings


@pytest.fixture
def console() -> io.StringIO:
    """Standard error of the server."""
    return io.StringIO()


@pytest.fixture
def file(tmp_path: Path, console: io.StringIO) -> Iterator[Path]:
    """The log file; the root logger is as before afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    set_up_logging(tmp_path / "logs", console)
    yield tmp_path / "logs" / "server.jsonl"
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def lines(file: Path) -> list[dict[str, object]]:
    """Return what was logged."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_says_when_who_and_what(file: Path, console: io.StringIO) -> None:
    """With the facts beside it; only warnings are on the console, too."""
    logging.getLogger("server.trial").info("started", extra={"port": 1, "is_new": True, "by": None})
    logging.getLogger("elsewhere").warning("hot %s", "stove")
    first, second = lines(file)
    assert (first["event"], first["logger"], first["level"]) == ("started", "server.trial", "info")
    assert (first["port"], first["is_new"], first["by"]) == (1, True, None)
    assert str(first["timestamp"]).endswith("Z")
    assert second["event"] == "hot stove"
    assert [json.loads(line)["event"] for line in console.getvalue().splitlines()] == ["hot stove"]


def test_secrets_are_taken_out_by_name_and_by_look(file: Path) -> None:
    """In fields, in nested fields, in the text, in arguments and in traces of errors."""
    token, stored = new_token(), Passwords().hash("x")
    logger = logging.getLogger("server.trial")
    logger.info(
        "signed in with %s",
        token,
        extra={
            "password": "hunter2",
            "headers": {"Authorization": "Bearer abc", "list": [f"x {token}", {"refresh_token": "def"}]},
            "stored": f"it is {stored}",
        },
    )
    error = ValueError(f"bad token {token}")
    logger.error("failed", exc_info=error)
    text = file.read_text()
    for secret in (token, "hunter2", "Bearer abc", "def", stored):
        assert secret not in text
    assert "ValueError" in text
    assert lines(file)[0]["password"] == "[REDACTED]"


def test_orders_are_taken_out(file: Path) -> None:
    """Whatever was meant with it: bodies and orders do not belong into a log."""
    facts = {"body": "Ms Smith", "orders": [{"customer": "Smith"}], "order": {"a": 1}, "operations": ("x",)}
    logging.getLogger("server.trial").info("odd", extra=facts)
    (line,) = lines(file)
    assert {line[name] for name in facts} == {"[REDACTED - Order Data]"}


def test_the_row_that_a_database_did_not_take_is_taken_out(file: Path) -> None:
    """PostgreSQL shows it behind its reason, and a trace holds both."""
    reason = 'null value in column "number"\nDETAIL:  Failing row contains (7, Ms Smith).\nand more'
    logging.getLogger("server.trial").error("job failed", exc_info=ValueError(reason))
    text = file.read_text()
    assert "Smith" not in text
    assert "null value in column" in text
    assert "and more" in text


def test_an_order_id_is_no_token(file: Path) -> None:
    """Ids are what makes a log useful."""
    facts = {"order_id": "01a208d2-b1c1-73ad-a610-5efa23da76bd", "seq": 12}
    logging.getLogger("server.trial").info("moved", extra=facts)
    assert lines(file)[0].items() >= facts.items()


def test_the_files_rotate(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bounded number of bounded files."""
    handler = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.handlers.RotatingFileHandler)
    )
    assert (handler.maxBytes, handler.backupCount) == (5 * 1024 * 1024, 5)
    monkeypatch.setattr(handler, "maxBytes", 2_000)
    for number in range(100):
        logging.getLogger("server.trial").info("line %d", number, extra={"filling": "x" * 200})
    assert len(list(file.parent.iterdir())) == 6
    assert all(path.stat().st_size <= 2_000 for path in file.parent.iterdir())


def test_what_the_event_loop_repeats_is_said_once(file: Path, console: io.StringIO) -> None:
    """Thousands of refused connections do not wash away what stands in the log."""
    for _ in range(100):
        logging.getLogger("asyncio").error("no more files\nsocket: 9", exc_info=OSError(24, "Too many"))
        logging.getLogger("server.trial").warning("again")
    logging.getLogger("asyncio").error("another thing")
    said = [line["event"] for line in lines(file)]
    assert (said.count("no more files\nsocket: 9"), said.count("again")) == (1, 100)
    assert said[-1] == "another thing"
    assert len(console.getvalue().splitlines()) == 102


def test_a_very_long_text_is_cut(file: Path) -> None:
    """One line never fills the disk."""
    logging.getLogger("server.trial").info("x" * 100_000)
    assert len(file.read_text()) < 10_000
