"""Prose on screen: where tokens lie, heat, following the newest words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QFontMetricsF, QHelpEvent, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton, QToolTip
from pytestqt.qtbot import QtBot

from tests.ui.dressed import dress
from undersong.ui.widgets.prose_heat import TokenMap, utf16_length
from undersong.ui.widgets.prose_view import MEASURE, SAMPLE, ProseView

WORDS = tuple(f" word{i}" for i in range(400))


@pytest.fixture
def prose(qtbot: QtBot, qapp: QApplication) -> ProseView:
    dress(qapp)
    made = ProseView("With the mix")
    qtbot.addWidget(made)
    made.resize(520, 300)
    made.show()
    return made


def point_of(prose: ProseView, token: int) -> QPoint:
    """The middle of a token in the viewport."""
    start, end = prose._tokens.span(token)
    cursor = prose.textCursor()
    cursor.setPosition(start)
    left = prose.cursorRect(cursor)
    cursor.setPosition(end)
    return QPoint((left.left() + prose.cursorRect(cursor).left()) // 2, left.center().y())


def is_warm(image: QImage, at: QPoint) -> bool:
    """True where a highlight is painted around a point: the ground is no longer the page's grey-white."""
    colours = [image.pixelColor(at.x(), at.y() + dy) for dy in (-9, 10)]
    return all(colour.red() - colour.blue() > 20 for colour in colours)


def test_tokens_are_found_across_characters_of_two_units() -> None:
    tokens = TokenMap()
    tokens.add(["a🙂", "b", "", "c"])
    assert utf16_length("a🙂") == 3
    assert [tokens.at(place) for place in range(-1, 6)] == [-1, 0, 0, 0, 1, 3, -1]
    assert tokens.span(3) == (4, 5)


def test_pieces_become_the_text(prose: ProseView) -> None:
    prose.append_pieces(["It", " rained", ".\n\n", "He 🙂", " slept."])
    assert prose.text() == "It rained.\n\nHe 🙂 slept."
    assert prose.toPlainText() == prose.text()
    assert prose.pieces()[3] == "He 🙂"


def test_the_token_under_the_mouse(prose: ProseView, qtbot: QtBot) -> None:
    prose.append_pieces(["One", " two", " 🙂🙂", " four", "\n", "five"])
    found = [prose.token_at(point_of(prose, token)) for token in (0, 1, 2, 3, 5)]
    assert found == [0, 1, 2, 3, 5]
    assert prose.token_at(QPoint(500, 40)) == -1
    assert prose.token_at(QPoint(100, 290)) == -1
    with qtbot.waitSignal(prose.token_clicked) as clicked:
        QTest.mouseClick(prose.viewport(), Qt.MouseButton.LeftButton, pos=point_of(prose, 2))
    assert clicked.args == [2]


def test_heat_lies_under_its_words_only(prose: ProseView) -> None:
    prose.append_pieces(["The", " lamp", " was", " lit", "."])
    prose.set_heat([0, 0.9, 0, 0, 0], -1, "light")
    image = prose.viewport().grab().toImage()
    assert [is_warm(image, point_of(prose, token)) for token in range(4)] == [False, True, False, False]
    prose.set_heat(None)
    assert not is_warm(prose.viewport().grab().toImage(), point_of(prose, 1))


def test_heat_of_a_token_that_wraps_follows_it(prose: ProseView) -> None:
    prose.append_pieces(["word " * 11 + "end", " wrapped over", " here"])
    prose.set_heat([0, 1.0, 0])
    image = prose.viewport().grab().toImage()
    cursor = prose.textCursor()
    warm = []
    for offset in (2, len(" wrapped ov")):
        cursor.setPosition(prose._tokens.span(1)[0] + offset)
        rect = prose.cursorRect(cursor)
        warm.append(is_warm(image, QPoint(rect.left() + 4, rect.center().y())))
    assert warm == [True, True]


def test_other_divisions_of_the_same_text_move_nothing(prose: ProseView) -> None:
    prose.append_pieces(WORDS)
    prose.verticalScrollBar().setValue(120)
    prose.set_pieces(["".join(WORDS[:200]), "".join(WORDS[200:])], [0.2, 0.8])
    assert prose.verticalScrollBar().value() == 120
    assert len(prose.pieces()) == 2
    prose.set_pieces(["Something", " else"])
    assert prose.text() == "Something else"


