"""People: surnames resolved to full names, and distinguished from countries.

Steps of `pipeline`. A name that may mean two people is left out, not guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from app.extract import authority, lexicon
from app.extract.document import Span, last_word
from app.extract.steps import gazetteer
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.extract.document import Reading

_SUFFIXES = frozenset({"jr", "sr", "jr.", "sr.", "ii", "iii", "iv"})
_TWO = 2  # words of a given name and a surname

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


def _words(name: str) -> tuple[str, ...]:
    words = tuple(
        re.sub(r"^(?:al|el)[- ]", "", word) or word for word in fold(name).replace("-", " ").split()
    )
    return words[:-1] if len(words) > 1 and words[-1] in _SUFFIXES else words


_PARTICLE = r"(?:van|von|der|den|ter|ten|zu|de|la|del|di|da|dos|das|du|le|bin|ibn|bint|al|el)"
_COMPOUND = re.compile(
    rf"(?:(?<![\w-])[A-Z][\w’'-]*[ ])?(?<![\w-])(?:{_PARTICLE}[ ]){{1,3}}"
    r"(?:[a-z]{2}-)?[A-Z][\w’-]*\w"
)
_PERSONAL = re.compile(r"(?i)\b(?:van|von|bin|ibn|bint|al|el)[ ]")


def particles(reading: Reading) -> None:
    """Widen names to their particles: `Rafael van der Vaart`, `von der Leyen`."""
    for number, passage in reading.prose():
        for match in _COMPOUND.finditer(passage.read):
            start, end = match.start(), match.end()
            there = reading.touching(number, start, end)
            people = [span for span in there if span.type == "person"]
            if not people or any(span.end > end for span in there):
                continue
            if len(there) > 1 or _PERSONAL.search(match.group()):
                start = min(span.start for span in people)
                first = match.group().split()[0]
                if not any(span.start <= match.start() for span in people):
                    skip = first[0].isupper() and not _is_given(
                        first, passage.read[max(match.start() - 3, 0) : match.start()]
                    )
                    start = match.start() + (len(first) + 1 if skip else 0)
                reading.replace(Span(number, start, end, "person"))


def full_names(reading: Reading) -> None:
    """Widen a surname that the finder marked alone to the full name: `Shuichi Takemoto`."""
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
    lengths = sorted({len(name) for name in alone}, reverse=True)
    for number, passage in enumerate(reading.passages):
        read, last = passage.read, 0
        for given in _BEFORE_SURNAME.finditer(read):
            start, at = given.start(), given.end(2)
            first = last_word(read, start)
            if two := first in lexicon.GIVEN_NAMES:
                start -= len(first) + 1  # Shah Rukh Khan
            ends = (min(at + length, len(read)) for length in lengths)
            end = next((each for each in ends if _is_whole(read, at, each, alone)), None)
            if end is None or start < last:
                continue
            last = end
            there = reading.touching(number, start, last)
            inside = all(start <= s.start and s.end <= last for s in there)
            if inside and (two or _is_given(given[1], read[max(start - 3, 0) : start])):
                reading.replace(Span(number, start, last, "person"))


def _is_whole(read: str, start: int, end: int, names: Collection[str]) -> bool:
    """Whether one of `names` stands there as a whole word."""
    return read[start:end] in names and _EDGE.match(read, end) is not None


_BEFORE_SURNAME = re.compile(r"\b([A-Z][\w’'-]+) (?=((?:[A-Z]\. )?))")
_EDGE = re.compile(r"\b")


_GIVEN = re.compile(
    r"(?<![\w’'-])([A-Z][a-z]+(?:-[A-Z][a-z]+)?)"
    r"((?: [A-Z]\.)? [A-Z][\w’'-]*[a-z](?: [A-Z][\w’'-]*[a-z])?)(?![\w-])"
)


def given_names(reading: Reading) -> None:
    """Add people that the finder missed by their given names: `Ingrid Solheim`."""
    for number, passage in reading.prose():
        for match in _GIVEN.finditer(passage.read):
            words = match.group(2).split()
            if match.group(1) not in lexicon.GIVEN_NAMES or not _may_follow(words):
                continue
            text = re.sub(r"['’]s?$", "", match.group())
            start, end = match.start(), match.start() + len(text)
            if authority.lookup(text) or not reading.free(number, start, end):
                continue
            if gazetteer.stands_alone(passage.read, start, end):
                reading.add(Span(number, start, end, "person"))


def _may_follow(words: list[str]) -> bool:
    """Whether capitalized words after a given name may be a surname."""
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
    """Type `Jordan` as the person if the article has one of that name, otherwise as the country.

    As the country too if its people or another place in it are mentioned.
    """
    people = [fold(name).split() for name in several_words(reading)]
    ends = {words[-1] for words in people} | {words[0] for words in people}
    inside = {
        entry.country
        for span in reading.spans
        if span.type == "place"
        for entry in authority.lookup(reading.name(span), "place")
    }
    for span in reading.spans:
        text = reading.surface(span)
        if span.name or " " in text:
            continue
        of_state = gazetteer.is_state(reading.passages[span.passage].read, span.start)
        if fold(text) not in ends:
            known = (entry for entry in authority.lookup(text) if entry.kind == "country")
            if span.type == "person" and any(entry.iso in inside for entry in known):
                span.type = "place"
        elif of_state and authority.lookup(text, "place"):
            span.type, span.sure = "place", True
        elif span.type != "person":
            if reading.before(span) not in lexicon.LOCATIVE:
                span.type = "person"
            span.sure = True


def surnames(reading: Reading) -> None:
    """Give a surname the full name that it stands for; leave out ambiguous ones."""
    fulls = _merged(several_words(reading))
    people = _People(reading, fulls)
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
        meant = () if regnal else people.candidates(name)
        if len(meant) > 1:
            nearest = people.nearest(name, (span.passage, span.start))
            if nearest is None:
                continue
            meant = (nearest,)
        elif not meant and people.is_plural(name):
            continue
        span.name = next(iter(meant), name)
        kept.append(span)
    reading.spans = kept


class _People:
    """An article's full names by their ends and beginnings, and where each stands."""

    def __init__(self, reading: Reading, fulls: Mapping[str, str]) -> None:
        self._ends: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        self._starts: defaultdict[str, list[str]] = defaultdict(list)
        relatives = {fulls.get(name) for name in _relatives(reading)}
        for full in dict.fromkeys(fulls.values()):
            words = _words(full)
            self._starts[words[0]].append(full)
            for count in range(1 if full not in relatives else _TWO, len(words) + 1):
                self._ends[words[-count:]].append(full)
        self._places: defaultdict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
        self._named: dict[tuple[int, int], str] = {}
        for span in reading.in_order():
            called = fulls.get(reading.name(span)) if span.type == "person" else None
            if called is not None and called not in relatives:
                place = (span.passage, span.start)
                self._named[place] = called
                words = _words(called)
                for count in range(1, len(words) + 1):
                    self._places[words[-count:]].append(place)

    def candidates(self, name: str) -> Sequence[str]:
        """The full names that `name` may be short for: by their end, else by their beginning."""
        words = _words(name)
        ends = self._ends.get(words, ())
        if ends or len(words) > 1:
            return ends
        starts = self._starts.get(words[0], ())
        return starts if len(starts) == 1 else ()

    def nearest(self, name: str, place: tuple[int, int]) -> str | None:
        """The full name with this end that stands last before a place."""
        places = self._places[_words(name)]
        before = bisect_left(places, place)
        return self._named[places[before - 1]] if before else None

    def is_plural(self, name: str) -> bool:
        """Whether `name` is a surname and an s: all who bear it."""
        return name.endswith("s") and (fold(name)[:-1],) in self._ends


