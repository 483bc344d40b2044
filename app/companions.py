"""Who appears with an entity: in how many articles, and how much more often than by chance.

The strength is Dunning's log-likelihood ratio (T. Dunning, Accurate Methods for the
Statistics of Surprise and Coincidence, Computational Linguistics 19(1), 1993), which stays
sound for the small counts that most pairs have, with the sign of the association.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, literal, select, tuple_

from app import articles, entities, selecting
from app.filters import Filters
from app.models import metadata
from app.search.base import Place as Position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from sqlalchemy import Row, Select
    from sqlmodel import Session

    from app.entities import Entity

Sort = Literal["strength", "count"]

_appearance = metadata.tables["appearance"]
_article = metadata.tables["article"]
_companion = metadata.tables["companion"]
_entity = metadata.tables["entity"]

_EVERY = Filters()
_READ = 250  # rows that are fetched at once


@dataclass(frozen=True, slots=True)
class Related:
    """An entity that appears with another one in `count` articles.

    `expected` is how many that would be if they had nothing to do with each other,
    `strength` the signed log-likelihood ratio of the two.
    """

    entity: Entity
    count: int
    expected: float
    strength: float


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of companions: `total` counts all of them, `after` is None on the last page."""

    related: list[Related]
    total: int
    after: Position | None


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The numbers that strengths are made with: the entity's articles among all."""

    own: int
    all: int

    def expected(self, of_other: int) -> float:
        return self.own * of_other / self.all

    def strength(self, together: int, of_other: int) -> float:
        return strength(together, self.own, of_other, self.all)


def strength(together: int, of_one: int, of_other: int, of_all: int) -> float:
    """How surprising it is that two entities share `together` articles.

    Twice the logarithm of how much likelier the four counts (both, either, none) are under
    the shares that were seen than if the two were independent; negative where they meet less
    often than that. About 11 is as rare as one in a thousand by chance.

        >>> strength(10, 20, 20, 1000)
        56.755
        >>> strength(4, 20, 200, 1000)
        0.0
    """
    cells = (
        (together, of_one * of_other),
        (of_one - together, of_one * (of_all - of_other)),
        (of_other - together, (of_all - of_one) * of_other),
        (of_all - of_one - of_other + together, (of_all - of_one) * (of_all - of_other)),
    )
    ratio = 2 * sum(seen * log(seen * of_all / chance) for seen, chance in cells if seen > 0)
    ratio = round(max(ratio, 0.0), 3)
    return ratio if together * of_all >= of_one * of_other else -ratio or 0.0


def related(
    session: Session,
    entity_id: UUID,
    filters: Filters = _EVERY,
    *,
    type_: str | None = None,
    sort: Sort = "strength",
    limit: int = 20,
    after: Position | None = None,
) -> Listing:
    """A page of the entities that appear with one, the strongest or the most frequent first.

    With filters the entity's articles are those that pass them, and still compared with the
    whole archive. Raises NotFound, and Moved for a merged entity.
    """
    own = entities.stored(session, entity_id)
    if filters == _EVERY:
        crowd = _Crowd(own.article_count, articles.count(session))
        of: Any = _companion
        pairs = [_companion.c.entity == own.number]
    else:
        crowd = _Crowd(_passing(session, own.number, filters), articles.count(session))
        of = _counted(own.number, filters)
        pairs = []
    c, e = of.c, _entity.c
    wanted: Select[Any] = select(_entity, c.count.label("together"))
    wanted = wanted.join(_entity, e.number == c.other).where(*pairs)
    total = select(func.count()).select_from(of).where(*pairs)
    if type_ is not None:
        wanted = wanted.where(e.type == type_)
        total = total.join(_entity, e.number == c.other).where(e.type == type_)
    wanted = wanted.order_by(c.count.desc(), c.other.desc())
    if sort == "count":
        rows = _frequent(session, wanted, c, limit + 1, after)
    else:
        rows = _strongest(session, wanted, crowd, limit + 1, after)
    count: int = session.execute(total).scalar_one()
    page = _related(session, rows[:limit], crowd)
    goes_on = None
    if len(rows) > limit:
        last = page[-1]
        goes_on = Position(last.entity.id, score=last.strength, published_us=last.count)
    return Listing(page, count, goes_on)


def _passing(session: Session, number: int, filters: Filters) -> int:
    joined = _article.join(_appearance, _appearance.c.article_id == _article.c.id)
    own = select(func.count()).select_from(joined).where(_appearance.c.entity == number)
    found: int = session.execute(selecting.filtered(own, filters)).scalar_one()
    return found


def _counted(number: int, filters: Filters) -> Any:
    """The companions in the articles that pass the filters, counted."""
    here, there = _appearance.alias("here"), _appearance.alias("there")
    joined = _article.join(here, here.c.article_id == _article.c.id).join(
        there, there.c.article_id == here.c.article_id
    )
    pairs = select(there.c.entity.label("other"), func.count().label("count"))
    pairs = pairs.select_from(joined).where(here.c.entity == number, there.c.entity != number)
    return selecting.filtered(pairs, filters).group_by(there.c.entity).subquery()


def _frequent(
    session: Session, wanted: Select[Any], c: Any, limit: int, after: Position | None
) -> list[Row[Any]]:
    if after is not None:
        number = select(_entity.c.number).where(_entity.c.id == after.id).scalar_subquery()
        last = tuple_(literal(after.published_us or 0), number)
        wanted = wanted.where(tuple_(c.count, c.other) < last)
    return list(session.execute(wanted.limit(limit)).all())


def _strongest(
    session: Session, wanted: Select[Any], crowd: _Crowd, limit: int, after: Position | None
) -> list[Row[Any]]:
    """The strongest companions, exactly, without a look at all of them.

    They come by count. No pair of that count or less can be stronger than one that never
    appears without the entity: when that is not enough any more, none that follows is.
    """
    best: list[tuple[float, int, Row[Any]]] = []
    for row in _streamed(session, wanted):
        if len(best) == limit and crowd.strength(row.together, row.together) < best[0][0]:
            break
        found = crowd.strength(row.together, row.article_count)
        if after is not None and (found, row.id.int) >= (after.score, after.id.int):
            continue
        heapq.heappush(best, (found, row.id.int, row))
        if len(best) > limit:
            heapq.heappop(best)
    best.sort(key=lambda each: each[:2], reverse=True)
    return [row for _, _, row in best]


def _streamed(session: Session, wanted: Select[Any]) -> Iterator[Row[Any]]:
    with session.execute(wanted.execution_options(yield_per=_READ)) as rows:
        yield from rows


def _related(session: Session, rows: list[Row[Any]], crowd: _Crowd) -> list[Related]:
    return [
        Related(
            entity,
            row.together,
            round(crowd.expected(row.article_count), 3),
            crowd.strength(row.together, row.article_count),
        )
        for row, entity in zip(rows, entities.shown(session, rows), strict=True)
    ]
