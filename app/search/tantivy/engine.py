"""The engine on tantivy: an index in a folder, searchable while it is written or rebuilt.

Files and rebuilds are in `search.folder`, the generations of an index in `tantivy.generations`.
A search sees the generation that the stamp names, so its cursor is that of what it sees.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import tantivy

from app import context
from app.errors import CursorExpired, EngineError
from app.search.deadline import Deadline
from app.search.engine import Change, Found, Request, size_bytes
from app.search.folder import EngineFolder
from app.search.query.tree import Fuzzy, Prefix
from app.search.tantivy import dictionary, generations, schema, searcher
from app.search.tantivy.generations import STAMP
from app.search.tantivy.snapshots import Snapshots

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from app.search.query.tree import Word
    from app.search.stamp import Contents
    from app.search.tantivy.snapshots import Snapshot

_LEAST_WORN = 1_000  # deleted documents: fewer take little space
_HEAP_BYTES = 64 * 2**20
_TERMS_S = 10.0  # time limit for looking up words
_MOST_RETRIES = 10
_PIECES = 64  # intervals of ids in which all entries are read
_HALVES = 2**64


class TantivyEngine(EngineFolder):
    """An index in `folder`; threads may share the engine, processes the folder."""

    NAME = "tantivy"

    def __init__(self, folder: Path, *, _stamp: str | None = None, _locked: bool = False) -> None:
        super().__init__(folder, _stamp=_stamp, _locked=_locked)
        self._snapshots: Snapshots = Snapshots(self._stamp_file)

    # --- the stamp

    def _is_worn(self, stamp: Contents) -> bool:
        """Whether a third of the documents or more are deleted, so that a rebuild saves space.

        tantivy drops deleted documents only from segments that it merges.
        """
        try:
            count, deleted = generations.counts(self._snapshots.folder_of(stamp))
        except (OSError, ValueError):  # `health` says what is wrong
            return False
        return deleted > _LEAST_WORN and 3 * deleted >= count

    # --- writing

    def _commit(self, directory: Path, changes: Sequence[Change], stamp: Contents) -> Contents:
        if changes:
            with self._snapshots.proving():
                part = generations.begin(directory, stamp.generation)
                _write(part, changes)
                folder = generations.finish(part)
            stamp = self._stamped(stamp, folder)
        generations.sweep(directory, stamp.generation)  # the one before stays: it is still in use
        return stamp

    def _create(self, directory: Path, stamp: Contents) -> Contents:
        return self._stamped(stamp, generations.create(directory))

    def _stamped(self, stamp: Contents, folder: Path) -> Contents:
        """`stamp` for the generation in `folder`, and written there."""
        meta = generations.META  # of one name in every generation: read it again
        known = {name: size for name, size in stamp.files.items() if name != meta}
        stamp = stamp.model_copy(update={"files": known})
        only = generations.names(folder)
        stamp = self._stamp_file.with_files(stamp, folder, int(folder.name), only=only)
        (folder / STAMP).write_text(stamp.model_dump_json())
        return stamp

    # --- reading

    @contextmanager
    def _reading(self) -> Iterator[Snapshot]:
        with self._snapshots.proving():
            yield self._snapshots.newest()

    def entries(self) -> Iterator[tuple[uuid.UUID, int]]:
        """Id and change of every article in the index, in no order."""
        with self._reading() as snapshot:
            bounds = [_HALVES * number // _PIECES for number in range(_PIECES)] + [_HALVES]
            for first, end in pairwise(bounds):
                yield from searcher.entries(snapshot, first, end)

    def _search(self, request: Request) -> Found:
        deadline = Deadline(request.timeout_s)
        try:
            name, newest_day = searcher.snapshot_of(request)
        except ValueError as error:
            if request.sort == "relevance":
                raise CursorExpired("the search engine was changed") from error
            name, newest_day = "", 0
        for _ in range(_MOST_RETRIES):
            with self._snapshots.proving():
                snapshot = self._snapshot(request, name)
                found = self._answer(snapshot, request, deadline, newest_day)
                if found.after is None or not found.after.snapshot or snapshot.pin():
                    return found
            if name:
                raise CursorExpired("ten minutes went by")
        raise EngineError(str(self._folder), "the index was written too often to be read")

    def _snapshot(self, request: Request, name: str) -> Snapshot:
        if not name:
            return self._snapshots.newest()
        try:
            return self._snapshots.old(name)
        except CursorExpired:
            if request.sort == "relevance" or request.collapse:
                raise
            return self._snapshots.newest()  # a date is enough to go on

    def _answer(
        self, snapshot: Snapshot, request: Request, deadline: Deadline, newest_day: int
    ) -> Found:
        key = request, str(request.query)  # words of one English stem differ in other languages
        known = snapshot.answers.get(key)
        context.set_cache_hit(known is not None)
        if known is not None:
            return known
        found = searcher.search(snapshot, request, deadline, newest_day)
        if found.complete:
            snapshot.answers.put(key, found, size_bytes(request, found))
        return found

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """The document frequency of each token."""
        with self._reading() as snapshot:
            return {token: snapshot.frequency(schema.WORDS, token) for token in tokens}

    def terms(self, prefix: str, limit: int, *, field: str | None = None) -> list[tuple[str, int]]:
        """Folded words or names with `prefix`; see `Engine.terms`."""
        with self._reading() as snapshot:
            if field is not None:
                return dictionary.names(snapshot, field, prefix, limit)
            leaf = Prefix(prefix=prefix)
            return dictionary.words(snapshot, leaf, limit, Deadline(_TERMS_S))

    def fuzzy_terms(self, form: str, distance: Literal[1, 2], limit: int) -> list[tuple[str, int]]:
        """Folded words within `distance` edits; see `Engine.fuzzy_terms`."""
        with self._reading() as snapshot:
            leaf = Fuzzy(form=form, distance=distance)
            return dictionary.words(snapshot, leaf, limit, Deadline(_TERMS_S))

    def following(
        self, before: Sequence[Word], prefix: str, limit: int, *, timeout_s: float
    ) -> list[tuple[str, int]]:
        """Folded words with `prefix` that follow others; see `Engine.following`."""
        deadline = Deadline(timeout_s)
        with self._reading() as snapshot:
            return dictionary.following(snapshot, before, prefix, limit, deadline)


def _write(folder: Path, changes: Sequence[Change]) -> None:
    """Commit `changes` to the index in a folder, and wait for its merges."""
    newest = {change.id: change for change in changes}
    index = tantivy.Index.open(str(folder))
    schema.register(index)
    writer = index.writer(_HEAP_BYTES, 1)
    for change in newest.values():
        writer.delete_documents_by_term("id", change.id.hex)
        if change.document is not None:
            writer.add_document(schema.document_of(change, change.document))
    writer.commit()
    writer.wait_merging_threads()
