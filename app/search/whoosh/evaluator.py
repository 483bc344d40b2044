"""The evaluator: the documents of a segment that match a query, with their scores.

Works on whole blocks of postings of open segments. Scores are BM25 over the weighted words of an
article, summed over the matching clauses. A prefix, wildcard or fuzzy word is scored as one word
with many spellings. Reads no file.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from app.filters import shown
from app.search.engine import DAY_US, Document, microseconds
from app.search.query import tree
from app.search.ranking import K1, LEAST_BESIDE
from app.search.whoosh.schema import (
    FIELD_BITS,
    FIELDS,
    FORM_BITS,
    UNDATED,
    located,
    places,
    places_written,
    weight_at,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from app.filters import Choice, Filters
    from app.search.deadline import Deadline
    from app.search.whoosh.segments import Segment

_HEADLINE = Document.text_fields.index("headline")

Hits = dict[int, float]
"""Document number -> score."""


class Matcher:
    """Matches queries in segments; after the deadline it finds fewer hits."""

    def __init__(
        self,
        segments: Sequence[Segment],
        idf: Mapping[tree.Leaf, float],
        norms: Sequence[float],
        deadline: Deadline,
        time_zone: str,
    ) -> None:
        self._segments = segments
        self._idf = idf
        self._norms = norms
        self._deadline = deadline
        self._time_zone = time_zone
        self._in_time = deadline.in_time
        self._beside = {
            term
            for leaf in idf
            if isinstance(leaf, tree.ProximityBoost) and idf[leaf] >= LEAST_BESIDE
            for term in chain.from_iterable(leaf.places)
        }
        self._read: dict[tuple[Segment, str], list[tuple[Iterable[int], Sequence[bytes]]]] = {}
        self._spelt: dict[tree.Inexact, set[str]] = {}

    def hits(self, segment: Segment, query: tree.Query | None, filters: Filters) -> Hits:
        """All hits in a segment; without a query every document that passes the filters."""
        allowed = self._filtered(segment, filters)
        if query is not None:
            found = self._match(segment, query, allowed, None)
        else:
            found = dict.fromkeys(_universe(segment, allowed), 0.0)
        for number in segment.deleted:
            found.pop(number, None)
        return found

    def favor(self, segment: Segment, query: tree.Favoring, hits: Hits, among: set[int]) -> None:
        """Add the scores of a query's bonuses to those of the documents `among`."""
        for bonus in query.bonuses if among else ():
            for number, score in self._match(segment, bonus, among, None).items():
                hits[number] += score

    def most(self, query: tree.Favoring) -> float:
        """An upper bound of the score that a query's bonuses add."""
        return sum(
            self._idf[leaf] * (K1 + 1) * bonus.factor if isinstance(bonus, tree.Boost) else math.inf
            for bonus in query.bonuses
            for leaf in tree.leaves(bonus)
        )

    # --- filters

    def _filtered(self, segment: Segment, filters: Filters) -> set[int] | None:
        """The documents that pass the filters; None for all."""
        allowed: set[int] | None = None
        if filters.ids is not None:
            numbers = (segment.columns.number(id_.bytes) for id_ in filters.ids)
            allowed = {number for number in numbers if number is not None}
        for name, choice in filters.named:
            chosen = self._chosen(segment, name, choice)
            allowed = chosen if allowed is None else allowed & chosen
        if filters.since is None and filters.until is None:
            return allowed
        return _published(segment, filters.since, filters.until, allowed, filters.time_zone)

    def _chosen(self, segment: Segment, name: str, choice: Choice) -> set[int]:
        def holding(values: tuple[str, ...]) -> set[int]:
            in_time = (v for v in values if self._in_time())
            return {n for v in in_time for ids, _, _ in segment.blocks(name, v) for n in ids}

        chosen = holding(choice.wanted) if choice.wanted else set(range(segment.columns.count))
        chosen -= holding(choice.unwanted)
        return set() if self._deadline.late else chosen

    # --- nodes

    def _match(  # noqa: C901 one case a kind of node
        self, segment: Segment, query: tree.Query, allowed: set[int] | None, field: int | None
    ) -> Hits:
        """The hits of a node among `allowed` (None: all), in one field or (None) in any."""
        if not self._in_time():
            return {}
        match query:
            case tree.Word() if field is None:
                among = None if allowed is None else dict.fromkeys(allowed, 0.0)
                return self._word(segment, query, among)
            case tree.Word() | tree.Spelt():
                weights = self._weights(segment, query.terms, allowed, field)
                return self._score(segment, query, weights)
            case tree.Prefix() | tree.Fuzzy() | tree.Wildcard():
                spelt = self._spellings(segment, query)
                if field == _HEADLINE:
                    weights = self._headline_weights(segment, spelt, allowed)
                else:
                    weights = self._weights(segment, spelt, allowed, field)
                return self._score(segment, query, weights)
            case tree.ProximityBoost() if self._idf[query] < LEAST_BESIDE:
                return {}
            case tree.Phrase():
                return self._score(segment, query, self._phrase(segment, query, allowed, field))
            case tree.Near():
                return self._near(segment, query, allowed, field)
            case tree.Within():
                inner = Document.text_fields.index(query.field)
                return self._match(segment, query.node, allowed, inner)
            case tree.Boost():
                found = self._match(segment, query.node, allowed, field)
                return {number: score * query.factor for number, score in found.items()}
            case tree.And():
                return self._and(segment, query.clauses, allowed, field)
            case tree.Or():
                hits: Hits = {}
                for clause in query.clauses:
                    for number, score in self._match(segment, clause, allowed, field).items():
                        hits[number] = hits.get(number, 0.0) + score
                return hits
            case tree.Favoring():
                hits = self._match(segment, query.node, allowed, field)
                self.favor(segment, query, hits, set(hits))
                return hits
            case tree.Not():
                return self._and(segment, (query,), allowed, field)
            case tree.Named():
                return dict.fromkeys(self._named(segment, query, allowed), 0.0)
            case tree.Published():
                dated = _published(segment, query.since, query.until, allowed, self._time_zone)
                return dict.fromkeys(dated, 0.0)
            case tree.Everything():
                return dict.fromkeys(_universe(segment, allowed), 0.0)

    def _and(
        self,
        segment: Segment,
        clauses: Sequence[tree.Query],
        allowed: set[int] | None,
        field: int | None,
    ) -> Hits:
        """The rarest clause first, each later one only where the earlier ones match."""
        wanted: list[tree.Query] = [
            clause for clause in clauses if not isinstance(clause, tree.Not)
        ]
        hits: Hits | None = None
        for clause in sorted(wanted, key=lambda clause: _rarity(segment, clause)):
            if hits is None:
                hits = self._match(segment, clause, allowed, field)
            elif isinstance(clause, tree.Word) and field is None:
                hits = self._word(segment, clause, hits)
            else:
                found = self._match(segment, clause, set(hits), field)
                hits = {n: s + hits[n] for n, s in found.items()}
            if not hits:
                return {}
        if hits is None:
            hits = dict.fromkeys(_universe(segment, allowed), 0.0)
        for clause in clauses:
            if isinstance(clause, tree.Not):
                for number in self._match(segment, clause.node, set(hits), field):
                    del hits[number]
        # After the deadline the excluded documents are not known: too few hits, not wrong ones.
        return {} if self._deadline.late and len(wanted) < len(clauses) else hits

    def _named(self, segment: Segment, named: tree.Named, allowed: set[int] | None) -> set[int]:
        if named.prefix or named.is_pattern:
            matches, ids = _name_matcher(named), frozenset(named.ids)
            names = segment.names(named.name)
            return {
                number
                for number in _universe(segment, allowed)
                if any(map(matches, names[number])) or not ids.isdisjoint(names[number])
            }
        found: set[int] = set()
        for key in (named.key, *named.ids):
            if not self._in_time():
                break
            found.update(n for ids, _, _ in segment.blocks(named.name, key) for n in ids)
        return found if allowed is None else found & allowed

    # --- words

    def _word(self, segment: Segment, word: tree.Word, among: Hits | None) -> Hits:
        """`_score` of `_weights` in one pass, for most searches; adds to the scores of `among`."""
        idf = self._idf[word] * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        hits: Hits = {}
        for term in word.terms:
            read = []
            for numbers, weights, values in segment.weights(term):
                if not self._in_time():
                    return hits
                if values is not None and term in self._beside:
                    read.append((numbers, values))
                pairs = zip(numbers, weights, strict=True)
                if among is None:
                    found = {n: idf * w / (w + norms[lengths[n]]) for n, w in pairs}
                else:
                    found = {
                        n: among[n] + idf * w / (w + norms[lengths[n]])
                        for n, w in pairs
                        if n in among
                    }
                if not hits:
                    hits = found  # usually the only block
                elif term[0] != "=":
                    hits |= found
                else:  # also in articles with a word of the stem, which counts all its forms
                    for number, score in found.items():
                        hits.setdefault(number, score)
            if read:
                self._read[segment, term] = read
        return hits

    def _score(self, segment: Segment, leaf: tree.Leaf, weights: Hits) -> Hits:
        idf = self._idf[leaf] * (K1 + 1)
        norms, lengths = self._norms, segment.columns.lengths
        return {n: idf * w / (w + norms[lengths[n]]) for n, w in weights.items()}

    def _weights(
        self, segment: Segment, tokens: Collection[str], allowed: set[int] | None, field: int | None
    ) -> Hits:
        """The weighted count of `tokens` in each document with one of them."""
        found: Hits = {}
        for token in tokens:
            for numbers, weights, values in segment.blocks("words", token):
                if not self._in_time():
                    return found
                pairs: Iterable[tuple[int, float]] = zip(numbers, weights, strict=True)
                if field is not None:
                    pairs = _in_field(numbers, values, field)
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
        """`_weights` in headlines without reading postings: completions have many tokens."""
        in_time = (token for token in tokens if self._in_time())
        numbers = chain.from_iterable(map(segment.headlines, in_time))
        counts = Counter(numbers if allowed is None else filter(allowed.__contains__, numbers))
        return {number: count * FIELDS[_HEADLINE][2] for number, count in counts.items()}

    def _phrase(
        self, segment: Segment, phrase: tree.Phrase, allowed: set[int] | None, field: int | None
    ) -> Hits:
        """The weighted count of a phrase in each document with it."""
        found: Hits = {}
        for number, at in self._in_order(segment, phrase.places, allowed):
            starts = {s for s, _ in _runs(at, phrase.slop)} if phrase.slop else _adjacent(at)
            if weight := _weight(starts, field):
                found[number] = weight
        return found

    def _in_order(
        self, segment: Segment, places: Sequence[tuple[str, ...]], allowed: set[int] | None
    ) -> Iterator[tuple[int, Sequence[list[int]]]]:
        """The documents with a term at each place, with the positions of each place."""
        values: dict[tuple[str, ...], _Values] = {}
        for terms in sorted(set(places), key=lambda terms: documents(segment, terms)):
            values[terms] = self._values(segment, terms, allowed)
            allowed = set(chain.from_iterable(found for _, found in values[terms]))
            if not allowed:
                return
        alone = [values[terms][0] for terms in places if len(values[terms]) == 1]
        for number in allowed or ():
            if not self._in_time():
                return
            if len(alone) == len(places):
                yield number, [decode(found[number]) for decode, found in alone]
            else:
                yield number, [_positions_in(values[terms], number) for terms in places]

    # --- positions

    def _positions(
        self, segment: Segment, terms: tuple[str, ...], allowed: set[int] | None
    ) -> dict[int, list[int]]:
        """The ascending positions of `terms`, or of a pattern's words, by document."""
        values = self._values(segment, terms, allowed)
        numbers = set(chain.from_iterable(found for _, found in values))
        return {n: at for n in numbers if (at := _positions_in(values, n))}

    def _values(
        self, segment: Segment, terms: tuple[str, ...], allowed: set[int] | None
    ) -> _Values:
        """The posting values of each of `terms`, undecoded."""
        ways: dict[str, set[int | None]] = defaultdict(set)
        for each in segment.written(terms[0]) if "*" in terms[0] else terms:
            term, code = located(each)
            ways[term].add(code)
        several: _Values = []
        for term, codes in ways.items():
            found: dict[int, bytes] = {}
            for numbers, values in self._blocks(segment, term, allowed):
                if not self._in_time():
                    break
                pairs = zip(numbers, values, strict=True)
                found.update(pairs if allowed is None else (p for p in pairs if p[0] in allowed))
            decode = places if None in codes else partial(places_written, codes)
            several.append((decode, found))
        return several

    def _blocks(
        self, segment: Segment, term: str, allowed: set[int] | None
    ) -> Iterable[tuple[Iterable[int], Sequence[bytes]]]:
        """Documents and values of a term, those of `allowed` at least.

        Blocks that `_word` read for the same search are not read again.
        """
        read = self._read.get((segment, term))
        if read is not None:
            return read
        return ((n, values) for n, _, values in segment.blocks("words", term, among=allowed))

    def _near(
        self, segment: Segment, near: tree.Near, allowed: set[int] | None, field: int | None
    ) -> Hits:
        """The documents with all clauses near one another, scored by each of them."""
        found = set(self._spans(segment, near, allowed, field))
        hits = dict.fromkeys(found, 0.0)
        for clause in near.clauses:
            for number, score in self._match(segment, clause, found, field).items():
                hits[number] += score
        return hits

    def _spellings(self, segment: Segment, leaf: tree.Inexact) -> set[str]:
        """The terms of words that match a leaf in any segment.

        So the hits do not depend on which articles share a segment.
        """
        found = self._spelt.get(leaf)
        if found is None:
            found = set[str]().union(*(each.spellings(leaf) for each in self._segments))
            self._spelt[leaf] = found
        return segment.spellings(leaf) | segment.known(found - segment.spellings(leaf))

    def _spans(
        self, segment: Segment, node: tree.Query, allowed: set[int] | None, field: int | None
    ) -> dict[int, list[_Span]]:
        """The spans of a clause of a Near in each document: first and last position."""
        match node:
            case tree.Phrase():
                in_order = self._in_order(segment, node.places, allowed)
                return _spanning(((n, _runs(at, node.slop)) for n, at in in_order), field)
            case tree.Word() | tree.Spelt():
                return _single(self._positions(segment, node.terms, allowed), field)
            case tree.Prefix() | tree.Fuzzy() | tree.Wildcard():
                terms = tuple(self._spellings(segment, node))
                return _single(self._positions(segment, terms, allowed) if terms else {}, field)
            case tree.Boost():
                return self._spans(segment, node.node, allowed, field)
            case tree.Or():
                found: dict[int, list[_Span]] = {}
                for clause in node.clauses:
                    for number, spans in self._spans(segment, clause, allowed, field).items():
                        found.setdefault(number, []).extend(spans)
                return found
            case tree.Near():
                return self._nearby_spans(segment, node, allowed, field)
        raise TypeError(f"{type(node).__name__} has no place in a text")

    def _nearby_spans(
        self, segment: Segment, near: tree.Near, allowed: set[int] | None, field: int | None
    ) -> dict[int, list[_Span]]:
        first, *others = sorted(near.clauses, key=lambda clause: _rarity(segment, clause))
        found: dict[int, list[_Span]] = {}
        places = {first: self._spans(segment, first, allowed, field)}
        for clause in others:
            allowed = set.intersection(*map(set, places.values()))
            if not allowed:
                return {}
            if clause not in places:
                places[clause] = self._spans(segment, clause, allowed, field)
        for number in set.intersection(*map(set, places.values())):
            if not self._in_time():
                break
            spans = places[near.clauses[0]][number]
            for clause in near.clauses[1:]:
                spans = _close(spans, places[clause][number], near.distance)
            if spans:
                found[number] = spans
        return found


