"""Reads of entities: a list, one entity, names and terms, and a timeline.

Counts are exact, from the tables that `app.entities.counts` updates. With filters they are of the
articles that pass; without, no article is read. An entity without articles is not listed, but can
still be read by its id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Row, Select, bindparam, func, literal, select, tuple_
from sqlmodel import Session

from app.errors import Moved, NotFound
from app.extract import spelling
from app.extract.base import Type
from app.filters import Filters, id_of, term_of
from app.search import histogram
from app.search.engine import Bucket, ListPage, PageKey, Unit
from app.store import conditions
from app.store.models import among, tables
from app.text import fold

Sort = Literal["count", "name"]

MOST_ALIASES = 50
"""Aliases that are shown of an entity, the commonest ones."""

_alias, _article_entity, _article, _entity = tables("alias", "appearance", "article", "entity")

_EVERY = Filters()


def _day_seen(which: Any, label: str) -> Any:
    """The first or last day of an entity as a subquery: one lookup in an index."""
    seen = select(which(_article_entity.c.day)).where(_article_entity.c.entity == _entity.c.number)
    return seen.scalar_subquery().label(label)


_WITH_DAYS = select(
    *(_entity.c[name] for name in ("number", "heir", "name_key")),
    *(_entity.c[name] for name in ("id", "type", "name", "wikidata", "iso")),
    *(_entity.c[name] for name in ("article_count", "mention_count")),
    _day_seen(func.min, "first_day"),
    _day_seen(func.max, "last_day"),
)
_BY_ID = _WITH_DAYS.where(_entity.c.id == bindparam("id"))
_BY_NUMBERS = _WITH_DAYS.where(_entity.c.number.in_(bindparam("numbers", expanding=True)))
_ALIASES = select(_alias.c.label, _alias.c.key, _alias.c.called).where(
    _alias.c.entity == bindparam("number")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A person, organization or place. With filters the numbers are of what passes them."""

    id: Annotated[UUID, Field(description="For life.")]
    type: Type
    name: str
    wikidata: Annotated[str | None, Field(description="Its item there, such as `Q30`.")]
    iso: Annotated[str | None, Field(description="ISO 3166 code of a country.")]
    article_count: Annotated[int, Field(description="Articles that mention it.")]
    mention_count: Annotated[int, Field(description="Mentions in all of them.")]
    first_seen: Annotated[date | None, Field(description="Day of the first dated article.")]
    last_seen: Annotated[date | None, Field(description="Day of the last dated article.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeEntity(Entity):
    """An entity with what it is called."""

    aliases: Annotated[list[str], Field(description="Commonest first, 50 at most.")]


# --- one


def get(session: Session, entity_id: UUID) -> WholeEntity:
    """The entity; raises NotFound, and Moved where it was merged into another one."""
    row = stored(session, entity_id)
    fields = {name: getattr(_made(row), name) for name in Entity.__slots__}
    return WholeEntity(**fields, aliases=_aliases(session, row.number, row.name))


def stored(session: Session, entity_id: UUID) -> Row[Any]:
    """The row of an entity; raises NotFound, and Moved where it was merged into another one."""
    row = session.execute(_BY_ID, {"id": entity_id}).one_or_none()
    if row is None:
        raise NotFound("entity", str(entity_id))
    if row.heir is not None:
        merged_into: UUID = session.execute(
            select(_entity.c.id).where(_entity.c.number == row.heir)
        ).scalar_one()
        raise Moved("entity", str(entity_id), str(merged_into))
    return row


def some(session: Session, numbers: Sequence[int]) -> dict[int, Entity]:
    """The entities by their `numbers`."""
    rows = session.execute(_BY_NUMBERS, {"numbers": numbers}).all() if numbers else []
    return {row.number: _made(row) for row in rows}


def known(session: Session, ids: Collection[UUID]) -> dict[UUID, Entity]:
    """The entities among `ids` that exist, by id; for a merged one, the one it is part of."""
    rows = session.execute(_WITH_DAYS.where(_entity.c.id.in_(ids))).all()
    merged_into = some(session, [row.heir for row in rows if row.heir is not None])
    return {row.id: _made(row) if row.heir is None else merged_into[row.heir] for row in rows}


def _aliases(session: Session, number: int, name: str) -> list[str]:
    rows = session.execute(_ALIASES, {"number": number}).all()
    counts: Counter[str] = Counter()
    labels: dict[str, str] = {}
    for row in sorted(rows, key=lambda row: (-row.called, row.label.isupper(), row.label)):
        counts[row.key] += row.called
        labels.setdefault(row.key, row.label)
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    own = fold(name)
    return [labels[key] for key in ranked if key != own][:MOST_ALIASES]


def _made(row: Row[Any]) -> Entity:
    own = {name: row._mapping[name] for name in Entity.__slots__[:-2]}
    days = (row.first_day, row.last_day)
    first, last = (None if day is None else date.fromordinal(day) for day in days)
    return Entity(**own, first_seen=first, last_seen=last)


# --- many


def listing(
    session: Session,
    filters: Filters = _EVERY,
    *,
    beginning: str | None = None,
    type_: str | None = None,
    sort: Sort = "count",
    limit: int = 20,
    after: PageKey | None = None,
) -> ListPage[Entity]:
    """A page of the entities that have articles, the commonest or the first names first.

    `beginning`: only those with a name or an alias that begins so, folded. With filters,
    those of articles that pass them, counted in these.
    """
    every = filters.are_any
    wanted = select(_entity.c.number) if every else _counted(filters)
    c = _entity.c if every else wanted.selected_columns
    count, key = c.article_count, c.name_key
    if beginning is not None:
        wanted = wanted.where(c.number.in_(_called(beginning)))
        # Few names match: the expressions keep SQLite from scanning all entities in order.
        count, key = count + 0, key + ""
    if type_ is not None:
        wanted = wanted.where(c.type == type_)
    plain = every and beginning is None and type_ is None
    total = _total(session, wanted.where(count > 0), plain=plain)
    # Almost all have articles, so by name SQLite should use the index of the order.
    wanted = wanted.where(count > 0 if sort == "count" else c.article_count + 0 > 0)
    if sort == "count":
        if after is not None:
            last = (literal(after.values[0]), literal(after.id, c.id.type))
            wanted = wanted.where(tuple_(count, c.id) < tuple_(*last))
        wanted = wanted.order_by(count.desc(), c.id.desc())
    else:
        if after is not None:
            own = select(_entity.c.name_key).where(_entity.c.id == after.id).scalar_subquery()
            wanted = wanted.where(tuple_(key, c.id) > tuple_(own, literal(after.id, c.id.type)))
        wanted = wanted.order_by(key, c.id)
    rows = session.execute(wanted.limit(limit + 1)).all()
    if every:  # days are read for the page alone, not for all rows that are sorted
        known = some(session, [row.number for row in rows[:limit]])
        page = [known[row.number] for row in rows[:limit]]
    else:
        page = [_made(row) for row in rows[:limit]]
    goes_on = None
    if len(rows) > limit:
        goes_on = PageKey((page[-1].article_count,), page[-1].id)
    return ListPage(page, total, goes_on)


def _total(session: Session, wanted: Select[Any], *, plain: bool) -> int:
    """The number of entities that a statement selects; `plain`: all that have articles."""
    if plain:  # counting all rows is fast, and few have no articles
        counts = (select(func.count()).select_from(_entity), _WITHOUT_ARTICLES)
        every, without = (session.execute(each).scalar_one() for each in counts)
        return int(every - without)
    numbers = wanted.with_only_columns(*wanted.selected_columns[:1]).subquery()
    return int(session.execute(select(func.count()).select_from(numbers)).scalar_one())


_WITHOUT_ARTICLES = select(func.count()).where(_entity.c.article_count == 0)


def _counted(filters: Filters) -> Select[Any]:
    """The entities of the articles that pass, with their counts in these."""
    a, e = _article_entity.c, _entity.c
    joined = _article.join(_article_entity, a.article_id == _article.c.id)
    held = select(
        a.entity,
        func.count().label("article_count"),
        func.sum(a.mentions).label("mention_count"),
        func.min(a.day).label("first_day"),
        func.max(a.day).label("last_day"),
    ).select_from(joined)
    counts = conditions.filtered(held, filters).group_by(a.entity).subquery()
    own = [e[name] for name in ("number", "name_key", "id", "type", "name", "wikidata", "iso")]
    counted = [column for column in counts.c if column.name != "entity"]
    return select(*own, *counted).join(counts, counts.c.entity == e.number)


def _called(beginning: str) -> Select[Any]:
    """The numbers of entities with an alias that begins with `beginning`, folded."""
    key, c = fold(beginning), _alias.c
    # A range, because LIKE would not use the index.
    return select(c.entity).where(c.key >= key, c.key < key + "\U0010ffff")


def labels(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the entities `ids`."""
    c = _entity.c
    rows = session.execute(select(c.id, c.name).where(c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}


def terms(session: Session, name: str, keys: Iterable[str]) -> dict[str, list[str]]:
    """The terms of the entities of a type (`entity`: of any) that names and ids stand for."""
    e, stands_for = _entity, _entity.alias("stands_for")
    own = func.coalesce(e.c.heir, e.c.number)
    called = select(_alias.c.key, stands_for.c.id).join(e, e.c.number == _alias.c.entity)
    given = select(e.c.id.label("key"), stands_for.c.id).select_from(e)
    ids = {id_: key for key in keys if (id_ := id_of(key)) is not None}
    surnames = {alone: key for key in keys if (alone := spelling.alone(key)) and key not in ids}
    surnamed = select(_alias.c.surname.label("key"), stands_for.c.id).where(e.c.type == "person")
    surnamed = surnamed.join(e, e.c.number == _alias.c.entity)
    found: dict[str, list[str]] = {}
    for wanted, column, values in (
        (called, _alias.c.key, sorted(set(keys) - set(ids.values()))),
        (given, e.c.id, sorted(ids)),
        (surnamed, _alias.c.surname, sorted(surnames)),
    ):
        of_type = wanted.join(stands_for, stands_for.c.number == own)
        if name != "entity":
            of_type = of_type.where(stands_for.c.type == name)
        for key, id_ in among(session, of_type.distinct(), column, values):
            own_key = ids.get(key) or (surnames[key] if wanted is surnamed else key)
            found.setdefault(own_key, []).append(term_of(id_))
    return {key: sorted(set(terms)) for key, terms in found.items()}


MOST_BEGUN = 500
"""Most entities that a prefix of a name stands for in a query, the commonest ones."""


def terms_beginning(session: Session, name: str, key: str) -> list[str]:
    """The terms of the entities of a type with a name or alias that begins with `key`."""
    c = _entity.c
    wanted = select(c.id).where(c.number.in_(_called(key)), c.article_count > 0)
    if name != "entity":
        wanted = wanted.where(c.type == name)
    commonest = wanted.order_by(c.article_count.desc(), c.id).limit(MOST_BEGUN)
    return sorted(map(term_of, session.execute(commonest).scalars()))


def beginning(
    session: Session, key: str, limit: int, *, type_: str | None = None
) -> list[tuple[UUID, str, str, int]]:
    """Id, type, name and article count of entities that `key` begins, commonest first."""
    c = _entity.c
    wanted = select(c.id, c.type, c.name, c.article_count)
    wanted = wanted.where(c.number.in_(_called(key)), c.article_count > 0)
    if type_ is not None:
        wanted = wanted.where(c.type == type_)
    ranked = wanted.order_by(c.article_count.desc(), c.name_key, c.id).limit(limit)
    return [(row.id, row.type, row.name, row.article_count) for row in session.execute(ranked)]


# --- when


def timeline(session: Session, entity_id: UUID, filters: Filters, unit: Unit) -> list[Bucket]:
    """The entity's articles by period, periods without any included, undated ones left out.

    From the first to the last article, or to the filters' bounds. A date of day precision is that
    day in every zone.
    """
    number = stored(session, entity_id).number
    a, c = _article_entity.c, _article.c
    if filters.are_any and filters.time_zone == "UTC" and unit != "hour":
        by_day = select(a.day, func.count()).where(a.entity == number, a.day.is_not(None))
        rows = session.execute(by_day.group_by(a.day)).all()
        return histogram.histogram(Counter({row[0]: row[1] for row in rows}), unit)
    joined = _article.join(_article_entity, a.article_id == c.id)
    dated = select(c.published_at, c.published_precision).select_from(joined)
    dated = dated.where(a.entity == number, c.published_at.is_not(None))
    zone = ZoneInfo(filters.time_zone)

    def period(instant: datetime, precision: str) -> int:
        is_day = precision == "day"
        if unit == "hour":
            return histogram.hour_in(zone, instant, is_day=is_day)
        return (instant.date() if is_day else histogram.day_in(zone, instant)).toordinal()

    counts = Counter(period(*row) for row in session.execute(conditions.filtered(dated, filters)))
    bounds = histogram.bounds(filters, unit)
    return histogram.histogram(counts, unit, bounds=bounds, time_zone=filters.time_zone)
