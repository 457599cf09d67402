"""The feature library: what is written comes back, and every bad file gets a sentence and stays as it is."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from undersong.core.errors import LibraryError, RequestError
from undersong.core.features import Example, FeatureCard, Hit
from undersong.engine.library import NEVER_SHOWS, SPARK, Entry, FeatureLibrary, Verdict, relabel, write_library

D_SAE = 6


def entry(feature: int, label: str = "the sea at night") -> Entry:
    examples = (
        Example((" The", " sea", "—", " calm"), (0.0, 1.0, 0.25, 0.001)),
        Example((" a", " boat"), (0.0, 0.4)),
    )
    card = FeatureCard(
        feature=feature,
        label=label,
        clear=True,
        auroc=0.91,
        density=0.004,
        max_activation=7.5,
        promoted=("wave", "ship"),
        suppressed=("oven",),
        near=(Hit(1, "", 0.5, 0.0), Hit(5, "", 0.25, 0.0)),
        examples=examples,
    )
    return Entry(card, tuple(i / (SPARK - 1) for i in range(SPARK)), ("sea", "boat"), (4.0, 3.5))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "library.sqlite"
    meta = {"model": "made", "sae": "made-1", "d_sae": D_SAE, "tokens": 100}
    write_library(target, meta, [entry(0), entry(1, "kings and queens")])
    return target


def test_a_card_comes_back_as_it_was_written(path: Path) -> None:
    card, written = FeatureLibrary.open(path).card(0), entry(0).card
    assert card.examples[0].pieces == written.examples[0].pieces
    assert card.examples[0].values == pytest.approx(written.examples[0].values, abs=1 / 255)
    assert card.examples[0].values[3] > 0, "what shows a little must not vanish"
    assert [(hit.feature, hit.label, hit.match) for hit in card.near] == [
        (1, "kings and queens", 0.5),
        (5, NEVER_SHOWS, 0.25),
    ]
    for name in ("feature", "label", "clear", "auroc", "density", "max_activation", "promoted", "suppressed"):
        assert getattr(card, name) == getattr(written, name)


def test_sizes_and_meta(path: Path) -> None:
    library = FeatureLibrary.open(path)
    assert (library.size, library.d_sae, library.meta["sae"]) == (2, D_SAE, "made-1")


def test_a_feature_that_never_shows_says_so(path: Path) -> None:
    card = FeatureLibrary.open(path).card(4)
    assert (card.label, card.clear, card.density, card.examples) == (NEVER_SHOWS, False, 0.0, ())


@pytest.mark.parametrize("number", [-1, D_SAE, 10**12])
def test_a_number_out_of_range_is_refused_in_a_sentence(path: Path, number: int) -> None:
    with pytest.raises(RequestError, match=rf"no quality number {number}.*from 0 to {D_SAE - 1}"):
        FeatureLibrary.open(path).card(number)


def test_hits_carry_what_a_list_shows(path: Path) -> None:
    (hit, *_), total = (lambda results: (results.hits, results.total))(FeatureLibrary.open(path).search("sea", 5, 3))
    assert (hit.feature, hit.label, hit.density, hit.clear, total) == (0, "the sea at night", 0.004, True, 2)
    assert len(hit.spark) == SPARK
    assert (hit.spark[0], hit.spark[-1]) == (0.0, 1.0)


def test_it_can_be_read_from_many_threads_at_once(path: Path) -> None:
    library, found = FeatureLibrary.open(path), []

    def look() -> None:
        found.extend((library.search("king").hits[0].feature, library.card(1).label) for _ in range(30))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(1, "kings and queens")] * 120


def test_new_labels_are_found_and_old_ones_forgotten(path: Path) -> None:
    relabel(path, {1: Verdict("someone about to cry", False, 0.55)})
    library = FeatureLibrary.open(path)
    assert library.search("crying").hits[0].feature == 1
    assert library.search("queen").nearest
    card = library.card(1)
    assert (card.label, card.clear, card.auroc) == ("someone about to cry", False, 0.55)


def test_a_library_is_not_written_to_by_reading(path: Path) -> None:
    before = path.read_bytes()
    path.chmod(0o444)
    library = FeatureLibrary.open(path)
    library.search("sea")
    library.card(0)
    library.close()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir() if p.is_file()] == ["library.sqlite"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"no feature library at .*gone.sqlite"):
        FeatureLibrary.open(tmp_path / "gone.sqlite")
    assert not (tmp_path / "gone.sqlite").exists()


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to be one " * 40])
def test_a_file_that_is_no_library_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.sqlite"
    path.write_bytes(content)
    with pytest.raises(LibraryError, match="not a feature library"):
        FeatureLibrary.open(path)
    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE features (feature INTEGER)")
    connection.commit()
    connection.close()
    with pytest.raises(LibraryError, match=r"history\.sqlite is not a feature library"):
        FeatureLibrary.open(path)


def test_another_form_is_named(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(LibraryError, match="has form 9; this version of Undersong reads form 1"):
        FeatureLibrary.open(path)


def test_a_truncated_file_is_refused_and_kept(path: Path) -> None:
    content = path.read_bytes()[: path.stat().st_size * 2 // 3]
    path.write_bytes(content)
    with pytest.raises(LibraryError, match=r"library\.sqlite cannot be read: it is damaged"):
        FeatureLibrary.open(path)
    assert path.read_bytes() == content


def test_a_damaged_page_is_reported_when_it_is_reached(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE features SET examples = x'00' WHERE feature = 0")
    connection.commit()
    connection.close()
    library = FeatureLibrary.open(path)
    with pytest.raises(LibraryError, match="damaged"):
        library.card(0)
    assert library.card(1).label == "kings and queens"
