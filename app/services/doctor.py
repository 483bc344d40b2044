"""Checks of an installation: what is wrong, and what others can access. Repairs nothing.

Each check gives one Finding, with a hint how to repair. Checks read the settings, folders, the
database, the index and the addresses on which a running server listens.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from app import errors
from app.articles import removal
from app.search import open_engine, synonyms
from app.services import indexing, listeners
from app.settings import Settings, refuse_retired, unknown_names
from app.store import integrity, keys
from app.store.database import Database, file_of

MB = 1024 * 1024
LEAST_FREE_BYTES = 64 * MB
LEAST_FILES = 1024
PAIRS_TOLD = 10
CLOCK_SPARE_S = 60.0
NARROW = {4: 16, 6: 64}
"""Shortest prefix, by IP version, of a network that plausibly has proxies only."""
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "fuse.glusterfs"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; `hint` says how to repair it or how to restrict access."""

    name: str
    level: Literal["ok", "warning", "wrong"]
    detail: str
    hint: str | None = None


def examine(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """The findings, causes before consequences; checks that need a failed one are skipped."""
    yield _settings(environment)
    yield from _open(settings)
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
            yield _pairs(database)
            yield _keys(database)
            yield _index(settings, database)


def _settings(environment: Mapping[str, str]) -> Finding:
    try:
        refuse_retired(environment)
    except errors.SettingRetired as error:
        return Finding("settings", "wrong", str(error), error.hint)
    unknown = [f"{name} (like {nearest})" for name, nearest in unknown_names(environment)]
    if unknown:
        detail = f"not settings, and ignored: {', '.join(unknown)}"
        return Finding("settings", "warning", detail, "run: broadsheet settings")
    return Finding("settings", "ok", "all are known")


def _open(settings: Settings) -> Iterator[Finding]:
    """Who can access what, by the settings and by the addresses a running server listens on."""
    yield _hosts(settings)
    wide = [each for each in settings.trusted_proxies if each.prefixlen < NARROW[each.version]]
    if wide:
        reported = ", ".join(map(str, wide))
        detail = f"every address of {reported} may say who a client is, and which host it asked"
        yield Finding("proxies", "warning", detail, "name the proxies' own addresses")
    else:
        listed = ", ".join(map(str, settings.trusted_proxies))
        yield Finding("proxies", "ok", f"trusted: {listed or 'none'}")
    if "*" in settings.cors_origins:
        detail = "pages of any origin may read answers in a browser"
        yield Finding("cors", "warning", detail, "name the origins in BROADSHEET_CORS_ORIGINS")
    else:
        yield Finding("cors", "ok", f"origins: {', '.join(settings.cors_origins) or 'none'}")
    if settings.reads == "open":
        detail = "open to everybody who reaches the server"
        yield Finding("reads", "ok", detail, "BROADSHEET_READS=keyed asks for a key")
    else:
        yield Finding("reads", "ok", "need a key")
    if settings.first_key_file is not None:
        yield _first_key(settings.first_key_file)
    if settings.synonyms is not None:
        yield _synonyms(settings.synonyms)
    port = settings.metrics_port
    note = f"; without one on port {port} of 127.0.0.1" if port else ""
    yield Finding("metrics", "ok", f"need a key{note}")


def _synonyms(path: Path) -> Finding:
    try:
        synonyms.load(path)
    except errors.SynonymsUnusable as error:
        return Finding("synonyms", "wrong", str(error), "without it a server does not start")
    return Finding("synonyms", "ok", f"can be read from {path}")


def _first_key(path: Path) -> Finding:
    try:
        keys.read(path)
        mode = path.stat().st_mode
    except (errors.KeyFileUnusable, OSError) as error:
        return Finding("first key", "wrong", str(error), "without it a server does not start")
    if mode & stat.S_IROTH:
        return Finding("first key", "warning", f"everybody may read it: {path}", f"chmod o= {path}")
    return Finding("first key", "ok", f"can be taken from {path}")


def _hosts(settings: Settings) -> Finding:
    """Which host names are answered: https://en.wikipedia.org/wiki/DNS_rebinding."""
    hint = "name those that clients use in BROADSHEET_ALLOWED_HOSTS"
    if "*" in settings.allowed_hosts:
        return Finding("hosts", "warning", "any host name is answered, also a web page's", hint)
    if settings.allowed_hosts:
        return Finding("hosts", "ok", f"answered: {', '.join(settings.allowed_hosts)}")
    for address, port in listeners.addresses(file_of(settings)):
        if not address.is_loopback:
            detail = f"a server listens on {address}, port {port}, and answers any host name there"
            return Finding("hosts", "warning", detail, hint)
    return Finding("hosts", "ok", "loopback names alone are answered on a loopback address")


def _clock(settings: Settings) -> Finding:
    """Whether the clock was set back: the database then has a modification time in the future."""
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
    """Whether the data folder's file system is local, by /proc/self/mounts; ok if unknown."""
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
    """Free space, compared with what a rebuild of the index needs beside the old one."""
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
    """Whether the file is sound: by a full check where that is cheap, else by a quick one."""
    if integrity.is_cheap(path):
        found = integrity.check(path)
    else:
        try:
            address = f"{path.absolute().as_uri()}?mode=ro"
            with closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
                rows = database.execute("PRAGMA quick_check(3)")
                found = [row[0] for row in rows if row[0] != "ok"]
        except sqlite3.Error as error:
            found = [str(error)]
    if found:
        return Finding("database", "wrong", "; ".join(found), "run: broadsheet restore BACKUP")
    last = integrity.last(path)
    wholly = "never checked wholly" if last is None else f"checked wholly {last.at}"
    detail = f"sound, {wholly}, {path.stat().st_size // MB:,} MB: {path}"
    hint = None if last is not None else "run: broadsheet backup, which checks all of it"
    return Finding("database", "ok", detail, hint)


def _migrations(database: Database) -> Finding:
    try:
        database.require_schema()
    except errors.SchemaMismatch as error:
        return Finding("migrations", "wrong", str(error), error.hint)
    except errors.BroadsheetError as error:
        return Finding("migrations", "wrong", str(error))
    return Finding("migrations", "ok", "the tables are those of this program")


def _keys(database: Database) -> Finding:
    """Who may write over HTTP, and for how long."""
    now = datetime.now(UTC)
    with database.reading() as session:
        good = [each for each in keys.listing(session) if each.state(now) == "good"]
    if not good:
        hint = "run: broadsheet keys create NAME --scope write"
        return Finding("keys", "ok", "none: nobody can write over HTTP", hint)
    reported = f"{len(good)} can be used"
    endless = [each.name for each in good if each.expires_at is None and each.allows("write")]
    if not endless:
        return Finding("keys", "ok", reported)
    detail = f"{reported}; these write and never expire: {', '.join(endless)}"
    return Finding("keys", "ok", detail, "run: broadsheet keys revoke NAME, for one in no use")


def _index(settings: Settings, database: Database) -> Finding:
    with closing(open_engine(settings)) as engine:
        try:
            state = indexing.state(database, engine)
        except errors.BroadsheetError as error:
            return Finding("index", "wrong", str(error), error.hint)
    if state.name != "ready":
        return Finding("index", "wrong", f"{state.name}: {state.detail}", "run: broadsheet sync")
    return Finding("index", "ok", f"at change {state.cursor}")


def _pairs(database: Database) -> Finding:
    """Pairs of articles that share a key; they stay two until an operator joins them."""
    with database.reading() as session:
        pairs = removal.overlaps(session, limit=PAIRS_TOLD)
    if not pairs:
        return Finding("pairs", "ok", "no two articles share a key")
    listed = "; ".join(f"{one} {other}" for one, other in pairs)
    hint = "where a pair is one story: broadsheet join ID INTO-ID"
    return Finding("pairs", "warning", f"articles that share a key: {listed}", hint)
