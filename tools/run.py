"""``make run``: from a fresh machine to a board on screen.

A missing display is said first, before anything long happens. Then the bootstrap, then the client with
its demo: its own server as a child process, seeded orders, signed in.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

if __package__ in {None, ""}:  # started as a script: let it find its neighbours
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import bootstrap

# Qt platform -> the variable that must name a display; empty: paints without one.
PLATFORMS = {"vnc": "", "offscreen": "", "minimal": "", "xcb": "DISPLAY", "wayland": "WAYLAND_DISPLAY"}
VNC_HINT = (
    "The board will be on VNC port {port} of this machine. It asks for no password: let only a trusted "
    "network or an SSH tunnel reach it."
)


def display_problem(platform: str, environment: Mapping[str, str]) -> str | None:
    """Return the sentence that says why no window can appear, None when one can."""
    name = platform.split(":", 1)[0]
    if not name:
        if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
            return None
        return "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set): try make run PLATFORM=vnc"
    if name not in PLATFORMS:
        return f"PLATFORM={platform} is not known here: use one of {', '.join(sorted(PLATFORMS))}."
    variable = PLATFORMS[name]
    if variable and not environment.get(variable):
        return f"PLATFORM={platform} needs a display, and {variable} is not set: try make run PLATFORM=vnc"
    return None


def program_environment(platform: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the client is started with."""
    chosen = dict(environment)
    if platform:
        chosen["QT_QPA_PLATFORM"] = platform
    if not any(chosen.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG")):
        chosen["LC_ALL"] = "C.UTF-8"  # Qt complains about a locale that is not UTF-8
    return chosen


def vnc_port(platform: str) -> str:
    """Return the port in a Qt VNC platform string, ``vnc:port=5901`` for example."""
    ports = [part.removeprefix("port=") for part in platform.split(":") if part.startswith("port=")]
    return ports[0] if ports else "5900"


def start_client(platform: str, screenshot: str) -> NoReturn:
    """Become the client with its demo."""
    client = str(bootstrap.ROOT / ".venv" / "bin" / "fulfillment-kanban")
    arguments = [client, "--demo", *(["--screenshot", screenshot] if screenshot else [])]
    os.execve(client, arguments, program_environment(platform, os.environ))  # noqa: S606 - that is the point


def main() -> int:
    """Read the command line, set up, and start the client."""
    parser = argparse.ArgumentParser(description="Set this machine up and start the board with demo orders.")
    parser.add_argument("--platform", default="", help="Qt platform: vnc, offscreen, xcb, wayland")
    parser.add_argument("--screenshot", default="", help="write the picture of the board here and exit")
    options = parser.parse_args()
    platform = options.platform or os.environ.get("QT_QPA_PLATFORM", "")
    problem = display_problem(platform, os.environ)
    if problem is not None:
        print(problem, file=sys.stderr)
        return 1
    code = bootstrap.run_safely("run")
    if code != 0:
        return code
    if platform.startswith("vnc"):
        print(VNC_HINT.format(port=vnc_port(platform)), flush=True)
    start_client(platform, options.screenshot)


if __name__ == "__main__":
    sys.exit(main())
