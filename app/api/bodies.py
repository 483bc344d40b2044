"""The articles of a request's body, read while it comes, in pieces of any size.

In: pieces of JSON Lines, of JSON or of a page. Out: a Draft or a Reject for each article, as soon
as its end has come. No more is held than one article may be large. The event loop is not known
here: reading takes its time.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import orjson

from app import ingest
from app.ingest import json_lines, page_text
from app.ingest.draft import Draft, Reject

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "http"
"""The name under which uploads stand in an article's `sources`."""


class Reader(Protocol):
    """Reads a body that is handed to it in pieces of any size."""

    @property
    def held_bytes(self) -> int:
        """What is held of the body until more has come."""
        ...

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """What ends in the next piece."""
        ...

    def end(self) -> list[Draft | Reject]:
        """What the end of the body ends."""
        ...


class _Cut:
    """The part of a body up to the next cut; what is longer than a line may be is not held."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held = bytearray()
        self.too_long = False

    def __len__(self) -> int:
        return len(self._held)

    def add(self, data: bytes) -> None:
        if not self.too_long and len(self._held) + len(data) <= self._limit_bytes:
            self._held += data
        else:
            self.too_long = True
            self._held.clear()

    def peek(self) -> bytes:
        """What is held."""
        return bytes(self._held)

    def take(self) -> bytes | None:
        """All of it, None where it was too long; then begin anew."""
        found = None if self.too_long else bytes(self._held)
        self._held.clear()
        self.too_long = False
        return found


class Lines:
    """JSON Lines: an article a line."""

    def __init__(self) -> None:
        self._cut = _Cut(json_lines.LIMIT_BYTES + 1)  # a CR belongs to no line
        self._number = 0

    @property
    def held_bytes(self) -> int:
        """What is held of a line whose end has not come."""
        return len(self._cut)

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """The articles whose lines end in the next piece."""
        found: list[Draft | Reject] = []
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._cut.add(data[start:end])
            found += self._line()
            start = end + 1
        self._cut.add(data[start:])
        return found

    def end(self) -> list[Draft | Reject]:
        """The article of a last line without an end."""
        return self._line() if len(self._cut) or self._cut.too_long else []

    def _line(self) -> list[Draft | Reject]:
        self._number += 1
        line = self._cut.take()
        return json_lines.line(line, PATH, self._number)


_OUTSIDE = re.compile(rb'["\[\]{},]')
_INSIDE = re.compile(rb'["\\]')


class Elements:
    """JSON: the elements of an array, or the one value that a body is.

    Brackets, commas and quotes are all that is looked at to tell where an element ends; what is
    between is JSON or the element's own mistake, so that a bad one costs no other.
    """

    def __init__(self) -> None:
        self._cut = _Cut(json_lines.LIMIT_BYTES)
        self._number = 0
        self._begun = self._array = self._closed = False
        self._depth = 0
        self._string = self._escaped = False
        self._after = False  # something stands behind the array

    @property
    def held_bytes(self) -> int:
        """What is held of an element whose end has not come."""
        return len(self._cut)

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """The articles whose elements end in the next piece."""
        if not self._begun:
            data = data.lstrip(b" \t\r\n")
            if not data:
                return []
            self._begun, self._array = True, data.startswith(b"[")
            data = data[1:] if self._array else data
        if not self._array:
            self._cut.add(data)
            return []
        return list(self._elements(data))

    def _elements(self, data: bytes) -> Iterator[Draft | Reject]:
        start = at = 0
        while not self._closed and (found := self._mark(data, at)):
            at = found.end()
            if self._ends_element(found.group()):
                self._cut.add(data[start : found.start()])
                start = at
                if self._number or not self._closed or not self._is_blank():
                    yield self._element()
        if not self._closed:
            self._cut.add(data[start:])
        elif data[start:].strip():
            self._after = True

    def _ends_element(self, mark: bytes) -> bool:
        """Go past a mark; whether it stands behind an element."""
        if self._string:
            self._string = mark != b'"'
            self._escaped = mark == b"\\"
        elif mark == b'"':
            self._string = True
        elif mark in b"[{":
            self._depth += 1
        elif mark in b"]}" and self._depth:
            self._depth -= 1
        elif not self._depth:
            self._closed = mark == b"]"
            return mark != b"}"
        return False

    def _mark(self, data: bytes, at: int) -> re.Match[bytes] | None:
        """What changes where the reader is, from `at` on."""
        if self._escaped and at < len(data):
            self._escaped = False
            at += 1
        return (_INSIDE if self._string else _OUTSIDE).search(data, at)

    def _is_blank(self) -> bool:
        return not self._cut.too_long and not self._cut.peek().strip()

    def end(self) -> list[Draft | Reject]:
        """The article of a body that is no array; what is wrong with one that is."""
        if not self._begun:
            return [Reject(PATH, 1, "not JSON: the body is empty")]
        if not self._array:
            return [self._element()]
        if self._after:
            return [Reject(PATH, self._number + 1, "not JSON: more stands behind the array")]
        if self._closed:
            return []
        return [Reject(PATH, self._number + 1, "not JSON: the array does not end")]

    def _element(self) -> Draft | Reject:
        self._number += 1
        data = self._cut.take()
        if data is None:
            return json_lines.too_long(PATH, self._number)
        # What cannot be read, its reader tells of; and JSON is written less deep than it is read.
        with suppress(orjson.JSONDecodeError, orjson.JSONEncodeError):
            data = orjson.dumps(orjson.loads(data))
        return json_lines.parse(data, PATH, self._number)


class Page:
    """The text of a news page, which is read as a whole."""

    def __init__(self) -> None:
        self._body = bytearray()

    @property
    def held_bytes(self) -> int:
        """What is held of the page."""
        return len(self._body)

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """Nothing: a page ends with its body."""
        room = page_text.LIMIT_BYTES + 1 - len(self._body)
        self._body += data[:room]
        return []

    def end(self) -> list[Draft | Reject]:
        """The articles of the page."""
        stream = io.BufferedReader(io.BytesIO(bytes(self._body)))
        return list(ingest.read(stream, PATH, format=page_text.NAME))  # type: ignore[arg-type]
