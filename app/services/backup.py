"""Backup and restore of the whole store as one SQLite file.

The index is not included, since it can be rebuilt. A backup is a copy of one snapshot, taken while
others read and write. A backup or restored database is checked before it is renamed into place, so
it appears whole or not at all. The file that is read is never changed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from app.articles import removal
from app.errors import BackupUnsound, FileExists, StoreError, StoreExists
from app.search import open_engine
from app.services import indexing
from app.settings import Settings
from app.store import integrity, locks
from app.store.database import Database, file_of


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of the store: what it contains, its last change and schema revision."""

    path: str
    store_id: str
    articles: int
    change: int
    revision: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """The restored store, and a check of its new index.

    `keys_kept` are the unrevoked keys of the replaced store, which replace those of the backup.
    If it had no keys, `keys_came` are the unrevoked keys of the backup.
    """

    copy: Copied
    report: indexing.IndexReport
    erased_known: bool
    """Whether the erasures of the replaced store could be read, and were applied again."""
    keys_kept: list[str]
    keys_came: list[str]


def back_up(settings: Settings, target: Path, *, overwrite: bool = False) -> Copied:
    """Copy the store to the file `target`; the copy is checked before it gets that name.

    Raises FileExists for an existing target unless `overwrite`, and always for the store itself;
    BackupUnsound if the check fails; StoreError if a file cannot be read or written.
    """
    source = file_of(settings)
    if not source.is_file():
        raise StoreError(f"there is no database: {source}")
    if target.exists() and (not overwrite or target.samefile(source)):
        raise FileExists(str(target))
    partial = target.with_name(f"{target.name}.partial")
    with _translated(target), _unfinished(partial):
        _copy(source, partial)
        copied = _proved(partial)
        integrity.note(source, sound=True)
        _keep_mode(target, partial)
        _sync_file(partial)
        partial.replace(target)
        _sync_file(target.parent)
    return replace(copied, path=str(target))


def restore(settings: Settings, source: Path, *, overwrite: bool = False) -> Restored:
    """Replace the store by the backup `source`, and rebuild the index.

    Raises StoreInUse while another process has the store open, StoreExists if it may have
    articles, unless `overwrite`, and BackupUnsound or SchemaMismatch; the store is unchanged then.
    The API keys of the replaced store are kept, so a key revoked since the backup stays revoked.
    """
    target = file_of(settings)
    with _translated(target):
        target.parent.mkdir(0o700, parents=True, exist_ok=True)
        settings.data_dir.mkdir(0o700, parents=True, exist_ok=True)
    with locks.alone(target), _translated(target):
        if target.exists() and source.exists() and target.samefile(source):
            raise FileExists(str(source))
        if not overwrite and _worth_keeping(target):
            raise StoreExists(str(target))
        staged = target.with_name(f"{target.name}.restoring")
        with _unfinished(staged):
            _copy(source, staged)
            _proved(staged)
            with closing(Database(f"sqlite:///{staged}")) as opened:
                opened.migrate()  # before the swap: a failure leaves the old store unchanged
            _join_log(staged)
            kept, came = _merge_keys(target, staged)
            erased_known = _erase_again(target, staged)
            copied = _proved(staged)
            _keep_mode(target, staged)
            _sync_file(staged)
        replaced = settings.index_dir.with_name(f"{settings.index_dir.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        if settings.index_dir.exists():  # first: an index must never outlive its store
            settings.index_dir.rename(replaced)
        _finish_log(target)
        staged.replace(target)
        _sync_file(target.parent)
        with (
            closing(Database(f"sqlite:///{target}")) as database,
            closing(open_engine(settings)) as engine,
        ):
            indexing.rebuild(database, engine)
            report = indexing.check(database, engine)
        if report.agrees:
            shutil.rmtree(replaced, ignore_errors=True)
    return Restored(replace(copied, path=str(target)), report, erased_known, kept, came)


def _erase_again(present: Path, staged: Path) -> bool:
    """Apply the erasures of the store at `present` to the copy at `staged`.

    False if there is no such store or it cannot be read. The copy is vacuumed, since pages that
    older programs wrote may have remnants.
    """
    if not present.exists():
        return False
    try:
        with closing(Database(f"sqlite:///{present}")) as old, old.reading() as session:
            erased = removal.erasures(session)
    except StoreError:
        return False
    if erased.ids:
        with closing(Database(f"sqlite:///{staged}")) as copy, copy.transaction() as session:
            removal.erase_again(session, erased)
        _join_log(staged)
        with closing(sqlite3.connect(staged)) as database:
            database.execute("VACUUM")
    return True


def _merge_keys(present: Path, staged: Path) -> tuple[list[str], list[str]]:
    """Replace the keys of the copy at `staged` by those of the store at `present`.

    The names of the unrevoked keys that were kept and, if `present` has none or is damaged, of
    those of the copy, whose later revocations are unknown.
    """
    names: list[str] = []
    rows: list[tuple[object, ...]] = []
    if present.exists():
        with closing(sqlite3.connect(present)) as database, suppress(sqlite3.Error):
            found = database.execute("SELECT * FROM api_key ORDER BY name")
            names = [column[0] for column in found.description]
            rows = found.fetchall()
    with closing(sqlite3.connect(staged)) as database, database:
        if not rows:
            came = database.execute("SELECT name FROM api_key WHERE revoked_at IS NULL")
            return [], sorted(row[0] for row in came)
        database.execute("DELETE FROM api_key")
        into = f"{', '.join(names)}) VALUES ({', '.join('?' * len(names))}"
        database.executemany(f"INSERT INTO api_key ({into})", rows)
    name, revoked_at = names.index("name"), names.index("revoked_at")
    return [str(row[name]) for row in rows if row[revoked_at] is None], []


def _copy(source: Path, target: Path) -> None:
    """Copy one snapshot of a database, in one step, while others may write."""
    _remove_database(target)
    if not source.is_file():
        raise BackupUnsound(str(source), "there is no such file")
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing, pages=-1)
    _join_log(target)


