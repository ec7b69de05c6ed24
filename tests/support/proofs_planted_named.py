"""All named faults: a unit test, a seed of the simulation or a proof with real programs must see each."""

from __future__ import annotations

from typing import Final

from support import proofs_planted as processes
from support.proofs_planted import Plant
from support.proofs_planted_client import CLIENT
from support.proofs_planted_contract import CONTRACT
from support.proofs_planted_server import SERVER

NAMED: Final[tuple[Plant, ...]] = (*CLIENT, *SERVER, *CONTRACT, *processes.ALL)
