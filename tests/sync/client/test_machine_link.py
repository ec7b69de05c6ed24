"""The client's machine and its link: connecting, waiting, signing in, giving up on dead links."""

from __future__ import annotations

import pytest

from support.machine_bench import (
    PERSON,
    SITE,
    MachineBench,
    cached,
    decided,
    delta,
    draft,
    numbered,
    verdict,
)
from sync.client.backoff import LONGEST_MS, SHORTEST_MS, Backoff
from sync.client.commands import GoOffline, GoOnline, NewToken, NoToken, Stop, TryNow
from sync.client.news import (
    ClockSkew,
    ConnectionChanged,
    CredentialsWanted,
    DelayMeasured,
    LinkState,
    ProblemArose,
    Welcomed,
)
from sync.contract.messages import Auth, Heartbeat, Hello, Ping, Pong, Refused, SnapshotEnd
from sync.contract.problems import Problem
from sync.contract.steps import Closed, Connected, Drained, Received, TimerFired


def states(bench: MachineBench) -> list[LinkState]:
    """Return the states of the connection in the order in which they were published."""
    return [news.state for news in bench.news(ConnectionChanged)]


def problems(bench: MachineBench) -> list[str]:
    """Return the codes of the problems that were published."""
    return [news.problem.code for news in bench.news(ProblemArose)]


def refuse(bench: MachineBench, code: str) -> None:
    """Let the server refuse the link."""
    bench.hear(Refused(Problem(code, "No.")))


def test_a_link_begins_with_auth_then_hello_with_what_the_files_hold() -> None:
    """Hello says where the cache stands and which number is the first that is still held."""
    bench = MachineBench(cache=cached(7, state_hash=99), next_device_seq=5)
    bench.connect()
    auth, hello = bench.said()
    assert auth == Auth("token-1")
    assert hello == Hello(2, 2, "1.0", "device-1", 5, "epoch-1", 7, 99)


def test_a_first_start_says_hello_with_nothing() -> None:
    """An empty profile has no epoch and cursor 0."""
    bench = MachineBench()
    bench.connect()
    assert bench.said()[1] == Hello(2, 2, "1.0", "device-1", 1)


def test_the_states_on_the_way_to_live() -> None:
    """Connecting, catching up while pages come, live when the board stands at the head."""
    bench = MachineBench(cache=cached(0))
    bench.connect()
    bench.welcome(head=1)
    bench.hear(delta(0, numbered("other", 1)))
    assert states(bench) == [LinkState.CONNECTING, LinkState.CATCHING_UP, LinkState.LIVE]


def test_welcome_is_told_and_remembered() -> None:
    """Who is signed in, and where, is on screen and in the cache for the next cold start."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    assert bench.news(Welcomed) == [Welcomed(SITE, PERSON)]
    assert bench.cache.remembered == [(SITE, PERSON, None), (None, None, bench.clock.wall)]


def test_without_a_token_the_machine_asks_and_asks_again() -> None:
    """A question for a token that nobody answers is put again, so nothing can hang on it."""
    bench = MachineBench()
    bench.command(GoOnline())
    assert bench.news(CredentialsWanted) == [CredentialsWanted("")]
    assert bench.connects() == 0
    bench.fire("retry")
    assert len(bench.news(CredentialsWanted)) == 2
    bench.command(NewToken("token-2"))
    assert bench.connects() == 1
    bench.come_up()
    assert bench.said()[0] == Auth("token-2")


def test_no_token_is_a_problem_told_once_and_tried_again() -> None:
    """A server that cannot be reached for signing in is one sentence, not one per try."""
    bench = MachineBench()
    bench.command(GoOnline())
    unreachable = NoToken(Problem("SERVER_UNREACHABLE", "Nobody answers."))
    bench.command(unreachable)
    bench.fire("retry")
    bench.command(unreachable)
    assert problems(bench) == ["SERVER_UNREACHABLE"]
    assert states(bench)[-1] is LinkState.OFFLINE
    assert bench.news(ConnectionChanged)[-1].detail == "SERVER_UNREACHABLE"
    assert len(bench.news(CredentialsWanted)) == 2


def test_a_failed_early_renewal_disturbs_nothing() -> None:
    """While a link is up, or none is wanted, no token is no reason to do anything."""
    bench = MachineBench(cache=cached())
    bench.command(NoToken(Problem("SERVER_UNREACHABLE", "Nobody answers.")))
    bench.go_live()
    bench.clear()
    bench.command(NoToken(Problem("SERVER_UNREACHABLE", "Nobody answers.")))
    assert bench.effects == []


def test_a_new_token_renews_the_sign_in_of_a_live_link() -> None:
    """The link stays; the server gets the new token in band."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.clear()
    bench.command(NewToken("token-2"))
    assert bench.said() == [Auth("token-2")]


