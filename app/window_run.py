"""One run of the window: the application, the hooks, the first paint, the end."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.composition import Client, Wishes
from app.device_token import DeviceToken
from app.early_log import EarlyLog
from app.problems_surface import Hooks, ProblemSurface, QtMessages
from app.settings import LoadedSettings, Settings
from app.start_report import StartMarks, StartReport
from app.translation import install_language
from app.version import VERSION
from sync.client.profile import Profile

if TYPE_CHECKING:
    from app.life_cycle import EndSignals

NAME: Final = "fulfillment-kanban"
UNSEEN_MS: Final = 5_000
"""So long the rest waits for the first paint."""


def run_client(
    arguments: argparse.Namespace, profile: Profile, loaded: LoadedSettings, token: DeviceToken
) -> int:
    """Run the window until it is closed; return the exit code."""
    early = EarlyLog()
    surface = ProblemSurface()
    QtMessages(surface, os._exit).install()
    application = _application()
    hooks = Hooks(surface, application.quit)
    hooks.install()
    install_language(loaded.settings.language, application)
    client = Client(profile, loaded, token, Wishes(arguments.demo), surface, application)
    marks = StartMarks(client.board, client.recorder)
    rest = Rest(client, profile, loaded.settings, early)
    marks.done.connect(rest.begin)
    # A window that nobody sees is never painted, but its terminal works all the same.
    QTimer.singleShot(UNSEEN_MS, client, rest.begin)
    watcher = _watcher(arguments, client, marks)
    client.show()
    code = application.exec()
    client.stop()
    hooks.remove()
    rest.end()
    return code if watcher is None else watcher.code


class Rest:
    """What the program needs after the first paint: its log, its signals, its engine."""

    def __init__(self, client: Client, profile: Profile, settings: Settings, early: EarlyLog) -> None:
        """Begin when the board is on screen."""
        self._client = client
        self._profile = profile
        self._settings = settings
        self._early = early
        self._log: logging.Handler | None = None
        self._signals: EndSignals | None = None
        self._has_begun = False

    def begin(self) -> None:
        """Start everything that the first paint did without; once."""
        if self._has_begun:
            return
        self._has_begun = True
        from app.life_cycle import EndSignals
        from app.logs import start_log

        gc.enable()

        self._signals = EndSignals(self._client.shell.leave, self._client)
        self._log = start_log(self._profile.logs, self._settings.log_level, self._settings.log_bytes)
        self._early.pass_to(self._log)
        self._client.start()

    def end(self) -> None:
        """Give back the signals and close the log."""
        from app.logs import stop_log

        if self._signals is not None:
            self._signals.remove()
        stop_log(self._log)


def _application() -> QApplication:
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        return existing
    application = QApplication([sys.argv[0] or NAME])
    application.setApplicationName(NAME)
    application.setApplicationVersion(VERSION)
    application.setDesktopFileName(NAME)
    return application


def _watcher(arguments: argparse.Namespace, client: Client, marks: StartMarks) -> StartReport | None:
    """Return whoever ends this run by itself: a picture, or a report of the start."""
    if arguments.screenshot is None and not arguments.report_start:
        return None
    return StartReport(client, marks, arguments.screenshot, QTimer(client), wants_orders=bool(arguments.demo))
