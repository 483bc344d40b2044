"""The segment reader: postings in blocks, columns and word lists of a segment.

A segment never changes, so what is read of it is cached, within bounds, and shared by the
snapshots of all threads. Two lists stand beside its own files, UTF-8, one entry a line:

    ….forms       the folded forms of all words, sorted: the expansions of a prefix
    ….headlines   the tokens of each document's headline, by document number
"""

from __future__ import annotations

import re
import struct
import sys
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter, OrderedDict, defaultdict
from contextlib import suppress
from functools import cached_property, partial
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, Literal
from zlib import decompress

from rapidfuzz import process
from rapidfuzz.distance import OSA
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC, W3Codec
from whoosh.reading import SegmentReader, TermNotFound

from app import text
from app.search import minhash
from app.search.cache import Cache
from app.search.query.tree import Fuzzy, Prefix, Wildcard, expression
from app.search.whoosh.schema import UNDATED, located, places, ways, weight_at, written
from app.search.whoosh.storage import load, loads, stream_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from whoosh.filedb.filestore import FileStorage

    from app.search.query.tree import Inexact

_SPELLINGS_BYTES = 8 * 2**20
_TOKEN_BYTES = 120  # of a token in a set
_COMMON = 4  # a common word is in a quarter of a segment's documents
_LEAST_COMMON = 250  # postings: reading fewer takes no time
_COMMON_KEPT = 10_000_000  # postings of a segment, 5 bytes each
_CODES = 256
_ABSENT_KEPT = 20_000  # terms, 200 bytes each
_FEW_TERMS = 100  # looked up one by one
_FEW = 1_000  # with more letters, forms are compared instead of trying all edits
_LENGTH = struct.Struct("!i")

WordList = Literal["forms", "headlines"]


class Ids:
    """The ids of a segment's documents, with lookup by number and by id."""

    def __init__(self, storage: FileStorage, segment: Any) -> None:
        self.count = int(segment.doc_count_all())
        self._ids = _raw(storage, segment, "id", bytes(16))
        self._table: array[int] | None = None

    def id(self, number: int) -> bytes:
        """The id of a document, 16 bytes."""
        return self._ids[16 * number : 16 * number + 16]

    def number(self, id_: bytes) -> int | None:
        """The number of the document with that id; None without one."""
        if self._table is not None:
            return self._looked_up(self._table, id_)
        at = self._ids.find(id_)
        while at > 0 and at % 16:
            at = self._ids.find(id_, at + 1)
        return at // 16 if at >= 0 else None

    def make_table(self) -> None:
        """Build a hash table for `number`, for a writer's many lookups.

        A hash table of numbers takes 8 to 16 bytes a document, a dict of ids 200.
        """
        if self._table is not None:
            return
        mask = (1 << (2 * self.count).bit_length()) - 1
        table = array("I", bytes(4 * (mask + 1)))
        for number in range(self.count):
            place = hash(self.id(number)) & mask
            while table[place]:
                place = place + 1 & mask
            table[place] = number + 1
        self._table = table

    def _looked_up(self, table: array[int], id_: bytes) -> int | None:
        mask = len(table) - 1
        place = hash(id_) & mask
        while found := table[place]:
            if self.id(found - 1) == id_:
                return found - 1
            place = place + 1 & mask
        return None


