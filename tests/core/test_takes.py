"""Takes: their names, their end, and which of them are remembered."""

from __future__ import annotations

import datetime

from undersong.core.mixing import Mix
from undersong.core.recipe import Recipe, digest
from undersong.core.sampling import Sampling
from undersong.core.takes import NEWEST_TAKES, PaneText, Take, remembered

RECIPE = Recipe("model", "sae", Mix(), Sampling(), digest("Once"))


def take(kept: bool = False) -> Take:
    return Take("Once", (PaneText("base", " upon"), PaneText("mix", " a storm")), RECIPE, kept=kept)


def test_each_take_has_its_own_name_and_knows_when_it_was_begun() -> None:
    one, other = take(), take()
    assert one.id != other.id
    assert datetime.datetime.fromisoformat(one.when).tzinfo is not None


def test_an_interrupted_take_keeps_everything_else() -> None:
    begun = take()
    ended = begun.interrupted()
    assert (ended.state, ended.panes, ended.id) == ("interrupted", begun.panes, begun.id)
    assert ended.length() == len(" upon a storm")


def test_the_newest_and_the_kept_are_remembered_in_order() -> None:
    old, treasured = take(), take(kept=True)
    newest = tuple(take() for _ in range(NEWEST_TAKES))
    assert remembered((old, treasured, *newest)) == (treasured, *newest)
    assert remembered(newest) == newest
    assert remembered(()) == ()
