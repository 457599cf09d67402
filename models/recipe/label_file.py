"""``labels.tsv``: the labels people and language models gave the features, kept in the repository.

The first line names the dictionary they were written for; then ``feature<TAB>label<TAB>clear<TAB>auroc``, sorted.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Mapping
from pathlib import Path

from undersong.engine.library import Verdict

LABELS = Path(__file__).with_name("labels.tsv")
MOST_ALIKE = 3
LONGEST = 60
JARGON = re.compile(r"\b(tokens?|features?|latents?|neurons?|activat\w+|logits?|sub-?words?)\b", re.IGNORECASE)


def read_labels(path: Path, sae: str) -> dict[int, Verdict]:
    """The labels in a file, or none if there is no file or it was written for another dictionary than ``sae``."""
    if not path.exists():
        return {}
    first, _, *lines = path.read_text(encoding="utf-8").splitlines()
    if first != f"# {sae}":
        print(f"{path.name} belongs to the dictionary {first.strip('# ')}, not to {sae}: not used", flush=True)
        return {}
    fields = (line.split("\t") for line in lines)
    return {int(number): Verdict(label, clear == "1", float(auroc)) for number, label, clear, auroc in fields}


def write_labels(path: Path, sae: str, verdicts: Mapping[int, Verdict]) -> None:
    """Write all labels, sorted by feature."""
    lines = [f"{f}\t{v.label}\t{int(v.clear)}\t{v.auroc:.3f}" for f, v in sorted(verdicts.items())]
    path.write_text("\n".join([f"# {sae}", "feature\tlabel\tclear\tauroc", *lines]) + "\n", encoding="utf-8")


def parse_line(line: str, known: set[int]) -> tuple[int, Verdict]:
    """A reader's line ``feature<TAB>label<TAB>clear``; raises ValueError with a sentence."""
    fields = [field.strip() for field in line.split("\t")]
    if len(fields) != 3:
        raise ValueError(f"expected feature, label and 1 or 0 with tabs between, found {len(fields)} columns")
    number, label, clear = fields
    if not number.isdecimal() or int(number) not in known:
        raise ValueError(f"“{number}” is not the number of a feature that shows")
    if clear not in ("0", "1"):
        raise ValueError(f"feature {number}: the third column should be 1 (clear) or 0, not “{clear}”")
    words = len(label.split())
    if not 2 <= words <= 6 or len(label) > LONGEST:
        raise ValueError(f"feature {number}: “{label}” has {words} words; a label has two to six, {LONGEST} letters")
    if jargon := JARGON.search(label):
        raise ValueError(f"feature {number}: “{label}” says “{jargon[0]}”; use a writer's words")
    return int(number), Verdict(label, clear == "1", 0.0)


def repeated(verdicts: Mapping[int, Verdict]) -> list[str]:
    """A sentence for each label that more than a few features share."""
    alike: dict[str, list[int]] = collections.defaultdict(list)
    for feature, verdict in verdicts.items():
        alike[verdict.label.lower()].append(feature)
    return [
        f"“{label}” is the label of {len(features)} features ({', '.join(map(str, features))}); tell them apart"
        for label, features in sorted(alike.items())
        if len(features) > MOST_ALIKE
    ]
