"""How the tables came to be, step by step; alembic runs the steps that a database has not seen."""

from __future__ import annotations

from typing import Final

HEAD: Final = "0003"
"""The newest step. A test compares it with alembic's own answer; at start it saves loading alembic."""
