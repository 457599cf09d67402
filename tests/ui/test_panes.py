"""The two panes: takes, heat, footers, scrolling together, tabs; and the opening's field above them."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractSlider, QApplication
from pytestqt.qtbot import QtBot

from tests.ui.conftest import MakeWindow
from undersong.core.messages import Reading, Tokens
from undersong.core.mixing import Mix
from undersong.core.project import SessionState
from undersong.core.recipe import Recipe
from undersong.core.sampling import Sampling
from undersong.core.takes import PaneText, Take
from undersong.ui.heat import Heat, read_pane
from undersong.ui.panes.pane_pair import PanePair, piece_at, without_indent
from undersong.ui.session import Session

LONG = " The boat went down to the sea and came back again." * 60


def take(base: str, mixed: str, **changes: object) -> Take:
    """A take that somebody wrote."""
    panes = (PaneText("base", base, "words"), PaneText("mix", mixed, "words"))
    made = Take("Once", panes, Recipe("m", "s", Mix(), Sampling(), ""), state="whole")
    return (
        made if not changes else type(made)(**{f: changes.get(f, getattr(made, f)) for f in made.__dataclass_fields__})
    )


def pair(qtbot: QtBot, *takes: Take) -> PanePair:
    """Panes on a session with these takes, the last one on show."""
    state = SessionState(takes=takes, shown=takes[-1].id if takes else "")
    panes = PanePair(Session(state=state))
    qtbot.addWidget(panes)
    panes.resize(900, 400)
    panes.show()
    return panes


def session_of(panes: PanePair) -> Session:
    """The session that panes show."""
    return panes._session


def test_footers_say_where_the_texts_part(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" down to the road", " down to the salt sea"))
    assert panes.base.words.text() == "4 words"
    assert panes.mix.parting.text() == "parts ways at word 4"
    assert panes.mix.view.text() == "down to the salt sea"


def test_equal_texts_are_called_equal(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" down to the road", " down to the road"))
    assert panes.mix.parting.text() == "word for word the same"


def test_reasons_are_told_in_words(qtbot: QtBot) -> None:
    texts = {
        "stopped": "stopped at 2 words",
        "end": "2 words, and it ended there",
        "context": "2 words, all this model can hold",
    }
    for reason, words in texts.items():
        panes = (PaneText("base", " a b", reason), PaneText("mix", " a b", reason))  # type: ignore[arg-type]
        assert pair(qtbot, take("", "", panes=panes)).base.words.text() == words
    cut = pair(qtbot, take("", "", panes=(PaneText("base", " a b"), PaneText("mix", " a b")), state="interrupted"))
    assert cut.base.words.text() == "interrupted at 2 words"


def test_takes_are_browsed_and_kept(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" one", " one"), take(" two", " two"))
    session = session_of(panes)
    session.show_take(-1)
    assert panes.base.view.text() == "one"
    assert panes._place.text() == "Take 1 of 2"
    panes.mix.keep.click()
    assert session.takes[0].kept
    assert panes.base.keep.isChecked()


def test_copying_takes_the_text_without_its_first_space(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" one", " two\n"))
    panes.mix.copy.click()
    assert QGuiApplication.clipboard().text() == "two"


def test_panes_scroll_together_until_they_are_unlinked(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(LONG, LONG))
    base, mixed = panes.base.view.verticalScrollBar(), panes.mix.view.verticalScrollBar()
    up = QAbstractSlider.SliderAction.SliderPageStepSub
    qtbot.waitUntil(lambda: all(500 < bar.value() == bar.maximum() for bar in (base, mixed)))
    mixed.triggerAction(up)
    qtbot.waitUntil(lambda: 0 < base.value() < base.maximum())
    assert not panes.base.view.is_following()
    panes.mix.view.follow()
    qtbot.waitUntil(panes.base.view.is_following)
    session_of(panes).set_link_panes(False)
    mixed.triggerAction(up)
    QApplication.processEvents()
    assert panes.base.view.is_following()


def test_narrow_panes_become_tabs(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" one", " two"))
    assert panes.base.isVisible()
    assert panes.mix.isVisible()
    panes.resize(500, 400)
    assert not panes.base.isVisible()
    panes._which.button(0).click()
    assert panes.base.isVisible()
    assert not panes.mix.isVisible()


def test_the_plain_version_can_be_put_away(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" one", " two"))
    panes.show_plain(False)
    assert not panes.base.isVisible()
    assert session_of(panes).saved.layout["plain"] == "hidden"


def test_a_changed_mix_makes_the_take_an_older_one(qtbot: QtBot) -> None:
    panes = pair(qtbot, take(" one", " two"))
    session_of(panes).add_feature(0, "the sea")
    assert panes.mix.parting.text() == "parts ways at word 1  ·  older mix"


def test_heat_is_painted_for_the_focused_channel(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    session = window.session
    session.add_feature(0, "the sea")
    session.set_opening("Once upon a time")
    session.set_sampling(words=12)
    with qtbot.waitSignals([(session.stream_finished, "finished"), (session.reading_arrived, "one")]):
        session.generate()
    assert window.panes.mix.aside.text() == "showing “the sea”"
    session.toggle_heat()
    assert window.panes.mix.aside.text() == ""
    with qtbot.waitSignal(session.card_arrived):
        session.inspect(3)
    session.toggle_heat()
    assert window.panes.mix.aside.text() == "showing “dialogue with a question”"


def test_trying_alone_names_the_pane(make_window: MakeWindow, qtbot: QtBot) -> None:
    window = make_window()
    session = window.session
    session.search("anger")
    with qtbot.waitSignal(session.results_arrived):
        pass
    session.set_opening("Once upon a time")
    session.set_sampling(words=5)
    with qtbot.waitSignal(session.stream_finished):
        session.try_alone(6)
    assert window.panes.mix.title.text() == "Only “anger rising”"


def test_live_heat_belongs_to_the_word_before() -> None:
    heat = Heat(("", ""))
    heat.add(Tokens(1, 0, (" a", " b")))
    heat.add(Tokens(1, 1, (" c", ""), ended=(1,), readings=((2.0,), (4.0,)), watched=(7,)))
    heat.add(Tokens(1, 2, (" d", ""), readings=((0.0,), (1.0,)), watched=(7,)))
    heat.add(Tokens(1, 3, (" e", ""), readings=((0.0,), (9.0,)), watched=(7,)))
    assert heat.of(0, 7, 4.0) == ([" a", " c", " d", " e"], [0.5, 0.0, 0.0, 0.0])
    assert heat.of(1, 7, 4.0) == ([" b"], [0.25])
    assert heat.of(0, 8, 4.0)[1] == [0.0] * 4


def test_a_reading_is_cut_to_its_pane() -> None:
    reading = Reading(1, (7,), ("On", "ce up", "on", " a"), ((1.0, 2.0, 3.0, 4.0),))
    pane = read_pane(1, reading, "Once", " upon a")
    assert (pane.pieces, pane.values) == ((" up", "on", " a"), ((2.0, 3.0, 4.0),))
    late = read_pane(0, Reading(1, (7,), ("on", " a"), ((3.0, 4.0),), start=7), "Once", " upon a")
    assert (late.pieces, late.values) == ((" up", "on", " a"), ((0.0, 3.0, 4.0),))


def test_small_parts() -> None:
    assert without_indent([" ", "\n", " a", " b"]) == ["", "", "a", " b"]
    assert piece_at(["ab", "", "cd"], 2) == 2
    assert piece_at(["ab"], -1) == -1
    assert piece_at(["ab"], 5) == -1
