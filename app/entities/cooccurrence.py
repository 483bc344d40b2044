"""Co-occurrence: which entities appear with one, in how many articles, and how strongly.

The strength is Dunning's log-likelihood ratio (T. Dunning, Accurate Methods for the
Statistics of Surprise and Coincidence, Computational Linguistics 19(1), 1993), which is sound for
the small counts that most pairs have, with the sign of the association.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import chain
from math import log
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, func, literal, select, tuple_
from sqlmodel import Session

from app.entities import read as entities
from app.entities.read import Entity
from app.filters import Filters
from app.search.engine import ListPage, PageKey
from app.store import conditions, sequence
from app.store.models import metadata, tables

Sort = Literal["strength", "count"]

_article_entity, _article, _cooccurrence = tables("appearance", "article", "companion")
_entity = metadata.tables["entity"]

_EVERY = Filters()
_READ = 250  # rows that are fetched at once


@dataclass(frozen=True, slots=True)
class RelatedEntity:
    """An entity that appears with another one."""

    entity: Entity
    count: Annotated[int, Field(description="Articles that mention both.")]
    expected: Annotated[
        float, Field(description="How many would, if the two had nothing to do with each other.")
    ]
    strength: Annotated[
        float,
        Field(description="Log-likelihood ratio (Dunning 1993); negative: fewer than expected."),
    ]


@dataclass(frozen=True, slots=True)
class _Counts:
    """The counts for strengths: the entity's articles, and all articles."""

    own: int
    all: int

    def strength(self, together: int, of_other: int) -> float:
        return strength(together, self.own, of_other, self.all)

    def weaker(self, together: int, of_other: int, least: float) -> bool:
        """Whether a strength is certainly below `least`: it is at most twice Pearson's X²."""
        chance = self.own * of_other
        apart = together * self.all - chance
        rest = (self.all - self.own) * (self.all - of_other)
        return 2 * self.all * apart * apart < least * chance * rest

    def row(self, other: int, together: int, of_other: int) -> _Row:
        expected = round(self.own * of_other / self.all, 3)
        return _Row(self.strength(together, of_other), other, together, expected)


def strength(together: int, of_one: int, of_other: int, of_all: int) -> float:
    """The signed log-likelihood ratio of two entities that share `together` articles.

    Compares the observed counts (both, one, other, neither) with independence; negative if the two
    appear together less often than expected. About 11 corresponds to p = 0.001.

        >>> strength(10, 20, 20, 1000)
        56.755
        >>> strength(4, 20, 200, 1000)
        0.0
    """
    only_one, only_other = of_one - together, of_other - together
    neither = of_all - of_one - only_other
    ratio = together * log(together * of_all / (of_one * of_other)) if together else 0.0
    if only_one > 0:
        ratio += only_one * log(only_one * of_all / (of_one * (of_all - of_other)))
    if only_other > 0:
        ratio += only_other * log(only_other * of_all / ((of_all - of_one) * of_other))
    if neither > 0:
        ratio += neither * log(neither * of_all / ((of_all - of_one) * (of_all - of_other)))
    ratio = round(max(2 * ratio, 0.0), 3)
    return ratio if together * of_all >= of_one * of_other else -ratio or 0.0


