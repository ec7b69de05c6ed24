"""What measurements (``make bench``) and proofs (``make verify``) hand on: one shape of lines, one merge.

Each metric is one JSON line on standard output. ``build/bench.json`` is flat, ``{"metric": number}``;
``build/bench-details.json`` holds the whole lines by metric. Both doors write into the same two files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")


def parse(line: str, shape: type[T], where: str) -> T | None:
    """Return the result in a line of output, as ``shape`` of the file ``where``; None when it is not one.

    Raises:
        ValueError: when it names a metric but is not of the shape.
    """
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict) or "metric" not in said:
        return None
    try:
        result = shape(**said)
    except TypeError as error:
        raise ValueError(f"not of the shape of {where}: {line}") from error
    number = said["value"]
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"the value is not a number: {line}")
    return result


def merge(
    build: Path,
    results: Mapping[str, DataclassInstance],
    is_kept: Callable[[dict[str, Any]], bool] = lambda _older: True,
) -> None:
    """Write both files, with those of the older results of other metrics that are to be kept."""
    build.mkdir(exist_ok=True)
    older = _older(build / "bench-details.json")
    details: dict[str, Any] = {metric: each for metric, each in older.items() if is_kept(each)}
    details.update({metric: asdict(result) for metric, result in results.items()})
    details = dict(sorted(details.items()))
    flat = {metric: detail["value"] for metric, detail in details.items()}
    for name, content in (("bench.json", flat), ("bench-details.json", details)):
        (build / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _older(path: Path) -> dict[str, Any]:
    """Return what was found before, nothing when the file is not there or not readable."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
