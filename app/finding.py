"""Finding: a search's hits with their articles, and what helps to search better.

Asks the engine for ids and the store for text: facet labels, highlights, what was perhaps
meant, completions, an explanation of a query, and articles like another. No HTTP is known
here and nothing is written.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from app import articles, entities, text
from app.errors import IndexForeign, QueryError
from app.filters import ENTITIES, Choice, id_of
from app.search import duplicates, query, snippets
from app.search.base import Request
from app.search.clock import Clock

if TYPE_CHECKING:
    from uuid import UUID

    from sqlmodel import Session

    from app.articles import Summary
    from app.search.base import Bucket, Engine, Found, Place
    from app.search.query import Query
    from app.search.snippets import Highlight

LIKE_WORDS = 25
"""Words of an article by which others like it are found."""
_CANDIDATES = 60
_MOST_CORRECTED = 5  # words: each costs a look through all words of the index


@dataclass(slots=True)
class Hit:
    """A found article."""

    article: Summary
    score: float
    highlights: list[Highlight]
    duplicates: list[UUID]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value of a facet: `value` is what the filter takes, `label` what articles print."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Results:
    """A page of a search; `lag` counts the changes that the index has not taken in yet."""

    hits: list[Hit]
    total: int
    after: Place | None
    cursor: int
    lag: int
    complete: bool
    facets: dict[str, list[FacetValue]]
    histogram: list[Bucket]


def search(session: Session, engine: Engine, request: Request) -> Found:
    """The engine's answer, with the entities that names in the request stand for.

    Somebody may have put another index, or another database, in place while we serve. Raises
    IndexForeign; `indexing.sync` builds the index anew.
    """
    found = engine.search(identified(session, request))
    if found.store_id != articles.store_id(session):
        raise IndexForeign(f"store {found.store_id}")
    return found


def identified(session: Session, request: Request) -> Request:
    """The request with the entities that its names of people, organizations, places mean.

    A name stands for every entity that has it as its name or as an alias, the beginning of
    a name for the commonest of those that it fits. A name of a dateline stands for itself.
    """
    named = tuple(
        (name, _meaning(session, name, choice) if name in ENTITIES else choice)
        for name, choice in request.filters.named
    )
    tree = request.query and _looked_up(session, request.query)
    return replace(request, filters=replace(request.filters, named=named), query=tree)


def _meaning(session: Session, name: str, choice: Choice) -> Choice:
    def with_terms(keys: tuple[str, ...]) -> tuple[str, ...]:
        found = entities.terms(session, name, keys)
        return tuple(sorted({*keys, *(term for terms in found.values() for term in terms)}))

    return Choice(with_terms(choice.wanted), with_terms(choice.unwanted))


def _looked_up(session: Session, tree: Query) -> Query:
    """The tree with the entities of its names, all looked up together."""
    keys: dict[str, set[str]] = {}
    beginnings: dict[tuple[str, str], tuple[str, ...]] = {}
    for node in query.walk(tree):
        if isinstance(node, query.Named) and node.name in ENTITIES and node.key:
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
        if not isinstance(node, query.Named) or node.name not in ENTITIES:
            return node
        if node.prefix:
            return replace(node, ids=beginnings.get((node.name, node.key), ()))
        return replace(node, ids=tuple(known[node.name].get(node.key, ())))

    return query.mapped(tree, change)


_MOST_BEGINNINGS = 20  # each is a look through all names that begin so


def find(session: Session, engine: Engine, request: Request, *, highlight: bool) -> Results:
    """Search, and read the articles of the hits; one that was removed since is left out.

    Hits for whose highlights the time is too short have none; then it is not complete.
    """
    clock = Clock(request.timeout_s)
    found = search(session, engine, replace(request, timeout_s=_SEARCHING * request.timeout_s))
    ids = [hit.id for hit in found.hits]
    stored = articles.some(session, ids)
    highlight = highlight and clock.in_time()
    bodies = articles.texts(session, ids) if highlight else {}
    marker = snippets.compile(request.query) if highlight else None
    lag = articles.last_change(session) - found.cursor
    if lag < 0:  # the session began after the search, so the index is of a later state
        raise IndexForeign(f"change {found.cursor}")
    hits = [
        Hit(
            article,
            hit.score,
            marker.highlights(article.headline, article.summary, article.caption, bodies[hit.id])
            if marker is not None and clock.in_time()
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
        complete=found.complete and not clock.late,
        facets={name: _labelled(session, name, top) for name, top in found.facets.items()},
        histogram=found.histogram,
    )


_SEARCHING = 0.9  # of the time; the rest is for the articles of the hits


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


# --- what was perhaps meant


def suggestion(
    engine: Engine, q: str, tree: Query | None, *, timeout_s: float = math.inf
) -> str | None:
    """`q` with each unknown or rare word put right from the index's own words; or None.

    A word is put right by the commonest of the nearest ones: of one edit, else of two. One
    that some articles hold is taken for rare only beside a word a hundred times as common.
    None too where the time is up before all words were looked up.
    """
    clock = Clock(timeout_s)
    words = _words(tree) if tree is not None else []
    if len(words) > _MOST_CORRECTED:
        return None
    corrected = q
    for leaf in sorted(words, key=lambda leaf: -leaf.start):
        if not clock.in_time():
            return None
        better = _better(engine, q[leaf.start : leaf.end])
        if better is not None:
            corrected = corrected[: leaf.start] + better + corrected[leaf.end :]
    return corrected if corrected != q else None


def _words(tree: Query) -> list[query.Word]:
    return [node for node in query.walk(tree) if isinstance(node, query.Word)]


def _better(engine: Engine, surface: str) -> str | None:
    found = list(text.tokens(surface))
    if len(found) != 1 or len(found[0].form) < 4 or not found[0].form.isalpha():
        return None
    form, token = found[0].form, found[0].text
    known = engine.frequencies([token])[token]
    distances: tuple[Literal[1, 2], ...] = (1,) if len(form) <= 5 else (1, 2)
    for distance in distances:
        near = engine.words(query.Fuzzy(form=form, distance=distance), 1)
        if near and near[0][1] > 100 * known and text.stem(near[0][0]) != token:
            word = near[0][0]
            return surface[: found[0].start] + word + surface[found[0].end :]
        if known:
            break
    return None


@dataclass(frozen=True, slots=True)
class Completion:
    """What a beginning may become; `id` is that of a headline's article or of an entity."""

    text: str
    kind: Literal["word", "person", "organization", "place", "source", "section", "headline"]
    count: int
    id: UUID | None = None


