"""The commands that belong to the server itself: setup, serve, sites, users, devices."""

from __future__ import annotations

from typing import Final

from server.commands import devices, serve, setup, sites, users
from server.registration import Module

COMMANDS: Final[tuple[Module, ...]] = (
    Module("server", commands=(setup.COMMAND, serve.COMMAND, sites.COMMAND, users.COMMAND, devices.COMMAND)),
)
