"""Who may do what: the permission table is data, and what it does not name is denied."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a user is for the site."""

    VIEWER = "viewer"
    PICKER = "picker"
    PACKER = "packer"
    SUPERVISOR = "supervisor"
    OFFICE = "office"
    IT = "it"
    AUDITOR = "auditor"
    SYSTEM = "system"
    """The server itself (imports, retirement); no person can have it."""


class Right(StrEnum):
    """One thing that a role allows; most are kinds of operations."""

    CREATE = "create"
    IMPORT = "import"
    MOVE = "move"
    CLAIM = "claim"
    UNCLAIM = "unclaim"
    HOLD = "hold"
    RELEASE = "release"
    CANCEL = "cancel"
    SHIP = "ship"
    SCHEDULE = "schedule"
    RETIRE = "retire"
    REQUEST_HANDOVER = "request_handover"
    ASSIGN = "assign"
    PRIORITISE = "prioritise"
    REINSTATE = "reinstate"
    PICK = "pick"
    SHORT_PICK = "short_pick"
    PACK = "pack"
    NOTE = "note"
    TAG = "tag"
    EDIT = "edit"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    TAKE_OVER = "take_over"
    SKIP_STAGE = "skip_stage"
    REOPEN = "reopen"
    READ_BOARD = "read_board"
    EXPORT = "export"
    SET_CUT_OFFS = "set_cut_offs"
    ADMINISTER = "administer"


_ALL: Final = frozenset(
    {Right.READ_BOARD, Right.NOTE, Right.TAG, Right.ACKNOWLEDGE, Right.RESOLVE, Right.HOLD}
)
_FLOOR: Final = _ALL | {
    *(Right.MOVE, Right.CLAIM, Right.UNCLAIM, Right.REQUEST_HANDOVER),
    *(Right.PICK, Right.SHORT_PICK, Right.PACK, Right.SHIP),
}
_OFFICE: Final = _ALL | {
    *(Right.CREATE, Right.IMPORT, Right.EXPORT, Right.RELEASE, Right.CANCEL, Right.REINSTATE),
    *(Right.EDIT, Right.PRIORITISE),
}
_LEAD: Final = frozenset({Right.SKIP_STAGE, Right.REOPEN, Right.TAKE_OVER, Right.ASSIGN, Right.SET_CUT_OFFS})

ALLOWED: Final[dict[Role, frozenset[Right]]] = {
    Role.VIEWER: frozenset({Right.READ_BOARD}),
    Role.PICKER: _FLOOR,
    Role.PACKER: _FLOOR,
    Role.SUPERVISOR: _FLOOR | _OFFICE | _LEAD,
    Role.OFFICE: _OFFICE,
    Role.IT: frozenset({Right.READ_BOARD, Right.ADMINISTER, Right.SET_CUT_OFFS}),
    Role.AUDITOR: frozenset({Right.READ_BOARD, Right.EXPORT}),
    Role.SYSTEM: frozenset(Right),
}


def is_allowed(role: Role, right: Right) -> bool:
    """Say whether ``role`` has ``right``."""
    return right in ALLOWED.get(role, frozenset())
