"""The hub greets only whoever is signed in, on a device of the site, in a protocol that both speak."""

from __future__ import annotations

from typing import cast

import pytest

from server.kernel.connections import Noted, SignInsEnded
from server.kernel.records import Joined, Look, SiteKey
from support.hub_bench import DEVICE, EPOCH, HubBench, hello, principal
from sync.contract.messages import Auth, Hello, Ping, Pong, Refused, Submit, Welcome
from sync.contract.permissions import Role
from sync.contract.steps import CancelTimer, Closed, Command, Connected, Job, Received


@pytest.fixture
def bench() -> HubBench:
    """A hub nobody is connected to."""
    return HubBench()


def codes(bench: HubBench, link: int = 1) -> list[str]:
    """Return the codes of the problems that a link was told last."""
    return [message.problem.code for message in bench.heard(link) if isinstance(message, Refused)]


def test_a_new_link_has_five_seconds(bench: HubBench) -> None:
    """Whoever says nothing is closed when the deadline passes; afterwards nothing is heard."""
    bench.connect()
    assert bench.timers() == {"auth:1": 5_000}
    bench.fire("auth:1")
    assert codes(bench) == ["SIGN_IN_NEEDED"]
    assert bench.refusals() == [(1, 1008, "SIGN_IN_NEEDED")]
    bench.say(Auth("token"))
    assert bench.effects == []


def test_the_deadline_of_a_link_that_is_gone_does_nothing(bench: HubBench) -> None:
    """A timer may fire late."""
    bench.connect()
    bench.feed(Closed(1))
    assert bench.effects == [CancelTimer("auth:1")]
    bench.fire("auth:1")
    assert bench.effects == []
    bench.drain(1)
    assert bench.effects == []
    bench.feed(Closed(1))
    assert bench.effects == []


def test_auth_and_hello_lead_to_welcome(bench: HubBench) -> None:
    """Hello may come before the token was looked at; the welcome says who and where one is."""
    join = bench.sign_in()
    assert CancelTimer("auth:1") in bench.effects
    assert join.store == "store"
    bench.answer(join, Joined(EPOCH, 0, 3, 4))
    (welcome,) = bench.heard()
    assert isinstance(welcome, Welcome)
    assert (welcome.server_version, welcome.epoch, welcome.decided_device_seq) == ("1.2.3", EPOCH, 4)
    assert (welcome.site.id, welcome.person.name, welcome.durable_seq) == ("site-1", "Ana K.", 3)
    assert bench.timers() == {"beat": 5_000, "look": 500}
    assert bench.hub.links == 1


def test_hello_may_come_after_the_token_was_looked_at(bench: HubBench) -> None:
    """The order of hello and the store's answer does not matter."""
    bench.connect()
    bench.say(Auth("token"))
    bench.answer(bench.job("authenticate"), principal())
    assert bench.effects == []
    bench.say(hello())
    assert bench.has_job("join")


@pytest.mark.parametrize(
    ("result", "error", "code"),
    [
        (None, "", "SIGN_IN_NEEDED"),
        (None, "OperationalError: disk", "SERVER_FAULT"),
        (principal(role=cast("Role", "cook")), "", "FORBIDDEN"),
    ],
)
def test_a_token_that_does_not_count_closes_the_link(
    bench: HubBench, result: object, error: str, code: str
) -> None:
    """Unknown tokens, roles without the right to see, and a failing store are told apart."""
    bench.connect()
    bench.say(Auth("token"))
    bench.answer(bench.job("authenticate"), result, error)
    assert codes(bench) == [code]


def test_a_link_that_closed_meanwhile_gets_nothing(bench: HubBench) -> None:
    """Answers of the store for a link that is gone go nowhere."""
    join = bench.sign_in()
    bench.feed(Closed(1))
    bench.answer(join, Joined(EPOCH, 0, 0, 0))
    assert bench.effects == []
    bench.connect(2)
    bench.say(Auth("token"), 2)
    check = bench.job("authenticate")
    bench.feed(Closed(2))
    bench.answer(check, None)
    assert bench.effects == []


@pytest.mark.parametrize("message", [hello(), Submit([]), Ping(1, 2)])
def test_nothing_is_heard_before_auth(bench: HubBench, message: Hello | Submit | Ping) -> None:
    """The first message is Auth."""
    bench.connect()
    bench.say(message)
    assert bench.refusals() == [(1, 1002, "PROTOCOL_ERROR")]


