"""docs/specification.md repeats the whole specification, and names only what exists."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest

from app import main as client_main
from server import main as server_main
from server.modules import MODULES
from support.specification import missing_of, rows_of, sections_of, topics_of, untrue_rows

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "specification.md").read_text(encoding="utf-8")
SPECIFICATION = ROOT.parent / "shared" / "spec" / "fulfillment-kanban-monitoring.md"

needs_specification = pytest.mark.skipif(
    not SPECIFICATION.is_file(), reason="the specification is not beside this checkout"
)


def _routes() -> set[str]:
    """Return the routes of the server, "GET /health"."""
    return {f"{route.method} {route.path}" for module in MODULES for route in module.routes}


def _commands() -> set[str]:
    """Return the command lines of both programs, "fulfillment-kanban-server serve"."""
    return {
        f"{parser.prog} {name}"
        for parser in (client_main.make_parser(), server_main.make_parser())
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for name in action.choices
    }


def test_every_row_names_what_exists() -> None:
    """Paths, symbols, make targets, commands, routes and topics of every Where cell are real."""
    assert untrue_rows(PAGE, ROOT, _routes(), _commands()) == []


def test_every_topic_is_still_planned() -> None:
    """A topic that no row names any more is done, and leaves the list."""
    named = set(re.findall(r"`planned: ([^`]+)`", PAGE))
    assert topics_of(PAGE) == named


@needs_specification
def test_the_page_repeats_the_whole_specification() -> None:
    """Every heading, figure, quoted word and bullet of the specification stands in its section."""
    assert missing_of(SPECIFICATION.read_text(encoding="utf-8"), PAGE) == []


@needs_specification
def test_every_figure_of_the_kpi_block_stands_in_its_own_row() -> None:
    """The n-th KPI's target, warning, critical and description are the rows ``KPI-n.…``."""
    text = SPECIFICATION.read_text(encoding="utf-8")
    block = text.partition("### Key Performance Indicators")[2].partition("## Error Monitoring")[0]
    kpis = re.findall(r"^  (\w+): \{\n(.*?)^  \}", block, re.MULTILINE | re.DOTALL)
    assert len(kpis) == 17
    rows = {row.id: row.says for row in rows_of(PAGE)}
    for number, (name, body) in enumerate(kpis, start=1):
        lines = re.findall(r"(\w+): '([^']+)'", body)
        assert len(lines) >= 4, name
        for field, figure in lines:
            says = rows[f"KPI-{number:02}.{field}"]
            assert says == (figure if field == "description" else f"{name} {field} {figure}")


# ------------------------------------------------------- the checks themselves can fail

HEAD = """\
| topic | what it will bring |
|---|---|
| alerts | rules |

## Numbers

| # | Specification says | Reading | Where |
|---|---|---|---|
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A made-up tree with one module, one make target and nothing else."""
    (tmp_path / "room").mkdir()
    module = "LIMIT: int = 3\nNAME = 'x'\n\n\nclass Box:\n    def open(self): ...\n\n\ndef work(): ...\n"
    (tmp_path / "room" / "module.py").write_text(module)
    (tmp_path / "Makefile").write_text("bench: bootstrap\n\techo\n")
    return tmp_path


@pytest.mark.parametrize(
    "where",
    [
        "`room/module.py`",
        "`room`",
        "`room/module.py::LIMIT`",
        "`room/module.py::NAME`, `room/module.py::work`",
        "`room/module.py::Box.open`",
        "`make bench`",
        "`make bench ONLY=board`",
        "`GET /health`",
        "`fulfillment-kanban-server serve`",
        "`planned: alerts`",
    ],
)
def test_what_exists_passes(where: str, tree: Path) -> None:
    """Every kind of name is recognised."""
    page = f"{HEAD}| AB-01 | a figure | so | {where} |\n"
    assert untrue_rows(page, tree, {"GET /health"}, {"fulfillment-kanban-server serve"}) == []


