"""The desktop client as installed, over a prepared cache, telling what traffic costs it.

It connects to the socket at ``--sync-port N`` (before the client's own arguments) without a sign-in. One
JSON line in, one out:

- ``{"shown": true}``: the ids of the orders whose cards show.
- ``{"mark": true}``: CPU seconds of the GUI thread and of the process, where the cache stands, how many
  paints there were.
- ``{"type": text}``: types a text into the search letter by letter, clears it, and tells for every letter the
  milliseconds until the rows of the first page were there, until all columns were filtered, until the
  first page was painted.
- ``{"scroll": frames, "after_snapshot": bool}``: scrolls at 60 Hz and tells each frame's milliseconds, from
  when it was due until it was painted; with ``after_snapshot`` the frames end so many after one has landed.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Final

from PySide6.QtCore import QSocketNotifier, QTimer

import app.window_run
from app.composition import Client
from app.main import main
from sync.client.news import ConnectionChanged, LinkState, News, SnapshotApplied
from sync.contract.problems import ProblemError

FRAME_S: Final = 1 / 60
STEP_PX: Final = 37
PAUSE_MS: Final = 80
"""Between two letters: nobody types faster."""


class OpenDoor:
    """A way in that asks nobody: the pretended server knows no sign-in."""

    def __init__(self, port: int) -> None:
        """Lead to a port of this machine."""
        self._port = port

    async def get(self, *, is_renewal: bool = False) -> str:
        """Return a token that nobody looks at."""
        return "token"

    async def sync_address(self) -> str:
        """Return the address of the socket."""
        return f"ws://127.0.0.1:{self._port}/"

    def expires_ms(self) -> int:
        """Return that there is no end."""
        return 0

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Have nothing."""
        raise ProblemError("SERVER_MISSING", f"There is no {path} here.")

    async def close(self) -> None:
        """Hold nothing."""


class TrafficClient(Client):
    """The client, with a clock at everything that others make it do."""

    port = 0

    def start(self) -> None:
        """Start as always, then wait for lines."""
        self._paints = 0
        self._typing: Typing | None = None
        self._scrolling: Scrolling | None = None
        self.board._observer = self.on_painted  # noqa: SLF001 - composition has no use for it
        super().start()
        self._notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self.on_input)

    def _credentials(self) -> OpenDoor:
        return OpenDoor(self.port)

    def _on_news(self, batch: list[News]) -> None:
        super()._on_news(batch)
        for news in batch:
            if isinstance(news, ConnectionChanged) and news.state is LinkState.LIVE:
                _tell({"live": True})
            elif isinstance(news, SnapshotApplied) and self._scrolling is not None:
                self._scrolling.has_landed = True

    def on_painted(self, _local_ids: frozenset[int]) -> None:
        """Count paints."""
        self._paints += 1

    def _paint_first_page(self) -> None:
        if self._typing is not None:
            self._typing.on_first_page()
        super()._paint_first_page()
        if self._typing is not None:
            self._typing.on_painted()

    def _complete_filter(self) -> None:
        super()._complete_filter()
        if self._typing is not None:
            self._typing.on_completed()

    def on_input(self) -> None:
        """Carry out one line; the end of the input ends the program."""
        line = sys.stdin.readline()
        if not line:
            self._notifier.setEnabled(False)
            self.window.close()
            return
        match json.loads(line):
            case {"shown": True}:
                rows = self.view.rows(self.board.visible_ids())
                _tell({"shown": [row.order_id for row in rows]})
            case {"mark": True}:
                _tell(self._marks())
            case {"type": str(text)}:
                self._typing = Typing(self, text)
            case {"scroll": int(frames), "after_snapshot": bool(is_landing)}:
                self._scrolling = Scrolling(self, frames, is_landing=is_landing)

    def _marks(self) -> dict[str, object]:
        return {
            "gui_s": time.thread_time(),
            "process_s": time.process_time(),
            "wall_s": time.monotonic(),
            "cursor": self.view.info().cursor,
            "paints": self._paints,
        }


class Typing:
    """A person who types a text and clears it."""

    def __init__(self, client: TrafficClient, text: str) -> None:
        """Type the first letter soon."""
        self._client = client
        self._left = [text[:end] for end in range(1, len(text) + 1) if text[end - 1] != " "]
        self._told: list[tuple[float, float, float]] = []
        self._began = self._first_page = self._painted = 0.0
        self._is_done = False
        self._timer = QTimer(client, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._type)
        self._timer.start()

    def _type(self) -> None:
        field = self._client.window.header.search
        if not self._left:
            self._is_done = True
            field.clear()
            _tell({"typed": self._told})
            return
        self._began = time.perf_counter()
        field.setText(self._left.pop(0))

    def on_first_page(self) -> None:
        """The first page is filtered: its rows are asked for, as the paint does next."""
        self._client.view.rows(self._client.board.visible_ids())
        self._first_page = self._passed_ms()

    def on_painted(self) -> None:
        """The first page is on screen."""
        self._painted = self._passed_ms()

    def on_completed(self) -> None:
        """All columns are filtered."""
        if not self._is_done:
            self._told.append((self._first_page, self._passed_ms(), self._painted))
            self._timer.start()

    def _passed_ms(self) -> float:
        return (time.perf_counter() - self._began) * 1000


class Scrolling:
    """A wheel that turns sixty times a second over the first column, down and up again."""

    def __init__(self, client: TrafficClient, frames: int, *, is_landing: bool) -> None:
        """Turn ``frames`` times, counted from when a snapshot has landed if one ``is_landing``."""
        self.has_landed = not is_landing
        self._client = client
        self._left = frames
        self._frames: list[float] = []
        self._due = time.perf_counter() + FRAME_S
        self._wait()

    def _wait(self) -> None:
        wait_ms = max(0, round((self._due - time.perf_counter()) * 1000))
        QTimer.singleShot(wait_ms, self._client, self._turn)

    def _turn(self) -> None:
        began = min(self._due, time.perf_counter())
        board = self._client.board
        step = STEP_PX if len(self._frames) // 60 % 2 == 0 else -STEP_PX
        board.scroll_column(0, max(0, board.columns.each[0].scroll + step))
        board.repaint()
        now = time.perf_counter()
        self._frames.append((now - began) * 1000)
        self._left -= self.has_landed
        # A frame that came so late that the next is due as well was one frame, and the next is a new one.
        self._due = max(self._due + FRAME_S, now)
        if self._left:
            self._wait()
        else:
            _tell({"frames": self._frames})


def _tell(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    place = sys.argv.index("--sync-port")
    TrafficClient.port = int(sys.argv[place + 1])
    vars(app.window_run)["Client"] = TrafficClient
    sys.exit(main([*sys.argv[1:place], *sys.argv[place + 2 :]]))
