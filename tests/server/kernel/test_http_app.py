"""Around every request: limits, headers, problems as JSON, and a log that says nothing it must not."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from server import surroundings
from server.describing import BODY_BYTES, About
from server.kernel.http import json_response
from server.kernel.routes import PublicRoute
from server.kernel.services import Services
from server.modules import MODULES
from server.registration import Module
from server.surroundings import LEFT, Surroundings
from support.http_bench import HttpBench


async def _echo(request: Request, _services: Services) -> Response:
    return json_response(len(await request.body()))


async def _fail(_request: Request, _services: Services) -> Response:
    raise RuntimeError("secret detail")


async def _away(_request: Request, _services: Services) -> Response:
    raise OperationalError("SELECT", {"of": "secret detail"}, sqlite3.OperationalError("disk full"))


async def _cached(_request: Request, _services: Services) -> Response:
    return PlainTextResponse("x", headers={"Cache-Control": "max-age=300"})


TRIAL = Module(
    "trial",
    routes=(
        PublicRoute("/echo", "POST", _echo),
        PublicRoute("/long", "POST", _echo, About(body_bytes=2 * BODY_BYTES)),
        PublicRoute("/fail", "GET", _fail),
        PublicRoute("/away", "GET", _away),
        PublicRoute("/cached", "GET", _cached),
    ),
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HttpBench]:
    """The application with some routes more."""
    with HttpBench(tmp_path / "data", (*MODULES, TRIAL)) as bench:
        yield bench


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/sign-in", 405),
        ("GET", "/sync-address", 401),
    ],
)
def test_every_answer_has_the_security_headers(bench: HttpBench, method: str, path: str, status: int) -> None:
    """Also refusals and addresses that do not exist; nothing is stored unless a route says so."""
    answer = bench.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    if status >= 400:
        assert set(answer.json()) == {"code", "sentence", "what_to_do"}


@pytest.mark.parametrize(
    ("method", "path", "code", "sentence"),
    [
        ("GET", "/nowhere", "NOT_FOUND", "There is nothing at this address."),
        ("DELETE", "/orders", "METHOD_NOT_ALLOWED", "This address does not take DELETE."),
    ],
)
def test_a_wrong_method_is_not_called_a_wrong_address(
    bench: HttpBench, method: str, path: str, code: str, sentence: str
) -> None:
    """Whoever calls it knows what to correct."""
    answer = bench.client.request(method, path).json()
    assert (answer["code"], answer["sentence"]) == (code, sentence)


def test_a_route_may_say_how_it_is_cached(bench: HttpBench) -> None:
    """Its word counts, once."""
    assert bench.client.get("/cached").headers.get_list("cache-control") == ["max-age=300"]


def test_a_body_may_have_one_mebibyte(bench: HttpBench) -> None:
    """Not a byte more, whether the length is declared or not."""
    assert bench.client.post("/echo", content=b"x" * BODY_BYTES).json() == BODY_BYTES

    async def in_parts() -> AsyncIterator[bytes]:
        yield b"x" * BODY_BYTES
        yield b"x"

    for content in (b"x" * (BODY_BYTES + 1), in_parts()):
        answer = bench.client.post("/echo", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


def test_a_route_may_take_longer_bodies(bench: HttpBench) -> None:
    """Its own limit is the one that the refusal names."""
    assert bench.client.post("/long", content=b"x" * 2 * BODY_BYTES).json() == 2 * BODY_BYTES
    answer = bench.client.post("/long", content=b"x" * (2 * BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["sentence"]) == (413, "The request is longer than 2 MiB.")


@pytest.mark.expects_log_warnings
def test_a_fault_is_a_problem_without_details(bench: HttpBench, caplog: pytest.LogCaptureFixture) -> None:
    """The other side learns that it was not its fault; the trace is in the log."""
    with caplog.at_level(logging.ERROR):
        answer = bench.client.get("/fail")
    assert (answer.status_code, answer.json()["code"]) == (500, "SERVER_FAULT")
    assert "secret detail" not in answer.text
    assert "secret detail" in caplog.text


@pytest.mark.expects_log_warnings
def test_a_database_that_is_away_is_one_line(bench: HttpBench, caplog: pytest.LogCaptureFixture) -> None:
    """The other side may try again; the log says why, without a trace and without what was asked."""
    with caplog.at_level(logging.WARNING):
        answer = bench.client.get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_AWAY")
    assert answer.headers["Retry-After"] == "5"
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert (record.__dict__["reason"], record.exc_info) == ("disk full", None)
    assert "secret detail" not in caplog.text


def test_every_request_is_one_log_line_without_its_query(
    bench: HttpBench, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, path, status and duration."""
    with caplog.at_level(logging.INFO, logger="server.surroundings"):
        bench.client.get("/health", params={"token": "never-written"})
    (record,) = caplog.records
    assert (record.__dict__["method"], record.__dict__["path"], record.__dict__["status"]) == (
        "GET",
        "/health",
        200,
    )
    assert "never-written" not in str(record.__dict__)


def test_what_is_not_http_passes_through() -> None:
    """The middleware has nothing to say about it."""
    seen: list[str] = []

    async def app(scope: object, receive: object, send: object) -> None:
        seen.append("called")

    asyncio.run(Surroundings(app, {})({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["called"]


def test_whoever_leaves_in_the_middle_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can do that at any time: one ordinary line, no trace, no answer to nobody."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/sign-in", "headers": []}
    with caplog.at_level(logging.INFO, logger="server.surroundings"):
        asyncio.run(Surroundings(app, {})(scope, receive, send))
    (record,) = caplog.records
    assert (record.levelno, record.__dict__["status"]) == (logging.INFO, LEFT)


def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds an open file, of which there are few; who waits for an answer may wait as long as it takes."""
    monkeypatch.setattr(surroundings, "BODY_PAUSE_S", 0.05)

    async def exchanged(more_body: bool) -> list[int]:
        told: list[int] = []
        parts: asyncio.Queue[Message] = asyncio.Queue()
        parts.put_nowait({"type": "http.request", "body": b"[", "more_body": more_body})

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await Request(scope, receive).body()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(receive(), 0.3)
            await Response("done")(scope, receive, send)

        async def send(message: Message) -> None:
            told.append(message.get("status", 0))

        scope = {"type": "http", "method": "POST", "path": "/orders", "headers": []}
        await Surroundings(app, {})(scope, parts.get, send)
        return told

    assert asyncio.run(exchanged(more_body=True))[0] == 408
    assert asyncio.run(exchanged(more_body=False))[0] == 200
