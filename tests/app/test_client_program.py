"""The installed program: what is typed, one profile, no server, a killed window, pictures."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.doctor import State, check_profile
from support.processes import Process, ProcessRunner
from support.real_server import RealServer, started_server
from support.waiting import eventually
from sync.client.board_view import BoardView
from sync.client.local_socket import hand_over
from sync.client.profile import open_profile
from sync.contract.stages import Stage

pytestmark = pytest.mark.timeout(180)

PROGRAM = "fulfillment-kanban"
NOBODY = "http://127.0.0.1:9"
"""A port where nothing listens."""


def _run(processes: ProcessRunner, *words: str | Path, **env: str) -> Process:
    process = processes.start_program(PROGRAM, *words, env=env)
    process.close_input()
    process.wait(60)
    return process


def _said(process: Process) -> str:
    """Return the one line of standard error."""
    assert "Traceback" not in process.stderr
    (line,) = process.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    "words",
    [
        ("--server", "nowhere"),
        ("--theme", "pink"),
        ("--demo", "none"),
        ("--demo", "10", "--server", NOBODY),
        ("--unknown",),
        ("settings", "--unknown"),
    ],
)
def test_what_was_typed_wrong_ends_with_2(
    processes: ProcessRunner, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """It says what is wrong, and makes nothing."""
    process = _run(processes, "--profile", tmp_path / "p", *words)
    assert process.wait() == 2
    assert process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "p" / "outbox.db").exists()


def test_a_token_file_that_is_not_there_ends_with_2(processes: ProcessRunner, tmp_path: Path) -> None:
    """The name of the file is in the sentence."""
    process = _run(processes, "--profile", tmp_path / "p", "--device-token-file", tmp_path / "none.json")
    assert process.wait() == 2
    assert "none.json" in _said(process)


def test_a_profile_that_is_a_file_ends_with_1(processes: ProcessRunner, tmp_path: Path) -> None:
    """And the file is as it was."""
    (tmp_path / "p").write_text("mine", encoding="utf-8")
    process = _run(processes, "--profile", tmp_path / "p")
    assert process.wait() == 1
    assert _said(process).endswith("[PROFILE_NOT_A_FOLDER]")
    assert (tmp_path / "p").read_text(encoding="utf-8") == "mine"


def test_a_folder_with_other_things_is_left_alone(processes: ProcessRunner, tmp_path: Path) -> None:
    """Nothing of ours is written beside somebody's photographs."""
    (tmp_path / "photo.jpg").write_bytes(b"x")
    process = _run(processes, "--profile", tmp_path)
    assert process.wait() == 1
    assert _said(process).endswith("[PROFILE_FOREIGN]")
    assert [file.name for file in tmp_path.iterdir()] == ["photo.jpg"]


@pytest.mark.parametrize("env", [{"QT_QPA_PLATFORM": ""}, {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":4711"}])
def test_without_a_display_it_names_the_way_out(
    processes: ProcessRunner, tmp_path: Path, env: dict[str, str]
) -> None:
    """No abort and no core file, whether the display is not named or not there."""
    process = _run(processes, "--profile", tmp_path / "p", **({"DISPLAY": "", "WAYLAND_DISPLAY": ""} | env))
    assert process.wait() == 1
    assert "make run PLATFORM=vnc" in _said(process)


