"""Spans cut to the name, without articles, quotes and possessives; spans that are no name dropped.

Each function is a step of `pipeline`: it takes a Reading and changes its spans.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span

if TYPE_CHECKING:
    from app.extract.document import Reading

_LEADING = re.compile(r"(?:[\s\"'“”‘’`(\[{<,.;:–—*•/-]+|(?:the|a|an)\s+)+", re.IGNORECASE)
_TRAILING = re.compile(r"(?:['’]s?(?=$)|[\s\"“”‘’`)\]}>,;:?!–—*•/-]+|(?<=[a-z]{3})\.|(?<=\d)\.)+$")
_KEPT_DOT = re.compile(r"\b(?:inc|corp|co|ltd|bros|jr|sr|st|cos|plc|dept)\.$", re.IGNORECASE)
_LONGEST_SPAN = 400  # characters of what may still be several names
_LONGEST_NAME = 200
_LONGEST_PERSON = 6  # words
_SHORTEST = 2  # characters of a name
_FEW = 2  # words: a demonym and an office are no organization yet


def bylines(reading: Reading) -> None:
    """Blank the bylines of desks, such as `By Arab News Staff`, which name no person."""
    for passage in reading.passages:
        for line in _BYLINE.finditer(passage.text):
            start, end = line.span()
            passage.read = passage.read[:start] + " " * (end - start) + passage.read[end:]


def slugs(reading: Reading) -> None:
    """Blank an agency's slug before a headline: `Cricket-England lose`, `UPDATE 2-Oil falls`."""
    for passage in reading.passages:
        if passage.field == "headline" and (slug := _SLUG.match(passage.read)):
            if slug[1] and slug[1].casefold().split()[-1] not in lexicon.SLUGS:
                continue
            passage.read = " " * slug.end() + passage.read[slug.end() :]


def clean(reading: Reading) -> None:
    """Cut articles, quotes, brackets, possessives, punctuation; split spans of two names."""
    kept: list[Span] = []
    for span in (part for whole in reading.spans for part in _two_names(reading, whole)):
        if span.end - span.start > _LONGEST_SPAN:
            continue
        read = reading.passages[span.passage].read
        for start, end in _parts(read, span):
            start, end = trimmed(read, start, end)
            if start < end:
                kept.append(_country_alone(read, Span(span.passage, start, end, span.type)))
    reading.spans = _joined(reading, kept)


