"""Step 6: labels for the features, written by readers (people or language models) and tested blind.

    sheets   text sheets to read: passages and words of every feature
    apply    take in readers' files ``feature<TAB>label<TAB>clear (1/0)``
    tests    blind sheets: does the label say in which of eight unseen passages the feature shows?
    score    take in answers ``feature<TAB>eight digits 0…3`` and work out each label's AUROC

Run: ``python -m models.recipe.labels sheets --work FOLDER --out FOLDER``
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from models.recipe.label_file import LABELS, parse_line, read_labels, repeated, write_labels
from undersong.core.features import Example, FeatureCard
from undersong.engine.library import FeatureLibrary, Verdict, relabel

SEED = 20261123
SHEET_EXAMPLES = 7
SHEET_TOKENS = 24
SHEET_WORDS = 10
GOOD_ENOUGH = 0.7
HOW_TO_LABEL = """\
For every quality below write one line:  number<TAB>label<TAB>clear
- The passages run from where it shows most to where it shows faintly; «» marks the words on which it shows (it knows
  only what stands before them). + words it makes likelier, - words it makes unlikelier.
- label: 2 to 6 words a writer would use for what the passages share ("someone about to cry", "old-fashioned diction",
  "dialogue with a question", "the word before a name"). Name the narrowest thing true of most passages.
  No quotes, no "token: the", no jargon. Do not give two qualities the same label.
- clear: 1 if somebody with only your label could tell in which passages it shows, otherwise 0.
"""
HOW_TO_TEST = """\
For every label below judge each of the passages a to h: does what the label says appear in it?
Write one line a label:  number<TAB>eight digits, one for each passage from a to h:
0 surely not, 1 rather not, 2 rather yes, 3 surely.  About half of the passages are yes.
"""


def marked(example: Example) -> str:
    """One line of a passage, about SHEET_TOKENS long, with «» around the words on which the feature shows."""
    peak = example.values.index(max(example.values))
    begin = max(0, min(peak - SHEET_TOKENS * 3 // 4, len(example.values) - SHEET_TOKENS))
    window = slice(begin, begin + SHEET_TOKENS)
    floor = min(0.15, max(example.values) / 2)
    text = "".join(
        re.sub(r"^(\s*)(.*)$", r"\1«\2»", piece, flags=re.DOTALL) if value >= floor and piece.strip() else piece
        for piece, value in zip(example.pieces[window], example.values[window], strict=True)
    )
    return " ".join(re.sub(r"»(\s*)«", r"\1", text).split())


def sheet_of(card: FeatureCard) -> str:
    """What a reader sees of one feature."""
    step = max(1.0, (len(card.examples) - 1) / (SHEET_EXAMPLES - 1))
    chosen = sorted({round(i * step) for i in range(SHEET_EXAMPLES)})
    lines = [f"{max(e.values):.0%} {marked(e)}" for e in (card.examples[i] for i in chosen if i < len(card.examples))]
    likelier, unlikelier = (" ".join(words[:SHEET_WORDS]) for words in (card.promoted, card.suppressed))
    before = f"; “{card.label}” did not predict it" if 0 < card.auroc < GOOD_ENOUGH else ""
    head = f"## {card.feature}  (on {card.density:.2%} of words{before})"
    return "\n".join([head, *lines, f"+ {likelier}", f"- {unlikelier}"])


def write_sheets(args: argparse.Namespace) -> None:
    library = FeatureLibrary.open(args.library)
    cards = [library.card(number) for number in live_features(library)]
    if args.below:
        cards = [card for card in cards if 0 < card.auroc < args.below]
    write_parts(args, "sheet", HOW_TO_LABEL, [sheet_of(card) for card in cards])


def write_parts(args: argparse.Namespace, name: str, how: str, sheets: list[str]) -> None:
    """Spread sheets evenly over ``args.parts`` numbered files, each beginning with what to do."""
    args.out.mkdir(parents=True, exist_ok=True)
    for part in range(args.parts):
        own = sheets[part * len(sheets) // args.parts : (part + 1) * len(sheets) // args.parts]
        path = args.out / f"{name}_{part + 1}.txt"
        path.write_text("\n\n".join([how.strip(), *own]) + "\n", encoding="utf-8")
        print(f"{path}: {len(own)} qualities", flush=True)


def live_features(library: FeatureLibrary) -> list[int]:
    """Numbers of all features that show."""
    return sorted(hit.feature for hit in library.search("", library.size).hits)


def apply_labels(args: argparse.Namespace) -> None:
    library = FeatureLibrary.open(args.library)
    sae, known = str(library.meta["sae"]), set(live_features(library))
    verdicts = read_labels(args.labels, sae)
    problems = []
    for where, line in lines_of(args.files):
        try:
            feature, verdict = parse_line(line, known)
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        if feature not in verdicts or verdicts[feature].label != verdict.label:
            verdicts[feature] = verdict
        else:
            verdicts[feature] = replace(verdicts[feature], clear=verdict.clear)
    finish(args, library, verdicts)
    for problem in problems + repeated(verdicts):
        print(problem, flush=True)
    print(f"{len(verdicts)} of {len(known)} features have a label; {len(problems)} lines were left out", flush=True)


def lines_of(files: Iterable[Path]) -> Iterable[tuple[str, str]]:
    """Lines of readers' files with where they stand; empty ones and comments are passed over."""
    for path in files:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith(("#", "feature\t")):
                yield f"{path.name}, line {number}", line


