"""The same name elsewhere in an article, and short forms of organizations.

Steps of `resolution`: names that the model saw once are found wherever they stand, the
places of a name vote on its type, and `Corvane` is `Corvane Industries Inc`.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.acronyms import initials
from app.extract.gazetteer import stands_alone
from app.extract.passages import Span
from app.extract.people import is_surname, several_words
from app.text import fold

if TYPE_CHECKING:
    from app.extract.base import Type
    from app.extract.passages import Reading

_SHORTEST = 3  # letters of an acronym that is led back to a name without brackets
_MINOR = frozenset({"of", "and", "the", "for", "in", "on", "&"})


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
    for passage, start, end in reading.closed:
        if passage == number:
            taken[start:end] = b"\1" * (end - start)
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
            if len(words) > 1 and is_surname(last):
                types.setdefault(last, "person")
        else:
            types[text] = span.type
            short = without_designators(text)
            if short and short != text and len(short) > 2:
                types.setdefault(short, "organization")
    return {form: each for form, each in types.items() if not form.islower()}


def _vote(reading: Reading) -> None:
    """Give all spans of one surface the type that most of them have, sure ones first."""
    votes: defaultdict[str, Counter[Type]] = defaultdict(Counter)
    for span in reading.spans:
        votes[reading.surface(span)][span.type] += 5 if span.sure else 1
    surnames = {
        " ".join(words[at:])
        for name in several_words(reading)
        for words in [fold(name).split()]
        for at in range(1, len(words))
    }
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


def short_organizations(reading: Reading) -> None:
    """Give `Corvane` the name `Corvane Industries Inc`, if that is the only one it can be."""
    names = {reading.name(span) for span in reading.spans if span.type == "organization"}
    fulls = {name: fold(name).split() for name in names}
    people = {fold(name).split()[-1] for name in several_words(reading)}
    for span in reading.spans:
        name = reading.name(span)
        words = fold(name).split()
        other = span.type != "organization"
        person = words[-1] in people or (span.type == "person" and span.sure)
        if (other and person) or authority.lookup(name):
            continue
        meant = _begin_so(words, fulls)
        if not meant and not other and name.isupper() and len(name) >= _SHORTEST:
            meant = [full for full in fulls if _abbreviates(name, full)]
        meant.sort(key=len)
        chain = all(fold(b).startswith(fold(a)) for a, b in itertools.pairwise(meant))
        if meant and chain:
            span.type, span.name = "organization", meant[-1]


def _begin_so(words: list[str], fulls: dict[str, list[str]]) -> list[str]:
    """The names that begin with these words and go on with what a short form leaves out."""
    longer = {
        full: parts
        for full, parts in fulls.items()
        if len(parts) > len(words) and parts[: len(words)] == words
    }
    generic = [
        full
        for full, parts in longer.items()
        if all(part.strip(".") in lexicon.GENERIC for part in parts[len(words) :])
    ]
    longest = max(longer.values(), key=len, default=[""])
    company = longest[-1].strip(".") in lexicon.DESIGNATORS
    return generic or (list(longer) if company else [])


def _abbreviates(short: str, full: str) -> bool:
    words = [word for word in full.split() if word.lower() not in _MINOR and "." not in word]
    return len(words) > 1 and initials(words) == short.casefold()
