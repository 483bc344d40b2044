"""Segments of a Whoosh index as searches read them: postings in blocks, columns, words.

What is read of a segment is kept with it, within bounds: a segment never changes, and the
snapshots of all threads share it.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict, defaultdict
from contextlib import suppress
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any
from zlib import decompress

from rapidfuzz import process
from rapidfuzz.distance import OSA
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC, W3Codec
from whoosh.reading import SegmentReader, TermNotFound

from app import text
from app.search import duplicates, whoosh_words
from app.search.kept import Kept
from app.search.matching import UNDATED
from app.search.query import Fuzzy, Prefix
from app.search.whoosh_pickles import load, loads, stream_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from whoosh.filedb.filestore import FileStorage

_SPELLINGS_BYTES = 8 * 2**20
_TOKEN_BYTES = 120  # of a token in a set
_COMMON = 4  # a word is common that stands in a quarter of a segment's documents
_LEAST_COMMON = 250  # postings: of fewer, reading takes no time
_COMMON_KEPT = 10_000_000  # postings of a segment, 5 bytes each
_CODES = 256
_LENGTH = struct.Struct("!i")


class Columns:
    """What a segment says of its documents, shared between snapshots and their threads."""

    def __init__(self, name: str, storage: FileStorage, segment: Any) -> None:
        self.name = name
        self.count = int(segment.doc_count_all())
        self._numbers: dict[bytes, int] | None = None

        def raw(column: str, row: bytes) -> bytes:
            path = W3Codec.column_filename(segment, column)
            data = b""
            if storage.file_exists(path):
                with storage.open_file(path) as file:
                    data = file.get(0, storage.file_length(path))
            return data[: self.count * len(row)] + row * (self.count - len(data) // len(row))

        self._ids = raw("id", bytes(16))
        self._sketches = raw("sketch", duplicates.NO_SKETCH)
        self.forms = whoosh_words.read(storage, segment, "forms")
        self._headlines = whoosh_words.read(storage, segment, "headlines")
        self.documents: dict[str, dict[str, int]] = defaultdict(dict)
        self.least_common = max(self.count // _COMMON, _LEAST_COMMON)
        self._beside: tuple[str, list[str]] = ("", [])
        self.names: dict[str, list[tuple[str, ...]]] = {}
        self.counted: dict[str, Counter[tuple[str, ...]]] = {}
        self.spelt: Kept[set[str]] = Kept(_SPELLINGS_BYTES)
        self.common: OrderedDict[str, tuple[array[int], bytes, list[float]]] = OrderedDict()
        self.change = _big_endian(raw("change", bytes(8)))
        self.published = _big_endian(raw("published", struct.pack("!q", UNDATED)))
        self.lengths = raw("_words_len", bytes(1))
        self.total_length = int(segment._fieldlengths.get("words", 0))

    def id(self, number: int) -> bytes:
        """The id of a document, 16 bytes."""
        return self._ids[16 * number : 16 * number + 16]

    def sketch(self, number: int) -> bytes:
        """The sketch of a document's text."""
        return self._sketches[duplicates.BINS * number : duplicates.BINS * (number + 1)]

    def weights(self, token: str) -> tuple[Iterable[int], Iterable[float]] | None:
        """The postings of a common word as they were kept, without positions."""
        found = self.common.get(token)
        if found is None:
            return None
        with suppress(KeyError):  # another thread may have removed it
            self.common.move_to_end(token)
        numbers, codes, known = found
        return numbers, map(known.__getitem__, codes)

    def keep(self, token: str, blocks: Sequence[tuple[Sequence[int], Sequence[float]]]) -> None:
        """Keep the postings of a common word, in place of those that were not asked for longest."""
        known = list(dict.fromkeys(chain.from_iterable(weights for _, weights in blocks)))
        if len(known) > _CODES:
            return
        code = {weight: number for number, weight in enumerate(known)}
        codes = bytes(code[weight] for _, weights in blocks for weight in weights)
        numbers = array("I", chain.from_iterable(numbers for numbers, _ in blocks))
        self.common[token] = numbers, codes, known
        while sum(len(each) for _, each, _ in list(self.common.values())) > _COMMON_KEPT:
            with suppress(KeyError):
                self.common.popitem(last=False)

    @cached_property
    def _form_set(self) -> frozenset[str]:
        return frozenset(self.forms)

    def forms_beside(self, other: Columns) -> list[str]:
        """The forms that `other` does not have, sorted; kept for the last other one."""
        name, forms = self._beside
        if name != other.name:
            forms = [form for form in self.forms if form not in other._form_set]
            self._beside = other.name, forms
        return forms

    @cached_property
    def headlines(self) -> dict[str, list[int]]:
        """The documents with a token in their headline, each as often as it stands there."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self._headlines):
            for token in line.split():
                found[token].append(number)
        return dict(found)

    @property
    def numbers(self) -> dict[bytes, int]:
        """Document numbers by id; made when a writer first asks."""
        if self._numbers is None:
            self._numbers = {self.id(number): number for number in range(self.count)}
        return self._numbers


def _big_endian(data: bytes) -> array[int]:
    values = array("q", data)
    values.byteswap()
    return values


def posting_blocks(data: bytes) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
    """The blocks of a posting list of W3Codec: steps between document numbers, weights, values."""
    if data[:4] != WHOOSH3_HEADER_MAGIC:
        raise ValueError("no posting list")
    stream = stream_of(data)
    at, last = 4, False
    while not last:
        (length,) = _LENGTH.unpack_from(data, at)
        last = length < 0
        stream.seek(at + _LENGTH.size)
        count, _, _, compressed, _, _ = load(stream)
        start, at = stream.tell(), at + _LENGTH.size + abs(length)
        block = data[start:at]
        steps, weights, values = loads(decompress(block) if compressed else block)
        if weights is None or isinstance(weights, float):
            weights = (weights or 1.0,) * count
        yield steps, weights, values or (b"",) * count


class Segment:
    """An open segment: its postings, read block by block."""

    def __init__(self, reader: SegmentReader, shared: Columns) -> None:
        self._reader = reader
        self.columns = shared
        self.deleted: frozenset[int] = frozenset(reader.segment().deleted_docs() or ())

    def documents(self, field: str, term: str) -> int:
        """How many documents hold `term`, deleted ones included; looked up once."""
        known = self.columns.documents[field]
        if term not in known:
            try:
                known[term] = int(self._reader._terms.doc_frequency(field, term.encode()))
            except (TermNotFound, KeyError):
                return 0  # not kept: there is no end of words that a segment does not hold
        return known[term]

    def headlines(self, token: str) -> Sequence[int]:
        """The documents with `token` in their headline, each as often as it stands there."""
        return self.columns.headlines.get(token, ())

    def names(self, field: str) -> list[tuple[str, ...]]:
        """The values of a field of names, by document number; read once a segment."""
        found = self.columns.names.get(field)
        if found is None:
            listed: list[tuple[str, ...]] = [()] * self.columns.count
            for value in [bytes(value).decode() for value in self._reader.lexicon(field)]:
                one = (value,)  # shared by the many documents that have no other
                for numbers, _, _ in self.blocks(field, value):
                    for number in numbers:
                        listed[number] = listed[number] + one if listed[number] else one
            found = self.columns.names[field] = listed
        return found

    def counted(self, field: str) -> Counter[tuple[str, ...]]:
        """How many documents have each value of `names`, deleted ones included; counted once."""
        found = self.columns.counted.get(field)
        if found is None:
            found = self.columns.counted[field] = Counter(self.names(field))
        return found

    def near(self, leaf: Prefix | Fuzzy, *, beside: Segment | None = None) -> list[str]:
        """The forms of the segment's words that a prefix or a typing error stands for.

        Those that the segment `beside` has as well are left out: most words are in all.
        """
        forms = self.columns.forms
        if beside is not None and beside is not self:
            forms = self.columns.forms_beside(beside.columns)
        if isinstance(leaf, Prefix):
            first = bisect_left(forms, leaf.prefix)
            last = bisect_left(forms, leaf.prefix + chr(sys.maxunicode))
            return forms[first:last]
        cutoff = leaf.distance
        found = process.extract_iter(leaf.form, forms, scorer=OSA.distance, score_cutoff=cutoff)
        return [form for form, _, _ in found]

    def spellings(self, leaf: Prefix | Fuzzy) -> set[str]:
        """The tokens of the segment's words that a prefix or a typing error stands for."""
        found = self.columns.spelt.get(leaf)
        if found is None:
            found = set(map(text.stem, self.near(leaf)))
            self.columns.spelt.put(leaf, found, _TOKEN_BYTES * (1 + len(found)))
        return found

    def weights(self, token: str) -> Iterator[tuple[Iterable[int], Iterable[float]]]:
        """The postings of a word without positions; those of common words are kept, as one block.

        Reading them takes most of the time of a search, and they are in most searches.
        """
        kept = self.columns.weights(token)
        if kept is not None:
            yield kept
            return
        blocks: list[tuple[Sequence[int], Sequence[float]]] = []
        for numbers, weights, _ in self.blocks("words", token):
            blocks.append((numbers, weights))
            yield numbers, weights
        if sum(len(numbers) for numbers, _ in blocks) >= self.columns.least_common:
            self.columns.keep(token, blocks)

    def blocks(self, field: str, term: str) -> Iterator[tuple[Sequence[int], Any, Any]]:
        """The postings of `term`: document numbers, weights, values.

        This reads the codec's blocks directly: its public matcher yields one posting a
        call, ten times slower.
        """
        try:
            about = self._reader._terms.term_info(field, term.encode())
        except TermNotFound:
            return
        offset, (length,) = about.extent()  # Whoosh hands on the tuple that it unpacked
        for steps, weights, values in posting_blocks(
            self._reader._terms._postfile.get(offset, length)
        ):
            numbers = list(accumulate(steps))
            if not len(numbers) == len(weights) == len(values):
                raise ValueError(f"a block of {term} holds unequal numbers of values")
            if numbers and numbers[-1] >= self.columns.count:
                raise ValueError(f"{term} stands in document {numbers[-1]}, which is not there")
            yield numbers, weights, values
