"""``python -m server.verification --seeds 20``: the command ``verify`` without the others."""

from __future__ import annotations

import argparse
import sys

from server.registration import CommandContext
from server.system import SystemClock, SystemRandom
from server.verification import command
from sync.contract.ids import Uuid7Ids

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make verify", description=command.__doc__)
    command.configure(parser)
    clock = SystemClock()
    ids = Uuid7Ids(clock, SystemRandom())
    context = CommandContext(clock, ids, sys.stdin, sys.stdout, sys.stderr)
    sys.exit(command.run(parser.parse_args(), context))
