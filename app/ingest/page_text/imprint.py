"""The imprint line above a story: who wrote it, and when it was published and updated.

`Jane Roe · CBC News · Posted: May 09, 2020 2:35 PM ET | Last Updated: May 10, 2020` is such a
line. Each part between its separators must be a day, a label of a day, a time, a name, a place or a
news house. A line with any other part is no imprint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from app.ingest import authors
from app.ingest.page_text import boilerplate, dates
from app.ingest.vocabulary import PATTERNS, PUBLISHED_LABELS, UPDATED_LABELS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_HOUSE = 40
LONGEST = 200
"""Characters of the longest line that is examined."""

_MARKS = re.compile(r"\s*[|·•—–_ـ()\[\]（）;；/]+\s*|\s+-\s*|\s*-\s+|^-+|-+$|\s*[,،、]\s*")
_SMALL = re.compile(
    r"\b(?:on|at|am|um|le|el|il|em|às|à|alle|ore|om|den|de|by|von|par|m|r|o|klo|kl|في|الساعة|م|هـ|ه|ساعت|at"
    r"|time|uhr|hrs|h|ist|est|edt|et|pt|bst|gmt|utc|cest|cet|msk|wib|pkt|jst|kst|aest|nzst)\b\.?:?",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\d{1,2}[:.h時시]\s?\d{2}(?:[:.]\d{2}|分|분)?(?:\s?[ap]\.?m\b\.?)?", re.IGNORECASE
)
_AGO = re.compile(
    r"\d{1,3} (?:minutes?|mins?|hours?|hrs?|days?|weeks?) ago|(?:just )?now", re.IGNORECASE
)
_SOURCE = re.compile(
    rf"(?:{PATTERNS['source_labels']})\s?[:：]\s?(?P<source>.{{2,60}})", re.IGNORECASE
)
_HOUSE = re.compile(r"[A-Z]{2,5}|[\w-]+\.(?:com|org|net|co|id|de|ru|ua|tr|in|uk)(?:\.\w\w)?")


@dataclass(frozen=True, slots=True)
class Imprint:
    """The parts of an imprint line; the days as printed."""

    byline: str | None
    published: str | None
    updated: str | None
    source: str | None


@lru_cache(maxsize=1024)
def parse(line: str) -> Imprint | None:
    """The parts of `line`, a clean one; None if it has no day or any other part."""
    if len(line) > LONGEST:
        return None
    source = None
    if named := _SOURCE.search(line):
        source, line = named["source"].strip(), line[: named.start()]
    spans = dates.find(line)
    if not any(printed.at for _, _, printed in spans):
        return None
    told = _Told()
    start = 0
    for begin, end, printed in spans:
        if not all(map(told.take, _parts(line[start:begin]))):
            return None
        if printed.at is not None:
            told.date(line[begin:end])
        start = end
    if not all(map(told.take, _parts(line[start:]))):
        return None
    byline = ", ".join(dict.fromkeys(told.names or told.houses[:1])) or None
    return Imprint(byline, told.days.get(False), told.days.get(True), source)


@dataclass(slots=True)
class _Told:
    """The parts of a line that are parsed so far; `days` by whether they are of an update."""

    days: dict[bool, str] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    houses: list[str] = field(default_factory=list)
    is_update: bool = False

    def take(self, part: str) -> bool:
        """Whether `part` is known; keeps its content."""
        label = _label(part)
        if label is not None:
            self.is_update = label
        elif authors.is_place(part):
            pass
        elif _is_house(part):
            self.houses.append(part)
        elif _is_name(part):
            self.names.append(boilerplate.byline(part) or part)
        else:
            return False
        return True

    def date(self, day: str) -> None:
        """Keep `day` as that of publication or update, by the label before it."""
        self.days.setdefault(self.is_update, day)
        self.is_update = False


def _parts(text: str) -> Iterator[str]:
    """The parts of the text between two days, without times and small words."""
    text = _AGO.sub("|", _CLOCK.sub("|", text))
    for part in _MARKS.split(text):
        part = part.strip(" .:：-–")
        while label := next((each for each in _ends(part) if _label(each) is not None), None):
            if label == part:
                break
            rest = part[: -len(label)] if part.endswith(label) else part[len(label) :]
            if part.endswith(label):
                yield from _plain(rest)
                part = label
            else:
                yield label
                part = rest.strip(" .:：-–")
        yield from _plain(part)


def _plain(part: str) -> Iterator[str]:
    part = part.strip(" .:：-–")
    if _label(part) is None:
        part = _SMALL.sub("", part).strip(" .:：-–") if not _is_name(part) else part
    if part and not part.isdigit() and part.casefold() not in WEEKDAYS:
        yield part


def _ends(part: str) -> Iterator[str]:
    """The first words and the last words of `part`, the longest first."""
    words = part.split()
    for count in range(min(4, len(words)), 0, -1):
        yield " ".join(words[-count:])
        yield " ".join(words[:count])


def _label(part: str) -> bool | None:
    """Whether `part` is the label of an update's day; None if it is no label of a day."""
    told = _SMALL.sub("", part.casefold()).strip(" .:：")
    for each in (part.casefold().strip(" .:："), told):
        if each in UPDATED_LABELS:
            return True
        if each in PUBLISHED_LABELS:
            return False
    return None


def _is_name(part: str) -> bool:
    return boilerplate.byline(part) is not None or boilerplate.are_names(part, beside_day=True)


def _is_house(part: str) -> bool:
    if len(part) > _LONGEST_HOUSE or boilerplate.byline(part) not in (None, part):
        return False
    return _HOUSE.fullmatch(part) is not None or authors.is_organization(part)
