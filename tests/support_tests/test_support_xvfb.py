"""The X server of the tests is a real one."""

from __future__ import annotations

from Xlib import display


def test_the_display_answers(x_display: str) -> None:
    """A client can connect and finds the size that board pictures are made for."""
    connection = display.Display(x_display)
    try:
        screen = connection.screen()
        assert (screen.width_in_pixels, screen.height_in_pixels) == (1920, 1080)
    finally:
        connection.close()
