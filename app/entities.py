"""Reads of entities: a list of them, one of them, who appears with it, and when.

Everything is exact and comes from the tables that `app.tallying` keeps. With filters the
counts are of the articles that pass them; without, no article is looked at. An entity
without any article is not listed, but its id still answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, literal, select, tuple_

from app import articles, selecting
from app.errors import Moved, NotFound
from app.filters import Choice, Filters, id_of, term_of
from app.models import metadata
from app.search import counting
from app.search.base import Place as Position
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from uuid import UUID

    from sqlalchemy import ColumnElement, Row
    from sqlmodel import Session

    from app.search.base import Bucket, Unit

Sort = Literal["count", "name"]

MOST_ALIASES = 50
"""Aliases that are shown of an entity, the commonest ones."""

_alias = metadata.tables["alias"]
_appearance = metadata.tables["appearance"]
_article = metadata.tables["article"]
_entity = metadata.tables["entity"]

_EVERY = Filters()


def _day_seen(which: Any, label: str) -> Any:
    """The first or last day of an entity: one step in an index, in a statement over entities."""
    seen = select(which(_appearance.c.day)).where(_appearance.c.entity == _entity.c.number)
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
    """An entity as lists show it; `first_seen` and `last_seen` are days in UTC.

    The numbers are of all articles, or of those that pass the list's filters.
    """

    id: UUID
    type: str
    name: str
    wikidata: str | None
    iso: str | None
    article_count: int
    mention_count: int
    first_seen: date | None
    last_seen: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole(Entity):
    """An entity with what it is called, the commonest first, its name left out."""

    aliases: list[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of entities: `total` counts the whole list, `after` is None on the last page."""

    entities: list[Entity]
    total: int
    after: Position | None


# --- one


def get(session: Session, entity_id: UUID) -> Whole:
    """The entity; raises NotFound, and Moved where it was merged into another one."""
    row = stored(session, entity_id)
    fields = {name: getattr(_made(row), name) for name in Entity.__slots__}
    return Whole(**fields, aliases=_aliases(session, row.number, row.name))


def stored(session: Session, entity_id: UUID) -> Row[Any]:
    """The row of an entity; raises NotFound, and Moved where it was merged into another one."""
    row = session.execute(_BY_ID, {"id": entity_id}).one_or_none()
    if row is None:
        raise NotFound("entity", str(entity_id))
    if row.heir is not None:
        heir: UUID = session.execute(
            select(_entity.c.id).where(_entity.c.number == row.heir)
        ).scalar_one()
        raise Moved("entity", str(entity_id), str(heir))
    return row


def some(session: Session, numbers: Sequence[int]) -> dict[int, Entity]:
    """The entities of `numbers`, by these."""
    rows = session.execute(_BY_NUMBERS, {"numbers": numbers}).all() if numbers else []
    return {row.number: _made(row) for row in rows}


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
    first, last = row.first_day, row.last_day
    return Entity(
        id=row.id,
        type=row.type,
        name=row.name,
        wikidata=row.wikidata,
        iso=row.iso,
        article_count=row.article_count,
        mention_count=row.mention_count,
        first_seen=None if first is None else date.fromordinal(first),
        last_seen=None if last is None else date.fromordinal(last),
    )


def articles_of(
    session: Session,
    entity_id: UUID,
    wanted: Filters,
    order: articles.Order,
    *,
    limit: int,
    after: Position | None,
) -> articles.Listing:
    """A page of the entity's articles that pass the filters, by date; see `articles.listing`."""
    stored(session, entity_id)
    own = ("entity", Choice((term_of(entity_id),)))
    both = replace(wanted, named=(*wanted.named, own))
    return articles.listing(session, both, order, limit=limit, after=after)


# --- many


