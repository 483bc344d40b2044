"""Ranking: hits in their order, a page at a time, and the place to go on from.

The first page keeps only the best hits; a later one orders the whole result once and
remembers it, so that walking a result to its end takes linear time. No file and no index
library is known here.
"""

from __future__ import annotations

import math
import uuid
from bisect import bisect_right
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING

from app.search.base import Place
from app.search.matching import UNDATED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.search.base import Sort
    from app.search.matching import Hits, Segment

Row = tuple[float, bytes, float, int]
"""Key (larger first), id, score, published."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A whole result in order, for pages after the first: keys for bisection, and rows.

    `members` are the hits that were collapsed into another one, by its id.
    """

    keys: list[tuple[float, int]]
    rows: list[Row]
    members: Mapping[bytes, Sequence[bytes]]


def first_page(
    hits: Sequence[tuple[Segment, Hits]], sort: Sort, limit: int
) -> tuple[list[Row], bool]:
    """The first `limit` rows in order, and whether there are more."""
    rows: list[Row] = []
    least = -math.inf if limit else math.inf
    for segment, found in hits:
        keys = _keys(segment, found, sort)
        if least == -math.inf and len(found) > limit:
            least = nlargest(limit, keys)[-1]
        rows += _rows(segment, found, zip(keys, found, strict=True), least)
        if len(rows) > limit > 0:  # no row is made of what is not shown
            least = nlargest(limit, map(itemgetter(0), rows))[-1]
    _order(rows, sort)
    return rows[:limit], sum(len(found) for _, found in hits) > limit


def rank(
    hits: Iterable[tuple[Segment, Hits]],
    sort: Sort,
    members: Mapping[bytes, Sequence[bytes]] | None = None,
) -> Ranked:
    """All rows in order."""
    rows: list[Row] = []
    for segment, found in hits:
        rows += _rows(segment, found, zip(_keys(segment, found, sort), found, strict=True))
    _order(rows, sort)
    return Ranked([_position(row[0], row[1], sort) for row in rows], rows, members or {})


def page_after(ranked: Ranked, after: Place, sort: Sort, limit: int) -> tuple[list[Row], bool]:
    """The `limit` rows that follow a place, and whether there are more."""
    at = UNDATED if after.published_us is None else after.published_us
    key = {"relevance": after.score, "newest": float(at), "oldest": _oldest(at)}[sort]
    begin = bisect_right(ranked.keys, _position(key, after.id.bytes, sort))
    return ranked.rows[begin : begin + limit], len(ranked.rows) > begin + limit


def place_of(row: Row, statistics: tuple[float, ...]) -> Place:
    """Where a page that ends with `row` is gone on from."""
    _, id_, score, at = row
    return Place(uuid.UUID(bytes=id_), score, None if at == UNDATED else at, statistics)


def _rows(
    segment: Segment, found: Hits, keyed: Iterable[tuple[float, int]], least: float = UNDATED
) -> list[Row]:
    published, id_of = segment.columns.published, segment.columns.id
    return [(k, id_of(n), found[n], published[n]) for k, n in keyed if k >= least]


def _order(rows: list[Row], sort: Sort) -> None:
    """Larger keys first; ids break ties, larger first for newest as in the store's list."""
    rows.sort(key=itemgetter(1), reverse=sort == "newest")
    rows.sort(key=itemgetter(0), reverse=True)


def _position(key: float, id_: bytes, sort: Sort) -> tuple[float, int]:
    """Ascends as the order does."""
    number = int.from_bytes(id_, "big")
    return -key, -number if sort == "newest" else number


def _oldest(at: int) -> float:
    return float(-at if at != UNDATED else UNDATED)


def _keys(segment: Segment, found: Hits, sort: Sort) -> Collection[float]:
    """The keys of a segment's hits, in their order."""
    if sort == "relevance":
        return found.values()
    published = map(segment.columns.published.__getitem__, found)
    return list(map(float if sort == "newest" else _oldest, published))
