"""The commands that belong to the server itself: setup, serve, users, devices."""

from __future__ import annotations

from typing import Final

from server.commands import devices, serve, setup, users
from server.registration import Module

COMMANDS: Final[tuple[Module, ...]] = (
    Module("server", commands=(setup.COMMAND, serve.COMMAND, users.COMMAND, devices.COMMAND)),
)
