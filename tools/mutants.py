"""Write the list of wrong programs of the last whole run into ``docs/verification.md``.

After ``make verify ONLY=mutants FULL=1``, which leaves the list in ``build/mutants.json``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]
PAGE = ROOT / "docs" / "verification.md"
RESULT = ROOT / "build" / "mutants.json"


def main() -> int:
    """Write; 1 when there is no whole run to write of."""
    from support.proofs_mutants_page import Tried, published

    try:
        content = json.loads(RESULT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        print("There is no list yet. Run: make verify ONLY=mutants FULL=1", file=sys.stderr)
        return 1
    tried = [Tried(**{**each, "paths": tuple(each["paths"])}) for each in content]
    if not any(each.function for each in tried):
        print(
            "The last run tried the named faults only. Run: make verify ONLY=mutants FULL=1", file=sys.stderr
        )
        return 1
    PAGE.write_text(published(PAGE.read_text(encoding="utf-8"), tried), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
