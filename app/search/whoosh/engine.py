"""The engine on Whoosh: an index in a folder, searchable while it is written or rebuilt.

Whoosh writes and reads the inverted index (`whoosh.schema`), which searches read through
snapshots (`whoosh.snapshots`). Matching and scoring are ours (`whoosh.searcher`); the folder with
its stamp, lock and rebuilds is `search.folder`.
"""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal

from whoosh.index import FileIndex

from app import context
from app.search.deadline import Deadline
from app.search.engine import VALUE_BYTES, Change, Found, Request, size_bytes
from app.search.folder import EngineFolder
from app.search.query.tree import Fuzzy, Prefix
from app.search.whoosh import dictionary, schema, searcher
from app.search.whoosh.searcher import Caches
from app.search.whoosh.snapshots import Snapshot, Snapshots, latest_generation
from app.search.whoosh.storage import UNREADABLE, Storage
from app.search.whoosh.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from app.search.query.tree import Word
    from app.search.stamp import Contents
    from app.search.whoosh.writer import Announce


class WhooshEngine(EngineFolder):
    """An index in `folder`; threads may share the engine, processes the folder."""

    NAME = "whoosh"

    def __init__(self, folder: Path, *, _stamp: str | None = None, _locked: bool = False) -> None:
        super().__init__(folder, _stamp=_stamp, _locked=_locked)
        self._snapshots: Snapshots = Snapshots(self._stamp_file)
        self._caches = Caches(None)

    # --- writing

    def _commit(self, directory: Path, changes: Sequence[Change], stamp: Contents) -> Contents:
        if changes:
            for path in directory.glob("*.tmp"):  # what a writer left that was killed
                shutil.rmtree(path, ignore_errors=True)
            for path in directory.glob("_MAIN_*.toc.*"):
                path.unlink(missing_ok=True)
            announce = partial(self._stamp_file.announce, directory, self._stamp_file.read())
            with self._snapshots.proving():
                storage = Storage(directory)
                try:
                    self._write_to(storage, changes, announce)
                finally:
                    storage.close_files()
        return self._stamp_file.with_files(stamp, directory, latest_generation(directory))

    def _write_to(self, storage: Storage, changes: Sequence[Change], announce: Announce) -> None:
        writer = Writer(FileIndex(storage, schema.schema()), announce)
        try:
            ids = {change.id.bytes for change in changes}
            base = 0
            every = self._snapshots.ids_of(storage, writer.segments)
            for segment, known in zip(writer.segments, every, strict=True):
                if len(ids) > 1:
                    known.make_table()
                for id_ in ids:
                    number = known.number(id_)
                    if number is not None and not segment.is_deleted(number):
                        writer.delete_document(base + number)
                base += segment.doc_count_all()
            newest = {change.id: change for change in changes}
            for change in newest.values():
                if change.document is not None:
                    writer.add(change, change.document)
            writer.commit(mergetype=schema.merge)
        except BaseException:
            with suppress(*UNREADABLE):
                writer.cancel()
            raise

    def _create(self, directory: Path, stamp: Contents) -> Contents:
        FileIndex.create(Storage(directory), schema.schema())
        return self._stamp_file.with_files(stamp, directory, 0)

    # --- reading

    def entries(self) -> Iterator[tuple[uuid.UUID, int]]:
        """Id and change of every article in the index, segment by segment."""
        with self._snapshots.lend() as snapshot:
            for segment in snapshot.segments:
                columns = segment.columns
                for number in range(columns.count):
                    if number not in segment.deleted:
                        yield uuid.UUID(bytes=columns.id(number)), columns.change[number]

    def _search(self, request: Request) -> Found:
        caches = self._caches
        key = request, str(request.query)  # words of one English stem differ in other languages
        known = None
        if caches.version == self._snapshots.version():
            known = caches.answers.get(key)
        context.set_cache_hit(known is not None)
        if known is not None:
            return known
        deadline = Deadline(request.timeout_s)  # includes the opening of a new generation
        with self._snapshots.lend() as snapshot:
            caches = self._caches_of(snapshot)
            found = searcher.search(snapshot, request, caches, deadline)
        if found.complete:
            caches.answers.put(key, found, size_bytes(request, found))
        return found

    def _caches_of(self, snapshot: Snapshot) -> Caches:
        if self._caches.version != snapshot.version:
            self._caches = Caches(snapshot.version)
        return self._caches

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """The document frequency of each token."""
        with self._snapshots.lend() as snapshot:
            return dictionary.frequencies(snapshot.segments, tokens)

    def terms(self, prefix: str, limit: int, *, field: str | None = None) -> list[tuple[str, int]]:
        """Folded words or names with `prefix`; see `Engine.terms`."""
        if field is not None:
            return self._names(prefix, limit, field)
        with self._snapshots.lend() as snapshot:
            return dictionary.words(snapshot.segments, Prefix(prefix=prefix), limit)

    def _names(self, prefix: str, limit: int, field: str) -> list[tuple[str, int]]:
        """Folded names in a field; cached, since each question asks for the languages."""
        caches, key = self._caches, (prefix, limit, field)
        if caches.version == self._snapshots.version() and (known := caches.names.get(key)):
            return list(known)
        with self._snapshots.lend() as snapshot:
            found = dictionary.names(snapshot.segments, field, prefix, limit)
            self._caches_of(snapshot).names.put(key, found, VALUE_BYTES * (1 + len(found)))
        return list(found)

    def fuzzy_terms(self, form: str, distance: Literal[1, 2], limit: int) -> list[tuple[str, int]]:
        """Folded words within `distance` edits; see `Engine.fuzzy_terms`."""
        with self._snapshots.lend() as snapshot:
            leaf = Fuzzy(form=form, distance=distance)
            return dictionary.words(snapshot.segments, leaf, limit)

    def following(
        self, before: Sequence[Word], prefix: str, limit: int, *, timeout_s: float
    ) -> list[tuple[str, int]]:
        """Folded words with `prefix` that follow others; see `Engine.following`."""
        deadline = Deadline(timeout_s)
        with self._snapshots.lend() as snapshot:
            leaf = Prefix(prefix=prefix)
            return dictionary.following(snapshot.segments, before, leaf, limit, deadline)
