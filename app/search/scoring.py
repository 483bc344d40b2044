"""A search over one snapshot of an index: matches, scores, orders, counts.

The numbers of the collection that scores are made of travel with the Place, so that a
score never changes between two pages. No file and no index library is known here.
"""

from __future__ import annotations

import math
import time
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from app.search import counting, duplicates, ranking
from app.search.base import Found, Hit, Request
from app.search.matching import K1, UNDATED, B, Matcher, leaves
from app.search.query import Phrase, Word

if TYPE_CHECKING:
    from array import array
    from collections.abc import Hashable, Mapping, Sequence

    from app.search.base import Bucket
    from app.search.clock import Clock
    from app.search.kept import Kept
    from app.search.matching import Hits, Leaf, Segment

_DAY_US = 86_400_000_000
_LEAST_IDF = 0.05
"""Of words in half of all articles and more, which tell next to nothing but still rank."""
HALF_LIFE_DAYS = 30.0
"""With `recent`, an article of the newest day counts twice; this many days before, 1.5 times."""


class Snapshot(Protocol):
    """One generation of an index, open for one thread."""

    store_id: uuid.UUID
    cursor: int
    segments: list[Any]  # of Segment
    lengths: Sequence[int]


class Memory(Protocol):
    """What an engine keeps between searches of one generation."""

    days: Kept[array[int]]

    def ranked(self, key: Hashable) -> ranking.Ranked | None:
        """A whole result that was ordered before."""
        ...

    def keep(self, key: Hashable, ranked: ranking.Ranked) -> None:
        """Remember a result for its next page."""
        ...


def search(snapshot: Snapshot, request: Request, memory: Memory, clock: Clock) -> Found:
    """The answer to `request`, as much of it as the clock allows."""
    segments: list[Segment] = snapshot.segments
    statistics = _statistics(segments, request, clock)
    average, newest, *idfs = statistics
    idf = dict(zip(dict.fromkeys(leaves(request.query)), idfs, strict=True))
    norms = [K1 * (1 - B + B * length / average) for length in snapshot.lengths]
    matcher = Matcher(idf, norms, clock)

    _warm_up(segments, request, memory)
    key = (request.query, request.filters, request.sort, request.recent, request.collapse)
    counting_too = request.facets or request.histogram is not None
    ranked = memory.ranked((key, statistics)) if request.after and not counting_too else None
    hits: list[tuple[Segment, Hits]] = []
    members: Mapping[bytes, Sequence[bytes]] = {}
    if ranked is None:
        hits = [(s, matcher.hits(s, request.query, request.filters)) for s in segments]
        if request.recent:
            hits = [(s, _recent(s, found, newest)) for s, found in hits]
        if request.collapse:
            hits, members = duplicates.collapse(hits, request.sort, clock)
        if request.after is not None:
            ranked = ranking.rank(hits, request.sort, members)
            if not clock.late:
                memory.keep((key, statistics), ranked)
    if ranked is not None and request.after is not None:
        rows, more = ranking.page_after(ranked, request.after, request.sort, request.limit)
        total, members = len(ranked.rows), ranked.members
    else:
        rows, more = ranking.first_page(hits, request.sort, request.limit)
        total = sum(len(found) for _, found in hits)
    return Found(
        hits=[_hit(row, members) for row in rows],
        total=total,
        after=ranking.place_of(rows[-1], statistics) if more and rows else None,
        cursor=snapshot.cursor,
        store_id=snapshot.store_id,
        facets={
            name: counting.top(counting.facet(hits, name), request.facet_limit)
            for name in request.facets
        },
        histogram=_histogram(segments, hits, request, matcher, memory),
        complete=not clock.late,
    )


def _hit(row: ranking.Row, members: Mapping[bytes, Sequence[bytes]]) -> Hit:
    _, id_, score, _ = row
    return Hit(
        uuid.UUID(bytes=id_),
        score,
        tuple(uuid.UUID(bytes=member) for member in members.get(id_, ())),
    )


