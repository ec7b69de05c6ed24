"""A bare client of the socket: says what the test says, hears what the server says, decides nothing."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Self, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sync.contract.codec import decode_server, encode
from sync.contract.messages import (
    Auth,
    ClientMessage,
    Delta,
    Hello,
    ServerMessage,
    SnapshotEnd,
    SnapshotPage,
    Submit,
    Verdict,
)
from sync.contract.messages import Decided as DecidedMessage
from sync.contract.operations import LogEntry, Operation

M = TypeVar("M", bound=ServerMessage)
WITHIN_S = 15.0


class SyncClient:
    """One connection; blocking, with a deadline on everything."""

    def __init__(self, url: str) -> None:
        """Connect, and say nothing yet."""
        self._open = contextlib.ExitStack()
        self._socket = self._open.enter_context(
            connect(url, compression=None, ping_interval=None, max_size=None)
        )

    def say(self, message: ClientMessage | str | bytes) -> None:
        """Send one message, or a raw frame."""
        self._socket.send(message if isinstance(message, str | bytes) else encode(message))

    def hear(self) -> ServerMessage:
        """Return the next message."""
        return decode_server(self._socket.recv(WITHIN_S))

    def hear_one(self, kind: type[M]) -> M:
        """Return the next message of a kind, passing others over."""
        while True:
            message = self.hear()
            if isinstance(message, kind):
                return message

    def join(self, access_token: str, device_id: str = "device-1", **more: object) -> list[ServerMessage]:
        """Say auth and hello, and return everything up to the end of the snapshot, without its first page."""
        self.say(Auth(access_token))
        fields = {"next_device_seq": 1, **more}
        self.say(Hello(2, 2, "1.0", device_id, **fields))  # type: ignore[arg-type]
        heard = [self.hear()]
        while not isinstance(heard[-1], SnapshotEnd):
            heard.append(self.hear())
        return [message for message in heard if not isinstance(message, SnapshotPage)]

    def submit(self, *operations: Operation) -> list[Verdict]:
        """Hand operations in, and return their verdicts."""
        self.say(Submit(list(operations)))
        verdicts: list[Verdict] = []
        while len(verdicts) < len(operations):
            verdicts += self.hear_one(DecidedMessage).verdicts
        return verdicts

    def log_until(self, seq: int) -> list[LogEntry]:
        """Return the entries of the deltas up to ``seq``."""
        entries: list[LogEntry] = []
        while not entries or entries[-1].seq < seq:
            entries += self.hear_one(Delta).entries
        return entries

    def closed(self) -> tuple[int, str]:
        """Wait for the end, and return its code and reason."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                self._socket.recv(WITHIN_S)
        return self._socket.close_code or 0, self._socket.close_reason or ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()