def _join_log(path: Path) -> None:
    """Take the database at `path` out of WAL mode: one file, and readers create no log."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = DELETE")


def _proved(path: Path) -> Copied:
    """Check and describe the database at `path`; raises BackupUnsound if it is not sound."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        found = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
        if found != ["ok"]:
            raise BackupUnsound(str(path), "; ".join(found))
        if broken := database.execute("PRAGMA foreign_key_check").fetchone():
            raise BackupUnsound(str(path), f"a row of {broken[0]} belongs to nothing")
        try:
            ((revision,),) = database.execute("SELECT version_num FROM alembic_version").fetchall()
            ((id_, change),) = database.execute("SELECT id, change FROM store").fetchall()
            ((articles,),) = database.execute("SELECT count(*) FROM article").fetchall()
        except (sqlite3.OperationalError, ValueError) as error:
            raise BackupUnsound(str(path), "it holds no archive") from error
    return Copied(str(path), str(id_), articles, change, revision, path.stat().st_size)


def _worth_keeping(path: Path) -> bool:
    """Whether a database has had any change; an unreadable one counts unless it is empty."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(path)) as database:
            ((change,),) = database.execute("SELECT change FROM store").fetchall()
    except (sqlite3.Error, ValueError):
        return path.stat().st_size > 0
    return bool(change)


def _finish_log(path: Path) -> None:
    """Remove the write-ahead log of `path`: SQLite would apply it to the next file there."""
    if path.exists():
        with suppress(sqlite3.Error):
            _join_log(path)
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _unfinished(path: Path) -> Iterator[None]:
    """Remove the file at `path` if the block fails, so that it does not fill the disk."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            _remove_database(path)
        raise


def _keep_mode(replaced: Path, path: Path) -> None:
    """Give the file at `path` the permissions of the file that it replaces, if there is one."""
    if replaced.exists():
        shutil.copymode(replaced, path)


def _sync_file(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:  # a full disk or a lock, for example
        raise StoreError(f"{error}: {path}") from error
    except sqlite3.DatabaseError as error:
        raise BackupUnsound(str(path), str(error)) from error
    except OSError as error:
        raise StoreError(f"{error.strerror or error}: {error.filename or path}") from error
