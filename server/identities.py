"""Organisations, sites, users, devices and sign-ins, written and read by name or token.

Errors (``ProblemError``): ``SITE_UNKNOWN``, ``SITE_NEEDED``, ``USER_UNKNOWN``, ``USER_EXISTS``,
``ROLE_UNKNOWN``, ``TIME_ZONE_UNKNOWN``, ``NAME_NEEDED``, ``DEVICE_NOT_FOUND``, ``DAYS_UNKNOWN``.
"""

from __future__ import annotations

import zoneinfo
from typing import NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from databases.schema import boards, devices, organizations, sites, users
from databases.statements import serialise
from server.kernel.records import SiteKey, SiteRow
from server.kernel.token_rows import hashed
from sync.contract.permissions import Role
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

NAME_CHARACTERS = 200
_NAMES = "names"
"""The lock of who looks whether a name is free and then takes it."""
SHIPPED_DAYS_MAX = 31


class UserRow(NamedTuple):
    """One user of a site."""

    id: str
    name: str
    role: str
    has_password: bool
    is_disabled: bool


class DeviceRow(NamedTuple):
    """One enrolled device; ``user`` is who it signs in."""

    id: str
    name: str
    user: str
    created_ms: int
    revoked_ms: int | None


class Identities:
    """Who may be here. Names are unique in their scope; ids are made here."""

    def __init__(self, engine: Engine, reading: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``, read through ``reading``."""
        self._engine = engine
        self._reading = reading
        self._clock = clock
        self._ids = ids

    @property
    def engine(self) -> Engine:
        """The engine that writes, for the sign-ins beside."""
        return self._engine

    def ensure_site(self, organization: str, site: str, time_zone: str) -> SiteRow:
        """Return the site of this name, made with its organisation and board when it is not there."""
        check_time_zone(time_zone)
        organization, site = _name(organization), _name(site)
        with self._engine.begin() as connection:
            serialise(connection, _NAMES)
            organization_id = self._ensure_organization(connection, organization)
            key = connection.execute(
                select(sites.c.id).where(sites.c.organization_id == organization_id, sites.c.name == site)
            ).scalar()
            if key is None:
                self._make_site(connection, organization_id, site, time_zone)
        return self.choose_site(site, organization)

    def choose_site(self, name: str = "", organization: str = "") -> SiteRow:
        """Return the site of this name; the empty name means "the only one"."""
        found = [
            row for row in self.sites() if name in {"", row.name} and organization in {"", row.organization}
        ]
        if not found:
            raise ProblemError(
                "SITE_UNKNOWN",
                f"There is no site {name!r} here." if name else "There is no site here.",
                "Run the command setup first." if not name else f"There are: {self._names()}.",
            )
        if len(found) > 1:
            raise ProblemError(
                "SITE_NEEDED", "There is more than one such site.", f"Name it with --site: {self._names()}."
            )
        return found[0]

    def sites(self) -> list[SiteRow]:
        """Return every site, by organisation and name."""
        with self._reading.begin() as connection:
            rows = connection.execute(
                select(organizations.c.id, sites.c.id, sites.c.name, sites.c.time_zone, organizations.c.name)
                .join(organizations, organizations.c.id == sites.c.organization_id)
                .order_by(organizations.c.name, sites.c.name)
            )
            return [SiteRow(SiteKey(row[0], row[1]), row[2], row[3], row[4]) for row in rows]

    def shipped_days(self) -> dict[str, int]:
        """Return for each site (by id) how many days its board keeps finished orders."""
        with self._reading.begin() as connection:
            return {row.id: row.shipped_days for row in connection.execute(select(sites))}

    def keep_shipped(self, site: SiteKey, days: int) -> None:
        """Let a board keep finished orders for ``days`` days: 1 is today."""
        if not 1 <= days <= SHIPPED_DAYS_MAX:
            raise ProblemError(
                "DAYS_UNKNOWN", f"A board cannot keep {days} days.", f"Give 1 to {SHIPPED_DAYS_MAX}."
            )
        with self._engine.begin() as connection:
            connection.execute(update(sites).where(sites.c.id == site.site_id).values(shipped_days=days))

    def add_user(self, site: SiteKey, name: str, role: str, password_hash: str | None = None) -> UserRow:
        """Make a user of a site."""
        if role not in set(Role) - {Role.SYSTEM}:
            roles = ", ".join(sorted(set(Role) - {Role.SYSTEM}))
            raise ProblemError("ROLE_UNKNOWN", f"There is no role {role!r}.", f"There are: {roles}.")
        row = UserRow(self._ids.new(), _name(name), role, password_hash is not None, is_disabled=False)
        with self._engine.begin() as connection:
            serialise(connection, _NAMES)
            if _user_id(connection, site, row.name) is not None:
                raise ProblemError(
                    "USER_EXISTS", f"There is a user {name!r} already.", "Choose another name."
                )
            connection.execute(
                insert(users).values(
                    id=row.id,
                    organization_id=site.organization_id,
                    site_id=site.site_id,
                    name=row.name,
                    role=role,
                    password_hash=password_hash,
                    created_at=self._clock.wall_ms(),
                )
            )
        return row

    def users(self, site: SiteKey) -> list[UserRow]:
        """Return the users of a site by name."""
        with self._reading.begin() as connection:
            rows = connection.execute(
                select(users).where(users.c.site_id == site.site_id).order_by(users.c.name)
            )
            return [
                UserRow(
                    row.id, row.name, row.role, row.password_hash is not None, row.disabled_at is not None
                )
                for row in rows
            ]

    def disable_user(self, site: SiteKey, name: str) -> None:
        """Shut a user out, live connections included."""
        with self._engine.begin() as connection:
            user_id = _known_user(connection, site, name)
            connection.execute(
                update(users).where(users.c.id == user_id).values(disabled_at=self._clock.wall_ms())
            )

    def add_device(
        self, site: SiteKey, user: str, name: str, token: str, *, is_embedded: bool = False
    ) -> DeviceRow:
        """Enrol a device that signs in ``user`` with ``token``; only the token's hash is kept."""
        row = DeviceRow(self._ids.new(), _name(name), user, self._clock.wall_ms(), None)
        with self._engine.begin() as connection:
            connection.execute(
                insert(devices).values(
                    id=row.id,
                    organization_id=site.organization_id,
                    site_id=site.site_id,
                    user_id=_known_user(connection, site, user),
                    name=row.name,
                    token_hash=hashed(token),
                    is_embedded=is_embedded,
                    created_at=row.created_ms,
                )
            )
        return row

    def renew_embedded_device(self, site: SiteKey, user: str, name: str, token: str) -> DeviceRow:
        """Give the launcher's own device a new token: the old one ends, the enrolment stays.

        The enrolment must stay, because the installation's operations belong to it.
        """
        with self._engine.begin() as connection:
            row = connection.execute(
                select(devices.c.id, devices.c.name, devices.c.created_at)
                .where(devices.c.site_id == site.site_id, devices.c.is_embedded.is_(True))
                .where(devices.c.user_id == _known_user(connection, site, user))
                .where(devices.c.revoked_at.is_(None))
            ).first()
            if row is not None:
                connection.execute(
                    update(devices).where(devices.c.id == row.id).values(token_hash=hashed(token))
                )
                return DeviceRow(row.id, row.name, user, row.created_at, None)
        return self.add_device(site, user, name, token, is_embedded=True)

    def devices(self, site: SiteKey) -> list[DeviceRow]:
        """Return the devices of a site, the oldest first."""
        with self._reading.begin() as connection:
            rows = connection.execute(
                select(devices.c.id, devices.c.name, users.c.name, devices.c.created_at, devices.c.revoked_at)
                .join(users, users.c.id == devices.c.user_id)
                .where(devices.c.site_id == site.site_id)
                .order_by(devices.c.created_at, devices.c.id)
            )
            return [DeviceRow(*row) for row in rows]

    def revoke_device(self, site: SiteKey, name_or_id: str) -> list[DeviceRow]:
        """Shut out the devices of this id or name; returns those that were not shut out before."""
        named = [row for row in self.devices(site) if name_or_id in {row.id, row.name}]
        if not named:
            raise ProblemError("DEVICE_NOT_FOUND", f"There is no device {name_or_id!r}.", "See device list.")
        open_ones = [row for row in named if row.revoked_ms is None]
        with self._engine.begin() as connection:
            connection.execute(
                update(devices)
                .where(devices.c.site_id == site.site_id, devices.c.id.in_([row.id for row in open_ones]))
                .values(revoked_at=self._clock.wall_ms())
            )
        return open_ones

    def _ensure_organization(self, connection: Connection, name: str) -> str:
        found = connection.execute(select(organizations.c.id).where(organizations.c.name == name)).scalar()
        if found is not None:
            return str(found)
        organization_id = self._ids.new()
        connection.execute(
            insert(organizations).values(id=organization_id, name=name, created_at=self._clock.wall_ms())
        )
        return organization_id

    def _make_site(self, connection: Connection, organization_id: str, name: str, time_zone: str) -> None:
        site_id = self._ids.new()
        connection.execute(
            insert(sites).values(
                id=site_id,
                organization_id=organization_id,
                name=name,
                time_zone=time_zone,
                created_at=self._clock.wall_ms(),
            )
        )
        connection.execute(
            insert(boards).values(
                site_id=site_id,
                organization_id=organization_id,
                epoch=self._ids.new(),
                seq=0,
                durable_seq=0,
                state_hash=0,
            )
        )

    def _names(self) -> str:
        return ", ".join(row.name for row in self.sites())


def _user_id(connection: Connection, site: SiteKey, name: str) -> str | None:
    return connection.execute(
        select(users.c.id).where(users.c.site_id == site.site_id, users.c.name == name)
    ).scalar()


def _known_user(connection: Connection, site: SiteKey, name: str) -> str:
    user_id = _user_id(connection, site, name)
    if user_id is None:
        raise ProblemError("USER_UNKNOWN", f"There is no user {name!r}.", "See user list.")
    return user_id


def _name(text: str) -> str:
    """Return a name without blanks around it; it must be one short line."""
    name = text.strip()
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise ProblemError(
            "NAME_NEEDED", f"{text[:NAME_CHARACTERS]!r} cannot be a name.", "Give one line of text."
        )
    return name


def check_time_zone(name: str) -> None:
    """Raise TIME_ZONE_UNKNOWN unless this machine knows the time zone."""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ProblemError(
            "TIME_ZONE_UNKNOWN", f"There is no time zone {name!r}.", "Give one like Europe/London."
        ) from error
