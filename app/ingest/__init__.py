"""Raw input to drafts: finds out the format, hands over to its reader.

In: a stream of bytes with the name of where they come from. Out: for each article in it a
`Draft`, for each that is none a `Reject` with the reason, in the order of the input. What
the input holds never raises. A reader is a module of this package and a row of READERS.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app.ingest import json_lines, page_text
from app.ingest.draft import Draft, Origin, Precision, Reject

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Iterator

__all__ = ["FORMATS", "READERS", "Draft", "Origin", "Precision", "Reject", "read"]

READERS: dict[str, Callable[[io.BufferedReader, str], Iterator[Draft | Reject]]] = {
    page_text.NAME: page_text.read,
    json_lines.NAME: json_lines.read,
}
"""The reader of each format, by the format's name."""

FORMATS = tuple(READERS)
"""The names of the formats, for a list of choices."""

_BY_SUFFIX = ((".jsonl", json_lines.NAME), (".ndjson", json_lines.NAME))
_BY_START = ((re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*["}]'), json_lines.NAME),)
_START_BYTES = 1024


def read(
    stream: io.BufferedReader,
    path: str,
    *,
    format: str | None = None,  # noqa: A002
) -> Iterator[Draft | Reject]:
    """The articles in `stream`, and what of it was rejected and why.

    `path` names the input in what comes out, and its suffix tells the format; where that is
    silent the first bytes do, and what nothing tells is page text. Raises ValueError for a
    `format` that no reader knows, and the OSErrors of `stream`.
    """
    if format is None:
        format = _sniff(stream, path)  # noqa: A001
    if format not in READERS:
        raise ValueError(f"unknown format {format!r}; known are: {', '.join(FORMATS)}")
    return READERS[format](stream, path)


def _sniff(stream: io.BufferedReader, path: str) -> str:
    for suffix, name in _BY_SUFFIX:
        if path.lower().endswith(suffix):
            return name
    start = stream.peek(_START_BYTES)[:_START_BYTES]
    return next((name for form, name in _BY_START if form.match(start)), page_text.NAME)
