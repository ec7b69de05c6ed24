"""``fulfillment-kanban doctor``: what IT runs first. Checks, says one sentence each, changes nothing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from app.settings import LoadedSettings
from app.version import VERSION
from sync.client.profile import Profile
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN
from sync.contract.problems import ProblemError

LOW_DISK_MB: Final = 500
FULL_DISK_MB: Final = 50
SERVER_S: Final = 3.0
_INSTALL: Final = "Install this program again, with its extra client."
OWN_LIBRARIES: Final = ("PySide6-Essentials", "msgspec", "websockets", "h11", "zstandard", "keyring")


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    BAD = "bad"


class Check(NamedTuple):
    """One check: its name, how it came out, one sentence, and what to do when it is not well."""

    name: str
    state: State
    sentence: str
    what_to_do: str = ""


def report(folder: Path, loaded: LoadedSettings, *, as_json: bool) -> int:
    """Print all checks of this computer and the profile in ``folder``; 1 when one of them is bad."""
    checks = list(all_checks(folder, loaded))
    if as_json:
        print(json.dumps({"checks": [check._asdict() for check in checks]}, ensure_ascii=False, indent=2))
    else:
        for check in checks:
            print(_line(check))
    return 1 if any(check.state is State.BAD for check in checks) else 0


def all_checks(folder: Path, loaded: LoadedSettings) -> Iterator[Check]:
    """Give the checks, one after the other; one that fails by itself is told like the others."""
    checks: tuple[Callable[[], Check], ...] = (
        check_versions,
        lambda: check_display(dict(os.environ)),
        check_fonts,
        lambda: check_settings(loaded),
        lambda: check_profile(folder),
        lambda: check_disk(folder),
        lambda: check_server(loaded.settings.server_url),
    )
    names = ("versions", "display", "fonts", "settings", "profile", "disk", "server")
    for name, check in zip(names, checks, strict=True):
        try:
            yield check()
        except OSError as error:
            yield Check(
                name, State.BAD, f"It cannot be looked at: {error.strerror}.", "Check the folder's rights."
            )
        except Exception as error:  # noqa: BLE001 - a broken check is a finding too
            yield Check(name, State.BAD, f"It could not be checked ({type(error).__name__}).", "Tell IT.")


def check_versions() -> Check:
    """Say which releases work together here."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for library in OWN_LIBRARIES:
        try:
            found.append(f"{library} {version(library)}")
        except PackageNotFoundError:
            return Check("versions", State.BAD, f"{library} is not installed.", _INSTALL)
    own = f"fulfillment-kanban {VERSION}, protocol {PROTOCOL_MIN} to {PROTOCOL_MAX}"
    system = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.platform()}"
    return Check("versions", State.OK, f"{own}; {', '.join(found)}; {system}.")


def check_display(environment: dict[str, str], system: str = sys.platform) -> Check:
    """Say whether a window can appear."""
    if not system.startswith("linux"):
        return Check("display", State.OK, "Windows appear where the system puts them.")
    plugin = environment.get("QT_QPA_PLATFORM", "")
    named = [name for name in ("WAYLAND_DISPLAY", "DISPLAY") if environment.get(name)]
    if plugin.partition(":")[0] in {"offscreen", "minimal", "vnc"}:
        return Check("display", State.OK, f"Qt paints without a screen ({plugin}).")
    if named:
        return Check("display", State.OK, f"{named[0]} is {environment[named[0]]}.")
    return Check(
        "display",
        State.WARNING,
        "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set).",
        "A window needs one; try make run PLATFORM=vnc.",
    )


def check_fonts() -> Check:
    """Say whether the program's own font is there."""
    from importlib.util import find_spec

    missing = [name for name in ("fontpkg_inter", "lucide") if find_spec(name) is None]
    if not missing:
        return Check("fonts", State.OK, "Inter and the icons are installed.")
    return Check("fonts", State.WARNING, f"Not installed: {', '.join(missing)}.", _INSTALL)


def check_settings(loaded: LoadedSettings) -> Check:
    """Say whether every setting can be used."""
    problems = loaded.problems()
    if problems:
        return Check("settings", State.WARNING, problems[0].sentence, problems[0].what_to_do)
    locked = sum(value.is_locked for value in loaded.table)
    return Check("settings", State.OK, f"All settings can be used; {locked} of them are fixed by IT.")


def check_profile(folder: Path) -> Check:
    """Say whether the profile can be used; it is not made by this check."""
    if not folder.exists():
        return Check("profile", State.OK, f"{folder} is made at the first start.")
    if not (folder / "profile.json").exists():
        return Check("profile", State.WARNING, f"{folder} is no profile yet.", "Start the program once.")
    from sync.client.profile import open_profile

    try:
        profile = open_profile(folder)
    except ProblemError as error:
        return Check("profile", State.BAD, error.problem.sentence, error.problem.what_to_do)
    if profile.hindrance:
        sentence = f"No move can be kept in {folder}: {profile.hindrance}."
        return Check("profile", State.BAD, sentence, "Look at the disk and the rights of the folder.")
    return Check("profile", State.OK, f"{folder} can be used; {_engine_state(profile)}.")


def _engine_state(profile: Profile) -> str:
    lock = profile.lock()
    if lock is None:
        return "the program runs on it now"
    lock.release()
    return "no program runs on it now"


def check_disk(folder: Path) -> Check:
    """Say how much room is left where moves are stored."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free_mb = shutil.disk_usage(there).free // 1_000_000
    sentence = f"{free_mb} MB are free at {there}."
    if free_mb < FULL_DISK_MB:
        return Check("disk", State.BAD, sentence, "Make room: moves could not be stored here.")
    if free_mb < LOW_DISK_MB:
        return Check("disk", State.WARNING, sentence, "Make room soon.")
    return Check("disk", State.OK, sentence)


def check_server(url: str) -> Check:
    """Ask the server who it is."""
    if not url:
        return Check("server", State.OK, "No server is named: the program starts one of its own.")
    import asyncio

    import h11

    from sync.client.http import HttpServer
    from sync.client.session import PRODUCT

    # The way that the program itself takes: with the same proxy, and the same certificates.
    question = HttpServer(url).ask("GET", f"/.well-known/{PRODUCT}", None, {})
    began = time.monotonic()
    try:
        told = json.loads(asyncio.run(asyncio.wait_for(question, SERVER_S)).content)
    except (h11.ProtocolError, OSError) as error:
        sentence = f"The server at {url} does not answer ({type(error).__name__})."
        return Check("server", State.BAD, sentence, "Check the address and the network.")
    except (ProblemError, ValueError):
        told = {}
    if not isinstance(told, dict) or told.get("product") != PRODUCT:
        sentence = f"What answers at {url} is not a Fulfillment Kanban server."
        return Check("server", State.BAD, sentence, "Check the address after --server.")
    milliseconds = (time.monotonic() - began) * 1000
    return Check(
        "server", State.OK, f"{url} answers in {milliseconds:.0f} ms, release {told.get('version')}."
    )


def _line(check: Check) -> str:
    marks = {State.OK: "ok  ", State.WARNING: "look", State.BAD: "BAD "}
    words = " ".join(part for part in (check.sentence, check.what_to_do) if part)
    return f"{marks[check.state]}  {check.name:<9} {words}"