def related(
    session: Session,
    entity_id: UUID,
    filters: Filters = _EVERY,
    *,
    type_: str | None = None,
    sort: Sort = "strength",
    limit: int = 20,
    after: PageKey | None = None,
) -> ListPage[RelatedEntity]:
    """A page of the entities that appear with one, the strongest or the most frequent first.

    With filters the entity's articles are those that pass, compared with the whole archive. Raises
    NotFound, and Moved for a merged entity.
    """
    own = entities.stored(session, entity_id)
    if filters.are_any:
        counts = _Counts(own.article_count, sequence.count(session))
        of: Any = _cooccurrence
        pairs = [_cooccurrence.c.entity == own.number]
    else:
        counts = _Counts(_passing(session, own.number, filters), sequence.count(session))
        of = _counted(own.number, filters)
        pairs = []
    c, e = of.c, _entity.c
    joined = of.join(_entity, e.number == c.other)
    wanted = select(c.other, c.count, e.article_count).select_from(joined).where(*pairs)
    total = select(func.count()).select_from(joined if type_ else of).where(*pairs)
    if type_ is not None:
        wanted, total = wanted.where(e.type == type_), total.where(e.type == type_)
    wanted = wanted.order_by(c.count.desc(), c.other.desc())
    passed = None if after is None else _passed(session, after)
    if sort == "count":
        rows = _frequent(session, wanted, c, counts, limit + 1, passed)
    else:
        rows = _strongest(session, wanted, counts, limit + 1, passed)
    count: int = session.execute(total).scalar_one()
    known = entities.some(session, [row.other for row in rows[:limit]])
    page = [
        RelatedEntity(known[row.other], row.together, row.expected, row.strength)
        for row in rows[:limit]
    ]
    goes_on = None
    if len(rows) > limit:
        last = page[-1]
        goes_on = PageKey((last.strength, last.count), last.entity.id)
    return ListPage(page, count, goes_on)


class _Row(NamedTuple):
    """A co-occurring entity by its number; rows compare by strength, then number."""

    strength: float
    other: int
    together: int
    expected: float


def _passed(session: Session, after: PageKey) -> _Row:
    """The last entity of the page before."""
    number = select(_entity.c.number).where(_entity.c.id == after.id)
    found: int | None = session.execute(number).scalar_one_or_none()
    strength, together = after.values
    return _Row(strength, found or 0, together, 0.0)


def _passing(session: Session, number: int, filters: Filters) -> int:
    joined = _article.join(_article_entity, _article_entity.c.article_id == _article.c.id)
    own = select(func.count()).select_from(joined).where(_article_entity.c.entity == number)
    return int(session.execute(conditions.filtered(own, filters)).scalar_one())


def _counted(number: int, filters: Filters) -> Any:
    """The co-occurring entities in the articles that pass the filters, counted."""
    here, there = _article_entity.alias("here"), _article_entity.alias("there")
    joined = _article.join(here, here.c.article_id == _article.c.id).join(
        there, there.c.article_id == here.c.article_id
    )
    pairs = select(there.c.entity.label("other"), func.count().label("count"))
    pairs = pairs.select_from(joined).where(here.c.entity == number, there.c.entity != number)
    return conditions.filtered(pairs, filters).group_by(there.c.entity).subquery()


def _frequent(
    session: Session, wanted: Select[Any], c: Any, counts: _Counts, limit: int, passed: _Row | None
) -> list[_Row]:
    if passed is not None:
        last = tuple_(literal(passed.together), literal(passed.other))
        wanted = wanted.where(tuple_(c.count, c.other) < last)
    return [counts.row(*row) for row in session.execute(wanted.limit(limit))]


def _strongest(
    session: Session, wanted: Select[Any], counts: _Counts, limit: int, passed: _Row | None
) -> list[_Row]:
    """The `limit` strongest co-occurrences, exact, without reading all pairs.

    Pairs are read by descending count. A pair of count n is at most as strong as one whose other
    entity appears only there: reading stops once that bound is below the page's weakest. Among
    pairs of one count, strength falls as the other entity's articles grow.
    """
    best: list[_Row] = []
    last, too_many = 0, 0
    with session.execute(wanted.execution_options(yield_per=_READ)) as rows:
        for other, count, articles_ in chain.from_iterable(rows.partitions()):
            if count != last:
                if len(best) == limit and counts.strength(count, count) < best[0].strength:
                    break
                last, too_many = count, counts.all + 1
            if articles_ >= too_many:
                continue
            if len(best) == limit and counts.weaker(count, articles_, best[0].strength):
                continue
            found = counts.row(other, count, articles_)
            if len(best) == limit and found < best[0]:
                if found.strength < best[0].strength:
                    too_many = articles_
                continue
            if passed is None or found[:2] < passed[:2]:
                (heapq.heappushpop if len(best) == limit else heapq.heappush)(best, found)
    return sorted(best, reverse=True)
