"""``make run`` says what is wrong before it does anything long."""

from __future__ import annotations

import sys

import pytest

from support.processes import ProcessRunner
from tools import bootstrap, run

SCREEN = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("platform", "environment"),
    [
        ("", SCREEN),
        ("", {"WAYLAND_DISPLAY": "wayland-0"}),
        ("xcb", SCREEN),
        ("vnc", {}),
        ("vnc:port=5901", {}),
        ("offscreen", {}),
    ],
)
def test_a_window_can_appear(platform: str, environment: dict[str, str]) -> None:
    """A display, or a platform that needs none, is enough."""
    assert run.display_problem(platform, environment) is None


@pytest.mark.parametrize(
    ("platform", "environment"), [("", {}), ("", {"DISPLAY": ""}), ("xcb", {}), ("wayland", SCREEN)]
)
def test_no_display_names_the_way_out(platform: str, environment: dict[str, str]) -> None:
    """Without a display one sentence names the platform that needs none."""
    problem = run.display_problem(platform, environment)
    assert problem is not None
    assert problem.endswith("make run PLATFORM=vnc")


def test_an_unknown_platform_names_the_known() -> None:
    """A slip of the pen gets the list."""
    problem = run.display_problem("vcn", SCREEN)
    assert problem is not None
    assert "offscreen, vnc" in problem


def test_qt_gets_its_platform_and_a_utf8_locale() -> None:
    """The platform is handed to Qt; a locale is set only where there is none."""
    assert run.program_environment("vnc", {}) == {"QT_QPA_PLATFORM": "vnc", "LC_ALL": "C.UTF-8"}
    assert run.program_environment("", {"LANG": "de_DE.UTF-8"}) == {"LANG": "de_DE.UTF-8"}


def test_the_vnc_port_is_told() -> None:
    """The port in the hint is the one that Qt will listen on."""
    assert run.vnc_port("vnc") == "5900"
    assert run.vnc_port("vnc:size=800x600:port=5901") == "5901"


def test_the_command_without_a_display_ends_at_once(processes: ProcessRunner) -> None:
    """As a person would see it: a sentence, exit code 1, nothing installed, no traceback."""
    runner = ProcessRunner({name: value for name, value in processes.env.items() if "DISPLAY" not in name})
    runner.env.pop("QT_QPA_PLATFORM", None)
    process = runner.run(sys.executable, bootstrap.ROOT / "tools" / "run.py", within_s=20)
    runner.clean_up()
    assert process.wait() == 1
    assert process.stdout == ""
    assert process.stderr.splitlines() == [
        "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set): try make run PLATFORM=vnc"
    ]
