"""Every text that people see goes through the translators; nothing is cut off when words grow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QTableWidget, QWidget
from pytestqt.qtbot import QtBot

from support.pseudo_locale import PseudoTranslator
from support.scenes import SCENES, Scene, build_window, scene_rows, stage_scene
from sync.contract.problems import Problem
from widgets.banner import problem_banner
from widgets.dialogs import about_dialog, keys_dialog
from widgets.theme import Look


@pytest.fixture
def pseudo(qapp: QApplication) -> Iterator[PseudoTranslator]:
    """The pseudo-locale, for one test."""
    translator = PseudoTranslator()
    QCoreApplication.installTranslator(translator)
    yield translator
    QCoreApplication.removeTranslator(translator)


def _texts(root: QWidget) -> Iterator[str]:
    """Yield every text that a window shows or speaks, data left out."""
    yield root.windowTitle()
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.property("is_data"):
            continue
        yield widget.toolTip()
        yield widget.accessibleName()
        if isinstance(widget, QLabel | QAbstractButton):
            yield widget.text()
        if isinstance(widget, QLineEdit):
            yield widget.placeholderText()
        if isinstance(widget, QTableWidget):
            for row in range(widget.rowCount()):
                item = widget.item(row, 0)
                yield item.text() if item is not None else ""
    for action in root.findChildren(QAction):
        yield action.text()


def _is_marked(text: str, pseudo: PseudoTranslator) -> bool:
    """Say whether a text has no letters, or went through the translators."""
    return not any(letter.isalpha() for letter in text) or pseudo.open in text


@pytest.mark.parametrize("scene", [SCENES[0], SCENES[3], SCENES[7]], ids=lambda scene: scene.name)
def test_no_text_of_the_window_is_untranslated(
    scene: Scene, pseudo: PseudoTranslator, look: Look, qtbot: QtBot
) -> None:
    """Labels, buttons, actions, tool tips and names all come from the translators."""
    window, source = build_window(scene, look)
    qtbot.addWidget(window)
    window.show()
    stage_scene(scene, window, source)
    # What the composition passes in is data here: it translated it itself.
    window.view_bar.set_view("")
    window.status_line.set_last_action("")
    bare = {text for text in _texts(window) if not _is_marked(text, pseudo)}
    assert bare <= {""}


def test_no_word_on_the_cards_is_untranslated(pseudo: PseudoTranslator, look: Look, qtbot: QtBot) -> None:
    """What the board paints is data of the orders, figures, or translated."""
    window, _ = build_window(Scene("cards"), look)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    window.board.repaint()
    data = set()
    for row in scene_rows():
        data |= {f"#{row.number}", row.customer, f" · {row.city}", row.carrier, row.claimed_by, row.exception}
        data |= {row.hold_reason}
    painted = {text for text, _ in window.board.pictures.texts.known()}
    assert painted
    bare = {text for text in painted if not _is_marked(text, pseudo)} - data
    assert bare == set()


@pytest.mark.parametrize("which", ["keys", "about"])
def test_no_text_of_the_dialogs_is_untranslated(
    which: str, pseudo: PseudoTranslator, look: Look, qtbot: QtBot
) -> None:
    """The keys and the about window are translated too."""
    window, _ = build_window(Scene("dialogs", rows=list), look)
    qtbot.addWidget(window)
    specs = window.actions_book.specs()
    dialog = keys_dialog(look, specs, window) if which == "keys" else about_dialog(look, "0.1.0", window)
    assert all(_is_marked(text, pseudo) for text in _texts(dialog))


def test_a_problem_keeps_its_own_words(pseudo: PseudoTranslator) -> None:
    """A problem arrives in the person's words; the banner adds none of its own but the code."""
    message = problem_banner(Problem("DISK_FULL", "This machine cannot store more moves.", "Call IT."))
    assert message.strong == "This machine cannot store more moves."
    assert message.text == "Call IT. [DISK_FULL]"
