"""Organisations, sites, users and devices are found by name within their scope, and only there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.identities import Identities
from support.server_bench import ServerBench
from sync.contract.problems import ProblemError


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site on a file of its own."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the problem that a call raises."""
    with pytest.raises(ProblemError) as caught:
        call()
    assert caught.value.problem.what_to_do
    return caught.value.problem.code


def test_a_site_is_made_once(bench: ServerBench) -> None:
    """Asking again finds it; the same name in another organisation is another site."""
    again = bench.database.identities.ensure_site("Organization", "Main", "Europe/London")
    assert again == bench.site
    other = bench.crowd("Another", "Main")
    assert other.key != bench.site.key
    assert len(bench.database.identities.sites()) == 2


def test_blanks_around_a_name_do_not_count(bench: ServerBench) -> None:
    """Neither in making a site nor in finding it again."""
    assert bench.database.identities.ensure_site(" Organization", "Main ", "Europe/London") == bench.site
    new = bench.database.identities.ensure_site("Organization ", " New", "Europe/London")
    assert (new.organization, new.name) == ("Organization", "New")


def test_the_only_site_needs_no_name(bench: ServerBench) -> None:
    """With a second one it does."""
    identities = bench.database.identities
    assert identities.choose_site() == bench.site
    assert code_of(lambda: identities.choose_site("Nowhere")) == "SITE_UNKNOWN"
    second = identities.ensure_site("Organization", "Second", "Europe/London")
    assert code_of(identities.choose_site) == "SITE_NEEDED"
    assert identities.choose_site("Second") == second


def test_no_site_at_all_is_said(tmp_path: Path) -> None:
    """A folder that was only made."""
    bench = ServerBench.__new__(ServerBench)
    from server.database import create_database
    from support.clocks import CountingIds, FakeClock

    with create_database(tmp_path, FakeClock(), CountingIds()) as bench.database:
        assert code_of(bench.database.identities.choose_site) == "SITE_UNKNOWN"


@pytest.mark.parametrize("zone", ["Nowhere/Town", "", "../etc/passwd", "a" * 500])
def test_a_time_zone_must_exist(bench: ServerBench, zone: str) -> None:
    """Cut-offs are worked out with it."""
    identities = bench.database.identities
    assert code_of(lambda: identities.ensure_site("O", "S", zone)) == "TIME_ZONE_UNKNOWN"


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 201])
def test_a_name_is_one_short_line(bench: ServerBench, name: str) -> None:
    """Everywhere: sites, users, devices."""
    identities: Identities = bench.database.identities
    assert code_of(lambda: identities.add_user(bench.site.key, name, "picker")) == "NAME_NEEDED"
    assert code_of(lambda: identities.ensure_site("O", name, "Europe/London")) == "NAME_NEEDED"
    assert code_of(lambda: identities.add_device(bench.site.key, "Ana", name, "t")) == "NAME_NEEDED"


def test_users_have_a_role_that_a_person_can_have(bench: ServerBench) -> None:
    """Nobody is the system."""
    identities = bench.database.identities
    for role in ("cook", "system"):
        assert code_of(lambda role=role: identities.add_user(bench.site.key, "X", role)) == "ROLE_UNKNOWN"  # type: ignore[misc]


def test_a_users_name_is_unique_at_its_site(bench: ServerBench) -> None:
    """And free at another."""
    identities = bench.database.identities
    assert code_of(lambda: identities.add_user(bench.site.key, "Ana", "picker")) == "USER_EXISTS"
    second = identities.ensure_site("Organization", "Second", "Europe/London")
    identities.add_user(second.key, "Ana", "picker", "hash")
    (user,) = identities.users(second.key)
    assert (user.name, user.role, user.has_password, user.is_disabled) == ("Ana", "picker", True, False)


def test_a_device_needs_a_user_of_its_site(bench: ServerBench) -> None:
    """Also to shut one out."""
    identities = bench.database.identities
    assert code_of(lambda: identities.add_device(bench.site.key, "Nobody", "S", "t")) == "USER_UNKNOWN"
    assert code_of(lambda: identities.disable_user(bench.site.key, "Nobody")) == "USER_UNKNOWN"


def test_a_device_is_shut_out_by_name_or_id_and_only_at_its_site(bench: ServerBench) -> None:
    """A second time changes nothing; another site's name is unknown here."""
    identities = bench.database.identities
    one = identities.add_device(bench.site.key, "Ana", "Station", "token-1")
    two = identities.add_device(bench.site.key, "Ana", "Station", "token-2")
    other = bench.crowd("Another", "Main")
    assert code_of(lambda: identities.revoke_device(other.key, one.id)) == "DEVICE_NOT_FOUND"
    assert identities.revoke_device(bench.site.key, one.id) == [one]
    assert identities.revoke_device(bench.site.key, "Station") == [two]
    assert identities.revoke_device(bench.site.key, "Station") == []
    assert all(row.revoked_ms == bench.clock.wall for row in identities.devices(bench.site.key))


def test_only_hashes_of_tokens_are_kept(bench: ServerBench) -> None:
    """Whoever reads the file cannot sign in with it."""
    token = "a-token-that-nobody-should-find"
    bench.database.identities.add_device(bench.site.key, "Ana", "Station", token)
    signed_in = bench.sign_ins().sign_in("here", token)
    bench.close()
    data = b"".join(path.read_bytes() for path in bench.folder.iterdir())
    for secret in (token, signed_in.access_token, signed_in.refresh_token):
        assert secret.encode() not in data


def test_the_launchers_device_keeps_its_enrolment(bench: ServerBench) -> None:
    """A new token at each start, the same device: its operations belong to it."""
    identities = bench.database.identities
    first = identities.renew_embedded_device(bench.site.key, "Ana", "This computer", "token-1")
    second = identities.renew_embedded_device(bench.site.key, "Ana", "This computer", "token-2")
    assert first == second
    assert code_of(lambda: bench.sign_ins().sign_in("here", "token-1")) == "DEVICE_UNKNOWN"
    assert bench.sign_ins().sign_in("here", "token-2").principal.enrolment_id == first.id
    identities.revoke_device(bench.site.key, first.id)
    third = identities.renew_embedded_device(bench.site.key, "Ana", "This computer", "token-3")
    assert third.id != first.id