_Values = list[tuple[Callable[[bytes], list[int]], dict[int, bytes]]]
"""For each term how to decode a value, and the values by document."""


def _positions_in(values: _Values, number: int) -> list[int]:
    """The ascending positions of all terms in a document."""
    here = (decode(found[number]) for decode, found in values if number in found)
    return sorted(set(chain.from_iterable(here)))


_Span = tuple[int, int]  # the first and the last position of words that belong together


def _single(positions: Mapping[int, list[int]], field: int | None) -> dict[int, list[_Span]]:
    """Single words as spans."""
    return _spanning(((n, [(p, p) for p in places]) for n, places in positions.items()), field)


def _spanning(
    found: Iterable[tuple[int, list[_Span]]], field: int | None
) -> dict[int, list[_Span]]:
    """Spans by document, those in one field or (None) in any."""
    inside = (
        (n, spans if field is None else [span for span in spans if span[0] >> FIELD_BITS == field])
        for n, spans in found
    )
    return {number: spans for number, spans in inside if spans}


def _close(ones: Sequence[_Span], others: Iterable[_Span], distance: int) -> list[_Span]:
    """Each span of `ones` joined to the nearest of `others` on each side, within `distance`."""
    by_first = sorted(set(others))
    by_last = sorted(by_first, key=lambda span: span[1])
    firsts, lasts = [span[0] for span in by_first], [span[1] for span in by_last]
    found: set[_Span] = set()
    for first, last in ones:
        after = bisect_right(firsts, last)
        if after < len(firsts) and firsts[after] - last <= distance:
            found.add((first, by_first[after][1]))
        before = bisect_left(lasts, first) - 1
        if before >= 0 and first - lasts[before] <= distance:
            found.add((by_last[before][0], last))
    return list(found)


