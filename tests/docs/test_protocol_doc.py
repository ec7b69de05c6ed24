"""docs/protocol.md describes the contract: every message, field, kind, outcome, reason and limit."""

from __future__ import annotations

import re
import typing
from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from server.kernel.refusals import Refusal
from sync.client import conversation
from sync.contract import limits, messages
from sync.contract.messages import ClientMessage, Person, ServerMessage, Site, Verdict
from sync.contract.operations import KINDS, Change, LogEntry, Operation, Outcome, Reason, ShortLine, Source
from sync.contract.orders import Address, Claim, Hold, HoldReason, LineItem, Order, OrderException
from sync.contract.problems import Problem
from sync.contract.stages import Stage

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

MESSAGES: list[type[msgspec.Struct]] = [*typing.get_args(ClientMessage), *typing.get_args(ServerMessage)]
PARTS: dict[str, type[msgspec.Struct]] = {
    "Site": Site,
    "Person": Person,
    "Verdict": Verdict,
    "Log entry": LogEntry,
    "Problem": Problem,
    "Operations": Operation,
    "Order": Order,
}


def _section(heading: str) -> str:
    """Return what stands under ``heading`` up to the next heading of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"no heading {heading}"
    return match[1]


def _table(section: str, first_column: str) -> dict[str, str]:
    """Return the rows of the table whose first column is ``first_column``: each name and the rest."""
    _, header, body = section.partition(f"| {first_column} |")
    assert header, f"no table of {first_column}s"
    rows: dict[str, str] = {}
    for line in body.partition("\n\n")[0].splitlines()[2:]:
        cells = line.strip().strip("|").split("|")
        for name in re.findall(r"`([^`]+)`", cells[0]):
            rows[name] = "|".join(cells[1:])
    return rows


def _tag(message: type[msgspec.Struct]) -> str:
    """Return the word that names ``message`` on the wire."""
    return str(message.__struct_config__.tag)


@pytest.mark.parametrize("message", MESSAGES, ids=_tag)
def test_a_message_has_its_section_with_exactly_its_fields(message: type[msgspec.Struct]) -> None:
    """No field is missing, and none is described that the message does not have."""
    assert set(_table(_section(f"`{_tag(message)}`"), "field")) == set(message.__struct_fields__)


def test_every_message_of_the_module_is_sent_by_somebody() -> None:
    """A message in neither union would escape this page; a raw form has the fields of its message."""
    described = {_tag(message): message.__struct_fields__ for message in MESSAGES}
    found = {
        value: (_tag(value), value.__struct_fields__)
        for value in vars(messages).values()
        if isinstance(value, type) and issubclass(value, messages._Message) and value is not messages._Message
    }
    assert set(found.values()) == set(described.items())


def test_the_page_describes_no_other_message() -> None:
    """Every heading in backticks is a message of the contract."""
    headings = set(re.findall(r"^### `(\w+)`$", PAGE, re.MULTILINE))
    assert headings == {_tag(message) for message in MESSAGES}


@pytest.mark.parametrize("heading", PARTS)
def test_a_part_has_its_section_with_exactly_its_fields(heading: str) -> None:
    """What messages are made of is described as completely as the messages."""
    assert set(_table(_section(heading), "field")) == set(PARTS[heading].__struct_fields__)


@pytest.mark.parametrize(
    ("field", "part"),
    [
        ("ship_to", Address),
        ("claimed_by", Claim),
        ("hold", Hold),
        ("exceptions", OrderException),
        ("lines", LineItem),
    ],
)
def test_a_nested_value_of_an_order_names_its_fields(field: str, part: type[msgspec.Struct]) -> None:
    """The row of the order's field lists the fields inside it, all and no others."""
    assert set(re.findall(r"`(\w+)`", _table(_section("Order"), "field")[field])) == set(
        part.__struct_fields__
    )


def test_every_kind_of_operation_is_described_with_its_fields() -> None:
    """The table of kinds equals the contract's, and names what each kind carries."""
    rows = _table(_section("Operations"), "kind")
    changes: dict[str, type[msgspec.Struct]] = {_tag(change): change for change in typing.get_args(Change)}
    assert set(rows) == set(KINDS) == set(changes) - {"unknown"}
    for kind, own in rows.items():
        fields = {
            *changes[kind].__struct_fields__,
            *(ShortLine.__struct_fields__ if kind == "short_pick" else ()),
        }
        assert set(re.findall(r"`(\w+)`", own.split("|")[1])) == fields, kind


@pytest.mark.parametrize(
    ("heading", "column", "values"),
    [("Outcomes", "outcome", Outcome), ("Reasons", "reason", Reason)],
    ids=["outcomes", "reasons"],
)
def test_every_outcome_and_reason_is_explained(heading: str, column: str, values: type[StrEnum]) -> None:
    """Each has a row; the empty reason needs none."""
    assert set(_table(_section(heading), column)) == {value for value in values if value}


def test_sources_stages_and_hold_reasons_are_listed() -> None:
    """The closed lists of words on the wire stand where they are used."""
    operations, order = _section("Operations"), _section("Order")
    assert set(re.findall(r"`(\w+)`", _table(operations, "field")["source"])) == set(Source)
    assert set(re.findall(r"`(\w+)`", _table(order, "field")["stage"])) == set(Stage)
    listed = operations.partition("is one of: ")[2].replace("\n", " ").strip().rstrip(".")
    assert listed.split(", ") == list(HoldReason)


def test_every_limit_has_its_value() -> None:
    """Each constant of the limits stands with its figure."""
    values = {name: value for name, value in vars(limits).items() if name.isupper()}
    rows = _table(_section("Limits"), "limit")
    assert set(rows) == set(values)
    for name, value in values.items():
        assert rows[name].strip().split()[0].rstrip(",:") == f"{value:,}", name


def test_every_refusal_has_its_close_code() -> None:
    """Each reason for which the server closes a connection stands with its WebSocket code."""
    rows = _table(_section("Refusals"), "code")
    assert {code: int(rest.split("|")[0]) for code, rest in rows.items()} == {
        refusal.name: refusal.close_code for refusal in Refusal
    }


def test_the_terminal_does_what_the_page_says() -> None:
    """Codes that a fresh token answers, and codes that stay quiet, are those of the client."""
    rows = _table(_section("Refusals"), "code")
    reactions = {code: rest.split("|")[2].strip() for code, rest in rows.items()}
    fresh = {code for code, reaction in reactions.items() if reaction.startswith("gets a fresh token")}
    quiet = {code for code, reaction in reactions.items() if reaction.startswith("connects again")}
    assert fresh == set(conversation.SIGN_IN_CODES)
    assert quiet == set(conversation._QUIET_CODES)


def test_the_versions_are_those_of_the_contract() -> None:
    """The range that the page names is the range that hello sends."""
    row = _table(_section("`hello`"), "field")["protocol_max"]
    assert f"{messages.PROTOCOL_MIN} to {messages.PROTOCOL_MAX} today" in row
