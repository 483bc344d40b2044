"""The schema of the Whoosh index: its fields, its posting format and its merge policy.

An article is one document with one field for all its words: the weight of a posting is the sum
of the weights of its text fields, and its positions encode the field. There are also a field
for each filter, columns for id, change, date and sketch, and lists of words beside each
segment (`whoosh.segments`).
"""

from __future__ import annotations

import math
import struct
from array import array
from collections import defaultdict
from itertools import chain
from operator import itemgetter, sub
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4
from zlib import crc32

from whoosh import columns, fields, formats
from whoosh.codec.whoosh3 import W3Codec, W3Segment
from whoosh.util.numeric import byte_to_length

from app import text
from app.filters import SEARCHED
from app.search import minhash
from app.search.engine import Document
from app.search.ranking import FIELD_WEIGHTS, LEAD_WEIGHT, LEAD_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from whoosh.filedb.filestore import FileStorage

    from app.search.engine import Change

LENGTHS = tuple(byte_to_length(byte) for byte in range(256))
"""Whoosh stores the length of a field in one byte: the words that each byte stands for."""

FIELD_BITS = 24  # the positions of a text field start at its number shifted by this
FORM_BITS = 6  # the lowest bits of a stored position: how the word is written there
STEM = 1  # those bits of a word that is written as its stem; 0 if its form is a term of its own
_FORM_MASK = (1 << FORM_BITS) - 1
_ENDINGS = {
    ending: code
    for code, ending in enumerate(
        """
        >s >e >ed i>y >ing >es >al y>id >ion >er >ly >ation e>ing >d >ment >ers >ic >ate >ated >ions
        >ity >ive >ent >ations ell>old >ional >ities >able >y >ings >als >ement >ally >ness ke>de
        >ating >ence >ance >n >l >ely >ments >ant >ates >ible >ative >red >ics old>eld >ical all>ell
        >ered >ately >ively >ning >ped >ting i>ying >ized >ned e>ings >ies
        """.split(),  # noqa: SIM905 (62 lines)
        STEM + 1,
    )
}
"""The commonest endings of a stem and of its form in English news, with the bits for each."""
FIELDS = [
    (name, n << FIELD_BITS, FIELD_WEIGHTS[name]) for n, name in enumerate(Document.text_fields)
]
"""Each text field with its first position and its weight."""
_BODY = Document.text_fields.index("body") << FIELD_BITS
UNDATED = -(2**63)
"""The date of an article without one."""

_GAP = 64  # positions between two bullets: more than the slop of a phrase
_TIER, _TIER_SIZE = 8, 8  # merge eight segments of one power of eight into one


_TERM, _FORM = itemgetter(0), itemgetter(1)
_PACKED = 16
_PACK = [struct.Struct(f"{count}I").pack for count in range(_PACKED)]  # 4 times array's speed
_UNPACK = [struct.Struct(f"{count}I").unpack for count in range(_PACKED)]


class Positions(formats.Positions):  # type: ignore[misc]
    """Positions as plain 32-bit integers: faster to write and to read than pickled deltas."""

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
        """The number of positions in a posting's value."""
        return len(value) // 4


def _stored(value: bytes) -> Iterable[int]:
    count = len(value) // 4
    return _UNPACK[count](value) if count < _PACKED else array("I", value)


def places(value: bytes) -> list[int]:
    """The positions in a posting's value."""
    return [each >> FORM_BITS for each in _stored(value)]


def places_written(codes: Container[int | None], value: bytes) -> list[int]:
    """Those at which the word is written in one of the ways `codes`; see `located`."""
    return [each >> FORM_BITS for each in _stored(value) if each & _FORM_MASK in codes]


def written(code: int, value: bytes) -> bytes:
    """The part of a posting's value at which the word is written in the way `code`."""
    return array("I", [each for each in _stored(value) if each & _FORM_MASK == code]).tobytes()