def _weight(starts: Iterable[int], field: int | None) -> float:
    """The summed weights of positions, in one field or (None) in any."""
    if field is not None:
        starts = (at for at in starts if at >> FIELD_BITS == field)
    return sum(map(weight_at, starts))


def documents(segment: Segment, terms: Sequence[str]) -> int:
    """The approximate document frequency of any of `terms`: languages share no documents.

    For a pattern, that of the commonest matching word.
    """
    if "*" in terms[0]:
        fitting = segment.written(terms[0])
        return max((segment.documents("words", term) for term in fitting), default=0)
    return sum(segment.documents("words", term) for term in terms)


_FEW = 8  # positions: searching fewer in a list is faster than making a set


def _adjacent(at: Sequence[list[int]]) -> set[int]:
    """The first positions of adjacent words in order."""
    starts: Collection[int] = at[0]
    for offset, positions in enumerate(at[1:], 1):
        there = positions if len(positions) < _FEW else set(positions)
        starts = {start for start in starts if start + offset in there}
        if not starts:
            break
    return set(starts)


def _runs(at: Sequence[list[int]], slop: int) -> list[_Span]:
    """The first and last positions of words in order with at most `slop` words between.

    From each start, taking the nearest next position each time leaves the fewest words between.
    """
    found: list[_Span] = []
    for start in at[0]:
        last = start
        for positions in at[1:]:
            after = bisect_right(positions, last)
            if after == len(positions):
                return found
            last = positions[after]
        if last - start - (len(at) - 1) <= slop:
            found.append((start, last))
    return found