def _raw(storage: FileStorage, segment: Any, column: str, row: bytes) -> bytes:
    """The rows of a column; `row` for documents without one."""
    count = int(segment.doc_count_all())
    path = W3Codec.column_filename(segment, column)
    data = b""
    if storage.file_exists(path):
        with storage.open_file(path) as file:
            data = file.get(0, storage.file_length(path))
    return data[: count * len(row)] + row * (count - len(data) // len(row))


class Columns:
    """The columns and caches of a segment, shared between snapshots and their threads."""

    def __init__(self, name: str, storage: FileStorage, segment: Any, ids: Ids) -> None:
        self.name = name
        self.count = ids.count
        self.id, self.number = ids.id, ids.number
        raw = partial(_raw, storage, segment)
        self._sketches = raw("sketch", minhash.NO_SKETCH)
        self.forms = _listed(storage, segment, "forms")
        self._headlines = _listed(storage, segment, "headlines")
        self.terms: dict[str, dict[str, tuple[int, int, int]]] = defaultdict(dict)
        self.absent: set[tuple[str, str]] = set()
        self.ways: dict[str, Counter[int]] = {}
        self.least_common = max(self.count // _COMMON, _LEAST_COMMON)
        self._beside: tuple[str, list[str]] = ("", [])
        self.names: dict[str, list[tuple[str, ...]]] = {}
        self.counted: dict[str, Counter[tuple[str, ...]]] = {}
        self.spelt: Cache[set[str]] = Cache(_SPELLINGS_BYTES)
        self.vocabulary: frozenset[str] | None = None
        self.common: OrderedDict[str, tuple[array[int], bytes, list[float]]] = OrderedDict()
        self.change = _big_endian(raw("change", bytes(8)))
        self.published = _big_endian(raw("published", struct.pack("!q", UNDATED)))
        self.lengths = raw("_words_len", bytes(1))
        self.total_length = int(segment._fieldlengths.get("words", 0))

    def sketch(self, number: int) -> bytes:
        """The sketch of a document's text."""
        return self._sketches[minhash.BINS * number : minhash.BINS * (number + 1)]

    def weights(self, token: str) -> tuple[Iterable[int], Iterable[float]] | None:
        """The cached postings of a common word, without positions; None if not cached."""
        found = self.common.get(token)
        if found is None:
            return None
        with suppress(KeyError):  # another thread may have evicted it
            self.common.move_to_end(token)
        numbers, codes, known = found
        return numbers, map(known.__getitem__, codes)

    def keep(self, token: str, blocks: Sequence[tuple[Sequence[int], Sequence[float]]]) -> None:
        """Cache the postings of a common word, and evict the least recently used ones."""
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
    def letters(self) -> frozenset[str]:
        """The letters of all forms."""
        return frozenset("".join(self.forms))

    def having(self, forms: Iterable[str]) -> frozenset[str]:
        """Those of `forms` that the segment has."""
        return self._form_set.intersection(forms)

    @cached_property
    def _form_set(self) -> frozenset[str]:
        return frozenset(self.forms)

    def forms_beside(self, other: Columns) -> list[str]:
        """The forms that `other` does not have, sorted; cached for the last `other`."""
        name, forms = self._beside
        if name != other.name:
            forms = [form for form in self.forms if form not in other._form_set]
            self._beside = other.name, forms
        return forms

    @cached_property
    def headlines(self) -> dict[str, list[int]]:
        """The documents with a token in their headline, repeated as often as it is there."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self._headlines):
            for token in line.split():
                found[token].append(number)
        return dict(found)


def write_list(storage: FileStorage, segment: Any, which: WordList, lines: Iterable[str]) -> None:
    """Write the file of a list."""
    with storage.create_file(_list_name(segment, which)) as file:
        for line in lines:
            file.write(f"{line}\n".encode())


def lines_of(storage: FileStorage, segment: Any, which: WordList) -> Iterator[str]:
    """The lines of a list, one at a time."""
    with storage.open_file(_list_name(segment, which)) as file:
        for line in file:
            yield line[:-1].decode()


def _listed(storage: FileStorage, segment: Any, which: WordList) -> list[str]:
    name = _list_name(segment, which)
    with storage.open_file(name) as file:
        content = bytes(file.get(0, storage.file_length(name)))
    return content.decode().split("\n")[:-1]


def _list_name(segment: Any, which: WordList) -> str:
    """A file name that Whoosh removes with the segment."""
    return f"{segment.segment_id()}.{which}"


def _big_endian(data: bytes) -> array[int]:
    values = array("q", data)
    values.byteswap()
    return values


def posting_blocks(
    data: bytes, among: Sequence[int] | None = None
) -> Iterator[tuple[tuple[int, ...], Any, Any]]:
    """The blocks of a posting list of W3Codec: steps between document numbers, weights, values.

    With `among`, ascending numbers, blocks without any of them are skipped.
    """
    if data[:4] != WHOOSH3_HEADER_MAGIC:
        raise ValueError("no posting list")
    stream = stream_of(data)
    at, last, before = 4, False, -1
    while not last:
        (length,) = _LENGTH.unpack_from(data, at)
        last = length < 0
        stream.seek(at + _LENGTH.size)
        count, highest, _, compressed, _, _ = load(stream)
        start, at = stream.tell(), at + _LENGTH.size + abs(length)
        if among is not None:
            after, before = bisect_right(among, before), highest
            if after == len(among) or among[after] > highest:
                continue
        block = data[start:at]
        steps, weights, values = loads(decompress(block) if compressed else block)
        if weights is None or isinstance(weights, float):
            weights = (weights or 1.0,) * count
        yield steps, weights, values or (b"",) * count


def _one_edit_away(form: str, letters: Iterable[str]) -> Iterator[str]:
    """`form` and all forms one edit away: looking these up is faster than comparing."""
    yield form
    for at in range(len(form) + 1):
        head, tail = form[:at], form[at:]
        yield from (f"{head}{letter}{tail}" for letter in letters)
        if tail:
            yield head + tail[1:]
            yield from (f"{head}{letter}{tail[1:]}" for letter in letters)
        if len(tail) > 1:
            yield f"{head}{tail[1]}{tail[0]}{tail[2:]}"


def _begun(pattern: str) -> str:
    """The part of a pattern before its first wildcard."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


class Segment:
    """An open segment: its postings, read block by block."""

    def __init__(self, reader: SegmentReader, shared: Columns) -> None:
        self._reader = reader
        self.columns = shared
        self.deleted: frozenset[int] = frozenset(reader.segment().deleted_docs() or ())

    def documents(self, field: str, term: str) -> int:
        """How many documents have `term`, deleted ones included; cached."""
        term = term.removeprefix("!")
        if field == "words" and term[:1] == "=":
            stem, code = located(term)
            if code is not None:
                return self._ways(stem)[code]
        return self._listed(field, term)[0]

    def _listed(self, field: str, term: str) -> tuple[int, int, int]:
        """The number of documents with `term`, and place and size of its postings; cached."""
        known, absent = self.columns.terms[field], self.columns.absent
        found = known.get(term)
        if found is None and (field, term) not in absent:
            try:
                about = self._reader._terms.term_info(field, term.encode())
            except (TermNotFound, KeyError):
                if len(absent) >= _ABSENT_KEPT:
                    absent.clear()  # the words that a segment lacks have no bound
                absent.add((field, term))
            else:
                offset, (length,) = about.extent()  # Whoosh returns the length in a tuple
                found = known[term] = int(about.doc_frequency()), offset, length
        return found or (0, 0, 0)

    def _ways(self, stem: str) -> Counter[int]:
        """How many documents have a stem in each way that it is written; cached."""
        found = self.columns.ways.get(stem)
        if found is None:
            values = chain.from_iterable(values for _, _, values in self.blocks("words", stem))
            found = Counter(chain.from_iterable(map(ways, values)))
            if found:  # not cached: the words that a segment lacks have no bound
                self.columns.ways[stem] = found
        return found

    def headlines(self, token: str) -> Sequence[int]:
        """The documents with `token` in their headline, repeated as often as it is there."""
        return self.columns.headlines.get(token, ())

    def names(self, field: str) -> list[tuple[str, ...]]:
        """The values of a field of names, by document number; cached."""
        found = self.columns.names.get(field)
        if found is None:
            listed: list[tuple[str, ...]] = [()] * self.columns.count
            values = self._reader.lexicon(field) if field in self._reader.schema else ()
            for value in [bytes(value).decode() for value in values]:
                one = (value,)  # shared by the many documents without another value
                for numbers, _, _ in self.blocks(field, value):
                    for number in numbers:
                        listed[number] = listed[number] + one if listed[number] else one
            found = self.columns.names[field] = listed
        return found

    def counted(self, field: str) -> Counter[tuple[str, ...]]:
        """How many documents have each value of `names`, deleted ones included; cached."""
        found = self.columns.counted.get(field)
        if found is None:
            found = self.columns.counted[field] = Counter(self.names(field))
        return found

    def near(self, leaf: Inexact, *, beside: Segment | None = None) -> list[str]:
        """The forms of the segment's words that match a leaf.

        Forms of the segment `beside` are excluded: most words are in all segments.
        """
        if isinstance(leaf, Fuzzy) and leaf.distance == 1 and len(self.columns.letters) <= _FEW:
            there = self.columns.having(_one_edit_away(leaf.form, self.columns.letters))
            return list(there if beside in (None, self) else there - beside.columns.having(there))
        forms = self.columns.forms
        if beside is not None and beside is not self:
            forms = self.columns.forms_beside(beside.columns)
        if isinstance(leaf, Prefix | Wildcard):
            begun = leaf.prefix if isinstance(leaf, Prefix) else _begun(leaf.pattern)
            first = bisect_left(forms, begun)
            last = bisect_left(forms, begun + chr(sys.maxunicode))
            if isinstance(leaf, Prefix) or leaf.pattern == f"{begun}*":
                return forms[first:last]
            fitting = re.compile(f"^{expression(leaf.pattern)}$", re.MULTILINE)
            return fitting.findall("\n".join(forms[first:last]))
        cutoff = leaf.distance
        found = process.extract_iter(leaf.form, forms, scorer=OSA.distance, score_cutoff=cutoff)
        return [form for form, _, _ in found]

    def spellings(self, leaf: Inexact) -> set[str]:
        """The index terms of the segment's words that match a leaf."""
        return self._terms_near(leaf, leaf, exact=False)

    def _terms_near(self, key: Hashable, leaf: Inexact, *, exact: bool) -> set[str]:
        found, most = self.columns.spelt.get(key), 1 if exact else None
        if found is None:
            found = {
                term
                for form in self.near(leaf)
                for terms in text.alternatives(form, self.languages, exact=exact)[:most]
                for term in terms
            }
            self.columns.spelt.put(key, found, _TOKEN_BYTES * (1 + len(found)))
        return found

    def known(self, terms: set[str]) -> set[str]:
        """`terms` without most of those that the segment lacks, where they are many."""
        if len(terms) <= _FEW_TERMS:
            return terms
        if self.columns.vocabulary is None:
            words = self._reader.lexicon("words")
            self.columns.vocabulary = frozenset(bytes(word).decode() for word in words)
        return {t for t in terms if t[0] in "=!" or t in self.columns.vocabulary}

    def written(self, pattern: str) -> set[str]:
        """The exact terms of the segment's words that match `pattern`."""
        return self._terms_near(f"={pattern}", Wildcard(pattern), exact=True)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the segment's documents."""
        return tuple(bytes(value).decode() for value in self._reader.lexicon("language"))

    def weights(
        self, token: str
    ) -> Iterator[tuple[Iterable[int], Iterable[float], Sequence[bytes] | None]]:
        """The postings of a word; those of common words are cached as one block without values.

        Common words are in most searches, and reading them takes most of the time.
        """
        kept = self.columns.weights(token)
        if kept is not None:
            yield *kept, None
            return
        blocks: list[tuple[Sequence[int], Sequence[float]]] = []
        for numbers, weights, values in self.blocks("words", token):
            blocks.append((numbers, weights))
            yield numbers, weights, values
        if self.documents("words", located(token)[0]) >= self.columns.least_common:
            self.columns.keep(token, blocks)

    def blocks(
        self, field: str, term: str, *, among: set[int] | None = None
    ) -> Iterator[tuple[Sequence[int], Any, Any]]:
        """The postings of `term`: document numbers, weights, values.

        A word as it is written has its own positions alone. Reads the codec's blocks directly: its
        public matcher yields one posting a call, ten times slower.
        """
        term, code = located(term) if field == "words" else (term, None)
        if code is not None:
            blocks = self.blocks(field, term, among=among)
            yield from (_written(code, *block) for block in blocks)
            return
        _, offset, length = self._listed(field, term)
        if not length:
            return
        for steps, weights, values in posting_blocks(
            self._reader._terms._postfile.get(offset, length),
            None if among is None else sorted(among),
        ):
            numbers = list(accumulate(steps))
            if not len(numbers) == len(weights) == len(values):
                raise ValueError(f"a block of {term} holds unequal numbers of values")
            if numbers and numbers[-1] >= self.columns.count:
                raise ValueError(f"{term} stands in document {numbers[-1]}, which is not there")
            yield numbers, weights, values


def _written(
    code: int, numbers: Sequence[int], weights: Sequence[float], values: Sequence[bytes]
) -> tuple[Sequence[int], Sequence[float], Sequence[bytes]]:
    """The postings of a block at the positions where the word is written in the way `code`."""
    kept = []
    for number, weight, value in zip(numbers, weights, values, strict=True):
        own = written(code, value)
        if len(own) == len(value):
            kept.append((number, weight, value))
        elif own:
            kept.append((number, sum(map(weight_at, places(own))), own))
    numbers, weights, values = zip(*kept, strict=True) if kept else ((), (), ())
    return numbers, weights, values
