"""The list of wrong programs that the last whole run tried, as ``docs/verification.md`` publishes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

BEGIN: Final = "<!-- wrong programs: written by tools/mutants.py -->"
END: Final = "<!-- end of the wrong programs -->"


class Tried(NamedTuple):
    """One wrong program, and who saw it ("" when nobody did)."""

    name: str
    paths: tuple[str, ...]
    function: str
    """Where the tool made the change, empty for a named fault."""
    before: str
    after: str
    nth: int
    by: str
    explained: str = ""


def published(page: str, tried: Sequence[Tried]) -> str:
    """Return the page with the list of this run in the place of the last one's."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{_words(tried)}\n{END}{after}"


def _words(tried: Sequence[Tried]) -> str:
    named = [each for each in tried if not each.function]
    made = [each for each in tried if each.function]
    explained = [each for each in made if each.explained]
    parts = [
        f"### Named faults: {len(named)}",
        _table(("fault", "in", "seen by"), (_named_row(each) for each in named)),
        f"### Changes made by the tool: {len(made)}",
        _table(("file", "changes", "seen by tests", "by the simulation", "explained"), _by_file(made)),
        f"### Changes that change nothing: {len(explained)}",
        _table(("in", "change", "why nobody can see it"), (_explained_row(each) for each in explained)),
        "### Every change of the tool",
        _table(("in", "changes"), _by_function(made)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join(lines)


def _named_row(tried: Tried) -> tuple[str, str, str]:
    return tried.name, ", ".join(f"`{path}`" for path in tried.paths), seen_by(tried.by)


def seen_by(by: str) -> str:
    """Return who saw a wrong program, as the page says it: file and name of a test, a seed, or a proof."""
    if by.startswith("tests/"):
        file, _, test = by.partition("::")
        return f"`{file}` " + f"`{test.split('[')[0]}`" if test else f"`{file}`"
    return by.split(":", maxsplit=1)[0] or "nobody"


def _explained_row(tried: Tried) -> tuple[str, str, str]:
    return f"`{tried.paths[0]}` `{tried.function}`", change(tried), tried.explained


def change(tried: Tried) -> str:
    """Return what was changed into what."""
    which = f" (no. {tried.nth})" if tried.nth > 1 else ""
    return f"{_code(tried.before)} → {_code(tried.after)}{which}"


def _code(words: str) -> str:
    # A word that was cut in two is left out: it is no word.
    words = re.sub(r"^…\w+|\w+…$", "…", words)
    return f"`` {words} ``".replace("|", "\\|") if "`" in words else f"`{words or ' '}`".replace("|", "\\|")


def _by_file(made: Sequence[Tried]) -> Iterable[Sequence[str]]:
    total = Counter(each.paths[0] for each in made)
    explained = Counter(each.paths[0] for each in made if each.explained)
    simulated = Counter(each.paths[0] for each in made if each.by.startswith("simulation"))
    for path in sorted(total):
        seen = total[path] - explained[path] - simulated[path]
        yield f"`{path}`", str(total[path]), str(seen), str(simulated[path]), str(explained[path])


def _by_function(made: Sequence[Tried]) -> Iterable[Sequence[str]]:
    places: dict[tuple[str, str], list[Tried]] = {}
    for each in made:
        places.setdefault((each.paths[0], each.function), []).append(each)
    for (path, function), found in sorted(places.items()):
        yield f"`{path}` `{function}`", "; ".join(sorted(change(each) for each in found))
