"""Signing in: from a device token (and a password, where the user has one) to tokens, and back to nothing.

Tokens are opaque: 256 random bits, kept only as hashes. An access token lives 15 minutes, a refresh token
30 days and for one use: presented a second time it is stolen or lost, so its whole family (one sign-in)
ends. Blocking code; the HTTP side calls it off the event loop, because a password hash takes its time.

Errors (``ProblemError``): ``DEVICE_UNKNOWN``, ``DEVICE_REVOKED``, ``PASSWORD_WRONG``, ``TOKEN_EXPIRED``,
``TOKEN_REUSED``, ``SIGNED_OUT``, ``TOO_MANY_ATTEMPTS``.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from databases.schema import devices, sign_ins, tokens, users
from server.kernel.records import Principal
from server.kernel.token_rows import ACCESS, REFRESH, hashed, principal_of_sign_in
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

ACCESS_MS: Final = 15 * 60 * 1000
REFRESH_MS: Final = 30 * 24 * 3600 * 1000
FAILURES: Final = 10
FAILURE_WINDOW_MS: Final = 15 * 60 * 1000
REMEMBERED_ORIGINS: Final = 10_000
PASSWORD_CHARACTERS: Final = 1024


def new_token() -> str:
    """Return a new opaque token."""
    return secrets.token_urlsafe(32)


class Passwords:
    """Argon2id: 19 MiB and two passes a password, so that a small server can check several at once."""

    def __init__(self) -> None:
        """Make the hasher, and a hash that no password has."""
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._nobody = self._hasher.hash(new_token())

    def hash(self, password: str) -> str:
        """Return what is stored of a password."""
        return self._hasher.hash(password[:PASSWORD_CHARACTERS])

    def is_right(self, stored: str | None, password: str) -> bool:
        """Compare; takes as long when there is nothing to compare with."""
        try:
            self._hasher.verify(stored or self._nobody, password[:PASSWORD_CHARACTERS])
        except (Argon2Error, InvalidHashError):
            return False
        return stored is not None


class Attempts:
    """Counts failed sign-ins of each origin; bounded in origins and in time."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time by ``clock``."""
        self._clock = clock
        self._failures: dict[str, deque[int]] = {}
        # Sign-ins are checked on several threads at once.
        self._lock = threading.Lock()

    def wait_ms(self, origin: str) -> int:
        """Return how long this origin must wait, 0 when it may try."""
        with self._lock:
            recent = self._recent(origin)
            if len(recent) < FAILURES:
                return 0
            return recent[0] + FAILURE_WINDOW_MS - self._clock.mono_ms()

    def failed(self, origin: str) -> None:
        """Count one failure."""
        with self._lock:
            recent = self._recent(origin)
            recent.append(self._clock.mono_ms())
            self._failures.pop(origin, None)
            while len(self._failures) >= REMEMBERED_ORIGINS:
                del self._failures[next(iter(self._failures))]
            self._failures[origin] = recent

    def _recent(self, origin: str) -> deque[int]:
        recent = self._failures.get(origin, deque(maxlen=FAILURES))
        while recent and recent[0] <= self._clock.mono_ms() - FAILURE_WINDOW_MS:
            recent.popleft()
        return recent


class SignedIn(NamedTuple):
    """A fresh pair of tokens and who they stand for."""

    principal: Principal
    access_token: str
    refresh_token: str


class TooManyAttemptsError(ProblemError):
    """The origin failed too often; ``wait_ms`` says until when."""

    def __init__(self, wait_ms: int) -> None:
        """Say how long to wait."""
        super().__init__("TOO_MANY_ATTEMPTS", "There were too many failed sign-ins.", "Wait, then try again.")
        self.wait_ms = wait_ms


