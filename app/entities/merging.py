"""Operators' decisions on entities: merge two, split one, rename one.

A decision is stored apart from the mentions, so that it applies to later extractions too. Stored
mentions are updated in the same transaction; articles whose mentions change get its change number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import Session

from app.entities import counts, mentions
from app.errors import NotFound, RequestError
from app.store import sequence
from app.store.models import chunks, execute_all, tables
from app.text import fold

_alias, _article_entity, _entity, _reassignment = tables("alias", "appearance", "entity", "split")


def merge(session: Session, entity_id: UUID, into_id: UUID) -> int:
    """Merge one entity into another; returns the number of articles that changed.

    The merged id redirects to the other, which keeps its type. Merging an entity that was split
    off back into its origin undoes the split. Raises NotFound, and RequestError if both are one
    already.
    """
    merged, into = _standing(session, entity_id), _standing(session, into_id)
    if merged.number == into.number:
        raise RequestError(f"{entity_id} and {into_id} are one entity already")
    c = _entity.c
    held = _articles(session, merged.number)
    session.execute(
        update(_entity)
        .where(or_(c.number == merged.number, c.heir == merged.number))
        .values(heir=into.number)
    )
    a = _alias.c
    kept = session.execute(select(a.label).where(a.entity == merged.number, a.kept)).scalars()
    counts.keep(session, [(into.number, label) for label in (merged.name, *kept)])
    session.execute(delete(_alias).where(a.entity == merged.number, a.called == 0))
    session.execute(update(_alias).where(a.entity == merged.number).values(kept=False))
    concerned = _hand_on_splits(session, merged.number, into.number)
    return mentions.reassign(session, list(dict.fromkeys([*held, *concerned])))


def split(session: Session, entity_id: UUID, name: str, article_ids: Sequence[UUID]) -> UUID:
    """Reassign the entity to another one, called `name`, in some articles; returns its id.

    An existing entity of that name and type is taken; a namesake needs a name of its own, such as
    `Ada Byron (sailor)`. Raises NotFound for an article without the entity, and RequestError if
    the name is that of the same entity.
    """
    origin = _standing(session, entity_id)
    held = set(_articles(session, origin.number))
    for article_id in article_ids:
        if article_id not in held:
            raise NotFound(f"article with {origin.name}", str(article_id))
    wanted = mentions.entity_key(origin.type, name)
    number = mentions.ensure(session, [wanted])[wanted.id]
    target = _standing(session, wanted.id)
    if target.number == origin.number:
        raise RequestError(f"{name} is the name of {origin.name} itself: choose another one")
    if number == target.number:
        _name(session, number, name)
    s = _reassignment.c
    for some in chunks(article_ids):
        # Reassignments to this entity in these articles now go to the new one, which has none.
        session.execute(
            update(_reassignment)
            .where(s.target == origin.number, s.article_id.in_(some))
            .values(target=target.number)
        )
        session.execute(
            delete(_reassignment).where(s.entity == target.number, s.article_id.in_(some))
        )
    rows = [
        {"entity": origin.number, "article_id": article_id, "target": target.number}
        for article_id in dict.fromkeys(article_ids)
    ]
    step = upsert(_reassignment)
    step = step.on_conflict_do_update(
        index_elements=["entity", "article_id"], set_={"target": step.excluded.target}
    )
    execute_all(session, step, rows)
    mentions.reassign(session, list(dict.fromkeys(article_ids)))
    found: UUID = target.id
    return found


def rename(session: Session, entity_id: UUID, name: str) -> int:
    """Rename the entity; returns the number of its articles.

    These get the change number, since they show the name. Id and aliases stay.
    """
    entity = _standing(session, entity_id)
    _name(session, entity.number, name)
    held = _articles(session, entity.number)
    sequence.stamp(session, held)
    return len(held)


def _name(session: Session, number: int, name: str) -> None:
    if not fold(name):
        raise RequestError("a name needs at least one letter or digit")
    values = {"name": name, "name_key": fold(name), "name_fixed": True}
    session.execute(update(_entity).where(_entity.c.number == number).values(values))
    counts.keep(session, [(number, name)])


def _standing(session: Session, entity_id: UUID) -> Row[Any]:
    """The entity of an id, or the one that it was merged into; raises NotFound."""
    c = _entity.c
    row = session.execute(select(_entity).where(c.id == entity_id)).one_or_none()
    if row is None:
        raise NotFound("entity", str(entity_id))
    if row.heir is not None:
        row = session.execute(select(_entity).where(c.number == row.heir)).one()
    return row


def _articles(session: Session, number: int) -> list[UUID]:
    held = select(_article_entity.c.article_id).where(_article_entity.c.entity == number)
    return list(session.execute(held).scalars())


def _hand_on_splits(session: Session, merged: int, into: int) -> list[UUID]:
    """Transfer the reassignments of a merged entity to the other; returns the articles concerned.

    If both were reassigned in an article, the other's is kept. One that now maps the other to
    itself is dropped.
    """
    c, s = _entity.c, _reassignment.c
    same = set(
        session.execute(select(c.number).where(or_(c.number == into, c.heir == into))).scalars()
    )
    rows = session.execute(
        select(_reassignment).where(or_(s.entity.in_((merged, into)), s.target.in_(same)))
    ).all()
    own = {row.article_id for row in rows if row.entity == into}
    session.execute(delete(_reassignment).where(s.entity == merged))
    handed = [
        {"entity": into, "article_id": row.article_id, "target": row.target}
        for row in rows
        if row.entity == merged and row.article_id not in own
    ]
    execute_all(session, insert(_reassignment), handed)
    session.execute(delete(_reassignment).where(s.entity == into, s.target.in_(same)))
    return [row.article_id for row in rows]
