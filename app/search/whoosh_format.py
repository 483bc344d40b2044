"""What stands in a Whoosh index of ours: its fields, and its segments read in blocks.

An article is one document with one field for all its words: a posting's weight is the sum
of its zones' weights, its positions tell the zone. Beside it stand a field for each filter
and columns for id, change, date and sketch, and beside each segment lists of words
(`whoosh_words`). Damage in the files leaves here as IndexDamaged.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from contextlib import contextmanager
from functools import cached_property
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from zlib import decompress

from rapidfuzz import process
from rapidfuzz.distance import OSA
from whoosh import columns, fields, formats
from whoosh.codec.whoosh3 import WHOOSH3_HEADER_MAGIC, W3Codec, W3Segment
from whoosh.filedb.filestore import FileStorage
from whoosh.reading import SegmentReader, TermNotFound
from whoosh.util.numeric import byte_to_length

from app import text
from app.errors import EngineError, IndexDamaged
from app.filters import NAMED
from app.search import duplicates, whoosh_words
from app.search.matching import UNDATED, ZONES
from app.search.query import Fuzzy, Prefix
from app.search.whoosh_pickles import File, load, loads, stream_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.search.base import Change, Document
    from app.search.whoosh_writer import Writer

LENGTHS = tuple(byte_to_length(byte) for byte in range(256))
"""Whoosh keeps the length of a field as one byte: what each byte stands for, in words."""

_GAP = 64  # positions from one bullet to the next: more than a phrase may leave out
_SPELLINGS_KEPT = 64
_COMMON = 4  # a word is common that stands in a quarter of a segment's documents
_COMMON_KEPT = 10_000_000  # postings of a segment, 5 bytes each
_CODES = 256
_LENGTH = struct.Struct("!i")
_TIER, _TIER_SIZE = 8, 8  # merge eight segments of one power of eight into one


_PACKED = 16
_PACK = [struct.Struct(f"{count}I").pack for count in range(_PACKED)]  # 4 times array's speed


class Positions(formats.Positions):  # type: ignore[misc]
    """Positions as plain 32-bit integers: quicker to write and to read than pickled deltas."""

    def encode(self, positions: list[int]) -> bytes:
        """The value of a posting."""
        return (
            _PACK[len(positions)](*positions)
            if len(positions) < _PACKED
            else array("I", positions).tobytes()
        )

    def decode_positions(self, value: bytes) -> list[int]:
        """The positions of a posting's value, for Whoosh's own queries."""
        return array("I", value).tolist()

    def decode_frequency(self, value: bytes) -> int:
        """How many positions a value holds."""
        return len(value) // 4


class Words(fields.FieldType):  # type: ignore[misc]
    """All words of a Document as one field; indexes our own tokens without a Whoosh analyzer."""

    def __init__(self) -> None:
        super().__init__(Positions(), None, scorable=True)

    def index(
        self, words: Analysed, **_options: object
    ) -> Iterator[tuple[bytes, int, float, bytes]]:
        """Token, frequency, weight and positions of each word of the document."""
        positions: dict[str, list[int]] = defaultdict(list)
        extra: dict[str, float] = {}
        for (_, base, weight), passages in zip(ZONES, words.zones, strict=True):
            start = base
            for tokens in passages:
                for position, token in enumerate(tokens, start):
                    positions[token].append(position)
                if weight != 1.0:
                    for token in tokens:
                        extra[token] = extra.get(token, 0.0) + weight - 1.0
                start += len(tokens) + _GAP
        encode = self.format.encode
        for token, found in positions.items():
            count = len(found)
            weight = count + extra[token] if token in extra else float(count)
            yield token.encode(), count, weight, encode(found)


class Analysed:
    """The words of a Document: tokens by zone and passage, and all forms."""

    __slots__ = ("forms", "zones")

    def __init__(self, document: Document) -> None:
        self.forms: set[str] = set()
        self.zones: list[list[list[str]]] = []
        for zone, _, _ in ZONES:
            passages = getattr(document, zone)
            analysed = []
            for passage in (passages,) if isinstance(passages, str) else passages:
                words = text.terms_and_forms(passage)
                analysed.append([token for token, _ in words])
                self.forms.update(form for _, form in words)
            self.zones.append(analysed)

    @property
    def headline(self) -> list[str]:
        """The tokens of the headline."""
        return self.zones[0][0]

    @property
    def body(self) -> list[str]:
        """The tokens of the body."""
        return self.zones[-1][0]


class Names(fields.FieldType):  # type: ignore[misc]
    """Folded names, each found as a whole."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)

    def index(self, names: Iterable[str], **_: object) -> Iterator[tuple[bytes, int, float, bytes]]:
        """One posting a name."""
        for name in dict.fromkeys(names):
            yield name.encode(), 1, 1.0, b""


