"""Feature flags: the defaults, and the bucketing that client and server share.

``bucket`` puts a unit (a device or user id) into one of 10,000 places for a feature: the same
place on every machine, offline too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BUCKETS: Final = 10_000

DEFAULT_VARIANTS: Final[Mapping[str, str]] = MappingProxyType(
    {"enhanced-filters": "control", "bulk-operations": "standard"}
)
"""The specification's two features, each with the variant that everybody has by default."""


def bucket(feature: str, unit_id: str) -> int:
    """Return the bucket of ``unit_id`` for ``feature``, 0 to 9,999."""
    digest = hashlib.sha256(f"{feature}:{unit_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


class DefaultFlags:
    """Every known feature on, with its default variant; everything else off."""

    def __init__(self, variants: Mapping[str, str] = DEFAULT_VARIANTS) -> None:
        """Answer from ``variants`` (feature to variant)."""
        self._variants = variants

    def is_enabled(self, feature: str) -> bool:
        """Say whether ``feature`` is known."""
        return feature in self._variants

    def variant(self, feature: str) -> str:
        """Return the variant of ``feature``, empty when it is unknown."""
        return self._variants.get(feature, "")