def test_a_new_token_waits_for_the_next_link_while_one_is_coming_up() -> None:
    """Before the welcome the link still signs in with the first token."""
    bench = MachineBench()
    bench.connect()
    bench.clear()
    bench.command(NewToken("token-2"))
    assert bench.said() == []


@pytest.mark.parametrize("code", ["TOKEN_EXPIRED", "SIGNED_OUT", "SIGN_IN_NEEDED"])
def test_a_refused_token_is_asked_for_anew(code: str) -> None:
    """The refused token is never offered again; the question says why."""
    bench = MachineBench()
    bench.connect()
    refuse(bench, code)
    assert bench.closes()[0].link == 1
    bench.fire("retry")
    assert bench.news(CredentialsWanted) == [CredentialsWanted(code)]
    assert bench.connects() == 1
    assert problems(bench) == []


def test_a_link_closed_for_want_of_a_sign_in_asks_for_a_token() -> None:
    """Where the address of the socket was refused, the driver reports that as the reason."""
    bench = MachineBench()
    bench.command(GoOnline("old"))
    bench.lose(0, "TOKEN_EXPIRED")
    bench.fire("retry")
    assert bench.news(CredentialsWanted) == [CredentialsWanted("TOKEN_EXPIRED")]


@pytest.mark.parametrize("code", ["PROTOCOL_UNSUPPORTED", "SERVER_FAULT", "PROTOCOL_TOO_OLD"])
def test_other_refusals_are_told_and_tried_again(code: str) -> None:
    """A person has to know; the server may be right again later."""
    bench = MachineBench()
    bench.connect()
    refuse(bench, code)
    assert problems(bench) == [code]
    bench.fire("retry")
    assert bench.connects() == 2


@pytest.mark.parametrize("code", ["NEW_EPOCH", "SERVER_STOPPING", "SILENT", "TOO_SLOW"])
def test_refusals_that_a_new_link_answers_are_not_told(code: str) -> None:
    """They are the server's business."""
    bench = MachineBench()
    bench.connect()
    refuse(bench, code)
    assert problems(bench) == []
    bench.fire("retry")
    assert bench.connects() == 2


def test_a_lost_link_says_offline_since_when_it_was_last_live() -> None:
    """The time on the badge is when the server was last heard live, not that of the last try."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.clock.advance(4_000)
    lost_ms = bench.clock.wall
    bench.hear(Heartbeat(0, 0, lost_ms))
    bench.clock.advance(9_000)
    bench.lose()
    bench.fire("retry")
    bench.lose(0, "refused")
    offline = [each for each in bench.news(ConnectionChanged) if each.state is LinkState.OFFLINE]
    assert {each.since_wall_ms for each in offline} == {lost_ms}
    assert [each.detail for each in offline] == ["closed with 1006", "refused"]
    assert bench.cache.remembered[-1] == (None, None, lost_ms)


def test_a_cold_start_without_a_server_knows_the_age_of_the_board() -> None:
    """The cache remembers the last contact."""
    bench = MachineBench(cache=cached(3, last_contact_ms=123))
    bench.command(GoOnline("token"))
    bench.lose(0, "refused")
    assert [each.since_wall_ms for each in bench.news(ConnectionChanged)] == [123, 123]


def test_the_wait_doubles_and_ends_with_a_live_link() -> None:
    """Each failure may wait twice as long, up to 30 s, but stays below 2 s while the outage is young."""
    bench = MachineBench(cache=cached())
    bench.command(GoOnline("token"))
    waits = []
    for _ in range(26):
        bench.lose(0)
        waits.append(bench.timers["retry"] - bench.clock.mono)
        bench.fire("retry")
    assert waits == [125, 250, 500, *[600] * 17, 1000, 2000, 4000, 8000, 15000, 15000]
    bench.come_up()
    bench.welcome()
    bench.lose()
    assert bench.timers["retry"] - bench.clock.mono == 125


def test_a_refused_sign_in_is_not_repeated_like_an_outage() -> None:
    """The server counts failed sign-ins, so a terminal that was told no soon asks seldom."""
    waits: dict[str, list[int]] = {}
    for code in ("DEVICE_REVOKED", "SERVER_UNREACHABLE"):
        bench = MachineBench(cache=cached())
        bench.command(GoOnline())
        waits[code] = []
        for _ in range(9):
            bench.command(NoToken(Problem(code, "No.")))
            waits[code].append(bench.timers["retry"] - bench.clock.mono)
            bench.fire("retry")
    assert waits["DEVICE_REVOKED"] == [125, 250, 500, 1000, 2000, 4000, 8000, 15000, 15000]
    assert waits["SERVER_UNREACHABLE"] == [125, 250, 500, *[600] * 6]


def test_try_now_connects_at_once() -> None:
    """A person does not wait for the end of the back-off, and the next wait is short again."""
    bench = MachineBench()
    bench.command(GoOnline("token"))
    for _ in range(5):
        bench.lose(0)
        bench.fire("retry")
    bench.lose(0)
    connects = bench.connects()
    bench.command(TryNow())
    assert bench.connects() == connects + 1
    assert states(bench)[-1] is LinkState.CONNECTING
    bench.command(TryNow())
    assert bench.connects() == connects + 1


@pytest.mark.parametrize("request_", [GoOffline(), Stop()])
def test_going_offline_closes_the_link_and_stays_away(request_: object) -> None:
    """Neither the link nor a wait is left."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.command(request_)
    assert [close.code for close in bench.closes()] == [1000]
    assert states(bench)[-1] is LinkState.OFFLINE
    bench.step(Closed(1, 1000))
    bench.command(request_)
    assert bench.connects() == 1
    bench.command(GoOnline())
    assert bench.connects() == 2


