"""Dates of the query language: a date or a range as a half-open interval of instants.

Takes the lexeme after `published:`, returns a `Published`. An error translates the range syntax
of other systems into ours. `filters.period` reads absolute dates. Relative dates are whole
days, hours or minutes: the same query means the same for as long as one of them lasts.

    >>> from app.search.query.lexer import read
    >>> source = "published:[2020-05-01 TO *}"
    >>> now = datetime(2020, 5, 9, 12, 30, tzinfo=UTC)
    >>> str(published(source, read(source, 10), now))
    'published:[2020-05-01 TO *}'
    >>> week = published("published:-7d", Lexeme("word", 10, 13, "-7d"), now)
    >>> week.since.isoformat(), week.until.isoformat()
    ('2020-05-02T00:00:00+00:00', '2020-05-10T00:00:00+00:00')
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import regex

from app import filters
from app.errors import ParameterError, QueryError
from app.search.query.lexer import Lexeme, replaced, shortened
from app.search.query.tree import Published

_TO = regex.compile(r"(?<=\s)TO(?=\s)", regex.IGNORECASE)
_AGO = regex.compile(r"-([0-9]{1,6})(min|h|d|w|m|y)", regex.IGNORECASE)
_NAMED = {"now": "-0min", "today": "-0d", "yesterday": "-1d"}
_DURATION = regex.compile(r"P(?:(\d+)([YMWD]))?(?:T(?:(\d+)([HM]))?)?/?", regex.IGNORECASE)
_TIMES = {"H": "h", "M": "min"}
_COMPARED = {">=": "[{} TO *]", "<=": "[* TO {}]", ">": "{{{} TO *]", "<": "[* TO {}}}"}
_LENGTHS = {"min": timedelta(minutes=1), "h": timedelta(hours=1)}


class _Span(NamedTuple):
    """A period: its first instant, and the first one after it."""

    start: datetime
    end: datetime


def is_relative(text: str) -> bool:
    """Whether a date counts back from now, such as `-7d`."""
    return _AGO.fullmatch(text) is not None


def published(source: str, lexeme: Lexeme, now: datetime, time_zone: str = "UTC") -> Published:
    """The interval of a date in `time_zone`; of `[first TO last]` if `lexeme` is a range."""
    return (_range if lexeme.kind == "range" else _date)(source, lexeme, now, time_zone)


def _date(source: str, lexeme: Lexeme, now: datetime, time_zone: str) -> Published:
    """The interval of a year, month, day or instant; `*` is any article with a date.

    A relative date extends to now.
    """
    start, end = lexeme.start, lexeme.end
    written = lexeme.text if lexeme.kind == "phrase" else source[start:end]
    if written == "*":
        return Published(written, None, None, start=start, end=end)
    try:
        since, until = _span(written, now, time_zone)
    except ParameterError as error:
        likely = _translated(written)
        corrected = likely and replaced(source, start, end, likely)
        raise _no_date(written, start, corrected) from error
    if ago := _AGO.fullmatch(written):
        until = _ago(now, time_zone, 0, ago[2]).end
    return Published(written, since, until, start=start, end=end)


def _range(source: str, lexeme: Lexeme, now: datetime, time_zone: str) -> Published:
    """The interval of `[first TO last]`; a curly bracket excludes its end, `*` leaves it open."""
    opened, closed = source[lexeme.start], source[lexeme.end - 1]
    ends = [end.strip() for end in _TO.split(f" {lexeme.text} ")]
    if len(ends) != 2 or not all(ends):
        likely = _likely_range(ends)
        raise QueryError(
            "a range is not of the form [first TO last]",
            lexeme.start,
            expected="two dates as in [2020-05-01 TO 2020-05-31]; * leaves an end open",
            corrected=likely and replaced(source, lexeme.start, lexeme.end, likely),
        )
    first, last = ends
    first_at = source.index(first, lexeme.start)
    last_at = source.rindex(last, lexeme.start, lexeme.end)
    before = None if first == "*" else _period(first, first_at, now, time_zone)
    after = None if last == "*" else _period(last, last_at, now, time_zone)
    since = before and (before.start if opened == "[" else before.end)
    until = after and (after.end if closed == "]" else after.start)
    if before and after and since is not None and until is not None and since >= until:
        backwards = before.start > after.start
        likely = f"[{last} TO {first}]" if backwards else f"[{first} TO {last}]"
        raise QueryError(
            "a range ends before it begins" if backwards else "a range leaves out all that it has",
            first_at,
            expected="the earlier date first" if backwards else "[ and ], which take in the ends",
            corrected=replaced(source, lexeme.start, lexeme.end, likely),
        )
    written = f"{opened}{first} TO {last}{closed}"
    return Published(written, since, until, start=lexeme.start, end=lexeme.end)


def _period(written: str, at: int, now: datetime, time_zone: str) -> _Span:
    try:
        return _span(written, now, time_zone)
    except ParameterError as error:
        raise _no_date(written, at, None) from error


def _span(written: str, now: datetime, time_zone: str) -> _Span:
    """The period of a date in `time_zone`; raises ParameterError."""
    if ago := _AGO.fullmatch(_NAMED.get(written.lower(), written)):
        return _ago(now, time_zone, int(ago[1]), ago[2])
    return _Span(*filters.period("published", written, time_zone))


def _ago(now: datetime, time_zone: str, count: int, unit: str) -> _Span:
    """The minute, hour or day in `time_zone` that was `count` units before now."""
    unit, local = unit.lower(), now.astimezone(ZoneInfo(time_zone))
    day = local.date()
    try:
        if length := _LENGTHS.get(unit):
            since_midnight = local.replace(tzinfo=None) - datetime.combine(day, time())
            start = now.astimezone(UTC) - since_midnight % length - count * length
            return _Span(start, start + length)
        if unit in ("m", "y"):
            months = day.year * 12 + day.month - 1 - count * (12 if unit == "y" else 1)
            year, month = months // 12, months % 12 + 1
            # A day that a shorter month does not have becomes its last day.
            day = date(year, month, min(day.day, monthrange(year, month)[1]))
        else:
            day -= timedelta(days=count * (7 if unit == "w" else 1))
    except (ValueError, OverflowError):
        day = date.min
    return _Span(*filters.period("published", day.isoformat(), time_zone))


def _no_date(written: str, at: int, corrected: str | None) -> QueryError:
    return QueryError(
        f"{shortened(written)!r} is no date",
        at,
        expected="a year, month, day, hour or instant such as 2020-05-09T12:00:00Z, or -7d",
        corrected=corrected,
    )


def _translated(written: str) -> str | None:
    """A date or range in the syntax of another system, in ours."""
    for sign, template in _COMPARED.items():
        if written.startswith(sign):
            return template.format(written.removeprefix(sign))
    if duration := _DURATION.fullmatch(written):
        days, day_unit, times, time_unit = duration.groups()
        if (days is None) == (times is None):
            return None
        return f"-{days}{day_unit.lower()}" if days else f"-{times}{_TIMES[time_unit.upper()]}"
    if regex.fullmatch(r"\d{6}", written):
        return f"{written[:4]}-{written[4:]}"
    if is_relative(f"-{written}"):
        return f"-{written}"
    return _between(written)


def _between(written: str) -> str | None:
    for sign in ("..", "--", "/"):
        first, found, last = written.partition(sign)
        if found:
            if first.count("-") and last.isdigit() and len(last) == 2:  # 2014-02/04
                last = f"{first.rpartition('-')[0]}-{last}"
            return f"[{first or '*'} TO {last or '*'}]"
    return None


def _likely_range(ends: Sequence[str]) -> str | None:
    """The parts around each TO of a range, as a range or a date if they can be one."""
    if len(ends) == 2:
        return f"[{ends[0] or '*'} TO {ends[1] or '*'}]"
    dates = regex.findall(r"[^\s,]+", ends[0])
    if len(ends) > 1 or not 1 <= len(dates) <= 2:
        return None
    return f"[{dates[0]} TO {dates[1]}]" if len(dates) == 2 else str(dates[0])
