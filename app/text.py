"""Analysis: text to tokens with their offsets, once for all engines, queries and highlights.

A token is a Unicode word with case and accents folded and its English ending removed. What
counts as one word: `Pakistan's`, `20th`, `5,000`, `5.8`, `U.S.` (which becomes `us`), `C++`.
Hyphens part words. Chinese and Japanese characters are a token each, so that a phrase of
them finds them inside a run without spaces. Nothing here knows an index or a query.

    >>> [token.text for token in tokens("The U.S. envoy's 5,000 prisoners")]
    ['the', 'us', 'envoy', '5000', 'prison']
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import regex
import Stemmer

if TYPE_CHECKING:
    from collections.abc import Iterator

ANALYZER_VERSION = 1
"""Raise with every change of what `tokens` gives: an index made with another one is rebuilt."""

_LETTER = r"[\p{L}\p{M}\p{N}--[\p{Han}\p{Hiragana}\p{Katakana}]]"
_WORD = regex.compile(
    rf"""
      (?<![\p{{L}}\p{{N}}]) \p{{L}} (?: \.\p{{L}} )+ (?![\p{{L}}\p{{N}}]) \.?   # U.S., e.g.
    | \p{{Nd}}{{1,3}} (?: ,\p{{Nd}}{{3}} )+ (?!\p{{Nd}}) (?: \.\p{{Nd}}+ )?    # 5,000
    | \p{{Nd}}+ (?: \.\p{{Nd}}+ )+ {_LETTER}*                                  # 5.8bn
    | (?<![\p{{L}}\p{{N}}]) \p{{L}} (?: \+\+ | \# ) (?![\p{{L}}\p{{N}}])       # C++, C#
    | (?! \p{{M}} ) {_LETTER}+ (?: ['’ʼ] (?! \p{{M}} ) {_LETTER}+ )*
    | [\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]
    """,
    regex.VERBOSE | regex.V1,
)
_LONGEST = 64  # characters of a token that are kept: no word of any news text is longer
_stem = Stemmer.Stemmer("english").stemWord
_ACCENTS = regex.compile(r"[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]+")


class Token(NamedTuple):
    """A word as it is indexed; `start` and `end` cut its surface out of the text.

    `form` is the word folded with its ending, which prefixes and typing errors go by.
    """

    text: str
    form: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, in order."""
    for match in _WORD.finditer(text):
        yield Token(*_term(match.group()), match.start(), match.end())


def terms(text: str) -> list[str]:
    """The texts of `tokens(text)`: what an engine indexes."""
    return [_term(word)[0] for word in _WORD.findall(text)]


def terms_and_forms(text: str) -> list[tuple[str, str]]:
    """The texts and forms of `tokens(text)`."""
    return [_term(word) for word in _WORD.findall(text)]


def stem(form: str) -> str:
    """The token of a folded word."""
    return _term(form)[0]


def fold(text: str) -> str:
    """`text` for comparing names: its words with case and accents folded, one space between.

    Words keep their endings. A text without any word comes back stripped and case-folded.
    """
    return " ".join(map(_folded, _WORD.findall(text))) or text.strip().casefold()


def fold_start(text: str, words: int) -> str:
    """The first `words` of `fold(text)`, without reading the rest."""
    found = [_folded(match.group()) for match in islice(_WORD.finditer(text), words)]
    return " ".join(found) or " ".join(fold(text).split()[:words])


def _term(word: str) -> tuple[str, str]:
    # What is kept is bounded in bytes: no word is so long but an invented one.
    return _known_term(word) if len(word) <= _LONGEST else _made_term(word)


def _made_term(word: str) -> tuple[str, str]:
    folded = _folded(word)
    return (_stem(folded) if folded.isascii() else folded), folded


_known_term = lru_cache(maxsize=100_000)(_made_term)


def _folded(word: str) -> str:
    if not word.isascii():
        bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", word))
        bare = bare.replace("’", "'").replace("ʼ", "'")
        # The compatibility form of some letters holds spaces, of a few nothing else.
        word = unicodedata.normalize("NFC", "".join(bare.split())) or word
    word = word.casefold()
    if "," in word or (word[-1] == "." or word[1:2] == "."):
        word = word.replace(",", "") if word[0].isdigit() else word.replace(".", "")
    return word[:_LONGEST]
