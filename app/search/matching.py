"""Matching: which documents of a segment a query finds, and how well each matches.

Works on whole blocks of postings of segments that an adapter opens. Scores are BM25 over
the weighted words of an article, summed over the clauses that match; a prefix or a typing
error counts as one word with many spellings. No file and no index library is known here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from app.search.base import Document, microseconds
from app.search.query import (
    And,
    Beside,
    Boost,
    Everything,
    Fuzzy,
    Named,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Query,
    Within,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from app.filters import Choice, Filters
    from app.search.clock import Clock

ZONE_WEIGHTS = {"headline": 3.0, "summary": 2.0, "caption": 1.5, "body": 1.0}
K1, B = 1.5, 0.75
"""BM25's saturation and length normalisation (Robertson and Zaragoza 2009, section 3.4).

Weighted words saturate early, so K1 stands above the usual 1.2; `test_relevance` holds it.
"""
LEAST_BESIDE = 2.94
"""No pair is looked for below this idf: the rarer word stands in a tenth of all articles."""

ZONE_BITS = 26  # a zone's positions start at its number shifted by this
ZONES = [(name, n << ZONE_BITS, ZONE_WEIGHTS[name]) for n, name in enumerate(Document.zones)]
_HEADLINE = Document.zones.index("headline")
UNDATED = -(2**63)
"""Stands for the date of an article that has none."""

Leaf = Word | Phrase | Prefix | Fuzzy
"""A node that scores."""

Hits = dict[int, float]
"""Document number -> score."""


class Columns(Protocol):
    """What a segment says of each of its documents, by document number."""

    name: str
    count: int
    total_length: int
    lengths: bytes
    """Each document's length in words as an index into `Snapshot.lengths`."""

    @property
    def published(self) -> Sequence[int]:
        """Dates in microseconds since 1970 UTC, or UNDATED."""
        ...

    def id(self, number: int) -> bytes:
        """The id of a document, 16 bytes."""
        ...

    def sketch(self, number: int) -> bytes:
        """The sketch of a document's text; see `duplicates`."""
        ...


class Segment(Protocol):
    """A part of an index: postings and columns of its documents, numbered from 0."""

    @property
    def columns(self) -> Columns:
        """What it says of each document."""
        ...

    @property
    def deleted(self) -> frozenset[int]:
        """The numbers of documents that are no more."""
        ...

    def documents(self, field: str, term: str) -> int:
        """How many documents hold `term`, deleted ones included."""
        ...

    def headlines(self, token: str) -> Sequence[int]:
        """The documents with `token` in their headline, each as often as it stands there."""
        ...

    def blocks(self, field: str, term: str) -> Iterator[tuple[Iterable[int], Any, Any]]:
        """Blocks of document numbers with their weights and positions (as bytes)."""
        ...

    def weights(self, token: str) -> Iterator[tuple[Iterable[int], Iterable[float]]]:
        """Blocks of document numbers of a word with its weights."""
        ...

    def names(self, field: str) -> Sequence[tuple[str, ...]]:
        """The values of a field of names, by document number."""
        ...

    def counted(self, field: str) -> Mapping[tuple[str, ...], int]:
        """How many documents have each value of a field of names, deleted ones included."""
        ...

    def near(self, leaf: Prefix | Fuzzy, *, beside: Any = None) -> Collection[str]:
        """The forms of the segment's words that a prefix or a typing error stands for.

        Those that the segment `beside` has as well may be left out.
        """
        ...

    def spellings(self, leaf: Prefix | Fuzzy) -> Collection[str]:
        """The tokens of the segment's words that a prefix or a typing error stands for."""
        ...


