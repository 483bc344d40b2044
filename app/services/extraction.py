"""Keeps mentions in step with the articles: reads what changed, in batches, and resumes.

Extraction follows the change number as an index does, with a cursor in the store. What is
up to date by its extraction row (version of the article, version of the extractor) is
passed over, so the change that a batch takes for its own writing is read and not done again.
A batch is one transaction: a crash loses nothing that was written. The cursor moves in a store
that has what it was read from, not in another that took its place meanwhile.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, Select, func, select, update
from sqlmodel import Session

from app.entities import counts, mentions
from app.entities.mentions import ExtractionResult
from app.errors import ExtractorBusy
from app.extract.base import Extractor, Failure, Text
from app.store import locks, sequence
from app.store.database import Database
from app.store.models import among, tables

log = logging.getLogger(__name__)

BATCH = 1_000
"""Articles that are looked through at once; a change of more is looked through whole."""
WRITTEN = 100
"""Articles of a transaction: it bounds what a crash makes us do again, and how long others wait."""

_FIELDS = ("headline", "summary", "caption", "dateline", "body", "language")
_article, _extraction, _store = tables("article", "extraction", "store")


@dataclass(slots=True)
class Swept:
    """What a sweep did: articles read, those whose mentions changed, those that failed."""

    read: int = 0
    changed: int = 0
    failed: int = 0
    cursor: int = 0


@dataclass(frozen=True, slots=True)
class ExtractionStatus:
    """The finding of people, organizations and places."""

    extractor: Annotated[str | None, Field(description="Version of the one that read so far.")]
    cursor: Annotated[int, Field(description="Last change that it has read.")]
    lag: Annotated[int, Field(description="Changes that it has not read yet.")]
    failures: Annotated[int, Field(description="Articles that it could not read.")]


@dataclass(frozen=True, slots=True)
class Failed:
    """An article that could not be read."""

    id: UUID
    headline: str
    error: str


def sweep(
    database: Database,
    extractor: Extractor,
    lock: Path,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Swept:
    """Read all articles that changed since the last sweep, or that another version has read.

    Resumes where an earlier one ended, however that ended. `progress` is called with the
    number of articles of each transaction, `stop` is asked before each. Raises ExtractorBusy
    while another process holds `lock`.
    """
    done = Swept()
    with locks.one_at_a_time(lock, ExtractorBusy):
        version = extractor.version
        done.cursor = _begin(database, version)
        while not stop():
            with database.reading() as session:
                done.cursor = session.execute(select(_store.c.extracted)).scalar_one()
                seen = sequence.last(session)
                changed, last = _changed(session, done.cursor, version)
            if last is None:
                break
            for readings in _read(database, extractor, changed):
                _write(database, readings, version, done)
                if progress is not None:
                    progress(len(readings))
                if stop():
                    return done
            with database.transaction() as session:
                if not sequence.holds(session, seen):
                    log.warning("extraction goes on: change %d is not in the database", seen.change)
                    continue
                session.execute(update(_store).values(extracted=last))
            done.cursor = last
    return done


def waiting(database: Database, version: str) -> int:
    """How many articles a sweep by this version would read."""
    with database.reading() as session:
        store = session.execute(select(_store.c.extracted, _store.c.extractor)).one()
        cursor = store.extracted if store.extractor == version else 0
        due = _due(select(func.count()), cursor, version)
        return int(session.execute(due).scalar_one())


def _due(statement: Select[Any], cursor: int, version: str) -> Select[Any]:
    """`statement` about the articles after `cursor` that `version` has not read as they are."""
    a, x = _article.c, _extraction.c
    current = (x.article_id == a.id) & (x.digest == a.digest) & (x.version == version)
    wanted = statement.select_from(_article.outerjoin(_extraction, current))
    return wanted.where(a.change > cursor, x.article_id.is_(None))


def state(session: Session) -> ExtractionStatus:
    """How far extraction is; `lag` counts the changes that it has not read."""
    store = session.execute(select(_store)).one()
    failures = select(func.count()).where(_extraction.c.error.is_not(None))
    lag = store.change - store.extracted
    return ExtractionStatus(
        store.extractor, store.extracted, lag, session.execute(failures).scalar_one()
    )


def failures(session: Session) -> Iterator[Failed]:
    """The articles that could not be read, in the order of their ids."""
    a, x = _article.c, _extraction.c
    failed = select(a.id, a.headline, x.error).join(_extraction, x.article_id == a.id)
    for row in session.execute(failed.where(x.error.is_not(None)).order_by(a.id)):
        yield Failed(*row)


def _begin(database: Database, version: str) -> int:
    """The cursor to go on from; 0 where another version has read so far."""
    with database.reading() as session:
        store = session.execute(select(_store.c.extracted, _store.c.extractor)).one()
    if store.extractor == version:
        cursor: int = store.extracted
        return cursor
    if store.extractor is not None:
        log.info("extraction starts again: by %s, not %s", version, store.extractor)
    with database.transaction() as session:
        session.execute(update(_store).values(extracted=0, extractor=version))
    return 0


def _changed(
    session: Session, cursor: int, version: str
) -> tuple[list[tuple[UUID, str]], int | None]:
    """Ids and digests of the articles after `cursor` that are due, and the last change seen.

    Whole changes only. The change is None when nothing is left.
    """
    a = _article.c
    first = select(a.change).where(a.change > cursor).order_by(a.change).limit(BATCH).subquery()
    last: int | None = session.execute(select(func.max(first.c.change))).scalar_one()
    if last is None:
        last = sequence.last_change(session)  # the last changes may all be removals
        return [], last if last > cursor else None
    due = _due(select(a.id, a.digest).where(a.change <= last), cursor, version)
    rows = session.execute(due.order_by(a.change, a.id))
    return [(row.id, row.digest) for row in rows], last


def _read(
    database: Database, extractor: Extractor, due: list[tuple[UUID, str]]
) -> Iterator[list[ExtractionResult]]:
    """What the extractor finds in the articles that are due, a transaction's worth at a time."""
    for start in range(0, len(due), BATCH):
        with database.reading() as session:
            rows = list(_texts(session, due[start : start + BATCH]))
        texts = [Text(**{name: row._mapping[name] for name in _FIELDS}) for row in rows]
        found = extractor.extract(texts)
        readings = (
            ExtractionResult(row.id, row.digest, each)
            for row, each in zip(rows, found, strict=True)
        )
        yield from _transactions(readings)