def _in_field(
    numbers: Iterable[int], values: Iterable[bytes], field: int
) -> Iterator[tuple[int, float]]:
    first, last = field << FIELD_BITS + FORM_BITS, (field + 1) << FIELD_BITS + FORM_BITS
    for number, value in zip(numbers, values, strict=True):
        stored = array("I", value)
        weight = sum(weight_at(at >> FORM_BITS) for at in stored if first <= at < last)
        if weight:
            yield number, weight


def _name_matcher(named: tree.Named) -> Callable[[str], object]:
    """Tells whether a name matches the pattern or prefix of `named`."""
    if named.prefix:
        return lambda name: name.startswith(named.key)
    return re.compile(tree.expression(tree.typed(named.key))).fullmatch


def _universe(segment: Segment, allowed: set[int] | None) -> Iterable[int]:
    return range(segment.columns.count) if allowed is None else allowed


def _published(
    segment: Segment,
    since: datetime | None,
    until: datetime | None,
    allowed: set[int] | None,
    time_zone: str,
) -> set[int]:
    """The documents published in the interval; see `Filters` for dates of day precision."""

    def within(since: datetime | None, until: datetime | None) -> tuple[int, int]:
        first = microseconds(since) if since is not None else UNDATED + 1
        return first, microseconds(until) if until is not None else 2**63

    published = segment.columns.published
    numbers = range(segment.columns.count) if allowed is None else allowed
    first, last = within(since, until)
    found = {n for n in numbers if first <= published[n] < last}
    if time_zone != "UTC":
        first, last = within(shown(since, time_zone), shown(until, time_zone))
        days = {n for n in numbers if published[n] % DAY_US == 0}
        found = found - days | {n for n in days if first <= published[n] < last}
    return found


def _rarity(segment: Segment, query: tree.Query) -> int:
    """The approximate number of documents that match a node, for ordering clauses."""
    match query:
        case tree.Word() | tree.Spelt():
            return documents(segment, query.terms)
        case tree.Phrase():
            return min(documents(segment, terms) for terms in query.places)
        case tree.Named(prefix=False) if not query.is_pattern:
            return sum(segment.documents(query.name, key) for key in (query.key, *query.ids))
        case tree.And() | tree.Near():
            return min(_rarity(segment, clause) for clause in query.clauses)
        case tree.Or():
            return sum(_rarity(segment, clause) for clause in query.clauses)
        case tree.Boost() | tree.Within() | tree.Favoring():
            return _rarity(segment, query.node)
        case _:
            return segment.columns.count
