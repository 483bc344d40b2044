"""The change number of a transaction: one for all its writes, taken at the first of them.

Each has a random token. A copy of a store that diverged uses the same numbers for other writes,
but never the same tokens: a follower that has read up to a write which the store lacks has read
another history. The newest KEPT tokens are kept, a megabyte or two; a follower further behind
starts over.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, insert, select, update
from sqlmodel import Session

from app.store.models import chunks, tables
from app.writes import Write

KEPT = 65_536
"""Least number of tokens that are kept, those of the newest changes."""
_DROPPED = 1_024  # tokens deleted at once, so that most writes delete none

_article, _store, _token = tables("article", "store", "write_token")


def take(session: Session) -> int:
    """This transaction's change number: taken at its first change, the same afterwards.

    The row stays locked until the commit, so numbers become visible in their order.
    """
    taken: int | None = session.info.get("change")
    if taken is None:
        step = update(_store).values(change=_store.c.change + 1).returning(_store.c.change)
        taken = session.info["change"] = session.execute(step).scalar_one()
        token = secrets.token_hex(8)
        session.execute(insert(_token).values(change=taken, token=token))
        if taken % _DROPPED == 0:
            session.execute(delete(_token).where(_token.c.change <= taken - KEPT))
    return taken


def stamp(session: Session, ids: Iterable[UUID]) -> None:
    """Set the change of the articles `ids` to this transaction's; without ids, take none."""
    for some in chunks(ids):
        change = take(session)
        session.execute(update(_article).where(_article.c.id.in_(some)).values(change=change))


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a store for a follower: id, last change, whether it has the follower's write."""

    store_id: UUID
    last: int
    holds: bool


def token_of(change: ColumnElement[int] | int) -> ScalarSelect[str]:
    """The token of a change as a subquery; null without one."""
    return select(_token.c.token).where(_token.c.change == change).scalar_subquery()


def standing(session: Session, write: Write) -> Standing:
    """The state of the store for a follower that has read up to `write`; one statement."""
    s = _store.c
    id_, change, token = session.execute(select(s.id, s.change, token_of(write.change))).one()
    return Standing(id_, change, token == write.token)


def holds(session: Session, write: Write) -> bool:
    """Whether the store has this write, and so every write before it."""
    return standing(session, write).holds


def last(session: Session) -> Write:
    """The store's last write; change 0 in a new store."""
    s = _store.c
    change, token = session.execute(select(s.change, token_of(s.change))).one()
    return Write(change, token or "")


def store_id(session: Session) -> UUID:
    """The id of this store, which its index carries too."""
    found: UUID = session.execute(select(_store.c.id)).scalar_one()
    return found


def last_change(session: Session) -> int:
    """The number of the last change; 0 in a new store."""
    return int(session.execute(select(_store.c.change)).scalar_one())


def count(session: Session) -> int:
    """The number of articles."""
    return int(session.execute(select(func.count()).select_from(_article)).scalar_one())
