"""What time asks of a store: embargoes that end, old texts that go, erasures to carry through.

An erasure is committed at once and then carried through: the words of the erased text go out
of the write-ahead log, the index, and indexes that were set aside. Until that has succeeded the
status tells that it is pending, and each call tries again; so a crash loses none.
"""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from app import articles, indexing, removal
from app.models import metadata

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlmodel import Session

    from app.database import Database
    from app.search.base import Engine
    from app.settings import Settings

log = logging.getLogger(__name__)

_store = metadata.tables["store"]
_story = metadata.tables["story"]
_tombstone = metadata.tables["tombstone"]
_version = metadata.tables["article_version"]


def tend(database: Database, engine: Engine, settings: Settings) -> None:
    """Do all that is due now. Raises EngineBusy while another process writes the index."""
    now = datetime.now(UTC)
    release(database, now=now)
    if settings.version_days is not None:
        drop(database, days=settings.version_days, now=now)
    purge(database, engine, settings)


def release(database: Database, *, now: datetime) -> int:
    """Show what is under an embargo that is over by `now`; how many versions."""
    c = _version.c
    with database.reading() as session:
        due = session.execute(select(c.story_id).where(c.due_at <= now).limit(1)).one_or_none()
    if due is None:
        return 0
    with database.transaction() as session:
        released = removal.release(session, now=now)
    log.info("embargo ended: %d versions", released)
    return released


def drop(database: Database, *, days: int, now: datetime) -> int:
    """Drop the texts of versions that have not shown for `days`; how many."""
    total = 0
    while True:
        with database.reading() as session:
            if not removal.old_texts(session, days=days, now=now, limit=1):
                break
        with database.transaction() as session:
            total += removal.drop_texts(session, days=days, now=now)
    if total:
        log.info("texts dropped: %d versions not shown for %d days", total, days)
    return total


def purge(database: Database, engine: Engine, settings: Settings) -> bool:
    """Take the words of erased texts out of every file; whether none is pending any more.

    The index is built anew beside the old one, so searches go on. Raises EngineBusy while
    another process writes it.
    """
    with database.reading() as session:
        last = _pending(session)
    if last is None:
        return True
    log.info("carrying through an erasure: building the index anew")
    indexing.rebuild(database, engine, reason="an article was erased")
    engine.discard_damaged()
    replaced = settings.index_dir.with_name(f"{settings.index_dir.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if not database.truncate_log():
        log.info("the erasure is not through: a reader holds the write-ahead log")
        return False
    with database.transaction() as session:
        session.execute(update(_store).values(purged=last))
    database.truncate_log()
    log.info("the erasure is through: no file holds the words of what was erased")
    return True


def _pending(session: Session) -> int | None:
    """The last change that erased something and is not carried through; None where all are."""
    s = _store.c
    pending = select(s.erased).where(s.erased > s.purged)
    found: int | None = session.execute(pending).scalar_one_or_none()
    return found


def kept(session: Session) -> dict[str, int]:
    """What is stored beside the articles that show, counted."""
    s, t, c = _story.c, _tombstone.c, _version.c

    def count(statement: Select[Any]) -> int:
        found: int = session.execute(statement).scalar_one()
        return found

    by_state = dict(
        session.execute(
            select(s.state, func.count()).where(s.state.is_not(None)).group_by(s.state)
        ).all()
    )
    joined = count(select(func.count()).select_from(_story).where(s.heir.is_not(None)))
    stories = count(select(func.count()).select_from(_story)) - joined - sum(by_state.values())
    purged = select(_store.c.purged).scalar_subquery()
    return {
        "versions": count(select(func.count()).select_from(_version)),
        "embargoed": count(select(func.count()).where(c.due_at.is_not(None))),
        "hidden": stories - articles.count(session),
        "removed": by_state.get("removed", 0),
        "erased": by_state.get("erased", 0),
        "erasures_pending": count(select(func.count()).where(t.why == "erased", t.change > purged)),
    }
