"""Labels: sheets for readers, taking their files in, blind tests and their scores."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from models.recipe import labels
from models.recipe.label_file import parse_line, read_labels, repeated
from undersong.core.features import Example, FeatureCard
from undersong.engine.library import Entry, FeatureLibrary, Verdict, write_library

SAE = "made-1"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A library of six features and passages to test their labels with."""
    examples = tuple(
        Example((*(" w",) * 20, " the", " sea", ",", "\n", *(" w",) * 8), (0.0,) * 20 + (s, s, 0.0, 0.0) + (0.0,) * 8)
        for s in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05, 0.02)
    )
    entries = [
        Entry(FeatureCard(i, "by rule", False, 0.0, 0.01, 3.0, ("wave",), ("oven",), (), examples), (0.0,) * 22)
        for i in range(6)
    ]
    write_library(tmp_path / "library.sqlite", {"d_sae": 8, "sae": SAE, "model": "made", "tokens": 9}, entries)
    with (tmp_path / "label_windows.jsonl").open("w") as file:
        for i in range(6):
            passages = {kind: [f"{kind} {i} {n}" for n in range(count)] for kind, count in KINDS.items()}
            file.write(json.dumps({"feature": i, **passages}) + "\n")
    return tmp_path


KINDS = {"shows": 8, "hard": 4, "other": 8}


def run(monkeypatch: pytest.MonkeyPatch, work: Path, command: str, *rest: str | Path) -> None:
    fixed = ["--work", str(work), "--labels", str(work / "labels.tsv")]
    monkeypatch.setattr(sys, "argv", ["labels", command, *fixed, *map(str, rest)])
    labels.main()


def give(monkeypatch: pytest.MonkeyPatch, work: Path, *lines: str) -> None:
    (work / "reader.tsv").write_text("\n".join(lines))
    run(monkeypatch, work, "apply", work / "reader.tsv")


def sections(folder: Path, name: str) -> dict[int, list[str]]:
    """Feature → its lines, over all the sheets of a folder."""
    found = {}
    for path in folder.glob(f"{name}_*.txt"):
        for part in path.read_text("utf-8").split("\n## ")[1:]:
            head, *lines = part.strip().split("\n")
            found[int(head.split()[0])] = lines
    return found


