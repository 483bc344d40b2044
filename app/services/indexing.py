"""Keeps an index in step with the database: sync, rebuild, check. The only writer of an engine.

The database is authoritative and only read here. An index that is missing, damaged, or of another
store, history, schema or analyzer version is rebuilt beside the old one and swapped in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlmodel import Session

from app import text
from app.articles import changes as articles_changes
from app.errors import BroadsheetError, IndexDamaged, IndexForeign, IndexMissing
from app.search.engine import SCHEMA_VERSION, Engine
from app.store import sequence
from app.store.database import Database
from app.writes import NO_WRITE, Write

log = logging.getLogger(__name__)

BATCH = 2_500
"""Articles per commit of the index: bounds memory and the work lost in a crash."""


class SyncStopped(BroadsheetError):
    """A rebuild was abandoned because the program stops; the old index stays in use."""


StateName = Literal["ready", "missing", "damaged", "outdated"]


@dataclass(frozen=True, slots=True)
class IndexState:
    """Whether an index can be used; `detail` says why it is not ready."""

    name: StateName
    detail: str | None
    cursor: int | None


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: articles written to the index, its cursor, why it was rebuilt."""

    applied: int
    cursor: int
    rebuilt: str | None = None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What `check` found; empty lists mean that index and database agree.

    missing: stored, not in the index. extra: in the index, not stored. outdated: in the
    index at another change. pending: the number of changes after the index's cursor, which are
    not compared. damaged: why the index cannot be compared at all.
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
    """Bring the index up to the database's last change; rebuild it if it cannot be used.

    Resumes where an earlier run ended, even by a crash. `progress` is called with the number of
    articles of each batch, `stop` before each. A stopped sync keeps what it has written; a stopped
    rebuild raises SyncStopped. Raises EngineBusy while another process writes the index.
    """
    found = state(database, engine)
    if found.cursor is not None and found.name == "ready":
        try:
            applied, cursor = _follow(database, engine, progress, stop)
            if not engine.stamp().is_worn or stop():
                return Synced(applied, cursor)
            found = IndexState("outdated", "much of it is articles that were removed", None)
        except IndexDamaged as error:
            found = IndexState("damaged", error.reason, None)
        except IndexForeign as error:
            found = IndexState("outdated", error.reason, None)
    if found.name == "missing":
        log.info("index rebuild: there is none yet")
    else:
        log.warning("index rebuild: %s", found.detail)
    return rebuild(database, engine, reason=found.detail, progress=progress, stop=stop)


def rebuild(
    database: Database,
    engine: Engine,
    *,
    reason: str | None = "asked for",
    progress: Callable[[int], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Synced:
    """Rebuild the index from the database and swap it in; searches continue meanwhile.

    Raises SyncStopped once `stop` is true, and EngineBusy.
    """
    with database.reading() as session:
        store_id = sequence.store_id(session)
    with engine.rebuilding(store_id) as beside:
        applied, cursor = _follow(database, beside, progress, stop)
        if stop():
            raise SyncStopped
    return Synced(applied, cursor, reason)


def state(database: Database, engine: Engine) -> IndexState:
    """Whether the index can be synced, or why it must be rebuilt."""
    try:
        stamp = engine.stamp()
        engine.health()
    except IndexMissing as error:
        return IndexState("missing", error.reason, None)
    except IndexDamaged as error:
        return IndexState("damaged", error.reason, None)
    with database.reading() as session:  # after the stamp, so its changes are visible
        store = sequence.standing(session, stamp.history)
    detail = None
    if stamp.store_id != store.store_id:
        detail = f"it belongs to another store, {stamp.store_id}"
    elif stamp.schema_version != SCHEMA_VERSION:
        detail = f"its schema is version {stamp.schema_version}, not {SCHEMA_VERSION}"
    elif stamp.analyzer_version != text.ANALYZER_VERSION:
        detail = f"its analysis is version {stamp.analyzer_version}, not {text.ANALYZER_VERSION}"
    elif stamp.cursor > store.last:
        detail = f"it is ahead of the database: change {stamp.cursor}, not {store.last}"
    elif not store.holds:
        detail = _OTHER_HISTORY.format(stamp.history.change)
    return IndexState("outdated" if detail else "ready", detail, stamp.cursor)


def check(database: Database, engine: Engine) -> IndexReport:
    """Compare the ids and changes of index and database; writes nothing.

    The order of reads matters: first the index's cursor, then its entries, then the database.
    Articles that changed after the cursor are not compared.
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
        last = sequence.last_change(session)
        stored = dict(articles_changes.versions(session))
        removed = articles_changes.removed_since(session, cursor)
    if reason is not None:
        return IndexReport(len(stored), cursor, last - cursor, damaged=reason)
    report = IndexReport(len(stored), cursor, last - cursor)
    for id_, change in stored.items():
        if change > cursor:
            continue
        if id_ not in indexed:
            report.missing.append(id_)
        elif indexed[id_] != change:
            report.outdated.append(id_)
    report.extra.extend(indexed.keys() - stored.keys() - removed)
    return report


def repair(database: Database, engine: Engine, report: IndexReport) -> Synced:
    """Correct the differences in `report`; a damaged index is rebuilt."""
    if report.damaged is not None:
        return rebuild(database, engine, reason=report.damaged)
    ids = [*report.missing, *report.extra, *report.outdated]
    for start in range(0, len(ids), BATCH):
        stamp = engine.stamp()
        with database.reading() as session:
            _require_same(session, stamp.history)
            changes = articles_changes.states(session, ids[start : start + BATCH])
        engine.apply(changes, stamp.cursor, after=stamp.history)
    return Synced(len(ids), engine.stamp().cursor)


_OTHER_HISTORY = "it is of another history than the database, which has not got its change {}"


def _require_same(session: Session, history: Write) -> None:
    """Raise IndexForeign unless the store has the last write of the index."""
    if history != NO_WRITE and not sequence.holds(session, history):
        raise IndexForeign(_OTHER_HISTORY.format(history.change))


def _follow(
    database: Database,
    engine: Engine,
    progress: Callable[[int], None] | None,
    stop: Callable[[], bool],
) -> tuple[int, int]:
    """Index the changes after its cursor; the number of articles, and the new cursor.

    Raises IndexForeign if the database was replaced meanwhile, which is checked in the snapshot
    of each batch.
    """
    applied = 0
    while True:
        stamp = engine.stamp()
        if stop():
            return applied, stamp.cursor
        with database.reading() as session:
            _require_same(session, stamp.history)
            changes = articles_changes.changed_since(session, stamp.cursor, limit=BATCH)
            history = sequence.last(session)
        if not changes and stamp.history != NO_WRITE:
            return applied, stamp.cursor
        cursor = changes[-1].change if changes else stamp.cursor
        engine.apply(changes, cursor, history=history, after=stamp.history)
        applied += len(changes)
        if progress is not None:
            progress(len(changes))
