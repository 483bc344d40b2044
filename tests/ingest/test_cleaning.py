"""How text is cleaned."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ingest.cleaning import key, lines, mojibake, one_line, paragraphs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("a b", ["a b"]),
        ("  a \t b  ", ["a b"]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("\ufeffa\u200bb\u00adc", ["abc"]),
        ("a\u00a0b\u2028c\x0bd\x85e", ["a b c d e"]),
        ("\u200fa\u200d \u200e", ["a"]),
        ("a\u200db", ["a\u200db"]),
        ("e\u0301", ["é"]),
        ("a\x07b\x7f", ["ab"]),
        ("a\x1cb", ["a b"]),
    ],
)
def test_lines_are_clean(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    clean = "\n".join(lines(text))
    assert "\n".join(lines(clean)) == clean
    assert paragraphs(paragraphs(text)) == paragraphs(text)
    assert one_line(one_line(text)) == one_line(text)
    assert unicodedata.is_normalized("NFC", clean)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_visible_characters_are_never_lost(text: str) -> None:
    assert "".join(lines(text)) == unicodedata.normalize("NFC", text)


def test_a_long_run_of_marks_is_cut() -> None:
    (line,) = lines("x" * 2000 + "a" + "\u0316\u0301" * 50_000)
    assert len(line) < 2040


def test_keys_are_equal_for_another_style_of_the_same_words() -> None:
    assert key("‘No’ to “storms” – he\u00a0said…") == key("'no' to \"Storms\" - He said...")
    assert key("\u200eShort Url\u200f") == key("short  url")
    assert key("Ports reopen") != key("Ports reopened")


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("plain", None),
        ("São Paulo’s café — Émile", None),
        ("the kingâ€™s", "â€™"),
        ("cafÃ©", "Ã©"),
        ("pay Â£5", "Â£"),
        ("it\x92s", "U+0092"),
    ],
)
def test_wrongly_decoded_text_is_recognised(text: str, sign: str | None) -> None:
    assert mojibake(text) == sign
