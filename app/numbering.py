"""The change number of a transaction: one for all that it writes, taken at the first change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from app.models import chunks, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from sqlmodel import Session

_article = metadata.tables["article"]
_store = metadata.tables["store"]


def take(session: Session) -> int:
    """This transaction's change number: taken at its first change, the same afterwards.

    The row stays locked until the commit, so numbers become visible in their order.
    """
    taken: int | None = session.info.get("change")
    if taken is None:
        step = update(_store).values(change=_store.c.change + 1).returning(_store.c.change)
        taken = session.info["change"] = session.execute(step).scalar_one()
    return taken


def stamp(session: Session, ids: Iterable[UUID]) -> None:
    """Give the articles `ids` this transaction's change; takes none where there are no ids."""
    for some in chunks(ids):
        change = take(session)
        session.execute(update(_article).where(_article.c.id.in_(some)).values(change=change))
