"""Snapshots: generations of the index opened for searches, with what is cached of each.

Threads share a snapshot. No search sees an older generation than a search before it, unless it
asks for the one that its PageKey names. Only checksums prove an index damaged, never an error.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import tantivy

from app.errors import CursorExpired, EngineError, IndexDamaged
from app.search.cache import Cache
from app.search.stamp import Contents, StampFile, looks
from app.search.tantivy import generations, schema
from app.search.tantivy.generations import STAMP
from app.search.tantivy.guard import Panicked, guarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.search.engine import Found
    from app.search.stamp import Signature

_ANSWERS_BYTES = 16 * 2**20
_RANKED_BYTES = 64 * 2**20
_TERMS_BYTES = 16 * 2**20
_OLD_KEPT = 4
_MOST_FREQUENCIES = 50_000


class Snapshot:
    """An open generation; `signature` is that of the stamp that named it."""

    def __init__(self, folder: Path, stamp: Contents, signature: Signature) -> None:
        self.folder = folder
        self.stamp = stamp
        self.signature = signature
        self.name = f"{stamp.directory.partition('-')[2]}.{stamp.generation}"
        self._paths = [f"{folder}/{name}" for name in stamp.files]
        self._looks = looks(self._paths)
        index = tantivy.Index.open(str(folder))
        index.config_reader(reload_policy="manual")  # no thread that watches for commits
        index.reload()
        self._searcher = index.searcher()
        self.schema = index.schema
        self.count, _ = generations.counts(folder)
        """The documents that frequencies are counted of: with the deleted ones."""
        self.answers: Cache[Found] = Cache(_ANSWERS_BYTES)
        self.ranked: Cache[Any] = Cache(_RANKED_BYTES)
        self.spelt: Cache[Any] = Cache(_TERMS_BYTES)
        self._frequencies: dict[tuple[str, str], int] = {}

    def is_touched(self) -> bool:
        """Whether a file has changed since this was opened."""
        return looks(self._paths) != self._looks

    def search(self, query: tantivy.Query, limit: int, **order: Any) -> tuple[int, list[Any]]:
        """The number of hits, and the first `limit`: score or ordered value, and address."""
        found: Any = self._searcher.search(query, max(limit, 1), **order)  # its count has no type
        return found.count, found.hits

    def count_of(self, query: tantivy.Query) -> int:
        """The number of hits."""
        return self.search(query, 1)[0]

    def column(self, name: str, addresses: list[tantivy.DocAddress]) -> list[Any]:
        """The values of a field of numbers, None without one."""
        return list(self._searcher.fast_field_values(name, addresses))

    def terms(
        self, field: str, prefix: str, among: tantivy.Query | None = None
    ) -> list[tuple[str, int]]:
        """Terms that begin with `prefix`, and documents: without `among` deleted ones too."""
        return self._searcher.terms_with_prefix(field, prefix, among)

    def aggregate(self, query: tantivy.Query, wanted: dict[str, Any]) -> dict[str, Any]:
        """Tantivy's aggregations over the hits."""
        return self._searcher.aggregate(query, wanted)

    def pin(self) -> bool:
        """Keep it on disk for later pages; False if it no longer exists."""
        return generations.pin(self.folder)

    def frequency(self, field: str, term: str) -> int:
        """The documents with a term, deleted ones included."""
        key = field, term
        found = self._frequencies.get(key)
        if found is None:
            found = self._searcher.doc_freq(field, term)
            if len(self._frequencies) >= _MOST_FREQUENCIES:
                self._frequencies.clear()
            self._frequencies[key] = found
        return found

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of its documents."""
        return tuple(name for name, _ in self.terms("language", ""))

    @cached_property
    def forms(self) -> list[str]:
        """The forms of all words, sorted."""
        return self.forms_from("")

    def forms_from(self, prefix: str, among: tantivy.Query | None = None) -> list[str]:
        """The forms that begin with `prefix`, sorted; those of words in documents of `among`."""
        found: set[str] = set()
        codes = ("", *(f"{language}:" for language in self.languages))
        for mark in (sign + code for code in codes for sign in "=!"):
            listed = self.terms(schema.WORDS, mark + prefix, among)
            found.update(term[len(mark) :] for term, count in listed if count)
        return sorted(form for form in found if ":" not in form)  # after another language's mark


class Snapshots:
    """The newest generation that a stamp names, and older ones for later pages."""

    def __init__(self, stamp_file: StampFile) -> None:
        self._stamp_file = stamp_file
        self._lock = threading.Lock()
        self._newest: Snapshot | None = None
        self._old: dict[str, Snapshot] = {}

    def newest(self) -> Snapshot:
        """The newest generation."""
        found, signature = self._newest, self._stamp_file.signature()
        if found is not None and found.signature == signature and not found.is_touched():
            return found
        with self._lock:
            return self._reopened()

    def _reopened(self) -> Snapshot:
        for attempt in range(10):
            signature = self._stamp_file.signature()
            found = self._newest
            if found is not None and found.signature == signature and not found.is_touched():
                return found
            stamp = self._stamp_file.read()
            folder = self.folder_of(stamp)
            try:
                if bad := self._stamp_file.bad_file(folder, stamp):
                    raise IndexDamaged(str(folder), bad)
                self._newest = self._opened(folder, stamp, signature)
            except (IndexDamaged, OSError, ValueError):
                # A writer may have removed the files that we were about to open.
                if attempt == 9 or signature == self._stamp_file.signature():
                    raise
            else:
                return self._newest
        raise AssertionError("unreachable")

    def _opened(self, folder: Path, stamp: Contents, signature: Signature) -> Snapshot:
        known = self._newest
        same = known is not None and known.folder == folder and not known.is_touched()
        made = Snapshot(folder, stamp, signature)
        if same and known is not None:  # the cursor alone is another
            made.spelt, made.ranked = known.spelt, known.ranked
        return made

    def folder_of(self, stamp: Contents) -> Path:
        """The folder of the generation that a stamp names."""
        return self._stamp_file.folder / stamp.directory / str(stamp.generation)

    def old(self, name: str) -> Snapshot:
        """The generation of a name, see `Snapshot.name`; raises CursorExpired without it."""
        newest = self.newest()
        if newest.name == name:
            return newest
        directory, _, number = name.partition(".")
        folder = self._stamp_file.folder / f"tantivy-{directory}" / number
        if newest.stamp.directory != f"tantivy-{directory}" or not generations.pin(folder):
            raise CursorExpired("the index was built anew, or ten minutes went by,")
        with self._lock:
            found = self._old.get(name)
            if found is None:
                try:
                    stamp = Contents.model_validate_json((folder / STAMP).read_bytes())
                    found = Snapshot(folder, stamp, newest.signature)
                except (OSError, ValueError) as error:
                    raise CursorExpired("the index went on") from error
                while len(self._old) >= _OLD_KEPT:
                    self._old.pop(next(iter(self._old)))
                self._old[name] = found
            return found

    @contextmanager
    def proving(self) -> Iterator[None]:
        """Translate errors of reading the index.

        IndexDamaged if checksums prove damage. EngineError for a panic, if the operating system
        refuses, or if the index was replaced meanwhile. Any other error is a bug and is raised
        unchanged.
        """
        known = self._newest
        folder = str(self._stamp_file.folder)
        try:
            with guarded():
                yield
        except IndexDamaged as error:
            self._stamp_file.mark_damaged(error)
            raise
        except (OSError, ValueError, Panicked) as error:
            if bad := self.damage(anew=True):
                self._stamp_file.mark_damaged(bad)
                raise bad from error
            if known is not None and known.stamp.directory != self._stamp_file.read().directory:
                raise EngineError(folder, "the index was replaced while it was read") from error
            if isinstance(error, ValueError):
                raise
            reason = error.strerror if isinstance(error, OSError) else None
            raise EngineError(folder, reason or str(error)) from error

    def damage(self, *, anew: bool = False) -> IndexDamaged | None:
        """The damage of the newest generation; None if its checksums hold."""
        stamp = self._stamp_file.read()
        folder = self.folder_of(stamp)
        bad = self._stamp_file.bad_file(folder, stamp, anew=anew)
        if bad and stamp.generation != (again := self._stamp_file.read()).generation:
            bad = self._stamp_file.bad_file(self.folder_of(again), again, anew=anew)
        return IndexDamaged(str(folder), bad) if bad else None

    def close(self) -> None:
        """Close all files; other threads must have finished."""
        self._newest = None
        self._old.clear()