def listing(
    session: Session,
    filters: Filters = _EVERY,
    *,
    beginning: str | None = None,
    type_: str | None = None,
    sort: Sort = "count",
    limit: int = 20,
    after: Position | None = None,
) -> Listing:
    """A page of the entities that have articles, the commonest or the first names first.

    `beginning`: only those with a name or an alias that begins so, folded. With filters,
    those of articles that pass them, counted in these.
    """
    every = filters == _EVERY
    wanted = select(_entity.c.number) if every else _counted(filters)
    c = _entity.c if every else wanted.selected_columns
    count, key = c.article_count, c.name_key
    if beginning is not None:
        wanted = wanted.where(c.number.in_(_called(beginning)))
        # What begins so are few: to walk all entities in order would be the longer way.
        count, key = count + 0, key + ""
    if type_ is not None:
        wanted = wanted.where(c.type == type_)
    plain = every and beginning is None and type_ is None
    total = _total(session, wanted.where(count > 0), plain=plain)
    # Hardly any has no article, so by name the order's index is the one to go by.
    wanted = wanted.where(count > 0 if sort == "count" else c.article_count + 0 > 0)
    if sort == "count":
        if after is not None:
            last = (literal(after.published_us or 0), literal(after.id, c.id.type))
            wanted = wanted.where(tuple_(count, c.id) < tuple_(*last))
        wanted = wanted.order_by(count.desc(), c.id.desc())
    else:
        if after is not None:
            own = select(_entity.c.name_key).where(_entity.c.id == after.id).scalar_subquery()
            wanted = wanted.where(tuple_(key, c.id) > tuple_(own, literal(after.id, c.id.type)))
        wanted = wanted.order_by(key, c.id)
    rows = session.execute(wanted.limit(limit + 1)).all()
    if every:  # days are looked up for the page alone, not for all that is put in order
        known = some(session, [row.number for row in rows[:limit]])
        page = [known[row.number] for row in rows[:limit]]
    else:
        page = [_made(row) for row in rows[:limit]]
    goes_on = None
    if len(rows) > limit:
        goes_on = Position(page[-1].id, published_us=page[-1].article_count)
    return Listing(page, total, goes_on)


def _total(session: Session, wanted: Select[Any], *, plain: bool) -> int:
    """How many entities a statement is about; `plain`: all that have articles."""
    if plain:  # all without a condition are counted at once, and few have none
        counts = (select(func.count()).select_from(_entity), _WITHOUT_ARTICLES)
        every, without = (session.execute(each).scalar_one() for each in counts)
        return int(every - without)
    found: int = session.execute(
        select(func.count()).select_from(
            wanted.with_only_columns(*wanted.selected_columns[:1]).subquery()
        )
    ).scalar_one()
    return found


_WITHOUT_ARTICLES = select(func.count()).where(_entity.c.article_count == 0)


def _counted(filters: Filters) -> Select[Any]:
    """The entities of the articles that pass, with the counts of these."""
    a, e = _appearance.c, _entity.c
    joined = _article.join(_appearance, a.article_id == _article.c.id)
    held = select(
        a.entity,
        func.count().label("article_count"),
        func.sum(a.mentions).label("mention_count"),
        func.min(a.day).label("first_day"),
        func.max(a.day).label("last_day"),
    ).select_from(joined)
    counts = selecting.filtered(held, filters).group_by(a.entity).subquery()
    own = [e[name] for name in ("number", "name_key", "id", "type", "name", "wikidata", "iso")]
    counted = [column for column in counts.c if column.name != "entity"]
    return select(*own, *counted).join(counts, counts.c.entity == e.number)


def _called(beginning: str) -> Select[Any]:
    """The numbers of entities with an alias that begins so."""
    key = fold(beginning)
    return select(_alias.c.entity).where(*_begins(_alias.c.key, key))


def _begins(column: ColumnElement[str], key: str) -> tuple[ColumnElement[bool], ...]:
    # A range, because LIKE goes by no index of ours.
    return (column >= key, column < key + "\U0010ffff")


