"""Step 1: choose the stories the starter model learns from.

Reads the three ``*.txt.xz`` files described in the corpus' own SOURCES.md, keeps all of the plain modern stories, keeps
the simplest part of the classics, sets two documents in a hundred aside, and writes one text file per sub-corpus.

Run: ``python -m models.recipe.corpus --corpus FOLDER --out FOLDER``
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import lzma
import re
from pathlib import Path

END_OF_DOCUMENT = "<|endoftext|>"
SUB_CORPORA = ("tinystories", "modern_ccby_mit", "classics")
HELD_OUT_PERCENT = 2

WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SENTENCE_END = re.compile(r"[.!?]+[\"']?\s")
FAIRY_TALE_OPENING = re.compile(r"\b(once upon a time|there was once|there once|there lived|long ago)\b", re.IGNORECASE)

# Words that in this corpus mark passages a reader of today would find hateful. A blunt rule on purpose: losing a
# harmless chapter costs nothing, learning a hateful one does.
HATEFUL = re.compile(
    r"\b(negro(es)?|negress|nigg\w+|dark(ey|ie)s?|coolies?|half-?breeds?|squaws?|redskins?|injuns?|piccaninn\w+|"
    r"blackamoors?|chinam[ae]n|japs?|mulatto\w*|kaffirs?|hottentots?|jewess\w*|the jews?|a jew|savages|heathens?|"
    r"white man's|inferior races?|gyps(y|ies))\b",
    re.IGNORECASE,
)


def read_documents(path: Path) -> list[str]:
    """Documents of one ``.txt.xz`` file, in order, stripped."""
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return [d.strip() for d in file.read().split(END_OF_DOCUMENT) if d.strip()]


def is_held_out(document: str) -> bool:
    """Whether a document belongs to the held-out share, decided by its own hash so that it never moves."""
    digest = hashlib.sha256(document.encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT


def simple_vocabulary(stories: list[str], classics: list[str]) -> set[str]:
    """Words of the plain stories and of classics that open like a fairy tale."""
    plain, tales = collections.Counter[str](), collections.Counter[str]()
    for story in stories:
        plain.update(WORD.findall(story.lower()))
    for text in classics:
        if FAIRY_TALE_OPENING.search(text[:400]):
            tales.update(WORD.findall(text.lower()))
    return {w for w, n in plain.items() if n >= 3} | {w for w, n in tales.items() if n >= 20}


def simplicity(document: str, vocabulary: set[str]) -> float:
    """How simple a document is: share of known words, less a penalty for sentences longer than twelve words."""
    words = WORD.findall(document.lower())
    if not words:
        return 0.0
    known = sum(w in vocabulary for w in words) / len(words)
    words_per_sentence = len(words) / (1 + len(SENTENCE_END.findall(document)))
    return known - 0.004 * max(0.0, words_per_sentence - 12)


def simplest(classics: list[str], vocabulary: set[str], budget: int) -> list[str]:
    """The simplest classics that fit in ``budget`` bytes, in their original order."""
    scored = [(simplicity(d, vocabulary), i) for i, d in enumerate(classics) if not HATEFUL.search(d)]
    kept, size = set[int](), 0
    for _, index in sorted(scored, reverse=True):
        length = len(classics[index].encode())
        if size + length > budget:
            break
        kept.add(index)
        size += length
    return [d for i, d in enumerate(classics) if i in kept]


def write_split(out: Path, name: str, documents: list[str]) -> dict[str, int]:
    """Write the training and held-out files of one sub-corpus; returns their counts."""
    parts: dict[str, list[str]] = {"train": [], "held_out": []}
    for document in documents:
        parts["held_out" if is_held_out(document) else "train"].append(document)
    for part, texts in parts.items():
        (out / f"{name}.{part}.txt").write_text(f"\n{END_OF_DOCUMENT}\n".join(texts), encoding="utf-8")
    return {f"{part}_documents": len(texts) for part, texts in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpus", type=Path, required=True, help="folder with the three .txt.xz files")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--classics-bytes", type=int, default=32_000_000, help="how much of the classics to keep")
    parser.add_argument("--limit-bytes", type=int, default=0, help="keep about this much of each file, for a trial run")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    texts: dict[str, list[str]] = {}
    for name in SUB_CORPORA:
        documents = read_documents(args.corpus / f"{name}.txt.xz")
        if args.limit_bytes:
            documents = documents[: max(8, args.limit_bytes * len(documents) // sum(map(len, documents)))]
        texts[name] = documents
        print(f"{name}: read {len(documents)} documents", flush=True)
    texts["modern_ccby_mit"] = [d for d in texts["modern_ccby_mit"] if not HATEFUL.search(d)]
    vocabulary = simple_vocabulary(texts["tinystories"] + texts["modern_ccby_mit"], texts["classics"])
    texts["classics"] = simplest(texts["classics"], vocabulary, args.classics_bytes)
    report = {}
    for name, documents in texts.items():
        report[name] = write_split(args.out, name, documents) | {"bytes": sum(len(d.encode()) for d in documents)}
        print(f"{name}: {report[name]}", flush=True)
    (args.out / "corpus.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
