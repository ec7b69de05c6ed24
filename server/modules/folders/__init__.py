"""Watched folders: files that are put there are imported."""

from __future__ import annotations

from typing import Final

from server.modules.folders import tables
from server.registration import Module

__all__ = ["MODULE", "tables"]
MODULE: Final = Module("folders")
