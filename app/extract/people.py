"""People: which surname is whose, and when it is no surname but a country.

Steps of `resolution`. A name that could mean two people is left out rather than guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, gazetteer, lexicon
from app.extract.acronyms import replace
from app.extract.passages import Span
from app.text import fold

if TYPE_CHECKING:
    from app.extract.passages import Reading

_SUFFIXES = frozenset({"jr", "sr", "jr.", "sr.", "ii", "iii", "iv"})


_REGNAL = frozenset({"king", "queen", "pope", "emperor", "emir", "sultan", "prince", "princess"})
"""Before one name these say that it is no surname: King Salman is not Mohammed bin Salman."""


def several_words(reading: Reading) -> list[str]:
    """The names of people that have more than one word, in the order of the article."""
    found = [
        reading.name(span)
        for span in reading.in_order()
        if span.type == "person" and " " in reading.name(span)
    ]
    return list(dict.fromkeys(found))


def _words(name: str) -> list[str]:
    words = [
        re.sub(r"^(?:al|el)[- ]", "", word) or word for word in fold(name).replace("-", " ").split()
    ]
    return words[:-1] if len(words) > 1 and words[-1] in _SUFFIXES else words


def full_names(reading: Reading) -> None:
    """Find the full name of a surname that the model saw alone: `Shuichi Takemoto`."""
    known = {_words(name)[-1] for name in several_words(reading)}
    alone = {
        name
        for span in reading.spans
        if span.type == "person"
        and " " not in (name := reading.surface(span))
        and is_surname(name)
        and _words(name)[-1] not in known
    }
    if not alone:
        return
    form = re.compile(rf"\b([A-Z][\w’'-]+) (?:[A-Z]\. )?(?:{'|'.join(map(re.escape, alone))})\b")
    for number, passage in enumerate(reading.passages):
        for match in form.finditer(passage.read):
            there = reading.touching(number, *match.span())
            inside = all(match.start() <= s.start and s.end <= match.end() for s in there)
            if inside and _is_given(match.group(1), passage.read[: match.start()][-3:]):
                replace(reading, Span(number, *match.span(), "person"))


_GIVEN = re.compile(
    r"(?<![\w’'-])([A-Z][a-z]+(?:-[A-Z][a-z]+)?)"
    r"((?: [A-Z]\.)? [A-Z][\w’'-]*[a-z](?: [A-Z][\w’'-]*[a-z])?)(?![\w-])"
)


def given_names(reading: Reading) -> None:
    """Find the people that the model missed by their given names: `Ingrid Solheim`."""
    for number, passage in enumerate(reading.passages):
        if passage.field == "dateline":
            continue
        for match in _GIVEN.finditer(passage.read):
            words = match.group(2).split()
            if match.group(1) not in lexicon.GIVEN_NAMES or not _may_follow(words):
                continue
            text = re.sub(r"['’]s?$", "", match.group())
            start, end = match.start(), match.start() + len(text)
            if authority.lookup(text) or not reading.free(number, start, end):
                continue
            if gazetteer.stands_alone(passage.read, start, end):
                reading.spans.append(Span(number, start, end, "person"))


def _may_follow(words: list[str]) -> bool:
    """Whether capitalized words behind a given name may be a surname."""
    kinds = lexicon.ORG_HEADS | lexicon.PLACE_HEADS | lexicon.CALENDAR | lexicon.NO_ENTITY_TAILS
    common = lexicon.GENERIC | lexicon.ROLE_WORDS | lexicon.NO_NAMES
    for word in words:
        plain = re.sub(r"['’]s?$", "", word).rstrip(".")
        if plain in kinds or plain in authority.demonyms() or plain.lower() in common:
            return False
    return True


def _is_given(word: str, before: str) -> bool:
    """Whether a capitalized word before a surname may be a given name."""
    if word in lexicon.GIVEN_NAMES:
        return True
    opens = not before.strip(' “"') or before.strip()[-1:] in {".", "!", "?", "”", '"'}
    return not (
        opens
        or word.lower() in lexicon.ROLE_WORDS | lexicon.NO_NAMES | lexicon.LOCATIVE
        or word in authority.demonyms() | lexicon.CALENDAR
        or word.endswith(("'s", "’s"))
        or authority.lookup(word)
    )


def is_surname(word: str) -> bool:
    """Whether a word may be a surname: capitalized, no title, no day."""
    plain = word.rstrip(".")
    return (
        len(plain) > 2
        and plain.split("-")[-1][:1].isupper()
        and plain.lower() not in lexicon.ROLE_WORDS | lexicon.NO_NAMES
        and plain.lower() not in {"jr", "sr"}
        and plain not in lexicon.CALENDAR
    )


def surnames_or_places(reading: Reading) -> None:
    """Take `Jordan` for the person where one of that name is in the article, else the country."""
    people = [fold(name).split() for name in several_words(reading)]
    ends = {words[-1] for words in people} | {words[0] for words in people}
    for span in reading.spans:
        text = fold(reading.surface(span))
        if span.type == "person" or span.name or " " in text or text not in ends:
            continue
        if reading.before(span) not in lexicon.LOCATIVE:
            span.type = "person"
        span.sure = True


def surnames(reading: Reading) -> None:
    """Give a surname the full name that it stands for; leave out what could be two people."""
    fulls = _merged(several_words(reading))
    places: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for span in reading.in_order():
        name = reading.name(span)
        if span.type == "person" and name in fulls:
            places[fulls[name]].append((span.passage, span.start))
    kept: list[Span] = []
    for span in reading.in_order():
        if span.type != "person":
            kept.append(span)
            continue
        name = reading.name(span)
        if name in fulls:
            span.name = fulls[name]
            kept.append(span)
            continue
        regnal = reading.before(span).lower() in _REGNAL
        meant = set() if regnal else _candidates(name, set(fulls.values()))
        if len(meant) > 1:
            here = (span.passage, span.start)
            before = [
                (max(at), each) for each in meant if (at := [p for p in places[each] if p < here])
            ]
            meant = {max(before)[1]} if before else set()
            if not meant:
                continue
        elif not meant and _is_plural(name, set(fulls.values())):
            continue
        span.name = next(iter(meant), name)
        kept.append(span)
    reading.spans = kept


def _candidates(name: str, fulls: set[str]) -> set[str]:
    """The full names that `name` may be short for: by their end, else by their beginning."""
    words = _words(name)
    ends = {full for full in fulls if _words(full)[-len(words) :] == words}
    if ends or len(words) > 1:
        return ends
    starts = {full for full in fulls if _words(full)[0] == words[0]}
    return starts if len(starts) == 1 else set()


def _is_plural(name: str, fulls: set[str]) -> bool:
    return name.endswith("s") and any(_words(full)[-1] == fold(name)[:-1] for full in fulls)


def _merged(names: list[str]) -> dict[str, str]:
    """Each full name -> the fullest one of the same person: `Qamar Bajwa`, `Qamar Javed Bajwa`."""
    merged: dict[str, str] = {}
    for name in names:
        words = _words(name)
        longer = [
            other
            for other in names
            if _words(other) != words and _is_short_for(words, _words(other))
        ]
        same = [other for other in names if _words(other) == words]
        distinct = {tuple(_words(other)) for other in longer}
        merged[name] = max(longer, key=len) if len(distinct) == 1 else same[0]
    return {name: merged.get(full, full) for name, full in merged.items()}


def _is_short_for(words: list[str], full: list[str]) -> bool:
    """Whether a name is another one with less of it: its end, an initial, a nickname."""
    if full[-len(words) :] == words:
        return True
    if words[-1] != full[-1] or len(words) > len(full):
        return False
    first, given = words[0].rstrip("."), full[0]
    same = given.startswith(first) or lexicon.NICKNAMES.get(first) == given
    return same and len(words) == 2
