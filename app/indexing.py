"""Keeps an index in step with the database: sync, rebuild, check. The only writer of an engine.

The database is right and the index is its copy: each function reads the one and writes
the other. An index that is missing, damaged, of another store or of another analysis is
built anew beside it and swapped in. Nothing is written to the database here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app import articles, text
from app.errors import BroadsheetError, IndexDamaged, IndexMissing
from app.search.base import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from app.database import Database
    from app.search.base import Engine

log = logging.getLogger(__name__)

BATCH = 2_500
"""Articles a commit of the index: it bounds memory and what a crash makes us do again."""


class Stopped(BroadsheetError):
    """A rebuild was given up because the program stops; what was there stays in use."""


@dataclass(frozen=True, slots=True)
class State:
    """What an index is fit for; `detail` says why it is not ready."""

    name: Literal["ready", "missing", "damaged", "outdated"]
    detail: str | None
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: articles written to the index, its cursor, why it was rebuilt."""

    applied: int
    cursor: int
    rebuilt: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found; empty lists mean that index and database agree.

    missing: stored, not in the index. extra: in the index, not stored. outdated: in the
    index at another change. pending: changes that the index has not taken in yet, which is
    no difference. damaged: why the index can't be compared at all.
    """

    articles: int
    cursor: int
    pending: int
    missing: list[UUID] = field(default_factory=list)
    extra: list[UUID] = field(default_factory=list)
    outdated: list[UUID] = field(default_factory=list)
    damaged: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.extra or self.outdated or self.damaged)


def sync(
    database: Database,
    engine: Engine,
    *,
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Synced:
    """Bring the index up to the database's last change; rebuilds it where it must be.

    Resumes where an earlier run ended, however that ended. `progress` is called with the
    number of articles of each batch, `stop` is asked before each: a sync that is stopped
    keeps what it has done, a rebuild is given up. Raises EngineBusy when another process
    writes the index.
    """
    found = state(database, engine)
    if found.cursor is not None and found.name == "ready":
        try:
            return Synced(*_follow(database, engine, found.cursor, progress, stop))
        except IndexDamaged as error:
            found = State("damaged", error.reason, None)
    if found.name == "missing":
        log.info("building the index: there is none yet")
    else:
        log.warning("building the index anew: %s", found.detail)
    return rebuild(database, engine, reason=found.detail, progress=progress, stop=stop)


def rebuild(
    database: Database,
    engine: Engine,
    *,
    reason: str | None = "asked for",
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Synced:
    """Build the index anew from the database and swap it in; searches go on meanwhile."""
    with database.reading() as session:
        store_id = articles.store_id(session)
    with engine.rebuilding(store_id) as beside:
        applied, cursor = _follow(database, beside, 0, progress, stop)
        if stop():
            raise Stopped
    return Synced(applied, cursor, reason)


def state(database: Database, engine: Engine) -> State:
    """Whether the index can follow the database, or why it must be built anew."""
    try:
        stamp = engine.stamp()
        engine.verify()
    except IndexMissing as error:
        return State("missing", error.reason, None)
    except IndexDamaged as error:
        return State("damaged", error.reason, None)
    with database.reading() as session:  # after the stamp: what it has taken in is committed
        store_id = articles.store_id(session)
        last = articles.last_change(session)
    detail = None
    if stamp.store_id != store_id:
        detail = f"it belongs to another store, {stamp.store_id}"
    elif stamp.schema_version != SCHEMA_VERSION:
        detail = f"its schema is version {stamp.schema_version}, not {SCHEMA_VERSION}"
    elif stamp.analyzer_version != text.ANALYZER_VERSION:
        detail = f"its analysis is version {stamp.analyzer_version}, not {text.ANALYZER_VERSION}"
    elif stamp.cursor > last:
        detail = f"it is ahead of the database: change {stamp.cursor}, not {last}"
    return State("outdated" if detail else "ready", detail, stamp.cursor)


def check(database: Database, engine: Engine) -> Report:
    """Compare the ids and changes of index and database; writes nothing.

    The order of the three looks matters: what the index had taken in at the first is in
    the second, and what the third shows as changed later is no difference.
    """
    found = state(database, engine)
    indexed: dict[UUID, int] = {}
    cursor = found.cursor or 0
    reason = found.detail
    if reason is None:
        try:
            indexed = dict(engine.entries())
        except (IndexDamaged, IndexMissing) as error:
            reason = error.reason
    with database.reading() as session:
        last = articles.last_change(session)
        stored = dict(articles.versions(session))
        removed = articles.removed_since(session, cursor)
    if reason is not None:
        return Report(len(stored), cursor, last - cursor, damaged=reason)
    report = Report(len(stored), cursor, last - cursor)
    for id_, change in stored.items():
        if change > cursor:
            continue
        if id_ not in indexed:
            report.missing.append(id_)
        elif indexed[id_] != change:
            report.outdated.append(id_)
    report.extra.extend(indexed.keys() - stored.keys() - removed)
    return report


def repair(database: Database, engine: Engine, report: Report) -> Synced:
    """Make good what `report` found wrong."""
    if report.damaged is not None:
        return rebuild(database, engine, reason=report.damaged)
    ids = [*report.missing, *report.extra, *report.outdated]
    for start in range(0, len(ids), BATCH):
        with database.reading() as session:
            changes = articles.states(session, ids[start : start + BATCH])
        engine.apply(changes, engine.stamp().cursor)
    return Synced(len(ids), engine.stamp().cursor)


def _follow(
    database: Database,
    engine: Engine,
    cursor: int,
    progress: Callable[[int], None] | None,
    stop: Callable[[], bool],
) -> tuple[int, int]:
    applied = 0
    while not stop():
        with database.reading() as session:
            changes = articles.changed_since(session, cursor, limit=BATCH)
        if not changes:
            break
        cursor = changes[-1].change
        engine.apply(changes, cursor)
        applied += len(changes)
        if progress is not None:
            progress(len(changes))
    return applied, cursor
