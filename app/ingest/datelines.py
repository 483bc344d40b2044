"""What stands before the first sentence of a story: its dateline, with the places it names.

`ISLAMABAD: `, `DUBAI/RIYADH: `, `KARACHI, Pakistan: ` and the agencies' `LONDON, Jan 5
(Reuters) - `, `WASHINGTON (AP) — ` are datelines. A colon needs capitals before it; a bracketed
agency with a dash does not, nor `Riyadh, SPA -- `. Words that editors set in capitals before
a colon (`WARNING`, `EXCLUSIVE`, `FIRST THINGS FIRST`) are none. A dateline that names no place
(`ABOARD THE OCEAN VIKING`) has none. A day that stands in a dateline is left out of it: one
with its year is handed on as it is printed, one without is dropped, never completed.

    >>> found = parse("DUBAI/RIYADH, Jan 5 (Reuters) - Oil rose.")
    >>> found.printed, found.places, found.agency, found.rest
    ('DUBAI/RIYADH', ('Dubai', 'Riyadh'), 'Reuters', 'Oil rose.')
    >>> parse("RIO DE JANEIRO: It rained.").places
    ('Rio de Janeiro',)
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import regex

from app.ingest.vocabulary import (
    ACRONYMS,
    AGENCIES,
    NEVER_ALONE,
    NEVER_FIRST,
    NEVER_LAST,
    PARTICLES,
    REGIONS,
    STILL_PLACES,
    UNDER_WAY,
)

_HEAD = 160  # characters in which a dateline ends
_WORDS = 6  # words of the longest name of a place

_AGENCY = regex.compile(
    r"(?P<where>[^()]{2,90}?) ?:? ?\((?P<agency>[^()]{2,40})\) ?(?P<mark>:|[-–—―]+)(?: |$)"
)
_WIRE = re.compile(rf", ?(?P<agency>{'|'.join(map(re.escape, AGENCIES))}) ?(?:--?|[–—―]) ")
_COLON = regex.compile(r"(?P<where>[^:：()]{2,100}?) ?[:：](?!//)")
_DASH = regex.compile(r"(?P<where>[^:()]{4,60}?)(?: [-–]{1,2} | ?[—―] ?)(?=[\p{Lu}“\"‘'\d])")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_STATE = regex.compile(r"[A-Z]\.?[A-Z]\.?")
_DATE = regex.compile(
    rf"(?:, ?| )(?P<date>(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
    rf"(?:{_MONTH} {_DAY}|{_DAY} {_MONTH})(?:,? (?P<year>\d{{4}}))?)$",
    regex.IGNORECASE,
)
_AND = regex.compile(r" (?:and|&) ", regex.IGNORECASE)
_SLASH = regex.compile(r" ?[/;|] ?| [-–—] ")
_NAME = regex.compile(r"[\p{L}\p{M}.'’‘ʼ`ʿʾ\- ]+")
_SEPARATORS = regex.compile(r"[ \-]")
_PIECES = regex.compile(r"([ \-])")
_APOSTROPHE = regex.compile(r"(['’‘ʼ`ʿʾ])")


@dataclass(frozen=True, slots=True)
class Dateline:
    """A dateline as printed and what it says; `rest` is the text after it.

    `date` is a day with its year that stood in it, as printed.
    """

    printed: str
    places: tuple[str, ...]
    rest: str
    agency: str | None = None
    date: str | None = None
    doubt: str | None = None


def parse(paragraph: str) -> Dateline | None:
    """The dateline that opens `paragraph`, a clean line; None if it has none."""
    head = paragraph[:_HEAD]
    if "(" in head and (match := _AGENCY.match(head)):
        colon = match["mark"] == ":"
        found = _dateline(match["where"], paragraph[match.end() :], capitals=colon)
        if found is not None:
            return _with_agency(found, match["agency"].strip())
    if wire := _WIRE.search(head):
        found = _dateline(head[: wire.start()], paragraph[wire.end() :], capitals=False)
        if found is not None:
            return replace(found, agency=wire["agency"])
    if match := _COLON.match(head):
        found = _dateline(match["where"], paragraph[match.end() :], capitals=True)
        if found is not None:
            return found
    if match := _DASH.match(head):
        found = _dateline(match["where"], paragraph[match.end() :], capitals=True)
        if found is not None:
            return replace(found, doubt=f'"{found.printed}" is set off by a dash, not by a colon')
    return None


def title(name: str) -> str:
    """A place's name in title case: `N'DJAMENA` is `N'Djamena`, `DAR ES SALAAM` `Dar es Salaam`."""
    words: list[str] = []
    for piece in _PIECES.split(name):
        before = words[-2].lower() if len(words) > 1 else None
        words.append(_word(piece, before))
    return "".join(words)


