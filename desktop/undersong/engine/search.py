"""Find features by words: SQLite's full-text index over labels, promoted words and example words, nothing learned.

The index holds words as they stand. What counts as the same word is decided here, so that it can be tested and shown:
another form of the word (``cry``, ``cried``), the beginning of the last word while it is being typed, a neighbour from
``resources/search/synonyms.tsv``, and, when all of that finds nothing, the nearest spelling.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from undersong.core import paths

TOO_DENSE = 0.1
"""Features that show on more than this share of tokens count for less."""
NEAREST = 5
# Where a word may be found: what that is worth, and how well it fits there. A label fits by bm25, so the shortest is
# best; lists of words run from strongest to weakest, so what counts is how near the front the word stands.
COLUMNS = {
    "label": (1.0, "-bm25(found)"),
    "promoted": (0.55, "1.0 - (instr(highlight(found, 1, char(1), ''), char(1)) - 1.0) / length(promoted)"),
    "words": (0.4, "1.0 - (instr(highlight(found, 2, char(1), ''), char(1)) - 1.0) / length(words)"),
}
# A name says more than a list of words: a label found through a synonym (“angry” for “anger”) stands between the labels
# that hold the word itself and the features that merely bring it or show on it
SAME, SYNONYM, UNFINISHED, SPELLING = 1.0, 0.6, 0.3, 0.3
FIT_SHARE, AGREED_SHARE = 0.25, 0.25
UNCLEAR_FACTOR, DENSE_FACTOR = 0.6, 0.25
"""What a match is worth when its label is unclear, or its feature shows too often."""
# Endings taken off, longest first, and what stands in their place
ENDINGS = (
    ("iness", "y"),
    ("ness", ""),
    ("ily", "y"),
    ("ies", "y"),
    ("ied", "y"),
    ("ing", ""),
    ("ly", ""),
    ("ed", ""),
    ("es", ""),
    ("s", ""),
)


@dataclass(frozen=True, slots=True)
class Match:
    """A feature that fits a query."""

    feature: int
    match: float
    """0 … 1; falls down the list."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a query found, best first."""

    matches: tuple[Match, ...]
    nearest: bool = False
    """True when nothing matched the words and these are only the nearest."""


def words_of(text: str) -> list[str]:
    """Words as the index sees them: lower case, no accents, no ending 's."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", re.sub(r"['’]s\b", "", plain))


def stem(word: str) -> str:
    """The part that forms of one English word share: ``cried``, ``crying`` and ``cry`` give ``cry``."""
    for ending, instead in ENDINGS:
        body = word.removesuffix(ending)
        if ending == "s" and word.endswith("ss"):
            break
        if body != word and len(body) + len(instead) >= 3 and re.search("[aeiouy]", body):
            word = body + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeiolsz":
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word


def read_synonyms(path: Path) -> dict[str, set[str]]:
    """Stem → related words, both ways, from lines ``word<TAB>word word …``; lines with # are comments."""
    related: dict[str, set[str]] = defaultdict(set)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, others = line.partition("\t")
            related[stem(head)].update(others.split())
            for other in others.split():
                related[stem(other)].add(head)
    return dict(related)


def _trigrams(word: str) -> set[str]:
    padded = f"  {word} "
    return {padded[i : i + 3] for i in range(len(padded) - 2)}


