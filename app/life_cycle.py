"""One engine per profile, and an orderly end: the lock, the second start, signals."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier

from sync.client.profile import Profile, ProfileLock
from sync.contract.problems import ProblemError

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


def take_profile(profile: Profile) -> ProfileLock | None:
    """Become the engine of the profile; None when the running one has raised its window instead.

    Raises:
        ProblemError: PROFILE_IN_USE, when the running one does not answer.
    """
    lock = profile.lock()
    if lock is not None:
        return lock
    from sync.client.local_socket import hand_over

    if hand_over(profile.socket):
        return None
    raise ProblemError(
        "PROFILE_IN_USE",
        f"Another program uses the profile {profile.folder} and does not answer.",
        "Close it, or choose another folder with --profile.",
    )


class EndSignals(QObject):
    """Turns SIGTERM and SIGINT into an ordinary end of the event loop.

    Python runs signal handlers between its own instructions, and Qt's loop runs none for long: the
    interpreter writes the signal into a socket instead, and Qt watches that.
    """

    def __init__(self, end: Callable[[], None], parent: QObject | None = None) -> None:
        """Call ``end`` on the GUI thread when the process is asked to end."""
        super().__init__(parent)
        self._end = end
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._before = {number: signal.signal(number, _do_nothing) for number in _ENDING}
        self._descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def remove(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._descriptor)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _on_signal(self) -> None:
        received = self._reader.recv(64)
        if any(number in received for number in _ENDING):
            self._end()


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    """Be there, so that the signal does not end the process by itself."""
