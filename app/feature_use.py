"""Counts which variant of a feature a person really used: the exposure that experiments are read by."""

from __future__ import annotations

from typing import Final

from sync.contract.ports import Flags, Recorder

FILTERS: Final = "enhanced-filters"
BULK: Final = "bulk-operations"


class FeatureUse:
    """Asks the flags at the moment of use, and counts the answer."""

    def __init__(self, flags: Flags, recorder: Recorder) -> None:
        """Ask ``flags``, count with ``recorder``."""
        self._flags = flags
        self._recorder = recorder

    def used(self, feature: str) -> None:
        """Count one use of ``feature`` under its variant; one that is off is not counted."""
        if self._flags.is_enabled(feature):
            self._recorder.inc(f"feature.{feature}.{self._flags.variant(feature)}")