def test_a_silent_link_is_dropped_after_fifteen_seconds() -> None:
    """A quiet link is asked every 1.2 s whether it lives; without any frame back it is dead."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    start = bench.clock.mono
    while not bench.closes():
        bench.fire("look")
    assert bench.clock.mono - start == 15_000
    pings = [message for message in bench.said() if isinstance(message, Ping)]
    assert [(ping.n, ping.mono_ms - start) for ping in pings] == [(n, n * 1_200) for n in range(1, 13)]
    assert bench.closes()[0].reason == "silence"
    bench.fire("retry")
    assert bench.connects() == 2


def test_a_link_that_never_comes_up_is_dropped() -> None:
    """A driver that hangs in connecting does not stop the machine."""
    bench = MachineBench()
    bench.command(GoOnline("token"))
    bench.fire("look")
    assert bench.closes()[0].reason == "silence"


def test_a_server_that_never_welcomes_is_dropped_in_spite_of_heartbeats() -> None:
    """Signs of life are not progress."""
    bench = MachineBench()
    bench.connect()
    start = bench.clock.mono
    while not bench.closes():
        bench.hear(Heartbeat(0, 0, bench.clock.wall))
        bench.fire("look")
    assert bench.closes()[0].reason == "stuck"
    assert bench.clock.mono - start == 10_000


def test_a_busy_link_is_pinged_seldom() -> None:
    """Frames that come by themselves show that it lives; the server still hears of the terminal every 5 s."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    start = bench.clock.mono
    while bench.clock.mono < start + 20_000:
        bench.clock.advance(500)
        bench.hear(Heartbeat(0, 0, bench.clock.wall))
        if bench.timers["look"] <= bench.clock.mono:
            bench.fire("look")
    pings = [message.mono_ms - start for message in bench.said() if isinstance(message, Ping)]
    assert pings == [5_000, 10_000, 15_000, 20_000]


def test_frames_keep_a_link_alive() -> None:
    """Any frame counts as a sign of life, and a pong is the round trip."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    for count in range(1, 10):
        bench.fire("look")
        sent = bench.clock.mono
        bench.clock.advance(40)
        bench.hear(Pong(count, sent, bench.clock.wall))
    assert not bench.closes()
    assert bench.news(DelayMeasured) == [DelayMeasured(40)] * 9


def test_a_long_live_link_notes_the_contact_every_minute() -> None:
    """After a crash the age of the board is known to the minute: when the server was last heard."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    start, before = bench.clock.wall, len(bench.cache.remembered)
    while bench.clock.wall - start < 120_000:
        bench.fire("look")
        bench.hear(Heartbeat(0, 0, bench.clock.wall))
    noted = [int(str(each[2])) - start for each in bench.cache.remembered[before:]]
    assert [round(each_ms / 60_000) for each_ms in noted] == [1, 2]


def test_an_unanswered_operation_makes_a_new_link_after_ten_seconds() -> None:
    """Nothing stays stuck: a new link sends it again."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    start = bench.clock.mono
    while not bench.closes():
        bench.hear(Heartbeat(0, 0, bench.clock.wall))
        bench.fire("look")
    assert bench.closes()[0].reason == "stuck"
    assert bench.clock.mono - start == 10_000


def test_a_decided_operation_whose_page_never_comes_makes_a_new_link() -> None:
    """Decided is not done: the board must show it within ten seconds too."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    while not bench.closes():
        bench.hear(Heartbeat(0, 0, bench.clock.wall))
        bench.fire("look")
    assert bench.closes()[0].reason == "stuck"


