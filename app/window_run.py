"""One run of the window: the application, the hooks, the first paint, the end."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.composition import Client, Wishes
from app.device_token import DeviceToken
from app.life_cycle import EndSignals
from app.logs import start_log, stop_log
from app.problems_surface import Hooks, ProblemSurface, QtMessages
from app.settings import LoadedSettings
from app.start_report import StartMarks, StartReport
from app.translation import install_language
from app.version import VERSION
from sync.client.profile import Profile

NAME: Final = "fulfillment-kanban"


def run_client(
    arguments: argparse.Namespace, profile: Profile, loaded: LoadedSettings, token: DeviceToken
) -> int:
    """Run the window until it is closed; return the exit code."""
    settings = loaded.settings
    log = start_log(profile.logs, settings.log_level, settings.log_bytes)
    surface = ProblemSurface()
    QtMessages(surface, os._exit).install()
    application = _application()
    hooks = Hooks(surface, application.quit)
    hooks.install()
    install_language(settings.language, application)
    client = Client(profile, loaded, token, Wishes(arguments.demo), surface, application)
    signals = EndSignals(client.shell.leave, application)
    marks = StartMarks(client.board, client.recorder)
    marks.done.connect(client.start)
    watcher = _watcher(arguments, client, marks)
    client.show()
    code = application.exec()
    client.stop()
    signals.remove()
    hooks.remove()
    stop_log(log)
    return code if watcher is None else watcher.code


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
