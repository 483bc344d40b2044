"""What operators decide of entities: merge two, split one, name one.

A decision is kept beside the mentions, so it holds when articles are read again, and acts on
what is stored in the same transaction. Articles whose mentions change take its change.
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
    """Make one entity part of another; the number of articles that this changed.

    The id of the merged one leads to the other from now on. Merging a part that was split off
    back into its origin undoes the split. The type of the other stays where they differ. Raises
    NotFound, and RequestError where both are one already.
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
    """Make the entity another one, called `name`, in some articles; the id of that one.

    Two entities of one name need different names here, such as `Ada Byron (sailor)`; where
    an entity of that name and type exists, it is that one. Raises NotFound for an article
    without the entity, and RequestError where the name leads to the same entity.
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
        # What leads here in these articles leads on to the new one; nothing leads away from it.
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
    """Show the entity under `name` from now on; the number of its articles.

    They take the change, because they show the name. The id stays, and so do all aliases.
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
    """Make the splits of a merged entity those of the other; the articles that this concerns.

    Where both were split in an article, the other's own holds. A split that leads from the
    other to itself now is dropped: the two were merged again.
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
