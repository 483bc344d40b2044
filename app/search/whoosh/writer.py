"""The segment writer: collects postings by term and writes each term at once.

The files are those of Whoosh's own codec, written several times faster than by its pool, which
sorts and pickles a tuple for each posting. Merging reads and writes block by block: its memory
does not grow with the number of documents and takes 16 bytes a term.
"""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from functools import partial
from hashlib import md5
from heapq import merge
from itertools import accumulate, chain, compress, groupby
from operator import itemgetter, sub
from pickle import dumps
from struct import Struct, pack
from typing import TYPE_CHECKING, Any, Protocol

from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC
from whoosh.filedb.filestore import RamStorage
from whoosh.filedb.filetables import OrderedHashWriter
from whoosh.index import TOC, clean_files
from whoosh.reading import SegmentReader
from whoosh.writing import SegmentWriter

from app.filters import SEARCHED
from app.search.whoosh import schema
from app.search.whoosh.schema import Codec
from app.search.whoosh.segments import lines_of, posting_blocks, write_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from whoosh.index import FileIndex

    from app.search.engine import Change, Document
    from app.search.whoosh.segments import WordList


class Announce(Protocol):
    """Writes the checksums of a generation; see `StampFile.announce`."""

    def __call__(
        self, generation: int, *, prefixes: tuple[str, ...], toc: tuple[str, bytes]
    ) -> None:
        """Called when every file exists except the one that commits the generation."""
        ...


BLOCK = 128
"""Postings a block, as in Whoosh."""

_PICKLE = 3  # the first with a bytes opcode: Whoosh's 2 encodes bytes as calls, 8 times slower
_COMPRESS_BYTES = 256  # smaller blocks do not gain from compression
_TERM = Struct("!BfIBBfIIqi")  # whoosh.codec.whoosh3.W3TermInfo with the place of its postings
_LENGTH, _LENGTHS = Struct("!i"), Struct("!ii")
_FIELD = Struct("!H")

_Block = tuple["Sequence[int]", "Sequence[float]", "Sequence[bytes]"]
"""Document numbers, ascending, with the weight and the value of each."""
_Term = tuple[str, bytes, int, "Callable[[], Iterable[_Block]]"]  # field, token, source, read


class Writer(SegmentWriter):  # type: ignore[misc]
    """Whoosh's writer with faster postings; writes one segment."""

    def __init__(self, index: FileIndex, announce: Announce) -> None:
        # compound=False: every reader would copy a compound segment into memory.
        # _lk=False: the engine has its own lock, which a failing constructor does not leave locked.
        super().__init__(index, compound=False, codec=Codec(), _lk=False)
        self._words = schema.Gathered()
        self._names: dict[str, dict[str, array[int]]] = {name: {} for name in SEARCHED}
        self._announce = announce
        self._merged: list[_Merged] = []
        self._headlines: list[str] = []

    def add(self, change: Change, document: Document) -> None:
        """Add an article as a new document."""
        number, documents = self.docnum, self.perdocwriter
        documents.start_doc(number)
        words = schema.Analysed(document)
        self._headlines.append(" ".join(words.headline))
        length, sketch = self._words.add(number, words)
        documents.add_field("words", self.schema["words"], None, length)
        for field, postings in self._names.items():
            for name in dict.fromkeys(document.names.get(field, ())):
                postings.setdefault(name, array("I")).append(number)
        for name, value in schema.columns_of(change, document, sketch).items():
            documents.add_column_value(name, self.schema[name].column_type, value)
        documents.finish_doc()
        self._added = True
        self.docnum += 1

    def add_segment(self, segment: Any) -> None:
        """Merge a segment into the new one; its postings are read when the new one is written."""
        reader = SegmentReader(self.storage, self.schema, segment)
        base = self.docnum
        moved = self.write_per_doc(set(self.schema.names()), reader)
        self._merged.append(_Merged(len(self._merged) + 1, reader, base, moved))
        self._added = True

    def _flush_segment(self) -> None:
        self.perdocwriter.close()
        own = sorted(self._words.finish())
        sources = [self._gathered(), *(merged.terms() for merged in self._merged)]
        lists = _Lists(self.fieldwriter)
        started = None
        terms = merge(*sources) if self._merged else sources[0]
        for (name, token), found in groupby(terms, itemgetter(0, 1)):
            if name != started:
                lists.start_field(name, self.schema[name])
                started = name
            blocks = chain.from_iterable(read() for _, _, _, read in found)
            lists.add(token, _blocks(blocks) if self._merged else blocks)
        self.fieldwriter.close()
        forms = merge(own, *(merged.words("forms") for merged in self._merged))
        headlines = chain(self._headlines, *(merged.headlines() for merged in self._merged))
        storage, segment = self.storage, self.newsegment
        write_list(storage, segment, "forms", (form for form, _ in groupby(forms)))
        write_list(storage, segment, "headlines", headlines)
        for merged in self._merged:
            merged.reader.close()

    def _commit_toc(self, segments: Sequence[Any]) -> None:
        """Like Whoosh's own, but announces the files of the generation before its commit."""
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
        for name in sorted((*self._names, "words")):
            if name == "words":
                for token in sorted(self._words):
                    yield name, token, 0, partial(self._word_blocks, token)
            else:
                for key in sorted(self._names[name]):
                    numbers = self._names[name][key]
                    yield name, key.encode(), 0, partial(_name_blocks, numbers)

    def _word_blocks(self, token: bytes) -> list[_Block]:
        posting = self._words.pop(token)
        numbers, weights, values = posting.numbers, posting.weights(), posting.values()
        if len(numbers) <= BLOCK:
            return [(numbers, weights, values)]
        parts = (slice(start, start + BLOCK) for start in range(0, len(numbers), BLOCK))
        return [(numbers[part], weights[part], values[part]) for part in parts]


