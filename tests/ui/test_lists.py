"""The search panel: the list, the keyboard, the card, and what is said when there is nothing to show."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.ui.dressed import card, dress, hits, nameless, results, session
from undersong.core.features import Example
from undersong.core.messages import Results
from undersong.ui.lists.feature_model import CHANNEL_ROLE, FeatureModel
from undersong.ui.lists.search_panel import SearchPanel
from undersong.ui.lists.wording import how_common, snippet
from undersong.ui.session import Session


@pytest.fixture
def shown(qapp: QApplication) -> Session:
    dress(qapp)
    return session(2)


@pytest.fixture
def panel(qtbot: QtBot, shown: Session) -> SearchPanel:
    made = SearchPanel(shown)
    qtbot.addWidget(made)
    made.resize(312, 752)
    made.show()
    return made


def find(shown: Session, found: Results) -> None:
    """Let the session have found something."""
    shown.results = found
    shown.results_arrived.emit(found)


def words_on(panel: SearchPanel) -> str:
    """All words that labels of the panel show."""
    return " | ".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_the_model_is_a_proper_qt_model(qtmodeltester: ModelTester) -> None:
    model = FeatureModel()
    model.set_hits(hits())
    model.set_channels({1: 0})
    qtmodeltester.check(model)
    spoken = model.data(model.index(1, 0), Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "Salt, tide and weather, 89% match, 1 word in 670, number 1, in the mix"
    assert "its name is a guess" in model.data(model.index(7, 0), Qt.ItemDataRole.AccessibleTextRole)


def test_typing_searches_at_once(panel: SearchPanel, shown: Session, qtbot: QtBot) -> None:
    qtbot.keyClicks(panel.field, "sea")
    assert shown.query == "sea"
    qtbot.keyClick(panel.field, Qt.Key.Key_Escape)
    assert shown.query == ""


def test_results_are_listed_and_counted(panel: SearchPanel, shown: Session) -> None:
    find(shown, results())
    assert panel.table.features.rowCount() == 8
    assert "8 of 3,072 qualities" in words_on(panel)
    find(shown, results(nearest=True, count=3))
    assert "Nothing is called “sorrow”" in words_on(panel)


def test_what_is_in_the_mix_has_its_channel(panel: SearchPanel, shown: Session) -> None:
    find(shown, results())
    model = panel.table.features
    assert [model.index(row, 0).data(CHANNEL_ROLE) for row in range(4)] == [0, 1, -1, -1]
    shown.remove(0)
    assert [model.index(row, 0).data(CHANNEL_ROLE) for row in range(4)] == [-1, 0, -1, -1]


def test_the_keyboard_leads_from_the_field_to_the_mix(panel: SearchPanel, shown: Session, qtbot: QtBot) -> None:
    find(shown, results())
    panel.activateWindow()
    panel.focus_search()
    qtbot.keyClick(panel.field, Qt.Key.Key_Down)
    assert panel.table.hasFocus()
    assert shown.shown_feature == 0
    for _ in range(4):
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert shown.shown_feature == 4
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert shown.position_of(4) == 2
    qtbot.keyClick(panel.table, "x")
    assert panel.field.hasFocus()
    assert shown.query.endswith("x")


def test_enter_in_the_field_adds_the_best(panel: SearchPanel, shown: Session, qtbot: QtBot) -> None:
    shown.clear_mix()
    find(shown, results())
    qtbot.keyClick(panel.field, Qt.Key.Key_Return)
    assert [fader.feature.index for fader in shown.mix.faders] == [0]


def test_the_plus_adds_and_a_new_search_keeps_the_choice(panel: SearchPanel, shown: Session) -> None:
    find(shown, results())
    table = panel.table
    table.setCurrentIndex(table.features.index(5, 0))
    find(shown, results("sorrow nobody"))
    assert table.currentIndex().row() == 5
    assert shown.shown_feature == 5
    row = table.visualRect(table.features.index(2, 0))
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(row.right() - 28, row.center().y()))
    assert shown.position_of(2) == 2


def test_the_mix_filter_shows_the_mix(panel: SearchPanel, shown: Session, qtbot: QtBot) -> None:
    find(shown, results(count=1))
    QTest.mouseClick(panel.mix_chip, Qt.MouseButton.LeftButton)
    assert panel.table.features.rowCount() == 2
    assert "2 in the mix" in words_on(panel)
    shown.clear_mix()
    assert "The mix is empty" in words_on(panel)
    qtbot.keyClicks(panel.field, "a")
    assert panel.all_chip.isChecked()


def test_the_card_says_what_a_quality_is(panel: SearchPanel, shown: Session, qtbot: QtBot) -> None:
    find(shown, results())
    shown.cards[4] = card(4)
    panel.table.setCurrentIndex(panel.table.features.index(4, 0))
    assert panel.card.isVisible()
    assert "#4" in words_on(panel)
    assert "Shows on 1 word in 560" in words_on(panel)
    assert "the second key" in panel.card.examples.text()
    add = panel.card.add_button
    qtbot.waitUntil(lambda: add.isVisible() and add.height() > 20)
    assert panel.table.height() > panel.card.examples.height()
    QTest.mouseClick(add, Qt.MouseButton.LeftButton)
    assert shown.position_of(4) == 2
    assert not add.isVisible()
    shown.focus_channel(0)
    shown.inspect(4)
    QTest.mouseClick(panel.card.found_button, Qt.MouseButton.LeftButton)
    assert shown.focused == 2


def test_weak_and_unclear_qualities_are_called_so(panel: SearchPanel, shown: Session) -> None:
    shown.cards[4] = card(4, clear=False, density=1e-6)
    shown.inspect(4)
    assert "may do little" in words_on(panel)
    assert "its name is a guess" in words_on(panel)


def test_the_card_follows_the_focused_fader(panel: SearchPanel, shown: Session) -> None:
    shown.cards[1] = card(1)
    assert not panel.card.isVisible()
    shown.focus_channel(1)
    assert panel.card.isVisible()
    assert panel.card.found_button.isVisible()


def test_nothing_to_show_is_explained(panel: SearchPanel, shown: Session) -> None:
    assert "Choose a model" in words_on(panel)
    find(shown, Results(1, "qqq", (), 3072))
    assert "Nothing was found for “qqq”" in words_on(panel)
    assert not panel.table.isVisible()


def test_everything_has_a_name(panel: SearchPanel, shown: Session) -> None:
    find(shown, results())
    shown.cards[4] = card(4)
    shown.inspect(4)
    assert nameless(panel) == []
    spoken = QAccessible.queryAccessibleInterface(panel.table)
    assert spoken.role() == QAccessible.Role.Table


def test_a_snippet_is_cut_between_words_around_the_hottest() -> None:
    pieces = tuple(f" w{i}" if i % 2 else f" long{i}er" for i in range(60))
    values = tuple(1.0 if i == 30 else 0.0 for i in range(60))
    shown, heat = snippet(Example(pieces, values))
    assert len(shown) == len(heat)
    assert shown[0] == shown[-1] == "…"
    assert heat[shown.index(" long30er")] == 1.0
    assert len("".join(shown)) < 120
    assert not shown[1].startswith(" ")
    asleep = Example(("He", " sle", "pt.\n\n", " Then"), (0.1, 0.2, 1.0, 0.0))
    assert snippet(asleep) == (["He", " sle", "pt. ", "Then", "…"], [0.1, 0.2, 1.0, 0.0, 0.0])
    assert snippet(Example(("he", " slept."), (0.1, 1.0))) == (["…", "he", " slept."], [0.0, 0.1, 1.0])
    assert snippet(Example((), ())) == ([], [])


@pytest.mark.parametrize(
    ("density", "said"),
    [
        (0.0, "very rare"),
        (0.9, "nearly every word"),
        (0.5, "1 word in 2"),
        (0.0031, "1 word in 320"),
        (8e-5, "1 word in 12,000"),
    ],
)
def test_how_common_is_said_in_words(density: float, said: str) -> None:
    assert how_common(density) == said
