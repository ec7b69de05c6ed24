"""The release of this program. A constant: reading it from package metadata costs start-up time."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