def test_a_second_hello_is_an_error(bench: HubBench) -> None:
    """A link is greeted once."""
    bench.go_live()
    bench.say(hello())
    assert codes(bench) == ["PROTOCOL_ERROR"]


def test_operations_before_the_welcome_are_an_error(bench: HubBench) -> None:
    """A device must know what is decided before it sends more."""
    bench.sign_in()
    bench.submit()
    assert codes(bench) == ["PROTOCOL_ERROR"]


@pytest.mark.parametrize(
    "greeting",
    [
        hello(""),
        hello("x" * 65),
        hello(cursor=-1),
        hello(cursor=1 << 53),
        Hello(2, 2, "1.0", "device", 0),
        Hello(2, 2, "1.0", "device", 1 << 60),
        Hello(2, 2, "1.0", "device", 1, EPOCH, 1, -1),
        Hello(2, 2, "1.0", "device", 1, EPOCH, 1, (1 << 64) - 1 + 1),
    ],
)
def test_a_hello_that_cannot_be_worked_with_is_an_error(bench: HubBench, greeting: Hello) -> None:
    """An id is 1 to 64 characters; numbers are what a table can hold."""
    bench.connect()
    bench.say(Auth("token"))
    bench.say(greeting)
    assert codes(bench) == ["PROTOCOL_ERROR"]


def test_releases_that_do_not_understand_each_other_are_told_who_is_behind(bench: HubBench) -> None:
    """The ranges of protocols must overlap."""
    for link, (low, high, code) in enumerate([(1, 1, "PROTOCOL_TOO_OLD"), (3, 4, "PROTOCOL_TOO_NEW")], 1):
        bench.connect(link)
        bench.say(Auth("token"), link)
        bench.say(Hello(low, high, "x", "device", 1), link)
        assert codes(bench, link) == [code]


def test_a_frame_that_cannot_be_read_closes_the_link(bench: HubBench) -> None:
    """Nonsense and frames over the limit are told apart by the close code."""
    for link, (frame, code) in enumerate([("{", 1002), ("x" * 70_000, 1009)], 1):
        bench.connect(link)
        bench.feed(Received(link, frame))
        assert [refusal[1] for refusal in bench.refusals()] == [code]
    bench.feed(Received(99, "{"))
    assert bench.effects == []


def test_a_cloned_device_is_told_so_and_noted(bench: HubBench) -> None:
    """The client takes a new identity; the log says whose."""
    bench.answer(bench.sign_in(), Joined(EPOCH, 0, 0, 0, is_cloned=True))
    assert codes(bench) == ["DEVICE_CLONED"]
    assert Noted("device_cloned", (("device_id", "device-1"),), is_warning=True) in bench.news()


def test_a_store_that_fails_at_hello_closes_the_link(bench: HubBench) -> None:
    """The client tries again later."""
    bench.answer(bench.sign_in(), error="OperationalError: locked")
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]


def test_ping_is_answered_with_the_time(bench: HubBench) -> None:
    """From auth on; the sender's time comes back unread."""
    bench.connect()
    bench.say(Auth("token"))
    bench.say(Ping(5, 6))
    assert bench.heard() == [Pong(5, 6, bench.clock.wall)]


def test_auth_on_a_live_link_renews_the_sign_in(bench: HubBench) -> None:
    """A later end counts; nothing is said about it; a second one may come only after the first."""
    bench.go_live()
    bench.say(Auth("newer"))
    check = bench.job("authenticate")
    bench.answer(check, principal("sign-in-2", expires_ms=bench.clock.wall + 10_000_000))
    assert bench.effects == []
    bench.clock.advance(1_000_000)
    bench.say(Ping(1, 1))
    bench.fire("beat")
    assert bench.refusals() == []
    bench.say(Auth("one"))
    bench.say(Auth("two"))
    assert codes(bench) == ["PROTOCOL_ERROR"]


def test_a_sign_in_of_another_device_or_site_is_not_a_renewal(bench: HubBench) -> None:
    """Whose operations these are does not change under a connection."""
    others = [principal(enrolment="other"), principal(site=SiteKey("organization-1", "site-2"))]
    for link, other in enumerate(others, 1):
        bench.go_live(link)
        bench.say(Auth("newer"), link)
        bench.answer(bench.job("authenticate"), other)
        assert codes(bench, link) == ["PROTOCOL_ERROR"]


