"""Exports: orders as files, made in the background, page by page."""

from __future__ import annotations

from typing import Final

from server.modules.exports import tables as tables
from server.registration import Module

MODULE: Final = Module("exports")
