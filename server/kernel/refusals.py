"""Why a link is closed: the problem that the client is told, and the WebSocket close code."""

from __future__ import annotations

from enum import Enum

from sync.contract.problems import Problem


class Refusal(Enum):
    """One reason; the value is its sentence, what to do, and the close code."""

    SIGN_IN_NEEDED = ("You are not signed in.", "Sign in again.", 1008)
    TOKEN_EXPIRED = ("The sign-in has expired.", "Sign in again.", 1008)
    SIGNED_OUT = ("This sign-in or its device was shut out.", "Ask IT.", 1008)
    FORBIDDEN = ("Your role may not see this board.", "Ask a supervisor.", 1008)
    DEVICE_CLONED = (
        "Another installation uses this one's identity.",
        "Nothing is lost: the program takes a new identity and sends again.",
        1008,
    )
    PROTOCOL_TOO_OLD = ("This program is too old for the server.", "Install the newer release.", 1008)
    PROTOCOL_TOO_NEW = ("The server is too old for this program.", "Ask IT to upgrade the server.", 1008)
    PROTOCOL_ERROR = ("The server did not understand what it was told.", "Update the program.", 1002)
    FRAME_TOO_LONG = ("A message was longer than the server takes.", "Update the program.", 1009)
    TOO_MANY_OPERATIONS = ("Too many operations wait for an answer.", "Wait a moment.", 1008)
    TOO_MANY_LINKS = ("This device opened too many connections.", "Nothing has to be done.", 1008)
    TOO_SLOW = ("The connection was too slow.", "The program connects again by itself.", 1013)
    SILENT = ("The connection was silent for too long.", "The program connects again by itself.", 1001)
    SERVER_FAULT = (
        "The server could not do that now; nothing is lost.",
        "The program tries again by itself.",
        1011,
    )
    SERVER_STOPPING = ("The server stops.", "The program connects again by itself.", 1001)
    NEW_EPOCH = (
        "The server's history began anew.",
        "The program loads the board again by itself.",
        1012,
    )

    @property
    def problem(self) -> Problem:
        """What the client is told; the code is the reason's name."""
        return Problem(self.name, self.value[0], self.value[1])

    @property
    def close_code(self) -> int:
        """The WebSocket close code."""
        return self.value[2]
