"""What never reaches a log: secrets, and the people behind the orders. Pure."""

from __future__ import annotations

import re
from typing import Final

REDACTED: Final = "[redacted]"

_SECRET_NAMES: Final = (
    r"(?:access_|refresh_|device_|auth_)?token|password|passwd|secret|authorization|api_key|cookie"
)
_PERSON_NAMES: Final = (
    r"customer|ship_to|company|street|city|region|postcode|phone|email|note|person|actor_name"
    r"|claimed_by|assignee|by"
)
_VALUE: Final = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^{}]*\}|[^\s,;)\]}"']+)"""

_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {REDACTED}"),
    # A whole value object: its fields are what is inside the brackets.
    (
        re.compile(r"\b(Address|Claim|Hold|Person|LineItem)\((?:[^()'\"]|'[^']*'|\"[^\"]*\")*\)"),
        rf"\1({REDACTED})",
    ),
    (
        re.compile(
            rf"""(?<![\w])(["']?(?:{_SECRET_NAMES}|{_PERSON_NAMES})["']?\s*[=:]\s*)b?{_VALUE}""",
            re.IGNORECASE,
        ),
        rf"\1{REDACTED}",
    ),
    # Opaque tokens wherever they stand; ids of ours have 36 characters.
    (re.compile(r"[A-Za-z0-9_\-]{40,}"), REDACTED),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), REDACTED),
    # Credentials inside an address.
    (re.compile(r"(?<=://)[^/\s@]+@"), f"{REDACTED}@"),
)


def redacted(text: str) -> str:
    """Return ``text`` without secrets and without what describes a customer."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
