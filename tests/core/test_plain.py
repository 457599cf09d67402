"""Dataclasses become JSON values and come back the same, or a sentence says which field is wrong."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from undersong.core.plain import from_plain, to_plain


@dataclass(frozen=True)
class Leaf:
    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class Tree:
    leaves: tuple[Leaf, ...]
    kind: Literal["oak", "elm"] = "oak"
    best: Leaf | None = None
    ages: list[int] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    tall: bool = False
    rest: Any = None


FULL = Tree((Leaf("a", 0.1 + 0.2), Leaf("b")), "elm", Leaf("c"), [1, 2], {"x": "y"}, True, {"any": [1, None]})


@pytest.mark.parametrize("tree", [FULL, Tree(())])
def test_a_value_survives_json_exactly(tree: Tree) -> None:
    assert from_plain(Tree, json.loads(json.dumps(to_plain(tree)))) == tree


def test_floats_are_rounded_only_when_asked() -> None:
    assert to_plain((1 / 3, 2e-9 / 3, 7)) == [1 / 3, 2e-9 / 3, 7]
    assert to_plain((1 / 3, 123456.0, 7), digits=4) == [0.3333, 123500.0, 7]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused_both_ways(number: float) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        to_plain(Leaf("a", number))
    with pytest.raises(ValueError, match=r"Leaf\.weight should be a finite number"):
        from_plain(Leaf, {"name": "a", "weight": number})


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        ({}, "the field “leaves” is missing"),
        ([], "Tree should be an object"),
        ({"leaves": "ab"}, r"Tree\.leaves should be a list"),
        ({"leaves": [{"name": 3}]}, r"Tree\.leaves\[0\]\.name should be a text, not '3'"),
        ({"leaves": [{}]}, r"Tree\.leaves\[0\]: the field “name” is missing"),
        ({"leaves": [], "kind": "fir"}, r"Tree\.kind should be one of oak, elm"),
        ({"leaves": [], "ages": [1.5]}, r"Tree\.ages\[0\] should be a whole number"),
        ({"leaves": [], "ages": [True]}, "should be a whole number"),
        ({"leaves": [], "tall": 1}, "should be true or false"),
        ({"leaves": [], "notes": []}, "should be an object"),
        ({"leaves": [], "notes": {"x": 1}}, r"Tree\.notes\.x should be a text"),
        ({"leaves": [{"name": "a", "weight": "1"}]}, "should be a number"),
        ({"leaves": [{"name": "a", "weight": True}]}, "should be a number"),
    ],
)
def test_what_does_not_fit_is_named(plain: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_plain(Tree, plain)


def test_keys_nobody_knows_are_passed_over_and_whole_numbers_become_floats() -> None:
    leaf = from_plain(Leaf, {"name": "a", "weight": 2, "from the future": 1})
    assert leaf == Leaf("a", 2.0)
    assert isinstance(leaf.weight, float)


def test_a_kind_without_a_rule_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="no rule"):
        from_plain(bytes, b"")
