"""The engine of another process on the same profile, by its local socket: same methods, same news."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sync.client.commands import OlderQuestion
from sync.client.local_socket import GATHERED_BYTES, LINE_BYTES, Request, connected, news_from_line
from sync.client.news import News, OperationsNotSaved, ProblemArose, Stopped
from sync.contract.operations import Operation, operation_bytes
from sync.contract.problems import Problem, ProblemError

_CHUNK: Final = 64 * 1024
_LINE_ROOM: Final = LINE_BYTES - 1024
"""What drafts may take of a line; one that is too long would close the door."""
_GATHERED_ROOM: Final = GATHERED_BYTES // 2
"""What all lines of one request may take; half of it is left for what JSON and lines add."""
TOO_MUCH: Final = Problem(
    "TOO_MUCH_AT_ONCE",
    "This is too much to hand to the program that uses this profile, so nothing of it was kept.",
    "Ask for fewer orders at once, or shorten the note, and do it again.",
)


GONE: Final = Problem(
    "PROGRAM_GONE",
    "The program that uses this profile has ended, so this one ends with it; what was saved is safe.",
    "Start this one again.",
)


class RemoteEngine:
    """Attached to a running engine."""

    def __init__(self, path: Path, listener: Callable[[News], None]) -> None:
        """Tell ``listener`` the news of the engine at socket ``path``, on a thread of its own."""
        self._path = path
        self._listener = listener
        self._door: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, name="remote-engine")

    def start(self) -> None:
        """Attach; raises ``ProblemError`` when nobody answers."""
        try:
            self._door = connected(self._path)
            self._door.settimeout(None)
            self._send(Request(attach={}))
        except OSError as error:
            raise ProblemError(
                "PROFILE_IN_USE",
                "Another program uses this profile and does not answer.",
                "Close it, or choose another folder with --profile.",
            ) from error
        self._thread.start()

    def submit(self, drafts: Sequence[Operation]) -> None:
        """Have the engine make operations durable, all or none, and send them."""
        sizes = [len(operation_bytes(draft)) + 1 for draft in drafts]
        if max(sizes, default=0) > _LINE_ROOM or sum(sizes) > _GATHERED_ROOM:
            # The door would be closed in the middle, and nobody told what became of them.
            self._listener(OperationsNotSaved(tuple(draft.op_id for draft in drafts), TOO_MUCH))
            self._listener(ProblemArose(TOO_MUCH))
            return
        line: list[Operation] = []
        size = 0
        for draft, own in zip(drafts, sizes, strict=True):
            size += own
            if size > _LINE_ROOM and line:
                self._send(Request(submit=tuple(line), more=True))
                line, size = [], own
            line.append(draft)
        self._send(Request(submit=tuple(line)))

    def try_now(self) -> None:
        """Have the engine connect now."""
        self._send(Request(try_now={}))

    def acknowledge(self, entry_id: str) -> None:
        """Have the engine say that a person has seen an entry."""
        self._send(Request(acknowledge=entry_id))

    def retry(self, entry_id: str) -> None:
        """Have the engine try the operation of an entry again."""
        self._send(Request(retry=entry_id))

    def accept_board(self) -> None:
        """Have the engine let the server's board in."""
        self._send(Request(accept_board={}))

    def find_older(self, question: OlderQuestion) -> None:
        """Have the engine look for orders that left the board."""
        self._send(Request(find_older=question))

    def stop(self) -> bool:
        """Let go of the engine; it runs on."""
        door, self._door = self._door, None
        if door is not None:
            with contextlib.suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            door.close()
        return True

    def _send(self, request: Request) -> None:
        # An engine that went away is told by the listening thread.
        if self._door is not None:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._door.sendall(msgspec.json.encode(request) + b"\n")

    def _listen(self) -> None:
        for line in self._lines():
            news = news_from_line(line)
            if news is not None:
                self._listener(news)
        is_own_wish = self._door is None
        if not is_own_wish:
            self._listener(ProblemArose(GONE))
        self._listener(Stopped(is_own_wish))

    def _lines(self) -> Iterator[bytes]:
        door = self._door
        rest = b""
        with contextlib.suppress(OSError):
            while door is not None and (data := door.recv(_CHUNK)):
                *lines, rest = (rest + data).split(b"\n")
                yield from lines
