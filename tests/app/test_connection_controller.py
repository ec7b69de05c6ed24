"""Badge and banners: what a person knows about the connection, in every state."""

from __future__ import annotations

import logging

import pytest

from app.connection_controller import AGE, CUT
from support.client_bench import CONTACT_MS, ClientBench
from sync.client.news import ConnectionChanged, DelayMeasured, LinkState, ProblemArose, ProblemCleared
from sync.contract.problems import Problem
from sync.contract.stages import Stage

LOST_MS = 1_700_000_000_000


def _badge(bench: ClientBench) -> str:
    return bench.client.window.header.connection._badge.words


def _keys(bench: ClientBench) -> tuple[str, ...]:
    return bench.client.window.banners.keys()


def _words(bench: ClientBench, key: str) -> str:
    message = bench.client.window.banners._shown[key][0]
    return f"{message.strong} {message.text}"


def _connection(bench: ClientBench, state: LinkState, since_ms: int = LOST_MS) -> None:
    bench.tell(ConnectionChanged(state, since_ms, "refused"))


def test_a_start_without_server_says_how_old_the_board_is(bench: ClientBench) -> None:
    """The banner names the time of the last contact and says that work goes on."""
    bench.started()
    assert _keys(bench) == ()
    _connection(bench, LinkState.OFFLINE, CONTACT_MS)
    assert _keys(bench) == (AGE,)
    words = _words(bench, AGE)
    assert words.startswith("This is the board as it was at ")
    assert "moves are kept here" in words
    assert _badge(bench).startswith("Offline since 22:13")


def test_try_now_asks_the_engine(bench: ClientBench) -> None:
    """Its button, the badge and F5 all ask to connect at once."""
    bench.started()
    _connection(bench, LinkState.OFFLINE, CONTACT_MS)
    bench.client.window.banners.button_pressed.emit(AGE)
    bench.client.window.header.connection_requested.emit()
    bench.client.shell.on_action("ask_again")
    assert bench.engine_tries == 3


def test_the_age_goes_when_the_board_is_live(bench: ClientBench) -> None:
    """Then nothing is old any more."""
    bench.started()
    _connection(bench, LinkState.OFFLINE, CONTACT_MS)
    _connection(bench, LinkState.LIVE)
    assert _keys(bench) == ()
    bench.tell(DelayMeasured(40))
    assert _badge(bench).startswith("Live")


def test_trying_again_does_not_blink(bench: ClientBench) -> None:
    """Offline stays offline until the server has answered."""
    bench.started()
    _connection(bench, LinkState.OFFLINE, CONTACT_MS)
    before = _badge(bench)
    _connection(bench, LinkState.CONNECTING, CONTACT_MS)
    assert _badge(bench) == before
    assert _keys(bench) == (AGE,)


def test_a_cut_while_working_tells_the_unsent_moves(bench: ClientBench) -> None:
    """Since when, that work goes on, and how many moves are stored; it may be closed."""
    bench.started()
    _connection(bench, LinkState.LIVE)
    _connection(bench, LinkState.OFFLINE)
    assert _keys(bench) == (CUT,)
    assert _words(bench, CUT).startswith("No connection since 22:13. Keep working")
    bench.client.controller.on_move_requested(bench.first(Stage.CONFIRMED), Stage.PICKING)
    bench.save()
    assert "1 move is stored here" in _words(bench, CUT)
    assert _badge(bench) == "Offline since 22:13 | 1 not sent"
    bench.client.window.banners.hide_banner(CUT)
    bench.client.window.banners.closed.emit(CUT)
    bench.client.connection.refresh()
    assert _keys(bench) == ()


def test_a_terminal_that_is_shut_out_promises_no_sending(bench: ClientBench) -> None:
    """One banner says what happened; it goes when somebody has signed in again."""
    bench.started()
    _connection(bench, LinkState.LIVE)
    _connection(bench, LinkState.OFFLINE)
    bench.tell(ProblemArose(Problem("DEVICE_REVOKED", "This terminal was shut out.")))
    bench.client.connection.refresh()
    assert _keys(bench) == ("DEVICE_REVOKED",)
    _connection(bench, LinkState.LIVE)
    assert _keys(bench) == ()


