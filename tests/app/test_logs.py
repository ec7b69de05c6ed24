"""The log: JSON lines, bounded, and without what may never be in one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.logs import FILE_NAME, KEPT_FILES, MAX_TEXT, JsonLines, start_log, stop_log
from app.redaction import redacted
from support.orders import make_order
from sync.contract.messages import Auth, Person
from sync.contract.orders import canonical_bytes

TOKEN = "dGhpcyBpcyBhIGNhbmFyeSB0b2tlbiBvZiAyNTYgYml0"
CANARY = "canary-7d31"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A log that is written, ended with the test."""
    level = logging.getLogger().level
    handler = start_log(tmp_path / "logs", "info", 10_000)
    yield tmp_path / "logs" / FILE_NAME
    stop_log(handler)
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {CANARY}",
        f"authorization=Bearer {CANARY}",
        f'{{"device_token": "{CANARY}"}}',
        f"{{'refresh_token': '{CANARY}'}}",
        f"access_token={CANARY}&next=1",
        f"password={CANARY}",
        f"password: {CANARY}",
        f'"password": "a \\"quoted\\" {CANARY}"',
        f"POST http://admin:{CANARY}@server/",
        f"token {TOKEN}{CANARY}",
        f'{{"customer": "{CANARY} Ltd"}}',
        f"customer='{CANARY} Ltd', number='1'",
        f"Address(name='{CANARY}', street='1 High Street', city='Leeds')",
        f"ship_to={{'name': '{CANARY}'}}",
        f"mail {CANARY}@example.org",
        f"phone: {CANARY}",
    ],
)
def test_no_secret_and_no_customer_gets_past(text: str) -> None:
    """The canary is gone whatever clothes it wears."""
    assert CANARY not in redacted(text)


def test_whole_values_of_ours_lose_their_people() -> None:
    """An order, a person and a sign-in that somebody logs by mistake tell nothing about anybody."""
    order = make_order(3, customer=f"{CANARY} and Sons")
    assert CANARY not in redacted(repr(order))
    assert CANARY not in redacted(canonical_bytes(order).decode())
    assert order.ship_to.street not in redacted(repr(order))
    assert CANARY not in redacted(repr(Auth(CANARY)))
    assert CANARY not in redacted(repr(Person("1", CANARY, "picker", "s")))


def test_what_helps_is_left() -> None:
    """Ids, numbers, codes and paths stay readable."""
    text = (
        "order 0192f0c1-aaaa-7bbb-8ccc-0123456789ab #48213 moved to picking [ON_HOLD] in /srv/data/outbox.db"
    )
    assert redacted(text) == text


def test_a_record_is_one_line_of_json(log_file: Path) -> None:
    """Programs read it, also with a line break in the message."""
    logging.getLogger("app.test").info("two\nlines of %s", f"token={CANARY}")
    (line,) = log_file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert entry["level"] == "INFO"
    assert entry["from"] == "app.test"
    assert entry["message"].startswith("two\nlines of token=")
    assert CANARY not in line


def raise_one(text: str) -> None:
    """Raise with a text."""
    raise ValueError(text)


@pytest.mark.expects_log_warnings
def test_a_trace_is_redacted_too(log_file: Path) -> None:
    """The text of an exception is the likeliest place for a secret."""
    try:
        raise_one(f"bad header Authorization: Bearer {CANARY}")
    except ValueError:
        logging.getLogger("app.test").exception("it broke")
    text = log_file.read_text(encoding="utf-8")
    assert "ValueError" in text
    assert CANARY not in text


def test_what_libraries_say_passes_the_same_door(log_file: Path) -> None:
    """Redaction is at the root, not in our own calls."""
    logging.getLogger("somebody.elses").warning("password=%s", CANARY)
    assert "somebody.elses" in log_file.read_text(encoding="utf-8")
    assert CANARY not in log_file.read_text(encoding="utf-8")


def test_the_log_is_bounded(log_file: Path) -> None:
    """However much is said, a few files of a known size are all there is."""
    for number in range(800):
        logging.getLogger("app.test").info("%d %s", number, "words " * 20)
    files = list(log_file.parent.iterdir())
    assert len(files) == KEPT_FILES + 1
    assert sum(file.stat().st_size for file in files) <= (KEPT_FILES + 1) * 10_000


def test_an_endless_message_is_cut(log_file: Path) -> None:
    """A line stays a line."""
    logging.getLogger("app.test").info("word " * 10_000)
    assert len(json.loads(log_file.read_text(encoding="utf-8"))["message"]) == MAX_TEXT


def test_a_wrong_log_call_does_not_end_the_program() -> None:
    """What it wanted to tell is told as well as it can be."""
    record = logging.LogRecord("app.test", logging.INFO, __file__, 1, "%d orders", ("many",), None)
    assert "many" in JsonLines().format(record)


def test_without_a_folder_there_is_no_log(tmp_path: Path) -> None:
    """A disk that refuses keeps nobody from working."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert start_log(tmp_path / "file" / "logs", "info", 1_000) is None
    stop_log(None)
