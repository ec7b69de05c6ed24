"""Every hook ends in one sentence on one surface."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMessageLogContext, QtMsgType

from app.problems_surface import Hooks, ProblemSurface, QtMessages, problem_of
from sync.contract.problems import Problem, ProblemError

pytestmark = pytest.mark.expects_log_warnings


class Surface:
    """A surface whose stream can be read, with hooks that are installed."""

    def __init__(self) -> None:
        """Install the hooks."""
        self.stream = io.StringIO()
        self.surface = ProblemSurface(self.stream)
        self.quits: list[bool] = []
        self.hooks = Hooks(self.surface, lambda: self.quits.append(True))
        self.hooks.install()

    def lines(self) -> list[str]:
        """Return what was shown."""
        return self.stream.getvalue().splitlines()


@pytest.fixture
def shown() -> Iterator[Surface]:
    """Hooks that are taken away again."""
    surface = Surface()
    yield surface
    surface.hooks.remove()


def test_an_exception_in_a_slot_is_one_sentence(shown: Surface) -> None:
    """No traceback reaches the terminal."""
    error = KeyError("order")
    sys.excepthook(type(error), error, error.__traceback__)
    (line,) = shown.lines()
    assert line.endswith("[PROGRAM_FAULT]")
    assert "Traceback" not in line


def test_an_exception_that_carries_a_problem_shows_that_problem(shown: Surface) -> None:
    """What somebody took the trouble to say is what people read."""
    error = ProblemError("DISK_FULL", "The disk is full.", "Make room.")
    sys.excepthook(type(error), error, None)
    assert shown.lines() == ["The disk is full. Make room. [DISK_FULL]"]


def test_an_exception_that_ends_a_thread_is_one_sentence(shown: Surface) -> None:
    """A thread does not die in silence."""
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    assert len(shown.lines()) == 1


def test_a_thread_may_end_itself(shown: Surface) -> None:
    """SystemExit in a thread is no problem."""
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    assert shown.lines() == []


def test_ctrl_c_quits(shown: Surface) -> None:
    """It is a wish, not a fault."""
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert shown.quits == [True]
    assert shown.lines() == []


def test_an_unraisable_exception_is_logged_only(shown: Surface, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody at the board can do anything about it."""

    class Broken:
        def __del__(self) -> None:
            raise ValueError("in a destructor")

    Broken()
    assert shown.lines() == []
    assert "unraisable" in caplog.text


def test_an_event_loop_gives_its_exceptions_to_the_surface(
    shown: Surface, caplog: pytest.LogCaptureFixture
) -> None:
    """A task that nobody waited for is told; a loop's mere words are logged."""
    shown.surface.on_loop_exception(None, {"message": "lost", "exception": ValueError("x")})
    shown.surface.on_loop_exception(None, {"message": "only words"})
    assert len(shown.lines()) == 1
    assert "only words" in caplog.text


def test_a_window_shows_problems_instead_of_the_terminal(shown: Surface) -> None:
    """Once there is a window, standard error stays empty; what was told is remembered."""
    seen: list[Problem] = []
    shown.surface.show_with(seen.append)
    problem = Problem("A", "It happened.")
    shown.surface.tell(problem)
    assert seen == [problem]
    assert shown.lines() == []
    assert list(shown.surface.told) == [problem]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("could not connect to display :7", "NO_DISPLAY"),
        ('Could not load the Qt platform plugin "xcb" in ""', "NO_DISPLAY"),
        ("something else", "QT_FAULT"),
    ],
)
def test_a_fatal_message_of_qt_ends_with_a_sentence(shown: Surface, text: str, code: str) -> None:
    """Instead of an abort with a core file."""
    ends: list[int] = []
    messages = QtMessages(shown.surface, ends.append)
    messages.on_message(QtMsgType.QtFatalMsg, QMessageLogContext(), text)
    assert ends == [1]
    assert shown.lines()[0].endswith(f"[{code}]")


def test_other_messages_of_qt_are_logged(shown: Surface, caplog: pytest.LogCaptureFixture) -> None:
    """A warning of Qt is for IT."""
    messages = QtMessages(shown.surface, lambda _code: None)
    messages.on_message(QtMsgType.QtWarningMsg, QMessageLogContext(), "a font is odd")
    assert shown.lines() == []
    assert "a font is odd" in caplog.text


def test_every_exception_has_a_sentence_for_people() -> None:
    """It says that the moves are safe, and what to do."""
    problem = problem_of(RuntimeError("boom"))
    assert "safe" in problem.sentence
    assert problem.what_to_do
