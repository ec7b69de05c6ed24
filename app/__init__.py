"""Composition and control of the desktop client.

Entry points, settings, the one wiring module, the one crossing between threads, controllers, the main
window shell, session and life cycle. Knows every room below it; never ``server``.
"""

from app.slim_imports import load_msgspec_alone

load_msgspec_alone()
