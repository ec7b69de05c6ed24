"""The commands do what they say, or say in one line why not; exit codes 0, 1 and 2."""

from __future__ import annotations

import io
import json
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from server.commands import serve
from server.commands.setup import First, set_up
from server.database import Database, create_database, open_database
from server.folders import DATABASE_VARIABLE, database_url
from server.main import main
from support.clocks import CountingIds, FakeClock
from support.processes import ProcessRunner


@pytest.fixture
def data(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that setup made; on PostgreSQL the environment names the database."""
    folder = tmp_path / "data"
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)
    with create_database(folder, FakeClock(), CountingIds(), url=database_url) as database:
        set_up(database, First())
    return folder


def opened(data: Path) -> Database:
    """Open what ``data`` made."""
    return open_database(data, FakeClock(), CountingIds(), url=database_url(None))


def run(*words: str | Path) -> int:
    """Run a command within this process."""
    return main([str(word) for word in words])


def problem_of(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error."""
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    return line


def test_setup_makes_a_folder_and_adds_to_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice the same changes nothing; other names add a site."""
    folder = tmp_path / "new" / "folder"
    for site in ("Hall 1", "Hall 1", "Hall 2"):
        assert run("setup", "--data", folder, "--site", site, "--time-zone", "Europe/Berlin") == 0
        assert f"My organization / {site} is ready" in capsys.readouterr().out
    with open_database(folder, FakeClock(), CountingIds()) as database:
        assert [site.name for site in database.identities.sites()] == ["Hall 1", "Hall 2"]
        (user,) = database.identities.users(database.identities.choose_site("Hall 1").key)
    assert (user.name, user.role) == ("Admin", "supervisor")


def test_setup_on_postgresql_makes_the_tables(
    tmp_path: Path, empty_postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the option; it says where, without user and password; every command then finds them."""
    words = ("--data", tmp_path / "data", "--database", empty_postgresql_url)
    assert run("user", "list", *words) == 1
    assert "Run the command setup first. [NOT_SET_UP]" in problem_of(capsys)
    for _ in range(2):
        assert run("setup", *words) == 0
        said = capsys.readouterr().out
        assert "My organization / Main site is ready in the database fk_test" in said
        assert "kanban@" not in said
    assert run("user", "list", *words) == 0
    assert capsys.readouterr().out == "Admin: supervisor\n"
    assert not (tmp_path / "data").exists()


def test_a_launchers_server_stays_with_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it was given beside that is a mistake."""
    words = ("serve", "--embedded", "--data", tmp_path, "--database", "postgresql://db/kanban")
    assert run(*words) == 2
    assert "[DATABASE_URL_INVALID]" in problem_of(capsys)


def test_setup_with_a_wrong_time_zone_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even the folder."""
    assert run("setup", "--data", tmp_path / "new", "--time-zone", "Middle/Earth") == 1
    assert "[TIME_ZONE_UNKNOWN]" in problem_of(capsys)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("serve",),
        ("health",),
        ("user", "list"),
        ("user", "add", "--name", "A", "--role", "picker"),
        ("device", "list"),
        ("device", "revoke", "x"),
        ("demo",),
    ],
)
def test_nothing_works_before_setup(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said what to do, and nothing is made."""
    assert run(*words, "--data", tmp_path) == 1
    assert "Run the command setup first. [NOT_SET_UP]" in problem_of(capsys)
    assert list(tmp_path.iterdir()) == []


def test_the_data_folder_may_come_from_the_environment(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For units and scripts."""
    monkeypatch.setenv("FULFILLMENT_KANBAN_SERVER_DATA", str(data))
    assert run("user", "list") == 0
    assert capsys.readouterr().out == "Admin: supervisor\n"


def test_users_are_added_and_listed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a password from standard input, as text and as JSON."""
    monkeypatch.setattr("sys.stdin", io.StringIO("a secret\n"))
    assert run("user", "add", "--data", data, "--name", "Eva", "--role", "it", "--password-stdin") == 0
    assert capsys.readouterr().out == "Eva has the role it at Main site.\n"
    with opened(data) as database:
        site = database.identities.choose_site()
        database.identities.disable_user(site.key, "Admin")
    assert run("user", "list", "--data", data) == 0
    assert capsys.readouterr().out == "Admin: supervisor, disabled\nEva: it, password\n"
    assert run("user", "list", "--data", data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(user["name"], user["role"], user["has_password"]) for user in told] == [
        ("Admin", "supervisor", False),
        ("Eva", "it", True),
    ]
    assert "secret" not in str(told)
    assert run("user", "add", "--data", data, "--name", "Eva", "--role", "it") == 1
    assert "[USER_EXISTS]" in problem_of(capsys)


def test_an_empty_password_is_a_usage_error(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing stood on standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("user", "add", "--data", data, "--name", "Eva", "--role", "it", "--password-stdin") == 2
    assert "[PASSWORD_EMPTY]" in problem_of(capsys)


def test_devices_are_enrolled_listed_and_shut_out(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The token stands in its file and nowhere else."""
    file = tmp_path / "station.json"
    words = ("device", "add", "--data", data, "--user", "Admin", "--name", "Station 3")
    assert run(*words, "--token-file", file, "--server", "https://board.example") == 0
    told = json.loads(file.read_text())
    assert set(told) == {"device_token", "server"}
    assert stat.S_IMODE(file.stat().st_mode) & 0o137 == 0
    assert told["device_token"] not in capsys.readouterr().out
    assert run("device", "list", "--data", data) == 0
    assert "signs in Admin, enrolled" in capsys.readouterr().out
    assert run("device", "revoke", "--data", data, "Station 3") == 0
    assert "is shut out." in capsys.readouterr().out
    assert run("device", "revoke", "--data", data, "Station 3") == 0
    assert capsys.readouterr().out == "Station 3 was shut out before.\n"
    assert run("device", "list", "--data", data) == 0
    assert "shut out 20" in capsys.readouterr().out
    assert run("device", "list", "--data", data, "--json") == 0
    (device,) = json.loads(capsys.readouterr().out)
    assert (device["name"], device["user"], device["revoked_ms"] is None) == ("Station 3", "Admin", False)


def test_a_token_file_that_cannot_be_made_enrols_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An existing file stays as it is; a user who is not there leaves no file."""
    there = tmp_path / "there.json"
    there.write_text("mine")
    words = ("device", "add", "--data", data, "--name", "S", "--token-file")
    for file in (there, tmp_path / "nowhere" / "x.json", tmp_path):
        assert run(*words, file, "--user", "Admin") == 1
        assert "[FILE_UNUSABLE]" in problem_of(capsys)
    assert there.read_text() == "mine"
    assert run(*words, tmp_path / "new.json", "--user", "Nobody") == 1
    assert "[USER_UNKNOWN]" in problem_of(capsys)
    assert not (tmp_path / "new.json").exists()
    assert run("device", "list", "--data", data) == 0
    assert capsys.readouterr().out == ""


def test_health_says_what_is_there(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As text and as JSON."""
    assert run("health", "--data", data) == 0
    assert capsys.readouterr().out == "My organization / Main site: no orders, log at 0\n"
    run("demo", "--data", data, "--orders", "30")
    capsys.readouterr()
    assert run("health", "--data", data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "ok"
    (site,) = told["sites"]
    assert (site["seq"], sum(site["orders"].values())) == (30, 30)
    assert run("health", "--data", data) == 0
    assert " confirmed, " in capsys.readouterr().out


def test_health_checks_everything_when_asked(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each thing that is wrong, and exit code 1."""
    run("demo", "--data", data, "--orders", "30")
    capsys.readouterr()
    assert run("health", "--data", data, "--check") == 0
    assert "Checked: 30 operations make exactly the orders that are stored." in capsys.readouterr().out
    assert run("health", "--data", data, "--check", "--json") == 0
    assert json.loads(capsys.readouterr().out)["operations_checked"] == 30
    with opened(data) as database, database.engine.begin() as connection:
        two = "SELECT id FROM orders ORDER BY id LIMIT 2"
        connection.execute(text(f"UPDATE orders SET number = number || 'x' WHERE id IN ({two})"))
    assert run("health", "--data", data, "--check") == 1
    told = capsys.readouterr()
    assert [line.rpartition(" ")[2] for line in told.out.splitlines()] == ["[ORDER_DIFFERS]"] * 2
    assert "[DATA_DAMAGED]" in told.err
    assert run("health", "--data", data, "--check", "--json") == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "damaged"
    assert {finding["code"] for finding in answer["findings"]} == {"ORDER_DIFFERS"}


def test_several_sites_need_a_name(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And a wrong one is said."""
    assert run("setup", "--data", data, "--site", "Second") == 0
    capsys.readouterr()
    assert run("user", "list", "--data", data) == 1
    assert "--site: Main site, Second. [SITE_NEEDED]" in problem_of(capsys)
    assert run("user", "list", "--data", data, "--site", "Third") == 1
    assert "[SITE_UNKNOWN]" in problem_of(capsys)
    assert run("user", "list", "--data", data, "--site", "Second") == 0


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fly",),
        ("user",),
        ("user", "add"),
        ("user", "add", "--name", "A", "--role", "king"),
        ("device", "add", "--name", "A"),
        ("serve", "--port", "many"),
    ],
)
def test_what_is_typed_wrong_exits_with_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """And says what would be right."""
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    assert caught.value.code == 2
    assert "usage: fulfillment-kanban-server" in capsys.readouterr().err


def test_a_port_that_is_none_is_a_usage_error(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything listens."""
    for words in (("--port", "70000"), ("--sync-port", "-1")):
        assert run("serve", "--data", data, *words) == 2
        assert "[PORT_UNKNOWN]" in problem_of(capsys)


def test_an_embedded_server_without_users_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A site whose only user was shut out cannot sign its launcher in."""
    folder = tmp_path / "data"
    with create_database(folder, FakeClock(), CountingIds()) as database:
        site = set_up(database, First(user="Only"))
        assert set(serve.enrol_launcher(database)) == {"device_token"}
        database.identities.disable_user(site.key, "Only")
    assert run("serve", "--embedded", "--data", folder) == 1
    assert "[NOT_SET_UP]" in problem_of(capsys)


def test_ctrl_c_is_no_traceback(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell's own code for it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("server.registration.open_database", interrupted)
    assert run("user", "list", "--data", data) == 130


@pytest.mark.parametrize(
    "address", ["garbage", "http://here", "ws://", "ws://ann:pw@here", "ws://a b", "wss://x?y"]
)
def test_a_socket_address_that_is_none_is_a_usage_error(
    data: Path, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    """Every terminal would be sent there."""
    assert run("serve", "--data", data, "--port", "0", "--sync-url", address) == 2
    assert "[SYNC_URL_INVALID]" in problem_of(capsys)


def test_ctrl_c_while_the_commands_load_is_no_traceback(processes: ProcessRunner) -> None:
    """The first second of every command goes into imports."""
    program = (
        "import sys, types\n"
        "class Interrupting(types.ModuleType):\n"
        "    def __getattr__(self, name):\n"
        "        raise KeyboardInterrupt\n"
        "sys.modules['server.commands'] = Interrupting('server.commands')\n"
        "from server.main import main\n"
        "sys.exit(main(['health']))\n"
    )
    process = processes.run(sys.executable, "-c", program)
    assert (process.wait(), process.stderr) == (130, "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PermissionError(13, "Permission denied", "/somewhere"), "SYSTEM_REFUSED"),
        (OSError("no words"), "SYSTEM_REFUSED"),
        (DatabaseError("x", {}, Exception("disk image is malformed")), "DATA_UNUSABLE"),
    ],
)
def test_a_system_that_refuses_is_one_line(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    code: str,
) -> None:
    """Wherever it happens: a full disk, a missing permission, a damaged file."""

    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr("server.registration.open_database", failing)
    assert run("user", "list", "--data", data) == 1
    assert f"[{code}]" in problem_of(capsys)


@pytest.mark.expects_log_warnings
def test_a_fault_of_ours_is_one_line_and_in_the_log(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody is shown a traceback; who looks for it finds it."""

    def failing(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("server.registration.open_database", failing)
    assert run("user", "list", "--data", data) == 1
    assert "[PROGRAM_FAULT]" in problem_of(capsys)
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_the_server_needs_neither_qt_nor_the_desktop(tmp_path: Path, processes: ProcessRunner) -> None:
    """It installs and runs where neither exists; the other rooms are not even imported."""
    program = (
        "import sys\n"
        "for name in ('PySide6', 'shiboken6', 'app', 'widgets', 'sync.client', 'keyring', 'lucide'):\n"
        "    sys.modules[name] = None\n"
        "from server.main import main\n"
        "import server.application\n"
        f"sys.exit(main(['setup', '--data', {str(tmp_path / 'data')!r}]))\n"
    )
    process = processes.run(sys.executable, "-c", program)
    assert "is ready in" in process.stdout, process.stderr


def test_a_server_with_current_data_starts_without_heavy_libraries(
    tmp_path: Path, processes: ProcessRunner
) -> None:
    """Neither migrations, nor an object mapper, nor another database's dialect are loaded."""
    data = tmp_path / "data"
    with create_database(data, FakeClock(), CountingIds()) as database:
        set_up(database, First())
    program = (
        "import sys\n"
        "import server.application, server.logs, server.main\n"
        f"server.main.main(['health', '--data', {str(data)!r}])\n"
        "heavy = ('alembic', 'sqlalchemy.orm', 'sqlalchemy.dialects.postgresql', 'psycopg', 'numpy')\n"
        "print(sorted(set(heavy) & set(sys.modules)))\n"
    )
    process = processes.run(sys.executable, "-c", program)
    assert process.stdout.splitlines()[-1] == "[]", process.stderr