def _name_blocks(numbers: array[int]) -> list[_Block]:
    parts = (numbers[start : start + BLOCK] for start in range(0, len(numbers), BLOCK))
    return [(part, (1.0,) * len(part), (b"",) * len(part)) for part in parts]


@dataclass(frozen=True, slots=True)
class _Merged:
    """A segment to merge, its documents numbered from `base`.

    `moved` has the new number of each document if some were deleted, otherwise None.
    """

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

    def words(self, which: WordList) -> Iterator[str]:
        return lines_of(self.reader.storage(), self.reader.segment(), which)

    def headlines(self) -> Iterator[str]:
        """The headlines of the documents that were not deleted."""
        for number, line in enumerate(self.words("headlines")):
            if self.moved is None or number in self.moved:
                yield line

    def _read(self, file: Any, offset: int, length: int) -> Iterator[_Block]:
        for deltas, weights, values in posting_blocks(file.get(offset, length)):
            if self.moved is None:
                yield [number + self.base for number in accumulate(deltas)], weights, values
                continue
            kept = [self.moved.get(number) for number in accumulate(deltas)]
            keep = [number is not None for number in kept]
            numbers = [number for number in kept if number is not None]
            yield numbers, list(compress(weights, keep)), list(compress(values, keep))


class _Terms(OrderedHashWriter):  # type: ignore[misc]
    """Whoosh's term index in 16 bytes of memory a term instead of 150, with fewer calls."""

    def __init__(self, begun: OrderedHashWriter) -> None:
        self.__dict__.update(vars(begun))  # it has written its header
        self._place = self.dbfile.tell()
        self.buckets = [array("Q") for _ in range(256)]  # hash and offset of each term

    def add(self, key: bytes, value: bytes) -> None:
        """Add a term, greater than those before."""
        # The hash of whoosh.filedb.filetables, which formats the digest as a number first.
        hashed = int.from_bytes(md5(key, usedforsecurity=False).digest()[-4:], "big")
        self.buckets[hashed & 255].extend((hashed, self._place))
        self.index.append(self._place)
        data = _LENGTHS.pack(len(key), len(value)) + key + value
        self._place += self.dbfile.file.write(data)

    def _write_hashes(self) -> None:
        for bucket in self.buckets:
            slots = len(bucket)  # two a term
            self.directory.append((self._place, slots))
            table = array("Q", bytes(16 * slots))
            for n in range(0, slots, 2):
                slot = (bucket[n] >> 8) % slots
                while table[2 * slot + 1]:
                    slot = (slot + 1) % slots
                table[2 * slot : 2 * slot + 2] = bucket[n : n + 2]
            data = pack("!" + "Iq" * slots, *table)
            self.dbfile.write(data)
            self._place += len(data)


def _blocks(found: Iterable[_Block]) -> Iterator[tuple[list[int], list[float], list[bytes]]]:
    """The postings of a term, BLOCK at a time."""
    numbers: list[int] = []
    weights: list[float] = []
    values: list[bytes] = []
    for more in found:
        numbers += more[0]
        weights += more[1]
        values += more[2]
        if len(numbers) < BLOCK:
            continue
        for start in range(BLOCK, len(numbers) + 1, BLOCK):
            part = slice(start - BLOCK, start)
            yield numbers[part], weights[part], values[part]
        del numbers[:start], weights[:start], values[:start]
    if numbers:
        yield numbers, weights, values


class _Lists:
    """The posting lists of a segment, in blocks, each with its term in the term index."""

    def __init__(self, writer: Any) -> None:
        """Replaces the term index of the codec's `writer`."""
        self._writer = writer
        self._terms = writer._tindex = _Terms(writer._tindex)
        self._place = writer._postfile.tell()
        self._write = writer._postfile.file.write
        self._field = b""
        self._valued = True

    def start_field(self, name: str, field: Any) -> None:
        """Begin a field, greater than those before."""
        self._writer.start_field(name, field)
        self._field = _FIELD.pack(self._writer._fieldid)
        self._valued = field.format.fixed_value_size() != 0

    def add(self, token: bytes, blocks: Iterator[_Block]) -> None:
        """Add a term, greater than those before; nothing if it has no postings."""
        block = next(blocks, None)
        if block is None:
            return
        count, total, heaviest, first, length = 0, 0.0, 0.0, block[0][0], 0
        start = WHOOSH3_HEADER_MAGIC
        while block is not None:
            (ids, weights, values), block = block, next(blocks, None)
            if len(ids) == 1:
                (highest,) = weights
                steps, flat = (ids[0],), True
                total += highest
            else:
                highest = max(weights)
                steps, flat = (ids[0], *map(sub, ids[1:], ids)), highest == min(weights)
                total += sum(weights)
            some = (None if highest == 1.0 else highest) if flat else tuple(weights)
            data = dumps((steps, some, tuple(values) if self._valued else None), _PICKLE)
            compressed = len(data) > _COMPRESS_BYTES
            if compressed:
                data = zlib.compress(data, 1)
            about = dumps((len(ids), ids[-1], highest, int(compressed), 0, 0), _PICKLE)
            size = len(about) + len(data)
            size = self._write(
                b"".join((start, _LENGTH.pack(size if block else -size), about, data))
            )
            length += size
            start = b""
            count += len(ids)
            heaviest = max(heaviest, highest)
        self._terms.add(
            self._field + token,
            _TERM.pack(0, total, count, 0, 0, heaviest, first, ids[-1], self._place, length),
        )
        self._place += length
