"""The feature library: what is known of every feature of an SAE, in one SQLite file that is only ever read here.

``features`` holds a row for every feature that shows at all, ``found`` is the full-text index over its words,
``vocabulary`` lists the indexed words, ``meta`` says what the library belongs to. Examples are zlib-compressed JSON
``[[pieces], [activations in 255ths of the feature's maximum]]``: no tokenizer is needed to read them. Writing
lives here too, so that the form of the file is described in one place.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from undersong.core.errors import LibraryError, RequestError
from undersong.core.features import Example, FeatureCard, Hit
from undersong.core.messages import Results
from undersong.engine.search import Index

FORM = 1
"""Version of the file's form, kept in SQLite's ``user_version``."""
MARK = 0x556E6467
"""Says “this SQLite file is an Undersong library”, kept in ``application_id``."""
SPARK = 22
"""Values in a spark."""
NEVER_SHOWS = "never shows"
"""Label of a feature that did not fire once in the corpus."""

SCHEMA = f"""
PRAGMA page_size = 16384;
PRAGMA application_id = {MARK};
PRAGMA user_version = {FORM};
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE features (
    feature INTEGER PRIMARY KEY, label TEXT NOT NULL, clear INTEGER NOT NULL, auroc REAL NOT NULL,
    density REAL NOT NULL, max_activation REAL NOT NULL, promoted TEXT NOT NULL, suppressed TEXT NOT NULL,
    words TEXT NOT NULL, strengths TEXT NOT NULL, near TEXT NOT NULL, spark BLOB NOT NULL, examples BLOB NOT NULL);
