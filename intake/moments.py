"""Moments as people and programs write them: ISO 8601, or milliseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

Moment = str | int
"""``2026-03-01T09:30:00+01:00``, or milliseconds. Without an offset it is the site's own time."""
LATEST_MS: Final = 253_402_300_799_000
"""The last second of the year 9999: what calendars can show."""


def moment_ms(value: Moment, zone: ZoneInfo) -> int:
    """Return a moment in milliseconds; raises ``ValueError``."""
    if isinstance(value, int):
        found_ms = value
    else:
        found = datetime.fromisoformat(value.strip())
        found = found if found.tzinfo is not None else found.replace(tzinfo=zone)
        try:
            found_ms = round(found.timestamp() * 1000)
        except OverflowError as error:
            raise ValueError(value) from error
    if not 0 < found_ms <= LATEST_MS:
        raise ValueError(found_ms)
    return found_ms


def moment_text(value_ms: int | None) -> str:
    """Return a moment in UTC, empty when there is none or no calendar reaches it."""
    if value_ms is None or not 0 <= value_ms <= LATEST_MS:
        return ""
    timespec = "milliseconds" if value_ms % 1000 else "seconds"
    return datetime.fromtimestamp(value_ms / 1000, UTC).isoformat(timespec=timespec).replace("+00:00", "Z")