def ways(value: bytes) -> set[int]:
    """The ways in which a word is written in the document of a posting's value."""
    return {each & _FORM_MASK for each in _stored(value)}


def located(term: str) -> tuple[str, int | None]:
    """The term whose postings have the positions of `term`, and the way it is written there.

    None means all positions.

    >>> located("prison"), located("!prison"), located("=prisoners"), located("=went")
    (('prison', None), ('prison', 1), ('prison', 17), ('=went', None))
    """
    if term[:1] == "!":
        return term[1:], STEM
    code = 0
    if term[:1] == "=" and term.isascii() and (form := term[1:]).isalnum():
        stem = text.stem(form)
        code = _way(stem, form) if stem != form else 0
    return (stem, code) if code else (term, None)


def _way(stem: str, form: str) -> int:
    """How a form is written, for the lowest bits of a position; 0 if it is a term of its own."""
    if stem == form:
        return STEM
    if not (form.isascii() and form.isalnum()) or len(form) >= text.LONGEST or ":" in stem:
        return 0
    pairs = enumerate(zip(stem, form, strict=False))
    shared = next((at for at, (one, other) in pairs if one != other), len(stem))
    return _ENDINGS.get(f"{stem[shared:]}>{form[shared:]}", 0)


def weight_at(position: int) -> float:
    """What a word counts at a position, by the field that it stands in."""
    if _BODY <= position < _BODY + LEAD_WORDS:
        return LEAD_WEIGHT
    return FIELDS[position >> FIELD_BITS][2]


class Words(fields.FieldType):  # type: ignore[misc]
    """All words of a Document as one field, without a Whoosh analyzer: `Gathered` indexes them."""

    def __init__(self) -> None:
        super().__init__(Positions(), None, scorable=True)


class Posting:
    """The postings of one term, as they are gathered."""

    __slots__ = ("ends", "extra", "numbers", "positions")

    def __init__(self) -> None:
        self.numbers = array("I")
        self.positions = array("I")
        self.ends = array("I")  # of the positions in each document
        self.extra: dict[int, float] = defaultdict(float)
        """By posting, how much its weight exceeds the number of its positions."""

    def weights(self) -> list[float]:
        """The weight of each posting."""
        found = list(map(float, map(sub, self.ends, chain((0,), self.ends))))
        for at, more in self.extra.items():
            found[at] += more
        return found

    def values(self) -> list[bytes]:
        """The value of each posting."""
        data = self.positions.tobytes()
        if len(self.ends) == 1:
            return [data]
        starts = chain((0,), self.ends)
        return [data[4 * start : 4 * end] for start, end in zip(starts, self.ends, strict=False)]


class Gathered(dict[bytes, Posting]):
    """The postings of all words of documents, by term: one pass over the tokens of each.

    Further terms at the same position do not make the document longer. A term that is both has
    all its positions in one posting.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known = _Known(self)

    def __missing__(self, term: bytes) -> Posting:
        made = self[term] = Posting()
        return made

    def add(self, number: int, words: Analysed) -> tuple[int, bytes]:
        """Add the postings of a document; returns its length in words, and its body's sketch."""
        length = 0
        found: list[_Word] = []
        touched: set[Posting] = set()
        known = self._known
        for (_, base, weight), passages in zip(FIELDS, words.fields, strict=True):
            start = base
            for tokens in passages:
                found = [known[token] for token in tokens]
                place = start << FORM_BITS
                for append, code, _, others, _ in found:
                    append(place + code)
                    if others:
                        for other in others:
                            other.positions.append(place + STEM)
                        touched.update(others)
                    place += 1 << FORM_BITS
                touched.update(map(_POSTING, found))
                if (first := weight_at(start)) != 1.0:
                    weighted = found if first == weight else found[:LEAD_WORDS]
                    for _, _, posting, others, _ in weighted:
                        posting.extra[len(posting.numbers)] += first - 1.0
                        for other in others:
                            other.extra[len(other.numbers)] += first - 1.0
                length += len(tokens)
                start += len(tokens) + _GAP
        for posting in touched:
            posting.numbers.append(number)
            posting.ends.append(len(posting.positions))
        return length, minhash.sketch_of(list(map(_HASH, found)))  # the body comes last

    def finish(self) -> set[str]:
        """The forms of all words; nothing can be added any more, and what is popped is freed."""
        forms = set(map(_FORM, self._known))
        del self._known  # it has all postings, and this
        return forms


