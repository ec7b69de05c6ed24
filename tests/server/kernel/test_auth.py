"""Only who proves to be somebody is signed in, for as long as the tokens say, and not a moment after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.kernel.auth import (
    ACCESS_MS,
    FAILURE_WINDOW_MS,
    REFRESH_MS,
    REMEMBERED_ORIGINS,
    Attempts,
    Passwords,
    TooManyAttemptsError,
    new_token,
)
from support.clocks import FakeClock
from support.server_bench import ServerBench
from sync.contract.problems import ProblemError


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site on a file of its own."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def password_hash() -> str:
    """The hash of "right": made once, because it takes its time."""
    return Passwords().hash("right")


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the problem that a call raises."""
    with pytest.raises(ProblemError) as caught:
        call()
    return caught.value.problem.code


def test_a_device_signs_its_user_in(bench: ServerBench) -> None:
    """With site, role and times from the database."""
    signed_in = bench.sign_ins().sign_in("here", bench.device())
    principal = signed_in.principal
    assert principal.site == bench.site
    assert (principal.person.name, principal.person.role) == ("Ana", "supervisor")
    assert principal.expires_ms == bench.clock.wall + ACCESS_MS
    assert bench.database.reader.authenticate(signed_in.access_token) == principal


def test_an_access_token_ends_after_fifteen_minutes(bench: ServerBench) -> None:
    """To the millisecond."""
    token = bench.sign_ins().sign_in("here", bench.device()).access_token
    bench.clock.advance(ACCESS_MS - 1)
    assert bench.database.reader.authenticate(token) is not None
    bench.clock.advance(1)
    assert bench.database.reader.authenticate(token) is None


def test_a_refresh_token_is_no_access_token(bench: ServerBench) -> None:
    """Nor the other way round; nonsense is neither."""
    desk = bench.sign_ins()
    signed_in = desk.sign_in("here", bench.device())
    assert bench.database.reader.authenticate(signed_in.refresh_token) is None
    assert bench.database.reader.authenticate("\ud800") is None
    assert code_of(lambda: desk.refresh(signed_in.access_token)) == "TOKEN_EXPIRED"


def test_refresh_rotates(bench: ServerBench) -> None:
    """New tokens for the same sign-in, and again with the new one."""
    desk = bench.sign_ins()
    first = desk.sign_in("here", bench.device())
    bench.clock.advance(ACCESS_MS)
    second = desk.refresh(first.refresh_token)
    assert second.principal.person.sign_in_id == first.principal.person.sign_in_id
    assert bench.database.reader.authenticate(second.access_token) is not None
    third = desk.refresh(second.refresh_token)
    assert third.refresh_token not in {first.refresh_token, second.refresh_token}


def test_a_refresh_token_used_twice_ends_the_sign_in(bench: ServerBench) -> None:
    """One of the two is a thief: both have to prove themselves again."""
    desk = bench.sign_ins()
    first = desk.sign_in("here", bench.device())
    second = desk.refresh(first.refresh_token)
    assert code_of(lambda: desk.refresh(first.refresh_token)) == "TOKEN_REUSED"
    assert bench.database.reader.authenticate(second.access_token) is None
    assert code_of(lambda: desk.refresh(second.refresh_token)) == "SIGNED_OUT"


def test_a_refresh_token_ends_after_thirty_days(bench: ServerBench) -> None:
    """Unused it is worth nothing then; rows of tokens long over, whoever's, go when new ones come."""
    desk = bench.sign_ins()
    first = desk.sign_in("here", bench.device())
    second = desk.sign_in("here", bench.device())
    bench.clock.advance(REFRESH_MS - 1)
    desk.refresh(second.refresh_token)
    assert bench.raw("SELECT count(*) FROM tokens") == [(1 + 3,)]
    bench.clock.advance(1)
    assert code_of(lambda: desk.refresh(first.refresh_token)) == "TOKEN_EXPIRED"


def test_revocation_ends_every_token(bench: ServerBench) -> None:
    """Of the device, of the user, of the sign-in."""
    desk = bench.sign_ins()
    signed_in = [desk.sign_in("here", bench.device()) for _ in range(2)]
    bench.database.identities.revoke_device(bench.site.key, "Station 1")
    assert code_of(lambda: desk.sign_in("there", "device-token-1")) == "DEVICE_REVOKED"
    assert bench.database.reader.authenticate(signed_in[0].access_token) is None
    assert code_of(lambda: desk.refresh(signed_in[0].refresh_token)) == "SIGNED_OUT"
    assert bench.database.reader.authenticate(signed_in[1].access_token) is not None
    bench.database.identities.disable_user(bench.site.key, "Ana")
    assert bench.database.reader.authenticate(signed_in[1].access_token) is None
    assert code_of(lambda: desk.sign_in("there", "device-token-2")) == "PASSWORD_WRONG"