def test_an_expired_sign_in_is_closed_after_a_minute(bench: HubBench) -> None:
    """The client has time to renew; then it is told what to do."""
    bench.go_live(who=principal(expires_ms=bench.clock.wall))
    for wait_ms, told in ((60_000, []), (1, ["TOKEN_EXPIRED"])):
        bench.clock.advance(wait_ms)
        bench.say(Ping(1, 1))
        bench.fire("beat")
        assert codes(bench) == told


def test_a_sixth_link_of_a_device_closes_its_oldest(bench: HubBench) -> None:
    """Half-open links do not pile up, and the newest always gets in."""
    for link in range(1, 6):
        bench.go_live(link)
        assert bench.refusals() == []
    bench.go_live(6, device_id="another")
    bench.sign_in(7)
    assert bench.refusals() == [(1, 1008, "TOO_MANY_LINKS")]
    bench.sign_in(8)
    assert bench.refusals() == [(2, 1008, "TOO_MANY_LINKS")]


def test_nobody_sheds_the_links_of_another_enrolment(bench: HubBench) -> None:
    """A device's id is no secret, and whose it is the store says only later."""
    for link in range(1, 6):
        bench.go_live(link)
    for link in range(6, 9):
        bench.sign_in(link, principal("sign-in-2", enrolment="enrolment-2"))
        assert bench.refusals() == []


def test_a_revoked_sign_in_is_closed_at_once_by_command_and_by_the_next_look(bench: HubBench) -> None:
    """Within this process by command, from another process by looking."""
    bench.go_live(1, who=principal("a"), device_id="1")
    bench.go_live(2, who=principal("b"), device_id="2")
    bench.go_live(3, who=principal("c"), device_id="3")
    bench.connect(4)
    bench.feed(Command(SignInsEnded(("a",))))
    assert bench.refusals() == [(1, 1008, "SIGNED_OUT")]
    bench.fire("look")
    look = bench.job("look")
    assert isinstance(look, Job)
    assert look.arguments == (("site-1",), ("a", "b", "c"))
    bench.answer(look, Look({}, ("a", "b")))
    assert bench.refusals() == [(2, 1008, "SIGNED_OUT")]


def test_events_do_not_need_a_greeting(bench: HubBench) -> None:
    """Unknown commands are passed over."""
    bench.feed(Connected(1))
    bench.feed(Command("anything"))
    assert bench.effects == []


def test_the_two_hundred_first_stranger_takes_the_place_of_the_oldest(bench: HubBench) -> None:
    """Whoever has signed in counts no longer, nor does whoever has left."""
    bench.go_live(1)
    for link in range(2, 202):
        bench.connect(link)
        assert bench.refusals() == []
    bench.connect(202)
    assert bench.refusals() == [(2, 1008, "TOO_MANY_LINKS")]
    bench.feed(Closed(2))
    bench.feed(Closed(5))
    bench.connect(203)
    assert bench.refusals() == []
    bench.connect(204)
    assert bench.refusals() == [(3, 1008, "TOO_MANY_LINKS")]


def test_the_welcome_says_the_hash_at_the_clients_own_cursor(bench: HubBench) -> None:
    """With it a terminal finds damage in its copy before it adds to it."""
    bench.answer(bench.sign_in(greeting=hello(cursor=3)), bench.joined(9, state_hash=44, head_hash=55))
    welcome = bench.heard()[0]
    assert isinstance(welcome, Welcome)
    assert (welcome.state_hash, welcome.head) == (44, 9)


@pytest.mark.parametrize(
    ("ours", "theirs", "spoken"),
    [((2, 2), (2, 2), 2), ((2, 4), (1, 3), 3), ((2, 3), (3, 9), 3), ((2, 4), (1, 2), 2)],
)
def test_both_speak_the_newest_protocol_that_both_know(
    ours: tuple[int, int], theirs: tuple[int, int], spoken: int
) -> None:
    """The ranges of a server and a client overlap there."""
    bench = HubBench(ours)
    low, high = theirs
    bench.answer(bench.sign_in(greeting=Hello(low, high, "x", DEVICE, 1, EPOCH)), bench.joined(0))
    welcome = bench.heard()[0]
    assert isinstance(welcome, Welcome)
    assert welcome.protocol == spoken
