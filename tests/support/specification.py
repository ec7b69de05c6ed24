"""Reads docs/specification.md and the specification, and says where the page is not true.

Pure functions over text and a root folder, so that the tests can also ask about made-up pages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS = ["#", "Specification says", "Reading", "Where"]

_HEADING = re.compile(r"#{1,6} (.+)")
_CODE = re.compile(r"`([^`]+)`")
_ROUTE = re.compile(r"[A-Z]+ /\S*")
_ID = re.compile(r"[A-Z]+-\d\d(\.\w+)?")


@dataclass(frozen=True)
class Row:
    """One row of a table of the page, with the heading that it stands under."""

    id: str
    says: str
    reading: str
    where: str
    section: str


@dataclass
class Section:
    """One section of the specification: what stands directly under one heading."""

    heading: str
    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)


def rows_of(page: str) -> list[Row]:
    """Return every row of every table of ``page`` whose columns are ``COLUMNS``."""
    rows: list[Row] = []
    section, is_ours = "", False
    for line in page.splitlines():
        if heading := _HEADING.fullmatch(line):
            section = heading[1]
        if not line.startswith("|"):
            is_ours = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells == COLUMNS:
            is_ours = True
        elif is_ours and set(line) != set("|-"):
            cells += [""] * (len(COLUMNS) - len(cells))
            rows.append(Row(cells[0], cells[1], cells[2], "|".join(cells[3:]), section))
    return rows


def topics_of(page: str) -> set[str]:
    """Return the topics that may follow the word ``planned``."""
    table = page.partition("| topic |")[2].partition("\n\n")[0]
    return {line.strip("|").split("|")[0].strip() for line in table.splitlines()[2:]}


def sections_of(specification: str) -> list[Section]:
    """Cut the specification at its headings; a ``#`` inside a code block is none."""
    sections: list[Section] = []
    in_code = False
    for line in specification.splitlines():
        if line.startswith("```"):
            in_code = not in_code
        elif not in_code and (heading := _HEADING.fullmatch(line)):
            sections.append(Section(heading[1]))
        elif sections and line.strip():
            (sections[-1].code if in_code else sections[-1].prose).append(line)
    return sections


def untrue_rows(page: str, root: Path, routes: set[str], commands: set[str]) -> list[str]:
    """Return one line for each cell of ``page`` that is empty, doubled, or names what is not there.

    ``root`` is the tree, ``routes`` those of the server ("GET /health"), ``commands`` the command lines
    of the programs ("fulfillment-kanban-server serve").
    """
    rows, topics, found = rows_of(page), topics_of(page), []
    seen: set[str] = set()
    for row in rows:
        if not _ID.fullmatch(row.id) or row.id in seen:
            found.append(f"{row.id}: not a unique id")
        seen.add(row.id)
        if not row.says or not row.reading:
            found.append(f"{row.id}: an empty cell")
        names = _CODE.findall(row.where)
        rest = _CODE.sub("", row.where).replace(",", "").strip()
        if not names or rest:
            found.append(f"{row.id}: Where holds names in backticks, at least one, and nothing else")
        found += [
            f"{row.id}: {name} does not exist"
            for name in names
            if not _exists(name, root, topics, routes, commands)
        ]
    return found


def _exists(name: str, root: Path, topics: set[str], routes: set[str], commands: set[str]) -> bool:
    """Say whether one name of a Where cell is a known topic, target, command, route, path or symbol."""
    if name.startswith("planned: "):
        return name.removeprefix("planned: ") in topics
    if name.startswith("make "):
        return name.split()[1] in _make_targets(root)
    if name.startswith("fulfillment-kanban"):
        return name in commands
    if _ROUTE.fullmatch(name):
        return name in routes
    path, _, symbol = name.partition("::")
    if not (root / path).exists():
        return False
    return not symbol or symbol in _symbols((root / path).read_text(encoding="utf-8"))


def _make_targets(root: Path) -> set[str]:
    makefile = root / "Makefile"
    if not makefile.is_file():
        return set()
    return set(re.findall(r"^([a-z][\w-]*):", makefile.read_text(encoding="utf-8"), re.MULTILINE))


def _symbols(source: str) -> set[str]:
    """Return the names that a module defines, those of its classes as ``Class.name``."""
    return set(_names_in(ast.parse(source).body, ""))


def _names_in(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + statement.name
            if isinstance(statement, ast.ClassDef):
                yield from _names_in(statement.body, f"{prefix}{statement.name}.")
        elif isinstance(statement, ast.Assign):
            yield from (prefix + goal.id for goal in statement.targets if isinstance(goal, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield prefix + statement.target.id


_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_QUOTED = re.compile(r"'([^']+)'")
_LEAD = re.compile(r"(?:- |\d+\. )\*\*([^*]+)\*\*")
_WORD = re.compile(r"[A-Za-z_]\w{3,}")
_SYNTAX = {"SELECT", "description", "echo", "endscript", "then"}
"""Words that only hold a snippet together."""
_BULLET = re.compile(r"(?:- |\d+\. )")


def missing_of(specification: str, page: str) -> list[str]:
    """Return what the specification says and no row of the same section of ``page`` repeats.

    Looks for each heading, each figure, the main word and the quoted words of each line of a snippet,
    and the bold lead of each bullet; and for at least as many rows as there are bullets.
    """
    headings = {match[1] for line in page.splitlines() if (match := _HEADING.fullmatch(line))}
    found = []
    for section in sections_of(specification):
        if section.heading not in headings:
            found.append(f"no heading {section.heading}")
            continue
        rows = [row for row in rows_of(page) if row.section == section.heading]
        if (section.prose or section.code) and not rows:
            found.append(f"{section.heading}: no row")
        said = "\n".join(row.says for row in rows)
        found += [f"{section.heading}: {word}" for word in _words_of(section) if not _is_said(word, said)]
        bullets = [line for line in section.prose if _BULLET.match(line)]
        if len(rows) < len(bullets):
            found.append(f"{section.heading}: {len(bullets)} bullets, {len(rows)} rows")
    return found


def _words_of(section: Section) -> Iterator[str]:
    """Return what must be repeated.

    Figures, bold leads of bullets; of snippets the quoted words and the longest word of each line.
    """
    for line in section.code:
        yield from _QUOTED.findall(line)
        yield from _NUMBER.findall(line)
        words = [word for word in _WORD.findall(_code_of(line)) if word not in _SYNTAX]
        if words:
            yield max(words, key=len)
    for line in section.prose:
        if lead := _LEAD.match(line):
            yield lead[1]
        yield from _NUMBER.findall(_BULLET.sub("", line, count=1))


def _code_of(line: str) -> str:
    """Return a line of a snippet without its comment; empty when it only opens a block."""
    code = re.split(r"(?:^|\s)(?:#|//|--\s)", line, maxsplit=1)[0].rstrip()
    return "" if code.endswith(("{", "[", "(", ">")) else code


def _is_said(word: str, said: str) -> bool:
    """Say whether ``word`` stands in ``said``, a figure only where it is not part of another."""
    if _NUMBER.fullmatch(word):
        return re.search(rf"(?<![\w.]){re.escape(word)}(?!\d)(?!\.\d)", said) is not None
    return word in said
