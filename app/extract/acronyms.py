"""Acronyms and what they stand for: `Inter-Services Public Relations (ISPR)`.

A step of `resolution`. The meaning is the article's own, whatever the authority file says;
where an article gives two, the nearest one before holds. What stands for common words, as in
`virtual asset service providers (VASPs)`, is no name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.passages import Span
from app.text import fold

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.passages import Reading

_ACRONYM = re.compile(r"[ ]\(([A-Z][A-Za-z&.-]{1,9}?)(s?)\)")
_REVERSED = re.compile(r"\b([A-Z]{2,8})[ ]\(([\w’'-]+(?:[ ][\w’'-]+){1,7})\)")
_BEFORE = re.compile(r"[^\s().,;:“”\"]+(?:\.(?=\s|$))?")
_OWNER = re.compile(r"['’]s?$")
_WINDOW = 10  # words before the bracket that may be the long form
_MINOR = frozenset({"of", "and", "the", "for", "in", "on", "de", "la", "des", "du", "et", "&", "y"})


def acronyms(reading: Reading) -> None:
    """Learn `Long Name (ABC)` and name every ABC by the nearest one before it."""
    learnt: defaultdict[str, list[tuple[tuple[int, int], str | None, Type]]] = defaultdict(list)
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
                learnt[short].append(((number, start), None, type_))
                learnt[short + "s"].append(((number, start), None, type_))
                continue
            replace(reading, Span(number, start, end, type_, name, sure=True))
            learnt[short].append(((number, start), name, type_))
        for match in _REVERSED.finditer(passage.read):
            short, words = match.group(1), match.group(2).split()
            if initials(words) == short.casefold() and words[-1][0].islower():
                learnt[short].append(((number, match.start()), None, "organization"))
            elif initials(_capitalized(words)) == short.casefold():
                start, end = match.span(2)
                replace(reading, Span(number, start, end, "organization", match[2], sure=True))
                learnt[short].append(((number, match.start()), match[2], "organization"))
    for short, meanings in learnt.items():
        _name_acronyms(reading, short, meanings)


def _long_form(reading: Reading, number: int, end: int, short: str) -> tuple[int, int, Type] | None:
    """Where the words before the bracket begin whose initials the acronym has."""
    read = reading.passages[number].read
    wanted = "".join(each for each in short if each.isalpha()).casefold()
    floor = max(read.rfind(mark, 0, end) for mark in ("\n", "(", ")", "“", "; "))
    words = list(_BEFORE.finditer(read, floor + 1, end))[-_WINDOW:]
    for count in range(1, len(words) + 1):
        window = [word.group() for word in words[-count:]]
        major = [word for word in window if word.lower() not in _MINOR]
        if window[0].lower() in _MINOR or len(major) < 2:
            continue
        if wanted in {initials(window), initials(major), initials(_capitalized(major))}:
            start = words[-count].start()
            return start, end, _type_there(reading, number, start, end)
    there = [s for s in reading.spans if s.passage == number and s.end == end]
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


def _type_there(reading: Reading, number: int, start: int, end: int) -> Type:
    known = authority.lookup(reading.passages[number].read[start:end])
    return known[0].type if known else "organization"


def replace(reading: Reading, new: Span) -> None:
    """Put a span in the place of all that it touches."""
    reading.spans = [
        s
        for s in reading.spans
        if s.passage != new.passage or s.end <= new.start or new.end <= s.start
    ]
    reading.spans.append(new)


def _name_acronyms(
    reading: Reading, short: str, meanings: list[tuple[tuple[int, int], str | None, Type]]
) -> None:
    form = re.compile(rf"(?<![\w-]){re.escape(short)}(?![\w])")
    names = {fold(name) if name else None for _, name, _ in meanings}
    for number, passage in enumerate(reading.passages):
        for match in form.finditer(passage.read):
            there = [
                s
                for s in reading.spans
                if s.passage == number and s.start < match.end() and match.start() < s.end
            ]
            if any(s.start < match.start() or s.end > match.end() for s in there):
                continue
            reading.spans = [s for s in reading.spans if s not in there]
            before = [m for m in meanings if m[0] < (number, match.start())]
            meant = before[-1] if before else (meanings[0] if len(names) == 1 else None)
            if not meant or not meant[1]:
                reading.closed.append((number, *match.span()))
            else:
                reading.spans.append(
                    Span(number, match.start(), match.end(), meant[2], meant[1], sure=True)
                )
