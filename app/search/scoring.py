"""Matching, scoring and ordering over postings: how a Request becomes a page of hits.

Works on whole blocks of postings of segments that an adapter opens, so a search has its
exact total for nothing and any page by its Place. Scores are BM25 over the weighted words
of an article; the collection's numbers travel in the Place, so that a score never changes
between two pages. No file and no index library is known here.
"""

from __future__ import annotations

import math
import time
import uuid
from array import array
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from app.search.base import Document, Found, Hit, Place, Request
from app.search.query import And, Phrase, Query, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from app.filters import Choice, Filters

ZONE_WEIGHTS = {"headline": 3.0, "summary": 2.0, "caption": 1.5, "body": 1.0}
K1, B = 1.2, 0.75
"""BM25's saturation and length normalisation (Robertson and Zaragoza 2009, section 3.4)."""

ZONE_BITS = 26  # a zone's positions start at its number shifted by this
ZONES = [(name, n << ZONE_BITS, ZONE_WEIGHTS[name]) for n, name in enumerate(Document.zones)]
UNDATED = -(2**63)
"""Stands for the date of an article that has none."""


class Columns(Protocol):
    """What a segment says of each of its documents, by document number."""

    count: int
    change: Sequence[int]
    published: Sequence[int]
    lengths: bytes
    """Each document's length in words as an index into `Snapshot.lengths`."""
    total_length: int

    def id(self, number: int) -> bytes:
        """The id of a document, 16 bytes."""
        ...


class Segment(Protocol):
    """A part of an index: postings and columns of its documents, numbered from 0."""

    columns: Columns
    deleted: frozenset[int]

    def documents(self, field: str, term: str) -> int:
        """How many documents hold `term`, deleted ones included."""
        ...

    def blocks(self, field: str, term: str) -> Iterator[tuple[Iterable[int], Any, Any]]:
        """Blocks of document numbers with their weights and values; see `Positions`."""
        ...


class Snapshot(Protocol):
    """One generation of an index, open for one thread."""

    cursor: int
    segments: list[Any]  # of Segment
    lengths: Sequence[int]


class Search:
    """One search over one snapshot: matches and scores each segment, then orders the hits."""

    def __init__(self, snapshot: Snapshot, request: Request, deadline: float) -> None:
        self._snapshot = snapshot
        self._request = request
        self._deadline = deadline
        self._late = False
        tokens = list(dict.fromkeys(_tokens(request.query)))
        given = request.after.statistics if request.after is not None else ()
        self._statistics = given if len(given) == len(tokens) + 1 else self._count(tokens)
        average, *idfs = self._statistics
        self._idf = dict(zip(tokens, idfs, strict=True))
        self._norms = [K1 * (1 - B + B * length / average) for length in snapshot.lengths]

    def _count(self, tokens: list[str]) -> tuple[float, ...]:
        """Average length and each token's inverse document frequency, rounded to travel."""
        segments = self._snapshot.segments
        documents = sum(segment.columns.count for segment in segments)
        length = sum(segment.columns.total_length for segment in segments)
        average = round(length / documents, 1) if length else 1.0
        counts = [sum(s.documents("words", token) for s in segments) for token in tokens]
        return (
            average,
            *(float(f"{math.log1p((documents - n + 0.5) / (n + 0.5)):.5g}") for n in counts),
        )

    def found(self) -> Found:
        """The answer to the request."""
        request = self._request
        hits = [(segment, self._hits(segment)) for segment in self._snapshot.segments]
        page = _page(request, hits, self._statistics)
        return Found(
            hits=[Hit(uuid.UUID(bytes=id_), score) for id_, score, _ in page.rows],
            total=sum(len(found) for _, found in hits),
            after=page.after,
            cursor=self._snapshot.cursor,
            complete=not self._late,
        )

    def _hits(self, segment: Segment) -> dict[int, float]:
        """Document number -> score of all hits in a segment."""
        allowed = self._allowed(segment, self._request.filters)
        query = self._request.query
        if query is not None:
            hits = self._match(segment, query, allowed)
        else:
            numbers = allowed if allowed is not None else range(segment.columns.count)
            hits = dict.fromkeys(numbers, 0.0)
        for number in segment.deleted:
            hits.pop(number, None)
        return hits

    def _allowed(self, segment: Segment, filters: Filters) -> set[int] | None:
        """The documents that pass the filters; None for all."""
        allowed: set[int] | None = None
        for name, choice in filters.named.items():
            chosen = self._named(segment, name, choice)
            allowed = chosen if allowed is None else allowed & chosen
        if filters.since is None and filters.until is None:
            return allowed
        first = _microseconds(filters.since) if filters.since else UNDATED + 1
        last = _microseconds(filters.until) if filters.until else 2**63
        published = segment.columns.published
        if allowed is None:
            return {n for n, at in enumerate(published) if first <= at < last}
        return {n for n in allowed if first <= published[n] < last}

    def _named(self, segment: Segment, name: str, choice: Choice) -> set[int]:
        def holding(values: tuple[str, ...]) -> set[int]:
            return {n for v in values for ids, _, _ in segment.blocks(name, v) for n in ids}

        chosen = holding(choice.wanted) if choice.wanted else set(range(segment.columns.count))
        return chosen - holding(choice.unwanted)

    # --- matching

    def _match(self, segment: Segment, query: Query, allowed: set[int] | None) -> dict[int, float]:
        match query:
            case Word(token):
                return self._word(segment, token, allowed)
            case Phrase(tokens):
                return self._phrase(segment, tokens, allowed)
            case And(clauses):
                return self._and(segment, clauses, allowed)

    def _in_time(self) -> bool:
        if not self._late and time.monotonic() > self._deadline:
            self._late = True
        return not self._late

    def _word(self, segment: Segment, token: str, allowed: set[int] | None) -> dict[int, float]:
        idf = self._idf[token] * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        hits: dict[int, float] = {}
        for numbers, weights, _ in segment.blocks("words", token):
            if not self._in_time():
                break
            if allowed is None:
                hits.update(
                    (n, idf * w / (w + norms[lengths[n]]))
                    for n, w in zip(numbers, weights, strict=True)
                )
            else:
                hits.update(
                    (n, idf * w / (w + norms[lengths[n]]))
                    for n, w in zip(numbers, weights, strict=True)
                    if n in allowed
                )
        return hits

    def _and(
        self, segment: Segment, clauses: Sequence[Word | Phrase], allowed: set[int] | None
    ) -> dict[int, float]:
        """The rarest clause first, each later one only where the earlier ones match."""

        def rarity(clause: Word | Phrase) -> int:
            tokens = (clause.token,) if isinstance(clause, Word) else clause.tokens
            return min(segment.documents("words", token) for token in tokens)

        hits: dict[int, float] | None = None
        for clause in sorted(clauses, key=rarity):
            if hits is not None:
                allowed = set(hits)
            found = self._match(segment, clause, allowed)
            hits = found if hits is None else {n: s + hits[n] for n, s in found.items()}
            if not hits:
                return {}
        return hits or {}

    def _phrase(
        self, segment: Segment, tokens: Sequence[str], allowed: set[int] | None
    ) -> dict[int, float]:
        distinct = sorted(set(tokens), key=lambda token: segment.documents("words", token))
        positions: dict[str, dict[int, bytes]] = {}
        for token in distinct:
            positions[token] = self._positions(segment, token, allowed)
            allowed = set(positions[token])
            if not allowed:
                return {}
        idf = sum(self._idf[token] for token in tokens) * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        hits: dict[int, float] = {}
        for number in allowed or ():
            if not self._in_time():
                break
            starts = set(array("I", positions[tokens[0]][number]))
            for offset, token in enumerate(tokens[1:], 1):
                starts &= {p - offset for p in array("I", positions[token][number])}
                if not starts:
                    break
            else:
                weight = sum(ZONES[start >> ZONE_BITS][2] for start in starts)
                hits[number] = idf * weight / (weight + norms[lengths[number]])
        return hits

    def _positions(
        self, segment: Segment, token: str, allowed: set[int] | None
    ) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for numbers, _, values in segment.blocks("words", token):
            if not self._in_time():
                break
            pairs = zip(numbers, values, strict=True)
            found.update(pairs if allowed is None else (p for p in pairs if p[0] in allowed))
        return found


