"""The top-k collector: hits in order, a page at a time, with the key of the next page.

The first page sorts only the best hits. A later one sorts the whole result once, which is then
cached, so that paging to its end takes linear time. Reads no file.
"""

from __future__ import annotations

import math
import uuid
from bisect import bisect_right
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING

from app.search.collapse import collapsed
from app.search.engine import PageKey
from app.search.whoosh.schema import UNDATED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from app.search.deadline import Deadline
    from app.search.engine import Sort
    from app.search.whoosh.evaluator import Hits
    from app.search.whoosh.segments import Segment

Row = tuple[float, bytes, float, int]
"""Sort key (larger first), id, score, published."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A whole result in order, for pages after the first: keys for bisection, and rows.

    `members` are the ids collapsed into a hit, by its id.
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
        if len(rows) > limit > 0:  # later hits below this key need no row
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


def collapse(
    hits: list[tuple[Segment, Hits]], sort: Sort, deadline: Deadline
) -> tuple[list[tuple[Segment, Hits]], dict[bytes, list[bytes]]]:
    """The first hit of each group of near-duplicates, and the ids collapsed into it."""
    where = {
        segment.columns.id(number): (place, number)
        for place, (segment, found) in enumerate(hits)
        for number in found
    }
    rows = rank(hits, sort).rows
    places = [where[id_] for _, id_, _, _ in rows]
    sketches = (hits[place][0].columns.sketch(number) for place, number in places)
    ids = (id_ for _, id_, _, _ in rows)
    firsts, members = collapsed(list(zip(ids, sketches, strict=True)), deadline)
    kept: list[tuple[Segment, Hits]] = [(segment, {}) for segment, _ in hits]
    for row in firsts:
        place, number = places[row]
        kept[place][1][number] = rows[row][2]
    return kept, members


def page_after(ranked: Ranked, after: PageKey, sort: Sort, limit: int) -> tuple[list[Row], bool]:
    """The `limit` rows after the key `after`, and whether there are more."""
    (value,) = after.values
    if sort != "relevance":
        at = UNDATED if value is None else value
        value = float(at) if sort == "newest" else _oldest(at)
    begin = bisect_right(ranked.keys, _position(value, after.id.bytes, sort))
    return ranked.rows[begin : begin + limit], len(ranked.rows) > begin + limit


def key_of(row: Row, sort: Sort, snapshot: str) -> PageKey:
    """The key of the page after `row`."""
    _, id_, score, at = row
    value = score if sort == "relevance" else None if at == UNDATED else at
    return PageKey((value,), uuid.UUID(bytes=id_), snapshot)


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
    """A key that ascends in the order of the rows."""
    number = int.from_bytes(id_, "big")
    return -key, -number if sort == "newest" else number


def _oldest(at: int) -> float:
    return float(-at if at != UNDATED else UNDATED)


def _keys(segment: Segment, found: Hits, sort: Sort) -> Collection[float]:
    """The sort keys of a segment's hits, in the order of `found`."""
    if sort == "relevance":
        return found.values()
    published = map(segment.columns.published.__getitem__, found)
    return list(map(float if sort == "newest" else _oldest, published))
