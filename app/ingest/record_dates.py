"""Dates of records: parsed to an instant with its precision, or a reason why not.

ISO 8601 in all its forms, RFC 2822, seconds and milliseconds since 1970, days with the name of
their month in any language that dateparser knows. Nothing is completed and nothing guessed: a
time without a zone is that of the caller's zone, else only its day is kept; a relative time, a
year of two digits or a month without a day is no date.

`03/02/2021` is ambiguous. The other dates of its column resolve it: the column's order of day and
month is one in which all of them are valid.

    >>> Column().take("13/02/2021").at.isoformat()
    '2021-02-13T00:00:00+00:00'
    >>> column = Column()
    >>> column.is_open("03/02/2021"), column.is_open("25/02/2021")
    (True, False)
    >>> column.take("03/02/2021").at.isoformat()
    '2021-02-03T00:00:00+00:00'
"""

from __future__ import annotations

import email.utils
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from app.ingest.draft import Precision

LONGEST = 80
"""Characters of the longest date."""

_ISO = re.compile(
    r"(?P<day>\d{4}([-/.])\d{1,2}\2\d{1,2}|\d{8}|\d{4}-?W\d\d-?\d|\d{4}-?\d{3})"
    r"(?:[Tt _]\s*(?P<clock>\d\d(?::?\d\d(?::?\d\d(?:[.,]\d{1,9})?)?)?)"
    r"\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_COMPACT = re.compile(r"(\d{8})(\d{4}|\d{6})([Zz])?", re.ASCII)
_RFC = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}\s+\d{1,2}:\d\d(?P<second>:\d\d)?"
    r"\s+(?P<zone>[+-]\d{4}|UT|UTC|GMT|Z|[ECMP][SD]T)(?:\s*\(.{1,40}\))?",
    re.ASCII | re.IGNORECASE,
)
_CTIME = re.compile(r"([A-Za-z]{3}) ([A-Za-z]{3}) +(\d+) ([\d:]+)(?: (\S+))? (\d{4})", re.ASCII)
_NUMBERS = re.compile(
    r"(\d{1,2})([-/.])\s?(\d{1,2})\2\s?(\d{4})(?![\d/.-])(?:,?[T\s]+(.*))?", re.ASCII
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})[:.h](?P<minute>\d\d)(?P<second>:\d\d)?(?:\.\d{1,9})?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?(?:\s*(?P<zone>[Zz]|UTC|GMT|[+-]\d\d:?\d\d))?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d{9,19}(?:\.\d{1,9})?", re.ASCII)
_MINUTES = re.compile(r"\d{1,2}\s?[:.hH時时시]\s?\d\d|\d\s?[ap]\.?m\b", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,2}:\d\d:\d\d")
_YEAR = re.compile(r"\d{4}")
_ALL_NUMBERS = re.compile(r"[\d\s/.,:-]+")
_SEVERAL_ZONES = re.compile(r"\b(?:IST|BST|AST|CST|ADT|GST|SST|AMT|ECT|WST)\b")
_EPOCHS = ((1e8, 1), (1e11, 1e3), (1e14, 1e6), (1e17, 1e9))  # from which number, of which unit
_ASKED = 200  # most dates of a column that are given to dateparser, because no pattern matches
_DAY_FIRST, _MONTH_FIRST = "day first", "month first"


@dataclass(frozen=True, slots=True)
class Read:
    """A date as read: `at` and `precision`, or both None; what is doubtful, to end a sentence."""

    at: datetime | None
    precision: Precision | None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class _Orders:
    """A day in numbers, by the orders in which it may be written, with what follows it."""

    days: dict[str, datetime]
    clock: str


NO_DATE = Read(None, None, "is not a date")