def _statistics(segments: Sequence[Segment], request: Request, clock: Clock) -> tuple[float, ...]:
    """Average length, newest date in days, and each leaf's inverse document frequency.

    Those of the request's Place where it has some; rounded, because they travel in cursors.
    Once the time is up a leaf counts as unknown: the search is not complete then anyway.
    """
    wanted = list(dict.fromkeys(leaves(request.query)))
    if request.after is not None and len(request.after.statistics) == len(wanted) + 2:
        return request.after.statistics
    documents = sum(segment.columns.count for segment in segments)
    length = sum(segment.columns.total_length for segment in segments)
    newest = 1.0
    if request.recent:
        now = time.time() * 1e6  # an article may be dated in the future
        dates = (max(s.columns.published, default=UNDATED) for s in segments)
        newest = max(1.0, min(max(dates, default=UNDATED), now) // _DAY_US)
    counts = (sum(_holding(segment, leaf, clock) for segment in segments) for leaf in wanted)
    return (
        round(length / documents, 1) if length else 1.0,
        newest,
        *(float(f"{_idf(documents, min(n, documents)):.5g}") for n in counts),
    )


def _idf(documents: int, holding: float) -> float:
    """Inverse document frequency (Robertson and Zaragoza 2009, equation 3.3), above 0.

    Not the variant with 1 added in the logarithm: it lets a sentence's many small words
    outweigh the one that matters.
    """
    return max(math.log((documents - holding + 0.5) / (holding + 0.5)), _LEAST_IDF)


def _holding(segment: Segment, leaf: Leaf, clock: Clock) -> float:
    """About how many documents of a segment hold a leaf.

    Of a phrase that of its rarest word, shared out: log-sums of its words' frequencies
    would make long phrases count too much against single words.
    """
    if not clock.in_time():
        return 0
    match leaf:
        case Word():
            return segment.documents("words", leaf.token)
        case Phrase():
            return min(segment.documents("words", t) for t in leaf.tokens) / len(leaf.tokens)
        case _:
            spelt = (token for token in segment.spellings(leaf) if clock.in_time())
            return max((segment.documents("words", token) for token in spelt), default=0)


def _recent(segment: Segment, found: Hits, newest: float) -> Hits:
    """The scores, larger by up to as much again the nearer an article is to the newest day."""
    published = segment.columns.published
    last = newest * _DAY_US
    half_life = HALF_LIFE_DAYS * _DAY_US
    return {
        n: score
        if published[n] == UNDATED
        else score * (1 + 0.5 ** (max(last - published[n], 0.0) / half_life))
        for n, score in found.items()
    }


def _warm_up(segments: Sequence[Segment], request: Request, memory: Memory) -> None:
    """Read what counting needs of each segment, once, before matching takes all the time."""
    nothing: list[tuple[Segment, Hits]] = [(segment, {}) for segment in segments]
    for name in request.facets:
        counting.facet(nothing, name)
    if request.histogram is not None:
        counting.days(nothing, request.zone, memory.days)


def _histogram(
    segments: Sequence[Segment],
    hits: Sequence[tuple[Segment, Hits]],
    request: Request,
    matcher: Matcher,
    memory: Memory,
) -> list[Bucket]:
    if request.histogram is None:
        return []
    counts = counting.days(hits, request.zone, memory.days)
    coverage = None
    if request.coverage:
        everything = [(s, matcher.hits(s, None, request.filters)) for s in segments]
        coverage = counting.days(everything, request.zone, memory.days)
    since, until = request.filters.since, request.filters.until
    zone = ZoneInfo(request.zone)
    first = counting.day_in(zone, since) if since else None
    last = counting.day_in(zone, until - timedelta(microseconds=1)) if until else None
    return counting.histogram(counts, request.histogram, coverage, (first, last))
