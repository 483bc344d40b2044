"""What stands in a Whoosh index of ours: its fields, and how its segments are merged.

An article is one document with one field for all its words: a posting's weight is the sum
of its zones' weights, its positions tell the zone. Beside it stand a field for each filter
and columns for id, change, date and sketch, and beside each segment lists of words
(`whoosh_words`).
"""

from __future__ import annotations

import math
import struct
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from whoosh import columns, fields, formats
from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.util.numeric import byte_to_length

from app import text
from app.filters import NAMED
from app.search import duplicates
from app.search.matching import UNDATED, ZONES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from whoosh.filedb.filestore import FileStorage

    from app.search.base import Change, Document
    from app.search.whoosh_writer import Writer

LENGTHS = tuple(byte_to_length(byte) for byte in range(256))
"""Whoosh keeps the length of a field as one byte: what each byte stands for, in words."""

_GAP = 64  # positions from one bullet to the next: more than a phrase may leave out
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
