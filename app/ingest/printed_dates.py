"""What a date printed on a page means: an instant with its precision, or why it is none.

A day is 00:00 UTC. A time of day counts only with a zone that is a number (`GMT`, `UTC`, `Z`,
`+03:00`): without one, or with a name that several zones share, the day alone is kept.
Nothing is ever completed: a day without its year, a relative time (`5 hours ago`), a day that
no calendar has or a year out of range give no instant, and a warning instead.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.ingest.draft import Precision

FIRST_YEAR, LAST_YEAR = 1900, 2060
"""Years that a page may print as its own; others are slips. Fixed, so that no clock is read."""

LONGEST = 80
"""Characters of the longest line that is looked at."""

_NAMES = """
january february march april may june july august september october november december
"""
_MONTHS = {
    name[:length]: number
    for number, name in enumerate(_NAMES.split(), start=1)
    for length in (3, len(name))
} | {"sept": 9}
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,? )?"
_CLOCK = (
    r"(?:,? ?(?:at |- |T)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?"
    r"(?: ?(?P<zone>[a-z]{1,5}(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:?\d{2}))?)?"
)
_WORD = r"(?P<month>[^\W\d_]{3,12})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_ABSOLUTE = tuple(
    re.compile(_WEEKDAY + form + _CLOCK, re.IGNORECASE)
    for form in (
        rf"{_DAY}[ -]{_WORD},?[ -](?P<year>\d{{1,6}}?)",
        rf"{_WORD} {_DAY},? (?P<year>\d{{1,6}}?)",
        r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    )
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


def _instant(match: re.Match[str]) -> Printed:
    month = match["month"].casefold()
    number = int(month) if month.isdigit() else _MONTHS.get(month)
    if number is None:
        return Printed(None, None, "names no English month")
    if not FIRST_YEAR <= int(match["year"]) <= LAST_YEAR:
        return Printed(None, None, "has a year out of range")
    try:
        day = datetime(int(match["year"]), number, int(match["day"]), tzinfo=UTC)
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
