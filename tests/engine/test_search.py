"""Search: the words a writer types find the qualities a writer means, directly first, and never nothing."""

from __future__ import annotations

import math

import pytest

from undersong.core import paths
from undersong.core.features import FeatureCard
from undersong.engine.library import Entry, FeatureLibrary, write_library
from undersong.engine.search import NEAREST, read_synonyms, stem, words_of

# feature: label, promoted words, example words, clear, AUROC, density
FEATURES = {
    10: ("the sea and ships", "wave sail", "sea shore", True, 0.9, 0.004),
    11: ("waves breaking on rocks", "foam", "surf", True, 0.8, 0.004),
    12: ("a long journey", "sea mountain", "road", True, 0.8, 0.004),
    13: ("going home", "door", "sea path", True, 0.8, 0.004),
    14: ("a seat by the fire", "chair crown", "stove", True, 0.95, 0.004),
    15: ("someone about to cry", "tears", "sobbed", True, 0.9, 0.01),
    16: ("the sea", "wave", "tide", False, 0.5, 0.004),
    17: ("commas at sea", "and", "comma", True, 0.9, 0.4),
    18: ("an old king", "crown", "king", True, 0.99, 0.002),
    19: ("very common words", "the", "the", True, 0.9, 0.3),
    20: ("a café in the rain", "drizzle", "umbrella", True, 0.7, 0.00001),
    21: ("the old house", "attic", "stairs", True, 0.75, 0.002),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> FeatureLibrary:
    path = tmp_path_factory.mktemp("search") / "library.sqlite"
    entries = []
    for number, (label, promoted, words, clear, auroc, density) in FEATURES.items():
        card = FeatureCard(number, label, clear, auroc, density, 5.0, tuple(promoted.split()), ())
        entries.append(Entry(card, (0.0,) * 22, tuple(words.split())))
    write_library(path, {"d_sae": 2000, "model": "made", "sae": "made-1", "tokens": 1}, entries)
    return FeatureLibrary.open(path)


def found(library: FeatureLibrary, query: str, limit: int = 200) -> list[int]:
    return [hit.feature for hit in library.search(query, limit).hits]


def test_labels_come_before_promoted_words_before_example_words(library: FeatureLibrary) -> None:
    assert [f for f in found(library, "sea") if f in (10, 12, 13)] == [10, 12, 13]


@pytest.mark.parametrize("query", ["the sea", "sea", "  SEA ", "something of the sea", "the sea's"])
def test_little_words_case_and_endings_change_nothing(library: FeatureLibrary, query: str) -> None:
    assert found(library, query) == found(library, "sea")


def test_a_word_at_the_front_of_a_list_counts_for_more(library: FeatureLibrary) -> None:
    assert found(library, "wave")[:2] == [11, 10], "a label first, then what it promotes most"
    assert found(library, "crown")[:2] == [18, 14]


def test_a_label_found_through_a_synonym_stands_after_labels_and_before_lists_of_words(library: FeatureLibrary) -> None:
    order = [f for f in found(library, "sea") if f not in (16, 17)]
    assert order[:4] == [10, 11, 12, 13]


def test_a_finished_word_is_not_the_beginning_of_others(library: FeatureLibrary) -> None:
    order = found(library, "sea")
    assert order.index(14) > order.index(11)
    assert found(library, "seat")[0] == 14


@pytest.mark.parametrize("typed", ["k", "ki", "kin", "king", "the k", "an old k"])
def test_it_finds_while_the_last_word_is_being_typed(library: FeatureLibrary, typed: str) -> None:
    assert found(library, typed)[0] == 18


@pytest.mark.parametrize("query", ["crying", "cries", "cried", "cry"])
def test_other_forms_of_a_word_are_the_same_word(library: FeatureLibrary, query: str) -> None:
    assert found(library, query)[0] == 15


def test_more_of_the_words_is_better(library: FeatureLibrary) -> None:
    assert found(library, "the old house")[:2] == [21, 18]
    assert found(library, "old king")[:2] == [18, 21]


def test_an_unclear_label_counts_for_less_and_too_common_features_come_last(library: FeatureLibrary) -> None:
    order = found(library, "sea")
    assert order.index(10) < order.index(16) < order.index(12)
    assert order[-1] == 17
    assert not library.search("sea").hits[-1].match > library.search("sea").hits[0].match


@pytest.mark.parametrize("query", ["sea", "the old king", "cry", "s", "stomr"])
def test_match_lies_between_0_and_1_and_never_rises_down_the_list(library: FeatureLibrary, query: str) -> None:
    matches = [hit.match for hit in library.search(query).hits]
    assert matches
    assert all(0 <= m <= 1 for m in matches)
    assert matches == sorted(matches, reverse=True)


@pytest.mark.parametrize("query", ["#16", "16", " # 16 "])
def test_a_number_finds_that_feature(library: FeatureLibrary, query: str) -> None:
    hit = library.search(query).hits[0]
    assert (hit.feature, hit.match) == (16, 1.0)


def test_the_number_of_a_feature_that_never_shows_is_found_too(library: FeatureLibrary) -> None:
    hit = library.search("1190").hits[0]
    assert (hit.feature, hit.label, hit.clear) == (1190, "never shows", False)


def test_a_number_that_does_not_exist_gives_the_nearest(library: FeatureLibrary) -> None:
    results = library.search("#2000")
    assert results.nearest
    assert len(results.hits) == NEAREST


@pytest.mark.parametrize(("query", "expected"), [("kimg", 18), ("journy", 12), ("fier", 14)])
def test_a_misspelt_word_finds_its_nearest(library: FeatureLibrary, query: str, expected: int) -> None:
    results = library.search(query)
    assert results.nearest
    assert results.hits[0].feature == expected
    assert len(results.hits) == NEAREST


def test_nonsense_still_shows_five(library: FeatureLibrary) -> None:
    results = library.search("xqzt")
    assert results.nearest
    assert [hit.match for hit in results.hits] == [0.0] * NEAREST


def test_an_empty_query_lists_useful_features_first(library: FeatureLibrary) -> None:
    order = found(library, "")
    assert set(order) == set(FEATURES)
    assert order[0] == 18
    assert order.index(20) > order.index(21), "one that hardly ever shows comes after one that does"
    assert set(order[-3:]) == {16, 17, 19}
    assert all(hit.match == 0 for hit in library.search("").hits)


def test_the_limit_is_kept(library: FeatureLibrary) -> None:
    assert [len(found(library, query, 2)) for query in ("", "sea", "xqzt")] == [2, 2, 2]
    assert found(library, "sea", 0) == []


def test_accents_do_not_matter(library: FeatureLibrary) -> None:
    assert found(library, "cafe")[0] == found(library, "CAFÉ")[0] == 20


@pytest.mark.parametrize("query", ['"', "sea OR", "NOT", "label : sea", "a* AND (", "-", "'; DROP TABLE", "^sea", "😀"])
def test_no_query_is_taken_for_search_syntax(library: FeatureLibrary, query: str) -> None:
    assert all(math.isfinite(hit.match) for hit in library.search(query).hits)


def test_only_stop_words_are_still_searched(library: FeatureLibrary) -> None:
    assert found(library, "the")[0] in (10, 14, 16, 20, 21)


@pytest.mark.parametrize(
    ("word", "other"),
    [("running", "run"), ("waves", "wave"), ("houses", "house"), ("happiness", "happy"), ("sadly", "sad")],
)
def test_stems_are_shared(word: str, other: str) -> None:
    assert stem(word) == stem(other)


@pytest.mark.parametrize("word", ["king", "thing", "spring", "red", "dress", "sea", "bus"])
def test_short_words_keep_their_ending(word: str) -> None:
    assert stem(word) == word


def test_words_are_folded_as_the_index_folds_them() -> None:
    assert words_of("Don’t cross the King's Café!") == ["don", "t", "cross", "the", "king", "cafe"]


def test_the_synonym_table_is_small_and_tidy() -> None:
    path = paths.resource("search", "synonyms.tsv")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    heads = [line.split("\t")[0] for line in lines]
    assert len(lines) < 200
    assert len(set(heads)) == len(heads)
    assert all(
        line.count("\t") == 1 and words_of(line) == line.replace("\t", " ").replace("'", " ").split() for line in lines
    )
    related = read_synonyms(path)
    assert "ship" in related["sea"]
    assert "sea" in related["ship"]
