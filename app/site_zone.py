"""The time zone of the site, which is known for certain only after the first contact.

Widgets take a zone when they are made; this one can be corrected afterwards, and all of them follow.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

_UTC = timezone.utc  # noqa: UP017 - a module constant, not a call


def named_zone(name: str) -> tzinfo:
    """Return the zone with an IANA name; the machine's own when it is empty or unknown here."""
    if name:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return datetime.now().astimezone().tzinfo or _UTC


class SiteZone(tzinfo):
    """A zone that stands for another one."""

    def __init__(self, name: str = "") -> None:
        """Begin as the zone called ``name``."""
        self._name = name
        self._zone = named_zone(name)

    def set_name(self, name: str) -> bool:
        """Stand for the zone called ``name`` from now on; say whether that is another one."""
        if name == self._name:
            return False
        self._name, self._zone = name, named_zone(name)
        return True

    def utcoffset(self, moment: datetime | None, /) -> timedelta | None:
        """Return how far the zone is from UTC."""
        return self._zone.utcoffset(_inside(moment, self._zone))

    def dst(self, moment: datetime | None, /) -> timedelta | None:
        """Return the part of it that is summer time."""
        return self._zone.dst(_inside(moment, self._zone))

    def tzname(self, moment: datetime | None, /) -> str | None:
        """Return the zone's short name."""
        return self._zone.tzname(_inside(moment, self._zone))

    def fromutc(self, moment: datetime, /) -> datetime:
        """Return the zone's wall time of a moment in UTC."""
        return self._zone.fromutc(moment.replace(tzinfo=self._zone)).replace(tzinfo=self)


def _inside(moment: datetime | None, zone: tzinfo) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=zone)
