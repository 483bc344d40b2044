"""Queries: a tree of the query language and filters as a query of tantivy.

Scores are tantivy's BM25 (k1 1.2, b 0.75, both fixed) over the field of all words, with our inverse
document frequencies by boosts. A phrase with slop and a NEAR are unions of phrases with fixed
offsets, one for each way to spread the words: tantivy's own slop is exact for two words, but loses
hits of three and more. Nothing here searches.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, combinations, product
from typing import TYPE_CHECKING, Any

from rapidfuzz import process
from rapidfuzz.distance import OSA
from tantivy import FieldType, Occur
from tantivy import Query as Tantivy

from app import text
from app.filters import shown
from app.search import ranking
from app.search.engine import microseconds
from app.search.query import tree
from app.search.ranking import LEAST_BESIDE
from app.search.tantivy.schema import SLOTS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from app.filters import Filters
    from app.search.deadline import Deadline
    from app.search.tantivy.snapshots import Snapshot

_LARGEST = 2**64 - 1
_MOST_PHRASES = 20_000
"""Most phrases for one clause; with more a search is not complete."""
_MOST_PRODUCT = 8  # phrases for one way with several terms at a place; for more, expressions
_LONGEST_EXPRESSION = 600  # bytes: an automaton has at most 1,000 states
_MOST_SCORED = 64  # terms of a prefix that are scored each
_TERM_BYTES = 120
_PHRASE_S, _EXPRESSION_S, _POSTING_S = 3e-5, 2e-3, 1e-7  # costs of a phrase, for the time budget

Occurs = list[tuple[Occur, Tantivy]]


@dataclass(frozen=True, slots=True)
class _Place:
    """A position of a phrase: `offset` tokens after the first, a slot, and its possible terms."""

    offset: int
    slot: int
    terms: tuple[str, ...]

    @property
    def position(self) -> int:
        return SLOTS * self.offset + self.slot


_Shape = tuple[_Place, ...]
"""Words at fixed distances, in order."""


class Translator:
    """Translates queries for a snapshot; `cost_s` estimates the time that their phrases take."""

    def __init__(self, snapshot: Snapshot, deadline: Deadline, time_zone: str) -> None:
        self._snapshot = snapshot
        self._schema = snapshot.schema
        self._deadline = deadline
        self._time_zone = time_zone
        self._languages = snapshot.languages
        self.cost_s = 0.0

    def search(self, query: tree.Query | None, filters: Filters) -> Tantivy:
        """The query for articles that match `query` and pass the filters."""
        clauses: Occurs = list(self._filters(filters))
        if query is not None:
            clauses.append((Occur.Must, self._node(query, None)))
        return self._all(clauses)

    def all_of(self, words: Sequence[tree.Word]) -> Tantivy:
        """The documents with all of `words`."""
        return self._all([(Occur.Must, self._node(word, None)) for word in words])

    def side_by_side(self, words: Sequence[tree.Word]) -> Tantivy:
        """The documents in which `words` stand side by side, in order."""
        at = [[shape[0] for shape in self._words_at(word.terms, WORDS)] for word in words]
        shapes = (
            tuple(_Place(offset, place.slot, place.terms) for offset, place in enumerate(places))
            for places in product(*at)
        )
        return _any(list(self._phrases(WORDS, shapes)))

    # --- filters

    def _filters(self, filters: Filters) -> Iterator[tuple[Occur, Tantivy]]:
        if filters.ids is not None:
            yield Occur.Must, self._any_term("id", [id_.hex for id_ in filters.ids])
        for name, choice in filters.named:
            if choice.wanted:
                yield Occur.Must, self._any_term(name, choice.wanted)
            if choice.unwanted:
                yield Occur.MustNot, self._any_term(name, choice.unwanted)
        if filters.since is not None or filters.until is not None:
            yield Occur.Must, self._published(filters.since, filters.until, filters.time_zone)

    def _any_term(self, field: str, terms: Sequence[str]) -> Tantivy:
        if len(terms) == 1:
            found = Tantivy.term_query(self._schema, field, terms[0], "basic")
        else:
            found = Tantivy.term_set_query(self._schema, field, list(terms))
        return _unscored(found)

    def _published(self, since: datetime | None, until: datetime | None, time_zone: str) -> Tantivy:
        """The documents published in the interval; see `Filters` for dates of day precision."""
        if time_zone == "UTC":
            return self._dated("published", since, until)
        days = self._dated("whole_day", shown(since, time_zone), shown(until, time_zone))
        return _any([self._dated("instant", since, until), days])

    def _dated(self, field: str, since: datetime | None, until: datetime | None) -> Tantivy:
        first = None if since is None else microseconds(since)
        last = None if until is None else microseconds(until)
        if first is None and last is None:
            return _unscored(Tantivy.exists_query(field))
        return self.between(field, first, last)

    def between(self, field: str, first: int | None, end: int | None) -> Tantivy:
        """The documents whose number in `field` is at least `first` and less than `end`."""
        is_half = field in ("high", "low")
        kind = FieldType.Unsigned if is_half else FieldType.Integer
        if is_half and first is not None and first > _LARGEST:
            return Tantivy.empty_query()
        if is_half and end is not None and end > _LARGEST:
            end = None
        closed = end is None  # an open side includes its end
        found = Tantivy.range_query(
            self._schema, field, kind, first, end, include_lower=True, include_upper=closed
        )
        return _unscored(found)

    # --- nodes

    def _node(self, query: tree.Query, field: str | None) -> Tantivy:  # noqa: C901 one case a kind
        match query:
            case tree.Word() | tree.Spelt():
                return self._terms(self._present(query.terms, field), field, self._idf(query))
            case tree.Prefix() | tree.Fuzzy() | tree.Wildcard():
                return self._terms(self._spelt(query), field, self._idf(query))
            case tree.ProximityBoost() if self._is_common(query):
                return Tantivy.empty_query()
            case tree.Phrase():
                return self._near(query, field, self._idf(query))
            case tree.Near():
                scored = [(Occur.Should, self._node(each, field)) for each in query.clauses]
                where = self._near(query, field, 0.0)
                return Tantivy.boolean_query([(Occur.Must, where), *scored])
            case tree.Within():
                return self._node(query.node, query.field)
            case tree.Boost():
                return Tantivy.boost_query(self._node(query.node, field), query.factor)
            case tree.And():
                return self._all([self._clause(clause, field) for clause in query.clauses])
            case tree.Or():
                return _any([self._node(clause, field) for clause in query.clauses])
            case tree.Favoring():
                bonuses = [(Occur.Should, self._node(bonus, field)) for bonus in query.bonuses]
                node = (Occur.Must, self._node(query.node, field))
                return Tantivy.boolean_query([node, *bonuses])
            case tree.Not():
                return self._all([self._clause(query, field)])
            case tree.Named():
                return self._named(query)
            case tree.Published():
                return self._published(query.since, query.until, self._time_zone)
            case tree.Everything():
                return _unscored(Tantivy.all_query())

    def _clause(self, query: tree.Query, field: str | None) -> tuple[Occur, Tantivy]:
        if isinstance(query, tree.Not):
            return Occur.MustNot, self._node(query.node, field)
        return Occur.Must, self._node(query, field)

    def _all(self, clauses: Occurs) -> Tantivy:
        """A conjunction; a purely negative one would find nothing."""
        if all(occur == Occur.MustNot for occur, _ in clauses):
            clauses = [(Occur.Must, _unscored(Tantivy.all_query())), *clauses]
        if len(clauses) == 1:
            return clauses[0][1]
        return Tantivy.boolean_query(clauses)

    def _named(self, named: tree.Named) -> Tantivy:
        if named.prefix and not named.key:
            has = Tantivy.term_query(self._schema, "has", named.name, "basic")
            return _unscored(has)
        keys: Iterable[str] = (named.key,)
        if named.prefix or named.is_pattern:
            pattern = tree.typed(named.key)
            begun = named.key if named.prefix else re.split(r"[*?]", pattern, maxsplit=1)[0]
            listed = self._snapshot.terms(named.name, begun)
            matches = re.compile(tree.expression(pattern)).fullmatch
            keys = (name for name, _ in listed if named.prefix or matches(name))
        return self._any_term(named.name, [*dict.fromkeys((*keys, *named.ids))])

    # --- words

    def _present(self, terms: Iterable[str], field: str | None) -> list[str]:
        """The terms that the index has."""
        name = field or WORDS
        return [t for t in _indexed(terms) if self._snapshot.frequency(name, t)]

    def _terms(self, terms: Sequence[str], field: str | None, idf: float) -> Tantivy:
        """Any of `terms`, scored as one word."""
        name = field or WORDS
        if not terms:
            return Tantivy.empty_query()
        if len(terms) > _MOST_SCORED:
            found = Tantivy.term_set_query(self._schema, name, list(terms))
            return Tantivy.const_score_query(found, idf)
        return _any([self._term(name, term, idf) for term in terms])

    def _term(self, field: str, term: str, idf: float) -> Tantivy:
        query = Tantivy.term_query(self._schema, field, term, "freq")
        own = self._own_idf(field, term)
        return Tantivy.boost_query(query, idf / own)

    def _own_idf(self, field: str, term: str) -> float:
        """The inverse document frequency that tantivy scores a term with."""
        count, holding = self._snapshot.count, self._snapshot.frequency(field, term)
        return math.log(1 + (count - holding + 0.5) / (holding + 0.5))

    def _idf(self, leaf: tree.Leaf) -> float:
        """The inverse document frequency of a leaf, in the whole text as in Whoosh."""
        count = self._snapshot.count
        return ranking.idf(count, min(self._holding(leaf), count))

    def _holding(self, leaf: tree.Leaf) -> float:
        match leaf:
            case tree.Word():
                return self._documents(leaf.terms)
            case tree.Spelt():
                return max(self._documents(word.terms) for word in leaf.words)
            case tree.Phrase():
                least = min(self._documents(self._at(terms)) for terms in leaf.places)
                return least / len(leaf.tokens)
            case _:
                return max(map(self._frequency, self._spelt(leaf)), default=0)

    def _documents(self, terms: Iterable[str]) -> int:
        """The approximate document frequency of any of `terms`: languages share no documents."""
        return sum(map(self._frequency, _indexed(terms)))

    def _frequency(self, term: str) -> int:
        return self._snapshot.frequency(WORDS, term)

    def _is_common(self, pair: tree.Phrase) -> bool:
        """Whether a pair of words is too common to be worth reading its positions."""
        half = self._snapshot.count / 2
        if any(self._documents(terms) > half for terms in pair.places):
            return True
        return self._idf(pair) < LEAST_BESIDE

    # --- words that are not written out

    def forms(self, leaf: tree.Inexact) -> list[str]:
        """The forms of the index that match a leaf."""
        snapshot = self._snapshot
        match leaf:
            case tree.Prefix():
                return snapshot.forms_from(leaf.prefix)
            case tree.Wildcard():
                begun = re.split(r"[*?]", leaf.pattern, maxsplit=1)[0]
                found = snapshot.forms_from(begun) if begun else snapshot.forms
                fitting = re.compile(f"^{tree.expression(leaf.pattern)}$", re.MULTILINE)
                return fitting.findall("\n".join(found))
            case tree.Fuzzy():
                close = process.extract_iter(
                    leaf.form, snapshot.forms, scorer=OSA.distance, score_cutoff=leaf.distance
                )
                return [form for form, _, _ in close]

    def _spelt(self, leaf: tree.Inexact) -> list[str]:
        """The stems of the words that match a leaf."""
        found: list[str] | None = self._snapshot.spelt.get(leaf)
        if found is None:
            terms: dict[str, None] = {}
            for form in self.forms(leaf):
                if not self._deadline.in_time():
                    return list(terms)
                terms |= dict.fromkeys(_stems(form, self._languages))
            found = self._present(terms, None)
            self._snapshot.spelt.put(leaf, found, _TERM_BYTES * (1 + len(found)))
        return found

    def _at(self, terms: tuple[str, ...]) -> list[str]:
        """The index terms for a position of a phrase; for a pattern, all forms that match it."""
        if "*" not in terms[0]:
            return _indexed(terms)
        found = (
            text.alternatives(form, self._languages, exact=True)[:1]
            for form in self.forms(tree.Wildcard(terms[0]))
        )
        return _indexed(chain.from_iterable(chain.from_iterable(found)))

    # --- positions

    def _near(self, node: tree.Phrase | tree.Near, field: str | None, idf: float) -> Tantivy:
        """The query for a phrase or a NEAR, scored with `idf`."""
        name = field or WORDS
        match node:
            case tree.Phrase(slop=0) if len(node.tokens) > 1:
                shapes = list(self._shapes(node, name))
                if len(shapes) == 1 and all(len(place.terms) == 1 for place in shapes[0]):
                    return self._scored_phrase(name, shapes[0], idf)
                found = self._phrases(name, shapes)
            case tree.Phrase(tokens=(_, _)):
                first, second = (self._words_at(terms, name) for terms in node.places)
                found = self._two(name, first, second, node.slop + 1)
            case tree.Near(clauses=(one, two)):
                ones, twos = list(self._shapes(one, name)), list(self._shapes(two, name))
                if all(len(shape) == 1 for shape in (*ones, *twos)):
                    pairs = ((ones, twos), (twos, ones))
                    found = chain.from_iterable(
                        self._two(name, first, second, node.distance) for first, second in pairs
                    )
                else:
                    found = self._phrases(name, self._shapes(node, name))
            case _:
                found = self._phrases(name, self._shapes(node, name))
        return Tantivy.const_score_query(_any(list(found)), idf)

    def _scored_phrase(self, field: str, shape: _Shape, idf: float) -> Tantivy:
        found = self._phrase(field, [(place.position, place.terms) for place in shape], 0)
        own = sum(self._own_idf(field, place.terms[0]) for place in shape)
        return Tantivy.boost_query(found[0], idf / own) if found else Tantivy.empty_query()

    def _two(
        self, field: str, ones: Sequence[_Shape], twos: Sequence[_Shape], distance: int
    ) -> Iterator[Tantivy]:
        """One word, and another at most `distance` after it: a slop of two words is exact."""
        for (one,), (two,) in product(ones, twos):
            # From SLOTS to SLOTS * distance after it, if both stand in the same slot.
            middle = (distance + 1) * SLOTS // 2 + two.slot - one.slot
            slop = (distance - 1) * SLOTS // 2
            places = [(0, one.terms), (middle, two.terms)]
            yield from self._phrase(field, places, slop)

    def _phrases(self, field: str, shapes: Iterable[_Shape]) -> Iterator[Tantivy]:
        for number, shape in enumerate(shapes):
            if number == _MOST_PHRASES or not self._deadline.in_time():
                self._deadline.late = True
                return
            places = [(place.position, place.terms) for place in shape]
            if len(places) == 1:
                yield _any([Tantivy.term_query(self._schema, field, t) for t in places[0][1]])
            else:
                yield from self._phrase(field, places, 0)

    def _phrase(
        self, field: str, places: Sequence[tuple[int, tuple[str, ...]]], slop: int
    ) -> list[Tantivy]:
        """Phrases that together have any term of each place at its position."""
        frequency = self._snapshot.frequency
        rarest = min(sum(frequency(field, term) for term in terms) for _, terms in places)
        first = min(position for position, _ in places)
        places = sorted((position - first, terms) for position, terms in places)
        if math.prod(len(terms) for _, terms in places) <= _MOST_PRODUCT:
            found = []
            for terms in product(*(terms for _, terms in places)):
                words = _placed(places, terms)
                found.append(Tantivy.phrase_query(self._schema, field, words, slop))
            self.cost_s += len(found) * (_PHRASE_S + _POSTING_S * rarest)
            return found
        found = []
        for parts in product(*(_expressions(terms) for _, terms in places)):
            words = _placed(places, parts)
            found.append(Tantivy.regex_phrase_query(self._schema, field, words, slop))
        self.cost_s += len(found) * (_EXPRESSION_S + _POSTING_S * rarest)
        return found

    def _shapes(self, node: tree.Query, field: str) -> Iterator[_Shape]:
        """Every way to spread the words of a node of text."""
        match node:
            case tree.Word() | tree.Spelt():
                yield from self._words_at(node.terms, field)
            case tree.Prefix() | tree.Fuzzy() | tree.Wildcard():
                yield from self._words_at(tuple(self._spelt(node)), field)
            case tree.Phrase():
                at = [[shape[0] for shape in self._words_at(t, field)] for t in node.places]
                for gaps in _gaps(len(at) - 1, node.slop):
                    for places in product(*at):
                        pairs = zip(gaps, places, strict=True)
                        yield tuple(_Place(gap, place.slot, place.terms) for gap, place in pairs)
            case tree.Boost():
                yield from self._shapes(node.node, field)
            case tree.Or():
                yield from _merged(
                    chain.from_iterable(self._shapes(c, field) for c in node.clauses)
                )
            case tree.Near():
                first, *others = node.clauses
                found = self._shapes(first, field)
                for clause in others:
                    found = self._beside(found, list(self._shapes(clause, field)), node.distance)
                yield from found
            case _:
                raise TypeError(f"{type(node).__name__} has no place in a text")

    def _beside(
        self, ones: Iterable[_Shape], others: Sequence[_Shape], distance: int
    ) -> Iterator[_Shape]:
        """Each of `ones` with one of `others` before or behind it, at most `distance` apart."""
        for one in ones:
            for other in others:
                for gap in range(1, distance + 1):
                    if not self._deadline.in_time():
                        return
                    yield (*one, *_moved(other, one[-1].offset + gap))
                    yield (*other, *_moved(one, other[-1].offset + gap))

    def _words_at(self, terms: tuple[str, ...], field: str) -> list[_Shape]:
        """The terms of one place that the field has, by their slot."""
        found: tuple[list[str], list[str]] = [], []
        for term in self._at(terms) if terms else ():
            if self._snapshot.frequency(field, term):
                found[term[0] in "=!+"].append(term)
        return [(_Place(0, slot, tuple(each)),) for slot, each in enumerate(found) if each]


@lru_cache(maxsize=50_000)
def _stems(form: str, languages: tuple[str, ...]) -> tuple[str, ...]:
    """The index terms of the words with a form and of those with its stem."""
    found = text.alternatives(form, languages, exact=False)
    return tuple(chain.from_iterable(found))


def _indexed(terms: Iterable[str]) -> list[str]:
    """The terms of this index for those of `text.alternatives`."""
    found: dict[str, None] = {}
    for term in terms:
        found[term] = None
        if term[0] == "!":
            found[f"+{term[1:]}"] = None
    return list(found)


def _placed(places: Iterable[tuple[int, Any]], terms: Iterable[str]) -> list[str | tuple[int, str]]:
    return [(at, term) for (at, _), term in zip(places, terms, strict=True)]


def _moved(shape: _Shape, by: int) -> _Shape:
    return tuple(_Place(place.offset + by, place.slot, place.terms) for place in shape)


def _merged(shapes: Iterable[_Shape]) -> list[_Shape]:
    """The shapes, those of one word as one for each slot."""
    found: list[_Shape] = []
    single: dict[int, dict[str, None]] = {}
    for shape in shapes:
        if len(shape) == 1:
            single.setdefault(shape[0].slot, {}).update(dict.fromkeys(shape[0].terms))
        else:
            found.append(shape)
    return [*((_Place(0, slot, tuple(terms)),) for slot, terms in single.items()), *found]


def _gaps(count: int, slop: int) -> Iterator[tuple[int, ...]]:
    """The offsets of `count` more words after a first one, with at most `slop` between in all."""
    for between in combinations(range(1, count + slop + 1), count):
        yield (0, *between)


def _expressions(terms: Sequence[str]) -> list[str]:
    """Regular expressions for terms, each short enough for an automaton."""
    found: list[list[str]] = [[]]
    room = _LONGEST_EXPRESSION
    for term in terms:
        room -= len(term.encode())
        if room < 0 and found[-1]:
            found.append([])
            room = _LONGEST_EXPRESSION - len(term.encode())
        found[-1].append(re.escape(term))
    return [f"(?:{'|'.join(part)})" for part in found]


def _unscored(query: Tantivy) -> Tantivy:
    return Tantivy.const_score_query(query, 0.0)


def _any(queries: Sequence[Tantivy]) -> Tantivy:
    if not queries:
        return Tantivy.empty_query()
    if len(queries) == 1:
        return queries[0]
    return Tantivy.boolean_query([(Occur.Should, query) for query in queries])
