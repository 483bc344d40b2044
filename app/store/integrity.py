"""SQLite's full integrity check of a database, and a record of the last one.

The record is a small file beside the database, not a table: a check does not write to the
database, and a copy must not inherit the result of its source. It is valid only for the inode that
it names.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

CHEAP_BYTES = 64 * 1024 * 1024
"""A database up to this size gets a full check at each start: it takes about a second."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A full check: the file's inode, when the check ended, and whether the file was sound."""

    inode: int
    at: str
    sound: bool


def is_cheap(path: Path) -> bool:
    """Whether a full check is fast enough to run unasked."""
    return path.stat().st_size <= CHEAP_BYTES


def check(path: Path) -> list[str]:
    """The faults that a full check finds in the database at `path`, at most 3; records it."""
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as database:
            found = [str(row[0]) for row in database.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        return [str(error)]
    faults = [] if found == ["ok"] else found
    note(path, sound=not faults)
    return faults


def note(path: Path, *, sound: bool) -> None:
    """Record a full check of the database at `path`; a failure to write is ignored."""
    with suppress(OSError):
        at = datetime.now(UTC).isoformat(timespec="seconds")
        made = Checked(path.stat().st_ino, at, sound)
        partial = _note(path).with_suffix(".part")
        partial.write_bytes(orjson.dumps(asdict(made)))
        partial.replace(_note(path))


def last(path: Path) -> Checked | None:
    """The last full check of the file now at `path`; None without one."""
    with suppress(OSError, ValueError, TypeError):
        found = Checked(**orjson.loads(_note(path).read_bytes()))
        if found.inode == path.stat().st_ino:
            return found
    return None


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.checked")
