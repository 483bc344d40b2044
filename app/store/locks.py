"""File locks: shared use of the store, and work that only one process may do at a time.

The operating system releases the locks of a process that ends, even a killed one. SQLite's own
locks guard transactions; the lock file beside the database guards the file itself. If the folder
is not writable there is no lock, and nobody can replace the database either.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from app.errors import StoreError, StoreInUse


class SharedLock:
    """A shared lock on the store at `path`, from now until `release`."""

    def __init__(self, path: Path) -> None:
        self._file: int | None = None
        try:
            self._file = os.open(_lock_file(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # the folder is not writable, so nobody can replace the database
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise StoreInUse(str(path), "is being replaced by another process") from error
        except OSError:  # the file system has no locks
            self.release()

    def release(self) -> None:
        """Release the lock. Idempotent."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """An exclusive lock on the store at `path`; raises StoreInUse if any process has it open."""
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


@contextmanager
def one_at_a_time(path: Path, busy: Callable[[str], Exception]) -> Iterator[None]:
    """An exclusive lock on the file `path`; raises `busy` if another thread or process has it."""
    lock = FileLock(path, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise busy(str(path)) from error
    except OSError as error:
        raise StoreError(f"the lock cannot be taken: {error.strerror or error}: {path}") from error
    try:
        yield
    finally:
        lock.release()


def _lock_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
