"""The schema of the tantivy index: its fields, and an article as one of its documents.

All words of an article are in the field `words`, and those of each text field also in a field of
their own, for `headline:rain`. A token takes two positions. The first has its stem and its further
terms; the second has `=` and its form, or `!` and the stem if the two are equal, and further terms
with a `+`. So one phrase can have stems and forms. A weight is a number of copies, since tantivy
counts occurrences. Gaps between the copies keep phrases from matching across them.
"""

from __future__ import annotations

import struct
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

import tantivy

from app import text
from app.filters import SEARCHED
from app.search import minhash
from app.search.engine import DAY_US, Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from app.search.engine import Change

WORDS = "words"
FACETED = tuple(name for name in SEARCHED if name not in ("byline", "url"))
"""The names that can be counted."""
SKETCH = tuple(f"sketch{n}" for n in range(8))
"""The fields of a sketch, eight of its bytes each."""
SLOTS = 2
"""Positions a token."""

_COPIES = {"headline": 5, "summary": 4, "caption": 3, "body": 1}
# As ranking.FIELD_WEIGHTS in effect: tantivy's k1 is smaller, so that words saturate earlier.
_LEAD = 20  # words of a body that stand twice: ranking.LEAD_WORDS weigh half as much more
_GAP = 64  # tokens between two passages: more than the slop of a phrase
_NOTHING = "_"  # a position without a term; no token is one
_BETWEEN = f" {' '.join([_NOTHING] * (_GAP * SLOTS))} "
_TOKENIZER = "tokens"
_KEYS = struct.Struct(">QQ")
_SKETCH = struct.Struct(">8Q")

Passage = list[text.Term]


@cache
def schema() -> tantivy.Schema:
    """The schema of every index."""
    builder = tantivy.SchemaBuilder()
    for name in (WORDS, *Document.text_fields):
        builder.add_text_field(name, tokenizer_name=_TOKENIZER, index_option="position")
    named = partial(builder.add_text_field, tokenizer_name="raw", index_option="basic")
    for name in SEARCHED:
        named(name, fast=name in FACETED)
    named("id")
    named("has")  # the fields of names that the article has, and `dated` or `undated`
    for name in ("high", "low", "change", *SKETCH):
        builder.add_unsigned_field(name, fast=True)
    # The date, its day in UTC, and the date once more: an instant, or a day alone.
    for name in ("published", "day", "instant", "whole_day"):
        builder.add_integer_field(name, fast=True)
    return builder.build()


def register(index: tantivy.Index) -> None:
    """Register the analyzers of the text fields with an index before it is written."""
    words = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace())
    nothing = tantivy.Filter.custom_stopword([_NOTHING])
    index.register_tokenizer(_TOKENIZER, words.filter(nothing).build())
    index.register_tokenizer("raw", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).build())


def key_of(id_: UUID) -> tuple[int, int]:
    """The high and the low half of an id, by which ids are ordered."""
    return _KEYS.unpack(id_.bytes)


def id_bytes(high: int, low: int) -> bytes:
    """The id of two halves."""
    return _KEYS.pack(high, low)


def sketch_of(parts: Iterable[int]) -> bytes:
    """The sketch of its eight parts."""
    return _SKETCH.pack(*parts)


def document_of(change: Change, document: Document) -> tantivy.Document:
    """An article as a document of the index."""
    made = tantivy.Document()
    fields: dict[str, list[Passage]] = {}
    for name in Document.text_fields:
        passages = getattr(document, name)
        passages = (passages,) if isinstance(passages, str) else passages
        fields[name] = [text.analysed(passage, document.language) for passage in passages]
    lead = fields["body"][0][:_LEAD]
    if any(map(_is_further, chain.from_iterable(chain.from_iterable(fields.values())))):
        copies = [each for name, found in fields.items() for each in found * _COPIES[name]]
        for name, passages in {**fields, WORDS: [*copies, lead]}.items():
            tokens = list(_tokens(passages))
            made.add_pre_tokenized_text(name, tantivy.PreTokenizedString("", tokens))
    else:
        # Text to be cut at blanks takes tantivy less than half the time of tokens.
        written = {name: list(map(_written, found)) for name, found in fields.items()}
        copied = [each for name, found in written.items() for each in found * _COPIES[name]]
        for name, texts in {**written, WORDS: [*copied, _written(lead)]}.items():
            made.add_text(name, _BETWEEN.join(filter(None, texts)))
    made.add_text("id", change.id.hex)
    high, low = key_of(change.id)
    made.add_unsigned("high", high)
    made.add_unsigned("low", low)
    made.add_unsigned("change", change.change)
    body = [token for token, _, _ in fields["body"][0]]
    for name, part in zip(SKETCH, _SKETCH.unpack(minhash.sketch(body)), strict=True):
        made.add_unsigned(name, part)
    for name in SEARCHED:
        values = dict.fromkeys(document.names.get(name, ()))
        for value in values:
            made.add_text(name, value)
        if values:
            made.add_text("has", name)
    published = document.published_us
    made.add_text("has", "undated" if published is None else "dated")
    if published is not None:
        made.add_integer("published", published)
        made.add_integer("day", published // DAY_US)
        made.add_integer("whole_day" if published % DAY_US == 0 else "instant", published)
    return made


def _is_further(term: text.Term) -> bool:
    """Whether a token has more terms than its stem and its form."""
    others = term[2]
    return bool(others) and (len(others) > 1 or others[0][0] != "=")


def _written(passage: Passage) -> str:
    """The terms of a passage, apart by blanks."""
    return " ".join(
        [f"{term} {others[0] if others else '!' + term}" for term, _, others in passage]
    )


def _tokens(passages: Sequence[Passage]) -> Iterable[tantivy.Token]:
    start = 0
    for found in passages:
        for at, (term, _, others) in enumerate(found, start):
            own = others[0] if others and others[0][0] == "=" else f"!{term}"
            more = [other for other in others if other[0] != "="]
            for each in (term, *more):
                yield tantivy.Token(each, SLOTS * at, 0, 0)
            for each in (own, *(f"+{other}" for other in more)):
                yield tantivy.Token(each, SLOTS * at + 1, 0, 0)
        start += len(found) + _GAP
