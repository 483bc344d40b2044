"""Search: the hits of a query with their articles, facet labels and highlights.

Ids come from the engine and texts from the store. Also explains a query by its clauses. Knows no
HTTP and writes nothing. Suggestions are in `suggest`, similar articles in `similar`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from app.articles import read as articles
from app.articles.read import ArticleSummary
from app.entities import read as entities
from app.errors import IndexForeign, ParameterError, QueryError
from app.filters import ENTITIES, Choice, Filters, id_of, term_of
from app.search.deadline import Deadline
from app.search.engine import Bucket, Engine, Found, ListPage, PageKey, Request
from app.search.highlight import highlighter
from app.search.highlight.highlighter import Highlight
from app.search.query import rewrite
from app.search.query.tree import And, Named, Or, Query, mapped, walk
from app.store import sequence


@dataclass(slots=True)
class SearchHit:
    """A found article, or the fields of it that were asked for."""

    article: ArticleSummary | dict[str, Any]
    score: float
    highlights: list[Highlight]
    duplicates: list[UUID]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet."""

    value: Annotated[str, Field(description="What the filter takes.")]
    label: Annotated[str, Field(description="As articles print it.")]
    count: int


@dataclass(frozen=True, slots=True)
class Results:
    """A page of a search; `lag` counts the changes that the index has not taken in yet."""

    hits: list[SearchHit]
    total: int
    after: PageKey | None
    cursor: int
    lag: int
    complete: bool
    facets: dict[str, list[FacetValue]]
    histogram: list[Bucket]
    relaxed: bool
    """Whether the query was relaxed to articles without some of its words; see `lets_go`."""


def search(session: Session, engine: Engine, request: Request) -> Found:
    """The engine's answer to the request, after its names are resolved to entities.

    Raises IndexForeign if the index or the database was replaced by one of another history;
    `indexing.sync` then rebuilds the index.
    """
    return _answer(session, engine, identified(session, _planned(engine, request)[0]))


def _answer(session: Session, engine: Engine, request: Request) -> Found:
    """The engine's answer to a request that is `identified`."""
    if request.after is not None:
        request = replace(request, after=replace(request.after, values=request.after.values[:1]))
    found = engine.search(request)
    store = sequence.standing(session, found.history)
    if not store.holds and found.history.change > store.last:
        # The index may be newer than this session's snapshot, which resolving names began.
        with Session(session.get_bind()) as later:
            store = sequence.standing(later, found.history)
    if found.store_id != store.store_id:
        raise IndexForeign(f"it is of the store {found.store_id}")
    if not store.holds:
        raise IndexForeign(f"the database has not got its change {found.history.change}")
    return found


def _planned(engine: Engine, request: Request) -> tuple[Request, Request | None, int]:
    """The strict and the relaxed request for a question in plain words, and its number of words.

    No relaxed request unless hits are sorted by relevance.
    """
    if request.question is None or request.query is None:
        return request, None, 0
    meant = rewrite.auto(request.query, request.question, _languages(engine, request))
    strict = replace(request, query=meant.strict, question=None)
    if meant.relaxed is None or request.sort != "relevance":
        return strict, None, 0
    return strict, replace(strict, query=meant.relaxed), meant.words


def _languages(engine: Engine, request: Request) -> list[str]:
    """The languages that a question may be in: those of the filter, otherwise the archive's."""
    chosen = dict(request.filters.named).get("language")
    if chosen and chosen.wanted:
        return list(chosen.wanted)
    return [language for language, _ in engine.terms("", MOST_LANGUAGES, field="language")]


MOST_LANGUAGES = 20


def identified(session: Session, request: Request) -> Request:
    """The request with ids for its addresses and names, and with synonyms.

    A name stands for every entity with that name or alias, a prefix for the commonest entities
    that it matches. A place name in a dateline also stands for itself.
    """
    named = tuple(
        (name, _meaning(session, name, choice) if name in ENTITIES else choice)
        for name, choice in request.filters.named
    )
    filters = replace(articles.resolved(session, request.filters), named=named)
    tree = request.query and _looked_up(session, request.query)
    if tree is not None and request.synonyms is not None:
        tree = request.synonyms.widened(tree)
    return replace(request, filters=filters, query=tree)


