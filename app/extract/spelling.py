"""Normalization of people's names: `Zelensky` and `Zelenskyy`, `al-Assad` and `Assad`.

Names in, keys out: equal keys are one name. Nothing here knows an article or a store.
"""

from __future__ import annotations

import re
from functools import lru_cache

from app.extract import lexicon
from app.text import fold

_ONE = {fold(word): fold(words[0]) for words in lexicon.SPELLINGS for word in words}
_SLAVIC = re.compile(r"(?<=sk)(?:iy|yy|ij|ii|yi|y|i)$|(?<=[a-z]{3})(?:iy|yy|ij|ii)$")
_PREFIX = re.compile(r"(?:al|el)[ -]|(?:Al|El)-")
_ARTICLES = frozenset({"al", "el"})
_SHORT = 5  # letters of a part of a Korean given name
_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})


@lru_cache(maxsize=100_000)
def key(name: str) -> str:
    """The folded name, with one spelling for words that have several.

    >>> key("Volodymyr Zelenskyy") == key("Volodymyr Zelensky")
    True
    >>> key("Bashar al-Assad") == key("Bashar Assad")
    True
    """
    words = fold(name).split()
    kept = [word for at, word in enumerate(words) if not at or word not in _ARTICLES]
    return " ".join(_ONE.get(word) or _SLAVIC.sub("y", word) for word in kept)


def surname(name: str) -> str:
    """The key of the surname in a full name, with its particles; empty for a single name.

    >>> surname("Ursula von der Leyen"), surname("Xi Jinping"), surname("Leyen")
    ('von der leyen', 'xi', '')
    """
    words = key(name).split()
    if len(words) > 1 and words[-1] in _SUFFIXES:
        words.pop()
    if len(words) in {2, 3} and words[0] in lexicon.CHINESE_SURNAMES:
        return words[0]
    if (
        len(words) == 3
        and words[0] in lexicon.KOREAN_SURNAMES
        and max(map(len, words[1:])) <= _SHORT
    ):
        return words[0]
    start = len(words) - 1
    while start > 0 and words[start - 1] in lexicon.SURNAME_PARTICLES:
        start -= 1
    return " ".join(words[start:]) if start > 0 else ""


def alone(name: str) -> str:
    """The key of a surname that stands alone, as in `surname`; empty for a full name.

    >>> alone("al-Assad"), alone("von der Leyen"), alone("Imran Khan")
    ('assad', 'von der leyen', '')
    """
    words = key(_PREFIX.sub("", name)).split()
    only = all(word in lexicon.SURNAME_PARTICLES for word in words[:-1])
    return " ".join(words) if words and only else ""