def test_back_again_says_what_was_sent(bench: ClientBench) -> None:
    """The person hears that the stored moves arrived."""
    said: list[str] = []
    bench.client.board.announced.connect(lambda words, _assertive: said.append(words))
    bench.started()
    _connection(bench, LinkState.LIVE)
    _connection(bench, LinkState.OFFLINE)
    bench.client.controller.on_move_requested(bench.first(Stage.CONFIRMED), Stage.PICKING)
    operations = bench.save()
    _connection(bench, LinkState.CATCHING_UP)
    bench.decide(operations)
    _connection(bench, LinkState.LIVE)
    assert _keys(bench) == ()
    assert said[-1] == "Connected. 1 move sent."
    assert said[0].startswith("No connection since")


def test_the_log_tells_when_the_connection_came_and_went(
    bench: ClientBench, caplog: pytest.LogCaptureFixture
) -> None:
    """The first thing that IT asks; once per change."""
    caplog.set_level(logging.INFO, "app.connection")
    bench.started()
    for state in (LinkState.LIVE, LinkState.LIVE, LinkState.OFFLINE):
        _connection(bench, state)
    lines = [record.getMessage() for record in caplog.records if record.name == "app.connection"]
    assert [line.split()[1] for line in lines] == ["live", "offline"]


def test_back_again_waits_for_what_is_still_on_its_way(bench: ClientBench) -> None:
    """Live first, verdicts later: the count is told once all of it has arrived, never as zero."""
    said: list[str] = []
    bench.client.board.announced.connect(lambda words, _assertive: said.append(words))
    bench.started()
    _connection(bench, LinkState.LIVE)
    _connection(bench, LinkState.OFFLINE)
    bench.client.controller.on_move_requested(bench.first(Stage.CONFIRMED), Stage.PICKING)
    operations = bench.save()
    _connection(bench, LinkState.LIVE)
    assert not any(words.startswith("Connected") for words in said)
    bench.decide(operations)
    bench.client.connection.refresh()
    assert [words for words in said if words.startswith("Connected")] == ["Connected. 1 move sent."]


@pytest.mark.parametrize(
    ("code", "is_shown"), [("SERVER_NOT_OURS", True), ("SIGNED_OUT", True), ("SERVER_UNREACHABLE", False)]
)
def test_problems_are_banners_unless_the_badge_says_it(bench: ClientBench, code: str, is_shown: bool) -> None:
    """A server that does not answer is what "Offline" means; everything else is told."""
    bench.tell(ProblemArose(Problem(code, "Something is so.", "Do this.")))
    assert (code in _keys(bench)) is is_shown


def test_the_banner_of_what_is_over_goes(bench: ClientBench) -> None:
    """The disk has room again, for example; other banners stay."""
    for code in ("DISK_LOW", "SERVER_NOT_OURS"):
        bench.tell(ProblemArose(Problem(code, "Something is so.")))
    bench.tell(ProblemCleared("DISK_LOW"))
    assert "DISK_LOW" not in _keys(bench)
    assert "SERVER_NOT_OURS" in _keys(bench)


def test_a_board_that_takes_no_move_does_not_say_that_one_can_work(bench: ClientBench) -> None:
    """One truth: neither the age of the board nor the lost connection promises that moves are kept."""
    said: list[str] = []
    bench.client.board.announced.connect(lambda words, _assertive: said.append(words))
    since_ms = bench.client.clock.wall_ms() - 60_000
    bench.tell(ConnectionChanged(LinkState.OFFLINE, since_ms, "PROFILE_READ_ONLY"))
    bench.tell(ProblemArose(Problem("PROFILE_READ_ONLY", "No move can be kept.")))
    assert _keys(bench) == ("PROFILE_READ_ONLY",)
    assert said == []
