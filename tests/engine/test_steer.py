"""Steering: what each operation adds, and that nothing else changes."""

from __future__ import annotations

import torch

from tests.engine.tiny import fader
from undersong.engine.sae import Sae
from undersong.engine.steer import Steering


def stream(rows: int = 3, tokens: int = 4) -> torch.Tensor:
    """A random residual stream with a negative zero in it."""
    x = torch.randn(rows, tokens, 32, generator=torch.Generator().manual_seed(1)) * 2
    x[:, -1, 0] = -0.0
    return x


def test_silence_hands_the_same_tensor_back(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    assert steering(x) is x
    steering.set(1, (fader(sae, 3, 0.0), fader(sae, 4, muted=True)))
    assert steering(x) is x
    steering.set(1, (fader(sae, 3),))
    assert steering(x) is not x
    steering.set(1, (fader(sae, 3),), master=0.0)
    assert steering(x) is x


def test_unsteered_rows_stay_bit_for_bit(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    steering.set(1, (fader(sae, 3), fader(sae, 5, op="ablate")))
    edited = steering(x)
    for row in (0, 2):
        assert edited[row].numpy().tobytes() == x[row].numpy().tobytes(), "also the sign of zero"
    assert not torch.equal(edited[1], x[1])


def test_add_moves_the_newest_token_along_the_directions(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    steering.set(2, (fader(sae, 3, 0.5), fader(sae, 7, -1.0)), master=0.5)
    edited = steering(x)
    wanted = x[2, -1] + 0.5 * (0.5 * 20.0 * sae.direction(3) - 20.0 * sae.direction(7))
    assert torch.allclose(edited[2, -1], wanted, atol=1e-5)
    assert torch.equal(edited[:, :-1], x[:, :-1])


def test_solo_silences_the_others(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    steering.set(0, (fader(sae, 3), fader(sae, 7, soloed=True)))
    assert torch.allclose(steering(x)[0, -1], x[0, -1] + 20.0 * sae.direction(7), atol=1e-5)


def test_ablating_equals_zeroing_in_the_full_dictionary_with_its_error_kept(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    shown = sae.encode(x[0, -1]).topk(3).indices.tolist()
    assert sae.encode(x[0, -1], shown).min() > 0, "the fixture must have something to ablate"
    steering.set(0, tuple(fader(sae, i, op="ablate") for i in shown))
    activations = sae.encode(x[0, -1])
    error = x[0, -1] - sae.decode(activations)
    activations[shown] = 0.0
    assert torch.allclose(steering(x)[0, -1], sae.decode(activations) + error, atol=1e-4)


def test_ablating_what_does_not_show_changes_nothing(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream()
    hidden = int((sae.encode(x[0, -1]) == 0).nonzero()[0])
    steering.set(0, (fader(sae, hidden, op="ablate"),))
    assert torch.equal(steering(x)[0], x[0])


def test_ablation_reads_the_stream_before_any_edit(sae: Sae) -> None:
    both, added, ablated = (Steering(sae, 1) for _ in range(3))
    x = stream(rows=1)
    feature = int(sae.encode(x[0, -1]).argmax())
    both.set(0, (fader(sae, feature), fader(sae, feature, op="ablate")))
    added.set(0, (fader(sae, feature),))
    ablated.set(0, (fader(sae, feature, op="ablate"),))
    assert torch.allclose(both(x), added(x) + ablated(x) - x, atol=1e-5)


def test_half_precision_is_added_in_full_and_rounded_once(sae: Sae) -> None:
    steering, x = Steering(sae, 3), stream().bfloat16() * 100
    steering.set(1, tuple(fader(sae, i, 0.05) for i in range(12)))
    edited = steering(x)
    shift = sum(sae.direction(i) for i in range(12))
    assert edited.dtype == torch.bfloat16
    assert torch.equal(edited[1, -1], (x[1, -1].float() + shift).bfloat16())


def test_a_move_acts_at_once_and_leaves_no_trace(sae: Sae) -> None:
    steering, x = Steering(sae, 2), stream(rows=2)
    steering.set(1, (fader(sae, 3), fader(sae, 5, op="ablate")))
    steering.set(1, (fader(sae, 9),))
    fresh = Steering(sae, 2)
    fresh.set(1, (fader(sae, 9),))
    assert torch.equal(steering(x), fresh(x))
    steering.set(1, ())
    assert steering(x) is x
