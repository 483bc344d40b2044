"""The dateline before the first sentence of a story, and the places it names.

`ISLAMABAD: `, `DUBAI/RIYADH: `, `KARACHI, Pakistan: ` and the agencies' `LONDON, Jan 5
(Reuters) - `, `WASHINGTON (AP) — ` are datelines. A colon needs capitals before it; a bracketed
agency with a dash does not, nor `Riyadh, SPA -- `. Words that editors set in capitals before
a colon (`WARNING`, `EXCLUSIVE`, `FIRST THINGS FIRST`) are none. A dateline that names no place
(`ABOARD THE OCEAN VIKING`) has no places. A day in a dateline is removed from it: one with its year
is returned as printed, one without is dropped, never completed.

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
from typing import TYPE_CHECKING

import regex

from app.ingest import authors
from app.ingest.page_text import dates
from app.ingest.vocabulary import (
    ACRONYMS,
    AGENCIES,
    LABELS,
    MONTHS,
    NEVER_ALONE,
    NEVER_FIRST,
    NEVER_LAST,
    PARTICLES,
    PATTERNS,
    PLACES,
    REGIONS,
    STATES,
    STILL_PLACES,
    UNDER_WAY,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_HEAD = 160  # characters in which a dateline ends
_WORDS = 6  # words of the longest name of a place

_FIRST = regex.compile(
    r"[(\[【](?P<agency>[\p{L} /.-]{2,30})[)\]】] ?[-–—]{0,2} ?"
    r"(?P<where>\p{Lu}[^()–—:-]{1,40}?) ?[-–—:]{1,2} "
)
_AGENCY = regex.compile(
    r"(?P<where>[^()]{2,90}?) ?:? ?\((?P<agency>[^()]{2,40})\)\.? ?(?P<mark>:|[-–—―]+)(?: |$)"
)
_WIRE = regex.compile(
    rf"(?P<where>.{{2,90}}?), ?(?P<agency>{'|'.join(map(re.escape, AGENCIES))}) ?(?:--?|[–—―]) "
)
_SET_OFF = regex.compile(
    r"(?P<where>[^-–—―:()|]{2,50}?)(?:\.| ?[-–—―]|,) ?"
    r"(?P<agency>(?![\d ])[^-–—―:()|,]{2,30}?)(?: ?[-–—―]+ |\. )"
)
_BARRED = regex.compile(r"(?P<where>\p{Lu}{2}[^|()]{1,40}?),? (?P<agency>[\p{L}/ ]{2,30}?) ?\| ")
_UNCASED = regex.compile(  # scripts without capitals
    r"(?P<where>(?=[^\x00-\x7f])[^()\p{Lu}\p{Ll}:：-]{2,60}?)"
    r"(?: ?[:：] ?| ?\((?P<agency>[^()]{2,30})\)(?: ?[-–—:：،]+)? ?"
    r"|[,،] (?P<agency>[^(),،.]{2,20}) ?[-–—]+ | ?[-–—] (?=[^ ]))"
)
_BRACKETED = regex.compile(
    r"(?P<where>[^()]{2,60}?) \((?P<agency>\p{Lu}{2,6}|Reuters|Xinhua|Bloomberg)\) (?=[\p{Lu}“\"])"
)
_SLASHED = regex.compile(
    r"(?P<where>[^/|()]{2,80}?)[.,]? ?"
    r"(?:/ ?(?P<agency>[\p{L}][\p{L} -]{1,30}?) ?/|\| ?(?P<agency>[\p{L}][\p{L} -]{1,30}?) ?\|"
    r"|--\((?P<agency>[\p{L} ]{2,30})\)--)(?:\.? ?[-–—]{1,2})?\.?(?: |$|(?<=\)--))"
)
_CHINESE = regex.compile(
    rf"[【（(［\[]?(?P<agency>{PATTERNS['chinese_agencies']})(?:[记記]者)?"
    r"(?P<by>\p{Han}{2,3}(?=\p{Han}{2,5}\d))?(?P<where>\p{Han}{2,6}?)(?:\d{1,2}月)?\d{1,2}日"
    r"(?:专|綜合|综合|外)?[电電讯訊](?:】|）|\))? ?"
    r"(?:[（(][记記]者 ?(?P<by>[^（）()]{2,40})[）)])? ?"
)
_JAPANESE = regex.compile(
    r"[【［\[](?P<where>[\p{Han}\p{Katakana}ー・、]{2,14}?)"
    r"(?:[ =＝]\s?(?P<by>[\p{Han}\p{Hiragana}\p{Katakana}ー・、々]{2,20}?)"
    rf"|\s?(?:\d{{1,2}}日?\s)?(?P<agency>{PATTERNS['japanese_agencies']}))[】］\]] ?[-－ー―]? ?"
)
_KOREAN = regex.compile(
    r"[（(【\[](?P<where>\p{Hangul}{2,6})(?:[·/]\p{Hangul}{2,6})*[=＝] ?"
    r"(?P<agency>[^()=＝【】\[\]]{2,12})[）)】\]] ?"
    r"(?:(?P<by>\p{Hangul}{2,4}(?:[ ·,]+\p{Hangul}{2,4}){0,3})"
    r" ?(?:기자|특파원|선임기자|인턴기자|통신원))? ?[=＝]? ?"
)
_RUN_ON = (_CHINESE, _JAPANESE, _KOREAN)
_COLON = regex.compile(r"(?P<where>[^:：()]{2,100}?) ?[:：](?!//)")
_DASH = regex.compile(r"(?P<where>[^:()]{4,60}?)(?: [-–]{1,2} | ?[—―] ?)(?=[\p{Lu}“\"‘'\d])")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_STATE = regex.compile(r"[A-Z]\.?[A-Z]\.?")
_OTHER_DATE = regex.compile(
    r"(?:[,،.] ?| )(?P<date>(?P<day>\d{1,2})\.? (?:de )?(?P<month>\p{L}[\p{L}\p{M}]{1,12})\.?"
    r"(?:,? (?:de )?(?P<year>\d{4}))?)\.?$"
)
_DATE = regex.compile(
    rf"(?:, ?| )(?P<date>(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
    rf"(?:{_MONTH} {_DAY}|{_DAY}\.? {_MONTH})(?:,? (?P<year>\d{{4}}))?)$",
    regex.IGNORECASE,
)
_AND = regex.compile(r" (?:and|&) ", regex.IGNORECASE)
_SLASH = regex.compile(r" ?[/;|] ?| [-–—] ")
_NAME = regex.compile(r"[\p{L}\p{M}.'’‘ʼ`ʿʾ\- ]+")
_DOMAIN = regex.compile(
    r"[\w-]{2,20}\.(?:com|co|id|net|org|de|tr|in|ru|ua)(?:\.\w\w)?", regex.IGNORECASE
)
_SPEAKER = regex.compile(r"\p{Lu}[\p{Lu} .'’-]{1,40}: ")
_VOWEL = regex.compile(r"[^B-DF-HJ-NP-TV-XZ.]")
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
    if (found := _with_sender(head, paragraph)) is not None:
        return found
    for form in () if head.isascii() else _RUN_ON:
        if run_on := form.match(head):
            where, by = run_on["where"], run_on["by"] or run_on["agency"]
            return Dateline(where, (where,), paragraph[run_on.end() :].strip(), by)
    if match := _COLON.match(head):
        found = _dateline(match["where"], paragraph[match.end() :], capitals=True)
        if found is not None:
            return found
    if match := _DASH.match(head):
        found = _dateline(match["where"], paragraph[match.end() :], capitals=True)
        if found is not None:
            return replace(found, doubt=f'"{found.printed}" is set off by a dash, not by a colon')
    return None


def _with_sender(head: str, paragraph: str) -> Dateline | None:
    """A dateline with an agency at its end or start, in brackets, slashes, bars or dashes."""
    signs = _SIGNS.intersection(head)
    if not signs:
        return None
    for form, needed, is_sure in _SENDERS:
        if signs.isdisjoint(needed) or (match := form.match(head)) is None:
            continue
        capitals = form in (_FIRST, _BARRED) or (form is _AGENCY and match["mark"] == ":")
        found = _dateline(match["where"], paragraph[match.end() :], capitals=capitals)
        if found is not None and is_sure(match, found):
            return _with_agency(found, match["agency"])
    return None


def _anyhow(_match: regex.Match[str], _found: Dateline) -> bool:
    return True


def _is_sent(match: regex.Match[str], _found: Dateline) -> bool:
    return _is_agency(match["agency"])


def _is_set_off(match: regex.Match[str], found: Dateline) -> bool:
    return _is_agency(match["agency"]) and (_is_listed(found) or _capitals(found.printed))


def _is_where_listed(_match: regex.Match[str], found: Dateline) -> bool:
    return _is_listed(found)


_DASHES = "-–—―"
_SENDERS = (
    (_FIRST, "([【", _is_sent),
    (_AGENCY, "(", _anyhow),
    (_WIRE, _DASHES, _anyhow),
    (_SET_OFF, _DASHES, _is_set_off),
    (_BARRED, "|", _anyhow),
    (_UNCASED, ":：(" + _DASHES, _is_where_listed),
    (_BRACKETED, "(", _is_where_listed),
    (_SLASHED, "/|(", _anyhow),
)
"""Patterns of a dateline with its agency, signs of which each needs one, and a check of each."""
_SIGNS = frozenset().union(*(needed for _, needed, _ in _SENDERS))


def is_speaker(found: Dateline, others: Sequence[str]) -> bool:
    """Whether `found` is a speaker's name: no known place, and other speakers follow."""
    if all(map(_is_known, found.places)) or found.agency:
        return False
    return any(_SPEAKER.match(text) for text in others)