def _meaning(session: Session, name: str, choice: Choice) -> Choice:
    def with_terms(keys: tuple[str, ...]) -> tuple[str, ...]:
        found = entities.terms(session, name, keys)
        return tuple(sorted({*keys, *(term for terms in found.values() for term in terms)}))

    return Choice(with_terms(choice.wanted), with_terms(choice.unwanted))


def _looked_up(session: Session, tree: Query) -> Query:
    """The tree with its names resolved to entities; raises QueryError for too many prefixes."""
    keys: dict[str, set[str]] = {}
    beginnings: dict[tuple[str, str], tuple[str, ...]] = {}
    for node in walk(tree):
        if isinstance(node, Named) and node.name in ENTITIES and node.key:
            if not node.prefix:
                keys.setdefault(node.name, set()).add(node.key)
            elif (node.name, node.key) not in beginnings:
                if len(beginnings) == _MOST_BEGINNINGS:
                    reason = f"the query has more than {_MOST_BEGINNINGS} beginnings of names"
                    raise QueryError(reason, node.start)
                terms = entities.terms_beginning(session, node.name, node.key)
                beginnings[node.name, node.key] = tuple(terms)
    if not keys and not beginnings:
        return tree
    known = {name: entities.terms(session, name, found) for name, found in keys.items()}

    def change(node: Query) -> Query:
        if not isinstance(node, Named) or node.name not in ENTITIES:
            return node
        if node.prefix:
            return replace(node, ids=beginnings.get((node.name, node.key), ()))
        return replace(node, ids=tuple(known[node.name].get(node.key, ())))

    return mapped(tree, change)


_MOST_BEGINNINGS = 20  # each scans all names with that prefix


def find(
    session: Session,
    engine: Engine,
    request: Request,
    *,
    highlight: bool,
    fields: Sequence[str] = (),
) -> Results:
    """A page of hits with their articles; an article that was removed meanwhile is left out.

    Articles have `fields`, by default those of lists. After the time limit hits get no highlights,
    and the answer is not complete. Raises ParameterError for the cursor of another list.
    """
    deadline = Deadline(request.timeout_s)

    def answer(asked: Request) -> Found:
        timeout_s = max(deadline.remaining_s - (1 - _SEARCHING) * request.timeout_s, 0)
        return _answer(session, engine, replace(asked, timeout_s=timeout_s))

    strict, loose, words = _planned(engine, request)
    planned, found = identified(session, strict), None
    if request.after is None or request.after.values[1:] != _RELAXED:
        timeout_s = _SEARCHING * request.timeout_s
        found = _answer(session, engine, replace(planned, timeout_s=timeout_s))
    is_relaxed = False
    if loose is not None and (found is None or request.after is None):
        loose = identified(session, loose)
        if found is None or lets_go(answer, found, words, planned, loose):
            other = answer(loose)
            if found is None or other.total:
                after = other.after
                if after is not None:
                    after = replace(after, values=after.values + _RELAXED)
                planned, found, is_relaxed = loose, replace(other, after=after), True
    if found is None:
        raise ParameterError("cursor", "belongs to another list: keep the other parameters")
    ids = [hit.id for hit in found.hits]
    stored = articles.some(session, ids)
    shown: Mapping[UUID, Any] = articles.chosen(session, stored, fields) if fields else stored
    highlight = highlight and deadline.in_time()
    bodies = articles.texts(session, ids) if highlight else {}
    marker = highlighter.Marker(planned.query) if highlight else None
    lag = max(sequence.last_change(session) - found.cursor, 0)
    hits = [
        SearchHit(
            shown[hit.id],
            hit.score,
            marker.highlights(
                article.headline,
                article.summary,
                article.caption,
                bodies[hit.id],
                language=article.language,
            )
            if marker is not None and deadline.in_time()
            else [],
            list(hit.duplicates),
        )
        for hit in found.hits
        if (article := stored.get(hit.id)) is not None
    ]
    return Results(
        hits=hits,
        total=found.total,
        after=found.after,
        cursor=found.cursor,
        lag=lag,
        complete=found.complete and not deadline.late,
        facets={name: _labelled(session, name, top) for name, top in found.facets.items()},
        histogram=found.histogram,
        relaxed=is_relaxed,
    )