class Matcher:
    """Matches queries in segments until the time is up; then it finds fewer hits."""

    def __init__(self, idf: Mapping[Leaf, float], norms: Sequence[float], clock: Clock) -> None:
        self._idf = idf
        self._norms = norms
        self._clock = clock
        self._in_time = clock.in_time

    def hits(self, segment: Segment, query: Query | None, filters: Filters) -> Hits:
        """All hits in a segment; without a query every document that passes the filters."""
        allowed = self._filtered(segment, filters)
        if query is not None:
            found = self._match(segment, query, allowed, None)
        else:
            found = dict.fromkeys(_universe(segment, allowed), 0.0)
        for number in segment.deleted:
            found.pop(number, None)
        return found

    # --- filters

    def _filtered(self, segment: Segment, filters: Filters) -> set[int] | None:
        """The documents that pass the filters; None for all."""
        allowed: set[int] | None = None
        for name, choice in filters.named:
            chosen = self._chosen(segment, name, choice)
            allowed = chosen if allowed is None else allowed & chosen
        if filters.since is None and filters.until is None:
            return allowed
        return _published(segment, filters.since, filters.until, allowed)

    def _chosen(self, segment: Segment, name: str, choice: Choice) -> set[int]:
        def holding(values: tuple[str, ...]) -> set[int]:
            in_time = (v for v in values if self._in_time())
            return {n for v in in_time for ids, _, _ in segment.blocks(name, v) for n in ids}

        chosen = holding(choice.wanted) if choice.wanted else set(range(segment.columns.count))
        chosen -= holding(choice.unwanted)
        return set() if self._clock.late else chosen

    # --- nodes

    def _match(  # noqa: C901 one case a kind of node
        self, segment: Segment, query: Query, allowed: set[int] | None, zone: int | None
    ) -> Hits:
        """The hits of a node among `allowed` (None: all), in one zone or (None) in any."""
        if not self._in_time():
            return {}
        match query:
            case Word() if zone is None:
                among = None if allowed is None else dict.fromkeys(allowed, 0.0)
                return self._word(segment, query, among)
            case Word():
                weights = self._weights(segment, (query.token,), allowed, zone)
                return self._score(segment, query, weights)
            case Prefix() | Fuzzy():
                spelt = segment.spellings(query)
                if zone == _HEADLINE:
                    weights = self._headline_weights(segment, spelt, allowed)
                else:
                    weights = self._weights(segment, spelt, allowed, zone)
                return self._score(segment, query, weights)
            case Beside() if self._idf[query] < LEAST_BESIDE:
                return {}
            case Phrase():
                return self._score(segment, query, self._phrase(segment, query, allowed, zone))
            case Within():
                inner = Document.zones.index(query.zone)
                return self._match(segment, query.node, allowed, inner)
            case Boost():
                found = self._match(segment, query.node, allowed, zone)
                return {number: score * query.factor for number, score in found.items()}
            case And():
                return self._and(segment, query.clauses, allowed, zone)
            case Or():
                hits: Hits = {}
                for clause in query.clauses:
                    for number, score in self._match(segment, clause, allowed, zone).items():
                        hits[number] = hits.get(number, 0.0) + score
                return hits
            case Not():
                return self._and(segment, (query,), allowed, zone)
            case Named():
                return dict.fromkeys(self._named(segment, query, allowed), 0.0)
            case Published():
                return dict.fromkeys(_published(segment, query.since, query.until, allowed), 0.0)
            case Everything():
                return dict.fromkeys(_universe(segment, allowed), 0.0)

    def _and(
        self,
        segment: Segment,
        clauses: Sequence[Query],
        allowed: set[int] | None,
        zone: int | None,
    ) -> Hits:
        """The rarest clause first, each later one only where the earlier ones match."""
        wanted: list[Query] = [clause for clause in clauses if not isinstance(clause, Not)]
        hits: Hits | None = None
        for clause in sorted(wanted, key=lambda clause: _rarity(segment, clause)):
            if hits is None:
                hits = self._match(segment, clause, allowed, zone)
            elif isinstance(clause, Word) and zone is None:
                hits = self._word(segment, clause, hits)
            else:
                found = self._match(segment, clause, set(hits), zone)
                hits = {n: s + hits[n] for n, s in found.items()}
            if not hits:
                return {}
        if hits is None:
            hits = dict.fromkeys(_universe(segment, allowed), 0.0)
        for clause in clauses:
            if isinstance(clause, Not):
                for number in self._match(segment, clause.node, set(hits), zone):
                    del hits[number]
        # What was to be left out is not known when the time is up: better too few than wrong.
        return {} if self._clock.late and len(wanted) < len(clauses) else hits

    def _named(self, segment: Segment, named: Named, allowed: set[int] | None) -> set[int]:
        if named.prefix:
            names, wanted = segment.names(named.name), frozenset(named.ids)
            return {
                number
                for number in _universe(segment, allowed)
                if any(name.startswith(named.key) for name in names[number])
                or not wanted.isdisjoint(names[number])
            }
        found: set[int] = set()
        for key in (named.key, *named.ids):
            if not self._in_time():
                break
            found.update(n for ids, _, _ in segment.blocks(named.name, key) for n in ids)
        return found if allowed is None else found & allowed

    # --- words

    def _word(self, segment: Segment, word: Word, among: Hits | None) -> Hits:
        """`_score` of `_weights` in one go, for what most searches ask; added to `among`'s."""
        idf = self._idf[word] * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        hits: Hits = {}
        for numbers, weights in segment.weights(word.token):
            if not self._in_time():
                break
            pairs = zip(numbers, weights, strict=True)
            if among is None:
                found = {n: idf * w / (w + norms[lengths[n]]) for n, w in pairs}
            else:
                found = {
                    n: among[n] + idf * w / (w + norms[lengths[n]]) for n, w in pairs if n in among
                }
            if hits:
                hits |= found
            else:
                hits = found  # mostly there is one block
        return hits

    def _score(self, segment: Segment, leaf: Leaf, weights: Hits) -> Hits:
        idf = self._idf[leaf] * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        return {n: idf * w / (w + norms[lengths[n]]) for n, w in weights.items()}

    def _weights(
        self,
        segment: Segment,
        tokens: Collection[str],
        allowed: set[int] | None,
        zone: int | None,
    ) -> Hits:
        """The weighted count of any of `tokens` in each document that holds one."""
        found: Hits = {}
        for token in tokens:
            for numbers, weights, values in segment.blocks("words", token):
                if not self._in_time():
                    return found
                pairs: Iterable[tuple[int, float]] = zip(numbers, weights, strict=True)
                if zone is not None:
                    pairs = _in_zone(numbers, values, zone)
                if allowed is not None:
                    pairs = [pair for pair in pairs if pair[0] in allowed]
                if len(tokens) == 1:
                    found.update(pairs)
                else:
                    for number, weight in pairs:
                        found[number] = found.get(number, 0.0) + weight
        return found

    def _headline_weights(
        self, segment: Segment, tokens: Collection[str], allowed: set[int] | None
    ) -> Hits:
        """`_weights` in headlines without a look at postings: completions ask for many tokens."""
        in_time = (token for token in tokens if self._in_time())
        numbers = chain.from_iterable(map(segment.headlines, in_time))
        counts = Counter(numbers if allowed is None else filter(allowed.__contains__, numbers))
        return {number: count * ZONES[_HEADLINE][2] for number, count in counts.items()}

    def _phrase(
        self, segment: Segment, phrase: Phrase, allowed: set[int] | None, zone: int | None
    ) -> Hits:
        """The weighted count of a phrase in each document that holds it."""
        tokens = phrase.tokens
        positions: dict[str, dict[int, bytes]] = {}
        for token in sorted(set(tokens), key=lambda token: segment.documents("words", token)):
            positions[token] = self._positions(segment, token, allowed)
            allowed = set(positions[token])
            if not allowed:
                return {}
        found: Hits = {}
        for number in allowed or ():
            if not self._in_time():
                break
            at = [array("I", positions[token][number]) for token in tokens]
            starts = _near(at, phrase.slop) if phrase.slop else _adjacent(at)
            weight = 0.0
            for start in starts:
                if zone is None or start >> ZONE_BITS == zone:
                    weight += ZONES[start >> ZONE_BITS][2]
            if weight:
                found[number] = weight
        return found

    def _positions(
        self, segment: Segment, token: str, allowed: set[int] | None
    ) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        for numbers, _, values in segment.blocks("words", token):
            if not self._in_time():
                break
            pairs: Iterable[tuple[int, bytes]] = zip(numbers, values, strict=True)
            found.update(pairs if allowed is None else (p for p in pairs if p[0] in allowed))
        return found


