"""Snapshots: the newest generation of an index, opened for one search at a time.

Opening reads many files, so snapshots that are done with are kept for later searches until
there is a newer generation; columns are shared between them. A writer in another process may
commit, and remove files, at any moment. No search sees less than one before it.

An index is damaged when its checksums say so, never because something was raised: an error
while reading has the files read again, and goes on as it is where they are what was written.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whoosh.index import TOC
from whoosh.reading import SegmentReader

from app.errors import BroadsheetError, EngineError, IndexDamaged
from app.search import whoosh_format
from app.search.whoosh_files import Storage
from app.search.whoosh_segments import Columns, Segment
from app.search.whoosh_stamp import looks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from uuid import UUID

    from whoosh.filedb.filestore import FileStorage

    from app.search.whoosh_stamp import Contents, Look, Signature, StampFile

    Version = tuple[Signature, tuple[str, int]]

_KEPT = 8


@dataclass(slots=True)
class Snapshot:
    """One generation of the index, opened; used by one thread at a time.

    `version` is the stamp's signature, and the directory and generation opened under it;
    `looks` is what the files were like then.
    """

    version: Version
    store_id: UUID
    cursor: int
    segments: list[Segment]
    storage: Storage
    paths: list[str]
    looks: list[Look]
    lengths: Sequence[int] = whoosh_format.LENGTHS

    def is_touched(self) -> bool:
        """Whether a file is not what it was when this was opened."""
        return looks(self.paths) != self.looks

    def close(self) -> None:
        """Close its files."""
        self.storage.close_files()


class Snapshots:
    """The snapshots of the index that a stamp points at; safe to share between threads."""

    def __init__(self, stamp_file: StampFile) -> None:
        self._stamp_file = stamp_file
        self._idle: deque[Snapshot] = deque()
        self._columns: dict[str, Columns] = {}
        # Between a commit and its stamp an opened snapshot is newer than the stamp says: of
        # two with one stamp the newer is kept, so that no search sees less than one before.
        self._newest_seen = ("", 0)
        self._known_directory: tuple[Signature, str] = ((0, 0), "")

    def version(self) -> Version:
        """The newest that has been opened, under the stamp as it is now."""
        return self._stamp_file.signature(), self._newest_seen

    @contextmanager
    def lend(self) -> Iterator[Snapshot]:
        """A snapshot of the newest generation that no other thread uses meanwhile."""
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
        """Find out whether what is raised over the files of the index is their damage.

        It is IndexDamaged then. What the operating system refuses is an EngineError, and so is
        what is raised over an index that was replaced meanwhile: its files may have been moved
        away. All else goes on as it is: a bug.
        """
        used = None
        try:
            used = self._directory()
            yield
        except IndexDamaged as error:
            self._stamp_file.mark_damaged(error)
            raise
        except (BroadsheetError, MemoryError):
            raise
        except Exception as error:
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
        """The directory in use; the stamp is read only when it was written since."""
        with suppress(EngineError):
            signature = self._stamp_file.signature()
            known = self._known_directory
            if known[0] != signature:
                known = self._known_directory = signature, self._stamp_file.read().directory
            return known[1]
        return None

    def damage(self, *, anew: bool = False) -> IndexDamaged | None:
        """What the checksums say against the newest generation; None when nothing.

        Files are read that have not been since they were touched, or `anew`.
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

    def columns_of(self, storage: FileStorage, segment: Any) -> Columns:
        """The columns of a segment, read once as long as it is in use."""
        name = f"{storage.folder}/{segment.segment_id()}"
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = Columns(name, storage, segment)
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
            except Exception as error:
                if isinstance(error, EngineError) and not isinstance(error, IndexDamaged):
                    raise
                # A writer may have removed the files that we were about to open. Its commit
                # shows in the generation at once, in the stamp only a moment later.
                still = generation == latest_generation(directory)
                if attempt == 9 or (attempt and still and signature == stamp_file.signature()):
                    raise
                time.sleep(0.02)
        raise AssertionError("unreachable")

    def _open(self, stamp: Contents, signature: Signature) -> Snapshot:
        directory = self._stamp_file.folder / stamp.directory
        storage = Storage(directory)
        try:
            toc = TOC.read(storage, "MAIN", schema=whoosh_format.schema())
            vouched = self._stamp_file.vouching(directory, stamp, toc.generation)
            if vouched is None:
                reason = f"nothing vouches for generation {toc.generation}"
                raise IndexDamaged(str(directory), reason)
            paths = [f"{directory}/{name}" for name in vouched.files]
            seen_so = looks(paths)  # before they are proved
            if bad := self._stamp_file.bad_file(directory, vouched):
                raise IndexDamaged(str(directory), bad)
            segments = [
                Segment(SegmentReader(storage, toc.schema, segment), columns)
                for segment in toc.segments
                if (columns := self.columns_of(storage, segment))
            ]
        except BaseException:
            storage.close_files()
            raise
        for name in set(self._columns) - {segment.columns.name for segment in segments}:
            self._columns.pop(name, None)
        seen = (stamp.directory, toc.generation)
        if seen[0] != self._newest_seen[0] or seen > self._newest_seen:
            self._newest_seen = seen
        return Snapshot(
            (signature, seen), stamp.store_id, stamp.cursor, segments, storage, paths, seen_so
        )


def latest_generation(directory: Path) -> int:
    """The number of the newest commit; -1 where there is none."""
    try:
        return int(TOC._latest_generation(Storage(directory), "MAIN"))
    except OSError as error:
        raise EngineError(str(directory), error.strerror or str(error)) from error
