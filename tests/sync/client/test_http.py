"""One question over HTTP: answers of every kind, proxies, TLS, and servers that do not play along."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable

import h11
import pytest

from sync.client import http
from sync.client.http import READ_BYTES, Answer, HttpServer, is_loopback, may_have_proxy
from sync.contract.problems import ProblemError

Talk = Callable[[socket.socket], None]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine is set to."""
    for name in (*PROXIES, *(name.upper() for name in PROXIES)):
        monkeypatch.delenv(name, raising=False)


def answering(said: bytes, heard: list[bytes]) -> Talk:
    """Return a server that notes the one question that it hears, answers, and hangs up."""

    def talk(there: socket.socket) -> None:
        question = b""
        while piece := there.recv(65_536):
            question += piece
            head, _, body = question.partition(b"\r\n\r\n")
            length = next((line for line in head.splitlines() if line.startswith(b"Content-Length")), b":0")
            if b"\r\n\r\n" in question and len(body) >= int(length.partition(b":")[2]):
                heard.append(question)
                there.sendall(said)
                return
            if not b"CGP".count(question[:1]):
                return

    return talk


def asked(talk: Talk, ask: Callable[[int], Awaitable[Answer]]) -> Answer:
    """Return what ``ask`` gets from a server that talks so, once, on a port of its own."""

    async def scenario(port: int) -> Answer:
        return await ask(port)

    def serve() -> None:
        with listening.accept()[0] as there, contextlib.suppress(ConnectionError):
            talk(there)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=serve)
        server.start()
        try:
            return asyncio.run(scenario(listening.getsockname()[1]))
        finally:
            server.join(10)


def got(said: bytes, path: str = "/x", body: bytes | None = None) -> tuple[Answer, bytes]:
    """Return the answer to one question and the question as it was heard."""
    heard: list[bytes] = []
    method = "GET" if body is None else "POST"

    def ask(port: int) -> Awaitable[Answer]:
        return HttpServer(f"http://127.0.0.1:{port}/base").ask(method, path, body, {"Authorization": "me"})

    return asked(answering(said, heard), ask), heard[0]


def test_a_question_and_its_answer() -> None:
    """The path goes on where the address ends; the connection is for this question."""
    answer, heard = got(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "/x?q=a+b")
    assert answer == Answer(200, b"hi")
    assert answer.is_success
    lines = heard.decode().splitlines()
    assert lines[0] == "GET /base/x?q=a+b HTTP/1.1"
    assert {"Authorization: me", "Connection: close"} <= set(lines)
    assert not any(line.lower().startswith("content-") for line in lines)


def test_a_body_goes_as_json_with_its_length() -> None:
    """Servers behind proxies are asked with a length, never in pieces."""
    answer, heard = got(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", body=b'{"a": 1}')
    assert (answer.status, answer.is_success) == (401, False)
    assert b"Content-Type: application/json" in heard
    assert heard.endswith(b'\r\n\r\n{"a": 1}')


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Answer(200, b"hi")),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", Answer(200, b"to the end")),
        (b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Answer(200, b"")),
        (b"HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", Answer(302, b"")),
    ],
    ids=["in pieces", "without a length", "with a hint before", "elsewhere"],
)
def test_answers_of_every_kind(said: bytes, answer: Answer) -> None:
    """Nobody follows a redirect: the next address might be anybody's."""
    assert got(said)[0] == answer


@pytest.mark.parametrize(
    "said", [b"", b"SSH-2.0-nobody\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"]
)
def test_who_does_not_answer_in_http_is_an_error(said: bytes) -> None:
    """Hanging up at once or in the middle is one too."""
    with pytest.raises((h11.ProtocolError, ConnectionError)):
        got(said)


