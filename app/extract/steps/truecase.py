"""Truecasing of headlines in capitals, by the case of the text below them.

`JAPAN, EC SEEK WAY OUT` becomes `Japan, EC seek way out`: a word gets its case in the article's
other fields, a name of the authority file its case there, any other lower case. The length does not
change, so offsets stay valid. In a Headline Like This, words that the text has only in lower case
are lowered.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from app.extract import authority, lexicon

if TYPE_CHECKING:
    from app.extract.document import Passage, Reading

_WORD = re.compile(r"[^\W\d_](?:[\w’'&]|\.(?=\w))*")
_SENTENCE = re.compile(r"(?:^|[.!?:\n]\s*)[“\"‘']?$")
_LEAST = 8  # letters of a passage that say whether it is in capitals
_MOSTLY = 0.8


def mend(reading: Reading) -> None:
    """Restore the case in `read` of passages in capitals or title case."""
    shouting: list[Passage] = []
    titled: list[Passage] = []
    others: list[Passage] = []
    for _, passage in reading.prose():
        if _in_capitals(passage.read):
            shouting.append(passage)
        elif passage.field == "headline" and _in_title_case(passage.read):
            titled.append(passage)
        else:
            others.append(passage)
    if not shouting and not titled:
        return
    spelt = _spellings(" \n".join(passage.read for passage in others))
    for passage in shouting:
        passage.loud = True
        passage.read = _known_names(passage.read, _lowered(passage.read, spelt))
    for passage in titled:
        passage.read = _WORD.sub(lambda m: _down(m, spelt), passage.read)


def _in_capitals(text: str) -> bool:
    letters = [each for each in text if each.isalpha()]
    upper = sum(each.isupper() for each in letters)
    return len(letters) >= _LEAST and upper >= _MOSTLY * len(letters)


def _in_title_case(text: str) -> bool:
    words = [word for word in _WORD.findall(text) if len(word) > 3]
    return len(words) > 3 and sum(word[0].isupper() for word in words) >= _MOSTLY * len(words)


def _spellings(text: str) -> dict[str, str]:
    """Word in lower case -> its most frequent case in the text, inside sentences."""
    counts: dict[str, Counter[str]] = {}
    firsts: dict[str, str] = {}
    for match in _WORD.finditer(text):
        word = match.group()
        if not word[0].isupper() or not _SENTENCE.search(
            text, max(match.start() - 4, 0), match.start()
        ):
            counts.setdefault(word.lower(), Counter())[word] += 1
        else:
            counts.setdefault(word.lower(), Counter())
            firsts[word.lower()] = word
    return {
        word: each.most_common(1)[0][0] if each else firsts[word] for word, each in counts.items()
    }


def _lowered(text: str, spelt: dict[str, str]) -> str:
    def write(match: re.Match[str]) -> str:
        word = match.group()
        stem, _, ending = word.partition("'")
        new = spelt.get(word.lower()) or (spelt.get(stem.lower()) if ending else None)
        if new is None:
            new = word if "." in word else _common(word)
        elif len(new) != len(word):
            new += word[len(new) :].lower()
        return new if len(new) == len(word) else word

    return _WORD.sub(write, text)


def _common(word: str) -> str:
    title = word.capitalize()
    if title in lexicon.GIVEN_NAMES or title in lexicon.CALENDAR:
        return title
    return word.lower()


@lru_cache(maxsize=1)
def _capitals() -> dict[str, list[str]]:
    """First word in capitals -> names of the authority file that may follow, longest first."""
    found: dict[str, list[str]] = {}
    for entry in authority.entries():
        for name in entry.names:
            if name in entry.weak and name.upper() == name:
                continue  # a headline in capitals hides whether WHO is one
            found.setdefault(name.upper().split()[0].rstrip("'’"), []).append(name)
    for people in authority.demonyms():
        found.setdefault(people.upper().split()[0], []).append(people)
    for names in found.values():
        names.sort(key=len, reverse=True)
    return found


def _known_names(loud: str, read: str) -> str:
    """`read` with the names of the authority file as they stand there."""
    known, end = _capitals(), 0
    parts: list[str] = []
    for match in _WORD.finditer(loud):
        start = match.start()
        if start < end:
            continue
        first = match.group()
        for name in known.get(first, known.get(first.removesuffix("'S").removesuffix("’S"), ())):
            until = start + len(name)
            if loud.startswith(name.upper(), start) and not loud[until : until + 1].isalnum():
                if name != "US" or read[start:until] == "US":
                    parts += (read[end:start], name)
                    end = until
                break
    read = "".join((*parts, read[end:]))
    first = read[:1].upper()
    return first + read[1:] if len(first) == 1 else read  # a ligature becomes two letters


def _down(match: re.Match[str], spelt: dict[str, str]) -> str:
    word, lower = match.group(), match.group().lower()
    return lower if match.start() and spelt.get(lower) == lower else word
