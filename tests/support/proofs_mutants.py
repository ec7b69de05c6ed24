"""Wrong programs by the hundred: small changes of our code that a tool makes, each to be seen by a test.

The tool is ``mutmut``; of it we take what it does to a piece of code (another comparison, one argument less,
no ``case``, a number more), and leave how it runs tests. Words in quotes are not changed: what a person reads
is no protocol. One nothing is not exchanged for another (``False`` for ``None``), which is as false. What is
chosen of the thousands depends on the words of each change alone, so that an edit of one function leaves the
sample of the others as it was.
"""

from __future__ import annotations

import difflib
import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import libcst as cst
from mutmut.mutation.mutators import mutation_operators, operator_string

SHORT: Final = 80
"""A change is told in so many characters."""
LEAST_PER_FILE: Final = 4


class Mutant(NamedTuple):
    """One change: where it is, the lines before and after, and the whole file with it."""

    path: str
    function: str
    before: str
    after: str
    """The smallest piece of code that changes, on one line, and what stands there instead."""
    nth: int
    """Which of the same pieces in the function it is."""
    lines: tuple[int, ...]
    """The lines of the file, as it is without the change, that the change touches."""
    source: str

    @property
    def name(self) -> str:
        """Return the words by which a person finds it."""
        which = f" (no. {self.nth})" if self.nth > 1 else ""
        return f"{self.path} {self.function}: {self.before} -> {self.after}{which}"


class Site(NamedTuple):
    """A change that could be made."""

    path: str
    function: str
    old: cst.CSTNode
    new: cst.CSTNode
    nth: int
    rank: str
    """Its place in the sample: the lowest are taken."""


class _Visitor(cst.CSTVisitor):
    """Collect what the tool would do inside functions; names, types, decorators and defaults stay."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, cst.CSTNode, cst.CSTNode]] = []
        self._names: list[str] = []
        self._functions = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Note the changes of ``node``; say whether to look inside it."""
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._names.append(node.name.value)
            self._functions += isinstance(node, cst.FunctionDef)
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Param | cst.BaseString):
            return False
        if self._functions and not isinstance(node, cst.ClassDef | cst.FunctionDef):
            name = ".".join(self._names)
            for kind, operator in mutation_operators:
                if isinstance(node, kind) and operator is not operator_string:
                    self.found += [(name, node, new) for new in operator(node) if not _is_nothing(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        """Leave a function or class."""
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            self._names.pop()
            self._functions -= isinstance(original_node, cst.FunctionDef)


def _is_nothing(node: cst.CSTNode) -> bool:
    """Say whether this assigns nothing: the tool would assign another nothing, which is as false."""
    if not isinstance(node, cst.Assign | cst.AnnAssign) or node.value is None:
        return False
    return cst.Module([]).code_for_node(node.value) in {"False", "None", "0", '""'}


def sites(path: str, text: str, seed: int) -> tuple[cst.Module, list[Site]]:
    """Return the module and every change that the tool would make in it, the first of the sample first."""
    module = cst.parse_module(text)
    visitor = _Visitor()
    module.visit(visitor)
    seen: Counter[str] = Counter()
    found = []
    for function, old, new in visitor.found:
        words = "\0".join((str(seed), path, function, module.code_for_node(old), module.code_for_node(new)))
        seen[words] += 1
        rank = hashlib.sha256(f"{words}\0{seen[words]}".encode()).hexdigest()
        found.append(Site(path, function, old, new, seen[words], rank))
    return module, sorted(found, key=lambda site: site.rank)


def made(module: cst.Module, site: Site) -> Mutant | None:
    """Return the file with one change; None when the change is none or no program comes out."""
    changed = module.deep_replace(site.old, site.new)
    if not isinstance(changed, cst.Module) or changed.code == module.code:
        return None
    try:
        compile(changed.code, site.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return Mutant(
        site.path,
        site.function,
        *_told(module.code_for_node(site.old), module.code_for_node(site.new)),
        site.nth,
        changed_lines(module.code, changed.code),
        changed.code,
    )


def changed_lines(before: str, after: str) -> tuple[int, ...]:
    """Return the lines of ``before``, by number, that ``after`` changes; where lines come, the next one."""
    matcher = difflib.SequenceMatcher(a=before.splitlines(), b=after.splitlines(), autojunk=False)
    return tuple(
        number + 1
        for tag, first, last, _, _ in matcher.get_opcodes()
        if tag != "equal"
        for number in range(first, max(last, first + 1))
    )


def _told(before: str, after: str) -> tuple[str, str]:
    """Return both pieces on one line each, so short that the difference is still to be seen."""
    before, after = " ".join(before.split()), " ".join(after.split())
    start = next((at for at, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    cut = max(0, start - SHORT // 2) if max(len(before), len(after)) > SHORT else 0
    lead = "…" if cut else ""
    return lead + _short(before[cut:]), lead + _short(after[cut:])


def _short(words: str) -> str:
    return words if len(words) <= SHORT else words[:SHORT] + "…"


def sample(root: Path, paths: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """Return about ``count`` mutants: from every file its share, and a few from the smallest."""
    files = {path: sites(path, (root / path).read_text(encoding="utf-8"), seed) for path in paths}
    shares = _shares({path: len(found) for path, (_, found) in files.items()}, count)
    chosen: list[Mutant] = []
    for path, (module, found) in files.items():
        chosen += _first(_each(module, found), shares[path])
    return chosen


def _shares(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    total = sum(sizes.values())
    return {
        path: min(size, max(LEAST_PER_FILE, math.ceil(count * size / total))) for path, size in sizes.items()
    }


def _each(module: cst.Module, found: Iterable[Site]) -> Iterator[Mutant]:
    return (mutant for site in found if (mutant := made(module, site)) is not None)


def _first(mutants: Iterable[Mutant], count: int) -> list[Mutant]:
    """Return the first ``count`` that differ in what the file then says."""
    kept: dict[str, Mutant] = {}
    for mutant in mutants:
        if len(kept) == count:
            break
        kept.setdefault(mutant.source, mutant)
    return list(kept.values())
