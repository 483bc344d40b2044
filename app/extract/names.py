"""Names that are one: acronyms and what they stand for, surnames and full names, short forms.

Steps of `resolution`. They set the `name` of spans and add those that the model missed. A
name that could mean two is left out rather than guessed.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.gazetteer import stands_alone
from app.extract.passages import Span
from app.text import fold

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.passages import Reading

_ACRONYM = re.compile(r"[ ]\(([A-Z][A-Za-z&.-]{1,9}?)(s?)\)")
_REVERSED = re.compile(
    r"\b([A-Z]{2,8})[ ]\(((?:[A-Z][\w’'-]+|of|and|for|the)(?:[ ][\w’'-]+){1,7})\)"
)
_BEFORE = re.compile(r"[^\s().,;:“”\"]+(?:\.(?=\s|$))?")
_WINDOW = 10  # words before the bracket that may be the long form
_MINOR = frozenset({"of", "and", "the", "for", "in", "on", "de", "la", "des", "du", "et", "&", "y"})


# --- acronyms


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
            name = " ".join(passage.read[start:end].split())
            if name[:1].islower():
                learnt[short].append(((number, start), None, type_))
                learnt[short + "s"].append(((number, start), None, type_))
                continue
            _replace(reading, Span(number, start, end, type_, name, sure=True))
            learnt[short].append(((number, start), name, type_))
        for match in _REVERSED.finditer(passage.read):
            if _initials(_capitalized(match.group(2).split())) == match.group(1).casefold():
                start, end = match.span(2)
                name = match.group(2)
                _replace(reading, Span(number, start, end, "organization", name, sure=True))
                learnt[match.group(1)].append(((number, match.start()), name, "organization"))
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
        if wanted in {_initials(window), _initials(major), _initials(_capitalized(major))}:
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


def _initials(words: list[str]) -> str:
    parts = [part for word in words for part in re.split(r"[-/.&’']", word) if part]
    return "".join(part[0] for part in parts if part != "s").casefold()


def _type_there(reading: Reading, number: int, start: int, end: int) -> Type:
    known = authority.lookup(reading.passages[number].read[start:end])
    return known[0].type if known else "organization"


def _replace(reading: Reading, new: Span) -> None:
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
            if meant and meant[1]:
                reading.spans.append(
                    Span(number, match.start(), match.end(), meant[2], meant[1], sure=True)
                )


# --- the same name elsewhere


def propagate(reading: Reading) -> None:
    """Find known names of the article where the model missed them; let places vote on a type."""
    _vote(reading)
    types = _forms(reading)
    by_start: defaultdict[str, list[str]] = defaultdict(list)
    for form in sorted(types, key=len, reverse=True):
        first = re.match(r"\w+", form)
        if first:
            by_start[first.group()].append(form)
    for number, passage in enumerate(reading.passages):
        if passage.field == "dateline":
            continue
        read, taken = passage.read, _taken(reading, number)
        for match in re.finditer(r"\w+", read):
            for form in by_start.get(match.group(), ()):
                start, end = match.start(), match.start() + len(form)
                if not read.startswith(form, start) or read[end : end + 1].isalnum():
                    continue
                if not any(taken[start:end]) and stands_alone(read, start, end):
                    reading.spans.append(Span(number, start, end, types[form]))
                    taken[start:end] = b"\1" * len(form)
                break


def _taken(reading: Reading, number: int) -> bytearray:
    taken = bytearray(len(reading.passages[number].read))
    for span in reading.spans:
        if span.passage == number:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
    return taken


def _forms(reading: Reading) -> dict[str, Type]:
    """What to look for: surfaces of spans, surnames, names of companies without Inc."""
    types: dict[str, Type] = {}
    for span in reading.in_order():
        text = reading.surface(span)
        if reading.passages[span.passage].field == "dateline" or len(text) < 2:
            continue
        if span.type == "person":
            words = text.split()
            types[text] = "person"
            last = words[-1]
            if len(words) > 1 and _is_surname(last):
                types.setdefault(last, "person")
        else:
            types[text] = span.type
            short = without_designators(text)
            if short and short != text and len(short) > 2:
                types.setdefault(short, "organization")
    return {form: each for form, each in types.items() if not form.islower()}


def _is_surname(word: str) -> bool:
    plain = word.rstrip(".")
    return (
        len(plain) > 2
        and plain[0].isupper()
        and plain.lower() not in lexicon.ROLE_WORDS | lexicon.NO_NAMES
        and plain.lower() not in {"jr", "sr"}
        and plain not in lexicon.CALENDAR
    )


def _vote(reading: Reading) -> None:
    """Give all spans of one surface the type that most of them have, sure ones first."""
    votes: defaultdict[str, Counter[Type]] = defaultdict(Counter)
    for span in reading.spans:
        votes[reading.surface(span)][span.type] += 5 if span.sure else 1
    surnames = {fold(name.split()[-1]) for name in _full_names(reading)}
    for span in reading.spans:
        text = reading.surface(span)
        if not span.sure and len(votes[text]) > 1:
            span.type = votes[text].most_common(1)[0][0]
        if (
            not span.sure
            and span.type != "person"
            and fold(text) in surnames
            and (span.type == "organization" or not authority.lookup(text))
        ):
            span.type = "person"


def without_designators(name: str) -> str:
    """The name of a company without `Inc`, `and Co` and such."""
    words = name.split()
    while len(words) > 1 and words[-1].rstrip(".,").lower().replace(".", "") in lexicon.DESIGNATORS:
        words.pop()
    if words and words[-1].lower() in {"and", "&"}:
        words.pop()
    return " ".join(words).rstrip(",")


# --- people


def _full_names(reading: Reading) -> list[str]:
    """The names of people that have more than one word, in the order of the article."""
    found = [
        reading.name(span)
        for span in reading.in_order()
        if span.type == "person" and " " in reading.name(span)
    ]
    return list(dict.fromkeys(found))


def _words(name: str) -> list[str]:
    return [
        re.sub(r"^(?:al|el)[- ]", "", word) or word for word in fold(name).replace("-", " ").split()
    ]


def surnames_or_places(reading: Reading) -> None:
    """Take `Jordan` for the person where one of that name is in the article, else the country."""
    people = [fold(name).split() for name in _full_names(reading)]
    ends = {words[-1] for words in people} | {words[0] for words in people}
    for span in reading.spans:
        text = fold(reading.surface(span))
        if span.type == "person" or span.name or " " in text or text not in ends:
            continue
        if reading.before(span) not in lexicon.LOCATIVE:
            span.type, span.sure = "person", True


def surnames(reading: Reading) -> None:
    """Give a surname the full name that it stands for; leave out what could be two people."""
    fulls = _merged(_full_names(reading))
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
        meant = _candidates(name, set(fulls.values()))
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
            if len(_words(other)) > len(words) and _is_short_for(words, _words(other))
        ]
        same = [other for other in names if _words(other) == words]
        distinct = {tuple(_words(other)) for other in longer}
        merged[name] = max(longer, key=len) if len(distinct) == 1 else same[0]
    return {name: merged.get(full, full) for name, full in merged.items()}


def _is_short_for(words: list[str], full: list[str]) -> bool:
    if full[-len(words) :] == words:
        return True
    first = words[0] == full[0] or (
        len(words[0].rstrip(".")) == 1 and full[0].startswith(words[0][0])
    )
    return first and words[-1] == full[-1] and len(words) == 2


# --- organizations


def short_organizations(reading: Reading) -> None:
    """Give `Corvane` the name `Corvane Industries Inc`, if that is the only one it can be."""
    names = {reading.name(span) for span in reading.spans if span.type == "organization"}
    fulls = {name: fold(name).split() for name in names}
    people = {fold(name).split()[-1] for name in _full_names(reading)}
    for span in reading.spans:
        name = reading.name(span)
        words = fold(name).split()
        single = span.type != "organization" and not span.sure and len(words) == 1
        if span.type != "organization" and (not single or words[0] in people):
            continue
        if authority.lookup(name):
            continue
        meant = [
            full
            for full, parts in fulls.items()
            if len(parts) > len(words)
            and parts[: len(words)] == words
            and all(part.strip(".") in lexicon.GENERIC for part in parts[len(words) :])
        ]
        if not meant and len(words) == 1 and span.type == "organization":
            meant = [
                full for full, parts in fulls.items() if len(parts) > 1 and parts[0] == words[0]
            ]
            if not all(
                part.rsplit(maxsplit=1)[-1].strip(".").lower() in lexicon.DESIGNATORS
                for part in meant
            ):
                continue
        meant.sort(key=len)
        chain = all(fold(b).startswith(fold(a)) for a, b in itertools.pairwise(meant))
        if meant and chain:
            span.type, span.name = "organization", meant[-1]
