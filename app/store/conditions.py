"""Filters as SQL conditions on the table of articles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from app.extract import spelling
from app.filters import ENTITIES, Choice, Filters, id_of
from app.store.models import tables

_alias, _article_entity, _article, _entity = tables("alias", "appearance", "article", "entity")
_name, _place = tables("article_name", "place")


def filtered(statement: Select[Any], filters: Filters) -> Select[Any]:
    """`statement` restricted to the articles that pass `filters`.

    Addresses and guids are ignored: `articles.read.resolved` turns them into ids.
    """
    c = _article.c
    columns = {"source": c.source_key, "language": c.language, "section": c.section_key}
    columns["domain"] = c.domain
    for name, choice in filters.named:
        if name in ENTITIES:
            statement = _having(statement, choice, partial(_mentioning, name))
            continue
        if name in ("author", "keyword"):
            statement = _having(statement, choice, partial(_named, name))
            continue
        column = columns[name]
        if choice.wanted:
            statement = statement.where(column.in_(choice.wanted))
        if choice.unwanted:
            statement = statement.where(func.coalesce(column, "").not_in(choice.unwanted))
    if filters.ids is not None:
        statement = statement.where(c.id.in_(filters.ids))
    if filters.day_bounds == (filters.since, filters.until):
        return statement.where(*_within(filters.since, filters.until))
    (since, until), (first_day, last_day) = (filters.since, filters.until), filters.day_bounds
    either = (
        since and first_day and min(since, first_day),
        until and max(until, last_day or until),
    )
    is_day = c.published_precision == "day"
    day = and_(is_day, *_within(first_day, last_day))
    statement = statement.where(*_within(*either))  # one interval, which an index serves
    return statement.where(or_(day, and_(~is_day, *_within(since, until))))


def _within(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    at = _article.c.published_at
    after = [at >= since] if since is not None else []
    return [*after, at < until] if until is not None else after


def _having(
    statement: Select[Any],
    choice: Choice,
    condition: Callable[[Sequence[str]], ColumnElement[bool]],
) -> Select[Any]:
    if choice.wanted:
        statement = statement.where(condition(choice.wanted))
    if choice.unwanted:
        statement = statement.where(~condition(choice.unwanted))
    return statement


def _named(name: str, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether an article has one of `keys` as an author or a keyword."""
    c = _name.c
    return _article.c.id.in_(select(c.article_id).where(c.field == name, c.key.in_(keys)))


def _mentioning(name: str, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether an article mentions an entity that one of `keys` stands for.

    A place without an entity matches by its name in the dateline.
    """
    numbers = meant(name, keys)
    of = select(_article_entity.c.article_id).where(_article_entity.c.entity.in_(numbers))
    holding = _article.c.id.in_(of)
    if name == "place":
        printed = select(_place.c.article_id).where(_place.c.place_key.in_(keys))
        return or_(holding, _article.c.id.in_(printed))
    return holding


def meant(name: str, keys: Sequence[str]) -> Select[Any]:
    """The numbers of the entities of a type (`entity`: of any) that `keys` stand for.

    A key is a folded name, for every entity with that name or alias, or the term of an id, for
    the entity that it was merged into.
    """
    ids = [id_ for key in keys if (id_ := id_of(key)) is not None]
    stands_for = _entity.alias("stands_for")
    surnames = {spelling.alone(key) for key in keys} - {""}
    person = select(_entity.c.number).where(_entity.c.type == "person")
    called = select(_alias.c.entity).where(_alias.c.key.in_(keys))
    surnamed = select(_alias.c.entity).where(_alias.c.surname.in_(surnames))
    surnamed = surnamed.where(_alias.c.entity.in_(person))
    own = func.coalesce(_entity.c.heir, _entity.c.number)
    given = select(own).where(_entity.c.id.in_(ids))
    found = select(stands_for.c.number).where(
        stands_for.c.number.in_(called.union_all(surnamed, given))
    )
    return found if name == "entity" else found.where(stands_for.c.type == name)