class Column:
    """The dates of one column: they have one order of day and month."""

    def __init__(self, time_zone: tzinfo | None = None) -> None:
        self._time_zone = time_zone
        self._orders = {_DAY_FIRST, _MONTH_FIRST}
        self._refused = 0

    def is_open(self, value: object) -> bool:
        """Whether `value` is ambiguous, and no other date of the column has resolved it yet."""
        found = _numbers(value) if isinstance(value, str) else None
        if found is None:
            return False
        if len(found.days) == 1:
            self._orders &= found.days.keys()
        return len(set(found.days.values())) > 1 and len(self._orders) > 1

    def take(self, value: Any) -> Read:
        """The date in `value`, by the order that the column has by now."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self._zoned(_epoch(value) or NO_DATE)
        if not isinstance(value, str) or not (text := " ".join(value.split())):
            return NO_DATE
        if len(text) > LONGEST:
            return NO_DATE
        if found := _numbers(text):
            return self._ordered(found)
        read = _plain(text)
        if read is None and self._refused < _ASKED:
            read = _worded(text)
            self._refused += read is None
        return self._zoned(read) if read else NO_DATE

    def _ordered(self, found: _Orders) -> Read:
        orders = self._orders & found.days.keys()
        if len(found.days) == 1:
            self._orders = orders
        days = {found.days[order] for order in orders or ()}
        if not days:
            return Read(None, None, "has another order of day and month than the column")
        if len(days) > 1:
            return Read(None, None, "may be day or month first")
        return self._zoned(_with_clock(days.pop(), found.clock))

    def _zoned(self, read: Read) -> Read:
        """The instant in UTC; of a time without a zone the day alone, if the caller has none."""
        at = read.at
        if at is None:
            return read
        at = at.replace(microsecond=0)
        try:
            if at.tzinfo is not None:
                return Read(at.astimezone(UTC), read.precision, read.doubt)
            if read.precision == "day":
                return Read(at.replace(tzinfo=UTC), "day", read.doubt)
            if self._time_zone is not None:
                at = at.replace(tzinfo=self._time_zone).astimezone(UTC)
                return Read(at, read.precision, read.doubt)
        except (OverflowError, ValueError):
            return NO_DATE
        day = at.replace(hour=0, minute=0, second=0, tzinfo=UTC)
        return Read(day, "day", "has no time zone: only its day is kept")


def _epoch(number: float) -> Read | None:
    """A number of seconds, milliseconds, microseconds or nanoseconds since 1970."""
    if not math.isfinite(number):
        return None
    unit = next((unit for least, unit in reversed(_EPOCHS) if number >= least), None)
    if unit is None:
        text = str(int(number)) if number == int(number) else ""
        return _plain(text) if len(text) == 8 else None
    try:
        return Read(datetime.fromtimestamp(number // unit, UTC), "second")
    except (OverflowError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def _plain(text: str) -> Read | None:
    """A date in a form that is all digits or a standard; its instant may have no zone yet."""
    if match := _ISO.fullmatch(text):
        return _iso(match)
    if match := _RFC.fullmatch(text):
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (ValueError, IndexError, TypeError):
            return NO_DATE
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return Read(at, "second" if match["second"] else "minute")
    if match := _COMPACT.fullmatch(text):
        form = "%Y%m%d%H%M%S" if len(match[2]) == 6 else "%Y%m%d%H%M"
        try:
            at = datetime.strptime(match[1] + match[2], form)  # noqa: DTZ007 - `_zoned` sees to it
        except ValueError:
            pass
        else:
            at = at.replace(tzinfo=UTC) if match[3] else at
            return Read(at, "second" if len(match[2]) == 6 else "minute")
    if _NUMBER.fullmatch(text):
        return _epoch(float(text)) or NO_DATE
    if match := _CTIME.fullmatch(text):
        name, month, day, clock, zone, year = match.groups()
        return _plain(f"{name}, {day} {month} {year} {clock} {zone}") if zone else None
    return None


def _iso(match: re.Match[str]) -> Read:
    day, clock, zone = match["day"], match["clock"], match["zone"]
    if parts := _DAY.fullmatch(day):
        day = f"{parts[1]}-{int(parts[2]):02}-{int(parts[3]):02}"
    zone = "+00:00" if zone and zone.upper() in {"Z", "UTC", "GMT"} else zone or ""
    try:
        if re.fullmatch(r"\d{4}-?\d{3}", day):
            at = datetime.strptime(day.replace("-", ""), "%Y%j")  # noqa: DTZ007 - as above
            at = datetime.fromisoformat(f"{at.date()}T{clock or '00'}{zone}")
        else:
            at = datetime.fromisoformat(day + (f"T{clock}{zone}" if clock else ""))
    except ValueError:
        return NO_DATE
    digits = sum(map(str.isdigit, re.split("[.,]", clock or "")[0]))
    precision: Precision = "day" if digits < 3 else "minute" if digits == 4 else "second"
    if precision == "day" and clock:  # an hour alone is no minute
        at = at.replace(hour=0, tzinfo=None)
    return Read(at, precision)


def _numbers(value: str) -> _Orders | None:
    """A day in numbers with the year last; None if `value` is something else."""
    match = _NUMBERS.fullmatch(value.strip()) if len(value) <= LONGEST else None
    if match is None:
        return None
    first, sign, second, year, clock = match.groups()
    days = {}
    for order, day, month in ((_DAY_FIRST, first, second), (_MONTH_FIRST, second, first)):
        try:
            days[order] = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - as above
        except ValueError:
            continue
    if sign == "." and _DAY_FIRST in days:  # dots come with the day first
        days.pop(_MONTH_FIRST, None)
    return _Orders(days, clock or "")


def _with_clock(day: datetime, clock: str) -> Read:
    if not clock:
        return Read(day, "day")
    match = _CLOCK.fullmatch(clock.strip())
    if match is None:
        return Read(day, "day", "has a time that cannot be read: only its day is kept")
    hour = int(match["hour"])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].casefold() == "p" else 0)
    zone = match["zone"] or ""
    zone = "+00:00" if zone.upper() in {"Z", "UTC", "GMT"} else zone
    second = match["second"] or ":00"
    try:
        at = datetime.fromisoformat(f"{day.date()}T{hour:02}:{match['minute']}{second}{zone}")
    except ValueError:
        return Read(day, "day", "has a time that no clock shows: only its day is kept")
    return Read(at, "second" if match["second"] else "minute")


@lru_cache(maxsize=4096)
def _worded(text: str) -> Read | None:
    """A day with the name of its month, in any language."""
    if not _YEAR.search(text) or _ALL_NUMBERS.fullmatch(text):
        return None
    found = _parser().get_date_data(text)
    at = found.date_obj
    if at is None:
        return None
    if _SECONDS.search(text):
        precision: Precision = "second"
    elif _MINUTES.search(text):
        precision = "minute"
    else:
        return Read(at.replace(hour=0, minute=0, second=0, tzinfo=None), "day")
    if at.tzinfo is not None and _SEVERAL_ZONES.search(text):
        at = at.replace(tzinfo=None)
    elif at.tzinfo is not None:
        at = at.astimezone(UTC)
    return Read(at, precision)


@lru_cache(maxsize=1)
def _parser() -> Any:
    from dateparser.date import DateDataParser  # takes 0.3 s

    return DateDataParser(
        settings={"PARSERS": ["absolute-time"], "REQUIRE_PARTS": ["day", "month", "year"]}
    )