def _joined(reading: Reading, spans: list[Span]) -> list[Span]:
    """Two people with one space between are one: `Salem` `al-Yafei`."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and last.type == span.type == "person" and last.passage == span.passage:
            between = reading.passages[span.passage].read[last.end : span.start]
            if between == " ":
                last.end = span.end
                continue
        joined.append(span)
    return joined


_TOWN = re.compile(r"((?:[A-Z][\w.'’-]+ ?){1,3}),\s([A-Z][\w. ]+)")


_AND = re.compile(r"\sand\s(?=([^\W\d_a-z][\w’'-]*)\s[^\W\d_a-z])")


def _two_names(reading: Reading, span: Span) -> list[Span]:
    """A place and a person for `Stavelot and Lewis Okafor`, two places for `Bangor, Maine`."""
    read = reading.passages[span.passage].read
    both = _AND.search(read, span.start, span.end) if span.type == "place" else None
    if both and both[1] in lexicon.GIVEN_NAMES:
        return [
            Span(span.passage, span.start, both.start(), "place"),
            Span(span.passage, both.end(), span.end, "person"),
        ]
    return _town_and_state(reading, span)


def _town_and_state(reading: Reading, span: Span) -> list[Span]:
    """Two places for `Bangor, Maine`, whatever it is taken for."""
    found = _TOWN.fullmatch(reading.passages[span.passage].read, span.start, span.end)
    if not found or lexicon.ORG_HEADS.intersection(found[1].split()):
        return [span]
    if not any(entry.kind in {"state", "country"} for entry in authority.lookup(found[2])):
        return [span]
    return [Span(span.passage, *found.span(group), "place") for group in (1, 2)]


def _parts(read: str, span: Span) -> list[tuple[int, int]]:
    """The span, or what stands around a bracket, a line break, a possessive in it."""
    text = read[span.start : span.end]
    cuts = r"\n|\s?[<>]|\s\(|\)\s|\s--?\s|\s[–—]\s|[“”]"
    if span.type == "person":
        cuts += r"|['’]s?\s+(?=[^\W\d_a-z])|,\s|\sand\s|\svs?\.?\s|;|/"
    elif span.type == "organization":
        cuts += r"|\s(?:to|by|from|with|said|says|as|is|was|v|vs)\s"
    elif span.type == "place":
        cuts += r"|['’]s\s+|;|/|,\s+(?=[A-Z])"
    found, at = [], span.start
    for cut in re.finditer(cuts, text):
        found.append((at, span.start + cut.start()))
        at = span.start + cut.end()
    found.append((at, span.end))
    return [_after_owner(read, start, end) for start, end in found if end > start]


_ADJECTIVE = re.compile(r"(U\.S\.|US|U\.K\.|UK|EU|EC|UN|U\.N\.)\s([A-Z][a-z]+)")


def _country_alone(read: str, span: Span) -> Span:
    """The country of `U.S. Firms`: one capitalized word behind it makes no name."""
    found = _ADJECTIVE.fullmatch(read, span.start, span.end)
    if not found or found.group(2) in lexicon.ORG_HEADS:
        return span
    if authority.lookup(found.group()):
        return span
    type_ = authority.lookup(found.group(1))[0].type
    return Span(span.passage, span.start, found.end(1), type_)


def _after_owner(read: str, start: int, end: int) -> tuple[int, int]:
    """Without the country before it whose it is: `Pakistan's Foreign Office`."""
    owner = re.match(r"([A-Z][\w. ]*?)['’]s\s+(?=[A-Z])", read[start:end])
    if owner and authority.lookup(owner.group(1), "place"):
        return start + owner.end(), end
    return start, end


_BASED = re.compile(r"[\w.]+-(?:based|listed|led|owned|backed|born|run|style|area|made|held)\s+")
_PREFIX = re.compile(r"(?:intra|inter|anti|pro|non|pan|trans|ex|mid|pre|post)-", re.IGNORECASE)
_NUMBER = re.compile(r"\s[\d,.]*\d(?:[,.]\d+|\d{3})(?:\s\w+)?$|\s[A-Z]+\.[A-Z]+$")
_RATING = re.compile(
    r"(?:AAA|B{2,3})|[ABC]{1,3}(?:[+-]|-plus|-minus)|[A-Z][a-z]{0,2}-?\d\w?|[A-Z]{2}-\d+"
)
_LOWER_TAIL = re.compile(r"(?:\s+[a-z](?:(?![A-Z])[\w-])*)+$")
_BYLINE = re.compile(
    r"(?:\n|^)[ \t]*By[ ][^.\n]{0,60}\b(?:Staff|Desk|Newsroom|Bureau|Agencies)(?=\n|$)"
)
_SLUG = re.compile(
    r"(?:([A-Z][a-z]+(?: [a-z]+)?)|(?:UPDATE|WRAPUP|CORRECTED|REFILE) ?\d{0,2})-(?=[^\W\d_a-z])"
)
_DESK = re.compile(
    r"\b(?:Staff|(?:News|Sports?|City|Web|Business|World|Foreign) ?Desk|Newsroom|Staff Writer)$"
)


def trimmed(read: str, start: int, end: int) -> tuple[int, int]:
    """The offsets without what is around the name."""
    for cut in (_BASED, _PREFIX):
        lead = cut.match(read[start:end])
        if lead and start + lead.end() < end:
            start += lead.end()
    end = _without_tail(read, start, end)
    text = read[start:end]
    if not any(text in entry.names for entry in authority.lookup(text)):
        lead = _LEADING.match(text)
        start += lead.end() if lead else 0
    while start < end and (tail := _trailing(read[start:end])):
        end -= tail
    if start and read[start - 1].isalnum():
        start = read.rfind(" ", 0, start) + 1  # a span must not begin inside a word
    return start, end


def _without_tail(read: str, start: int, end: int) -> int:
    """The end before a number or words in lower case: `Volkswagen 2,145`, `Khost province`."""
    number = _NUMBER.search(read[start:end])
    if number and number.start():
        end = start + number.start()
    lower = _LOWER_TAIL.search(read[start:end])
    if lower and lower.start() and not authority.lookup(read[start:end]):
        end = start + lower.start()
    return end


def _trailing(text: str) -> int:
    """How many characters at the end are no part of the name."""
    if _KEPT_DOT.search(text) or text in authority.abbreviations():
        return 0
    if text[-1].isalnum() and authority.lookup(text):
        return 0
    tail = _TRAILING.search(text)
    return len(tail.group()) if tail else 0


# --- what is no entity


def no_entities(reading: Reading) -> None:
    """Drop demonyms, dates, words without a capital, and what else is never a whole name."""
    reading.spans = [span for span in reading.spans if _may_be_a_name(reading, span)]


def _may_be_a_name(reading: Reading, span: Span) -> bool:
    text = reading.surface(span)
    folded = text.casefold().strip(".")
    words = text.split()
    read = reading.passages[span.passage].read
    ticker = read[span.start - 1 : span.start] == "<" and text.isupper()
    handle = "@" in read[max(span.start - 1, 0) : span.end]
    mark = _RATING.fullmatch(text) and not authority.lookup(text)
    if (
        ticker
        or handle
        or mark
        or _DESK.search(text)
        or not _SHORTEST <= len(folded) <= _LONGEST_NAME
    ):
        return False
    if text in authority.demonyms() or folded in lexicon.NO_NAMES | lexicon.NO_PHRASES:
        return False
    numbered = any(word[0].isdigit() for word in words)
    if text == text.lower() or (numbered and words[0].casefold() in lexicon.NO_NAMES):
        return False
    if all(word.strip(".,") in lexicon.CALENDAR or word[0].isdigit() for word in words):
        return False
    return _person(span, words) if span.type == "person" else _other(span, text, words)


def _person(span: Span, words: list[str]) -> bool:
    if len(words) > _LONGEST_PERSON or any(each.isdigit() for word in words for each in word):
        return False
    if len(words) > 1 and words[-1].rstrip(".").lower() in lexicon.DESIGNATORS:
        span.type = "organization"
        return True
    if all(word.strip(".,").casefold() in lexicon.NO_NAMES for word in words):
        return False
    office = lexicon.ROLE_WORDS - lexicon.HONORIFICS
    return not all(
        word in authority.demonyms() or word[0].islower() or word.lower() in office
        for word in words
    )


def _other(span: Span, text: str, words: list[str]) -> bool:
    if all(w in authority.demonyms() or w.casefold() in lexicon.ROLE_WORDS for w in words):
        return bool(authority.lookup(text)) or (span.type != "place" and len(words) > _FEW)
    return True