class SignIns:
    """Makes, renews and ends sign-ins."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        passwords: Callable[[], Passwords] = Passwords,
        make_token: Callable[[], str] = new_token,
    ) -> None:
        """Write through ``engine``; ``passwords`` is made when the first password comes."""
        self._engine = engine
        self._reading = engine.execution_options(is_reading=True)
        self._clock = clock
        self._ids = ids
        self._make_passwords = passwords
        self._passwords: Passwords | None = None
        self._make_token = make_token
        self._attempts = Attempts(clock)

    def sign_in(self, origin: str, device_token: str, user: str = "", password: str = "") -> SignedIn:
        """Sign in the device's own user, or another of its site by name and password."""
        if user or password:
            origins = [f"address {origin}", f"user {hashed(device_token)} {user}"]
        else:
            origins = [f"devices at {origin}"]
        wait_ms = max(self._attempts.wait_ms(known) for known in origins)
        # 256 random bits are not guessed: a terminal with a stale token must not shut out the good ones
        # of its hall, which may all come from one address. One that was shut out hears just that.
        if wait_ms > 0 and (user or password or not self._was_enrolled(device_token)):
            raise TooManyAttemptsError(wait_ms)
        try:
            enrolment, user_id = self._credentials(device_token, user, password)
        except ProblemError:
            for known in origins:
                self._attempts.failed(known)
            raise
        with self._engine.begin() as connection:
            sign_in_id = self._ids.new()
            connection.execute(
                insert(sign_ins).values(
                    id=sign_in_id,
                    organization_id=enrolment.organization_id,
                    site_id=enrolment.site_id,
                    user_id=user_id,
                    enrolment_id=enrolment.id,
                    created_at=self._clock.wall_ms(),
                )
            )
            return self._tokens_for(connection, sign_in_id)

    def _was_enrolled(self, device_token: str) -> bool:
        with self._reading.begin() as connection:
            enrolled = select(devices.c.id).where(devices.c.token_hash == hashed(device_token))
            return connection.execute(enrolled).first() is not None

    def _credentials(
        self, device_token: str, user: str, password: str
    ) -> tuple[Row[tuple[object, ...]], str]:
        """Return the enrolment and the user that these words prove."""
        with self._reading.begin() as connection:
            enrolment = connection.execute(
                select(devices).where(devices.c.token_hash == hashed(device_token))
            ).one_or_none()
            if enrolment is None:
                raise ProblemError(
                    "DEVICE_UNKNOWN", "This device is not enrolled here.", "Ask IT to enrol it."
                )
            if enrolment.revoked_at is not None:
                raise ProblemError("DEVICE_REVOKED", "This device was shut out.", "Ask IT to enrol it again.")
            wanted = users.c.name == user if user else users.c.id == enrolment.user_id
            person = connection.execute(
                select(users.c.id, users.c.password_hash).where(
                    users.c.site_id == enrolment.site_id, users.c.disabled_at.is_(None), wanted
                )
            ).one_or_none()
        # The device token alone signs in its own user; anybody else, and whoever has one, needs a password.
        is_own = person is not None and person.id == enrolment.user_id
        stored = person.password_hash if person is not None else None
        is_needed = not is_own or stored is not None
        if person is None or (is_needed and not self._is_right(stored, password)):
            raise ProblemError(
                "PASSWORD_WRONG", "The name or the password is not right.", "Try again, or ask IT."
            )
        return enrolment, person.id

    def _is_right(self, stored: str | None, password: str) -> bool:
        if self._passwords is None:
            self._passwords = self._make_passwords()
        return self._passwords.is_right(stored, password)

    def refresh(self, refresh_token: str) -> SignedIn:
        """Return a new pair for a refresh token; the old one is used up."""
        with self._engine.begin() as connection:
            # Locked: of two who come with the same token at once, the second must see that it was used.
            row = connection.execute(
                select(tokens)
                .where(tokens.c.token_hash == hashed(refresh_token), tokens.c.kind == REFRESH)
                .with_for_update()
            ).one_or_none()
            if row is None or row.expires_at <= self._clock.wall_ms():
                raise ProblemError("TOKEN_EXPIRED", "The sign-in has expired.", "Sign in again.")
            if row.used_at is None:
                return self._renewed(connection, row.sign_in_id, row.token_hash)
            self._end(connection, row.sign_in_id)
        # Raised after the commit: the family has to end although this request fails.
        raise ProblemError("TOKEN_REUSED", "The sign-in was used twice and has ended.", "Sign in again.")

    def _renewed(self, connection: Connection, sign_in_id: str, token_hash: str) -> SignedIn:
        connection.execute(
            update(tokens).where(tokens.c.token_hash == token_hash).values(used_at=self._clock.wall_ms())
        )
        return self._tokens_for(connection, sign_in_id)

    def sign_out(self, sign_in_id: str) -> None:
        """End a sign-in and everything made of it."""
        with self._engine.begin() as connection:
            self._end(connection, sign_in_id)

    def _end(self, connection: Connection, sign_in_id: str) -> None:
        connection.execute(
            update(sign_ins).where(sign_ins.c.id == sign_in_id).values(revoked_at=self._clock.wall_ms())
        )

    def _tokens_for(self, connection: Connection, sign_in_id: str) -> SignedIn:
        now_ms = self._clock.wall_ms()
        principal = principal_of_sign_in(connection, sign_in_id, now_ms + ACCESS_MS)
        if principal is None:
            raise ProblemError("SIGNED_OUT", "This sign-in was ended.", "Sign in again.")
        # Tokens that ended long ago go whenever new ones come: the table does not grow for ever.
        # Those that somebody else deletes at this moment are left to that one.
        over = select(tokens.c.token_hash).where(tokens.c.expires_at <= now_ms - ACCESS_MS)
        forgotten = tokens.c.token_hash.in_(over.with_for_update(skip_locked=True))
        connection.execute(delete(tokens).where(forgotten))
        access, refresh = self._make_token(), self._make_token()
        rows = [
            {"token_hash": hashed(access), "kind": ACCESS, "expires_at": now_ms + ACCESS_MS},
            {"token_hash": hashed(refresh), "kind": REFRESH, "expires_at": now_ms + REFRESH_MS},
        ]
        connection.execute(
            insert(tokens),
            [{**row, "sign_in_id": sign_in_id, "created_at": now_ms} for row in rows],
        )
        return SignedIn(principal, access, refresh)
