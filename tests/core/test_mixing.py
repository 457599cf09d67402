"""Which faders act, and how strongly."""

from __future__ import annotations

from dataclasses import replace

from undersong.core.mixing import Fader, FeatureRef, Mix, audible, coefficient

SEA = Fader(FeatureRef("sae", 1), 0.5, unit=4.0)
JOY = Fader(FeatureRef("sae", 2), -1.0, unit=2.0)
GONE = Fader(FeatureRef("sae", 3), 0.0, "ablate")


def test_every_fader_that_moves_something_acts() -> None:
    silent = replace(SEA, level=0.0)
    assert audible((SEA, JOY, GONE, silent), 1.0) == (SEA, JOY, GONE)


def test_muted_faders_are_left_out() -> None:
    assert audible((replace(SEA, muted=True), JOY), 1.0) == (JOY,)


def test_a_solo_silences_the_others_but_not_a_mute() -> None:
    solo, muted_solo = replace(JOY, soloed=True), replace(GONE, soloed=True, muted=True)
    assert audible((SEA, solo, muted_solo), 1.0) == (solo,)


def test_the_whole_mix_at_zero_is_silence() -> None:
    assert Mix(faders=(SEA, GONE), master=0.0).audible() == ()


def test_the_coefficient_is_level_times_unit_times_whole_mix() -> None:
    assert coefficient(SEA, 1.5) == 0.5 * 4.0 * 1.5
    assert coefficient(JOY, 1.0) == -2.0


def test_one_fader_changes_and_the_rest_stays() -> None:
    mix = Mix("m", (SEA, JOY))
    moved = mix.with_fader(1, level=0.25)
    assert moved.faders == (SEA, replace(JOY, level=0.25))
    assert mix.faders == (SEA, JOY)
    assert moved.index_of(JOY.feature) == 1
    assert moved.index_of(GONE.feature) == -1
