"""Who has the store open: shared by all who use it, alone for who puts another in its place.

A lock file beside the database, held by the operating system for as long as the process
lives: one that is killed holds nothing. SQLite's own locks guard transactions; this one
guards the file itself. Where a lock file cannot be made, nothing is held and nobody can
replace the database either.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.errors import StoreError, StoreInUse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Share:
    """One user's share of the store at `path`, from now until `release`."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        try:
            self._file = os.open(_lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # a folder that cannot be written: nobody replaces anything there
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise StoreInUse(str(path), "is being replaced by another process") from error
        except OSError:  # a file system without locks
            self.release()

    def release(self) -> None:
        """Give the share back; once is enough."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else has the store at `path` open, or comes to, while the block runs."""
    try:
        file = os.open(_lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(f"cannot be locked: {error.strerror or error}: {path}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreInUse(str(path), "is in use by another process") from error
    finally:
        os.close(file)


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
