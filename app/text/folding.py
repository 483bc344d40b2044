"""Folding: words without differences that readers ignore, for any language.

Folds case, accents, width and ligatures, letters that Unicode does not decompose (`ł`, `ø`, `ß`),
digits of other scripts, Arabic letters with several shapes, zero-width marks. `variants` folds
variants of Chinese characters. Does not remove endings.

    >>> folded("Łódź"), folded("ﬁnance"), folded("٢٠٢٤")
    ('lodz', 'finance', '2024')
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import opencc
import regex

_ACCENTS = regex.compile(
    r"[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u00ad\u200c\u200d\u2060]+"
)
_LETTERS = str.maketrans(
    dict(zip("łøđðıħŧĸŋɓɗƙəⱥ", "loddihtknbdkea", strict=True))
    | {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "’": "'", "ʼ": "'"}
    # Arabic: tatweel vanishes, final shapes and Persian letters are those of Arabic.
    | {"ـ": "", "ى": "ي", "ی": "ي", "ک": "ك", "ة": "ه", "ٱ": "ا"}
)
_DIGIT = regex.compile(r"(?![0-9])\p{Nd}")
_HAN = regex.compile(r"\p{Han}")


def folded(word: str) -> str:
    """`word` with case and accents folded; never empty if `word` is not."""
    if not word.isascii():
        bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", word))
        # The compatibility form of some letters contains spaces, of a few nothing else.
        bare = unicodedata.normalize("NFC", "".join(bare.split())).casefold().translate(_LETTERS)
        word = _DIGIT.sub(lambda match: _digit(match[0]), bare) or word
    word = word.casefold()
    return word.replace(",", "") if "," in word and word[0].isdigit() else word


def _digit(char: str) -> str:
    """A digit as ASCII; unchanged if `regex` knows its script and `unicodedata` does not."""
    return str(unicodedata.digit(char, char))


def joined(word: str) -> str:
    """A folded word without the points of an abbreviation: `u.s.` as `us`."""
    return word.replace(".", "") if word[-1] == "." or word[1:2] == "." else word


@lru_cache(maxsize=20_000)
def variants(text: str) -> str:
    """`text` with Chinese and Japanese characters in their simplified form.

    >>> variants("國") == variants("国"), variants("発") == variants("發") == variants("发")
    (True, True)
    """
    if not _HAN.search(text):
        return text
    simplify, japanese = _converters()
    return "".join(simplify.convert(japanese.convert(each)) for each in text)


@lru_cache(maxsize=1)
def _converters() -> tuple[opencc.OpenCC, opencc.OpenCC]:
    return opencc.OpenCC("t2s"), opencc.OpenCC("jp2t")
