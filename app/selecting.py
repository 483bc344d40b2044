"""Filters as conditions of SQL: which articles a statement over the table of articles reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from app.filters import ENTITIES, id_of
from app.models import metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.filters import Choice, Filters

_alias = metadata.tables["alias"]
_appearance = metadata.tables["appearance"]
_article = metadata.tables["article"]
_entity = metadata.tables["entity"]
_place = metadata.tables["place"]


def filtered(statement: Select[Any], filters: Filters) -> Select[Any]:
    """`statement` with only the articles that pass `filters`."""
    c = _article.c
    columns = {"source": c.source_key, "language": c.language, "section": c.section_key}
    for name, choice in filters.named:
        if name in ENTITIES:
            statement = _mentioning(statement, name, choice)
            continue
        column = columns[name]
        if choice.wanted:
            statement = statement.where(column.in_(choice.wanted))
        if choice.unwanted:
            statement = statement.where(func.coalesce(column, "").not_in(choice.unwanted))
    if filters.since is not None:
        statement = statement.where(c.published_at >= filters.since)
    if filters.until is not None:
        statement = statement.where(c.published_at < filters.until)
    return statement


def _mentioning(statement: Select[Any], name: str, choice: Choice) -> Select[Any]:
    if choice.wanted:
        statement = statement.where(_holding(name, choice.wanted))
    if choice.unwanted:
        statement = statement.where(~_holding(name, choice.unwanted))
    return statement


def _holding(name: str, keys: Sequence[str]) -> ColumnElement[bool]:
    """Whether an article mentions an entity that one of `keys` stands for.

    A place that no entity stands for is found by its name in the dateline.
    """
    numbers = meant(name, keys)
    of = select(_appearance.c.article_id).where(_appearance.c.entity.in_(numbers))
    holding = _article.c.id.in_(of)
    if name == "place":
        printed = select(_place.c.article_id).where(_place.c.place_key.in_(keys))
        return or_(holding, _article.c.id.in_(printed))
    return holding


def meant(name: str, keys: Sequence[str]) -> Select[Any]:
    """The numbers of the entities of a type (`entity`: of any) that `keys` stand for.

    A key is a folded name, which stands for every entity of that name or alias, or the term
    of an id, which stands for its heir where it was merged.
    """
    ids = [id_ for key in keys if (id_ := id_of(key)) is not None]
    heir = _entity.alias("heir")
    called = select(_alias.c.entity).where(_alias.c.key.in_(keys))
    own = func.coalesce(_entity.c.heir, _entity.c.number)
    given = select(own).where(_entity.c.id.in_(ids))
    found = select(heir.c.number).where(heir.c.number.in_(called.union_all(given)))
    return found if name == "entity" else found.where(heir.c.type == name)