def _is_agency(name: str) -> bool:
    """Whether `name` is one of an agency or of a news house."""
    name = name.strip()
    return authors.is_organization(name) or _DOMAIN.fullmatch(name) is not None


def _is_listed(found: Dateline) -> bool:
    """Whether a list has each of its places."""
    return bool(found.places) and all(map(_is_known, found.places))


def _is_known(name: str) -> bool:
    """Whether a list has a place of that name, perhaps in capitals."""
    return name.upper() in PLACES or authors.is_place(name)


def _is_label(found: Dateline) -> bool:
    """Whether words before a colon are an editor's label: known words, and no known place."""
    first, *others = (piece.strip() for piece in found.printed.split(","))
    if first in STILL_PLACES or any(map(_is_region, others)):
        return False
    unknown = [name for name in found.places if not _is_known(name)]
    words = [word for name in unknown for word in regex.split(r"[ -]", name.upper())]
    return any(word in LABELS or not _VOWEL.search(word) for word in words if len(word) > 2)


def title(name: str) -> str:
    """A place's name in title case: `N'DJAMENA` is `N'Djamena`, `DAR ES SALAAM` `Dar es Salaam`."""
    words: list[str] = []
    for piece in _PIECES.split(name):
        before = words[-2].lower() if len(words) > 1 else None
        words.append(_word(piece, before))
    return "".join(words)