def completions(session: Session, engine: Engine, beginning: str, limit: int) -> list[Completion]:
    """How `beginning` may go on: names, its last word, and headlines that hold all of it."""
    forms = [token.form for token in text.tokens(beginning)]
    if not forms:
        return []
    folded = text.fold(beginning)
    known: Any = entities.beginning(session, folded, limit)
    found = [Completion(name, type_, count, id_) for id_, type_, name, count in known]
    for name in ("place", "source", "section"):
        named = engine.names(name, folded, limit)
        labels = articles.labels(session, name, [key for key, _ in named])
        kind: Any = name
        found += [Completion(labels.get(key, key), kind, count) for key, count in named]
    found.sort(key=lambda each: -each.count)
    before = beginning[: [*text.tokens(beginning)][-1].start]
    words = _distinct(engine.words(query.Prefix(prefix=forms[-1]), _FORMS * limit))[:limit]
    found += [Completion(before + word, "word", count) for word, count in words]
    leaves: list[Query] = [query.Word(text=f, token=text.stem(f)) for f in forms[:-1]]
    leaves.append(query.Prefix(prefix=forms[-1]))
    tree = query.And(clauses=tuple(leaves)) if len(leaves) > 1 else leaves[0]
    within = query.Within(zone="headline", node=tree)
    in_headlines = Request(query=within, limit=limit, timeout_s=_HEADLINES_TIMEOUT_S)
    hits = search(session, engine, in_headlines).hits
    stored = articles.some(session, [hit.id for hit in hits])
    headlines = [
        Completion(stored[hit.id].headline, "headline", 1, hit.id)
        for hit in hits
        if hit.id in stored
    ]
    return _mixed(found, headlines, limit)


_HEADLINES_TIMEOUT_S = 0.25  # a letter or two stand for very many words
_FORMS = 5  # of one word, that are not listed one by one
_ENDING = re.compile(r"(?:ings?|ies|ied|ying|ed|es|e|y|(?<![su])s)$")
_DOUBLED = re.compile(r"(.)\1$")


