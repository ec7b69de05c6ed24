"""``make screenshots``: render the scenes into ``build/screenshots``, some also into ``docs/pictures``.

The clock, the orders, the font and the seed are fixed, so that a picture changes only when the program
does. ``python tools/screenshots.py board-dark`` renders one scene.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "screenshots"
PICTURES = ROOT / "docs" / "pictures"
SHOWN = ("board-light", "board-dark", "board-offline")
"""The scenes that the documentation shows; they are kept with it."""

# Before Qt is imported; scenes live with the tests, because tests look at them too.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]


def main(names: list[str]) -> int:
    """Render all scenes, or those named; return the exit code."""
    from PySide6.QtWidgets import QApplication

    from support.scenes import SCENES, build_window, stage_scene
    from widgets.theme import make_look

    wanted = [scene for scene in SCENES if not names or scene.name in names]
    if not wanted:
        known = ", ".join(scene.name for scene in SCENES)
        print(f"There is no scene {' or '.join(names)}. There are: {known}.", file=sys.stderr)
        return 2
    application = QApplication(sys.argv[:1])
    FOLDER.mkdir(parents=True, exist_ok=True)
    for scene in wanted:
        look = make_look(scene.theme, scene.scale_percent)
        window, source = build_window(scene, look)
        window.show()
        application.processEvents()
        stage_scene(scene, window, source)
        application.processEvents()
        path = FOLDER / f"{scene.name}.png"
        window.grab().save(str(path))
        print(path.relative_to(ROOT))
        if scene.name in SHOWN:
            PICTURES.mkdir(exist_ok=True)
            shutil.copyfile(path, PICTURES / path.name)
        window.close()
        window.deleteLater()
        application.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
