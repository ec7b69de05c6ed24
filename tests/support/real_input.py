"""A real mouse and keyboard on an X display, through the XTEST extension."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from Xlib import XK, X
from Xlib.display import Display
from Xlib.ext import xtest

from support.waiting import eventually

STEP_S = 0.01
"""A hand needs time between two places; the server would merge motions otherwise."""


class RealInput:
    """Moves the pointer and presses keys as a person does."""

    def __init__(self, display: Display) -> None:
        """Use an open ``display``."""
        self._display = display

    def move(self, x: int, y: int, steps: int = 12) -> None:
        """Go to a point of the screen in small steps."""
        pointer = self._display.screen().root.query_pointer()
        for step in range(1, steps + 1):
            at_x = pointer.root_x + (x - pointer.root_x) * step // steps
            at_y = pointer.root_y + (y - pointer.root_y) * step // steps
            xtest.fake_input(self._display, X.MotionNotify, x=at_x, y=at_y)
            self._display.sync()
            time.sleep(STEP_S)

    def press(self) -> None:
        """Press the left button."""
        self._button(X.ButtonPress)

    def release(self) -> None:
        """Release the left button."""
        self._button(X.ButtonRelease)

    def drag(self, start: tuple[int, int], goal: tuple[int, int]) -> None:
        """Press at ``start``, go to ``goal``, release there."""
        self.move(*start)
        self.press()
        self.move(*goal)
        self.release()

    def key(self, name: str) -> None:
        """Press and release the key with an X name, ``Escape`` or ``bracketright``."""
        code = self._display.keysym_to_keycode(XK.string_to_keysym(name))
        assert code, f"this keyboard has no {name}"
        xtest.fake_input(self._display, X.KeyPress, code)
        xtest.fake_input(self._display, X.KeyRelease, code)
        self._display.sync()
        time.sleep(STEP_S)

    def colour(self, x: int, y: int) -> str:
        """Return the colour that a person sees at a point, ``ffffff`` for white."""
        image = self._display.screen().root.get_image(x, y, 1, 1, X.ZPixmap, 0xFFFFFFFF)
        blue, green, red = image.data[:3]
        return f"{red:02x}{green:02x}{blue:02x}"

    def focus_window(self, title: str, within_s: float = 20.0) -> None:
        """Give the keyboard to the visible window with a title; there is no window manager to do it."""

        def found() -> Any:  # noqa: ANN401 - Xlib has no types
            for window in self._display.screen().root.query_tree().children:
                is_shown = window.get_attributes().map_state == X.IsViewable
                if is_shown and window.get_wm_name() == title:
                    return window
            return None

        window = eventually(found, within_s, f"the window {title!r}")
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()

    def _button(self, kind: int) -> None:
        xtest.fake_input(self._display, kind, 1)
        self._display.sync()
        time.sleep(STEP_S)


@contextmanager
def real_input(display_name: str) -> Iterator[RealInput]:
    """Open the display for the time of a test."""
    display = Display(display_name)
    try:
        yield RealInput(display)
    finally:
        display.close()