def _adjacent(at: Sequence[array[int]]) -> set[int]:
    """Where the positions follow one another without a gap."""
    starts = set(at[0])
    for offset, positions in enumerate(at[1:], 1):
        starts &= {position - offset for position in positions}
        if not starts:
            break
    return starts


def _near(at: Sequence[array[int]], slop: int) -> set[int]:
    """Where the positions follow one another in order with at most `slop` words between.

    For each start the nearest next position is taken each time, which leaves the fewest
    words between.
    """
    found: set[int] = set()
    for start in at[0]:
        last = start
        for positions in at[1:]:
            after = bisect_right(positions, last)
            if after == len(positions):
                return found
            last = positions[after]
        if last - start - (len(at) - 1) <= slop:
            found.add(start)
    return found


def _in_zone(
    numbers: Iterable[int], values: Iterable[bytes], zone: int
) -> Iterator[tuple[int, float]]:
    first, last = zone << ZONE_BITS, (zone + 1) << ZONE_BITS
    for number, value in zip(numbers, values, strict=True):
        count = sum(1 for position in array("I", value) if first <= position < last)
        if count:
            yield number, count * ZONES[zone][2]


def _universe(segment: Segment, allowed: set[int] | None) -> Iterable[int]:
    return range(segment.columns.count) if allowed is None else allowed


