"""Backups: one portable file from either database, tried by a restore before it counts; and the way back."""

from __future__ import annotations

from typing import Final

from server.modules.backups import backing_up, restoring
from server.registration import Command, Module

MODULE: Final = Module(
    name="backups",
    commands=(
        Command("backup", "copy all data into one file and try it", backing_up.configure, backing_up.run),
        Command("restore", "put a backup in the place of the data", restoring.configure, restoring.run),
    ),
)
