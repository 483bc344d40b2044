"""The database: connections, pragmas, migrations, and the only commit.

`reading()` gives a session on one snapshot. `transaction()` gives one that has the write lock from
its first statement and commits at its end. Nothing else commits. Both raise StoreError if the
database file was replaced meanwhile; later sessions open the new file. Errors of the driver are
raised as StoreError.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, DisconnectionError, InvalidRequestError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from app.errors import FolderUnwritable, ReadTooLong, SchemaMismatch, StoreError
from app.settings import Settings
from app.store.locks import SharedLock
from app.store.replaced import Fault, Watch

log = logging.getLogger(__name__)

MIGRATIONS = files("app") / "migrations"
_WRITING = {"writing": True}
_REPLACED_AGAIN = "This connection is closed"
"""SQLAlchemy's message when a connection is invalid again after it was reconnected."""


class Database:
    """One database file and its pool of connections; safe to share between threads."""

    def __init__(self, url: str, *, threads: int = 4, lock_timeout_s: float = 30.0) -> None:
        self.url = url
        self._share: SharedLock | None = None
        self._opening: object = object()  # another one after each `_dispose`
        self._engine = create_engine(
            url,
            # Two connections a thread, one to read and one to write, or the pool deadlocks.
            # Four more for the indexer, the extractor and operators.
            pool_size=2 * threads + 4,
            max_overflow=0,
            pool_use_lifo=True,  # keeps the page cache of one connection warm
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={"timeout": lock_timeout_s, "check_same_thread": False},
        )
        name = make_url(url).database
        self._watch = Watch(Path(name).absolute()) if name and name != ":memory:" else None
        if self._watch is not None:
            event.listen(self._engine, "do_connect", self._before_connect)
        event.listen(self._engine, "connect", _configure)
        if self._watch is not None:
            event.listen(self._engine, "connect", self._after_connect)
            event.listen(self._engine, "checkout", self._look)
            event.listen(self._engine, "checkin", self._close_disposed)
        event.listen(self._engine, "begin", _begin)
        event.listen(self._engine, "handle_error", self._give_up_broken)

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """The database of `settings`. Creates its folder, does not check its tables."""
        file = file_of(settings)
        if settings.database_url is None:
            path = settings.data_dir.absolute()
            try:
                path.mkdir(0o700, parents=True, exist_ok=True)
                if not os.access(path, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            except OSError as error:
                raise FolderUnwritable(str(path), error.strerror or str(error)) from error
        opened = cls(
            settings.database_url or f"sqlite:///{file}",
            threads=settings.threads,
            lock_timeout_s=settings.lock_timeout_s,
        )
        opened._share = SharedLock(file)
        return opened

    def close(self) -> None:
        """Close every connection; the object cannot be used afterwards."""
        self._dispose()
        if self._share is not None:
            self._share.release()

    def _give_up_broken(self, context: ExceptionContext) -> None:
        """Invalidate all connections after an error that may be their own.

        Connections share a log that was opened while the files were not writable, and it stays
        read-only until the last of them closes it.
        """
        code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
        if code in _BROKEN:
            context.is_disconnect = True
            if self._fault_of_kept() != "log removed":
                self._dispose()

    def _dispose(self) -> None:
        """Close every idle connection; the others as they come back."""
        self._opening = object()
        self._engine.dispose()
        if self._watch is not None:
            self._watch.let_go()

    def _close_disposed(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """Close a connection that was in use during `_dispose`: its pool would keep it."""
        if record.info["opening"] is not self._opening:
            record.invalidate()

    def _before_connect(self, _dialect: object, record: Any, *_more: object) -> None:
        watch = self._watch
        record.info["opening"] = self._opening
        if watch is not None and not watch.before(record.info):
            raise StoreError(f"the database file is gone: {watch.path}")
        if watch is not None and (kept := watch.kept()) and (fault := watch.fault(kept)):
            self._mend(watch, kept, fault)

    def _after_connect(self, connection: Any, record: Any) -> None:
        if self._watch is not None:
            connection.execute("PRAGMA schema_version").fetchone()  # opens the log
            if self._fault_of_kept() == "log removed":  # meanwhile
                self._take_in_log(self._watch)
            try:
                shares = self._watch.shares()
            except OSError as error:  # too many open files
                connection.close()
                raise StoreError(f"the database cannot be opened: {error.strerror}") from error
            if not shares:
                connection.close()
                self._dispose()
                raise StoreError(f"the log was removed while in use: {self._watch.path}")
            self._watch.after(record.info)

    def _fault_of_kept(self) -> Fault | None:
        kept = None if self._watch is None else self._watch.kept()
        return None if self._watch is None or kept is None else self._watch.fault(kept)

    def _look(self, _connection: object, record: Any, _proxy: object) -> None:
        """Reconnect if the open file is no longer the one at the database's path."""
        watch = self._watch
        if watch is not None and (fault := watch.fault(record.info)) is not None:
            self._mend(watch, record.info, fault)
            raise DisconnectionError(fault)

    def _mend(self, watch: Watch, info: Any, fault: Fault) -> None:
        """Make new connections possible; raises StoreError where they are not."""
        if fault == "gone":
            raise StoreError(f"the database file is gone: {watch.path}")
        if fault == "log removed":
            self._take_in_log(watch)
            return
        with watch.lock:
            log.error("the database was replaced while in use (%s): %s", fault, watch.path)
            watch.give_up(info, fault)
            self._dispose()

    def _take_in_log(self, watch: Watch) -> None:
        """Checkpoint a removed log into the file; raises StoreError where that fails."""
        with watch.lock:
            if self._fault_of_kept() == "log removed":
                log.error("the database was replaced while in use (log removed): %s", watch.path)
            if not watch.take_in_log():
                raise StoreError(f"the write-ahead log was removed while in use: {watch.path}")
            self._dispose()

    def _require_same(self, info: Any, *but: Fault) -> Fault | None:
        """Raise StoreError if the open file is no longer the one at the database's path."""
        watch = self._watch
        fault = None if watch is None else watch.fault(info)
        if watch is not None and fault not in (None, *but):
            raise StoreError(f"the database was replaced meanwhile ({fault}): {watch.path}")
        return fault

    @contextmanager
    def reading(self, *, steps: int | None = None) -> Iterator[Session]:
        """A session on one snapshot of committed data; its writes are rolled back.

        Raises ReadTooLong when the statements of the session have taken `steps` steps of SQLite's
        virtual machine.
        """
        with _translated(), Session(self._engine) as session:
            with nullcontext() if steps is None else _bounded(session, steps):
                yield session
            self._require_same(session.connection().connection.info, "log removed")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session with the write lock, committed if the block ends without error."""
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), Session(engine) as session, session.begin():
            # takes the lock now, so that every read is current
            info = session.connection().connection.info
            self._require_same(info)
            yield session
            session.commit()
            if self._require_same(info, "log removed") and self._watch is not None:
                self._take_in_log(self._watch)

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A session like that of `transaction`, rolled back at the end."""
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), Session(engine) as session:
            session.connection()
            yield session

    @contextmanager
    def restructuring(self) -> Iterator[Connection]:
        """A transaction that may swap tables, with foreign keys off.

        No reference is checked or cascaded, and renaming a table does not change references to it.
        """
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            raw.executescript("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON")
            try:
                with connection.begin():
                    self._require_same(connection.connection.info)
                    yield connection
            finally:
                raw.executescript("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON")

    def truncate_log(self) -> bool:
        """Checkpoint the write-ahead log and truncate it; False while a session needs it."""
        with _translated(), self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def migrate(self) -> None:
        """Migrate the tables to this program's revision; safe in several processes at once."""
        with _translated(), self._engine.connect() as connection:
            if self._revision(connection) == _head():
                return  # without the lock, for which a long write may make us wait
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), engine.begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            found = self._revision(connection)
            if found == _head():
                return
            try:
                command.upgrade(config, "head")
            except CommandError as error:  # a newer program migrated it
                raise SchemaMismatch(found, _head()) from error

    def prepare(self, settings: Settings) -> None:
        """Migrate the tables or, depending on the settings, check their revision."""
        if settings.migrate == "auto":
            self.migrate()
        else:
            self.require_schema()

    def require_schema(self) -> None:
        """Raise SchemaMismatch unless the tables have this program's revision."""
        found = self.revision()
        if found != _head():
            raise SchemaMismatch(found, _head())

    def revision(self) -> str | None:
        """The revision of the tables; None without any."""
        with _translated(), self._engine.connect() as connection:
            return self._revision(connection)

    @staticmethod
    def _revision(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()


def file_of(settings: Settings) -> Path:
    """The path of the database of `settings`, which may not exist yet."""
    if settings.database_url is None:
        return settings.data_dir.absolute() / "broadsheet.db"
    return Path(str(make_url(settings.database_url).database)).absolute()


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _head() -> str | None:
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the begin event says BEGIN, not the driver
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        "secure_delete = ON",  # erased text must be gone from the file without a VACUUM
        "cache_size = -8000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


_BROKEN = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_LOOK_STEPS = 50_000  # some milliseconds


@contextmanager
def _bounded(session: Session, steps: int) -> Iterator[None]:
    """Interrupt the running statement once `steps` have been taken."""
    driver: Any = session.connection().connection.driver_connection
    looks = count(1)
    every = min(steps, _LOOK_STEPS)
    driver.set_progress_handler(lambda: next(looks) * every >= steps, every)
    try:
        yield
    finally:
        with suppress(sqlite3.ProgrammingError):  # closed, after an error of its own
            driver.set_progress_handler(None, 0)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT:
            raise ReadTooLong from error
        raise StoreError(f"the database cannot answer: {error.orig}") from error
    except InvalidRequestError as error:
        if str(error) != _REPLACED_AGAIN:
            raise
        raise StoreError("the database was replaced again and again") from error
