"""The companion server: the one order of truth, fan-out, HTTP.

A small kernel that decides and stores, and one module per noun registered with it. Imports the contract
and telemetry; never ``app``, ``widgets`` or ``sync.client``.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
