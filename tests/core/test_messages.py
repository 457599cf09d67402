"""The protocol: every message survives its line, and what is no message is refused with its id."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from undersong.core import messages
from undersong.core.features import Example, FeatureCard, Hit
from undersong.core.messages import EVENTS, REQUESTS, UnknownMessage, parse_event, parse_request, to_line
from undersong.core.mixing import Fader, FeatureRef
from undersong.core.sampling import Sampling

FADER = Fader(FeatureRef("sae", 17), 0.7, "ablate", 3.5, "the sea", soloed=True)
HIT = Hit(17, "the sea", 0.9, 0.01, (0.0, 1.0), False)
EXAMPLE = Example((" the", " sea"), (0.0, 1.0))
CARD = FeatureCard(17, "the sea", True, 0.9, 0.01, 12.0, (" sea",), (" land",), (HIT,), (EXAMPLE,))
CHECK = messages.Check("zero", True, "Bit for bit.")
SAMPLES = [
    messages.Load(1, "model", "sae", "library", "cpu"),
    messages.Unload(2),
    messages.Generate(
        3, "Once\nupon “a” time 🌊", (messages.Pane("base"), messages.Pane("mix", (FADER,), 1.5)), Sampling(), (17,)
    ),
    messages.Levels(3, 1, (FADER,), 0.5),
    messages.Watch(3, (17, 40)),
    messages.Stop(3),
    messages.Search(4, "the sea"),
    messages.Read(5, "text", (17,)),
    messages.Inspect(6, 17),
    messages.Ready(0, messages.PROTOCOL, "0.1.0"),
    messages.Progress(1, "Reading", 0.5),
    messages.Notice(3, "Cut."),
    messages.Loaded(1, "m", "s", "cpu", "float32", 4, 6, 384, 3072, 512, 2.5, 3000, 1e8, {"torch": "2.13.0"}, (CHECK,)),
    messages.Unloaded(2),
    messages.Tokens(3, 0, (" a", ""), (1,), ((0.5,), (0.0,)), (17,), 81.0),
    messages.Finished(3, ("words", "end"), (41, 39), 0.9),
    messages.Results(4, "the sea", (HIT,), 3072, True),
    messages.Reading(5, (17,), ("The",), ((0.0,),), 12),
    messages.Inspected(6, CARD),
    messages.Failed(3, "request", "The opening is empty.", "detail"),
]


def test_the_samples_show_every_message() -> None:
    assert {type(m).__name__ for m in SAMPLES} == {*REQUESTS, *EVENTS}


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: type(m).__name__)
def test_a_message_survives_its_line(message: Any) -> None:
    line = to_line(message)
    assert line.endswith("\n")
    assert line.count("\n") == 1
    parse = parse_request if type(message).__name__ in REQUESTS else parse_event
    assert parse(line) == message


def test_the_docstring_shows_every_message_with_its_own_fields() -> None:
    shown = re.findall(r'^    \{"type": "(\w+)", (.*)\}', messages.__doc__ or "", re.MULTILINE)
    assert {name for name, _ in shown} == {*REQUESTS, *EVENTS}
    for name, rest in shown:
        keys = set(re.findall(r'"(\w+)":', re.sub(r"\[\{.*?\}\]", "[]", rest)))
        assert keys <= {f.name for f in dataclasses.fields((REQUESTS | EVENTS)[name])}, name


def test_events_that_end_a_request_are_events() -> None:
    assert {kind.__name__ for kind in messages.TERMINAL} < set(EVENTS)


def test_floats_travel_with_four_digits() -> None:
    assert '"speed":81.23' in to_line(messages.Tokens(3, 0, (), speed=81.23456))


def test_no_number_is_no_message() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        to_line(messages.Progress(1, "Reading", float("nan")))


@pytest.mark.parametrize(
    ("line", "sentence", "id"),
    [
        ("nonsense", "not JSON", 0),
        ("[1]", "not a message", 0),
        ('{"type": "Sing", "id": 7}', "no message “Sing”", 7),
        ('{"id": 7}', "no message", 7),
        ('{"type": "Tokens", "id": 7}', "no message “Tokens”", 7),
        ('{"type": "Inspect", "id": 7}', "the field “feature” is missing", 7),
        ('{"type": "Inspect", "id": 7, "feature": "x"}', r"Inspect\.feature should be a whole number", 7),
        ('{"type": "Inspect", "id": "x", "feature": 1}', r"Inspect\.id should be a whole number", 0),
    ],
)
def test_what_is_no_request_is_refused_with_its_id(line: str, sentence: str, id: int) -> None:
    with pytest.raises(UnknownMessage, match=sentence) as caught:
        parse_request(line)
    assert caught.value.id == id
