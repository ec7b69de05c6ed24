"""``headless`` as it is started: bad input, exit codes, and an end that leaves nothing behind."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.device_token import read_device_token
from app.main import main
from support.headless import Headless
from support.processes import ProcessRunner
from support.repository import ROOT
from sync.contract.problems import UsageError

FAR = "http://127.0.0.1:9"
"""Nobody listens there."""


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """Run it with words that cannot be; return exit code and the code of the problem."""
    code = main(["headless", *map(str, words)])
    output = capsys.readouterr()
    (line,) = output.out.splitlines()
    problem = json.loads(line)["problem"]
    assert output.err.count("\n") == 1
    assert problem["sentence"] in output.err
    assert "Traceback" not in output.err
    return code, problem["code"]


@pytest.fixture
def foreign_server() -> Iterator[str]:
    """Return the address of a web server that is not ours."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Say welcome."""
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Welcome</html>")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("url", ["nope", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none_is_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, url: str
) -> None:
    """Exit code 2, and no profile was made."""
    profile = tmp_path / "profile"
    assert refused(capsys, "--profile", profile, "--server", url) == (2, "SERVER_URL_INVALID")
    assert not profile.exists()


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b'{"token": "x"}', b"[" * 50_000])
def test_a_token_file_that_holds_no_token_is_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes | None
) -> None:
    """Missing, empty, no text, another shape."""
    file = tmp_path / "token.json"
    if content is not None:
        file.write_bytes(content)
    words = ("--profile", tmp_path / "profile", "--server", FAR, "--device-token-file", file)
    assert refused(capsys, *words) == (2, "TOKEN_FILE_UNREADABLE")


def test_a_token_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    """In the words of the system: a wrong path is mended otherwise than a wrong file."""
    with pytest.raises(UsageError, match="cannot be read: No such file or directory"):
        read_device_token(str(tmp_path / "none.json"), tmp_path)


def test_no_server_at_all_is_usage(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Unless another program uses the profile, there is nowhere to connect to."""
    assert refused(capsys, "--profile", tmp_path / "profile") == (2, "SERVER_MISSING")


def test_profiles_that_are_none_are_failures(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A file, and a folder of somebody else's: one sentence, nothing changed."""
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    assert refused(capsys, "--profile", file, "--server", FAR) == (1, "PROFILE_NOT_A_FOLDER")
    assert file.read_text(encoding="utf-8") == "mine"
    assert refused(capsys, "--profile", tmp_path, "--server", FAR) == (1, "PROFILE_FOREIGN")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_server_that_is_not_ours_ends_a_new_profile(
    processes: ProcessRunner, tmp_path: Path, foreign_server: str
) -> None:
    """A sentence and exit code 1; the foreign server got no secret."""
    token = tmp_path / "token.json"
    token.write_text('{"device_token": "secret"}', encoding="utf-8")
    words = ("--server", foreign_server, "--device-token-file", token)
    terminal = Headless(processes, tmp_path / "profile", *words)
    assert "is not a Fulfillment Kanban server" in terminal.wait("problem")["sentence"]
    assert terminal.process.wait() == 1
    assert terminal.process.stderr == ""


def test_an_outbox_that_cannot_be_used_is_a_failure(processes: ProcessRunner, tmp_path: Path) -> None:
    """There would be nowhere to keep a move."""
    profile = tmp_path / "profile"
    first = Headless(processes, profile, "--server", FAR)
    first.wait("ready")
    assert first.quit() == 0
    (profile / "outbox.db").unlink()
    (profile / "outbox.db").mkdir()
    second = Headless(processes, profile, "--server", FAR)
    assert second.wait("problem")["code"] == "OUTBOX_UNUSABLE"
    assert second.process.wait() == 1


def test_the_end_of_the_input_and_sigterm_end_it(processes: ProcessRunner, tmp_path: Path) -> None:
    """Cleanly, with the last line said, nothing on standard error, and the profile free again."""
    profile = tmp_path / "profile"
    for end in ("input", "signal"):
        terminal = Headless(processes, profile, "--server", FAR)
        terminal.wait("connection", state="offline")
        if end == "input":
            terminal.process.close_input()
            assert terminal.process.wait() == 0
        else:
            assert terminal.process.terminate() == 0
        assert terminal.wait("stopped")["is_clean"] is True
        assert terminal.process.stderr == ""
        assert not (profile / "engine.sock").exists()


def test_requests_before_the_first_answer_wait(processes: ProcessRunner, tmp_path: Path) -> None:
    """What was piped in is answered once it is known how the connection stands."""
    terminal = Headless(processes, tmp_path / "profile", "--server", FAR)
    terminal.ask(status={})
    terminal.ask(quit={})
    terminal.ask(status={})
    assert terminal.wait("status")["connection"] == "offline"
    assert terminal.process.wait() == 0
    assert terminal.process.stdout.count('"status"') == 1


def test_long_lines_and_foreign_bytes_are_problems(processes: ProcessRunner, tmp_path: Path) -> None:
    """They are answered like any other line without sense."""
    terminal = Headless(processes, tmp_path / "profile", "--server", FAR)
    terminal.process.send_line("x" * 3_000_000)
    assert "longer than 1024 KiB" in terminal.wait("problem", code="LINE_UNREADABLE")["sentence"]
    terminal.process.send_line("")
    terminal.process.send_line("\udcff\x00".encode("utf-8", "replace").decode())
    assert terminal.wait("problem", code="LINE_UNREADABLE")
    assert terminal.quit() == 0


def test_a_reader_that_goes_away_ends_it(tmp_path: Path) -> None:
    """Like any program in a pipe: no traceback, and an end."""
    command = (sys.executable, "-m", "app.headless", "--profile", tmp_path / "profile", "--server", FAR)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stderr is not None
        assert b"ready" in program.stdout.readline()
        program.stdout.close()
        program.stdin.write(b'{"status": {}}\n' * 3)
        assert program.wait(20) == 1
        assert program.stderr.read() == b""


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [("<&-", 0, ""), (">&- </dev/null", 0, ""), (">/dev/full </dev/null", 1, "[OUTPUT_REFUSED]")],
)
def test_missing_and_full_streams_are_no_traceback(
    processes: ProcessRunner, tmp_path: Path, redirection: str, code: int, said: str
) -> None:
    """A closed input is its end, a closed output is nobody listening, a full disk is one sentence."""
    words = f"{sys.executable} -m app.main headless --profile {tmp_path / 'p'} --server {FAR} {redirection}"
    process = processes.start("sh", "-c", words, cwd=ROOT)
    assert process.wait() == code
    assert process.stderr.count("\n") == 0
    assert process.stderr.endswith(said)
    assert bool(process.stderr) is bool(said)


def test_ctrl_c_while_it_loads_is_no_traceback(processes: ProcessRunner) -> None:
    """Half of its start goes into imports."""
    program = (
        "import sys, types\n"
        "class Interrupting(types.ModuleType):\n"
        "    def __getattr__(self, name):\n"
        "        raise KeyboardInterrupt\n"
        "from app.main import main\n"
        "sys.modules['app.headless_floor'] = Interrupting('app.headless_floor')\n"
        "sys.exit(main(['headless']))\n"
    )
    process = processes.run(sys.executable, "-c", program)
    assert (process.wait(), process.stderr) == (130, "")
