"""From the answers of the programs to measurements: everybody's own figures, and ours beside the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.peers.questions import Answers
from bench.shape import Measurement, percentile, summarise

OURS = "ours"
FIGURES = {
    "cold_open_ms": "open_ms",
    "click_open_ms": "click_ms",
    "drag_start_ms": "lift_ms",
    "move_cpu_ms": "move_cpu_ms",
    "memory_mb": "memory_mb",
}
"""The end of a metric's name -> the samples of :class:`~bench.peers.questions.Answers`."""


@dataclass(frozen=True)
class Asked:
    """A board with so many orders."""

    board: str
    orders: int

    @property
    def metric(self) -> str:
        """The beginning of its metrics' names."""
        return f"peers.{self.board.replace('-', '_')}_{self.orders // 1000}k"


def figures(answered: Mapping[Asked, Answers]) -> Iterator[Measurement]:
    """Yield what each board was measured at."""
    for asked, answers in answered.items():
        for name, samples in FIGURES.items():
            found: list[float] = getattr(answers, samples)
            if found:
                unit = "MB" if name.endswith("_mb") else "ms"
                yield summarise(f"{asked.metric}.{name}", found, unit)


def ratios(answered: Mapping[Asked, Answers], many: int, few: int) -> Iterator[Measurement]:
    """Yield our figures with ``many`` orders as shares of the best web board's.

    Once beside those that bear as many, and once more, with ``_to_1k`` at the end of the name, beside the
    best of all with ``few`` only.
    """
    ours = answered.get(Asked(OURS, many))
    if ours is None:
        return
    for orders, end in ((many, ""), (few, f"_to_{few // 1000}k")):
        peers = [
            answers for asked, answers in answered.items() if asked.orders == orders and asked.board != OURS
        ]
        for name, our_samples, their_samples in (
            ("memory_ratio", "memory_mb", "memory_mb"),
            ("drag_start_ratio", "lift_ms", "lift_ms"),
            ("cold_open_ratio", "open_ms", "open_ms"),
            # Beside a browser that is up, our program still has to start.
            ("click_open_ratio", "open_ms", "click_ms"),
            ("move_cpu_ratio", "move_cpu_ms", "move_cpu_ms"),
        ):
            ratio = _ratio(ours, our_samples, peers, their_samples)
            if ratio is not None:
                runs = len(getattr(ours, our_samples))
                yield Measurement(f"peers.{name}{end}", round(ratio, 4), "ratio", runs, 0.0)


def _ratio(ours: Answers, our_samples: str, peers: list[Answers], their_samples: str) -> float | None:
    """Return our median as a share of the lowest of theirs, None when somebody has no sample."""
    mine: list[float] = getattr(ours, our_samples)
    theirs = [percentile(found, 50) for each in peers if (found := getattr(each, their_samples))]
    return percentile(mine, 50) / min(theirs) if mine and theirs else None