_RELATIVE = re.compile(
    r"\b(?:wife|husband|spouse|widow|widower|ex-wife|ex-husband|[Ff]irst [Ll]ady|fianc[eé]e?),? $"
)


def _relatives(reading: Reading) -> set[str]:
    """The full names that are introduced as somebody's wife or husband.

    A surname alone is then somebody else, who need not have a full name in the article.
    """
    return {
        reading.name(span)
        for span in reading.spans
        if span.type == "person"
        and _RELATIVE.search(
            reading.passages[span.passage].read, max(span.start - 20, 0), span.start
        )
    }


def _merged(names: list[str]) -> dict[str, str]:
    """Each full name -> the fullest one of the same person: `Qamar Bajwa`, `Qamar Javed Bajwa`."""
    same: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        same[_words(name)].append(name)
    longer = _Longer(same)
    best = {}
    for words, each in same.items():
        fuller = longer.than(words)
        best[words] = max(same[fuller[0]], key=len) if len(fuller) == 1 else each[0]
    merged = {name: best[words] for words, each in same.items() for name in each}
    return {name: merged.get(full, full) for name, full in merged.items()}


class _Longer:
    """Which names another is short for: one with its end, an initial, a nickname."""

    def __init__(self, names: Iterable[tuple[str, ...]]) -> None:
        self._ends: defaultdict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        self._given: defaultdict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
        for words in names:
            for count in range(1, len(words)):
                self._ends[words[-count:]].append(words)
            if len(words) > 1:
                for length in range(len(words[0]) + 1):
                    self._given[words[-1], words[0][:length]].append(words)

    def than(self, words: tuple[str, ...]) -> Sequence[tuple[str, ...]]:
        """The names that are longer than `words` and may mean the same person."""
        found = dict.fromkeys(self._ends.get(words, ()))
        if len(words) == _TWO:
            first = words[0].rstrip(".")
            found |= dict.fromkeys(self._given.get((words[-1], first), ()))
            nick = lexicon.NICKNAMES.get(first)
            if nick is not None:
                same = self._given.get((words[-1], nick), ())
                found |= dict.fromkeys(each for each in same if each[0] == nick)
        found.pop(words, None)
        return list(found)
