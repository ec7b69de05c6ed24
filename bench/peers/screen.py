"""What is on the screen, and a hand on the mouse: the same for every program that is measured.

The X server (Xvfb) keeps its picture in a file that is mapped here, so looking costs a copy of some bytes
and no round trip. The pointer is the X server's own (XTEST). Neither needs anything of the program.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from Xlib import X
from Xlib.display import Display
from Xlib.ext import xtest

from support.xvfb import running_xvfb
from widgets.board.geometry import Box

WIDTH, HEIGHT = 1920, 1080
LOOK_S = 0.000_2
_HEADER = 100
_COLOUR_ENTRY = 12


class NotSeenError(Exception):
    """What did not appear before its deadline, as a sentence."""


class Picture:
    """The pixels of the screen, 4 bytes each, in the file that Xvfb writes (the format of ``xwd``)."""

    def __init__(self, content: mmap.mmap | bytes) -> None:
        words = struct.unpack(">25I", content[:_HEADER])
        self.width, self.height, self._pitch = words[4], words[5], words[12]
        assert words[11] == 32, "the X server must keep 32 bits a pixel"
        self._start = words[0] + words[19] * _COLOUR_ENTRY
        self._content = content

    def rows(self, box: Box) -> tuple[bytes, ...]:
        """Return the pixels of a box, row by row."""
        firsts = (self._start + y * self._pitch + box.x * 4 for y in range(box.y, box.bottom))
        return tuple(self._content[first : first + box.width * 4] for first in firsts)

    def colour(self, x: int, y: int) -> int:
        """Return the colour of a point as 0xRRGGBB."""
        first = self._start + y * self._pitch + x * 4
        return int.from_bytes(self._content[first : first + 3], "little")


class Screen:
    """One X display with its picture and its pointer."""

    def __init__(self, name: str, picture: Picture, display: Any) -> None:  # noqa: ANN401 - Xlib has no types
        self.name = name
        self.picture = picture
        self._display = display

    def point(self, x: int, y: int) -> int:
        """Put the pointer on a point; return the time (ns) at which it was said."""
        at_ns = time.monotonic_ns()
        xtest.fake_input(self._display, X.MotionNotify, x=x, y=y)
        self._display.sync()
        return at_ns

    def press(self) -> int:
        """Press the left button; return the time (ns)."""
        return self._button(X.ButtonPress)

    def release(self) -> int:
        """Release the left button; return the time (ns)."""
        return self._button(X.ButtonRelease)

    def _button(self, kind: int) -> int:
        at_ns = time.monotonic_ns()
        xtest.fake_input(self._display, kind, 1)
        self._display.sync()
        return at_ns

    def seen_ns(
        self,
        is_there: Callable[[Picture], bool],
        what: str,
        within_s: float,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """Look until something is there, and return the time (ns) of the look that saw it.

        Raises:
            NotSeenError: when it is not there before the deadline.
        """
        deadline = time.monotonic() + within_s
        while True:
            at_ns = time.monotonic_ns()
            if is_there(self.picture):
                return at_ns
            if time.monotonic() > deadline:
                raise NotSeenError(f"{what} was not on the screen within {within_s:g} s")
            meanwhile()
            time.sleep(LOOK_S)

    def wait_quiet(self, box: Box, quiet_s: float, within_s: float) -> None:
        """Wait until a part of the screen has not changed for a while.

        Raises:
            NotSeenError: when it never rests.
        """
        deadline = time.monotonic() + within_s
        before, since = self.picture.rows(box), time.monotonic()
        while time.monotonic() - since < quiet_s:
            if time.monotonic() > deadline:
                raise NotSeenError(f"the board did not come to rest within {within_s:g} s")
            time.sleep(0.02)
            now = self.picture.rows(box)
            if now != before:
                before, since = now, time.monotonic()


@contextlib.contextmanager
def opened_screen() -> Iterator[Screen]:
    """Run an X server of 1920 x 1080 until the block ends."""
    with tempfile.TemporaryDirectory(prefix="fk-screen-") as folder, running_xvfb(frames=folder) as name:
        with (Path(folder) / "Xvfb_screen0").open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        display = Display(name)
        try:
            yield Screen(name, Picture(content), display)
        finally:
            display.close()
            content.close()
