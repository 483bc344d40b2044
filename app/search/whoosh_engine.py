"""The engine on Whoosh: a folder whose index is searched while it is written or built anew.

Whoosh writes and reads the inverted index (`whoosh_format`), which searches read by
snapshots (`whoosh_snapshots`); matching and scoring are ours (`scoring`). On disk, below one
folder:

    whoosh.json      the stamp: which directory is the index, its cursor, its files
    whoosh.lock      held by the one writer
    damaged.json     which directory was proved damaged, and how
    whoosh-<hex>/    an index; `damaged-whoosh-<hex>/` one that was set aside, of the newest few

The stamp (`whoosh_stamp`) is replaced in one step after the index is committed, so a crash
leaves a cursor that is at most too old.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from whoosh.index import FileIndex

from app import exchange, text
from app.errors import EngineBusy, EngineError, IndexDamaged, IndexMissing
from app.search import ranking, scoring, vocabulary, whoosh_format
from app.search.base import SCHEMA_VERSION, Change, Found, Request, Stamp
from app.search.clock import Clock
from app.search.kept import Kept
from app.search.whoosh_files import Storage
from app.search.whoosh_snapshots import Snapshots, latest_generation
from app.search.whoosh_stamp import NAME_FILE, Contents, StampFile
from app.search.whoosh_writer import Writer

if TYPE_CHECKING:
    from array import array
    from collections.abc import Hashable, Iterable, Iterator, Sequence
    from pathlib import Path

    from app.search.query import Fuzzy, Prefix
    from app.search.whoosh_snapshots import Version
    from app.search.whoosh_writer import Announce

log = logging.getLogger(__name__)

DAMAGED_KEPT = 3
"""Indexes set aside that stay on the disk: the newest, since they tell what happens now."""
_ANSWERS_BYTES = 16 * 2**20
_DAYS_BYTES = 16 * 2**20  # a time zone of an archive takes four bytes an article
_RESULTS_BYTES = 64 * 2**20  # whole results, for walks to their end


class _Memory:
    """What searches of one version leave for each other; see `scoring.Memory`."""

    def __init__(self, version: Version | None) -> None:
        self.version = version
        self.days: Kept[array[int]] = Kept(_DAYS_BYTES)
        self.answers: Kept[Found] = Kept(_ANSWERS_BYTES)
        self._ranked: Kept[ranking.Ranked] = Kept(_RESULTS_BYTES)

    def ranked(self, key: Hashable) -> ranking.Ranked | None:
        return self._ranked.get(key)

    def keep(self, key: Hashable, ranked: ranking.Ranked) -> None:
        self._ranked.put(key, ranked, _ROW_BYTES * len(ranked.rows))


_ROW_BYTES = 300  # of a ranked result: two tuples, an id, numbers
_VALUE_BYTES = 200  # a hit, a facet's value, a period


def _size_bytes(request: Request, found: Found) -> int:
    """About what an answer takes, with the request that it is kept under."""
    values = sum(map(len, found.facets.values())) + len(found.histogram)
    hits = sum(1 + len(hit.duplicates) for hit in found.hits)
    return _VALUE_BYTES * (values + hits) + 10 * len(repr(request))


class WhooshEngine:
    """An index in `folder`; safe to share between threads, and processes may share the folder."""

    def __init__(self, folder: Path, *, _stamp: str = "whoosh.json", _locked: bool = False) -> None:
        self._folder = folder
        self._stamp_file = StampFile(folder, _stamp)
        self._snapshots = Snapshots(self._stamp_file)
        self._locked = _locked
        self._memory = _Memory(None)

    # --- the stamp

    def stamp(self) -> Stamp:
        """What the index says of itself, read anew."""
        signature = self._stamp_file.signature()
        found = self._stamp_file.read()
        return Stamp(
            store_id=found.store_id,
            cursor=found.cursor,
            schema_version=found.schema_version,
            analyzer_version=found.analyzer_version,
            generation="-".join(map(str, signature)),
        )

    def verify(self) -> None:
        """Raise IndexDamaged if a file is not what was written, IndexMissing without any."""
        self._stamp_file.raise_marked()
        if bad := self._snapshots.damage():
            raise bad

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
            stamp = self._stamp_file.read()
            if cursor < stamp.cursor:
                return  # another process has taken these in since they were read
            directory = self._folder / stamp.directory
            if bad := self._snapshots.damage():
                raise bad  # what is taken in now is proved by what was there
            if changes:
                _remove_leftovers(directory)
                with self._snapshots.proving():
                    self._write(directory, changes, stamp)
            stamp = stamp.model_copy(update={"cursor": cursor})
            generation = latest_generation(directory)
            self._stamp_file.write(self._stamp_file.with_files(stamp, directory, generation))

    def _write(self, directory: Path, changes: Sequence[Change], stamp: Contents) -> None:
        storage = Storage(directory)
        announce = partial(self._stamp_file.announce, directory, stamp)
        try:
            self._write_to(storage, changes, announce)
        finally:
            storage.close_files()

    def _write_to(self, storage: Storage, changes: Sequence[Change], announce: Announce) -> None:
        writer = Writer(FileIndex(storage, whoosh_format.schema()), announce)
        try:
            ids = {change.id.bytes for change in changes}
            base = 0
            for segment in writer.segments:
                numbers = self._snapshots.columns_of(storage, segment).numbers
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

        What it replaces is removed if it is a sound index of the same store, else set aside
        under a name that begins with `damaged-`; of those DAMAGED_KEPT stay.
        """
        with self._lock():
            self._remove_unfinished()
            name = f"whoosh-{uuid.uuid4().hex[:12]}"
            directory = self._folder / name
            beside = WhooshEngine(self._folder, _stamp=f"building-{name}.json", _locked=True)
            try:
                beside._begin(directory, store_id)
                yield beside
            except BaseException:
                self._remove_unfinished()
                shutil.rmtree(directory, ignore_errors=True)  # it may not have got its stamp
                raise
            finally:
                beside.close()
            old, sound = self._current(store_id)
            aside = {
                left.rename(left.with_name(f"damaged-{left.name}"))
                for left in list(self._folder.glob("whoosh-*"))  # also what no stamp names
                if left.is_dir() and left != directory and not (sound and left == old)
            }
            self._stamp_file.take_over(beside._stamp_file)
            if old is not None and sound:
                shutil.rmtree(old, ignore_errors=True)
            self._remove_damaged(aside)

    def _begin(self, directory: Path, store_id: uuid.UUID) -> None:
        """Make an empty index and its stamp."""
        directory.mkdir()
        (directory / NAME_FILE).write_text(directory.name)
        FileIndex.create(Storage(directory), whoosh_format.schema())
        stamp = Contents(
            directory=directory.name,
            store_id=store_id,
            cursor=0,
            schema_version=SCHEMA_VERSION,
            analyzer_version=text.ANALYZER_VERSION,
            generation=0,
            files={},
        )
        self._stamp_file.write(self._stamp_file.with_files(stamp, directory, 0))

    def _current(self, store_id: uuid.UUID) -> tuple[Path | None, bool]:
        """The directory that is in use, and whether it is a sound index of this store."""
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
        if stamp.schema_version != SCHEMA_VERSION:  # what its files should be like is not known
            return directory, stamp.store_id == store_id
        try:
            self.verify()
        except IndexDamaged:
            return directory, False
        return directory, stamp.store_id == store_id

    def _remove_unfinished(self) -> None:
        for stamp in self._folder.glob("building-whoosh-*.json"):
            shutil.rmtree(self._folder / stamp.stem.removeprefix("building-"), ignore_errors=True)
            stamp.unlink(missing_ok=True)

    def _remove_damaged(self, aside: set[Path]) -> None:
        """Remove what was set aside long ago; `aside` was just now, whatever the clock says."""
        earlier = {path for path in self._folder.glob("damaged-whoosh-*") if path.is_dir()} - aside
        newest_first = sorted(earlier, key=lambda path: path.stat().st_ctime_ns, reverse=True)
        for path in newest_first[max(DAMAGED_KEPT - len(aside), 0) :]:
            log.warning("removing a damaged index, newer ones are kept: %s", path)
            shutil.rmtree(path, ignore_errors=True)

    def discard_damaged(self) -> None:
        """Remove all that was set aside, under the lock."""
        with self._lock():
            for path in self._folder.glob("damaged-whoosh*"):
                log.warning("removing a damaged index, a text was erased: %s", path)
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink()

    # --- reading

    def close(self) -> None:
        """Close all files; other threads must have finished."""
        self._snapshots.close()

    def entries(self) -> Iterator[tuple[uuid.UUID, int]]:
        """Id and change of every article in the index, segment by segment."""
        with self._snapshots.lend() as snapshot:
            for segment in snapshot.segments:
                columns_ = segment.columns
                for number in range(columns_.count):
                    if number not in segment.deleted:
                        yield uuid.UUID(bytes=columns_.id(number)), columns_.change[number]

    def search(self, request: Request) -> Found:
        """The hits of one page; see `Engine.search`."""
        with exchange.Part("search"):
            return self._search(request)

    def _search(self, request: Request) -> Found:
        memory = self._memory
        if memory.version == self._snapshots.version():
            known = memory.answers.get(request)
            exchange.remembered(bool(known))
            if known:
                return known
        else:
            exchange.remembered(False)
        clock = Clock(request.timeout_s)  # opening a new generation counts
        with self._snapshots.lend() as snapshot:
            memory = self._memory
            if memory.version != snapshot.version:
                memory = self._memory = _Memory(snapshot.version)
            found = scoring.search(snapshot, request, memory, clock)
        if found.complete:
            memory.answers.put(request, found, _size_bytes(request, found))
        return found

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """How many articles hold each token."""
        with self._snapshots.lend() as snapshot:
            return vocabulary.frequencies(snapshot.segments, tokens)

    def words(self, leaf: Prefix | Fuzzy, limit: int) -> list[tuple[str, int]]:
        """Folded words that a prefix or a typing error stands for; see `Engine.words`."""
        with self._snapshots.lend() as snapshot:
            return vocabulary.words(snapshot.segments, leaf, limit)

    def names(self, field: str, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Folded names of a field that begin so; see `Engine.names`."""
        with self._snapshots.lend() as snapshot:
            return vocabulary.names(snapshot.segments, field, prefix, limit)


def _remove_leftovers(directory: Path) -> None:
    """Temporary folders and half-written files of a writer that was killed; under the lock."""
    for path in directory.glob("*.tmp"):
        shutil.rmtree(path, ignore_errors=True)
    for path in directory.glob("_MAIN_*.toc.*"):
        path.unlink(missing_ok=True)