@pytest.mark.parametrize("said", [b"Content-Length: %d", b"Transfer-Encoding: chunked"])
def test_an_answer_that_is_too_long_is_not_read(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither where it says so before, nor where it only goes on."""
    if b"%d" in said:
        head = b"HTTP/1.1 200 OK\r\n" + said % (READ_BYTES + 1) + b"\r\n\r\n"
    else:
        monkeypatch.setattr(http, "READ_BYTES", 10)
        head = b"HTTP/1.1 200 OK\r\n" + said + b"\r\n\r\nb\r\n12345678901\r\n"
    with pytest.raises(ProblemError) as caught:
        got(head)
    assert caught.value.problem.code == "ANSWER_TOO_LONG"


def test_who_says_nothing_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step has its limit."""
    monkeypatch.setattr(http, "TIMEOUT_S", 0.05)

    def silent(there: socket.socket) -> None:
        while there.recv(65_536):
            pass

    with pytest.raises(TimeoutError):
        asked(silent, lambda port: HttpServer(f"http://127.0.0.1:{port}").ask("GET", "/", None, {}))


def test_who_answers_for_ever_is_not_listened_to_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece comes in time, and the answer never: somebody waits for a sign-in behind it."""
    monkeypatch.setattr(http, "QUESTION_S", 0.2)
    gone = threading.Event()

    def drip(there: socket.socket) -> None:
        there.recv(65_536)
        there.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(OSError):
            while not gone.wait(0.01):
                there.sendall(b"x")

    async def ask(port: int) -> Answer:
        try:
            async with asyncio.timeout(30) as patience:
                return await HttpServer(f"http://127.0.0.1:{port}").ask("GET", "/", None, {})
        finally:
            gone.set()
            assert not patience.expired()

    with pytest.raises(TimeoutError):
        asked(drip, ask)


@pytest.mark.parametrize(
    ("address", "host"),
    [("büro:8440", "xn--bro-hoa:8440"), ("bücher.example", "xn--bcher-kva.example")],
)
def test_a_name_with_letters_beyond_ascii_is_told_as_networks_know_it(
    monkeypatch: pytest.MonkeyPatch, address: str, host: str
) -> None:
    """The name alone: a port is no part of it."""
    heard: list[bytes] = []

    def ask(port: int) -> Awaitable[Answer]:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        return HttpServer(f"http://{address}").ask("GET", "/x", None, {})

    assert asked(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heard), ask).status == 200
    assert f"Host: {host}" in heard[0].decode().splitlines()


@pytest.mark.parametrize("url", ["ftp://a", "http://", "nonsense", "http://127.0.0.1:99999", "http://["])
def test_an_address_that_is_none_is_a_value_error(url: str) -> None:
    """It is looked at with the first question."""
    with pytest.raises(ValueError, match=r"asked over HTTP|Invalid IPv6|Port out of range"):
        asyncio.run(HttpServer(url).ask("GET", "/x", None, {}))


def test_nobody_there_is_an_os_error() -> None:
    """The port of a server that has gone."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(HttpServer(f"http://127.0.0.1:{port}").ask("GET", "/", None, {}))


def test_a_certificate_that_nobody_vouches_for_is_not_trusted() -> None:
    """What answers without TLS is not talked to either."""
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(
            answering(b"HTTP/1.1 200 OK\r\n\r\n", []),
            lambda port: HttpServer(f"https://127.0.0.1:{port}").ask("GET", "/", None, {}),
        )


def test_a_plain_question_goes_through_the_proxy_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address of the server, and what the proxy wants to know."""
    heard: list[bytes] = []

    def ask(port: int) -> Awaitable[Answer]:
        monkeypatch.setenv("HTTP_PROXY", f"http://ana:se%20cret@127.0.0.1:{port}")
        return HttpServer("http://board.example:8440").ask("GET", "/x", None, {})

    assert asked(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", heard), ask).status == 200
    lines = heard[0].decode().splitlines()
    assert lines[0] == "GET http://board.example:8440/x HTTP/1.1"
    assert {"Host: board.example:8440", "Proxy-Authorization: Basic YW5hOnNlIGNyZXQ="} <= set(lines)


def test_tls_goes_through_a_tunnel_that_the_proxy_may_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is told host and port, and nothing of the question."""
    heard: list[bytes] = []

    def ask(port: int) -> Awaitable[Answer]:
        monkeypatch.setenv("https_proxy", f"127.0.0.1:{port}")
        return HttpServer("https://board.example").ask("POST", "/sign-in", b"secret", {"Authorization": "me"})

    with pytest.raises(ConnectionRefusedError):
        asked(answering(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", heard), ask)
    assert heard[0].startswith(b"CONNECT board.example:443 HTTP/1.1\r\n")
    assert b"secret" not in heard[0]
    assert b"me\r\n" not in heard[0]
    # It lets us through, and there is nobody with TLS behind it.
    with pytest.raises((ssl.SSLError, ConnectionError)):
        asked(answering(b"HTTP/1.1 200 OK\r\n\r\n", heard), ask)


def test_this_machine_and_exceptions_are_asked_without_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for the whole machine is for the outside world."""
    assert not may_have_proxy()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert may_have_proxy()
    assert got(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")[0].status == 200


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://localhost", "ws://[::1]:9/"])
def test_addresses_of_this_machine(url: str) -> None:
    """They are never asked through a proxy."""
    assert is_loopback(url)


@pytest.mark.parametrize("url", ["http://10.0.0.1", "http://localhost.example", "http://[", ""])
def test_addresses_elsewhere(url: str) -> None:
    """Also those that only look like it, or like nothing."""
    assert not is_loopback(url)
