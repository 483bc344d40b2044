"""What could be wrong with this installation, looked at without changing anything.

Each look gives one Finding. It reads settings, folders, the database and the index; a
server may run meanwhile. It repairs nothing: a finding says what would.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app import indexing
from app.database import Database, file_of
from app.errors import BroadsheetError, SchemaMismatch, SettingRetired
from app.search import open_engine
from app.settings import refuse_retired, unknown_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.settings import Settings

MB = 1024 * 1024
LEAST_FREE_BYTES = 64 * MB
LEAST_FILES = 1024
CLOCK_SPARE_S = 60.0
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "fuse.glusterfs"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `hint` says what helps where it is not `ok`."""

    name: str
    level: Literal["ok", "warning", "wrong"]
    detail: str
    hint: str | None = None


def examine(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Every finding, in an order in which the first that is wrong explains those below."""
    yield _settings(environment)
    yield _clock(settings)
    yield _files()
    folder = _folder(settings)
    yield folder
    if folder.level == "wrong":
        return
    yield _file_system(settings.data_dir)
    yield _disk(settings)
    file = file_of(settings)
    if not file.exists():
        yield Finding("database", "warning", f"there is none yet: {file}", "run: broadsheet load")
        return
    yield _database(file)
    with closing(Database.open(settings)) as database:
        migrations = _migrations(database)
        yield migrations
        if migrations.level == "ok":
            yield _index(settings, database)


def _settings(environment: Mapping[str, str]) -> Finding:
    try:
        refuse_retired(environment)
    except SettingRetired as error:
        return Finding("settings", "wrong", str(error), error.hint)
    unknown = [f"{name} (like {nearest})" for name, nearest in unknown_names(environment)]
    if unknown:
        detail = f"not settings, and ignored: {', '.join(unknown)}"
        return Finding("settings", "warning", detail, "run: broadsheet settings")
    return Finding("settings", "ok", "all are known")


def _clock(settings: Settings) -> Finding:
    """A clock that was set back: what was written lately lies in the future."""
    file = file_of(settings)
    newest = 0.0
    for path in (file, file.with_name(f"{file.name}-wal")):
        if path.exists():
            newest = max(newest, path.stat().st_mtime)
    now = time.time()
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    if newest > now + CLOCK_SPARE_S:
        detail = f"it says {at}, but the database was written {newest - now:.0f} s later"
        return Finding("clock", "wrong", detail, "set the clock, best by NTP")
    return Finding("clock", "ok", at)


def _files() -> Finding:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit < LEAST_FILES:
        hint = f"allow {LEAST_FILES}: ulimit -n, or LimitNOFILE= of the service"
        return Finding("open files", "warning", f"{limit} at most", hint)
    return Finding("open files", "ok", f"{limit} at most")


def _folder(settings: Settings) -> Finding:
    name, path = "data folder", settings.data_dir
    if not path.exists():
        parent = next(each for each in path.absolute().parents if each.exists())
        if os.access(parent, os.W_OK | os.X_OK):
            return Finding(name, "ok", f"will be made: {path}")
        return Finding(name, "wrong", f"cannot be made: {path}", f"{parent} cannot be written")
    hint = "it must be writable by the user that Broadsheet runs as"
    for each in (path, *path.glob("broadsheet.db*"), *path.glob("index/*.json")):
        if not os.access(each, os.R_OK | os.W_OK | (os.X_OK if each.is_dir() else 0)):
            return Finding(name, "wrong", f"no permission: {each}", hint)
    try:
        with tempfile.TemporaryFile(dir=path) as scratch:
            scratch.write(b"x" * 4096)
            scratch.flush()
            os.fsync(scratch.fileno())
    except OSError as error:
        return Finding(name, "wrong", f"cannot be written: {error.strerror}: {path}", hint)
    file = file_of(settings)
    open_ = file.exists() and file.parent.stat().st_mode & stat.S_IXOTH
    for each in (path, file) if open_ else (path,):
        if others := each.stat().st_mode & stat.S_IRWXO:
            may = "write" if others & stat.S_IWOTH else "read"
            return Finding(name, "warning", f"everybody may {may} it: {each}", f"chmod o= {each}")
    return Finding(name, "ok", f"can be written: {path}")


def _file_system(path: Path) -> Finding:
    """Of what kind the data folder's file system is, where the system tells."""
    kind = "unknown"
    longest = -1
    here = path.absolute().resolve()
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        mounts = []
    for line in mounts:
        _, mounted, found, *_ = line.split(" ")
        at = Path(mounted.replace("\\040", " "))
        if here.is_relative_to(at) and len(at.parts) >= longest:
            longest, kind = len(at.parts), found
    if kind in _REMOTE:
        hint = "keep the data folder on a local disk: the locks of SQLite need one"
        return Finding("file system", "wrong", kind, hint)
    return Finding("file system", "ok", kind)


def _disk(settings: Settings) -> Finding:
    """Free space, held against what a rebuild of the index needs beside the old one."""
    try:
        found = next(
            each
            for each in (settings.data_dir, *settings.data_dir.absolute().parents)
            if each.exists()
        )
        free = shutil.disk_usage(found).free
        index = sum(each.stat().st_size for each in settings.index_dir.rglob("*") if each.is_file())
    except OSError as error:
        return Finding("disk", "warning", f"cannot be looked at: {error.strerror}")
    detail = f"{free // MB:,} MB free, the index has {index // MB:,} MB"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "wrong", detail, "make room: writes will fail")
    if free < LEAST_FREE_BYTES + index * 3 // 2:
        return Finding("disk", "warning", detail, "make room: the index could not be built anew")
    return Finding("disk", "ok", detail)


def _database(path: Path) -> Finding:
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
            found = [row[0] for row in database.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        return Finding("database", "wrong", "; ".join(found), "run: broadsheet restore BACKUP")
    return Finding("database", "ok", f"sound, {path.stat().st_size // MB:,} MB: {path}")


def _migrations(database: Database) -> Finding:
    try:
        database.require_schema()
    except SchemaMismatch as error:
        return Finding("migrations", "wrong", str(error), error.hint)
    except BroadsheetError as error:
        return Finding("migrations", "wrong", str(error))
    return Finding("migrations", "ok", "the tables are those of this program")


def _index(settings: Settings, database: Database) -> Finding:
    with closing(open_engine(settings)) as engine:
        try:
            state = indexing.state(database, engine)
        except BroadsheetError as error:
            return Finding("index", "wrong", str(error), error.hint)
    if state.name != "ready":
        return Finding("index", "wrong", f"{state.name}: {state.detail}", "run: broadsheet sync")
    return Finding("index", "ok", f"at change {state.cursor}")
