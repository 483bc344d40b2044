"""Writes segments of a Whoosh index: postings are gathered by term and written a term at once.

Files are those of Whoosh's own codec, made several times faster than by its pool, which
sorts and pickles a tuple a posting. Segments that are merged are read term by term, so a
merge takes no more memory than its longest posting list.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import accumulate, compress, groupby
from operator import itemgetter, sub
from pickle import dumps
from struct import Struct
from typing import TYPE_CHECKING, Any, Protocol

from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC
from whoosh.filedb.filestore import RamStorage
from whoosh.index import TOC, clean_files
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from app.search import whoosh_format, whoosh_words
from app.search.whoosh_format import Codec
from app.search.whoosh_segments import posting_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from whoosh.index import FileIndex

    from app.search.base import Change, Document


class Announce(Protocol):
    """Vouches for a generation; see `StampFile.announce`."""

    def __call__(
        self, generation: int, *, prefixes: tuple[str, ...], toc: tuple[str, bytes]
    ) -> None:
        """Called when all its files are there but the one that commits it."""
        ...


BLOCK = 128
"""Postings a block, as Whoosh has it."""

_PICKLE = 3  # the first that knows bytes: Whoosh's 2 spells them out as calls, 8 times slower
_COMPRESS_BYTES = 256  # smaller blocks are left as they are: they gain nothing
_TERM = Struct("!BfIBBfIIqi")  # whoosh.codec.whoosh3.W3TermInfo with the place of its postings
_LENGTH = Struct("!i")
_FIELD = Struct("!H")

Postings = tuple["array[int]", "array[float]", list[bytes]]
"""Document numbers, ascending, with the weight and the value of each."""

_Term = tuple[str, bytes, int, "Callable[[], Postings]"]  # field, token, place of the source, read


class Writer(SegmentWriter):  # type: ignore[misc]
    """Whoosh's writer with another way to its postings; makes one segment."""

    def __init__(self, index: FileIndex, announce: Announce) -> None:
        # compound=False: every reader would copy a compound segment into memory.
        # _lk=False: the engine holds a lock of its own, which a failing constructor does not keep.
        super().__init__(index, compound=False, codec=Codec(), _lk=False)
        self._added_terms: dict[str, dict[bytes, Postings]] = {
            name: {} for name, field in sorted(self.schema.items()) if field.indexed
        }
        self._announce = announce
        self._merged: list[_Merged] = []
        self._forms: set[str] = set()
        self._headlines: list[str] = []

    def add(self, change: Change, document: Document) -> None:
        """Add an article as a new document."""
        number, documents = self.docnum, self.perdocwriter
        documents.start_doc(number)
        values = whoosh_format.fields_of(change, document)
        self._forms |= values["words"].forms
        self._headlines.append(" ".join(values["words"].headline))
        for name, value in values.items():
            field = self.schema[name]
            if field.indexed:
                length = _gather(self._added_terms[name], number, field.index(value))
                documents.add_field(name, field, None, length if field.scorable else 0)
            if field.column_type:
                documents.add_column_value(name, field.column_type, field.to_column_value(value))
        documents.finish_doc()
        self._added = True
        self.docnum += 1

    def add_segment(self, segment: Any) -> None:
        """Take a segment into the new one; its postings are read when that is written."""
        reader = SegmentReader(self.storage, self.schema, segment)
        base = self.docnum
        moved = self.write_per_doc(set(self.schema.names()), reader)
        self._forms.update(whoosh_words.read(self.storage, segment, "forms"))
        headlines = whoosh_words.read(self.storage, segment, "headlines")
        kept = enumerate(headlines)
        self._headlines += [line for n, line in kept if moved is None or n in moved]
        self._merged.append(_Merged(len(self._merged) + 1, reader, base, moved))
        self._added = True

    def _flush_segment(self) -> None:
        self.perdocwriter.close()
        sources = [self._gathered(), *(merged.terms() for merged in self._merged)]
        writer = self.fieldwriter
        started = None
        for (name, token), found in groupby(merge(*sources), itemgetter(0, 1)):
            if name != started:
                writer.start_field(name, self.schema[name])
                started = name
            lists = [read() for _, _, _, read in found]
            numbers, weights, values = lists[0]
            for more in lists[1:]:
                numbers.extend(more[0])
                weights.extend(more[1])
                values.extend(more[2])
            if numbers:
                _write(writer, token, numbers, weights, values)
        for merged in self._merged:
            merged.reader.close()
        writer.close()
        whoosh_words.write(self.storage, self.newsegment, "forms", sorted(self._forms))
        whoosh_words.write(self.storage, self.newsegment, "headlines", self._headlines)

    def _commit_toc(self, segments: Sequence[Any]) -> None:
        """As Whoosh's own, but what the generation holds is announced before it counts."""
        beside = RamStorage()
        TOC(self.schema, segments, self.generation).write(beside, self.indexname)
        ((name, data),) = beside.files.items()
        prefixes = tuple(f"{segment.segment_id()}." for segment in segments)
        self._announce(self.generation, prefixes=prefixes, toc=(name, data))
        part = f"{name}.part"
        with self.storage.create_file(part) as file:
            file.write(data)
        self.storage.rename_file(part, name, safe=True)
        clean_files(self.storage, self.indexname, self.generation, segments)

    def _gathered(self) -> Iterator[_Term]:
        for name, terms in self._added_terms.items():
            for token in sorted(terms):
                yield name, token, 0, partial(terms.pop, token)