def labels(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """The names of the entities `ids`."""
    c = _entity.c
    rows = session.execute(select(c.id, c.name).where(c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}


def terms(session: Session, name: str, keys: Iterable[str]) -> dict[str, list[str]]:
    """The terms of the entities of a type (`entity`: of any) that names and ids stand for."""
    e, heir = _entity, _entity.alias("heir")
    own = func.coalesce(e.c.heir, e.c.number)
    called = select(_alias.c.key, heir.c.id).join(e, e.c.number == _alias.c.entity)
    given = select(e.c.id.label("key"), heir.c.id).select_from(e)
    ids = {id_: key for key in keys if (id_ := id_of(key)) is not None}
    found: dict[str, list[str]] = {}
    for wanted, column, values in (
        (called, _alias.c.key, sorted(set(keys) - set(ids.values()))),
        (given, e.c.id, sorted(ids)),
    ):
        of_type = wanted.join(heir, heir.c.number == own)
        if name != "entity":
            of_type = of_type.where(heir.c.type == name)
        for some in _parts(values):
            for key, id_ in session.execute(of_type.where(column.in_(some)).distinct()):
                found.setdefault(ids.get(key, key), []).append(term_of(id_))
    return {key: sorted(set(terms)) for key, terms in found.items()}


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


MOST_BEGUN = 500
"""Entities that a beginning of a name stands for in a query, the commonest."""


def terms_beginning(session: Session, name: str, key: str) -> list[str]:
    """The terms of the entities of a type that have a name or alias that begins so."""
    c = _entity.c
    wanted = select(c.id).where(c.number.in_(_called(key)), c.article_count > 0)
    if name != "entity":
        wanted = wanted.where(c.type == name)
    commonest = wanted.order_by(c.article_count.desc(), c.id).limit(MOST_BEGUN)
    return sorted(map(term_of, session.execute(commonest).scalars()))


def beginning(session: Session, key: str, limit: int) -> list[tuple[UUID, str, str, int]]:
    """Id, type, name and articles of the entities that `key` may become, commonest first."""
    c = _entity.c
    wanted = select(c.id, c.type, c.name, c.article_count)
    wanted = wanted.where(c.number.in_(_called(key)), c.article_count > 0)
    ranked = wanted.order_by(c.article_count.desc(), c.name_key, c.id).limit(limit)
    return [(row.id, row.type, row.name, row.article_count) for row in session.execute(ranked)]


# --- when


def timeline(
    session: Session, entity_id: UUID, filters: Filters, unit: Unit, zone: str
) -> list[Bucket]:
    """The entity's articles by period, periods without any included, undated ones left out.

    From the first to the last article, or to the filters' bounds. An article that is known
    by its day alone keeps that day in every zone.
    """
    number = stored(session, entity_id).number
    a, at = _appearance.c, _article.c.published_at
    if filters == _EVERY and zone == "UTC":
        by_day = select(a.day, func.count()).where(a.entity == number, a.day.is_not(None))
        rows = session.execute(by_day.group_by(a.day)).all()
        return counting.histogram(Counter({row[0]: row[1] for row in rows}), unit)
    joined = _article.join(_appearance, a.article_id == _article.c.id)
    dated = select(at).select_from(joined).where(a.entity == number, at.is_not(None))
    instants = session.execute(selecting.filtered(dated, filters)).scalars()
    local = ZoneInfo(zone)
    days = Counter(_day(instant, local) for instant in instants)
    since, until = filters.since, filters.until
    first = counting.day_in(local, since) if since else None
    last = counting.day_in(local, until - timedelta(microseconds=1)) if until else None
    return counting.histogram(days, unit, bounds=(first, last))


def _day(instant: datetime, zone: ZoneInfo) -> int:
    known_by_day = instant.timestamp() % 86_400 == 0
    return (instant if known_by_day else counting.day_in(zone, instant)).toordinal()
