"""Other occurrences of a name in an article, and short forms of organizations.

Steps of `pipeline`: names that were found once are added wherever they occur, the occurrences of a
name vote on its type, and `Corvane` is `Corvane Industries Inc`.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span
from app.extract.steps.acronyms import initials
from app.extract.steps.gazetteer import stands_alone
from app.extract.steps.people import is_surname, several_words
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection

    from app.extract.base import Type
    from app.extract.document import Reading

_SHORTEST = 3  # letters of an acronym that is resolved without a definition in brackets
_WORD = re.compile(r"\w+")
_MINOR = frozenset({"of", "and", "the", "for", "in", "on", "&"})


def propagate(reading: Reading) -> None:
    """Add occurrences of names that the finder missed; the occurrences vote on the type."""
    _vote(reading)
    types = _forms(reading)
    lengths = _lengths(types)
    taken = _taken(reading)
    for number, passage in reading.prose():
        read, there = passage.read, taken[number]
        for match in _WORD.finditer(read):
            start = match.start()
            for length in lengths.get(match.group(), ()):
                end = min(start + length, len(read))
                if read[start:end] not in types or read[end : end + 1].isalnum():
                    continue
                if not any(there[start:end]) and stands_alone(read, start, end):
                    reading.add(Span(number, start, end, types[read[start:end]]))
                    there[start:end] = b"\1" * (end - start)
                break


def _lengths(forms: Collection[str]) -> dict[str, list[int]]:
    """First word -> how long the forms are that begin with it, the longest first."""
    lengths: defaultdict[str, set[int]] = defaultdict(set)
    for form in forms:
        if first := _WORD.match(form):
            lengths[first.group()].add(len(form))
    return {first: sorted(each, reverse=True) for first, each in lengths.items()}


def _taken(reading: Reading) -> list[bytearray]:
    """For each passage which of its characters are of a name, or closed."""
    taken = [bytearray(len(passage.read)) for passage in reading.passages]
    spans = ((span.passage, span.start, span.end) for span in reading.spans)
    for number, start, end in (*spans, *reading.closed):
        taken[number][start:end] = b"\1" * (end - start)
    return taken


def _forms(reading: Reading) -> dict[str, Type]:
    """The forms to search: surfaces of spans, surnames, names of companies without Inc."""
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
        votes[reading.surface(span).casefold()][span.type] += 5 if span.sure else 1
    surnames = {
        " ".join(words[at:])
        for name in several_words(reading)
        for words in [fold(name).split()]
        for at in range(1, len(words))
    }
    for span in reading.spans:
        text = reading.surface(span)
        if not span.sure and len(cast := votes[text.casefold()]) > 1:
            span.type = cast.most_common(1)[0][0]
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
    fulls = _Organizations(reading)
    people = {fold(name).split()[-1] for name in several_words(reading)}
    for span in reading.spans:
        name = reading.name(span)
        words = tuple(fold(name).split())
        other = span.type != "organization"
        person = words[-1] in people or (span.type == "person" and span.sure)
        if (other and person) or authority.lookup(name):
            continue
        full = fulls.beginning(words) or (None if other else fulls.ending(name))
        if full is None and not other and name.isupper() and len(name) >= _SHORTEST:
            full = fulls.abbreviated(name)
        if full:
            span.type, span.name = "organization", full


class _Organizations:
    """The names of an article's organizations, by how they begin and by their initials."""

    def __init__(self, reading: Reading) -> None:
        names = {reading.name(span): None for span in reading.spans if span.type == "organization"}
        self._longer: defaultdict[tuple[str, ...], list[tuple[str, tuple[str, ...]]]]
        self._longer = defaultdict(list)
        self._initials: defaultdict[str, list[str]] = defaultdict(list)
        self._ends: defaultdict[str, list[str]] = defaultdict(list)
        self._begun: dict[tuple[str, ...], str | None] = {}
        for name in names:
            parts = tuple(fold(name).split())
            for count in range(1, len(parts)):
                self._longer[parts[:count]].append((name, parts))
            core = without_designators(name).split()
            if 1 < len(core) < len(parts):
                self._ends[core[-1]].append(name)
            if short := _abbreviation(name):
                self._initials[short].append(name)

    def beginning(self, words: tuple[str, ...]) -> str | None:
        """The name that begins with these words and goes on with what a short form leaves out.

        The longest of several, where each begins the next; None without any, "" where they differ.
        """
        if words not in self._begun:
            longer = self._longer.get(words, ())
            meant = [
                full
                for full, parts in longer
                if all(part.strip(".") in lexicon.GENERIC for part in parts[len(words) :])
            ]
            longest = max((parts for _, parts in longer), key=len, default=("",))
            if not meant and longest[-1].strip(".") in lexicon.DESIGNATORS:
                meant = [full for full, _ in longer]
            self._begun[words] = _longest_of_chain(meant)
        return self._begun[words]

    def ending(self, word: str) -> str | None:
        """The company whose name ends with this word before its designator: `John Labatt Ltd`."""
        names = self._ends.get(word, ())
        common = word in lexicon.ORG_HEADS or word.lower() in lexicon.GENERIC
        return names[0] if len(names) == 1 and not common else None

    def abbreviated(self, short: str) -> str | None:
        """The name that has these initials, like `beginning`."""
        return _longest_of_chain(self._initials.get(short.casefold(), ()))


def _longest_of_chain(names: Collection[str]) -> str | None:
    if not names:
        return None
    ordered = sorted(names, key=len)
    chain = all(fold(b).startswith(fold(a)) for a, b in itertools.pairwise(ordered))
    return ordered[-1] if chain else ""


def _abbreviation(full: str) -> str | None:
    """The initials of a name of several words, the minor ones left out."""
    words = [word for word in full.split() if word.lower() not in _MINOR and "." not in word]
    return initials(words) if len(words) > 1 else None
