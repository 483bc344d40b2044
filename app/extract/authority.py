"""The authority file `authority.toml`: known entities, and which of them a name may mean.

The file is maintained by hand and documents its fields at the top. It is read once, at the first
lookup. Nothing here knows an article: `app.extract.steps.gazetteer` resolves ambiguous names.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.extract.base import Type

Kind = Literal["country", "capital", "state", "city", "region", "organization"]

_FILE = Path(__file__).with_name("authority.toml")
_SECTIONS: tuple[Kind, ...] = ("country", "capital", "state", "city", "region", "organization")
_WORD = re.compile(r"\w+")
_SHORT = 5
"""An acronym of at most this many letters differs from a word only by its capitals."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entity of the file; `names` are its name and its aliases, the name first."""

    key: str
    type: Type
    kind: Kind
    name: str
    aliases: tuple[str, ...] = ()
    ambiguous: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    iso: str | None = None
    country: str | None = None
    people: tuple[str, ...] = ()
    abbreviation: str | None = None
    wikidata: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names, the one that is shown first."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class KnownName:
    """A name of the file at a place in a text, and all entries that it may mean."""

    start: int
    end: int
    name: str
    entries: tuple[Entry, ...]


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every entry, in the order of the file."""
    sections = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_entry(kind, row) for kind in _SECTIONS for row in sections[kind])


def _entry(kind: Kind, row: dict[str, Any]) -> Entry:
    return Entry(
        key=row["key"],
        type="organization" if kind == "organization" else "place",
        kind=kind,
        name=row["name"],
        aliases=tuple(row.get("aliases", ())),
        ambiguous=frozenset(row.get("ambiguous", ())),
        weak=frozenset(row.get("weak", ())),
        iso=row.get("iso"),
        country=row.get("country"),
        people=tuple(row.get("people", ())),
        abbreviation=row.get("abbreviation"),
        wikidata=row.get("wikidata"),
    )


def lookup(name: str, type: Type | None = None) -> tuple[Entry, ...]:  # noqa: A002
    """The entries that have `name`, whatever its case and accents; of one type if given.

    Acronyms are the exception: `who` and `Us` are no organizations.

        >>> [entry.key for entry in lookup("the united states")]
        ['country-us']
        >>> [entry.key for entry in lookup("Georgia", "place")]
        ['country-ge', 'region-us-ga']
    """
    found = _by_name().get(_key(name), ())
    if len(name) <= _SHORT and not name.isupper():
        found = tuple(entry for entry in found if _spelt_so(entry, name))
    return found if type is None else tuple(entry for entry in found if entry.type == type)


def _spelt_so(entry: Entry, name: str) -> bool:
    return any(
        each == name or not each.isupper() for each in entry.names if _key(each) == _key(name)
    )


def scan(text: str) -> Iterator[KnownName]:
    """The names of the file in `text`, case as in the file, the longest first, none within another.

    Names in capitals, such as acronyms, match in capitals alone; places match in capitals too.
    """
    by_start, end = _by_start(), 0
    for match in _WORD.finditer(text):
        start = match.start()
        if start < end:
            continue
        for name, found in by_start.get(match.group(), ()):
            end_of_name = start + len(name)
            if text.startswith(name, start) and not text[end_of_name : end_of_name + 1].isalnum():
                end = end_of_name
                yield KnownName(start, end, name, found)
                break


@lru_cache(maxsize=1)
def demonyms() -> frozenset[str]:
    """The demonyms of countries: `Saudi`, `Iranians`."""
    return frozenset(each for entry in entries() for each in entry.people)


@lru_cache(maxsize=1)
def abbreviations() -> dict[str, Entry]:
    """States by the short form that stands after a town and a comma: `Ore.`."""
    return {entry.abbreviation: entry for entry in entries() if entry.abbreviation}


@lru_cache(maxsize=1)
def postal_codes() -> dict[str, Entry]:
    """States by the two capitals that stand after a town and a comma: `NY`."""
    return {entry.key[-2:].upper(): entry for entry in entries() if entry.kind == "state"}


@lru_cache(maxsize=100_000)
def _key(name: str) -> str:
    return fold(name).removeprefix("the ")


@lru_cache(maxsize=1)
def _by_name() -> dict[str, tuple[Entry, ...]]:
    found: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
    for entry in entries():
        for name in entry.names:
            found[_key(name)][entry.key] = entry
    return {name: tuple(each.values()) for name, each in found.items()}


@lru_cache(maxsize=1)
def _by_start() -> dict[str, tuple[tuple[str, tuple[Entry, ...]], ...]]:
    by_spelling: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in entries():
        for name in entry.names:
            by_spelling[name].append(entry)
            known = entry.type == "place" and name not in entry.weak
            if known and len(name) >= _SHORT and not name.isupper():
                by_spelling[name.upper()].append(entry)
    found: defaultdict[str, list[tuple[str, tuple[Entry, ...]]]] = defaultdict(list)
    for name, each in by_spelling.items():
        first = _WORD.match(name)
        if first:
            found[first.group()].append((name, tuple(each)))
    return {
        first: tuple(sorted(each, key=lambda pair: -len(pair[0]))) for first, each in found.items()
    }