def _published(
    segment: Segment, since: datetime | None, until: datetime | None, allowed: set[int] | None
) -> set[int]:
    first = microseconds(since) if since is not None else UNDATED + 1
    last = microseconds(until) if until is not None else 2**63
    published = segment.columns.published
    if allowed is None:
        return {n for n, at in enumerate(published) if first <= at < last}
    return {n for n in allowed if first <= published[n] < last}


def _rarity(segment: Segment, query: Query) -> int:
    """About how many documents of a segment a node finds; only for an order of work."""
    match query:
        case Word():
            return segment.documents("words", query.token)
        case Phrase():
            return min(segment.documents("words", token) for token in query.tokens)
        case Named(prefix=False):
            return sum(segment.documents(query.name, key) for key in (query.key, *query.ids))
        case And():
            return min(_rarity(segment, clause) for clause in query.clauses)
        case Or():
            return sum(_rarity(segment, clause) for clause in query.clauses)
        case Boost() | Within():
            return _rarity(segment, query.node)
        case _:
            return segment.columns.count


def leaves(query: Query | None) -> Iterator[Leaf]:
    """The nodes that score, in the order of the query."""
    match query:
        case Word() | Phrase() | Prefix() | Fuzzy():
            yield query
        case And() | Or():
            yield from chain.from_iterable(map(leaves, query.clauses))
        case Within() | Boost() | Not():
            yield from leaves(query.node)
        case _:
            return


def ranks(query: Query | None) -> bool:
    """Whether a query gives its hits different scores: names, dates and `-not` don't."""
    match query:
        case Word() | Phrase() | Prefix() | Fuzzy():
            return True
        case And() | Or():
            return any(map(ranks, query.clauses))
        case Within() | Boost():
            return ranks(query.node)
        case _:
            return False
