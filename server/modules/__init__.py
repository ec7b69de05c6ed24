"""The one table of modules: one module a noun, each with its routes and commands."""

from __future__ import annotations

from typing import Final

from server.modules import (
    backups,
    board,
    cut_offs,
    demo,
    exports,
    folders,
    health,
    imports,
    openapi,
    operations,
    orders,
    retirement,
    sign_in,
    webhooks,
    webhooks_in,
    webhooks_out,
)
from server.registration import Module

MODULES: Final[tuple[Module, ...]] = (
    health.MODULE,
    sign_in.MODULE,
    board.MODULE,
    orders.MODULE,
    operations.MODULE,
    exports.MODULE,
    openapi.MODULE,
    demo.MODULE,
    imports.MODULE,
    webhooks.MODULE,
    webhooks_in.MODULE,
    webhooks_out.MODULE,
    folders.MODULE,
    cut_offs.MODULE,
    retirement.MODULE,
    backups.MODULE,
)
