"""Histograms: articles counted by the hour, day, week, month or year of a time zone.

Turns counts by hour or day (see `period`) into buckets, and counts of values into the top
ones. Knows no engine and no store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from heapq import nlargest
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import ParameterError
from app.filters import Filters
from app.search.engine import DAY_US, Bucket, Unit

MOST_BUCKETS = 5_000
_HOUR_US = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()


def period(at_us: int, unit: Unit, zone: ZoneInfo) -> int:
    """The hour (for `unit` hour) or day of a stored date in a time zone, as a number.

    Hours are seconds from 1970 UTC to their start, days are date ordinals. `at_us` is
    `engine.published_us` of the date; one of day precision has that day in every zone.
    """
    is_day = at_us % DAY_US == 0
    if unit != "hour":
        if is_day or zone.key == "UTC":
            return _EPOCH_DAY + at_us // DAY_US
        return day_in(zone, _EPOCH + timedelta(microseconds=at_us)).toordinal()
    if zone.key == "UTC":
        return at_us // _HOUR_US * 3600
    return hour_in(zone, _EPOCH + timedelta(microseconds=at_us), is_day=is_day)


def day_in(zone: ZoneInfo, instant: datetime) -> date:
    """The day of an aware instant in a zone; at the ends of the calendar the day in UTC.

    >>> day_in(ZoneInfo("America/New_York"), datetime(1, 1, 1, tzinfo=UTC)).isoformat()
    '0001-01-01'
    """
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()


def hour_in(zone: ZoneInfo, instant: datetime, *, is_day: bool = False) -> int:
    """The hour of an aware instant in a zone, as the seconds from 1970 UTC to its start.

    With `is_day`, 00:00 UTC stands for a day: the hour is the first of that day in the zone.

    >>> hour_in(ZoneInfo("Asia/Kolkata"), datetime(1970, 1, 1, 1, 15, tzinfo=UTC))
    1800
    """
    try:
        local = instant.replace(tzinfo=zone) if is_day else instant.astimezone(zone)
        seconds = (local.astimezone(UTC) - _EPOCH) // timedelta(seconds=1)
    except OverflowError:
        local, seconds = instant, (instant - _EPOCH) // timedelta(seconds=1)
    return seconds - local.minute * 60 - local.second


def bounds(filters: Filters, unit: Unit) -> tuple[int | None, int | None]:
    """The first and last hour or day that the filters' dates allow, as `period` numbers them."""
    zone = ZoneInfo(filters.time_zone)

    def number(instant: datetime) -> int:
        return hour_in(zone, instant) if unit == "hour" else day_in(zone, instant).toordinal()

    since, until = filters.since, filters.until
    return (
        number(since) if since else None,
        number(until - timedelta(microseconds=1)) if until else None,
    )


def histogram(
    counts: Counter[int],
    unit: Unit,
    coverage: Counter[int] | None = None,
    bounds: tuple[int | None, int | None] = (None, None),
    time_zone: str = "UTC",
) -> list[Bucket]:
    """The counts of hours or days (see `period`) by period, oldest first.

    Extends from the first to the last article, or to the `bounds` that are given. Empty periods
    are included only if there are at most MOST_BUCKETS in all, since one article may have a wrong
    year. Raises ParameterError if more than that have articles.
    """
    zone = ZoneInfo(time_zone)
    since, until = bounds
    given = [bound for bound in bounds if bound is not None]
    found = [min(counts), max(counts)] if counts else given[:1]
    if not found:
        return []
    summed = _summed(counts, unit)
    covered = _summed(coverage, unit) if coverage is not None else None
    starts = [_start(found[0] if since is None else since, unit)]
    last = _start(found[-1] if until is None else until, unit)
    while starts[-1] < last and len(starts) <= MOST_BUCKETS:
        starts.append(_next(starts[-1], unit, zone))
    if len(starts) > MOST_BUCKETS:
        starts = sorted(summed.keys() | (covered or summed).keys())
    if len(starts) > MOST_BUCKETS:
        reason = f"articles of more than {MOST_BUCKETS:,} periods by {unit}; narrow the dates"
        raise ParameterError("histogram", reason)
    return [
        Bucket(
            _named(start, unit, zone), summed[start], None if covered is None else covered[start]
        )
        for start in starts
    ]


def _named(start: int, unit: Unit, zone: ZoneInfo) -> date | datetime:
    if unit != "hour":
        return date.fromordinal(start)
    instant = _EPOCH + timedelta(seconds=start)
    try:
        return instant.astimezone(zone)
    except OverflowError:
        return instant


def _summed(counts: Counter[int], unit: Unit) -> Counter[int]:
    """The counts by the start of their period."""
    if unit in ("hour", "day"):
        return counts
    summed: Counter[int] = Counter()
    for day, count in counts.items():
        summed[_start(day, unit)] += count
    return summed


def _start(number: int, unit: Unit) -> int:
    """The start of the period of an hour or day."""
    if unit in ("hour", "day"):
        return number
    if unit == "week":
        return number - (number - 1) % 7
    first = date.fromordinal(number).replace(day=1)
    return (first if unit == "month" else first.replace(month=1)).toordinal()


def _next(start: int, unit: Unit, zone: ZoneInfo) -> int:
    """The start of the period after the one that begins at `start`."""
    if unit == "hour":  # clocks may change by less than an hour
        return hour_in(zone, _EPOCH + timedelta(seconds=start + 3600))
    if unit == "day":
        return start + 1
    if unit == "week":
        return start + 7
    return _start(start + (31 if unit == "month" else 366), unit)


def top(
    counts: Mapping[str, int], limit: int, *, tie: Callable[[str], Any] = str
) -> list[tuple[str, int]]:
    """The commonest values with their counts; ties by value, or by `tie` of the value."""
    # Most of many values are rare and need no sorting.
    least = min(nlargest(limit, counts.values()), default=0)
    best = [pair for pair in counts.items() if pair[1] >= least]
    return sorted(best, key=lambda pair: (-pair[1], tie(pair[0])))[:limit]
