"""Facets: hits counted by name or period, over columns of segments.

One pass over the hits of each segment. Reads no file.
"""

from __future__ import annotations

from array import array
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.search import histogram
from app.search.whoosh.schema import UNDATED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.search.cache import Cache
    from app.search.engine import Unit
    from app.search.whoosh.segments import Columns, Segment


def names(hits: Iterable[tuple[Segment, Iterable[int]]], name: str) -> Counter[str]:
    """How many hits have each value of a field of names."""
    counts: Counter[str] = Counter()
    for segment, numbers in hits:
        values = segment.names(name)
        counts.update(chain.from_iterable(map(values.__getitem__, numbers)))
    return counts


def periods(
    hits: Iterable[tuple[Segment, Iterable[int]]],
    unit: Unit,
    time_zone: str,
    cache: Cache[array[int]],
) -> Counter[int]:
    """How many dated hits were published in each hour or day, as `histogram.period` numbers it."""
    counts: Counter[int] = Counter()
    finest: Unit = "hour" if unit == "hour" else "day"
    for segment, numbers in hits:
        key = (segment.columns.name, time_zone, finest)
        column = cache.get(key)
        if column is None:
            column = _periods_of(segment.columns, finest, time_zone)
            cache.put(key, column, column.itemsize * len(column))
        counts.update(map(column.__getitem__, numbers))
    counts.pop(_UNDATED[finest], None)
    return counts


_UNDATED = {"hour": UNDATED, "day": 0}


def _periods_of(columns: Columns, finest: Unit, time_zone: str) -> array[int]:
    """The hour or day of each document, `_UNDATED` for undated ones."""
    zone = ZoneInfo(time_zone)
    undated = _UNDATED[finest]
    return array(
        "q" if finest == "hour" else "I",
        (
            undated if at == UNDATED else histogram.period(at, finest, zone)
            for at in columns.published
        ),
    )
