"""A signed-in terminal for the world, with a token that chance of the seed made.

Tokens of production come from the operating system's randomness, which no seed repeats, so the rows are
written here as a sign-in writes them.
"""

from __future__ import annotations

import random

from sqlalchemy import insert

from server.kernel.token_rows import ACCESS, hashed
from server.schema import sign_ins, tokens
from server.verification.server_node import ServerRoom
from sync.contract.permissions import Role

VALID_MS = 30 * 24 * 3_600_000


def signed_in_token(room: ServerRoom, name: str, chance: random.Random) -> str:
    """Enrol a device ``name`` with a person of its own and return an access token for it."""
    site = room.site.key
    identities = room.database.identities
    role = Role.SUPERVISOR if name.endswith("1") else Role.PICKER
    user = identities.add_user(site, f"Person at {name}", role)
    device = identities.add_device(site, user.name, name, f"device-{chance.getrandbits(128)}")
    token = f"access-{chance.getrandbits(128)}"
    now = room.clock.wall_ms()
    with room.database.engine.begin() as connection:
        connection.execute(
            insert(sign_ins).values(
                id=f"sign-in-{name}",
                organization_id=site.organization_id,
                site_id=site.site_id,
                user_id=user.id,
                enrolment_id=device.id,
                created_at=now,
            )
        )
        connection.execute(
            insert(tokens).values(
                token_hash=hashed(token),
                sign_in_id=f"sign-in-{name}",
                kind=ACCESS,
                created_at=now,
                expires_at=now + VALID_MS,
            )
        )
    return token