class Storage(FileStorage):  # type: ignore[misc]
    """Files of one directory, all closed together: Whoosh leaves some open when it fails."""

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory))
        self._opened: list[Any] = []

    def open_file(self, name: str, **options: Any) -> Any:
        """As Whoosh's own, but with pickles that are data alone, and remembered."""
        stream = Path(self.folder, name).open("rb")  # noqa: SIM115 (closed with the file)
        return self._remembered(File(stream, name=name, **options))

    def create_file(self, name: str, *options: Any, **more: Any) -> Any:
        """As Whoosh's own, and remembered."""
        return self._remembered(super().create_file(name, *options, **more))

    def temp_storage(self, name: str | None = None) -> Storage:
        """A folder below this one, whose files are closed with ours."""
        inner = Storage(Path(self.folder) / (name or f"{uuid4().hex}.tmp"))
        inner._opened = self._opened
        inner.create()
        return inner

    def _remembered(self, file: Any) -> Any:
        self._opened.append(file)
        return file

    def list(self) -> list[str]:
        """The files; Whoosh's own takes a folder that it may not read now for an empty one."""
        try:
            return [path.name for path in Path(self.folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def close_files(self) -> None:
        """Close what is still open, all of it, though the disk be full for what was written."""
        errors = []
        while self._opened:
            file = self._opened.pop()
            if not file.is_closed:
                try:
                    file.close()
                except OSError as error:
                    errors.append(error)
        if errors:
            raise errors[0]


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's own codec without the block statistics that only its own scorers read."""

    length_stats = False

    def new_segment(self, storage: FileStorage, indexname: str) -> W3Segment:  # noqa: ARG002
        """A segment with a name of its own: Whoosh draws it from the program's random numbers.

        Where somebody seeds those, two segments get one name and one's files.
        """
        return W3Segment(self, indexname, segid=uuid4().hex[:16])


def schema() -> fields.Schema:
    """The Whoosh schema: `words`, one field a filter, and the columns of an article."""
    return fields.Schema(
        id=fields.COLUMN(columns.FixedBytesColumn(16)),
        change=fields.COLUMN(columns.NumericColumn("q")),
        published=fields.COLUMN(columns.NumericColumn("q", default=UNDATED)),
        sketch=fields.COLUMN(columns.FixedBytesColumn(duplicates.BINS)),
        words=Words(),
        **{name: Names() for name in NAMED},
    )


def fields_of(change: Change, document: Document) -> dict[str, Any]:
    """The arguments of Whoosh's `add_document` for an article."""
    published = document.published_us
    words = Analysed(document)
    return {
        "id": change.id.bytes,
        "change": change.change,
        "published": UNDATED if published is None else published,
        "sketch": duplicates.sketch(words.body),
        "words": words,
        **{name: document.names.get(name, ()) for name in NAMED},
    }


def merge(writer: Writer, segments: list[Any]) -> list[Any]:
    """Merge policy: a tier that is full becomes one segment, and so do half-deleted ones.

    Tiers are powers of eight of the document count, so each article is rewritten a
    logarithmic number of times and about eight segments a tier are searched at most.
    """
    tiers: dict[int, list[Any]] = defaultdict(list)
    for segment in segments:
        tiers[int(math.log(max(segment.doc_count_all(), 1), _TIER))].append(segment)
    merged = {id(segment) for tier in tiers.values() if len(tier) >= _TIER_SIZE for segment in tier}
    for segment in segments:
        if 2 * segment.deleted_count() >= segment.doc_count_all():
            merged.add(id(segment))
    for segment in segments:
        if id(segment) in merged:
            writer.add_segment(segment)
    return [segment for segment in segments if id(segment) not in merged]


@contextmanager
def reading(directory: Path | str) -> Iterator[None]:
    """Whatever Whoosh raises over files that do not hold together is IndexDamaged.

    It raises bare Exception, struct.error, zlib.error, any unpickling error and more, so
    this wraps only calls that read index files. What the operating system refuses (a full
    disk, too many open files) is no damage, but a file that is gone is.
    """
    try:
        yield
    except (EngineError, MemoryError):
        raise
    except OSError as error:
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise _damaged(directory, error) from error
        raise EngineError(str(directory), error.strerror or str(error)) from error
    except Exception as error:
        raise _damaged(directory, error) from error


def _damaged(directory: Path | str, error: Exception) -> IndexDamaged:
    return IndexDamaged(str(directory), f"{type(error).__name__}: {error}")


class Columns:
    """What a segment says of each of its documents; shared between snapshots, never changed."""

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
        self._beside: tuple[str, list[str]] = ("", [])
        self.names: dict[str, list[tuple[str, ...]]] = {}
        self.counted: dict[str, Counter[tuple[str, ...]]] = {}
        self.spelt: dict[Prefix | Fuzzy, set[str]] = {}
        self.common: dict[str, tuple[array[int], bytes, list[float]]] = {}
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
        found = self.common.pop(token, None)
        if found is None:
            return None
        self.common[token] = found  # the last that goes
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
        kept = self.common
        kept[token] = numbers, codes, known
        while sum(len(each) for _, each, _ in list(kept.values())) > _COMMON_KEPT:
            kept.pop(next(iter(kept)), None)

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

    def __init__(self, reader: SegmentReader, shared: Columns, path: str) -> None:
        self._reader = reader
        self._path = path
        self.columns = shared
        self.deleted: frozenset[int] = frozenset(reader.segment().deleted_docs() or ())

    def documents(self, field: str, term: str) -> int:
        """How many documents hold `term`, deleted ones included; looked up once."""
        known = self.columns.documents[field]
        if term not in known:
            with reading(self._path):
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
            with reading(self._path):
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
            while len(self.columns.spelt) >= _SPELLINGS_KEPT:
                self.columns.spelt.pop(next(iter(self.columns.spelt)), None)
            self.columns.spelt[leaf] = found
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
        if sum(len(numbers) for numbers, _ in blocks) * _COMMON >= self.columns.count:
            self.columns.keep(token, blocks)

    def blocks(self, field: str, term: str) -> Iterator[tuple[Sequence[int], Any, Any]]:
        """The postings of `term`: document numbers, weights, values.

        This reads the codec's blocks directly: its public matcher yields one posting a
        call, ten times slower.
        """
        with reading(self._path):
            try:
                about = self._reader._terms.term_info(field, term.encode())
            except TermNotFound:
                return
            offset, (length,) = about.extent()  # Whoosh hands on the tuple that it unpacked
            found = posting_blocks(self._reader._terms._postfile.get(offset, length))
        while True:
            with reading(self._path):
                block = next(found, None)
                if block is None:
                    return
                steps, weights, values = block
                numbers = list(accumulate(steps))
                if not len(numbers) == len(weights) == len(values):
                    raise ValueError(f"a block of {term} holds unequal numbers of values")
                if numbers and numbers[-1] >= self.columns.count:
                    raise ValueError(f"{term} stands in document {numbers[-1]}, which is not there")
            yield numbers, weights, values