def test_another_user_needs_the_password(bench: ServerBench, password_hash: str) -> None:
    """The device alone signs in its own user; a password, where there is one, is always asked for."""
    bench.database.identities.add_user(bench.site.key, "Boss", "it", password_hash)
    bench.database.identities.add_user(bench.site.key, "Temp", "picker")
    desk, token = bench.sign_ins(), bench.device()
    assert desk.sign_in("a", token, "Boss", "right").principal.person.name == "Boss"
    assert desk.sign_in("a", token, "Ana").principal.person.name == "Ana"
    for user, password in (("Boss", "wrong"), ("Boss", ""), ("Temp", ""), ("Nobody", "x")):
        assert code_of(lambda u=user, p=password: desk.sign_in("b", token, u, p)) == "PASSWORD_WRONG"  # type: ignore[misc]
    own = bench.device(user="Boss")
    assert code_of(lambda: desk.sign_in("c", own)) == "PASSWORD_WRONG"
    assert desk.sign_in("c", own, "", "right").principal.person.name == "Boss"


def test_a_user_of_another_site_is_nobody_here(bench: ServerBench, password_hash: str) -> None:
    """The device says the site."""
    other = bench.crowd("Another", "Main")
    bench.database.identities.add_user(other.key, "Boss", "it", password_hash)
    desk, token = bench.sign_ins(), bench.device()
    assert code_of(lambda: desk.sign_in("a", token, "Boss", "right")) == "PASSWORD_WRONG"


def test_ten_failures_close_the_door_for_a_quarter_of_an_hour(bench: ServerBench, password_hash: str) -> None:
    """For passwords from that address; also for who is right by then; others come in."""
    site = bench.site
    bench.database.identities.add_user(site.key, "Boss", "supervisor", password_hash)
    desk, token = bench.sign_ins(), bench.device()
    for place in range(10):
        assert code_of(lambda p=place: desk.sign_in("a", token, f"Nobody {p}", "x")) == "PASSWORD_WRONG"  # type: ignore[misc]
    bench.clock.advance(60_000)
    with pytest.raises(TooManyAttemptsError) as caught:
        desk.sign_in("a", token, "Boss", "right")
    assert caught.value.wait_ms == FAILURE_WINDOW_MS - 60_000
    assert desk.sign_in("b", token, "Boss", "right").access_token
    bench.clock.advance(caught.value.wait_ms)
    assert desk.sign_in("a", token, "Boss", "right").access_token


def test_a_terminal_with_a_stale_token_shuts_out_only_its_like(bench: ServerBench) -> None:
    """Strangers are turned away without a look; devices of the same address hear what is true of them."""
    desk, token, revoked = bench.sign_ins(), bench.device(), bench.device()
    bench.database.identities.revoke_device(bench.site.key, "Station 2")
    for _ in range(10):
        assert code_of(lambda: desk.sign_in("a", "wrong")) == "DEVICE_UNKNOWN"
    assert code_of(lambda: desk.sign_in("a", "wrong")) == "TOO_MANY_ATTEMPTS"
    assert code_of(lambda: desk.sign_in("a", revoked)) == "DEVICE_REVOKED"
    assert desk.sign_in("a", token).access_token
    assert code_of(lambda: desk.sign_in("a", token, "Nobody", "x")) == "PASSWORD_WRONG"
    assert code_of(lambda: desk.sign_in("b", revoked)) == "DEVICE_REVOKED"


def test_ten_failures_for_a_user_count_from_any_address(bench: ServerBench) -> None:
    """Guessing one person's password from many places is guessing, too."""
    desk, token = bench.sign_ins(), bench.device()
    for place in range(10):
        assert code_of(lambda p=place: desk.sign_in(f"a{p}", token, "Nobody", "x")) == "PASSWORD_WRONG"  # type: ignore[misc]
    assert code_of(lambda: desk.sign_in("new", token, "Nobody", "x")) == "TOO_MANY_ATTEMPTS"
    assert desk.sign_in("new", token).access_token


def test_only_so_many_origins_are_remembered() -> None:
    """Nobody fills the memory with addresses."""
    attempts = Attempts(FakeClock())
    for place in range(REMEMBERED_ORIGINS + 5):
        attempts.failed(f"origin {place}")
    assert len(attempts._failures) == REMEMBERED_ORIGINS
    assert "origin 0" not in attempts._failures


def test_passwords_are_argon2id(password_hash: str) -> None:
    """Right, wrong, none stored, and a hash that is none."""
    passwords = Passwords()
    assert password_hash.startswith("$argon2id$")
    assert passwords.is_right(password_hash, "right")
    assert not passwords.is_right(password_hash, "wrong")
    assert not passwords.is_right(None, "right")
    assert not passwords.is_right("nonsense", "right")


def test_tokens_are_long_and_differ() -> None:
    """256 bits as 43 characters."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