def _dateline(where: str, rest: str, *, capitals: bool) -> Dateline | None:
    found = _read(where, capitals)
    if found is None:
        return None
    return Dateline(found.printed, found.places, rest.strip(), date=found.date, doubt=found.doubt)


@lru_cache(maxsize=1024)
def _read(where: str, capitals: bool) -> Dateline | None:
    """The dateline that `where`, a line's start, makes, without the rest of the line."""
    where = where.strip(" ,")
    dated = _DATE.search(where)
    printed = (where[: dated.start()] if dated else where).strip(" ,")
    places: list[str] = []
    if printed.upper().startswith(UNDER_WAY) and _capitals(printed):
        return Dateline(printed, (), "", doubt=f'"{printed}" names no place')
    for part in _SLASH.split(printed):
        named = _places(part, capitals=capitals)
        if named is None:
            return None
        places += (name for name in named if name not in places)
    date = dated["date"] if dated and dated["year"] else None
    return Dateline(printed, tuple(places), "", date=date)


def _places(part: str, *, capitals: bool) -> list[str] | None:
    """The places that one part of a dateline names; None if it is no place."""
    names = [part] if part.upper() in REGIONS else _AND.split(part)
    places = []
    for name in names:
        first, *others = (piece.strip() for piece in name.split(","))
        is_sure = any(map(_is_region, others))
        if not _is_place(first, is_sure=is_sure) or (capitals and not _capitals(first)):
            return None
        places.append(title(first))
        for other in others:
            if not (_is_region(other) or _is_place(other)):
                return None
            if _capitals(other) and capitals and not _is_region(other):
                places.append(title(other))
    return places


def _is_region(name: str) -> bool:
    return name.upper() in REGIONS or _STATE.fullmatch(name) is not None


def _is_place(name: str, *, is_sure: bool = False) -> bool:
    """Whether `name` may name a place: a few capitalised words, none of an editor's labels.

    Labels are not asked for where a country or state `is_sure` to make it a place.
    """
    upper = name.upper()
    if upper in STILL_PLACES:
        return True
    words = upper.replace("-", " ").split()
    if (
        not words
        or len(words) > _WORDS
        or not _NAME.fullmatch(name)
        or " -" in name
        or "- " in name
    ):
        return False
    if sum(char.isalpha() for char in name) < 3 or not _capitalised(name):
        return False
    if is_sure:
        return True
    if len(words) == 1:
        return words[0].rstrip(".") not in NEVER_ALONE
    return upper.split()[0] not in NEVER_FIRST and words[-1] not in NEVER_LAST


def _capitalised(name: str) -> bool:
    return name.lstrip("'’‘ʼ`ʿʾ")[:1].isupper() and all(
        word.lstrip("'’‘ʼ`ʿʾ-")[:1].isupper()
        or word.startswith(("al-", "el-"))
        or word in PARTICLES
        for word in name.split()
    )


def _capitals(name: str) -> bool:
    """Whether `name` is set in capitals, but for particles and the c of Mc."""
    words = [word for word in _SEPARATORS.split(name) if word]
    return name[:1] != name[:1].lower() and all(
        word.isupper() or word in PARTICLES or word.removeprefix("Mc").isupper() for word in words
    )


def _with_agency(found: Dateline, agency: str) -> Dateline:
    if agency.upper() in REGIONS:
        return replace(found, printed=f"{found.printed} ({agency})")
    return replace(found, agency=agency)


def _word(word: str, before: str | None) -> str:
    lower = word.lower()
    if before is not None and (
        lower in PARTICLES or (before == "de" and lower in {"la", "las", "los", "le", "les"})
    ):
        return lower
    letters = word.removeprefix("Mc")
    if not letters.isupper() or word in ACRONYMS or "." in word[1:-1]:
        return word
    if (letters != word or lower.startswith("mc")) and len(word) > 3:
        return "Mc" + word[2:].capitalize()
    pieces = _APOSTROPHE.split(word, maxsplit=1)
    if len(pieces) == 1:
        return word.capitalize()
    start, mark, end = pieces
    if len(start) > 1:
        return f"{start.capitalize()}{mark}{end.lower()}"
    if before is not None and start in {"D", "L"}:
        start = start.lower()
    return f"{start}{mark}{end.capitalize()}"