_Word = tuple["Callable[[int], None]", int, Posting, tuple[Posting, ...], int]
"""A word's `positions.append`, the way it is written, its posting, further ones, its hash."""
_POSTING, _HASH = itemgetter(2), itemgetter(4)


class _Known(dict[text.Term, _Word]):
    """What is known of each word of the gathered documents."""

    def __init__(self, postings: Gathered) -> None:
        super().__init__()
        self._postings = postings

    def __missing__(self, word: text.Term) -> _Word:
        token, form, others = word
        own = bool(others) and others[0][0] == "="
        code = _way(token, form) if own else STEM
        term = token.encode()
        posting = self._postings[term]
        further = tuple(
            self._postings[other.encode()] for other in (others[1:] if own and code else others)
        )
        made = self[word] = posting.positions.append, code, posting, further, crc32(term)
        return made


class Analysed:
    """The analysed words of a Document: passages by text field."""

    __slots__ = ("fields",)

    def __init__(self, document: Document) -> None:
        self.fields: list[list[list[text.Term]]] = []
        for name, _, _ in FIELDS:
            passages = getattr(document, name)
            several = (passages,) if isinstance(passages, str) else passages
            self.fields.append([text.analysed(each, document.language) for each in several])

    @property
    def headline(self) -> list[str]:
        """The tokens of the headline."""
        return list(map(_TERM, self.fields[0][0]))


class Names(fields.FieldType):  # type: ignore[misc]
    """Folded names, each indexed as a whole."""

    def __init__(self) -> None:
        super().__init__(formats.Existence(), None)


class Codec(W3Codec):  # type: ignore[misc]
    """Whoosh's codec without the block statistics that only its own scorers read."""

    length_stats = False

    def new_segment(self, storage: FileStorage, indexname: str) -> W3Segment:  # noqa: ARG002
        """A segment with a unique name.

        Whoosh draws names from the global random generator: if that is seeded, two segments may
        get the same name and overwrite each other's files.
        """
        return W3Segment(self, indexname, segid=uuid4().hex[:16])


def schema() -> fields.Schema:
    """The Whoosh schema: `words`, a field for each filter, and the columns of an article."""
    return fields.Schema(
        id=fields.COLUMN(columns.FixedBytesColumn(16)),
        change=fields.COLUMN(columns.NumericColumn("q")),
        published=fields.COLUMN(columns.NumericColumn("q", default=UNDATED)),
        sketch=fields.COLUMN(columns.FixedBytesColumn(minhash.BINS)),
        words=Words(),
        **{name: Names() for name in SEARCHED},
    )


def columns_of(change: Change, document: Document, sketch: bytes) -> dict[str, Any]:
    """The columns of an article."""
    published = document.published_us
    return {
        "id": change.id.bytes,
        "change": change.change,
        "published": UNDATED if published is None else published,
        "sketch": sketch,
    }


class Merging(Protocol):
    """The writer of a segment that others are merged into."""

    def add_segment(self, segment: Any) -> None:
        """Merge a segment into the new one."""
        ...


def merge(writer: Merging, segments: list[Any]) -> list[Any]:
    """The merge policy: a full tier becomes one segment, and so do half-deleted segments.

    Tiers are powers of eight of the document count, so that an article is rewritten a logarithmic
    number of times and a search reads at most about eight segments a tier.
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
