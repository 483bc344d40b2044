"""The document under extraction: its fields as passages, and the spans found in them so far.

A passage has the text as stored, and a normalized copy of the same length, so that every offset is
valid in both: line breaks inside a paragraph are spaces, and `truecase` restores the case of
capitals.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.extract.authority import Entry
    from app.extract.base import Field, Text, Type

LONGEST = 4_000
"""Characters that are read at once: longer paragraphs are cut, so that memory is bounded."""

_WRAP = re.compile(r"(?<![\n !?:;”\"])(?<![a-z0-9)]\.)\n(?![\n \t•*-])")
_BREAK = re.compile(r"\n[ \t]*\n\s*|\n(?=[ \t]{2,}|[•*-] )")


@dataclass(slots=True)
class Passage:
    """A field of an article, or a bullet of its summary: `text` as stored, `read` normalized.

    `loud` is whether it is printed in capitals, which do not show what is a name.
    """

    field: Field
    index: int | None
    text: str
    read: str
    loud: bool = False


@dataclass(slots=True)
class Span:
    """Characters of a passage that name something, with their type.

    `name` is the full name, None until it is known; `entry` the entity of the authority file;
    `sure` whether the type is final, so that no vote of other occurrences changes it.
    """

    passage: int
    start: int
    end: int
    type: Type
    name: str | None = None
    entry: Entry | None = None
    sure: bool = False


_CELL = 64
"""Characters of a passage whose spans are looked up together."""


class Reading:
    """An article's passages and spans; steps replace and change the spans.

    Spans are indexed by position, since an article may have thousands and each step looks up each
    of them. So only `move` may change the position of a span. `closed` are passage, start and end
    of what is known to be no name.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = passages
        self.closed: list[tuple[int, int, int]] = []
        self._spans: dict[int, Span] = {}
        self._cells: defaultdict[tuple[int, int], list[Span]] = defaultdict(list)

    @property
    def spans(self) -> tuple[Span, ...]:
        """All spans, in the order in which they were added."""
        return tuple(self._spans.values())

    @spans.setter
    def spans(self, spans: Iterable[Span]) -> None:
        self._spans, self._cells = {}, defaultdict(list)
        self.add(*spans)

    def add(self, *spans: Span) -> None:
        """Add spans."""
        for span in spans:
            self._spans[id(span)] = span
            for cell in _cells(span.passage, span.start, span.end):
                self._cells[cell].append(span)

    def remove(self, *spans: Span) -> None:
        """Remove spans."""
        for span in spans:
            del self._spans[id(span)]
            self._lift(span)

    def replace(self, new: Span) -> None:
        """Replace all spans that overlap `new` by it."""
        self.remove(*self.touching(new.passage, new.start, new.end))
        self.add(new)

    def move(self, span: Span, start: int, end: int) -> None:
        """Change the start and end of a span in its passage."""
        self._lift(span)
        span.start, span.end = start, end
        for cell in _cells(span.passage, start, end):
            self._cells[cell].append(span)

    def _lift(self, span: Span) -> None:
        for cell in _cells(span.passage, span.start, span.end):
            self._cells[cell] = [each for each in self._cells[cell] if each is not span]

    def prose(self) -> Iterator[tuple[int, Passage]]:
        """The passages except the dateline, each with its number."""
        for number, passage in enumerate(self.passages):
            if passage.field != "dateline":
                yield number, passage

    def surface(self, span: Span) -> str:
        """The normalized text of a span, with single spaces."""
        return " ".join(self.passages[span.passage].read[span.start : span.end].split())

    def name(self, span: Span) -> str:
        """The full name of a span, otherwise its surface."""
        return span.name or self.surface(span)

    def in_order(self) -> list[Span]:
        """The spans in the order of their positions."""
        return sorted(self.spans, key=lambda span: (span.passage, span.start))

    def touching(self, passage: int, start: int, end: int) -> list[Span]:
        """The spans that overlap these characters."""
        found = {
            id(span): span
            for cell in _cells(passage, start, end)
            for span in self._cells.get(cell, ())
            if span.start < end and start < span.end
        }
        return [*found.values()]

    def free(self, passage: int, start: int, end: int) -> bool:
        """Whether no span overlaps these characters."""
        return not self.touching(passage, start, end)

    def before(self, span: Span) -> str:
        """The word right before a span; empty after punctuation."""
        return last_word(self.passages[span.passage].read, span.start)

    def after(self, span: Span) -> str:
        """The word right after a span; empty before punctuation."""
        return next_word(self.passages[span.passage].read, span.end)


def _cells(passage: int, start: int, end: int) -> Iterator[tuple[int, int]]:
    for number in range(start // _CELL, max(start, end - 1) // _CELL + 1):
        yield passage, number


_LAST = re.compile(r"([\w.’'-]*\w\.?)[ \t]+$")
_NEXT = re.compile(r"[ \t]+(\w[\w.’'-]*)")
_REACH = 40


def last_word(text: str, end: int) -> str:
    """The word right before `end`; empty after punctuation."""
    found = _LAST.search(text[max(end - _REACH, 0) : end])
    return found.group(1) if found else ""


def next_word(text: str, start: int) -> str:
    """The word right after `start`; empty before punctuation."""
    found = _NEXT.match(text, start)
    return found.group(1) if found else ""


def reading(text: Text) -> Reading:
    """The passages of an article, in the order of its fields."""
    parts: list[tuple[Field, int | None, str | None]] = [("headline", None, text.headline)]
    parts += [("summary", index, bullet) for index, bullet in enumerate(text.summary)]
    parts += [("caption", None, text.caption), ("dateline", None, text.dateline)]
    parts += [("body", None, text.body)]
    return Reading([Passage(name, at, each, _unwrapped(each)) for name, at, each in parts if each])


def _unwrapped(text: str) -> str:
    """`text` with the line breaks inside its sentences as spaces, of the same length."""
    read = _WRAP.sub(" ", text) if "\n" in text else text
    return read.replace("\t", " ").replace("\xa0", " ")


def chunks(read: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of a passage with their offsets, none longer than LONGEST."""
    start = 0
    for end, after in [*((m.start(), m.end()) for m in _BREAK.finditer(read)), (len(read),) * 2]:
        while end - start > LONGEST:
            cut = read.rfind(" ", start + 1, start + LONGEST)
            cut = cut if cut > start else start + LONGEST
            yield start, read[start:cut]
            start = cut
        if read[start:end].strip():
            yield start, read[start:end]
        start = after
