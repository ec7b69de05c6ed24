"""Webhooks out: what happens to orders, told to other programs."""

from __future__ import annotations

from typing import Final

from server.modules.webhooks_out import tables
from server.registration import Module

__all__ = ["MODULE", "tables"]
MODULE: Final = Module("webhooks out")
