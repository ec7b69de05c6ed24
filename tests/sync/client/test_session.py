"""Signing in over HTTP: the server's answers, the tokens, and everything that is not our server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import pytest

from sync.client.http import Answer
from sync.client.secret_worker import in_worker
from sync.client.session import MemorySecrets, Session
from sync.contract.problems import ProblemError

T = TypeVar("T")
URL = "http://server.test:8440"
SECRET = f"refresh:{URL}:profile-1"
WELL_KNOWN = {"product": "fulfillment-kanban", "version": "1.0", "protocol_min": 2, "protocol_max": 2}


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    return asyncio.run(work)


class FakeServer:
    """Answers as the real one does, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens = 0
        self.refresh_status = 200
        self.answers: dict[str, Callable[[], Answer]] = {}

    async def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Answer one question."""
        path, _, self.query = path.partition("?")
        assert method == ("GET" if body is None else "POST")
        self.asked.append(path)
        self.authorization = headers.get("Authorization", "")
        if path in self.answers:
            return self.answers[path]()
        if path.startswith("/.well-known"):
            return said(200, WELL_KNOWN)
        if path == "/sync-address":
            return said(200, {"url": "ws://server.test:9000/"})
        if path == "/refresh" and self.refresh_status != 200:
            return problem(self.refresh_status, "TOKEN_REUSED")
        self.body = json.loads(body or b"")
        self.tokens += 1
        grant = {"access_token": f"access-{self.tokens}", "access_expires_ms": 900_000}
        return said(200, {**grant, "refresh_token": f"refresh-{self.tokens}", "person": {}})

    def session(self, secrets: MemorySecrets | None = None, *, has_device: bool = True) -> Session:
        """Return a session at this server."""
        return Session(
            URL + "/",
            secrets or MemorySecrets(),
            device_token="device" if has_device else "",
            profile="profile-1",
            http=self,
        )


def said(status: int, content: object) -> Answer:
    """Return an answer in JSON."""
    return Answer(status, json.dumps(content).encode())


def problem(status: int, code: str) -> Answer:
    """Return an error as our server writes it."""
    return said(status, {"code": code, "sentence": "No.", "what_to_do": "Ask."})


def code_of(work: Coroutine[Any, Any, object]) -> str:
    """Return the code of the problem that the work ends in."""
    with pytest.raises(ProblemError) as caught:
        run(work)
    return caught.value.problem.code


def test_the_first_sign_in_uses_the_device_token_and_keeps_the_refresh_token() -> None:
    """Only after the server has shown that it is ours."""
    server, secrets = FakeServer(), MemorySecrets()
    session = server.session(secrets)
    assert session.expires_ms() == 0
    assert run(session.get()) == "access-1"
    assert server.asked == ["/.well-known/fulfillment-kanban", "/sign-in"]
    assert server.body == {"device_token": "device"}
    assert secrets.get(SECRET) == "refresh-1"
    assert session.expires_ms() == 900_000


def test_reading_takes_the_token_at_hand_and_never_asks_for_one() -> None:
    """A search is cancelled at any moment; a renewal that is cut off would lose the refresh token."""
    server = FakeServer()
    server.answers["/orders"] = lambda: Answer(200, b"orders")
    session = server.session()
    assert code_of(session.read("/orders", {"q": "a b"})) == "NOT_SIGNED_IN"
    assert server.asked == []

    async def talk() -> bytes:
        await session.get()
        return await session.read("/orders", {"q": "söder & co", "limit": "2"})

    assert run(talk()) == b"orders"
    assert server.query == "q=s%C3%B6der+%26+co&limit=2"
    assert server.asked[-1] == "/orders"
    assert server.authorization == "Bearer access-1"
    server.answers["/orders"] = lambda: problem(403, "FORBIDDEN")
    assert code_of(session.read("/orders", {})) == "FORBIDDEN"


@pytest.mark.parametrize(
    ("server_url", "socket_url", "is_taken"),
    [
        ("https://server.test", "wss://server.test:9000/", True),
        ("http://server.test", "ws://server.test:9000/", True),
        ("https://server.test", "ws://server.test:9000/", False),
        ("HTTPS://server.test", "ws://server.test:9000/", False),
    ],
)
def test_a_token_asked_for_over_tls_is_not_sent_without_it(
    server_url: str, socket_url: str, is_taken: bool
) -> None:
    """A proxy that ends TLS makes the server believe that there is none."""
    server = FakeServer()
    server.answers["/sync-address"] = lambda: said(200, {"url": socket_url})
    session = Session(server_url, MemorySecrets(), device_token="device", http=server)
    if is_taken:
        assert run(session.sync_address()) == socket_url
    else:
        assert code_of(session.sync_address()) == "SYNC_ADDRESS_UNPROTECTED"


def test_the_token_at_hand_is_given_again() -> None:
    """Nothing is asked for what is known."""
    server = FakeServer()

    async def twice() -> tuple[str, str]:
        session = server.session()
        return await session.get(), await session.get()

    assert run(twice()) == ("access-1", "access-1")
    assert len(server.asked) == 2


def test_a_renewal_rotates_the_refresh_token() -> None:
    """Each refresh token is used once, and its successor kept."""
    server, secrets = FakeServer(), MemorySecrets()
    secrets.set(SECRET, "old")

    async def renew() -> str:
        session = server.session(secrets)
        await session.get()
        return await session.get(is_renewal=True)

    assert run(renew()) == "access-2"
    assert server.asked[1:] == ["/refresh", "/refresh"]
    assert server.body == {"refresh_token": "refresh-1"}
    assert secrets.get(SECRET) == "refresh-2"


class SlowServer(FakeServer):
    """Spends the refresh token at once, and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: list[object] = []
        self.has_spent, self.may_answer = asyncio.Event(), asyncio.Event()

    async def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Answer one question, a refresh late."""
        answer = await super().ask(method, path, body, headers)
        if path == "/refresh":
            self.spent.append(self.body["refresh_token"])
            self.has_spent.set()
            await self.may_answer.wait()
        return answer


async def renewing(secrets: MemorySecrets) -> tuple[SlowServer, Session, asyncio.Task[str]]:
    """Return a renewal of which the server knows and the session does not yet."""
    secrets.set(SECRET, "old")
    server = SlowServer()
    session = server.session(secrets, has_device=False)
    asking = asyncio.create_task(session.get(is_renewal=True))
    await asyncio.wait_for(server.has_spent.wait(), 10)
    return server, session, asking


def test_all_who_ask_during_a_renewal_get_what_comes_of_it() -> None:
    """A renewal by the clock and a new link may meet; a refresh token sent twice ends the sign-in."""

    async def scenario() -> tuple[list[str], list[object]]:
        server, session, first = await renewing(MemorySecrets())
        others = [asyncio.create_task(session.get(is_renewal=is_renewal)) for is_renewal in (False, True)]
        await asyncio.sleep(0)
        server.may_answer.set()
        return list(await asyncio.gather(first, *others)), server.spent

    assert run(scenario()) == (["access-1"] * 3, ["old"])


def test_a_renewal_goes_on_when_whoever_asked_is_cut_off() -> None:
    """Going offline in the middle of it would lose the one refresh token that is good."""

    async def scenario() -> tuple[str, list[object]]:
        server, session, asking = await renewing(MemorySecrets())
        asking.cancel()
        await asyncio.wait([asking])
        server.may_answer.set()
        return await session.get(), server.spent

    assert run(scenario()) == ("access-1", ["old"])


@pytest.mark.parametrize("is_answered", [True, False])
def test_the_end_waits_a_moment_for_a_renewal(monkeypatch: pytest.MonkeyPatch, is_answered: bool) -> None:
    """What came of it is kept; a server that says nothing holds nobody up."""
    monkeypatch.setattr("sync.client.session.CLOSE_S", 10 if is_answered else 0.01)
    secrets = MemorySecrets()

    async def scenario() -> None:
        server, session, asking = await renewing(secrets)
        asking.cancel()
        if is_answered:
            server.may_answer.set()
        await session.close()

    run(scenario())
    assert secrets.get(SECRET) == ("refresh-1" if is_answered else "old")


def test_a_refresh_token_that_is_no_good_gives_way_to_the_device_token() -> None:
    """It is forgotten, and the device signs in anew."""
    server, secrets = FakeServer(), MemorySecrets()
    secrets.set(SECRET, "reused")
    server.refresh_status = 401
    assert run(server.session(secrets).get()) == "access-1"
    assert server.asked[1:] == ["/refresh", "/sign-in"]


def test_without_any_token_somebody_has_to_sign_in() -> None:
    """A sentence, not an empty request to the server."""
    server = FakeServer()
    assert code_of(server.session(has_device=False).get()) == "SIGN_IN_NEEDED"


def test_a_server_fault_at_refresh_does_not_spend_the_refresh_token() -> None:
    """A server in trouble is not a reason to forget the sign-in."""
    server, secrets = FakeServer(), MemorySecrets()
    secrets.set(SECRET, "good")
    server.refresh_status = 503
    assert code_of(server.session(secrets).get()) == "TOKEN_REUSED"
    assert secrets.get(SECRET) == "good"


def test_the_address_of_the_socket_is_asked_with_the_access_token() -> None:
    """HTTP tells where the socket is; people type one address."""
    server = FakeServer()
    assert run(server.session().sync_address()) == "ws://server.test:9000/"
    assert server.authorization == "Bearer access-1"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, b""),
        Answer(200, b"<html>Welcome to our shop</html>"),
        Answer(200, b"\xff\xfe"),
        said(200, {"product": "something-else", "protocol_min": 2, "protocol_max": 2}),
        said(302, WELL_KNOWN),
        said(200, [1]),
    ],
    ids=["not found", "a web page", "no text", "another product", "elsewhere", "another shape"],
)
def test_what_is_not_our_server_gets_no_secret(answer: Answer) -> None:
    """Only the well-known route is asked; then there is a sentence."""
    server = FakeServer()
    server.answers["/.well-known/fulfillment-kanban"] = lambda: answer
    assert code_of(server.session().get()) == "SERVER_NOT_OURS"
    assert server.asked == ["/.well-known/fulfillment-kanban"]


@pytest.mark.parametrize(
    ("low", "high", "code"), [(3, 4, "PROTOCOL_TOO_OLD"), (0, 1, "PROTOCOL_TOO_NEW")], ids=["old", "new"]
)
def test_programs_of_different_times_say_which_to_update(low: int, high: int, code: str) -> None:
    """Before anything is sent."""
    server = FakeServer()
    known = {**WELL_KNOWN, "protocol_min": low, "protocol_max": high}
    server.answers["/.well-known/fulfillment-kanban"] = lambda: said(200, known)
    assert code_of(server.session().get()) == code


def test_a_server_that_does_not_answer_is_checked_again_next_time() -> None:
    """Another program may listen at the address by then."""
    server = FakeServer()

    def refuse() -> Answer:
        raise ConnectionRefusedError

    async def scenario() -> str:
        session = server.session()
        await session.get()
        server.answers["/sync-address"] = refuse
        with pytest.raises(ProblemError) as caught:
            await session.sync_address()
        assert caught.value.problem.code == "SERVER_UNREACHABLE"
        await session.get(is_renewal=True)
        await session.close()
        return server.asked[-2]

    assert run(scenario()) == "/.well-known/fulfillment-kanban"


def test_the_servers_own_problem_is_passed_on() -> None:
    """Code, sentence and what to do are the server's."""
    server = FakeServer()
    server.answers["/sign-in"] = lambda: problem(401, "DEVICE_REVOKED")
    assert code_of(server.session().get()) == "DEVICE_REVOKED"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(500, b"Internal Server Error"), "SERVER_FAULT"),
        (said(200, {"access_token": 5}), "SERVER_UNREADABLE"),
    ],
)
def test_answers_without_sense_are_problems(answer: Answer, code: str) -> None:
    """No foreign error gets through."""
    server = FakeServer()
    server.answers["/sign-in"] = lambda: answer
    assert code_of(server.session().get()) == code


def test_a_secret_store_that_fails_or_hangs_is_one_without_the_secret() -> None:
    """The program neither fails nor waits for a prompt that nobody sees."""

    def fail() -> str:
        raise RuntimeError("locked")

    release = threading.Event()

    async def ask() -> tuple[object, object, object]:
        good = await in_worker(lambda: "secret", 5)
        bad = await in_worker(fail, 5)
        late = await in_worker(lambda: release.wait(10), 0.01)
        release.set()
        return good, bad, late

    assert run(ask()) == ("secret", None, None)


def test_memory_secrets_forget() -> None:
    """Deleting twice is no error."""
    secrets = MemorySecrets()
    secrets.set("a", "b")
    secrets.delete("a")
    secrets.delete("a")
    assert secrets.get("a") is None
