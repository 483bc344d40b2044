"""The engine on Whoosh: keeps its index on disk and opens it for searches.

Whoosh writes and reads the inverted index (`whoosh_format`); matching and scoring are ours
(`scoring`). On disk, below one folder:

    whoosh.json      the stamp: which directory is the index, its cursor, its file sizes
    whoosh.lock      held by the one writer
    damaged.json     which directory was found damaged by a search, and how
    whoosh-<hex>/    an index; `damaged-whoosh-<hex>/` one that was replaced and kept

The stamp is replaced in one step after the index is committed, so a crash leaves a cursor
that is at most too old.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections import OrderedDict, deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC, FileIndex
from whoosh.reading import SegmentReader

from app import text
from app.errors import EngineBusy, EngineError, IndexDamaged, IndexMissing
from app.search import ranking, scoring, vocabulary, whoosh_format
from app.search.base import SCHEMA_VERSION, Change, Found, Request, Stamp
from app.search.whoosh_format import Columns, Segment
from app.search.whoosh_writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from app.search.query import Fuzzy, Prefix

_ANSWERS_KEPT = 256
_SNAPSHOTS_KEPT = 8
_RESULTS_KEPT = 4  # whole results, for walks to their end

# The stamp's signature, and the directory and generation that were opened under it.
_Version = tuple[tuple[int, int], tuple[str, int]]


class _StampFile(BaseModel):
    """The stamp as it stands in whoosh.json; `files` are the sizes of all index files."""

    model_config = ConfigDict(frozen=True)

    directory: Annotated[str, Field(pattern="^whoosh-[0-9a-z]+$")]
    store_id: uuid.UUID
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: int
    files: dict[str, int]


class _Mark(BaseModel):
    """What damaged.json holds: damage that the sizes of files do not show."""

    directory: str
    reason: str


class _Memory:
    """What searches of one version leave for each other; see `scoring.Memory`."""

    def __init__(self, version: _Version) -> None:
        self.version = version
        self.days: dict[tuple[str, str], list[int]] = {}
        self.answers: OrderedDict[Request, Found] = OrderedDict()
        self._ranked: OrderedDict[object, ranking.Ranked] = OrderedDict()

    def ranked(self, key: object) -> ranking.Ranked | None:
        return self._ranked.get(key)

    def keep(self, key: object, ranked: ranking.Ranked) -> None:
        self._ranked[key] = ranked
        if len(self._ranked) > _RESULTS_KEPT:
            self._ranked.popitem(last=False)


class WhooshEngine:
    """An index in `folder`; safe to share between threads, and processes may share the folder."""

    def __init__(self, folder: Path, *, _stamp: str = "whoosh.json", _locked: bool = False) -> None:
        self._folder = folder
        self._stamp_path = folder / _stamp
        self._mark_path = folder / "damaged.json"
        self._locked = _locked
        self._idle: deque[_Snapshot] = deque()
        self._columns: dict[str, Columns] = {}
        # Between a commit and its stamp an opened snapshot is newer than the stamp says: of
        # two with one stamp the newer is kept, so that no search sees less than one before.
        self._newest_seen = ("", 0)
        self._memory = _Memory(((0, 0), self._newest_seen))

    # --- the stamp

    def stamp(self) -> Stamp:
        """What the index says of itself, read anew."""
        signature = self._signature()
        found = self._read_stamp()
        return Stamp(
            store_id=found.store_id,
            cursor=found.cursor,
            schema_version=found.schema_version,
            analyzer_version=found.analyzer_version,
            generation="-".join(map(str, signature)),
        )

    def _read_stamp(self) -> _StampFile:
        try:
            return _StampFile.model_validate_json(self._stamp_path.read_bytes())
        except FileNotFoundError as error:
            raise IndexMissing(str(self._folder)) from error
        except (OSError, ValueError) as error:
            raise IndexDamaged(str(self._stamp_path), f"unreadable stamp ({error})") from error

    def _write_stamp(self, stamp: _StampFile) -> None:
        part = self._stamp_path.with_suffix(".part")
        part.write_text(stamp.model_dump_json())
        part.replace(self._stamp_path)

    def verify(self) -> None:
        """Raise IndexDamaged if a file is gone or of another size, IndexMissing without any."""
        bad = ""
        self._raise_marked()
        for _ in range(3):  # a writer may commit between our two looks
            stamp = self._read_stamp()
            bad = _bad_file(self._folder / stamp.directory, stamp)
            if not bad:
                return
            if _latest_generation(self._folder / stamp.directory) > stamp.generation:
                with self._snapshot():
                    return
            time.sleep(0.02)
        raise IndexDamaged(str(self._folder / stamp.directory), bad)

    def _raise_marked(self) -> None:
        """Raise IndexDamaged if a search, in this or another process, found the index so."""
        with suppress(OSError, ValueError):
            mark = _Mark.model_validate_json(self._mark_path.read_bytes())
            if mark.directory == self._read_stamp().directory:
                raise IndexDamaged(mark.directory, mark.reason)

    def _mark(self, error: IndexDamaged) -> None:
        with suppress(OSError, EngineError):
            mark = _Mark(directory=self._read_stamp().directory, reason=error.reason)
            self._mark_path.write_text(mark.model_dump_json())

    # --- writing

    @contextmanager
    def _lock(self) -> Iterator[None]:
        if self._locked:
            yield
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / "whoosh.lock", thread_local=False)
            lock.acquire(blocking=False)
        except Timeout as error:
            raise EngineBusy(str(self._folder)) from error
        except OSError as error:
            raise EngineError(str(self._folder), error.strerror or str(error)) from error
        try:
            yield
        except OSError as error:  # the disk is full, say; what was there is still in use
            raise EngineError(str(self._folder), error.strerror or str(error)) from error
        finally:
            lock.release()

    def apply(self, changes: Sequence[Change], cursor: int) -> None:
        """Take in `changes` in one commit, then remember `cursor`."""
        with self._lock():
            stamp = self._read_stamp()
            if cursor < stamp.cursor:
                return  # another process has taken these in since they were read
            directory = self._folder / stamp.directory
            if changes:
                _remove_leftovers(directory)
                with whoosh_format.reading(directory):
                    self._write(directory, changes)
            self._write_stamp(
                stamp.model_copy(
                    update={
                        "cursor": cursor,
                        "generation": _latest_generation(directory),
                        "files": _sizes(directory),
                    }
                )
            )

    def _write(self, directory: Path, changes: Sequence[Change]) -> None:
        storage = whoosh_format.Storage(directory)
        try:
            self._write_to(storage, changes)
        finally:
            storage.close_files()

    def _write_to(self, storage: FileStorage, changes: Sequence[Change]) -> None:
        writer = Writer(FileIndex(storage, whoosh_format.schema()))
        try:
            ids = {change.id.bytes for change in changes}
            base = 0
            for segment in writer.segments:
                numbers = self._columns_of(storage, segment).numbers
                for id_ in ids & numbers.keys() if len(ids) > 1 else ids:
                    number = numbers.get(id_)
                    if number is not None and not segment.is_deleted(number):
                        writer.delete_document(base + number)
                base += segment.doc_count_all()
            newest = {change.id: change for change in changes}
            for change in newest.values():
                if change.document is not None:
                    writer.add(change, change.document)
            writer.commit(mergetype=whoosh_format.merge)
        except BaseException:
            with suppress(Exception):
                writer.cancel()
            raise

    @contextmanager
    def rebuilding(self, store_id: uuid.UUID) -> Iterator[WhooshEngine]:
        """An empty engine beside this one, swapped in when the block succeeds.

        What it replaces is removed if it is a sound index of the same store, else kept
        under a name that begins with `damaged-`.
        """
        with self._lock():
            self._remove_unfinished()
            name = f"whoosh-{uuid.uuid4().hex[:12]}"
            directory = self._folder / name
            directory.mkdir()
            FileIndex.create(whoosh_format.Storage(directory), whoosh_format.schema())
            beside = WhooshEngine(self._folder, _stamp=f"building-{name}.json", _locked=True)
            beside._write_stamp(
                _StampFile(
                    directory=name,
                    store_id=store_id,
                    cursor=0,
                    schema_version=SCHEMA_VERSION,
                    analyzer_version=text.ANALYZER_VERSION,
                    generation=0,
                    files=_sizes(directory),
                )
            )
            try:
                yield beside
            except BaseException:
                self._remove_unfinished()
                raise
            finally:
                beside.close()
            old, sound = self._current(store_id)
            beside._stamp_path.replace(self._stamp_path)
            self._mark_path.unlink(missing_ok=True)
            if old is not None and sound:
                shutil.rmtree(old, ignore_errors=True)
            elif old is not None:
                old.rename(old.with_name(f"damaged-{old.name}"))

    def _current(self, store_id: uuid.UUID) -> tuple[Path | None, bool]:
        """The directory that is in use, and whether it is a sound index of this store."""
        try:
            stamp = self._read_stamp()
        except IndexMissing:
            return None, True
        except IndexDamaged:
            self._stamp_path.rename(self._stamp_path.with_name("damaged-whoosh.json"))
            return None, False
        directory = self._folder / stamp.directory
        if not directory.is_dir():
            return None, False
        try:
            self.verify()
            with self._snapshot():
                return directory, stamp.store_id == store_id
        except IndexDamaged:
            return directory, False

    def _remove_unfinished(self) -> None:
        for stamp in self._folder.glob("building-whoosh-*.json"):
            shutil.rmtree(self._folder / stamp.stem.removeprefix("building-"), ignore_errors=True)
            stamp.unlink(missing_ok=True)

    # --- reading

    def close(self) -> None:
        """Close all files; other threads must have finished."""
        while self._idle:
            self._idle.pop().close()

    def entries(self) -> Iterator[tuple[uuid.UUID, int]]:
        """Id and change of every article in the index, segment by segment."""
        with self._snapshot() as snapshot:
            for segment in snapshot.segments:
                columns_ = segment.columns
                for number in range(columns_.count):
                    if number not in segment.deleted:
                        yield uuid.UUID(bytes=columns_.id(number)), columns_.change[number]

    def search(self, request: Request) -> Found:
        """The hits of one page; see `Engine.search`."""
        memory = self._memory
        if memory.version == (self._signature(), self._newest_seen):
            known = memory.answers.get(request)
            if known:
                return known
        with self._snapshot() as snapshot:
            memory = self._memory
            if memory.version != snapshot.version:
                memory = self._memory = _Memory(snapshot.version)
            found = scoring.search(snapshot, request, memory)
        if found.complete:
            memory.answers[request] = found
            while len(memory.answers) > _ANSWERS_KEPT:
                memory.answers.popitem(last=False)
        return found

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """How many articles hold each token."""
        with self._snapshot() as snapshot:
            return vocabulary.frequencies(snapshot.segments, tokens)

    def words(self, leaf: Prefix | Fuzzy, limit: int) -> list[tuple[str, int]]:
        """Folded words that a prefix or a typing error stands for; see `Engine.words`."""
        with self._snapshot() as snapshot:
            return vocabulary.words(snapshot.segments, leaf, limit)

    def names(self, field: str, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Folded names of a field that begin so; see `Engine.names`."""
        with self._snapshot() as snapshot:
            return vocabulary.names(snapshot.segments, field, prefix, limit)

    @contextmanager
    def _snapshot(self) -> Iterator[_Snapshot]:
        """A snapshot of the newest generation that no other thread uses meanwhile."""
        try:
            snapshot = self._newest()
        except IndexDamaged as error:
            self._mark(error)
            raise
        try:
            yield snapshot
        except BaseException as error:
            snapshot.close()
            if isinstance(error, IndexDamaged):
                self._mark(error)
            raise
        if len(self._idle) < _SNAPSHOTS_KEPT:
            self._idle.append(snapshot)
        else:
            snapshot.close()

    def _newest(self) -> _Snapshot:
        signature = self._signature()
        while self._idle:
            with suppress(IndexError):
                snapshot = self._idle.pop()
                if snapshot.version == (signature, self._newest_seen):
                    return snapshot
                snapshot.close()
        for attempt in range(10):
            signature = self._signature()
            stamp = self._read_stamp()
            directory = self._folder / stamp.directory
            generation = _latest_generation(directory)
            try:
                return self._open(stamp, signature)
            except IndexDamaged:
                # A writer may have removed the files that we were about to open. Its commit
                # shows in the generation at once, in the stamp only a moment later.
                still = generation == _latest_generation(directory)
                if attempt == 9 or (attempt and still and signature == self._signature()):
                    raise
                time.sleep(0.02)
        raise AssertionError("unreachable")

    def _signature(self) -> tuple[int, int]:
        try:
            status = self._stamp_path.stat()
        except OSError as error:
            raise IndexMissing(str(self._folder)) from error
        return status.st_mtime_ns, status.st_ino

    def _open(self, stamp: _StampFile, signature: tuple[int, int]) -> _Snapshot:
        directory = self._folder / stamp.directory
        storage = whoosh_format.Storage(directory)
        try:
            with whoosh_format.reading(directory):
                toc = TOC.read(storage, "MAIN", schema=whoosh_format.schema())
                if toc.generation == stamp.generation and (bad := _bad_file(directory, stamp)):
                    raise IndexDamaged(str(directory), bad)
                segments = [
                    Segment(SegmentReader(storage, toc.schema, segment), columns, str(directory))
                    for segment in toc.segments
                    if (columns := self._columns_of(storage, segment))
                ]
        except BaseException:
            storage.close_files()
            raise
        for name in set(self._columns) - {segment.columns.name for segment in segments}:
            self._columns.pop(name, None)
        seen = (stamp.directory, toc.generation)
        if seen[0] != self._newest_seen[0] or seen > self._newest_seen:
            self._newest_seen = seen
        return _Snapshot((signature, seen), stamp.cursor, segments, storage)

    def _columns_of(self, storage: FileStorage, segment: Any) -> Columns:
        name = f"{storage.folder}/{segment.segment_id()}"
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = Columns(name, storage, segment)
        return found


