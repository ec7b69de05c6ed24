"""What a KPI is, and the rule that says how one is doing.

Every program of this project assesses with :func:`assess`, so a terminal's overlay and the server's
pages can never disagree about the same value. The KPIs themselves stand in :mod:`telemetry.kpis`.

The state of a KPI is not the severity of an alert: a query over a second is critical here and one line
of the daily report there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How a KPI is doing; ``NO_DATA`` must never be shown as on target."""

    ON_TARGET = "on target"
    ACCEPTABLE = "acceptable"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no data"


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower is better"
    HIGHER = "higher is better"


class Unit(StrEnum):
    """The unit that values, target and bounds of a KPI are in."""

    MILLISECONDS = "ms"
    BYTES = "B"
    PERCENT = "%"
    PER_DAY = "per day"
    PEOPLE = "people"


class Group(StrEnum):
    """The block of the specification that a KPI stands in."""

    USER_EXPERIENCE = "user experience"
    SYSTEM_PERFORMANCE = "system performance"
    BUSINESS = "business"


class Aggregation(StrEnum):
    """How single values become the one that is assessed.

    Percentiles come from merged sketches: the average of percentiles is a different, wrong number.
    """

    P95 = "p95"
    P95_PER_MINUTE = "p95 per minute"
    P95_FIVE_MINUTES = "p95 over 5 minutes"
    RATIO_30_DAYS = "ratio over 30 days"
    PER_RELEASE = "one value per release"
    PER_DAY = "one value per day"
    PER_WEEK = "one value per week"
    TIME_WEIGHTED_MEAN = "mean weighted by time"


class BandSemantics(StrEnum):
    """How the signs that the specification writes before warning and critical are read."""

    SIGNS_AS_WRITTEN = "the signs point away from the target and are taken as written"
    BOUNDS = "the figures are the bounds of the bands; the target alone says which way is better"
    TARGETS_ONLY = "only targets are named; nothing is ever warning or critical"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where the bands meet, in the KPI's unit.

    A value exactly on a bound is in the milder band, except that the target itself is not yet on
    target: the specification's signs are strict.
    """

    target: float
    warning: float
    critical: float


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature whose adoption is watched: ``target`` is the wished share of users, in percent."""

    key: str
    target: float
    description: str


@dataclass(frozen=True, slots=True)
class Kpi:
    """What one KPI means, where it is measured and which values are good.

    ``bounds`` is None for exactly one KPI, ``feature_usage``, which has ``features`` instead.
    ``min_samples`` is how many samples a value must rest on; fewer are no data.
    """

    key: str
    name: str
    group: Group
    unit: Unit
    direction: Direction
    bounds: Bounds | None
    description: str
    measured_where: str
    aggregation: Aggregation
    band_semantics: BandSemantics = BandSemantics.SIGNS_AS_WRITTEN
    min_samples: int = 1
    features: tuple[Feature, ...] = ()


def assess(kpi: Kpi, value: float | None, samples: int) -> State:
    """Say how ``kpi`` is doing at ``value``, which rests on ``samples`` samples.

    No value, a value that is not a finite number and too few samples are no data. A caller whose
    samples are too old passes 0 for ``samples``. Raises ValueError for ``feature_usage``, which has a
    target per feature: see :func:`assess_feature`.
    """
    if kpi.bounds is None:
        message = f"{kpi.key} has no bounds of its own; assess its features"
        raise ValueError(message)
    if value is None or not math.isfinite(value) or samples < max(1, kpi.min_samples):
        return State.NO_DATA
    return _band(kpi.bounds, value, kpi.direction)


def assess_feature(feature: Feature, share_percent: float | None, users: int) -> State:
    """Say whether ``share_percent`` of ``users`` active people is over the target of ``feature``.

    The specification names no warning for features, so a low share is at worst acceptable.
    """
    if share_percent is None or not math.isfinite(share_percent) or users < 1:
        return State.NO_DATA
    return State.ON_TARGET if share_percent > feature.target else State.ACCEPTABLE


def _band(bounds: Bounds, value: float, direction: Direction) -> State:
    """Place ``value`` between the bounds, all strict, mirrored where higher is better."""
    sign = 1.0 if direction is Direction.LOWER else -1.0
    badness = sign * value
    if badness < sign * bounds.target:
        return State.ON_TARGET
    if badness <= sign * bounds.warning:
        return State.ACCEPTABLE
    if badness <= sign * bounds.critical:
        return State.WARNING
    return State.CRITICAL