def _gather(
    terms: dict[bytes, Postings], number: int, found: Iterable[tuple[bytes, int, float, bytes]]
) -> int:
    """Add a document's postings of one field to `terms`; its length in words."""
    length = 0
    for token, count, weight, value in found:
        postings = terms.get(token)
        if postings is None:
            postings = terms[token] = (array("I"), array("f"), [])
        postings[0].append(number)
        postings[1].append(weight)
        postings[2].append(value)
        length += count
    return length


@dataclass(frozen=True, slots=True)
class _Merged:
    """A segment whose documents go on from `base`; `moved` tells where, if some are gone."""

    place: int
    reader: SegmentReader
    base: int
    moved: dict[int, int] | None

    def terms(self) -> Iterator[_Term]:
        reader = self.reader._terms
        names = reader._fieldunmap
        for key, value in reader._tindex.items():
            *_, offset, length = _TERM.unpack(value)
            read = partial(self._read, reader._postfile, offset, length)
            yield names[_FIELD.unpack_from(key)[0]], key[_FIELD.size :], self.place, read

    def _read(self, file: Any, offset: int, length: int) -> Postings:
        postings: Postings = (array("I"), array("f"), [])
        for deltas, weights, values in posting_blocks(file.get(offset, length)):
            numbers = list(accumulate(deltas))
            if self.moved is None:
                postings[0].extend([number + self.base for number in numbers])
            else:
                kept = [self.moved.get(number) for number in numbers]
                keep = [number is not None for number in kept]
                numbers = [number for number in kept if number is not None]
                weights, values = compress(weights, keep), compress(values, keep)
                postings[0].extend(numbers)
            postings[1].extend(weights)
            postings[2].extend(values)
        return postings


def _write(
    writer: Any, token: bytes, numbers: array[int], weights: array[float], values: list[bytes]
) -> None:
    """Write the postings of a term into the field that the codec's `writer` is at."""
    count = len(numbers)
    valued = writer._format.fixed_value_size() != 0
    parts = [WHOOSH3_HEADER_MAGIC]
    for start in range(0, count, BLOCK):
        end = start + BLOCK
        ids, some = numbers[start:end], weights[start:end]
        highest = max(some)
        flat = highest == min(some)
        data = dumps(
            (
                (ids[0], *map(sub, ids[1:], ids)),
                (None if highest == 1.0 else highest) if flat else tuple(some),
                tuple(values[start:end]) if valued else None,
            ),
            _PICKLE,
        )
        compressed = len(data) > _COMPRESS_BYTES
        if compressed:
            data = zlib.compress(data, 1)
        about = dumps((len(ids), ids[-1], highest, int(compressed), 0, 0), _PICKLE)
        length = len(about) + len(data)
        parts += (_LENGTH.pack(length if end < count else -length), about, data)
    postings = b"".join(parts)
    place = writer._postfile.tell()
    writer._postfile.write(postings)
    writer._tindex.add(
        _FIELD.pack(writer._fieldid) + token,
        _TERM.pack(
            0,
            sum(weights),
            count,
            0,
            0,
            max(weights),
            numbers[0],
            numbers[-1],
            place,
            len(postings),
        ),
    )
