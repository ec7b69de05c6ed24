"""What libraries would load or keep and we never use."""

from __future__ import annotations

import json
import sys

from support.processes import ProcessRunner

START = """
import json, linecache, sys
from app.slim_imports import leave_out_reading_sources, load_seldom_used_late
leave_out_reading_sources()
load_seldom_used_late()
from PySide6.QtWidgets import QApplication, QWidget
import websockets.asyncio.client
import websockets.proxy
early = [name for name in ("email", "http.client", "email.message") if name in sys.modules]
application = QApplication([])
widget = QWidget()
widget.setWindowTitle("works")
import importlib.metadata
import os
import urllib.request
os.environ["https_proxy"] = "http://proxy.example:3128"
print(json.dumps({
    "sources": sorted(linecache.cache),
    "early": early,
    "title": widget.windowTitle(),
    "version": importlib.metadata.version("websockets") == websockets.__version__,
    "proxies": urllib.request.getproxies().get("https"),
    "proxy": websockets.proxy.get_proxy(websockets.uri.parse_uri("wss://board.example/")),
    "is_loaded": "email" in sys.modules,
}))
"""


def test_what_is_seldom_used_is_loaded_when_it_is_used(processes: ProcessRunner) -> None:
    """Qt reads no sources, websockets does not load what it does not use, and all of it still works."""
    process = processes.run(sys.executable, "-c", START, env={"QT_QPA_PLATFORM": "offscreen"})
    assert process.wait() == 0, process.stderr
    assert json.loads(process.stdout) == {
        "sources": [],
        "early": [],
        "title": "works",
        "version": True,
        "proxies": "http://proxy.example:3128",
        "proxy": "http://proxy.example:3128",
        "is_loaded": True,
    }


def test_msgspec_is_loaded_alone(processes: ProcessRunner) -> None:
    """The program's messages work without the package of backports, and whoever wants that still gets it."""
    words = (
        "import sys, app.settings; print(int('typing_extensions' in sys.modules)); import typing_extensions"
    )
    process = processes.run(sys.executable, "-c", words)
    assert process.wait() == 0, process.stderr
    assert process.stdout.strip() == "0"
