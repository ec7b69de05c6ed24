"""The one surface behind every hook: whatever goes wrong anywhere becomes one sentence and a log record.

An exception in a slot, on a thread, in a destructor or in an event loop, and what Qt has to say, all end
in :class:`ProblemSurface`. Until a window shows problems, they go to standard error.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

from sync.contract.problems import Problem, ProblemError

if TYPE_CHECKING:
    from PySide6.QtCore import QMessageLogContext, QtMsgType

_LOG: Final = logging.getLogger("app.problems")
_MAX_REMEMBERED: Final = 100


def problem_of(error: BaseException) -> Problem:
    """Return the problem that an exception carries, or the one sentence for all others."""
    if isinstance(error, ProblemError):
        return error.problem
    return Problem(
        "PROGRAM_FAULT",
        f"Something in this program went wrong ({type(error).__name__}). Your moves are safe.",
        "Go on working. If it comes back, restart the program and tell IT.",
    )


class ProblemSurface:
    """Takes problems and exceptions from any thread, logs them, and shows each sentence."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Show problems on ``stream`` (standard error) until :meth:`show_with`."""
        self._stream = stream
        self._show: Callable[[Problem], None] | None = None
        self.told: deque[Problem] = deque(maxlen=_MAX_REMEMBERED)

    def show_with(self, show: Callable[[Problem], None] | None) -> None:
        """Show problems with ``show``, which may be called on any thread; None: standard error."""
        self._show = show

    def tell(self, problem: Problem) -> None:
        """Show one problem, and keep it in the log."""
        _LOG.warning("%s", problem.line())
        self.told.append(problem)
        show = self._show
        if show is None:
            print(problem.line(), file=self._stream or sys.stderr, flush=True)
        else:
            show(problem)

    def tell_error(self, error: BaseException) -> None:
        """Log an exception with its traceback, and show its sentence."""
        _LOG.error("unexpected %s", type(error).__name__, exc_info=error)
        self.tell(problem_of(error))

    def on_loop_exception(self, _loop: object, context: dict[str, object]) -> None:
        """Take what an event loop could not give to anybody."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.tell_error(error)
        else:
            _LOG.error("event loop: %s", context.get("message"))


class Hooks:
    """Installs the surface behind the interpreter's hooks, and takes it away again."""

    def __init__(self, surface: ProblemSurface, quit_program: Callable[[], None]) -> None:
        """``quit_program`` is what Ctrl+C in a slot does."""
        self._surface = surface
        self._quit = quit_program
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)

    def install(self) -> None:
        """Take over."""
        sys.excepthook = self.on_exception
        threading.excepthook = self.on_thread_exception
        sys.unraisablehook = self.on_unraisable

    def remove(self) -> None:
        """Give back what stood there before."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before

    def on_exception(
        self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        """Take an exception that nobody caught, in a slot for example."""
        if issubclass(kind, KeyboardInterrupt):
            self._quit()
        else:
            self._surface.tell_error(error)

    def on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        """Take an exception that ended a thread."""
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            self._surface.tell_error(arguments.exc_value)

    def on_unraisable(self, unraisable: object) -> None:
        """Log an exception from where none can be raised; it disturbs nothing a person sees."""
        error = getattr(unraisable, "exc_value", None)
        _LOG.error("unraisable in %r", getattr(unraisable, "object", None), exc_info=error)


class QtMessages:
    """Brings what Qt says into the log; a fatal message ends the program with a sentence."""

    def __init__(self, surface: ProblemSurface, end: Callable[[int], None]) -> None:
        """``end`` leaves the process at once: after a fatal message Qt would abort it."""
        self._surface = surface
        self._end = end

    def install(self) -> None:
        """Take over from Qt's own printing."""
        from PySide6.QtCore import qInstallMessageHandler

        qInstallMessageHandler(self.on_message)

    def on_message(self, kind: QtMsgType, context: QMessageLogContext, text: str | None) -> None:
        """Log one message by its weight."""
        from PySide6.QtCore import QtMsgType

        level = {
            QtMsgType.QtDebugMsg: logging.DEBUG,
            QtMsgType.QtInfoMsg: logging.INFO,
            QtMsgType.QtWarningMsg: logging.WARNING,
        }.get(kind, logging.ERROR)
        logging.getLogger("qt").log(level, "%s", text)
        if kind is QtMsgType.QtFatalMsg:
            self._surface.tell(_fatal(text or ""))
            self._end(1)


def _fatal(text: str) -> Problem:
    if "platform plugin" in text or "display" in text:
        return Problem(
            "NO_DISPLAY",
            "No window can appear: the display cannot be used.",
            "Check DISPLAY and the system packages, or try make run PLATFORM=vnc.",
        )
    return Problem(
        "QT_FAULT", "The window system of this program failed. Your moves are safe.", "Start it again."
    )