def test_it_follows_the_newest_words_until_the_reader_scrolls(prose: ProseView, qtbot: QtBot) -> None:
    bar = prose.verticalScrollBar()
    for i in range(0, 300, 10):
        prose.append_pieces(WORDS[i : i + 10])
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    at = QPointF(100, 100)
    up = QWheelEvent(
        at,
        prose.mapToGlobal(at),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    with qtbot.waitSignal(prose.following_changed):
        QApplication.sendEvent(prose.viewport(), up)
    held = bar.value()
    prose.append_pieces(WORDS[300:])
    assert bar.value() == held
    assert not prose.is_following()
    pill = prose.newest
    assert pill.isVisible()
    QTest.mouseClick(pill, Qt.MouseButton.LeftButton)
    assert prose.is_following()
    assert bar.value() == bar.maximum()
    assert not pill.isVisible()


def test_resizing_does_not_let_go_of_the_end(prose: ProseView, qtbot: QtBot) -> None:
    prose.append_pieces(WORDS)
    prose.resize(300, 200)
    bar = prose.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum())
    assert prose.is_following()


def test_lines_are_no_longer_than_can_be_read(prose: ProseView) -> None:
    prose.append_pieces(WORDS)
    prose.resize(1400, 300)
    prose.grab()
    block = prose.document().begin()
    widest = max(block.layout().lineAt(i).naturalTextWidth() for i in range(block.layout().lineCount()))
    assert widest <= QFontMetricsF(prose.font()).horizontalAdvance(SAMPLE) / len(SAMPLE) * MEASURE + 1


def test_a_blank_line_takes_no_room(prose: ProseView) -> None:
    prose.append_pieces(["One.\n", "\nTwo."])
    layout = prose.document().documentLayout()
    first, last = prose.document().begin(), prose.document().lastBlock()
    assert prose.document().blockCount() == 3
    paragraph = round(17 * 1.65)
    apart = layout.blockBoundingRect(last).top() - layout.blockBoundingRect(first).top()
    assert apart - paragraph <= 12 + 1


def test_a_tooltip_says_how_strongly_a_word_shows_it(
    prose: ProseView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _at, text, _widget: said.append(text))
    prose.append_pieces(["The", " lamp"])
    prose.set_heat([0, 0.43], 0, "Things left unsaid")
    for token in (1, 0):
        at = point_of(prose, token)
        QApplication.sendEvent(prose.viewport(), QHelpEvent(QEvent.Type.ToolTip, at, prose.mapToGlobal(at)))
    assert said == ["“lamp”: Things left unsaid, 43%", ""]


def test_marks_are_painted(prose: ProseView) -> None:
    prose.append_pieces(["One", " two", " three"])
    plain = prose.viewport().grab().toImage()
    prose.set_parting(1)
    parted = prose.viewport().grab().toImage()
    assert parted != plain
    prose.add_tick()
    ticked = prose.viewport().grab().toImage()
    assert ticked != parted
    prose.set_caret(True)
    assert prose.viewport().grab().toImage() != ticked


def test_the_size_can_change(prose: ProseView) -> None:
    prose.append_pieces(["One\n\n", "two three"])
    before = prose.document().size().height()
    prose.set_size(26)
    assert prose.document().size().height() > before
    assert prose.font().pixelSize() == 26


def test_clearing_forgets_everything(prose: ProseView) -> None:
    prose.append_pieces(WORDS, [0.5] * len(WORDS))
    prose.clear_text()
    assert prose.text() == ""
    assert prose.pieces() == ()
    prose.append_pieces(["Anew"], [0.1])
    assert prose.toPlainText() == "Anew"
    assert prose.document().begin().blockFormat().lineHeight() > 20


def test_it_can_be_read_aloud_but_not_written_into(prose: ProseView, qtbot: QtBot) -> None:
    prose.append_pieces(["It", " rained."])
    qtbot.keyClicks(prose, "x")
    assert prose.toPlainText() == "It rained."
    spoken = QAccessible.queryAccessibleInterface(prose)
    assert spoken.text(QAccessible.Text.Name) == "With the mix"
    assert spoken.textInterface().characterCount() == len("It rained.")
    assert prose.findChild(QToolButton) is None