def test_two_heartbeats_ahead_without_a_page_make_a_new_link() -> None:
    """The fan-out has forgotten this terminal: hello asks again."""
    bench = MachineBench(cache=cached(5))
    bench.go_live(head=5)
    bench.hear(Heartbeat(6, 0, bench.clock.wall))
    bench.hear(delta(5, numbered("x", 1)))
    bench.hear(Heartbeat(7, 0, bench.clock.wall))
    bench.hear(Heartbeat(6, 0, bench.clock.wall))
    bench.hear(Heartbeat(7, 0, bench.clock.wall))
    assert not bench.closes()
    bench.hear(Heartbeat(7, 0, bench.clock.wall))
    assert bench.closes()[0].reason == "behind"


def test_clock_skew_is_told_when_it_comes_and_when_it_goes() -> None:
    """Over two minutes is a warning; once, not with every heartbeat."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    for ahead_ms in (121_000, 122_000, 0, -1):
        bench.hear(Heartbeat(0, 0, bench.clock.wall + ahead_ms))
    bench.hear(Pong(1, bench.clock.mono, bench.clock.wall - 500_000))
    assert bench.news(ClockSkew) == [ClockSkew(121_000), ClockSkew(0), ClockSkew(-500_000)]


@pytest.mark.parametrize("wall_ms", [10**400, -(10**400)])
def test_a_server_clock_beyond_all_time_is_told_as_a_century(wall_ms: int) -> None:
    """JSON holds numbers that no float does; whoever shows the skew divides it."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.hear(Heartbeat(0, 0, wall_ms))
    (skew,) = bench.news(ClockSkew)
    assert abs(skew.ms) == 100 * 365 * 86_400_000


@pytest.mark.parametrize("frame", ["", "{}", '{"type":"auth","token":"x"}', b"no zstandard"])
def test_a_frame_that_is_not_ours_drops_the_link(frame: str | bytes) -> None:
    """The server may be newer, or not ours at all: told once, moves stay here."""
    bench = MachineBench()
    bench.connect()
    bench.step(Received(1, frame))
    assert bench.closes()[0].code == 1007
    assert problems(bench) == ["SERVER_UNREADABLE"]


def test_a_page_before_the_welcome_drops_the_link() -> None:
    """The conversation has an order."""
    bench = MachineBench()
    bench.connect()
    bench.hear(SnapshotEnd(1))
    assert bench.closes()[0].code == 1002


def test_older_links_have_nothing_to_say() -> None:
    """Events of a link that was given up change nothing."""
    bench = MachineBench()
    bench.connect()
    bench.lose()
    bench.fire("retry")
    bench.clear()
    bench.step(Connected(1))
    bench.hear(bench.welcome_message(), link=1)
    bench.step(Closed(1, 1000))
    bench.step(Drained(2))
    bench.step(TimerFired("unknown"))
    assert bench.effects[:-1] == []  # an unknown timer looks at the link, which sets the next look
    assert bench.connects() == 0


def test_a_look_without_a_link_does_nothing() -> None:
    """A timer may fire in the instant in which its link goes."""
    bench = MachineBench()
    assert bench.step(TimerFired("look")) != []  # the first step says how the connection stands
    assert bench.step(TimerFired("look")) == []


def test_hello_is_not_said_over_a_link_that_went_meanwhile() -> None:
    """The cache's answer may come late."""
    bench = MachineBench()
    bench.is_holding = True
    bench.connect()
    bench.lose()
    bench.let_go()
    assert [type(message) for message in bench.said()] == [Auth]


def test_a_cache_that_cannot_be_read_is_a_problem() -> None:
    """The link is given up and tried again; moves are apart from the cache."""
    bench = MachineBench()
    bench.errors["cache.state"] = "OperationalError: disk I/O error"
    bench.connect()
    assert problems(bench) == ["CACHE_UNREADABLE"]
    assert bench.closes()
    bench.fire("retry")
    assert bench.connects() == 2


def test_an_unknown_request_is_a_programming_error() -> None:
    """Nobody can ask for what the machine does not know."""
    with pytest.raises(TypeError, match="not a request"):
        MachineBench().command("something")


def test_backoff_is_never_at_once_and_never_over_the_longest() -> None:
    """Also with the luckiest and the unluckiest draw."""

    class Draw:
        value = 0.0

        def random(self) -> float:
            return self.value

    draw = Draw()
    assert not Backoff(draw).has_failed
    backoff = Backoff(draw)
    assert backoff.failed() == SHORTEST_MS
    assert backoff.has_failed
    draw.value = 0.999999
    assert max(backoff.failed() for _ in range(5000)) < LONGEST_MS
