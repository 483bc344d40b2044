"""Dates printed on a page: parsed to an instant with its precision, or a reason why not.

A day is 00:00 UTC. A time of day counts only with a zone that is a number (`GMT`, `UTC`, `Z`,
`+03:00`): without one, or with a name that several zones share, the day alone is kept.
A time may stand before its day, have a dot or an `h` between hour and minute, or follow a bar.
Months are named in the languages that the vocabulary lists; digits are of any script. Days in
numbers count where no order of day and month but one is possible.
Nothing is ever completed: a day without its year, a relative time (`5 hours ago`), a day that
no calendar has or a year out of range give no instant, and a warning instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

from app.ingest.vocabulary import MONTHS

if TYPE_CHECKING:
    from app.ingest.draft import Precision

FIRST_YEAR, LAST_YEAR = 1900, 2060
"""Years that a page may print as its own; others are slips. Fixed, so that no clock is read."""

LONGEST = 80
"""Characters of the longest line that is examined."""

_LONGEST_CLOCK = 24

_WEEKDAY = r"(?:[^\W\d_][\w\u0900-\u097f]*(?:[- ]feira)?\.?,? )?"
_AT = r"(?:at |à |um |a las |às |alle |ore |om |o |kl\.? |klo |în |в |о |ساعت |- ?|[–—|/·•] |T)?"
_TIME = (
    r"(?P<hour>\d{1,2}) ?(?:[:.h：時时点]|시) ?(?P<minute>\d{2})分?(?:[:.]\d{2})?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?)?(?: ?(?:uhr|hrs|h)\b)?"
    r"(?:,? ?\(?(?P<zone>(?!on\b|in\b)[a-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2})\)?)?"
)
_CLOCK = rf"(?:[,،;]? ?{_AT}{_TIME})?"
_CLOCK_FIRST = rf"{_TIME}(?:,? (?:on |- |[|/·•] )?|، )"
_WORD = (
    r"(?P<month>(?:كانون|تشرين) ال\w+|[^\W\d_](?:[^\W\d_\u0900-\u09ff]|[\u064b-\u0652]){1,12}"
    r"|[\u0900-\u09ff]{2,12})\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º|ª|\.)?"
_FORMS = (
    (
        rf"{_DAY}(?:[ -]|(?<=\.))(?:de |of )?{_WORD}(?:/[^\W\d_]{{3,12}})?[,،]?(?:[ -]|(?<=\.))"
        r"(?:de )?(?P<year>\d{1,6}?)(?: (?:г|р|м|م)\b\.?)?"
    ),
    rf"{_WORD} {_DAY},? (?P<year>\d{{1,6}}?)",
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})\.?",
    rf"(?P<year>\d{{4}})\. {_WORD} {_DAY}",
    r"(?:ngày )?(?P<day>\d{1,2}) tháng (?P<month>\d{1,2})(?:,| năm)? (?P<year>\d{4})",
    (
        r"(?P<year>\d{4}) ?[年년] ?(?P<month>\d{1,2}) ?[月월] ?(?P<day>\d{1,2}) ?[日일]"
        r"(?: ?[(（][^()（）]{1,3}[)）]| ?星期\w)?"
    ),
    r"(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<year>\d{4})",
)
_ABSOLUTE = tuple(
    re.compile(form, re.IGNORECASE)
    for day in _FORMS
    for form in (
        rf"(?:{_WEEKDAY}|le |den |el )(?:den |le )?{day}{_CLOCK}",
        _CLOCK_FIRST + _WEEKDAY + day,
    )
)
_WITHIN = tuple(
    re.compile(form, re.IGNORECASE)
    for day in _FORMS
    for form in (
        rf"(?<![\w:.]){day}(?!\d){_CLOCK}(?!\w)",
        rf"(?<![\w:.]){_CLOCK_FIRST}{_WEEKDAY}{day}(?!\d)",
    )
)
_ALONE = re.compile(
    r"\d{1,2}(?:[:.h]\d{2})(?::\d{2})?(?: ?[ap]\.?m\b\.?)?(?: ?(?:uhr|hrs|h)\b)?"
    r"(?: ?\(?(?:[A-Z]{1,5}(?:[+-]\d{1,2})?|local time)\)?)?",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"(?:.{1,40} ago|just now|now|(?:a )?moments? ago|today|yesterday)(?: at \d{1,2}:\d\d)?\.?",
    re.IGNORECASE,
)
_ZONE = re.compile(r"(?:utc|gmt|z)?(?:([+-])(\d{1,2}):?(\d{2})?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Printed:
    """A printed date: `at` and `precision`, or both None with the reason in `doubt`."""

    at: datetime | None
    precision: Precision | None
    doubt: str | None = None


def parse(text: str) -> Printed | None:
    """What `text`, the whole of it, says as a date; None if it does not look like one."""
    return None if len(text) > LONGEST else _short(text)


@lru_cache(maxsize=2048)
def _short(text: str) -> Printed | None:
    for form in _ABSOLUTE:
        if match := form.fullmatch(text):
            return _instant(match)
    if _RELATIVE.fullmatch(text):
        return Printed(None, None, "is relative to an unknown time")
    return None


def find(text: str) -> list[tuple[int, int, Printed]]:
    """The days with their years in `text`, in its order: start, end, and what each says."""
    found: list[tuple[int, int, Printed]] = []
    if not any(map(str.isdigit, text)):
        return found
    matches = [match for form in _WITHIN for match in form.finditer(text)]
    end = 0
    for match in sorted(matches, key=lambda one: (one.start(), -one.end())):
        if match.start() >= end:
            found.append((match.start(), match.end(), _instant(match)))
            end = match.end()
    return found


def is_clock(text: str) -> bool:
    """Whether `text`, the whole of it, is a time of day without its day: `14:35 GMT`."""
    return len(text) <= _LONGEST_CLOCK and _ALONE.fullmatch(text) is not None


def _order(first: int, second: int) -> tuple[int, int] | None:
    """Month and day of a day in numbers; None where either may be the month."""
    if first > 12 or first == second:
        return second, first
    return (first, second) if second > 12 else None


def _month(name: str) -> int:
    """The number of a month by its name; 0 for one that is unknown. Hebrew prefixes it by `in`."""
    name = name.replace(" ", "")
    return MONTHS.get(name) or MONTHS.get(name.removeprefix("ב"), 0)


def _instant(match: re.Match[str]) -> Printed:
    told = match.groupdict()
    if "first" in told:
        order = _order(int(told["first"]), int(told["second"]))
        if order is None:
            return Printed(None, None, "may have the day or the month first")
        number, day_number = order
    else:
        month = told["month"].casefold()
        day_number = int(told["day"])
        number = int(month) if month.isdecimal() else _month(month)
        if not number and not month.isdecimal():
            return Printed(None, None, "names no month that is known")
    if not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        return Printed(None, None, "has a year out of range")
    try:
        day = datetime(int(match["year"]), number, day_number, tzinfo=UTC)
    except ValueError:
        return Printed(None, None, "is not a day of the calendar")
    if match["hour"] is None or match["zone"] is None:
        return Printed(day, "day")
    zone = _ZONE.fullmatch(match["zone"])
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].casefold() == "p" else 0)
    try:
        if zone is None:
            return Printed(day, "day", "has a time zone that is not a number: only its day is kept")
        offset = timedelta(hours=int(zone[2] or 0), minutes=int(zone[3] or 0))
        local = day.replace(
            hour=hour,
            minute=int(match["minute"]),
            tzinfo=timezone(-offset if zone[1] == "-" else offset),
        )
    except ValueError:
        return Printed(day, "day", "has a time that no clock shows: only its day is kept")
    return Printed(local.astimezone(UTC), "minute")
