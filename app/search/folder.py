"""A folder with the index of an engine: its stamp, its one writer, rebuilds and what is set aside.

    <name>.json      the stamp: the directory of the index, its cursor, its files
    <name>.lock      the lock of the one writer
    damaged.json     the directory that was found damaged, and the reason
    <name>-<hex>/    an index; `damaged-<name>-<hex>/` are the newest that were set aside

An engine says what its files are and how they are read and written. The stamp (`search.stamp`) is
replaced atomically after the index is committed, so that a crash leaves a cursor that is at most
too old.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from filelock import FileLock, Timeout

from app import context, text
from app.errors import EngineBusy, EngineError, IndexDamaged, IndexMissing
from app.search.engine import SCHEMA_VERSION, Stamp
from app.search.stamp import NAME_FILE, Contents, StampFile, discard_others

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from app.search.engine import Change, Found, Request
    from app.writes import Write

log = logging.getLogger(__name__)

DAMAGED_KEPT = 3
"""How many damaged indexes stay on disk: the newest, since they show the current fault."""


class _Snapshots(Protocol):
    """The index as searches read it."""

    def damage(self) -> IndexDamaged | None: ...
    def close(self) -> None: ...


class EngineFolder(ABC):
    """The index of an engine in `folder`; threads may share the object, processes the folder."""

    NAME: ClassVar[str]
    """The name of the engine, with which its files begin."""

    _snapshots: _Snapshots

    def __init__(self, folder: Path, *, _stamp: str | None = None, _locked: bool = False) -> None:
        self._folder = folder
        self._stamp_file = StampFile(folder, _stamp or f"{self.NAME}.json")
        self._locked = _locked

    @abstractmethod
    def _create(self, directory: Path, stamp: Contents) -> Contents:
        """Create an empty index in a directory; `stamp` with its files."""

    @abstractmethod
    def _commit(self, directory: Path, changes: Sequence[Change], stamp: Contents) -> Contents:
        """Index `changes`, which may be none, in one commit; `stamp` with the files then."""

    @abstractmethod
    def _search(self, request: Request) -> Found:
        """The hits of one page."""

    def _is_worn(self, stamp: Contents) -> bool:  # noqa: ARG002
        """Whether much of the index is deleted documents."""
        return False

    def health(self) -> None:
        """Verify all files; raises IndexDamaged for a changed one, IndexMissing without any."""
        self._stamp_file.raise_marked()
        if bad := self._snapshots.damage():
            raise bad

    def close(self) -> None:
        """Close all files; other threads must have finished."""
        self._snapshots.close()

    def search(self, request: Request) -> Found:
        """The hits of one page; see `Engine.search`."""
        with context.Span("search"):
            return self._search(request)

    def apply(
        self,
        changes: Sequence[Change],
        cursor: int,
        *,
        history: Write | None = None,
        after: Write | None = None,
    ) -> None:
        """Index `changes` in one commit, then set the cursor; see `Engine.apply`."""
        with self._lock():
            stamp = self._stamp_file.read()
            if cursor < stamp.cursor or (after is not None and stamp.history != after):
                return  # another process has written the index since they were read
            if bad := self._snapshots.damage():
                raise bad  # new checksums would cover the damage
            write = {"change": history.change, "token": history.token} if history else {}
            stamp = stamp.model_copy(update={"cursor": cursor, **write})
            directory = self._folder / stamp.directory
            self._stamp_file.write(self._commit(directory, changes, stamp))

    def stamp(self) -> Stamp:
        """The stamp of the index, read from the disk."""
        signature = self._stamp_file.signature()
        found = self._stamp_file.read()
        return Stamp(
            store_id=found.store_id,
            history=found.history,
            cursor=found.cursor,
            schema_version=found.schema_version,
            analyzer_version=found.analyzer_version,
            generation="-".join(map(str, signature)),
            is_worn=self._is_worn(found),
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        if self._locked:
            yield
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / f"{self.NAME}.lock", thread_local=False)
            lock.acquire(blocking=False)
        except Timeout as error:
            raise EngineBusy(str(self._folder)) from error
        except OSError as error:
            raise EngineError(str(self._folder), error.strerror or str(error)) from error
        try:
            yield
        except OSError as error:  # such as a full disk; the committed index is still in use
            raise EngineError(str(self._folder), error.strerror or str(error)) from error
        finally:
            lock.release()

    @contextmanager
    def rebuilding(self, store_id: uuid.UUID) -> Iterator[Self]:
        """An empty engine beside this one, swapped in when the block succeeds.

        The old index is removed if it is a sound one of the same store, otherwise set aside under
        a name that begins with `damaged-`. DAMAGED_KEPT of these stay.
        """
        with self._lock():
            self._remove_unfinished()
            name = f"{self.NAME}-{uuid.uuid4().hex[:12]}"
            directory = self._folder / name
            beside = type(self)(self._folder, _stamp=f"building-{name}.json", _locked=True)
            try:
                beside._begin(directory, store_id)
                yield beside
            except BaseException:
                self._remove_unfinished()
                shutil.rmtree(directory, ignore_errors=True)  # it may have no stamp yet
                raise
            finally:
                beside.close()
            old, sound = self._current(store_id)
            aside = {
                left.rename(left.with_name(f"damaged-{left.name}"))
                for left in list(self._folder.glob(f"{self.NAME}-*"))  # also those without a stamp
                if left.is_dir() and left != directory and not (sound and left == old)
            }
            self._stamp_file.take_over(beside._stamp_file)
            if old is not None and sound:
                shutil.rmtree(old, ignore_errors=True)
            self._remove_damaged(aside)

    def _begin(self, directory: Path, store_id: uuid.UUID) -> None:
        """Create an empty index and its stamp."""
        directory.mkdir()
        (directory / NAME_FILE).write_text(directory.name)
        stamp = Contents(
            directory=directory.name,
            store_id=store_id,
            cursor=0,
            schema_version=SCHEMA_VERSION,
            analyzer_version=text.ANALYZER_VERSION,
            generation=0,
            files={},
        )
        self._stamp_file.write(self._create(directory, stamp))

    def _current(self, store_id: uuid.UUID) -> tuple[Path | None, bool]:
        """The current directory, and whether it is a sound index of this store."""
        try:
            stamp = self._stamp_file.read()
        except IndexMissing:
            return None, True
        except IndexDamaged:
            self._stamp_file.set_aside()
            return None, False
        directory = self._folder / stamp.directory
        if not directory.is_dir():
            return None, False
        if stamp.schema_version != SCHEMA_VERSION:  # the format of its files is not known
            return directory, stamp.store_id == store_id
        try:
            self.health()
        except IndexDamaged:
            return directory, False
        return directory, stamp.store_id == store_id

    def _remove_unfinished(self) -> None:
        for stamp in self._folder.glob(f"building-{self.NAME}-*.json"):
            shutil.rmtree(self._folder / stamp.stem.removeprefix("building-"), ignore_errors=True)
            stamp.unlink(missing_ok=True)

    def _remove_damaged(self, aside: set[Path]) -> None:
        """Remove all but the newest damaged indexes; those in `aside` count as the newest."""
        found = self._folder.glob(f"damaged-{self.NAME}-*")
        earlier = {path for path in found if path.is_dir()} - aside
        newest_first = sorted(earlier, key=lambda path: path.stat().st_ctime_ns, reverse=True)
        for path in newest_first[max(DAMAGED_KEPT - len(aside), 0) :]:
            log.warning("removing a damaged index, newer ones are kept: %s", path)
            shutil.rmtree(path, ignore_errors=True)

    def discard_damaged(self) -> None:
        """Remove every damaged index, and those of other engines, under the lock."""
        with self._lock():
            discard_others(self._folder, self.NAME)
            for path in self._folder.glob(f"damaged-{self.NAME}*"):
                log.warning("removing a damaged index, a text was erased: %s", path)
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()