def test_sheets_show_marked_passages_and_words(monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
    run(monkeypatch, work, "sheets", "--out", work / "sheets", "--parts", "4")
    found = sections(work / "sheets", "sheet")
    assert len(list((work / "sheets").iterdir())) == 4
    assert sorted(found) == list(range(6))
    passages = found[2][:-2]
    assert len(passages) == labels.SHEET_EXAMPLES
    assert "w «the sea», w" in passages[0]
    assert [int(line.split("%")[0]) for line in passages] == [100, 80, 60, 40, 30, 10, 2]
    assert found[2][-2:] == ["+ wave", "- oven"]


def test_readers_labels_go_to_the_file_and_the_library(monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
    give(monkeypatch, work, "# my labels", "4\tships at sea\t1", "", "1\tmixed small words\t0")
    lines = (work / "labels.tsv").read_text("utf-8").splitlines()
    assert lines[0] == f"# {SAE}"
    assert lines[2:] == ["1\tmixed small words\t0\t0.000", "4\tships at sea\t1\t0.000"]
    library = FeatureLibrary.open(work / "library.sqlite")
    assert (library.card(4).label, library.card(4).clear) == ("ships at sea", True)
    assert library.card(0).label == "by rule"
    assert library.search("ship").hits[0].feature == 4


def test_lines_with_a_problem_are_named_and_left_out(
    monkeypatch: pytest.MonkeyPatch, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, work, "0\tships at sea\t1", "1\tsea\t1", "9\tno such one\t1", "2 spaces not tabs 1")
    printed = capsys.readouterr().out
    assert "reader.tsv, line 2: feature 1: “sea” has 1 words" in printed
    assert "reader.tsv, line 3: “9” is not the number" in printed
    assert "reader.tsv, line 4: expected feature, label and 1 or 0" in printed
    assert read_labels(work / "labels.tsv", SAE) == {0: Verdict("ships at sea", True, 0.0)}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("1\tthe\t1", "two to six"),
        ("1\ta b c d e f g\t1", "has 7 words"),
        ("1\ttoken: the\t1", "says “token”"),
        ("1\tfiring on latents\t1", "says “latents”"),
        ("1\tgoing home\tyes", "third column"),
        ("-1\tgoing home\t1", "not the number"),
    ],
)
def test_a_bad_label_gets_a_sentence(line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_line(line, {1})


def test_one_label_for_many_features_is_reported() -> None:
    same = {i: Verdict("going home", True, 0.0) for i in range(4)}
    assert "is the label of 4 features (0, 1, 2, 3)" in repeated(same)[0]
    del same[0]
    assert repeated(same) == []


def answers(work: Path, right: set[int]) -> list[str]:
    """Perfect answers for some features, useless ones for the others."""
    key = json.loads((work / "label_tests.key.json").read_text())
    return [
        f"{f}\t" + "".join(str(3 * shows) if int(f) in right else "1" for shows in entry["shows"])
        for f, entry in key.items()
    ]


def test_blind_tests_hide_the_key_and_scores_come_back(
    monkeypatch: pytest.MonkeyPatch, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, work, *(f"{i}\tquality number {i} of six\t1" for i in range(5)))
    run(monkeypatch, work, "tests", "--out", work / "tests", "--parts", "2")
    found, key = sections(work / "tests", "test"), json.loads((work / "label_tests.key.json").read_text())
    assert sorted(found) == list(range(5)), "a feature without a reader's label is not tested"
    for feature, lines in found.items():
        assert [line[0] for line in lines] == list("abcdefgh")
        shown = [int(line.split()[1] == "shows") for line in lines]
        assert shown == key[str(feature)]["shows"]
        assert sum(shown) == 4
        assert sum("hard" in line for line in lines) == 2
    assert len({tuple(entry["shows"]) for entry in key.values()}) > 1
    (work / "answers.tsv").write_text("\n".join([*answers(work, {0, 1, 2, 3}), "5\t00000000", "1\t0123"]))
    run(monkeypatch, work, "score", work / "answers.tsv", "--final")
    printed = capsys.readouterr().out
    assert "“5” is not a feature of this test" in printed
    assert "expected 8 digits from 0 to 3, found “0123”" in printed
    assert "1 labels are below 0.7" in printed
    library = FeatureLibrary.open(work / "library.sqlite")
    assert [library.card(i).auroc for i in range(6)] == [1, 1, 1, 1, 0.5, 0]
    assert [library.card(i).clear for i in range(6)] == [True, True, True, True, False, False]


def test_a_label_written_again_is_measured_again_on_other_passages(
    monkeypatch: pytest.MonkeyPatch, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    give(monkeypatch, work, "0\tships at sea\t1", "1\tkings and queens\t1")
    run(monkeypatch, work, "tests", "--out", work / "first", "--parts", "1")
    (work / "answers.tsv").write_text("\n".join(answers(work, {0})))
    run(monkeypatch, work, "score", work / "answers.tsv")
    run(monkeypatch, work, "sheets", "--out", work / "again", "--below", "0.7")
    assert list(sections(work / "again", "sheet")) == [1]
    assert "“kings and queens” did not predict it" in "".join(p.read_text("utf-8") for p in (work / "again").iterdir())
    give(monkeypatch, work, "0\tships at sea\t1", "1\tcastles and thrones\t1")
    assert read_labels(work / "labels.tsv", SAE)[0].auroc == 1.0
    assert read_labels(work / "labels.tsv", SAE)[1].auroc == 0.0
    run(monkeypatch, work, "score", work / "answers.tsv")
    assert "feature 1: its label has changed since the test was written" in capsys.readouterr().out
    run(monkeypatch, work, "tests", "--out", work / "second", "--parts", "1", "--turn", "1", "--below", "0.7")
    first, second = sections(work / "first", "test"), sections(work / "second", "test")
    assert list(second) == [1]
    assert not {line[2:] for line in first[1]} & {line[2:] for line in second[1]}


@pytest.mark.parametrize(
    ("scores", "shows", "expected"),
    [
        ([3, 3, 0, 0], [1, 1, 0, 0], 1.0),
        ([0, 3], [1, 0], 0.0),
        ([1, 1, 1], [1, 0, 0], 0.5),
        ([2, 1, 1], [1, 1, 0], 0.75),
    ],
)
def test_auroc(scores: list[int], shows: list[int], expected: float) -> None:
    assert labels.auroc(scores, shows) == expected