def test_settings_and_doctor_answer_without_a_window(processes: ProcessRunner, tmp_path: Path) -> None:
    """IT reads both as JSON, also where there is no display; a server that is none is a bad check."""
    env = {"QT_QPA_PLATFORM": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    settings = _run(processes, "settings", "--json", "--profile", tmp_path / "p", **env)
    assert settings.wait() == 0
    assert {row["name"] for row in json.loads(settings.stdout)["settings"]} >= {"theme", "server_url"}
    doctor = _run(processes, "doctor", "--json", "--profile", tmp_path / "p", "--server", NOBODY, **env)
    assert doctor.wait() == 1
    states = {check["name"]: check["state"] for check in json.loads(doctor.stdout)["checks"]}
    assert states["server"] == "bad"
    assert states["versions"] == "ok"
    assert not (tmp_path / "p").exists()


# ---------------------------------------------------------------- with a server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """Return a running server with orders on its board."""
    with started_server(tmp_path) as running:
        from support.headless import put_orders

        put_orders(running, 12)
        yield running


def _window(processes: ProcessRunner, server: RealServer, profile: Path, *words: str | Path) -> Process:
    return processes.start_program(
        PROGRAM,
        "--profile",
        profile,
        "--server",
        server.url,
        "--device-token-file",
        server.token_file,
        *words,
    )


def _numbers(profile: Path, stage: Stage = Stage.CONFIRMED) -> list[str]:
    view = BoardView(profile / "cache.db")
    view.reload()
    try:
        return [row.number for row in view.rows(view.ids(stage))]
    finally:
        view.close()


def test_a_picture_of_the_live_board_is_written(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """The program ends by itself with 0 and leaves a picture of the size that was promised."""
    process = _window(processes, server, tmp_path / "p", "--screenshot", tmp_path / "board.png")
    assert process.wait(60) == 0, process.stderr
    assert process.stderr == ""
    picture = (tmp_path / "board.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (1920, 1080)


def test_the_start_is_reported_for_the_benches(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """One line of JSON with both instants, the memory and what was on the board."""
    process = _window(processes, server, tmp_path / "p", "--report-start")
    assert process.wait(60) == 0, process.stderr
    told = json.loads(process.stdout)
    assert 0 < told["first_paint_ms"] <= told["interactive_ms"]
    assert told["private_dirty_mb"] > 10
    assert (told["orders"], told["state"]) == (12, "live")


def test_a_second_start_raises_the_first_and_ends(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """It says nothing and ends with 0; the first goes on."""
    profile = tmp_path / "p"
    first = _window(processes, server, profile)
    eventually(lambda: _numbers(profile), 60, "the board of the first")
    second = _window(processes, server, profile)
    assert second.wait(30) == 0
    assert second.stderr == ""
    assert "brought to the front" in second.stdout
    # Who wants a file gets one or is told: 0 without it would be a lie.
    third = _window(processes, server, profile, "--screenshot", tmp_path / "board.png")
    assert third.wait(30) == 1
    assert third.stderr.endswith("[PROFILE_IN_USE]")
    assert first.is_running()
    assert first.terminate(20) == 0


def test_without_the_server_the_cached_board_is_shown(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """A terminal that starts while the server is down has its orders, and ends cleanly."""
    profile = tmp_path / "p"
    assert _window(processes, server, profile, "--report-start").wait(60) == 0
    server.kill()
    process = _window(processes, server, profile, "--report-start")
    assert process.wait(90) == 0, process.stderr
    told = json.loads(process.stdout)
    assert (told["orders"], told["state"]) == (12, "offline")
    assert process.stderr == ""


def test_no_picture_of_a_board_that_was_never_here(processes: ProcessRunner, tmp_path: Path) -> None:
    """A new terminal that cannot reach its server says so and ends with 1, long before a minute is over."""
    words = (
        "--profile",
        tmp_path / "p",
        "--server",
        "http://127.0.0.1:9",
        "--screenshot",
        tmp_path / "board.png",
    )
    process = processes.start_program("fulfillment-kanban", *words, env={"QT_QPA_PLATFORM": "offscreen"})
    assert process.wait(50) == 1
    assert process.stderr.startswith("There is no board to show")
    assert not (tmp_path / "board.png").exists()


def test_a_killed_window_leaves_a_profile_that_opens(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """SIGKILL at any time: the next start has the board and takes the profile over."""
    profile = tmp_path / "p"
    first = _window(processes, server, profile)
    eventually(lambda: _numbers(profile), 60, "the board of the first")
    first.kill()
    again = _window(processes, server, profile, "--report-start")
    assert again.wait(60) == 0, again.stderr
    assert json.loads(again.stdout)["orders"] == 12


def test_a_second_start_hands_over_also_after_a_kill(
    processes: ProcessRunner, server: RealServer, tmp_path: Path
) -> None:
    """Lock and socket of a killed window stand in nobody's way, and one that hangs is said to be there."""
    profile = tmp_path / "p"

    def started_again() -> Process:
        second = _window(processes, server, profile)
        second.wait(60)
        return second

    for _ in range(2):
        running = _window(processes, server, profile)
        eventually(lambda: hand_over(profile / "engine.sock"), 60, "a window that answers")
        second = started_again()
        assert (second.wait(), second.stdout) == (
            0,
            "The program is open already; its window was brought to the front.",
        ), second.stderr
        assert running.is_running()
        running.kill()
        # What it left behind: a socket where nobody listens, and a file that was its lock.
        assert (profile / "engine.sock").exists()
        assert (profile / "lock").exists()
    hanging = _window(processes, server, profile)
    eventually(lambda: hand_over(profile / "engine.sock"), 60, "a window that answers")
    hanging.send_signal(signal.SIGSTOP)
    second = started_again()
    assert second.wait() == 1
    assert "[PROFILE_IN_USE]" in second.stderr
    hanging.kill()


def test_a_damaged_cache_is_rebuilt(processes: ProcessRunner, server: RealServer, tmp_path: Path) -> None:
    """A cache is only a copy: the board comes back from the server."""
    profile = tmp_path / "p"
    assert _window(processes, server, profile, "--report-start").wait(60) == 0
    (profile / "cache.db").write_bytes(b"not a database at all" * 500)
    again = _window(processes, server, profile, "--report-start")
    assert again.wait(60) == 0, again.stderr
    assert json.loads(again.stdout)["orders"] == 12


class _Stranger(http.server.BaseHTTPRequestHandler):
    """A web server that is not ours."""

    def do_GET(self) -> None:
        """Answer everything with a friendly page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def test_doctor_tells_a_profile_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board opens on it all the same, so IT has to be told here."""
    open_profile(tmp_path)
    assert check_profile(tmp_path).state is State.OK
    monkeypatch.setattr(os, "access", lambda *_: False)
    check = check_profile(tmp_path)
    assert check.state is State.BAD
    assert "No move can be kept" in check.sentence


def test_doctor_tells_a_server_that_is_not_ours(processes: ProcessRunner, tmp_path: Path) -> None:
    """The sentence says what answers there."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Stranger) as stranger:
        thread = threading.Thread(target=stranger.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{stranger.server_port}"
        doctor = _run(processes, "doctor", "--profile", tmp_path / "p", "--server", url)
        stranger.shutdown()
        thread.join()
    assert doctor.wait() == 1
    assert "is not a Fulfillment Kanban server" in doctor.stdout


# ---------------------------------------------------------------- with a server of its own


def test_its_own_server_starts_with_it_and_ends_with_it(processes: ProcessRunner, tmp_path: Path) -> None:
    """Signed in without a question; the demo is made once, the second start finds the same data."""
    profile = tmp_path / "p"
    for _ in range(2):
        process = _run(processes, "--profile", profile, "--demo", "30", "--report-start")
        assert process.wait() == 0, process.stderr
        told = json.loads(process.stdout)
        assert (told["orders"], told["state"]) == (30, "live")
    shutil.rmtree(profile)


def test_its_own_server_ends_when_the_window_is_killed(processes: ProcessRunner, tmp_path: Path) -> None:
    """Nothing is left running that nobody sees."""
    profile = tmp_path / "p"
    process = processes.start_program(PROGRAM, "--profile", profile, "--demo", "30")
    eventually(lambda: _numbers(profile), 60, "the demo board")
    log = profile / "server" / "logs" / "server.jsonl"
    process.kill()
    eventually(lambda: '"stopped"' in log.read_text(encoding="utf-8"), 20, "the end of the server")
