"""The one table of modules: one module a noun, each with its routes and commands."""

from __future__ import annotations

from typing import Final

from server.modules import board, demo, health, imports, sign_in
from server.registration import Module

MODULES: Final[tuple[Module, ...]] = (
    health.MODULE,
    sign_in.MODULE,
    board.MODULE,
    demo.MODULE,
    imports.MODULE,
)
