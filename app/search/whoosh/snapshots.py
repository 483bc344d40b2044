"""Snapshots: the newest generation of an index, opened for one search at a time.

Opening reads many files, so idle snapshots are pooled until there is a newer generation; columns
are shared between them. A writer in another process may commit and remove files at any moment.
No search sees an older generation than a search before it.

Only checksums prove an index damaged, never an exception. An error while reading makes the files
be read again, and is raised unchanged if they are sound.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whoosh.index import TOC
from whoosh.reading import SegmentReader

from app.errors import EngineError, IndexDamaged
from app.search.stamp import looks
from app.search.whoosh import schema
from app.search.whoosh.segments import Columns, Ids, Segment
from app.search.whoosh.storage import UNREADABLE, Storage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from whoosh.filedb.filestore import FileStorage

    from app.search.stamp import Contents, Look, Signature, StampFile
    from app.writes import Write

    Version = tuple[Signature, tuple[str, int]]

_KEPT = 8


@dataclass(slots=True)
class Snapshot:
    """An open generation of the index; used by one thread at a time.

    `version` is the stamp's signature, and the directory and generation opened under it. `looks`
    are the looks of its files when they were opened.
    """

    version: Version
    store_id: UUID
    history: Write
    cursor: int
    segments: list[Segment]
    storage: Storage
    paths: list[str]
    looks: list[Look]
    lengths: Sequence[int] = schema.LENGTHS

    def is_touched(self) -> bool:
        """Whether a file has changed since this was opened."""
        return looks(self.paths) != self.looks

    def close(self) -> None:
        """Close its files."""
        self.storage.close_files()


class Snapshots:
    """A pool of snapshots of the index that a stamp names; safe to share between threads."""

    def __init__(self, stamp_file: StampFile) -> None:
        self._stamp_file = stamp_file
        self._idle: deque[Snapshot] = deque()
        self._columns: dict[str, Columns] = {}
        self._ids: dict[str, Ids] = {}
        # Between a commit and its stamp, an opened snapshot is newer than the stamp says, so two
        # snapshots can share a stamp. Keep the newer: results never go back in time.
        self._newest_seen = ("", 0)
        self._known_directory: tuple[Signature, str] = ((0, 0), "")

    def version(self) -> Version:
        """The newest version that has been opened, under the current stamp."""
        return self._stamp_file.signature(), self._newest_seen

    @contextmanager
    def lend(self) -> Iterator[Snapshot]:
        """A snapshot of the newest generation, for this thread alone."""
        with self.proving():
            snapshot = self._newest()
            try:
                yield snapshot
            except BaseException:
                snapshot.close()
                raise
        if len(self._idle) < _KEPT:
            self._idle.append(snapshot)
        else:
            snapshot.close()

    @contextmanager
    def proving(self) -> Iterator[None]:
        """Translate errors of reading the index.

        IndexDamaged if checksums prove damage. EngineError if the operating system refuses, or if
        the index was replaced meanwhile, since its files may have been moved. Any other error is
        a bug and is raised unchanged.
        """
        used = None
        try:
            used = self._directory()
            yield
        except IndexDamaged as error:
            self._stamp_file.mark_damaged(error)
            raise
        except UNREADABLE as error:
            refused = isinstance(error, OSError) and error.errno is not None
            if not refused or isinstance(error, FileNotFoundError):
                self._prove(error)
                if used is not None and self._directory() != used:
                    reason = "the index was replaced while it was read"
                    raise EngineError(str(self._stamp_file.folder), reason) from error
            if isinstance(error, OSError):
                folder = str(self._stamp_file.folder)
                raise EngineError(folder, error.strerror or str(error)) from error
            raise

    def _prove(self, error: Exception) -> None:
        if bad := self.damage(anew=True):
            self._stamp_file.mark_damaged(bad)
            raise bad from error

    def _directory(self) -> str | None:
        """The current directory; the stamp is read only if it was written since."""
        with suppress(EngineError):
            signature = self._stamp_file.signature()
            known = self._known_directory
            if known[0] != signature:
                known = self._known_directory = signature, self._stamp_file.read().directory
            return known[1]
        return None

    def damage(self, *, anew: bool = False) -> IndexDamaged | None:
        """The damage of the newest generation; None if its checksums hold.

        Reads the files that were touched since they were last read, with `anew` all.
        """
        seen: tuple[str, int] | None = None
        while True:
            stamp = self._stamp_file.read()
            directory = self._stamp_file.folder / stamp.directory
            generation = latest_generation(directory)
            vouched = self._stamp_file.vouching(directory, stamp, generation)
            bad = f"nothing vouches for generation {generation}"
            if vouched is not None:
                bad = self._stamp_file.bad_file(directory, vouched, anew=anew)
            if not bad:
                return None
            if seen == (stamp.directory, generation):
                return IndexDamaged(str(directory), bad)
            seen = (stamp.directory, generation)  # a writer may commit between two looks
            time.sleep(0.02)

    def close(self) -> None:
        """Close all files; other threads must have finished."""
        while self._idle:
            self._idle.pop().close()

    def ids_of(self, storage: FileStorage, segments: Sequence[Any]) -> list[Ids]:
        """The ids of the current segments, for a writer; drops those of other segments."""
        names = [_name(storage, segment) for segment in segments]
        found = [self._ids_of(*each, storage) for each in zip(names, segments, strict=True)]
        for name in set(self._ids) - set(names):
            self._ids.pop(name, None)
        return found

    def _ids_of(self, name: str, segment: Any, storage: FileStorage) -> Ids:
        found = self._ids.get(name)
        if found is None:
            found = self._ids[name] = Ids(storage, segment)
        return found

    def _columns_of(self, storage: FileStorage, segment: Any) -> Columns:
        """The columns of a segment, cached while it is in use."""
        name = _name(storage, segment)
        found = self._columns.get(name)
        if found is None:
            ids = self._ids_of(name, segment, storage)
            found = self._columns[name] = Columns(name, storage, segment, ids)
        return found

    def _newest(self) -> Snapshot:
        stamp_file = self._stamp_file
        signature = stamp_file.signature()
        while self._idle:
            with suppress(IndexError):
                snapshot = self._idle.pop()
                if snapshot.version == (signature, self._newest_seen) and not snapshot.is_touched():
                    return snapshot
                snapshot.close()
        for attempt in range(10):
            signature = stamp_file.signature()
            stamp = stamp_file.read()
            directory = stamp_file.folder / stamp.directory
            generation = latest_generation(directory)
            try:
                return self._open(stamp, signature)
            except (IndexDamaged, *UNREADABLE):
                # A writer may have removed the files that we were about to open. Its commit
                # changes the generation at once and the stamp a moment later.
                still = generation == latest_generation(directory)
                if attempt == 9 or (attempt and still and signature == stamp_file.signature()):
                    raise
                time.sleep(0.02)
        raise AssertionError("unreachable")

    def _open(self, stamp: Contents, signature: Signature) -> Snapshot:
        directory = self._stamp_file.folder / stamp.directory
        storage = Storage(directory)
        try:
            toc = TOC.read(storage, "MAIN", schema=schema.schema())
            vouched = self._stamp_file.vouching(directory, stamp, toc.generation)
            if vouched is None:
                reason = f"nothing vouches for generation {toc.generation}"
                raise IndexDamaged(str(directory), reason)
            paths = [f"{directory}/{name}" for name in vouched.files]
            looked = looks(paths)  # before their checksums are verified
            if bad := self._stamp_file.bad_file(directory, vouched):
                raise IndexDamaged(str(directory), bad)
            segments = [
                Segment(SegmentReader(storage, toc.schema, segment), columns)
                for segment in toc.segments
                if (columns := self._columns_of(storage, segment))
            ]
        except BaseException:
            storage.close_files()
            raise
        used = {segment.columns.name for segment in segments}
        for known in (self._columns, self._ids):
            for name in set(known) - used:
                known.pop(name, None)
        seen = (stamp.directory, toc.generation)
        if seen[0] != self._newest_seen[0] or seen > self._newest_seen:
            self._newest_seen = seen
        return Snapshot(
            (signature, seen),
            stamp.store_id,
            stamp.history,
            stamp.cursor,
            segments,
            storage,
            paths,
            looked,
        )


def _name(storage: FileStorage, segment: Any) -> str:
    return f"{storage.folder}/{segment.segment_id()}"


def latest_generation(directory: Path) -> int:
    """The number of the newest commit; -1 without one."""
    try:
        return int(TOC._latest_generation(Storage(directory), "MAIN"))
    except OSError as error:
        raise EngineError(str(directory), error.strerror or str(error)) from error
