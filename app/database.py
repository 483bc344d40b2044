"""The database: connections, pragmas, migrations, and the only commit.

`reading()` gives a session on one unchanging snapshot, `transaction()` one that holds the
write lock from its first statement and commits at its end. Nothing else commits. The
driver's errors leave here as StoreError.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from app.errors import FolderUnwritable, ReadTooLong, SchemaMismatch, StoreError
from app.holding import Share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection
    from sqlalchemy.engine import ExceptionContext

    from app.settings import Settings

MIGRATIONS = files("app") / "migrations"
_WRITING = {"writing": True}


class Database:
    """One database file and its pool of connections; safe to share between threads."""

    def __init__(self, url: str, *, threads: int = 4, lock_timeout_s: float = 30.0) -> None:
        self.url = url
        self._share: Share | None = None
        self._engine = create_engine(
            url,
            # Each thread may hold a reading and a writing session at once: fewer deadlock.
            # The others are for what follows the store, and for operators.
            pool_size=2 * threads + 4,
            max_overflow=0,
            pool_use_lifo=True,  # one page cache that is warm, not all of them
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={"timeout": lock_timeout_s, "check_same_thread": False},
        )
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        event.listen(self._engine, "handle_error", self._give_up_broken)

    @classmethod
    def open(cls, settings: Settings) -> Database:
        """The database of `settings`, its folder made; its tables are not looked at yet."""
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
        opened._share = Share(file)
        return opened

    def close(self) -> None:
        """Give every connection back; the object can't be used afterwards."""
        self._engine.dispose()
        if self._share is not None:
            self._share.release()

    def _give_up_broken(self, context: ExceptionContext) -> None:
        """Open connections anew after an error that may be their own.

        All of them: what was opened while the files could not be written is shared, and
        stays read-only until the last connection lets go of it.
        """
        code = getattr(context.original_exception, "sqlite_errorcode", 0) & 0xFF
        if code in _BROKEN:
            context.is_disconnect = True
            self._engine.dispose()

    @contextmanager
    def reading(self, *, steps: int | None = None) -> Iterator[Session]:
        """A session on one snapshot of committed data; what it writes is rolled back.

        Raises ReadTooLong in the middle of a statement that has taken so many `steps` of SQLite,
        with all before it in the session.
        """
        with _translated(), Session(self._engine) as session:
            if steps is None:
                yield session
            else:
                with _bounded(session, steps):
                    yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that holds the write lock and commits when the block ends without error."""
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), Session(engine) as session, session.begin():
            session.connection()  # takes the lock now, so that all that is read is current
            yield session

    @contextmanager
    def rehearsal(self) -> Iterator[Session]:
        """A session as that of a transaction, whose writes are taken back at the end."""
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), Session(engine) as session:
            session.connection()
            yield session

    def truncate_log(self) -> bool:
        """Take all of the write-ahead log into the database and empty it; whether that was done.

        Not while a reader or writer needs it.
        """
        with _translated(), self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def migrate(self) -> None:
        """Bring the tables to this program's revision; several processes may call it at once."""
        with _translated(), self._engine.connect() as connection:
            if self._revision(connection) == _head():
                return  # without the lock, which somebody may hold for long
        engine = self._engine.execution_options(**_WRITING)
        with _translated(), engine.begin() as connection:
            config = _alembic()
            config.attributes["connection"] = connection
            found = self._revision(connection)
            if found == _head():
                return
            try:
                command.upgrade(config, "head")
            except CommandError as error:  # it was made by a newer program
                raise SchemaMismatch(found, _head()) from error

    def prepare(self, settings: Settings) -> None:
        """Bring the tables up to date at a start, or look that they are: as the settings say."""
        if settings.migrate == "auto":
            self.migrate()
        else:
            self.require_schema()

    def require_schema(self) -> None:
        """Raise SchemaMismatch unless the tables are of this program's revision."""
        found = self.revision()
        if found != _head():
            raise SchemaMismatch(found, _head())

    def revision(self) -> str | None:
        """The revision of the tables; None where there are none yet."""
        with _translated(), self._engine.connect() as connection:
            return self._revision(connection)

    @staticmethod
    def _revision(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()


def file_of(settings: Settings) -> Path:
    """The file that holds, or will hold, the database of `settings`."""
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
        "secure_delete = ON",  # what is erased must be gone from the file, without a VACUUM
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
    """Have SQLite give up the statement that is running when the steps are taken."""
    driver: Any = session.connection().connection.driver_connection
    looks = count(1)
    every = min(steps, _LOOK_STEPS)
    driver.set_progress_handler(lambda: next(looks) * every >= steps, every)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_INTERRUPT:
            raise ReadTooLong from error
        raise StoreError(f"the database cannot answer: {error.orig}") from error
