"""Maintenance of a store: ends embargoes, drops old texts, erases what expires, completes erasures.

An erasure is committed at once and completed later: the erased words are removed from the unused
parts of the database, its write-ahead log, the index, and indexes that were set aside. Until then
the status reports it as pending and each call tries again, also after a crash.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Select, func, select, update
from sqlmodel import Session

from app.articles import expiry, removal
from app.errors import EngineBusy
from app.search.engine import Engine
from app.services import indexing
from app.settings import Settings
from app.store import locks, remnants, sequence
from app.store.database import Database
from app.store.models import tables

EXPIRED = 200
"""Most expired articles that one transaction erases."""

log = logging.getLogger(__name__)

_store, _story, _tombstone, _version = tables("store", "story", "tombstone", "article_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStatus:
    """What is stored beside the articles that show."""

    versions: Annotated[int, Field(description="Of all articles, with those that show.")]
    embargoed: Annotated[int, Field(description="Versions that are not due yet.")]
    hidden: Annotated[int, Field(description="Articles that are withheld or not due yet.")]
    removed: int
    erased: int
    erasures_pending: Annotated[
        int, Field(description="Erased articles whose words some file may still hold.")
    ]


@dataclass(slots=True)
class Looked:
    """The day and the store's last change at a caller's last search for expired articles."""

    at: tuple[date, int] | None = None


def tend(
    database: Database, engine: Engine, settings: Settings, looked: Looked | None = None
) -> None:
    """Do all that is due now. Raises EngineBusy while another process writes the index.

    With `looked`, the slow search for expired articles is skipped until day or store changes.
    """
    looked = looked or Looked()
    now = datetime.now(UTC)
    release(database, now=now)
    if settings.version_days is not None:
        drop(database, days=settings.version_days, now=now)
    if settings.keep_days is not None:
        with database.reading() as session:
            state = (now.date(), sequence.last_change(session))
        if looked.at != state:
            expire(database, keep_days=settings.keep_days, now=now)
            looked.at = state
    purge(database, engine, settings)


def release(database: Database, *, now: datetime) -> int:
    """Show the versions whose embargo ends by `now`; returns their number."""
    c = _version.c
    with database.reading() as session:
        due = session.execute(select(c.story_id).where(c.due_at <= now).limit(1)).one_or_none()
    if due is None:
        return 0
    with database.transaction() as session:
        released = expiry.release(session, now=now)
    log.info("embargo ended: %d versions", released)
    return released


def drop(database: Database, *, days: int, now: datetime) -> int:
    """Drop the texts of versions that have not been shown for `days`; returns their number."""
    total = 0
    while True:
        with database.reading() as session:
            if not expiry.old_texts(session, days=days, now=now, limit=1):
                break
        with database.transaction() as session:
            total += expiry.drop_texts(session, days=days, now=now)
    if total:
        log.info("texts dropped: %d versions not shown for %d days", total, days)
    return total


def expire(database: Database, *, keep_days: Mapping[str, int], now: datetime) -> int:
    """Erase the articles whose retention period is over; returns their number.

    Each transaction queries which are due, so several processes do not conflict and an
    interrupted run resumes.
    """
    total = 0
    while True:
        with database.reading() as session:
            if not expiry.expired(session, keep_days, now=now, limit=1):
                break
        with database.transaction() as session:
            due = expiry.expired(session, keep_days, now=now, limit=EXPIRED)
            removal.erase_all(session, due)
        total += len(due)
    if total:
        log.info("erased: %d expired articles", total)
    return total


def purge(database: Database, engine: Engine, settings: Settings) -> bool:
    """Remove the words of erased texts from every file; False while an erasure is still pending.

    Tables are rewritten in short transactions and the index is rebuilt beside the old one, so
    reads, writes and searches continue. Raises EngineBusy while another process does this or
    writes the index.
    """
    with database.reading() as session:
        if _pending(session) is None:
            return True
    with locks.one_at_a_time(settings.erasure_lock, EngineBusy):
        return _purge(database, engine, settings)


def _purge(database: Database, engine: Engine, settings: Settings) -> bool:
    with database.reading() as session:
        last = _pending(session)
    log.info("erasure: rewriting tables and index")
    remnants.rewrite(database)
    indexing.rebuild(database, engine, reason="an article was erased")
    engine.discard_damaged()
    replaced = settings.index_dir.with_name(f"{settings.index_dir.name}.replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    for log_of_another in settings.data_dir.glob("*-???.replaced"):
        log_of_another.unlink(missing_ok=True)
    if not database.truncate_log():
        log.info("erasure pending: a reader holds the write-ahead log")
        return False
    with database.transaction() as session:
        session.execute(update(_store).values(purged=last))
    database.truncate_log()
    log.info("erasure complete: no file holds the erased words")
    return True


def _pending(session: Session) -> int | None:
    """The last change with an erasure that is not completed; None if all are."""
    s = _store.c
    pending = select(s.erased).where(s.erased > s.purged)
    found: int | None = session.execute(pending).scalar_one_or_none()
    return found


def kept(session: Session) -> KeptStatus:
    """The counts of what is stored beside the articles that are shown."""
    s, t, c = _story.c, _tombstone.c, _version.c

    def count(statement: Select[Any]) -> int:
        return int(session.execute(statement).scalar_one())

    by_state = dict(
        session.execute(
            select(s.state, func.count()).where(s.state.is_not(None)).group_by(s.state)
        ).all()
    )
    joined = count(select(func.count()).select_from(_story).where(s.heir.is_not(None)))
    stories = count(select(func.count()).select_from(_story)) - joined - sum(by_state.values())
    purged = select(_store.c.purged).scalar_subquery()
    return KeptStatus(
        versions=count(select(func.count()).select_from(_version)),
        embargoed=count(select(func.count()).where(c.due_at.is_not(None))),
        hidden=stories - sequence.count(session),
        removed=by_state.get("removed", 0),
        erased=by_state.get("erased", 0),
        erasures_pending=count(select(func.count()).where(t.why == "erased", t.change > purged)),
    )