def _dateline(where: str, rest: str, *, capitals: bool) -> Dateline | None:
    found = _read(where, capitals)
    if found is None or (capitals and _is_label(found)):
        return None
    return Dateline(found.printed, found.places, rest.strip(), date=found.date, doubt=found.doubt)


@lru_cache(maxsize=1024)
def _read(where: str, capitals: bool) -> Dateline | None:
    """The dateline in `where`, the start of a line, without the rest of the line."""
    where = where.strip(" ,")
    dated = _DATE.search(where) or _other_date(where)
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


def _other_date(where: str) -> regex.Match[str] | None:
    """The day at the end of `where` in another language than English."""
    found = _OTHER_DATE.search(where)
    return found if found and found["month"].casefold() in MONTHS else None


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
    return name.upper() in REGIONS or name in STATES or _STATE.fullmatch(name) is not None


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
    return not name.lstrip("'’‘ʼ`ʿʾ")[:1].islower() and all(
        not word.lstrip("'’‘ʼ`ʿʾ-")[:1].islower()  # many scripts have no capitals
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


def _with_agency(found: Dateline, agency: str | None) -> Dateline:
    if agency is None:
        return found
    agency = agency.strip()
    if (printed := dates.parse(agency)) and printed.at:
        return replace(found, date=agency)
    if agency.upper() in REGIONS:
        return replace(found, printed=f"{found.printed} ({agency})")
    return replace(found, agency=agency)


def _word(word: str, before: str | None) -> str:
    if "İ" in word:  # the dotted letter, and with it the other one
        word = word[:1] + word[1:].replace("I", "ı").replace("İ", "i")
        return word[:1] + word[1:].lower()
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