def _tokens(query: Query | None) -> Iterator[str]:
    match query:
        case Word(token):
            yield token
        case Phrase(tokens):
            yield from tokens
        case And(clauses):
            for clause in clauses:
                yield from _tokens(clause)


def _microseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows of (id, score, published) in order; `after` is the last one's Place or None."""

    rows: list[tuple[bytes, float, int]]
    after: Place | None


def _page(
    request: Request,
    hits: list[tuple[Segment, dict[int, float]]],
    statistics: tuple[float, ...],
) -> _Page:
    """The page of `request` out of all hits: those after its Place, the first ones in order.

    A key of each hit is compared, larger first; ids break ties, smaller first for
    relevance and the two dates' own direction otherwise, as the store's lists have it.
    """
    key = _key(request)
    after = request.after
    last_key = None
    if after is not None:
        last_key = key.of(
            after.score, UNDATED if after.published_us is None else after.published_us
        )
    rows: list[tuple[float, bytes, float, int]] = []
    more = False
    for segment, found in hits:
        published, id_of = segment.columns.published, segment.columns.id
        if key.by_score:
            keyed: list[tuple[float, int]] = [(s, n) for n, s in found.items()]
        else:
            keyed = [(key.of(0.0, published[n]), n) for n in found]
        if last_key is not None and after is not None:
            keyed = [
                (k, n)
                for k, n in keyed
                if k < last_key or (k == last_key and key.later(id_of(n), after.id.bytes))
            ]
        if len(keyed) > request.limit:
            more = True
            threshold = nlargest(request.limit, (k for k, _ in keyed))[-1]
            keyed = [pair for pair in keyed if pair[0] >= threshold]
        rows += [(k, id_of(n), found[n], published[n]) for k, n in keyed]
    rows.sort(key=itemgetter(1), reverse=key.ids_descend)
    rows.sort(key=itemgetter(0), reverse=True)
    more = more or len(rows) > request.limit
    page = [(id_, score, at) for _, id_, score, at in rows[: request.limit]]
    if not more or not page:
        return _Page(page, None)
    id_, score, at = page[-1]
    return _Page(
        page,
        Place(uuid.UUID(bytes=id_), score, None if at == UNDATED else at, statistics),
    )


@dataclass(frozen=True, slots=True)
class _Key:
    """How a sort compares hits."""

    by_score: bool
    ids_descend: bool
    of: Callable[[float, int], float]

    def later(self, id_: bytes, than: bytes) -> bool:
        return id_ < than if self.ids_descend else id_ > than


def _key(request: Request) -> _Key:
    if request.sort == "relevance":
        return _Key(True, False, lambda score, _: score)
    if request.sort == "newest":
        return _Key(False, True, lambda _, at: at)
    return _Key(False, False, lambda _, at: -at if at != UNDATED else -(2**63))
