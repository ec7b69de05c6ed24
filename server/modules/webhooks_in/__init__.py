"""Webhooks in: orders that shops send us, signed."""

from __future__ import annotations

from typing import Final

from server.modules.webhooks_in import tables
from server.registration import Module

__all__ = ["MODULE", "tables"]
MODULE: Final = Module("webhooks in")
