"""Keeps mentions in step with the articles: extracts from what changed, in batches; resumable.

Extraction follows the change number as an index does, with a cursor in the store. It skips an
article whose extraction row has the article's digest and the extractor's version, so the changes
that it makes itself cause no further work. Each batch is one transaction: a crash loses nothing
that was written. The cursor is not moved in a store that replaced the one read from.
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
"""Articles that the cursor advances by at once; a change with more is not split."""
WRITTEN = 100
"""Most articles per transaction: bounds the work lost in a crash and the wait of other writers."""

_FIELDS = ("headline", "summary", "caption", "dateline", "body", "language")
_article, _extraction, _store = tables("article", "extraction", "store")


@dataclass(slots=True)
class Swept:
    """The result of a sweep: articles read, changed in their mentions and failed; the cursor."""

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
    """Extract from all articles that are new, changed or extracted by another version.

    Resumes where an earlier sweep ended, even by a crash. `progress` is called with the number of
    articles of each transaction, `stop` between transactions. Raises ExtractorBusy while another
    thread or process has `lock`.
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
    """The number of articles that a sweep by this version would extract from."""
    with database.reading() as session:
        store = session.execute(select(_store.c.extracted, _store.c.extractor)).one()
        cursor = store.extracted if store.extractor == version else 0
        due = _due(select(func.count()), cursor, version)
        return int(session.execute(due).scalar_one())


def _due(statement: Select[Any], cursor: int, version: str) -> Select[Any]:
    """`statement` for the articles after `cursor` without a current extraction by `version`."""
    a, x = _article.c, _extraction.c
    current = (x.article_id == a.id) & (x.digest == a.digest) & (x.version == version)
    wanted = statement.select_from(_article.outerjoin(_extraction, current))
    return wanted.where(a.change > cursor, x.article_id.is_(None))


def state(session: Session) -> ExtractionStatus:
    """The progress of extraction; `lag` is the number of changes after its cursor."""
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
    """The cursor to resume from; reset to 0 if it is that of another version."""
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
    """The extractor's results for the articles that are due, in lists for one transaction each."""
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
    """The results in lists for one transaction each, bounded by articles and by rows."""
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
    """The texts of the articles whose digest is unchanged; the others have a later change."""
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