def _transactions(readings: Iterable[ExtractionResult]) -> Iterator[list[ExtractionResult]]:
    """The readings in lists that are written at once: few of those that have many names."""
    part: list[ExtractionResult] = []
    rows = 0
    for each in readings:
        more = 0 if isinstance(each.found, Failure) else counts.rows(each.found)
        if part and (len(part) == WRITTEN or rows + more > counts.MOST_ROWS):
            yield part
            part, rows = [], 0
        part.append(each)
        rows += more
    if part:
        yield part


def _texts(session: Session, due: Iterable[tuple[UUID, str]]) -> Iterator[Row[Any]]:
    """The texts of the articles that are still as they were; others come with a later change."""
    c = _article.c
    columns = [c[name] for name in _FIELDS]
    wanted = dict(due)
    rows = among(session, select(c.id, c.digest, *columns), c.id, wanted)
    found = {row.id: row for row in rows}
    yield from (
        row for id_ in wanted if (row := found.get(id_)) is not None and row.digest == wanted[id_]
    )


def _write(database: Database, readings: list[ExtractionResult], version: str, done: Swept) -> None:
    with database.transaction() as session:
        done.changed += mentions.write(session, readings, version=version)
    done.read += len(readings)
    for each in readings:
        if isinstance(each.found, Failure):
            done.failed += 1
            log.warning("extraction failed for article %s: %s", each.article_id, each.found.reason)
