"""The searcher: one search over a snapshot of an index. It matches, scores, sorts and counts.

The collection statistics behind the scores are the snapshot of a PageKey, so that scores do not
change between two pages. Reads no file.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from heapq import nlargest
from itertools import chain
from typing import TYPE_CHECKING, Any

from app.errors import CursorExpired
from app.search import histogram, ranking
from app.search.cache import Cache
from app.search.collapse import hit_of
from app.search.engine import DAY_US, Found, Request
from app.search.query import tree
from app.search.ranking import K1, B
from app.search.whoosh import collector, facets
from app.search.whoosh.evaluator import Matcher, documents
from app.search.whoosh.schema import UNDATED

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping, Sequence

    from app.filters import Filters
    from app.search.deadline import Deadline
    from app.search.engine import Bucket
    from app.search.query.tree import Leaf
    from app.search.whoosh.evaluator import Hits
    from app.search.whoosh.segments import Segment
    from app.search.whoosh.snapshots import Snapshot, Version


_ANSWERS_BYTES = 16 * 2**20
_PERIODS_BYTES = 16 * 2**20  # four bytes an article and time zone, eight for hours
_RANKED_BYTES = 64 * 2**20  # whole results, for paging to their end
_NAMES_BYTES = 2**20
_MANY_PAGES = 4  # of candidates: a second pass reads blocks again
_ROW_BYTES = 300  # of a ranked result: two tuples, an id, numbers


class Caches:
    """The caches of one version of an index; safe to share between threads."""

    def __init__(self, version: Version | None) -> None:
        self.version = version
        self.periods: Cache[array[int]] = Cache(_PERIODS_BYTES)
        self.answers: Cache[Found] = Cache(_ANSWERS_BYTES)
        self.ranked: Cache[collector.Ranked] = Cache(_RANKED_BYTES)
        self.names: Cache[list[tuple[str, int]]] = Cache(_NAMES_BYTES)


def search(snapshot: Snapshot, request: Request, caches: Caches, deadline: Deadline) -> Found:
    """The answer to `request`, incomplete if the deadline passes."""
    segments = snapshot.segments
    if request.query is not None:
        chosen = dict(request.filters.named).get("language")
        languages = (chosen and chosen.wanted) or sorted({n for s in segments for n in s.languages})
        request = replace(request, query=tree.in_languages(request.query, languages))
    statistics = _statistics(segments, request, deadline)
    average, newest, *idfs = statistics
    idf = dict(zip(dict.fromkeys(tree.leaves(request.query)), idfs, strict=True))
    norms = [K1 * (1 - B + B * length / average) for length in snapshot.lengths]
    matcher = Matcher(segments, idf, norms, deadline, request.filters.time_zone)

    _warm_up(segments, request, caches)
    key = (request.query, request.filters, request.sort, request.recent, request.collapse)
    counts = request.facets or request.histogram is not None
    ranked = caches.ranked.get((key, statistics)) if request.after and not counts else None
    whole = request.after is not None or request.recent or request.collapse
    first_alone = not whole and request.sort == "relevance" and request.limit > 0
    hits: list[tuple[Segment, Hits]] = []
    members: Mapping[bytes, Sequence[bytes]] = {}

    def matching(filters: Filters) -> tuple[list[tuple[Segment, Hits]], Any]:
        if isinstance(request.query, tree.Favoring) and first_alone:
            return _favored(segments, request.query, filters, request.limit, matcher), {}
        found = [(s, matcher.hits(s, request.query, filters)) for s in segments]
        if request.recent:
            found = [(s, _recent(s, hits, newest)) for s, hits in found]
        return (
            collector.collapse(found, request.sort, deadline) if request.collapse else (found, {})
        )

    def unfiltered(name: str) -> list[tuple[Segment, Hits]]:
        """The hits without the filter on `name`, so that its facet shows the other values too."""
        filters = request.filters.without(name)
        return hits if filters == request.filters else matching(filters)[0]

    if ranked is None:
        hits, members = matching(request.filters)
        if request.after is not None:
            ranked = collector.rank(hits, request.sort, members)
            if not deadline.late:
                caches.ranked.put((key, statistics), ranked, _ROW_BYTES * len(ranked.rows))
    if ranked is not None and request.after is not None:
        rows, more = collector.page_after(ranked, request.after, request.sort, request.limit)
        total, members = len(ranked.rows), ranked.members
    else:
        rows, more = collector.first_page(hits, request.sort, request.limit)
        total = sum(len(found) for _, found in hits)
    return Found(
        hits=[hit_of(id_, score, members) for _, id_, score, _ in rows],
        total=total,
        after=collector.key_of(rows[-1], request.sort, _encoded(statistics))
        if more and rows
        else None,
        cursor=snapshot.cursor,
        store_id=snapshot.store_id,
        history=snapshot.history,
        facets={
            name: histogram.top(facets.names(of, name), request.facet_limit)
            for name, of in ((name, unfiltered(name)) for name in request.facets)
        },
        histogram=_histogram(segments, hits, request, matcher, caches),
        complete=not deadline.late,
    )


def _favored(
    segments: Sequence[Segment],
    query: tree.Favoring,
    filters: Filters,
    limit: int,
    matcher: Matcher,
) -> list[tuple[Segment, Hits]]:
    """All hits, with bonuses only for those that may reach the first `limit` by them.

    Reading positions takes longer than finding the hits. If many may reach the first, the bonuses
    of the best hits raise the score that the others need.
    """
    found = [(s, matcher.hits(s, query.node, filters)) for s in segments]
    most, done = matcher.most(query), [set[int]() for _ in found]

    def favor(margin: float) -> None:
        for (segment, hits), among, seen in zip(
            found, _best(found, limit, margin), done, strict=True
        ):
            matcher.favor(segment, query, hits, among - seen)
            seen |= among

    if sum(map(len, _best(found, limit, most))) > _MANY_PAGES * limit:
        favor(0.0)
    favor(most)
    return found


def _best(found: Sequence[tuple[Segment, Hits]], limit: int, margin: float) -> list[set[int]]:
    """The best `limit` hits and those at most `margin` below, by segment."""
    best = nlargest(limit, chain.from_iterable(hits.values() for _, hits in found))
    least = best[-1] - margin if len(best) == limit else -math.inf
    return [{number for number, score in hits.items() if score >= least} for _, hits in found]


def _statistics(
    segments: Sequence[Segment], request: Request, deadline: Deadline
) -> tuple[float, ...]:
    """The average length, the newest date in days, and the idf of each leaf.

    The request's PageKey has precedence if it has as many. Rounded, since they are part of
    cursors. After the deadline a leaf counts as unknown: the search is incomplete anyway.
    """
    distinct = list(dict.fromkeys(tree.leaves(request.query)))
    if request.after is not None:
        given = _decoded(request.after.snapshot)
        if len(given) == len(distinct) + 2:
            return given
    count = sum(segment.columns.count for segment in segments)
    length = sum(segment.columns.total_length for segment in segments)
    newest = 1.0
    if request.recent:
        now = time.time() * 1e6  # an article may be dated in the future
        dates = (max(s.columns.published, default=UNDATED) for s in segments)
        newest = max(1.0, min(max(dates, default=UNDATED), now) // DAY_US)
    counts = (
        count
        if isinstance(leaf, tree.ProximityBoost) and _has_common_word(segments, leaf, count)
        else sum(_holding(segment, leaf, deadline) for segment in segments)
        for leaf in distinct
    )
    return (
        round(length / count, 1) if length else 1.0,
        newest,
        *(float(f"{ranking.idf(count, min(n, count)):.5g}") for n in counts),
    )


def _has_common_word(segments: Sequence[Segment], pair: tree.Phrase, count: int) -> bool:
    """Whether a word of a pair is in more than half of all documents.

    Such a word is next to every other, and its positions take the longest to read.
    """
    return any(2 * sum(documents(s, terms) for s in segments) > count for terms in pair.places)


def _encoded(statistics: tuple[float, ...]) -> str:
    return ",".join(map(repr, statistics))


def _decoded(snapshot: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, snapshot.split(","))) if snapshot else ()
    except ValueError as error:  # another engine made it
        raise CursorExpired("the search engine was changed") from error


def _holding(segment: Segment, leaf: Leaf, deadline: Deadline) -> float:
    """The approximate document frequency of a leaf in a segment.

    For a phrase, the document frequency of its rarest word divided by the number of words.
    Summing idf over the words would overweight long phrases.
    """
    if not deadline.in_time():
        return 0
    match leaf:
        case tree.Word():
            return documents(segment, leaf.terms)
        case tree.Spelt():
            return max(documents(segment, word.terms) for word in leaf.words)
        case tree.Phrase():
            return min(documents(segment, t) for t in leaf.places) / len(leaf.tokens)
        case _:
            spelt = (token for token in segment.spellings(leaf) if deadline.in_time())
            return max((segment.documents("words", token) for token in spelt), default=0)


def _recent(segment: Segment, found: Hits, newest: float) -> Hits:
    """The hits with their scores multiplied by `ranking.recency`."""
    published, last = segment.columns.published, newest * DAY_US
    return {
        n: score if published[n] == UNDATED else score * ranking.recency(published[n], last)
        for n, score in found.items()
    }


def _warm_up(segments: Sequence[Segment], request: Request, caches: Caches) -> None:
    """Read the columns of facets and histogram before matching uses up the time."""
    nothing: list[tuple[Segment, Hits]] = [(segment, {}) for segment in segments]
    for name in request.facets:
        facets.names(nothing, name)
    if request.histogram is not None:
        facets.periods(nothing, request.histogram, request.filters.time_zone, caches.periods)


def _histogram(
    segments: Sequence[Segment],
    hits: Sequence[tuple[Segment, Hits]],
    request: Request,
    matcher: Matcher,
    caches: Caches,
) -> list[Bucket]:
    if request.histogram is None:
        return []
    unit, time_zone = request.histogram, request.filters.time_zone
    counts = facets.periods(hits, unit, time_zone, caches.periods)
    coverage = None
    if request.coverage:
        everything = [(s, matcher.hits(s, None, request.filters)) for s in segments]
        coverage = facets.periods(everything, unit, time_zone, caches.periods)
    bounds = histogram.bounds(request.filters, unit)
    return histogram.histogram(counts, unit, coverage, bounds, time_zone)
