"""What surrounds the board: counts, the last action, refusals, figures, the look, the end.

Joins the controllers to the parts of the window; decides nothing about orders.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtGui import QGuiApplication

from app.board_controller import BoardController
from app.board_summary import summarise
from app.connection_controller import ConnectionController
from app.needs_you_controller import KEY as NEEDS_YOU
from sync.client.board_view import BoardView
from sync.contract.ports import Clock
from sync.contract.stages import STAGES
from telemetry.recorder import MemoryRecorder
from widgets.actions import LATER
from widgets.announcements import refused_text
from widgets.banner import BannerMessage
from widgets.main_window import MainWindow
from widgets.status_line import Figures
from widgets.theme.look import Look
from widgets.tones import Tone
from widgets.words import counted, translate

COUNT_DELAY_MS: Final = 500
FIGURES_MS: Final = 5_000
FRAMES: Final = 25
LEAST_DELAY_MS: Final = 100
"""Shorter delays are told as a tenth of a second: "0 s" says nothing."""
PICTURE_SIZE: Final = (1920, 1080)
NOT_IN_A_KIOSK: Final = frozenset({"full_screen", "quit"})
_CONTEXT: Final = "Shell"

Remember = Callable[[dict[str, object]], None]


class Shell(QObject):
    """Keeps everything around the board true, and lets the person leave."""

    def __init__(
        self,
        window: MainWindow,
        view: BoardView,
        controller: BoardController,
        connection: ConnectionController,
        recorder: MemoryRecorder,
        clock: Clock,
        seconds_per_line: float,
        remember: Remember,
        try_now: Callable[[], None],
    ) -> None:
        """Join the parts; ``remember`` keeps what a person chooses for the next start."""
        super().__init__(window)
        self._window = window
        self._view = view
        self._controller = controller
        self._connection = connection
        self._recorder = recorder
        self._clock = clock
        self._seconds_per_line = seconds_per_line
        self._remember = remember
        self._is_leaving = False
        self._is_kiosk = False
        self._memory_mb: float | None = None
        self._soon = QTimer(self, singleShot=True, interval=COUNT_DELAY_MS)
        self._soon.timeout.connect(self.refresh_counts)
        self._figures = QTimer(self, interval=FIGURES_MS)
        self._figures.timeout.connect(self.on_figures)
        self._figures.start()
        self._actions: dict[str, Callable[[], object]] = {
            "undo": controller.undo,
            "ask_again": try_now,
            "quit": window.close,
        }
        self._connect()

    def _connect(self) -> None:
        window, controller = self._window, self._controller
        controller.acted.connect(self.on_acted)
        controller.refused.connect(self.on_refused)
        controller.counts_changed.connect(self.on_counts_changed)
        window.action_triggered.connect(self.on_action)
        window.look_chosen.connect(self.on_look_chosen)
        window.installEventFilter(self)

    # ---------------------------------------------------------------- what people see

    def set_memory(self, megabytes: float) -> None:
        """Take what this process costs in memory; shown with the other figures."""
        self._memory_mb = megabytes

    def on_acted(self, sentence: str, can_undo: bool) -> None:
        """Say what the person did last."""
        self._window.status_line.set_last_action(sentence, can_undo)
        self._window.view_bar.set_can_undo(can_undo)
        self._window.actions_book.refresh()

    def on_refused(self, key: str, strong: str, text: str) -> None:
        """Say what did not come true; it stays until it is closed, because it may be read late."""
        # The same key as that of its entry in the needs-you list: one matter is one banner.
        banner = BannerMessage(Tone.AMBER, "octagon-x", strong, text)
        self._window.banners.show_banner(NEEDS_YOU + key, banner)
        self._window.board.say(refused_text(f"{strong} {text}".strip()), is_assertive=True)
        self.on_acted("", self._controller.can_undo)

    def on_counts_changed(self) -> None:
        """Tell the unsent moves at once, everything else a moment later: many changes come together."""
        self._connection.refresh()
        # Not restarted: under a steady stream of changes it would never fire.
        if not self._soon.isActive():
            self._soon.start()

    def refresh_counts(self) -> None:
        """Count the board anew."""
        total = sum(self._view.total(stage) for stage in STAGES)
        self._window.header.set_counts({"all": total})
        now_ms = self._clock.wall_ms()
        summary = summarise(self._view, now_ms, self._seconds_per_line)
        self._window.view_bar.set_summary(summary, now_ms)
        self._window.view_bar.set_can_undo(self._controller.can_undo)

    def on_figures(self) -> None:
        """Show what this terminal measures of itself; a slow round trip is no figure while offline."""
        delay_ms = self._connection.delay_ms
        self._window.status_line.set_figures(
            Figures(
                drag_ms=self._recorder.last("drag_latency"),
                frame_ms=_usual(self._recorder.samples("render_time")),
                live_s=None if delay_ms is None else max(delay_ms, LEAST_DELAY_MS) / 1000,
                memory_mb=self._memory_mb,
                is_offline=self._connection.is_offline,
            )
        )
        self._connection.refresh()
        self.refresh_counts()

    # ---------------------------------------------------------------- what people do

    def is_enabled(self, action: str) -> bool:
        """Say whether an action can be carried out now."""
        if action == "undo":
            return self._controller.can_undo
        return action not in LATER and not (self._is_kiosk and action in NOT_IN_A_KIOSK)

    def on_action(self, action: str) -> None:
        """Carry out what the window does not do itself."""
        do = self._actions.get(action)
        if do is not None:
            do()

    def on_look_chosen(self, look: Look) -> None:
        """Keep the theme and the text size."""
        self._remember({"theme": str(look.theme.name), "text_scale": look.scale_percent})

    # ---------------------------------------------------------------- place, size, the end

    def place_window(self, remembered: str, is_maximized: bool, is_kiosk: bool) -> None:
        """Show the window where it was, or large; in a kiosk it fills the screen."""
        window = self._window
        self._is_kiosk = is_kiosk
        rectangle = _rectangle(remembered)
        screen = QGuiApplication.primaryScreen().availableGeometry()
        if QGuiApplication.platformName() in {"offscreen", "minimal"}:
            window.resize(*PICTURE_SIZE)
        elif rectangle is not None and screen.intersects(rectangle):
            window.setGeometry(rectangle)
        else:
            window.resize(min(PICTURE_SIZE[0], screen.width()), min(PICTURE_SIZE[1], screen.height()))
        if is_kiosk:
            window.showFullScreen()
        elif is_maximized:
            window.showMaximized()
        else:
            window.show()

    def raise_window(self) -> None:
        """Bring the window to the front: the program was started a second time."""
        window = self._window
        if window.isMinimized():
            window.showNormal()
        window.show()
        window.raise_()
        window.activateWindow()

    def leave(self) -> None:
        """End without a question: the machine or IT asked for it."""
        self._is_leaving = True
        self._window.close()
        QGuiApplication.quit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look at the closing of the window first: unsent moves are told, a kiosk stays."""
        if watched is self._window and event.type() is QEvent.Type.Close and not self._is_leaving:
            not_sent = self._view.not_sent_count()
            if self._is_kiosk or not_sent:
                event.ignore()
                if not self._is_kiosk:
                    self._ask_to_leave(not_sent)
                return True
            self._is_leaving = True
        if watched is self._window and event.type() is QEvent.Type.Close:
            self._remember_place()
        return super().eventFilter(watched, event)

    def _ask_to_leave(self, not_sent: int) -> None:
        """Say that unsent moves are kept; beside the board, never in its way."""
        from PySide6.QtWidgets import QMessageBox

        box = QMessageBox(self._window)
        box.setObjectName("leave")
        box.setWindowTitle(translate(_CONTEXT, "Quit"))
        box.setText(counted(_CONTEXT, "{n} move is not sent yet.", "{n} moves are not sent yet.", not_sent))
        box.setInformativeText(translate(_CONTEXT, "Stored here, sent at the next start."))
        leave = box.addButton(translate(_CONTEXT, "Quit, send next time"), QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton(translate(_CONTEXT, "Stay"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.setEscapeButton(stay)
        leave.clicked.connect(self.leave)
        box.finished.connect(box.deleteLater)
        box.open()

    def _remember_place(self) -> None:
        window = self._window
        rectangle = window.normalGeometry() if window.isMaximized() else window.geometry()
        parts = (rectangle.x(), rectangle.y(), rectangle.width(), rectangle.height())
        place = ",".join(str(part) for part in parts)
        self._remember({"window": place, "is_maximized": window.isMaximized()})


def _usual(samples: list[float]) -> float | None:
    """Return the median of the newest samples: one long frame is not how the terminal does."""
    newest = sorted(samples[-FRAMES:])
    return newest[len(newest) // 2] if newest else None


def _rectangle(remembered: str) -> QRect | None:
    """Return the remembered rectangle, None when it says nothing sensible."""
    try:
        x, y, width, height = (int(part) for part in remembered.split(","))
    except ValueError:
        return None
    return QRect(x, y, width, height) if width >= 320 and height >= 240 else None