class Index:
    """The searchable words of one feature library; the library owns the connection and guards it with a lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._related = read_synonyms(paths.resource("search", "synonyms.tsv"))
        self._stop_words = set(paths.resource("search", "stop_words.txt").read_text(encoding="utf-8").split())
        self._terms = [term for (term,) in connection.execute("SELECT term FROM vocabulary")]
        self._forms: dict[str, list[str]] = defaultdict(list)
        for term in self._terms:
            self._forms[stem(term)].append(term)
        self._by_trigram: dict[str, list[str]] = {}
        self._factors = {
            feature: DENSE_FACTOR if density > TOO_DENSE else UNCLEAR_FACTOR
            for feature, density in connection.execute(
                "SELECT feature, density FROM features WHERE NOT clear OR density > ?", (TOO_DENSE,)
            )
        }

    def find(self, query: str, limit: int, d_sae: int) -> Found:
        """The features that fit a query best; an empty one gives the most useful, a number that feature first."""
        words = words_of(query)
        if not words:
            return Found(tuple(Match(feature, 0.0) for feature in self._useful(limit)))
        numbered = self._number(query, d_sae)
        scores = self._scores(self._telling(words))
        if not scores and numbered is None:
            return Found(self._nearest(words, min(limit, NEAREST)), nearest=True)
        ranked = self._rank(scores)
        if numbered is not None:
            ranked = [Match(numbered, 1.0), *(m for m in ranked if m.feature != numbered)]
        return Found(tuple(ranked[: max(0, limit)]))

    def _telling(self, words: list[str]) -> list[str]:
        """The words that say something; a single last letter is a word being typed, and “the” alone must do."""
        kept = [w for w in words[:-1] if w not in self._stop_words]
        if words[-1] not in self._stop_words or len(words[-1]) == 1:
            kept.append(words[-1])
        return kept or words

    @staticmethod
    def _number(query: str, d_sae: int) -> int | None:
        """The feature a query such as ``#1190`` or ``1190`` names, if there is one."""
        found = re.fullmatch(r"\s*#?\s*([0-9]{1,9})\s*", query)
        return int(found[1]) if found and int(found[1]) < d_sae else None

    def _useful(self, limit: int) -> list[int]:
        """Features worth trying first: clear ones neither rare nor everywhere, by how well their label predicts."""
        rows = self._connection.execute(
            "SELECT feature FROM features ORDER BY clear AND density <= ? DESC, density BETWEEN 0.0003 AND 0.02 DESC, "
            "auroc DESC, density DESC, feature LIMIT ?",
            (TOO_DENSE, max(0, limit)),
        )
        return [feature for (feature,) in rows]

    def _rank(self, scores: dict[int, float]) -> list[Match]:
        """Best first; unclear and too dense features count for less."""
        worth = {feature: min(1.0, score) * self._factors.get(feature, 1.0) for feature, score in scores.items()}
        return [Match(f, worth[f]) for f in sorted(worth, key=lambda f: (-worth[f], f))]

    def _scores(self, words: list[str]) -> dict[int, float]:
        """Feature → 0 … 1: the mean over the query's words of the best place in which each was found."""
        totals: dict[int, float] = defaultdict(float)
        for position, word in enumerate(words):
            last = position == len(words) - 1
            for feature, score in self._evidence(self._expressions(word, last)).items():
                totals[feature] += score / len(words)
        return dict(totals)

    def _expressions(self, word: str, last: bool) -> list[tuple[str, float]]:
        """Full-text expressions for one word of a query, each with the worth of what it finds."""
        same = self._forms.get(stem(word), [])
        synonyms = {form for other in self._related.get(stem(word), ()) for form in self._forms.get(stem(other), ())}
        found = [(_any_of(same), SAME), (_any_of(synonyms), SYNONYM)]
        if last:
            # One or two letters begin half of all words, so those are looked for in labels alone;
            # a word that stands in the index is taken as finished: “sea” should not bring seats and seasons first
            where = "" if len(word) > 2 else "label : "
            found.append((f'{where}"{word}"*', UNFINISHED if same else SAME))
        return [(expression, worth) for expression, worth in found if expression]

    def _evidence(self, expressions: list[tuple[str, float]]) -> dict[int, float]:
        """Feature → best of column weight × worth; a quarter is kept for those whose label and promoted words agree.

        A label says where a feature shows; what it promotes is what pushing it brings. The best finds do both
        (Gur-Arieh et al. 2025).
        """
        best: dict[int, float] = defaultdict(float)
        fits: dict[str, dict[int, float]] = {column: defaultdict(float) for column in COLUMNS}
        for expression, worth in expressions:
            for column, (weight, fit) in COLUMNS.items():
                rows = self._connection.execute(
                    f"SELECT rowid, {fit} FROM found WHERE found MATCH ?", (f"{column} : ({expression})",)
                ).fetchall()
                top = max((score for _, score in rows), default=1.0)
                for feature, score in rows:
                    share = worth * (1 - FIT_SHARE * (1 - score / top))
                    fits[column][feature] = max(fits[column][feature], share)
                    best[feature] = max(best[feature], weight * share)
        agreed = {f: written for f, written in fits["promoted"].items() if f in fits["label"]}
        return {f: (1 - AGREED_SHARE) * score + AGREED_SHARE * agreed.get(f, 0.0) for f, score in best.items()}

    def _nearest(self, words: list[str], limit: int) -> tuple[Match, ...]:
        """Features whose words are spelt most like the query's, filled up with useful ones."""
        expressions = []
        for word in words:
            for term, likeness in self._spelt_like(word):
                expressions.append((f'"{term}"', SPELLING * likeness))
        ranked = self._rank(self._evidence(expressions))[:limit]
        have = {m.feature for m in ranked}
        ranked += [Match(f, 0.0) for f in self._useful(2 * limit) if f not in have]
        return tuple(ranked[:limit])

    def _spelt_like(self, word: str, most: int = 4) -> list[tuple[str, float]]:
        """Indexed words that share the most letter triples with a word, with their Jaccard likeness."""
        if not self._by_trigram:
            by_trigram = defaultdict(list)
            for term in self._terms:
                for trigram in _trigrams(term):
                    by_trigram[trigram].append(term)
            self._by_trigram = dict(by_trigram)
        wanted = _trigrams(word)
        shared: dict[str, int] = defaultdict(int)
        for trigram in wanted:
            for term in self._by_trigram.get(trigram, ()):
                shared[term] += 1
        likeness = {t: n / (len(wanted) + len(_trigrams(t)) - n) for t, n in shared.items() if n >= 2}
        return sorted(likeness.items(), key=lambda item: (-item[1], item[0]))[:most]


def _any_of(terms: list[str] | set[str]) -> str:
    return " OR ".join(f'"{term}"' for term in sorted(terms))
