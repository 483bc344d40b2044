"""Expiry: embargoes that end, and texts and articles whose retention period is over.

Ends embargoes and drops texts in the session's transaction; expired articles are only listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, func, select, update
from sqlmodel import Session

from app import filters
from app.articles import removal
from app.store.models import chunks, execute_all, tables

_article, _story, _version = tables("article", "story", "article_version")


def release(session: Session, *, now: datetime) -> int:
    """Show the versions whose embargo ends by `now`; returns their number."""
    c = _version.c
    due = session.execute(select(c.story_id, c.number).where(c.due_at <= now)).all()
    for some in chunks(due):
        stories = removal.opened(session)
        found = {story.id: story for story in stories.read(row.story_id for row in some)}
        for row in some:
            version = found[row.story_id].numbered(row.number)
            if version is not None:
                version.due_at = None
        stories.write()
    return len(due)


def old_texts(session: Session, *, days: int, now: datetime, limit: int) -> list[Row[Any]]:
    """Versions (story and number) with a text that has not been shown for `days`.

    None of a removed or withheld article, which may be shown again.
    """
    c = _version.c
    old = select(c.story_id, c.number).where(
        c.hidden_at < now - timedelta(days=days),
        c.fields.is_not(None),
        c.due_at.is_(None),
        c.story_id.in_(select(_article.c.id)),
    )
    return list(session.execute(old.limit(limit)).all())


def drop_texts(session: Session, *, days: int, now: datetime, limit: int = 500) -> int:
    """Drop the texts of `old_texts`, `limit` at most; returns their number.

    Number, rank and digest are kept, so that loading such a text again changes nothing.
    """
    rows = old_texts(session, days=days, now=now, limit=limit)
    c = _version.c
    same = (c.story_id == bindparam("_id")) & (c.number == bindparam("_number"))
    places = [{"_id": row.story_id, "_number": row.number} for row in rows]
    execute_all(session, update(_version).where(same).values(fields=None), places)
    return len(rows)


def expired(
    session: Session, keep_days: Mapping[str, int], *, now: datetime, limit: int
) -> list[UUID]:
    """Stories whose retention period is over, shown or not; `limit` at most.

    `keep_days` is by source (`""`: all others). Days count from `published_at`, without one from
    arrival, and end with a day of UTC, so that files are rewritten once a day.
    """
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = {filters.key("source", name): today - timedelta(days=n) for name, n in keep_days.items()}
    rest = ends.pop("", None)
    due: list[UUID] = []
    for part in (_expired_shown, _expired_hidden):
        if len(due) < limit:
            due += part(session, ends, rest, limit - len(due))
    return due


def _expired_shown(
    session: Session, ends: Mapping[str, datetime], rest: datetime | None, limit: int
) -> list[UUID]:
    a, v = _article.c, _version.c
    arrived = select(func.min(v.arrived_at)).where(v.story_id == a.id).scalar_subquery()
    own = [(a.source_key == key, end) for key, end in ends.items()]
    if rest is not None:
        own.append((func.coalesce(a.source_key, "").not_in(ends), rest))
    due: list[UUID] = []
    for of_source, end in own:
        for is_old in (a.published_at < end, and_(a.published_at.is_(None), arrived < end)):
            if len(due) < limit:
                found = select(a.id).where(of_source, is_old).limit(limit - len(due))
                due += session.scalars(found)
    return due


def _expired_hidden(
    session: Session, ends: Mapping[str, datetime], rest: datetime | None, limit: int
) -> list[UUID]:
    """Expired stories without an article, by their latest date and the last source they name."""
    s, v = _story.c, _version.c
    columns = (v.fields["source"].as_string(), v.fields["published_at"].as_string())
    rows = session.execute(
        select(v.story_id, *columns, v.arrived_at)
        .join(_story, s.id == v.story_id)
        .where(s.state.is_distinct_from("erased"), s.id.not_in(select(_article.c.id)))
        .order_by(v.story_id, v.number)
    )
    due: list[UUID] = []
    for id_, versions in groupby(rows, key=lambda row: row.story_id):
        known = [tuple(row) for row in versions]
        source = next((row[1] for row in reversed(known) if row[1] is not None), "")
        dates = [datetime.fromisoformat(row[2]) for row in known if row[2] is not None]
        end = ends.get(filters.key("source", source), rest)
        if end is not None and max(dates, default=known[0][3]) < end:
            due.append(id_)
            if len(due) == limit:
                break
    return due
