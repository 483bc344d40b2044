"""Raw input to drafts: finds out the format, hands over to its reader.

In: a stream of bytes, or pieces of one, with the name of the input. Out: a `Draft` for each
article, a `Reject` with the reason for everything else, in the order of the input. No content of an
input raises. A reader is a module of this package and an entry of READERS, for files and bodies of
requests alike.
"""

from __future__ import annotations

import io
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from app.ingest import archives, page_text, records, sniffing
from app.ingest.draft import Draft as Draft
from app.ingest.draft import NoText
from app.ingest.draft import Reject as Reject
from app.ingest.options import Options as Options
from app.ingest.sniffing import NoNews


class Reader(Protocol):
    """An incremental reader, which takes an input in pieces of any size."""

    @property
    def held_bytes(self) -> int:
        """The size of the input that is buffered until more has come."""
        ...

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """The articles and rejects that are complete with the next piece."""
        ...

    def end(self) -> list[Draft | Reject]:
        """The articles and rejects that are complete at the end of the input."""
        ...


READERS: dict[str, Callable[[str, Options], Reader]] = {
    page_text.NAME: page_text.Page,
    records.JsonLines.NAME: records.JsonLines,
    records.Json.NAME: records.Json,
    records.Csv.NAME: records.Csv,
}
"""The reader of each format, by the format's name."""

FORMATS = tuple(READERS)
"""The names of the formats, for a list of choices."""

LABELS = {"page_text": "page text", "json_lines": "JSON Lines", "json": "JSON", "csv": "CSV"}
"""The names of the formats in a sentence."""

_PIECE_BYTES = 128 * 1024
_HELD_BACK = 1_000  # rejects without a text that are kept whole; of others, only the line number


class Unread:
    """A reader that detects the format from the first bytes, then uses that format's reader."""

    def __init__(self, path: str, options: Options) -> None:
        if options.format is not None and options.format not in READERS:
            known = ", ".join(FORMATS)
            raise ValueError(f"unknown format {options.format!r}; known are: {known}")
        self._path = path
        self._options = options
        self._start = bytearray()
        self._reader: Reader | None = None
        self._reject: Reject | None = None
        self.format: str | None = None
        """The name of the format, once it is known."""
        if options.format is not None:
            self._open(options.format)

    @property
    def held_bytes(self) -> int:
        """The size of the input that is buffered until more has come."""
        return len(self._start) + (self._reader.held_bytes if self._reader else 0)

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """The articles and rejects that are complete with the next piece."""
        if self._reader is not None:
            return self._reader.feed(data)
        if self._reject is None:
            self._start += data
            if len(self._start) >= sniffing.START_BYTES:
                return self._begin()
        return []

    def end(self) -> list[Draft | Reject]:
        """The articles and rejects that are complete at the end of the input."""
        found = self._begin() if self._reader is None and self._reject is None else []
        if self._reader is None:
            return [self._reject] if self._reject else []
        return [*found, *self._reader.end()]

    def _begin(self) -> list[Draft | Reject]:
        start = bytes(self._start)
        self._start.clear()
        options = self._options
        try:
            name = archives.unpacked_name(self._path)
            format_ = sniffing.sniff(start, name, options.columns.values(), options.encoding)
        except NoNews as error:
            self._reject = Reject(self._path, None, str(error))
            return []
        return self._open(format_).feed(start)

    def _open(self, format_: str) -> Reader:
        self.format = format_
        self._reader = READERS[format_](self._path, self._options)
        return self._reader


def read(
    stream: io.BufferedReader[Any],
    path: str,
    options: Options = Options(),  # noqa: B008 - frozen
    *,
    formats: Counter[str] | None = None,
) -> Iterator[Draft | Reject]:
    """The articles in `stream`, and what of it was rejected and why.

    `path` is the name of the input. Archives are unpacked. The format of each file is detected from
    its name and first bytes, and is page text by default. `formats` counts the inputs by format.
    Raises ValueError for an unknown format, and the OSErrors of `stream`.
    """
    Unread(path, options)  # for the error, before anything is read
    return _read(stream, path, options, Counter() if formats is None else formats)


def _read(
    stream: io.BufferedReader[Any], path: str, options: Options, formats: Counter[str]
) -> Iterator[Draft | Reject]:
    for found in archives.streams(stream, path):
        if isinstance(found, Reject):
            yield found
        else:
            inner, name = found
            yield from _once(_drafts(inner, name, options, formats))


def _drafts(
    stream: io.BufferedReader[Any], path: str, options: Options, formats: Counter[str]
) -> Iterator[Draft | Reject]:
    reader = Unread(path, options)
    damage = None
    try:
        while data := stream.read(_PIECE_BYTES):
            yield from reader.feed(data)
    except archives.Damaged as error:
        damage = Reject(path, None, str(error))
    yield from reader.end()
    if damage is not None:
        yield damage
    if reader.format is not None:
        formats[reader.format] += 1


def _once(found: Iterable[Draft | Reject]) -> Iterator[Draft | Reject]:
    """The same, but with a single Reject if no record of the input has a text."""
    held: list[NoText] = []
    more = array("q")
    found = iter(found)
    for each in found:
        if isinstance(each, NoText):
            if len(held) < _HELD_BACK:
                held.append(each)
            else:
                more.append(each.line or 0)
            continue
        break
    else:
        if held:
            yield _without_text(held[0], len(held) + len(more))
        return
    yield from held
    yield from (replace(held[0], line=line or None, names=()) for line in more)
    yield each
    yield from found


def _without_text(first: NoText, count: int) -> Reject:
    records = "1 record" if count == 1 else f"{count:,} records"
    fields = ", ".join(first.names) or "none"
    advice = "tell which they are by --map headline=FIELD --map body=FIELD"
    reason = f"no headline and no text in {records}; fields: {fields}; {advice}"
    return Reject(first.path, None, reason)
