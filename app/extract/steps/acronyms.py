"""Acronyms and their long forms: `Inter-Services Public Relations (ISPR)`.

A step of `pipeline`. The article's own long form takes precedence over the authority file; of
several, the nearest one before is taken. An acronym of common words, as in
`virtual asset service providers (VASPs)`, is no name.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from app.extract import authority, lexicon
from app.extract.document import Span
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from app.extract.base import Type
    from app.extract.document import Reading

_ACRONYM = re.compile(r"[ ]\(([A-Z][A-Za-z&.-]{1,9}?)(s?)\)")
_REVERSED = re.compile(r"\b([A-Z]{2,8})[ ]\(([\w’'-]+(?:[ ][\w’'-]+){1,7})\)")
_SHORT = re.compile(r"(?<![\w-])(?=([A-Z][A-Za-z&.-]{1,10}))")
_WORD = re.compile(r"\w")
_BEFORE = re.compile(r"[^\s().,;:“”\"]+(?:\.(?=\s|$))?")
_OWNER = re.compile(r"['’]s?$")
_WINDOW = 10  # words before the bracket that may be the long form
_REACH = 400  # characters before the bracket that these words take at most
_MINOR = frozenset({"of", "and", "the", "for", "in", "on", "de", "la", "des", "du", "et", "&", "y"})


class _Meaning(NamedTuple):
    """A long form and where it is defined (passage, start); no name if it is common words."""

    at: tuple[int, int]
    name: str | None
    type: Type


def acronyms(reading: Reading) -> None:
    """Find definitions `Long Name (ABC)`, and name every ABC by the nearest one before it."""
    learnt: defaultdict[str, list[_Meaning]] = defaultdict(list)
    for number, passage in enumerate(reading.passages):
        for match in _ACRONYM.finditer(passage.read):
            short = match.group(1)
            long = _long_form(reading, number, match.start(), short)
            if long is None:
                continue
            start, end, type_ = long
            end = start + len(_OWNER.sub("", passage.read[start:end]))
            name = " ".join(passage.read[start:end].split())
            if name[:1].islower() or fold(name) in lexicon.NO_PHRASES:
                learnt[short].append(_Meaning((number, start), None, type_))
                learnt[short + "s"].append(_Meaning((number, start), None, type_))
                continue
            reading.replace(Span(number, start, end, type_, name, sure=True))
            learnt[short].append(_Meaning((number, start), name, type_))
        for match in _REVERSED.finditer(passage.read):
            short, words = match.group(1), match.group(2).split()
            if initials(words) == short.casefold() and words[-1][0].islower():
                learnt[short].append(_Meaning((number, match.start()), None, "organization"))
            elif initials(_capitalized(words)) == short.casefold():
                start, end = match.span(2)
                reading.replace(Span(number, start, end, "organization", match[2], sure=True))
                learnt[short].append(_Meaning((number, match.start()), match[2], "organization"))
    places = _places(reading, learnt)
    for short, meanings in learnt.items():
        _name_acronyms(reading, places[short], sorted(meanings, key=lambda each: each.at))


def _long_form(reading: Reading, number: int, end: int, short: str) -> tuple[int, int, Type] | None:
    """Start, end and type of the words before the bracket that the acronym abbreviates."""
    read = reading.passages[number].read
    wanted = "".join(each for each in short if each.isalpha()).casefold()
    reach = max(end - _REACH, 0)
    floor = max(reach - 1, *(read.rfind(mark, reach, end) for mark in ("\n", "(", ")", "“", "; ")))
    words = list(_BEFORE.finditer(read, floor + 1, end))[-_WINDOW:]
    for count in range(1, len(words) + 1):
        window = [word.group() for word in words[-count:]]
        major = [word for word in window if word.lower() not in _MINOR]
        if window[0].lower() in _MINOR or len(major) < 2:
            continue
        if wanted in {initials(window), initials(major), initials(_capitalized(major))}:
            start = words[-count].start()
            known = authority.lookup(read[start:end])
            return start, end, known[0].type if known else "organization"
    there = [span for span in reading.touching(number, end - 1, end) if span.end == end]
    if there and there[0].type != "person" and " " in reading.surface(there[0]):
        letters = iter(reading.surface(there[0]).casefold())
        if reading.surface(there[0])[0].casefold() == wanted[0] and all(
            e in letters for e in wanted
        ):
            return there[0].start, end, there[0].type
    return None


def _capitalized(words: list[str]) -> list[str]:
    return words if words[0][0].islower() else [word for word in words if word[0].isupper()]


def initials(words: list[str]) -> str:
    """The first letters of words and of their hyphenated parts, in lower case."""
    parts = [part for word in words for part in re.split(r"[-/.&’']", word) if part]
    return "".join(part[0] for part in parts if part != "s").casefold()


def _places(reading: Reading, learnt: Collection[str]) -> dict[str, list[tuple[int, int, int]]]:
    """The occurrences of each acronym as a word: passage, start, end."""
    places: dict[str, list[tuple[int, int, int]]] = {short: [] for short in learnt}
    for number, passage in enumerate(reading.passages):
        for match in _SHORT.finditer(passage.read):
            run, start = match[1], match.start()
            for length in range(1, len(run) + 1):
                there = places.get(run[:length])
                end = start + length
                if there is None or _WORD.match(passage.read, end):
                    continue
                if not there or there[-1][0] != number or there[-1][2] <= start:
                    there.append((number, start, end))
    return places


def _name_acronyms(
    reading: Reading, places: Sequence[tuple[int, int, int]], meanings: Sequence[_Meaning]
) -> None:
    names = {fold(each.name) if each.name else None for each in meanings}
    for number, start, end in places:
        there = reading.touching(number, start, end)
        if any(span.start < start or span.end > end for span in there):
            continue
        reading.remove(*there)
        before = bisect_left(meanings, (number, start), key=lambda each: each.at)
        meant = meanings[before - 1] if before else (meanings[0] if len(names) == 1 else None)
        if not meant or not meant.name:
            reading.closed.append((number, start, end))
        else:
            reading.add(Span(number, start, end, meant.type, meant.name, sure=True))
