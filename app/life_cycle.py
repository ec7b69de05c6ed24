"""An orderly end when the machine or a person at a terminal asks for it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

from PySide6.QtCore import QObject, QSocketNotifier

_ENDING: Final = (signal.SIGTERM, signal.SIGINT)


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