def finish(args: argparse.Namespace, library: FeatureLibrary, verdicts: dict[int, Verdict]) -> None:
    """Write labels to the repository's file and into the library."""
    sae = str(library.meta["sae"])
    library.close()
    write_labels(args.labels, sae, verdicts)
    relabel(args.library, verdicts)


def pick_windows(record: dict, turn: int) -> list[tuple[str, int]]:
    """Up to four passages with the feature and four without, two of those hard, different ones for each turn."""
    half = turn % 2
    shows = record["shows"][half::2] or record["shows"]
    hard = record["hard"][2 * half : 2 * half + 2]
    other = record["other"][4 * half : 4 * half + 4]
    without = (hard + other)[:4]
    return [(text, 1) for text in shows[:4]] + [(text, 0) for text in without]


def write_tests(args: argparse.Namespace) -> None:
    library = FeatureLibrary.open(args.library)
    verdicts = read_labels(args.labels, str(library.meta["sae"]))
    sheets, key = [], {}
    for line in (args.work / "label_windows.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        verdict = verdicts.get(record["feature"])
        windows = pick_windows(record, args.turn)
        wanted = verdict is not None and (not args.below or verdict.auroc < args.below)
        if not wanted or verdict is None or len({shows for _, shows in windows}) < 2:
            continue
        random.Random(SEED + record["feature"]).shuffle(windows)
        lines = [f"{chr(97 + i)} {' '.join(text.split())}" for i, (text, _) in enumerate(windows)]
        sheets.append("\n".join([f"## {record['feature']}  {verdict.label}", *lines]))
        key[record["feature"]] = {"label": verdict.label, "shows": [shows for _, shows in windows]}
    write_parts(args, "test", HOW_TO_TEST, sheets)
    args.key.write_text(json.dumps(key, ensure_ascii=False, indent=0), encoding="utf-8")
    print(f"{len(key)} labels to test, the key is in {args.key}: keep it from the readers", flush=True)


def auroc(scores: list[int], shows: list[int]) -> float:
    """Chance that a passage with the feature is scored above one without, a tie counting half."""
    with_it = [s for s, x in zip(scores, shows, strict=True) if x]
    without = [s for s, x in zip(scores, shows, strict=True) if not x]
    wins = sum((a > b) + (a == b) / 2 for a in with_it for b in without)
    return wins / (len(with_it) * len(without))


def parse_answer(line: str, key: dict[str, dict], verdicts: dict[int, Verdict]) -> tuple[int, float]:
    """The AUROC in a line of answers; raises ValueError with a sentence."""
    number, _, digits = (part.strip() for part in line.partition("\t"))
    if number not in key:
        raise ValueError(f"“{number}” is not a feature of this test")
    shows = key[number]["shows"]
    if len(digits) != len(shows) or not set(digits) <= set("0123"):
        raise ValueError(f"feature {number}: expected {len(shows)} digits from 0 to 3, found “{digits}”")
    verdict = verdicts.get(int(number))
    if verdict is None or verdict.label != key[number]["label"]:
        raise ValueError(f"feature {number}: its label has changed since the test was written")
    # 0 would say “not measured”
    return int(number), max(0.01, auroc([int(d) for d in digits], shows))


def score_labels(args: argparse.Namespace) -> None:
    library = FeatureLibrary.open(args.library)
    verdicts = read_labels(args.labels, str(library.meta["sae"]))
    key = json.loads(args.key.read_text(encoding="utf-8"))
    for where, line in lines_of(args.files):
        try:
            feature, value = parse_answer(line, key, verdicts)
        except ValueError as error:
            print(f"{where}: {error}", flush=True)
            continue
        earlier = verdicts[feature].auroc
        # A name that was tested before, on other passages, gets the mean of both tests
        verdicts[feature] = replace(verdicts[feature], auroc=(earlier + value) / 2 if earlier and args.again else value)
    poor = {f: v for f, v in verdicts.items() if 0 < v.auroc < GOOD_ENOUGH}
    if args.final:
        verdicts |= {f: replace(v, clear=False) for f, v in poor.items()}
    finish(args, library, verdicts)
    report(verdicts, poor)


def report(verdicts: dict[int, Verdict], poor: dict[int, Verdict]) -> None:
    """Print how the AUROCs spread and which labels want rewriting."""
    measured = sorted(v.auroc for v in verdicts.values() if v.auroc)
    if measured:
        deciles = ", ".join(f"{measured[min(len(measured) - 1, i * len(measured) // 10)]:.2f}" for i in range(1, 10))
        good = sum(a >= 0.8 for a in measured) / len(measured)
        print(f"{len(measured)} measured; deciles {deciles}; at least .8: {good:.0%}", flush=True)
    for feature, verdict in sorted(poor.items()):
        print(f"{feature}\t{verdict.label}\t{verdict.auroc:.2f}", flush=True)
    print(f"{len(poor)} labels are below {GOOD_ENOUGH}: write sheets --below {GOOD_ENOUGH}", flush=True)
    print(f"{sum(v.clear for v in verdicts.values())} of {len(verdicts)} are clear", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Step 6: labels for the features, written by readers and tested blind."
    )
    steps = parser.add_subparsers(required=True)

    def step(name: str, run: Callable[[argparse.Namespace], None], about: str) -> argparse.ArgumentParser:
        own = steps.add_parser(name, help=about, description=about)
        own.set_defaults(run=run)
        own.add_argument("--work", type=Path, required=True, help="folder with library.sqlite and label_windows.jsonl")
        own.add_argument("--labels", type=Path, default=LABELS, help="the file that keeps the labels")
        return own

    sheets = step("sheets", write_sheets, "Write sheets for readers who give labels.")
    sheets.add_argument("--below", type=float, default=0.0, help="only features with an AUROC below this")
    tests = step("tests", write_tests, "Write blind sheets that test the labels.")
    tests.add_argument("--turn", type=int, default=0, help="1 takes other passages than 0: for labels written again")
    tests.add_argument("--below", type=float, default=0.0, help="only labels whose AUROC is below this or not measured")
    for own in (sheets, tests):
        own.add_argument("--out", type=Path, required=True, help="folder for the sheets")
        own.add_argument("--parts", type=int, default=8, help="how many files")
    score = step("score", score_labels, "Work out each label's AUROC from the answers.")
    score.add_argument("--again", action="store_true", help="a second test: average it with the first")
    score.add_argument("--final", action="store_true", help=f"mark labels below {GOOD_ENOUGH} as unclear")
    for own in (step("apply", apply_labels, "Take in readers' labels."), score):
        own.add_argument("files", type=Path, nargs="+", help="what the readers wrote")
    for own in (tests, score):
        own.add_argument(
            "--key", type=Path, default=None, help="the answers; label_tests.key.json in --work by default"
        )
    args = parser.parse_args()
    args.library = args.work / "library.sqlite"
    if "key" in args and args.key is None:
        args.key = args.work / "label_tests.key.json"
    args.run(args)


if __name__ == "__main__":
    main()