def _distinct(words: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """`words`, sorted by count and length, without those that inflect another one.

    An inflection finds what the word itself finds. The stem alone would not do to tell: by
    it `govern` would stand for `government`, and `universe` for `university`.

    >>> _distinct([("process", 9), ("processing", 9), ("govern", 5), ("government", 5)])
    [('process', 9), ('govern', 5), ('government', 5)]
    """
    first: dict[tuple[str, str], tuple[str, int]] = {}
    for word, count in words:
        bare = _DOUBLED.sub(r"\1", _ENDING.sub("", word))
        first.setdefault((text.stem(word), bare), (word, count))
    return list(first.values())


def _mixed(found: list[Completion], headlines: list[Completion], limit: int) -> list[Completion]:
    """Half of each kind where both have enough; the same text once."""
    half = max(limit - len(headlines), limit - limit // 2)
    seen: dict[str, Completion] = {}
    for each in [*found[:half], *headlines]:
        seen.setdefault(text.fold(each.text), each)
    return list(seen.values())[:limit]


# --- explained


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of a query: its own hits, and those of the whole query without it."""

    query: str
    start: int
    end: int
    total: int
    without: int | None


def explain(session: Session, engine: Engine, request: Request) -> tuple[list[Clause], int, bool]:
    """The clauses at the top of the query, how many hits all have together, whether complete.

    All of it has the time of one search; the first clauses are explained. One that the time
    does not reach is left out: counted in part it would be taken for a rare one.
    """
    clock = Clock(request.timeout_s)
    tree = request.query
    whole = search(session, engine, replace(request, limit=1))
    complete = whole.complete
    if tree is None:
        return [], whole.total, complete

    def found(part: Query) -> Found:
        timed = replace(request, query=part, limit=1, timeout_s=clock.remaining_s)
        return search(session, engine, timed)

    parts = tree.clauses if isinstance(tree, (query.And, query.Or)) else (tree,)
    clauses: list[Clause] = []
    for number, part in enumerate(parts[:_EXPLAINED]):
        alone = others = found(part)
        rest = parts[:number] + parts[number + 1 :]
        if rest and alone.complete:
            joined = query.And if isinstance(tree, query.And) else query.Or
            others = found(joined(clauses=rest) if len(rest) > 1 else rest[0])
        if not others.complete:
            return clauses, whole.total, False
        without = others.total if rest else None
        clauses.append(Clause(str(part), part.start, part.end, alone.total, without))
    return clauses, whole.total, complete


_EXPLAINED = 20  # clauses


# --- more like this


@dataclass(frozen=True, slots=True)
class Similar:
    """An article like another: `similarity` is the share of runs of four words in common."""

    article: Summary
    score: float
    similarity: float
    duplicate: bool


def similar(
    session: Session, engine: Engine, article_id: UUID, request: Request
) -> tuple[list[Similar], int]:
    """The articles that share most of the words that tell this one from others, best first.

    `request` gives filters, limit and time; its query is made here. Raises NotFound.
    """
    whole = articles.get(session, article_id)
    tokens = text.terms(whole.body)
    counts = Counter(tokens)
    counts.update(3 * text.terms(whole.headline))
    telling = _telling(engine, counts)
    if not telling:
        return [], 0
    like: Query = query.Or(clauses=telling) if len(telling) > 1 else telling[0]
    most = max(_CANDIDATES, request.limit + 1)
    found = search(session, engine, replace(request, query=like, limit=most, sort="relevance"))
    ids = [hit.id for hit in found.hits if hit.id != article_id]
    stored = articles.some(session, ids)
    bodies = articles.texts(session, ids)
    rows = []
    for hit in found.hits:
        if hit.id in stored and hit.id != article_id:
            share = duplicates.similarity(tokens, text.terms(bodies[hit.id]))
            rows.append(
                Similar(stored[hit.id], hit.score, round(share, 3), share >= duplicates.ALIKE)
            )
    rows.sort(key=lambda row: (not row.duplicate, -row.score, row.article.id))
    return rows[: request.limit], max(found.total - 1, 0)


def _telling(engine: Engine, counts: Counter[str]) -> tuple[Query, ...]:
    """The words that tell an article best from others, by count and rarity."""
    known = engine.frequencies(counts)
    shared = {token: known[token] for token in counts if known[token] > 1}
    best = sorted(shared, key=lambda token: (-counts[token] / (1 + shared[token]) ** 0.5, token))
    return tuple(query.Word(text=token, token=token) for token in best[:LIKE_WORDS])
