"""Counting: facets and histograms of a whole result, over columns that a segment keeps.

A facet counts names, a histogram articles by the day of a time zone; both in one pass over
the hits of each segment. No file and no index library is known here.
"""

from __future__ import annotations

from array import array
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.errors import ParameterError
from app.search.base import Bucket
from app.search.matching import UNDATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.search.base import Unit
    from app.search.kept import Kept
    from app.search.matching import Columns, Segment

MOST_BUCKETS = 5_000
_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1).toordinal()


def facet(hits: Iterable[tuple[Segment, Iterable[int]]], name: str) -> Counter[str]:
    """How many hits have each value of a field of names."""
    counts: Counter[str] = Counter()
    for segment, numbers in hits:
        values = segment.names(name)
        counts.update(chain.from_iterable(map(values.__getitem__, numbers)))
    return counts


def days(
    hits: Iterable[tuple[Segment, Iterable[int]]],
    zone: str,
    cache: Kept[array[int]],
) -> Counter[int]:
    """How many hits were published on each day (as date ordinals) of a zone; undated left out."""
    counts: Counter[int] = Counter()
    for segment, numbers in hits:
        key = (segment.columns.name, zone)
        of = cache.get(key)
        if of is None:
            of = _days_of(segment.columns, zone)
            cache.put(key, of, of.itemsize * len(of))
        counts.update(map(of.__getitem__, numbers))
    counts.pop(0, None)
    return counts


def _days_of(columns: Columns, zone: str) -> array[int]:
    """The day of each document as a date ordinal, 0 for undated ones."""
    local = ZoneInfo(zone)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def day(at: int) -> int:
        # An article that is known by its day alone (00:00 UTC) keeps that day in every zone.
        if at == UNDATED:
            return 0
        if zone == "UTC" or at % _DAY_US == 0:
            return _EPOCH + at // _DAY_US
        return day_in(local, epoch + timedelta(microseconds=at)).toordinal()

    return array("I", map(day, columns.published))


def day_in(zone: ZoneInfo, instant: datetime) -> date:
    """The day of an aware instant in a zone; of the first and last day there are, UTC's own.

    >>> day_in(ZoneInfo("America/New_York"), datetime(1, 1, 1, tzinfo=UTC)).isoformat()
    '0001-01-01'
    """
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()


def histogram(
    counts: Counter[int],
    unit: Unit,
    coverage: Counter[int] | None = None,
    bounds: tuple[date | None, date | None] = (None, None),
) -> list[Bucket]:
    """The counts by period, oldest first.

    Goes from the first to the last article, or to the `bounds` (first day, last day) where
    they are given. Periods without any article stand in between where all together are at
    most MOST_BUCKETS, so that one article of a wrong year breaks nothing. Raises
    ParameterError where more than that hold articles.
    """
    given = [bound.toordinal() for bound in bounds if bound is not None]
    found = [min(counts), max(counts)] if counts else given[:1]
    if not found:
        return []
    since, until = (bound and bound.toordinal() for bound in bounds)
    summed = _summed(counts, unit)
    covered = _summed(coverage, unit) if coverage is not None else None
    starts = [_start(since or found[0], unit)]
    last = _start(until or found[-1], unit)
    while starts[-1] < last and len(starts) <= MOST_BUCKETS:
        starts.append(_next(starts[-1], unit))
    if len(starts) > MOST_BUCKETS:
        starts = sorted(summed.keys() | (covered or summed).keys())
    if len(starts) > MOST_BUCKETS:
        reason = f"articles of more than {MOST_BUCKETS:,} periods by {unit}; narrow the dates"
        raise ParameterError("histogram", reason)
    return [
        Bucket(date.fromordinal(start), summed[start], None if covered is None else covered[start])
        for start in starts
    ]


def _summed(counts: Counter[int], unit: Unit) -> Counter[int]:
    """The counts by the first day of their period."""
    if unit == "day":
        return counts
    summed: Counter[int] = Counter()
    for day, count in counts.items():
        summed[_start(day, unit)] += count
    return summed


def _start(day: int, unit: Unit) -> int:
    """The first day of the period that a day is in."""
    if unit == "day":
        return day
    if unit == "week":
        return day - (day - 1) % 7
    first = date.fromordinal(day).replace(day=1)
    return (first if unit == "month" else first.replace(month=1)).toordinal()


def _next(start: int, unit: Unit) -> int:
    """The first day of the period after the one that begins on `start`."""
    if unit == "day":
        return start + 1
    if unit == "week":
        return start + 7
    return _start(start + (31 if unit == "month" else 366), unit)


def top(counts: Counter[str], limit: int) -> list[tuple[str, int]]:
    """The commonest values, ties in the order of their names."""
    least = min(nlargest(limit, counts.values()), default=0)
    best = [pair for pair in counts.items() if pair[1] >= least]
    return sorted(best, key=lambda pair: (-pair[1], pair[0]))[:limit]