@pytest.mark.parametrize(
    "where",
    [
        "`room/other.py`",
        "`room/module.py::gone`",
        "`room/module.py::open`",
        "`make benches`",
        "`GET /healthy`",
        "`POST /health`",
        "`fulfillment-kanban-server fly`",
        "`fulfillment-kanban serve`",
        "`planned: someday`",
        "`planned`",
        "",
        "room/module.py",
        "`room` and more",
        "`room`, `room/other.py`",
    ],
)
def test_what_does_not_exist_is_found(where: str, tree: Path) -> None:
    """Each kind of wrong cell is one finding."""
    page = f"{HEAD}| AB-01 | a figure | so | {where} |\n"
    assert len(untrue_rows(page, tree, {"GET /health"}, {"fulfillment-kanban-server serve"})) == 1


@pytest.mark.parametrize(
    "rows",
    [
        "| AB-01 | a | b | `room` |\n| AB-01 | c | d | `room` |\n",
        "| Ab1 | a | b | `room` |\n",
        "| AB-01 |  | b | `room` |\n",
        "| AB-01 | a |  | `room` |\n",
        "| AB-01 | a | b |\n",
    ],
    ids=["doubled", "no id", "says nothing", "no reading", "no where"],
)
def test_a_broken_row_is_found(rows: str, tree: Path) -> None:
    """A doubled or shapeless id and an empty or missing cell are findings."""
    assert len(untrue_rows(HEAD + rows, tree, set(), set())) == 1


MADE_UP_SPECIFICATION = """\
## Numbers

- **Fast**: under 5 seconds
```bash
# no heading
limit: '> 20%',  # a comment need not be repeated
rotate
```
"""


def test_a_complete_page_misses_nothing() -> None:
    """The made-up specification and a page that repeats it agree; code holds no headings."""
    page = HEAD + "| AB-01 | Fast: under 5 seconds | so | x |\n| AB-02 | limit > 20%, rotate | so | x |\n"
    assert [section.heading for section in sections_of(MADE_UP_SPECIFICATION)] == ["Numbers"]
    assert missing_of(MADE_UP_SPECIFICATION, page) == []


@pytest.mark.parametrize(
    ("first", "second", "missing"),
    [
        ("Fast: under 15 seconds", "limit > 20%, rotate", "Numbers: 5"),
        ("Fast: under 5.5 seconds", "limit > 20%, rotate", "Numbers: 5"),
        ("under 5 seconds", "limit > 20%, rotate", "Numbers: Fast"),
        ("Fast: under 5 seconds", "limit < 20%, rotate", "Numbers: > 20%"),
        ("Fast: under 5 seconds", "limit > 20%", "Numbers: rotate"),
        ("Fast: under 5 seconds", "> 20%, rotate", "Numbers: limit"),
    ],
    ids=["other figure", "longer figure", "no lead", "other sign", "no bare line", "no key"],
)
def test_what_the_page_leaves_out_is_found(first: str, second: str, missing: str) -> None:
    """A figure, a lead, a quoted word or a line that no row repeats is named with its section."""
    page = f"{HEAD}| AB-01 | {first} | so | x |\n| AB-02 | {second} | so | x |\n"
    assert missing_of(MADE_UP_SPECIFICATION, page) == [missing]


def test_a_missing_section_is_found() -> None:
    """A heading of the specification without its like on the page is named."""
    assert missing_of("## Other\n\nA sentence.\n", HEAD) == ["no heading Other"]
    assert missing_of("## Numbers\n\nA sentence.\n", HEAD) == ["Numbers: no row"]


def test_fewer_rows_than_bullets_are_found() -> None:
    """Two bullets in one row hide one of them."""
    page = HEAD + "| AB-01 | one and two | so | x |\n"
    assert missing_of("## Numbers\n\n- one\n- two\n", page) == ["Numbers: 2 bullets, 1 rows"]
