"""Detects that an open database is no longer the file at its path; SQLite does not check.

A running program's file may be replaced by a rename, by a copy into it or with the whole folder,
or its write-ahead log may be removed. Open connections would then write where nobody reads, or
mix the pages of two files. Each checkout of a connection compares inodes, without reading the disk.
If size or modification time has changed, it reads the newest write in the file itself, without the
log: a checkpoint adds writes, while a copy with another history lacks the one seen before.

If only the log was removed, connections that have it open can still read every commit. SQLite does
not notice: a new connection creates an empty log and finds, in the old shared memory, pages that
it lacks. So one idle connection is kept, which checkpoints the old log before a new one opens.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import MutableMapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Literal

Fault = Literal["gone", "renamed", "overwritten", "log removed"]
_Inode = tuple[int, int]
_WAIT_S = 5.0
"""How long the checkpoint of a removed log waits for its readers."""
_LOOKS = 3  # attempts: a running checkpoint may have written half a tree


class Watch:
    """The database at `path`, as the connections of this process have opened it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path.with_name(f"{path.name}-wal")
        self.shared = path.with_name(f"{path.name}-shm")
        self.lock = threading.RLock()
        self._keeper: sqlite3.Connection | None = None
        self._kept: dict[str, Any] = {}
        self._opened = False
        self._looked_at: tuple[int, int] | None = None
        self._newest: tuple[int, str] | None = None

    def before(self, info: MutableMapping[Any, Any]) -> bool:
        """Record the file that a connection is about to open; False if it no longer exists."""
        info["database"] = _inode(self.path)
        return info["database"] is not None or not self._opened

    def after(self, info: MutableMapping[Any, Any]) -> None:
        """Record the files that a connection has opened."""
        self._note(info)
        self._opened = True
        with self.lock:
            if self._keeper is None:
                kept: dict[Any, Any] = {"database": _inode(self.path)}
                keeper = sqlite3.connect(
                    self.path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
                )
                try:
                    keeper.execute("PRAGMA schema_version").fetchone()
                except sqlite3.Error:
                    keeper.close()
                    raise
                self._note(kept)
                self._keeper, self._kept = keeper, kept

    def shares(self) -> bool:
        """Whether this process has the shared memory open that a new process would open."""
        shared = _inode(self.shared)
        if shared is None:
            return not self.log.exists()
        return any(_is(number, shared) for number in _descriptors())

    def _note(self, info: MutableMapping[Any, Any]) -> None:
        info["database"] = info["database"] or _inode(self.path)
        info["log"], info["shared"] = _inode(self.log), _inode(self.shared)

    def fault(self, info: MutableMapping[Any, Any]) -> Fault | None:
        """What happened to the files that a connection has open; None if nothing did."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 (every request: Path takes 3 times as long)
        except OSError:
            return "gone"
        if (found.st_dev, found.st_ino) != info["database"]:
            return "renamed"
        look = (found.st_mtime_ns, found.st_size)
        if look != self._looked_at:
            with self.lock:
                if look != self._looked_at and not self._goes_on(look):
                    return "overwritten"
        return None if _inode(self.log) == info["log"] else "log removed"

    def _goes_on(self, look: tuple[int, int]) -> bool:
        """Whether the file, without its log, still has the newest write seen in it."""
        for _ in range(_LOOKS):
            found = self._read()
            if found is None:
                return True  # there are no tables yet, or they cannot be read
            newest, held = found
            if self._newest is None or (held and newest[0] >= self._newest[0]):
                self._looked_at, self._newest = look, newest
                return True
            time.sleep(0.02)
        return False

    def _read(self) -> tuple[tuple[int, str], bool] | None:
        """The newest write in the file without its log, and whether it has the one seen before."""
        address = f"{self.path.as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(address, uri=True)) as file:
                newest = "SELECT change, token FROM write_token ORDER BY change DESC LIMIT 1"
                change, token = file.execute(newest).fetchone()
                known = "SELECT 1 FROM write_token WHERE (change, token) = (?, ?)"
                held = file.execute(known, self._newest or (0, "")).fetchone()
        except (sqlite3.Error, TypeError):
            return None
        return (change, token), held is not None

    def kept(self) -> MutableMapping[Any, Any] | None:
        """The files of the idle connection that is kept; None without one."""
        return self._kept if self._keeper is not None else None

    def take_in_log(self) -> bool:
        """Checkpoint a removed log into the file; False while a reader or writer needs it.

        New connections may be opened afterwards; open ones must not be used any more.
        """
        with self.lock:
            if self._keeper is None or (fault := self.fault(self._kept)) is None:
                return True  # another thread did it
            if fault != "log removed":
                return False  # the log is not of this file
            try:
                checkpoint = self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if checkpoint.fetchone()[0]:
                    return False
            except sqlite3.Error:
                if not self.log.exists():
                    return False
                # another process has checkpointed it, and writes to a new one
            self.let_go()
            return True

    def let_go(self) -> None:
        """Close the idle connection that is kept; the next connection opens another."""
        with self.lock:
            keeper, self._keeper = self._keeper, None
            if keeper is not None:
                keeper.close()

    def give_up(self, info: MutableMapping[Any, Any], fault: Fault) -> None:
        """Keep SQLite from applying the log of the old file to the new one."""
        with self.lock:
            self._looked_at = self._newest = None
            if fault == "overwritten" and info["log"] is not None:
                _empty(info["log"])
            elif fault == "renamed":
                if self._keeper is not None and self._kept["log"] == info["log"]:
                    with suppress(sqlite3.Error):  # into the old file, wherever that is now
                        self._keeper.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                for path, opened in ((self.log, info["log"]), (self.shared, info["shared"])):
                    if opened is not None and _inode(path) == opened:
                        with suppress(OSError):
                            path.rename(path.with_name(f"{path.name}.replaced"))
                with suppress(OSError):
                    log = self.log.with_name(f"{self.log.name}.replaced")
                    if log.stat().st_size == 0:
                        log.unlink()
                        log.with_name(f"{self.shared.name}.replaced").unlink()


def _inode(path: Path) -> _Inode | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _empty(log: _Inode) -> None:
    """Truncate a log that this process has open: SQLite would checkpoint it when it closes."""
    for number in _descriptors():
        with suppress(OSError):
            if not _is(number, log):
                continue  # closing a copy of another file's descriptor would drop its locks
            own = os.dup(number)  # a descriptor that no other thread can close
            try:
                if _is(own, log):
                    os.ftruncate(own, 0)
                    return
            finally:
                os.close(own)


def _descriptors() -> list[int]:
    """The descriptors that this process has open, or had a moment ago."""
    return [int(name) for name in os.listdir("/dev/fd") if name.isdecimal()]  # noqa: PTH208


def _is(descriptor: int, inode: _Inode) -> bool:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == inode
