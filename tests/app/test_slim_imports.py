"""What libraries would load or keep and we never use."""

from __future__ import annotations

import json
import sys

from support.processes import ProcessRunner

START = """
import json, linecache, sys
from app.slim_imports import leave_out_httpx_command, leave_out_reading_sources
leave_out_reading_sources()
leave_out_httpx_command()
from PySide6.QtWidgets import QApplication, QWidget
import asyncio, httpx
application = QApplication([])
widget = QWidget()
widget.setWindowTitle("works")
print(json.dumps({
    "sources": sorted(linecache.cache),
    "command": [name for name in ("click", "pygments", "rich") if name in sys.modules],
    "title": widget.windowTitle(),
    "get": callable(httpx.get),
}))
"""


def test_qt_reads_no_sources_and_httpx_loads_no_command(processes: ProcessRunner) -> None:
    """After both, modules are imported without their text being kept, and Qt and httpx still work."""
    process = processes.run(sys.executable, "-c", START, env={"QT_QPA_PLATFORM": "offscreen"})
    assert process.wait() == 0, process.stderr
    assert json.loads(process.stdout) == {"sources": [], "command": [], "title": "works", "get": True}