_RELAXED = (True,)  # appended to the values of a PageKey of a relaxed search
_SEARCHING = 0.9  # of the time limit; the rest is for the articles of the hits
_FULL = 20  # hits with all words: a search with as many is not relaxed
_SAID = 4  # words: with fewer, a search is relaxed only if it has no hits
_AS_GOOD = 2 / 3


def lets_go(
    answer: Callable[[Request], Found], found: Found, words: int, strict: Request, loose: Request
) -> bool:
    """Whether to relax a search: it has no hits, or few and others score about as well.

    Independent of page size, facets and collapsing. An incomplete search is not relaxed.
    """
    if not found.complete or not found.total:
        return found.complete
    if words < _SAID or found.total >= _FULL:
        return False

    def bare(request: Request) -> Found:
        plain = replace(request, limit=_FULL, facets=(), histogram=None)
        return answer(replace(plain, collapse=False, recent=False))

    full, best = bare(strict), bare(loose)
    holding = {hit.id for hit in full.hits}
    complete = max((hit.score for hit in best.hits if hit.id in holding), default=0.0)
    lacking = max((hit.score for hit in best.hits if hit.id not in holding), default=0.0)
    return full.complete and best.complete and lacking > _AS_GOOD * complete


def _labelled(session: Session, name: str, top: list[tuple[str, int]]) -> list[FacetValue]:
    ids = {value: id_ for value, _ in top if (id_ := id_of(value)) is not None}
    printed = [value for value, _ in top if value not in ids]
    labels = articles.labels(session, name, printed) if printed else {}
    of_entities = entities.labels(session, ids.values()) if ids else {}
    return [
        FacetValue(str(ids[value]), of_entities.get(ids[value], str(ids[value])), count)
        if value in ids
        else FacetValue(value, labels.get(value, value), count)
        for value, count in top
    ]


def articles_of(
    session: Session,
    entity_id: UUID,
    wanted: Filters,
    order: articles.Order,
    *,
    limit: int,
    after: PageKey | None,
    fields: Sequence[str] = (),
) -> ListPage[Any]:
    """A page of the entity's articles that pass the filters, by date; see `articles.listing`."""
    entities.stored(session, entity_id)
    own = ("entity", Choice((term_of(entity_id),)))
    both = replace(wanted, named=(*wanted.named, own))
    return articles.listing(session, both, order, limit=limit, after=after, fields=fields)


# --- explained


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause at the top of a query."""

    query: str
    start: int
    end: int
    total: Annotated[int, Field(description="Hits of the clause alone.")]
    without: Annotated[int | None, Field(description="Hits of the query without the clause.")]


def explain(session: Session, engine: Engine, request: Request) -> tuple[list[Clause], int, bool]:
    """The top-level clauses of the query with their counts, its total, and whether complete.

    At most _EXPLAINED clauses, within the time limit of one search. A clause without a complete
    count is left out with those after it: a partial count would make it look rare.
    """
    deadline = Deadline(request.timeout_s)
    tree = request.query
    whole = search(session, engine, replace(request, limit=1))
    complete = whole.complete
    if tree is None:
        return [], whole.total, complete

    def found(part: Query) -> Found:
        left_s = deadline.remaining_s
        timed = replace(request, query=part, question=None, limit=1, timeout_s=left_s)
        return search(session, engine, timed)

    parts = tree.clauses if isinstance(tree, (And, Or)) else (tree,)
    clauses: list[Clause] = []
    for number, part in enumerate(parts[:_EXPLAINED]):
        alone = others = found(part)
        rest = parts[:number] + parts[number + 1 :]
        if rest and alone.complete:
            joined = And if isinstance(tree, And) else Or
            others = found(joined(clauses=rest) if len(rest) > 1 else rest[0])
        if not others.complete:
            return clauses, whole.total, False
        without = others.total if rest else None
        clauses.append(Clause(str(part), part.start, part.end, alone.total, without))
    return clauses, whole.total, complete


_EXPLAINED = 20  # clauses
