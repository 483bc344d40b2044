from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import text


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("Reservoirs were filled", ["reservoir", "were", "fill"]),
        ("the army’s and the army's", ["the", "armi", "and", "the", "armi"]),
        ("U.S.-Taliban and U.S", ["us", "taliban", "and", "us"]),
        ("5,000 of 1,234,567.50", ["5000", "of", "1234567.50"]),
        ("lists 1,2,3", ["list", "1", "2", "3"]),
        ("$5.8bn on the 20th", ["5.8bn", "on", "the", "20th"]),
        ("C++ or C# and c", ["c++", "or", "c#", "and", "c"]),
        ("Covid-19", ["covid", "19"]),
        ("São Paulo, ﬁle, Straße", ["sao", "paulo", "file", "strass"]),
        ("東京 news", ["東", "京", "news"]),
        ("كِتَاب", ["كتاب"]),
        ("हिन्दी", ["हिन्दी"]),
        ("john.smith@example.org", ["john", "smith", "exampl", "org"]),
        ("— … !?", []),
        ("\u0301\u0301 a\u0301", ["a"]),
        ("\ud800 x", ["x"]),
    ],
)
def test_terms_are_folded_stemmed_words(source: str, terms: list[str]) -> None:
    assert text.terms(source) == terms


def test_offsets_cut_the_surface() -> None:
    source = "The U.S. envoy’s visit"
    cut = [source[token.start : token.end] for token in text.tokens(source)]
    assert cut == ["The", "U.S.", "envoy’s", "visit"]


def test_a_word_without_end_is_cut() -> None:
    assert [len(term) for term in text.terms("q" * 100_000)] == [64]


@given(st.text())
def test_tokens_are_words_without_spaces_that_engines_can_store(source: str) -> None:
    found = list(text.tokens(source))
    assert [token.text for token in found] == text.terms(source)
    end = 0
    for token in found:
        assert token.text
        assert not any(map(str.isspace, token.text))
        token.text.encode()
        assert end <= token.start < token.end <= len(source)
        end = token.end


@pytest.mark.parametrize(
    ("name", "same"),
    [("Abu  Dhabi", "abu dhabi"), ("SÃO PAULO", "Sao Paulo"), ("D’Arc", "d'arc"), ("!!", " !! ")],
)
def test_fold_makes_names_comparable(name: str, same: str) -> None:
    assert text.fold(name) == text.fold(same)


def test_fold_keeps_endings() -> None:
    assert text.fold("Reservoirs") != text.fold("Reservoir")
