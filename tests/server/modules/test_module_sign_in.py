"""Over HTTP a device becomes a person with tokens, and learns where the socket is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.kernel.connections import SignInsEnded
from support.http_bench import SYNC_PORT, HttpBench


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """A site and the application over it."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        yield bench


def test_signing_in_answers_with_everything_that_a_client_needs(bench: HttpBench) -> None:
    """Tokens, when the access ends, who and where one is."""
    answer = bench.client.post("/sign-in", json={"device_token": bench.device()})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert set(told) == {
        "access_token",
        "access_expires_ms",
        "refresh_token",
        "person",
        "site",
        "sign_in_id",
    }
    assert told["person"]["name"] == "Ana"
    assert told["person"]["role"] == "supervisor"
    assert told["site"] == {
        "id": bench.site.key.site_id,
        "name": "Main",
        "time_zone": "Europe/London",
        "organization_id": bench.site.key.organization_id,
        "organization": "Organization",
    }
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    assert bench.client.get("/sync-address", headers=headers).status_code == 200


def test_refresh_answers_the_same_shape_and_uses_the_token_up(bench: HttpBench) -> None:
    """A second use ends the sign-in for both."""
    first = bench.client.post("/sign-in", json={"device_token": bench.device()}).json()
    second = bench.client.post("/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert set(second.json()) == set(first)
    again = bench.client.post("/refresh", json={"refresh_token": first["refresh_token"]})
    assert (again.status_code, again.json()["code"]) == (401, "TOKEN_REUSED")
    headers = {"Authorization": f"Bearer {second.json()['access_token']}"}
    assert bench.client.get("/sync-address", headers=headers).status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/refresh"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"device_token": 1}', b'{"x": 1}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_none_is_refused(bench: HttpBench, path: str, content: bytes) -> None:
    """Whatever it is, it is a bad request and nothing else."""
    answer = bench.client.post(path, content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


def test_too_many_failures_say_when_to_come_back(bench: HttpBench) -> None:
    """429 with Retry-After in seconds; an enrolled device at that address is not held up."""
    for _ in range(10):
        assert bench.client.post("/sign-in", json={"device_token": "wrong"}).status_code == 401
    answer = bench.client.post("/sign-in", json={"device_token": "wrong, too"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert bench.client.post("/sign-in", json={"device_token": bench.device()}).status_code == 200


def test_signing_out_ends_the_tokens_and_tells_the_hub(bench: HttpBench) -> None:
    """Live connections go with it."""
    signed_in = bench.desk.sign_in("here", bench.device())
    headers = bench.bearer(signed_in.access_token)
    assert bench.client.post("/sign-out", headers=headers).status_code == 204
    assert bench.commands == [SignInsEnded((signed_in.principal.person.sign_in_id,))]
    assert bench.client.post("/sign-out", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://board.example", f"ws://board.example:{SYNC_PORT}/"),
        ("https://board.example", f"wss://board.example:{SYNC_PORT}/"),
        ("http://[::1]:8440", f"ws://[::1]:{SYNC_PORT}/"),
    ],
)
def test_the_socket_is_where_the_client_already_found_us(bench: HttpBench, base: str, url: str) -> None:
    """By the name that it used, whatever that is."""
    assert bench.client.get(f"{base}/sync-address", headers=bench.bearer()).json() == {"url": url}


def test_behind_a_proxy_the_address_is_told(tmp_path: Path) -> None:
    """Only whoever runs the proxy knows it."""
    with HttpBench(tmp_path / "data", sync_url="wss://sync.example/") as bench:
        answer = bench.client.get("/sync-address", headers=bench.bearer())
    assert answer.json() == {"url": "wss://sync.example/"}
