"""Tokens in the database: only their hashes are kept, and what they stand for."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, select

from databases.schema import devices, organizations, sign_ins, sites, tokens, users
from server.kernel.records import Principal, SiteKey, SiteRow
from sync.contract.messages import Person
from sync.contract.permissions import Role

ACCESS = "access"
REFRESH = "refresh"


def hashed(token: str) -> str:
    """Return what is stored of a token: it is 256 random bits, so a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def is_alive() -> ColumnElement[bool]:
    """Return the condition that a sign-in, its device and its user still count."""
    return and_(
        sign_ins.c.revoked_at.is_(None),
        devices.c.revoked_at.is_(None),
        users.c.disabled_at.is_(None),
    )


# Made once: to make a statement costs several times what SQLite needs to carry it out.
_TOKEN: Final = select(tokens.c.sign_in_id, tokens.c.expires_at).where(
    tokens.c.token_hash == bindparam("hash"),
    tokens.c.kind == ACCESS,
    tokens.c.expires_at > bindparam("now"),
)
_SIGNED_IN: Final = (
    select(
        sign_ins.c.enrolment_id,
        users.c.id,
        users.c.name,
        users.c.role,
        sites.c.id,
        sites.c.name,
        sites.c.time_zone,
        organizations.c.id,
        organizations.c.name,
    )
    .join(devices, devices.c.id == sign_ins.c.enrolment_id)
    .join(users, users.c.id == sign_ins.c.user_id)
    .join(sites, sites.c.id == sign_ins.c.site_id)
    .join(organizations, organizations.c.id == sign_ins.c.organization_id)
    .where(sign_ins.c.id == bindparam("sign_in"), is_alive())
)
_ALIVE: Final = (
    select(sign_ins.c.id)
    .join(devices, devices.c.id == sign_ins.c.enrolment_id)
    .join(users, users.c.id == sign_ins.c.user_id)
    .where(sign_ins.c.id.in_(bindparam("sign_ins", expanding=True)), is_alive())
)


def principal_of(connection: Connection, token: str, now_ms: int) -> Principal | None:
    """Return who an access token is, None when it is nobody's, over or revoked."""
    row = connection.execute(_TOKEN, {"hash": hashed(token), "now": now_ms}).one_or_none()
    if row is None:
        return None
    return principal_of_sign_in(connection, row.sign_in_id, row.expires_at)


def principal_of_sign_in(connection: Connection, sign_in_id: str, expires_ms: int) -> Principal | None:
    """Return who signed in, None when the sign-in is over."""
    row = connection.execute(_SIGNED_IN, {"sign_in": sign_in_id}).one_or_none()
    if row is None:
        return None
    enrolment, user, user_name, role, site, site_name, time_zone, organization, its_name = row
    return Principal(
        SiteRow(SiteKey(organization, site), site_name, time_zone, its_name),
        Person(user, user_name, role, sign_in_id),
        Role(role),
        enrolment,
        expires_ms,
    )


def ended(connection: Connection, sign_in_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of these sign-ins that are over."""
    if not sign_in_ids:
        return ()
    rows = connection.execute(_ALIVE, {"sign_ins": sign_in_ids})
    alive = set(rows.scalars())
    return tuple(sign_in for sign_in in sign_in_ids if sign_in not in alive)