def _latest_generation(directory: Path) -> int:
    """The number of the newest commit; -1 where there is none."""
    try:
        return int(TOC._latest_generation(FileStorage(str(directory)), "MAIN"))
    except OSError:
        return -1


def _sizes(directory: Path) -> dict[str, int]:
    return {
        path.name: path.stat().st_size
        for path in directory.iterdir()
        if path.is_file() and path.name != "MAIN_WRITELOCK"
    }


def _bad_file(directory: Path, stamp: _StampFile) -> str:
    """What is wrong with the files that the stamp lists; empty when nothing is."""
    for name, size in stamp.files.items():
        try:
            found = (directory / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if found != size:
            return f"{name} has {found} bytes, not {size}"
    return ""


def _remove_leftovers(directory: Path) -> None:
    """Temporary folders and half-written files of a writer that was killed; under the lock."""
    for path in directory.glob("*.tmp"):
        shutil.rmtree(path, ignore_errors=True)
    for path in directory.glob("_MAIN_*.toc.*"):
        path.unlink(missing_ok=True)


@dataclass(slots=True)
class _Snapshot:
    """One generation of the index, opened; used by one thread at a time."""

    version: _Version
    cursor: int
    segments: list[Segment]
    storage: whoosh_format.Storage
    lengths: Sequence[int] = whoosh_format.LENGTHS

    def close(self) -> None:
        self.storage.close_files()