CREATE VIRTUAL TABLE found USING fts5(label, promoted, words, content='features', content_rowid='feature',
    tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab(found, 'row');
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One feature as it is written into a library."""

    card: FeatureCard
    """What is known; ``near`` may hold hits with nothing but number and cosine."""
    spark: tuple[float, ...]
    """0 … 1 along the best example, 22 values."""
    words: tuple[str, ...] = ()
    """Words on which it shows most, strongest first."""
    strengths: tuple[float, ...] = ()
    """z-score of each promoted word."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a library is told about one feature's label."""

    label: str
    clear: bool
    auroc: float
    """0 if not measured."""


def write_library(path: Path, meta: Mapping[str, Any], entries: Iterable[Entry]) -> None:
    """Write a library; ``meta`` needs ``d_sae``, and says ``model``, ``sae``, ``tokens``. Replaces the file whole."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    connection = sqlite3.connect(temporary)
    try:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", [(k, json.dumps(v)) for k, v in meta.items()])
        connection.executemany(f"INSERT INTO features VALUES ({', '.join('?' * 13)})", map(_row_of, entries))
        _reindex(connection)
    finally:
        connection.close()
    temporary.replace(path)


def relabel(path: Path, verdicts: Mapping[int, Verdict]) -> None:
    """Write labels into an existing library and index them."""
    FeatureLibrary.open(path).close()
    connection = sqlite3.connect(path)
    try:
        connection.executemany(
            "UPDATE features SET label = ?, clear = ?, auroc = ? WHERE feature = ?",
            [(v.label, int(v.clear), v.auroc, feature) for feature, v in verdicts.items()],
        )
        _reindex(connection)
    finally:
        connection.close()


def _reindex(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO found(found) VALUES ('rebuild')")
    connection.execute("INSERT INTO found(found) VALUES ('optimize')")
    connection.commit()
    connection.execute("VACUUM")


def _row_of(entry: Entry) -> tuple[Any, ...]:
    card = entry.card
    examples = [[e.pieces, [_byte(v) for v in e.values]] for e in card.examples]
    packed = zlib.compress(json.dumps(examples, ensure_ascii=False, separators=(",", ":")).encode(), 9)
    near = json.dumps([[h.feature, round(h.match, 3)] for h in card.near])
    strengths = json.dumps([round(s, 2) for s in entry.strengths])
    return (
        *(card.feature, card.label, int(card.clear), card.auroc, card.density, card.max_activation),
        *("\n".join(card.promoted), "\n".join(card.suppressed), "\n".join(entry.words), strengths, near),
        *(bytes(_byte(v) for v in entry.spark), packed),
    )


def _byte(share: float) -> int:
    """A share 0 … 1 in 255ths; what is more than nothing stays more than nothing."""
    return max(int(share > 0), min(255, round(255 * share)))


class FeatureLibrary:
    """An open library, usable from any thread; it owns the file's connection and never writes."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        self.meta: dict[str, Any] = {k: json.loads(v) for k, v in connection.execute("SELECT key, value FROM meta")}
        self.d_sae = int(self.meta["d_sae"])
        """Features of the SAE, those that never show included."""
        self.size = int(connection.execute("SELECT count(*) FROM features").fetchone()[0])
        """Features that show at all."""
        self._index = Index(connection)

    @classmethod
    def open(cls, path: str | Path) -> FeatureLibrary:
        """Open a library read-only; raises LibraryError for a file that is missing, foreign, damaged or too new."""
        path = Path(path)
        if not path.is_file():
            raise LibraryError(f"There is no feature library at {path}. Choose a file such as library.sqlite.")
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            _check(path, connection)
            return cls(path, connection)
        except (sqlite3.Error, KeyError, ValueError, LibraryError) as error:
            connection.close()
            raise error if isinstance(error, LibraryError) else _damaged(path, error) from error

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._connection.close()

    def search(self, query: str, limit: int = 200, id: int = 0) -> Results:
        """The features that fit a query, best first, as the answer to request ``id``."""
        with self._lock:
            try:
                found = self._index.find(query, limit, self.d_sae)
            except sqlite3.Error as error:
                raise _damaged(self.path, error) from error
            hits = tuple(self._hit(m.feature, m.match) for m in found.matches)
        return Results(id=id, query=query, hits=hits, total=self.size, nearest=found.nearest)

    def card(self, feature: int) -> FeatureCard:
        """Everything known of a feature; one that never shows gives a card that says so. Raises RequestError."""
        row = self._row(
            feature,
            "label, clear, auroc, density, max_activation, promoted, suppressed, near, examples",
        )
        if row is None:
            return FeatureCard(feature, NEVER_SHOWS, False, 0.0, 0.0, 0.0, (), ())
        label, clear, auroc, density, greatest, promoted, suppressed, near, packed = row
        try:
            examples = tuple(
                Example(tuple(pieces), tuple(v / 255 for v in values))
                for pieces, values in json.loads(zlib.decompress(packed))
            )
            hits = tuple(self._hit(number, cosine) for number, cosine in json.loads(near))
        except (zlib.error, ValueError, TypeError) as error:
            raise _damaged(self.path, error) from error
        return FeatureCard(
            feature=feature,
            label=label,
            clear=bool(clear),
            auroc=auroc,
            density=density,
            max_activation=greatest,
            promoted=tuple(promoted.split("\n")) if promoted else (),
            suppressed=tuple(suppressed.split("\n")) if suppressed else (),
            near=hits,
            examples=examples,
        )

    def _hit(self, feature: int, match: float) -> Hit:
        row = self._row(feature, "label, density, spark, clear")
        if row is None:
            return Hit(feature, NEVER_SHOWS, match, 0.0, clear=False)
        label, density, spark, clear = row
        return Hit(feature, label, match, density, tuple(v / 255 for v in spark), bool(clear))

    def _row(self, feature: int, columns: str) -> tuple[Any, ...] | None:
        """Columns of a feature, None if it never shows; raises RequestError for a number the SAE does not have."""
        if not 0 <= feature < self.d_sae:
            raise RequestError(
                f"There is no quality number {feature}: this model's qualities are numbered from 0 to {self.d_sae - 1}."
            )
        with self._lock:
            try:
                return self._connection.execute(
                    f"SELECT {columns} FROM features WHERE feature = ?", (feature,)
                ).fetchone()
            except sqlite3.Error as error:
                raise _damaged(self.path, error) from error


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Raise LibraryError for a file that is not ours, has another form, or has lost its end."""
    (mark,), (form,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    if mark != MARK:
        raise LibraryError(f"{path.name} is not a feature library of Undersong. Choose another file.")
    if form != FORM:
        raise LibraryError(
            f"The feature library {path.name} has form {form}; this version of Undersong reads form {FORM}. "
            "Make the library again, or use the version of Undersong that made it."
        )
    (pages,), (size,) = (connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
    if path.stat().st_size < pages * size:
        raise sqlite3.DatabaseError("the file is shorter than it says")


def _damaged(path: Path, error: Exception) -> LibraryError:
    return LibraryError(
        f"The feature library {path.name} cannot be read: it is damaged or not a feature library. "
        "It was left as it is; put a good copy in its place.",
        str(error),
    )
