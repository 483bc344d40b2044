"""Feeds bytes that atheris finds to what reads from outside: `python -m tests.fuzz TARGET`.

A target may refuse its input in the ways that it documents; anything else that it raises, or
more than twenty seconds for one input, ends the run with the input in a file. Options of
libFuzzer follow the target, such as `-max_total_time=60`.
"""

from __future__ import annotations

import base64
import io
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["app"]):
    from app import ingest
    from app.api import cursors
    from app.articles.read import CursorKey
    from app.errors import ParameterError, QueryError
    from app.search import query

if TYPE_CHECKING:
    from collections.abc import Callable


def readers(data: bytes) -> None:
    """Every reader yields drafts and rejects and never raises."""
    for format_ in (None, *ingest.FORMATS):
        for _ in ingest.read(
            io.BufferedReader(io.BytesIO(data)), "fuzz", ingest.Options(format=format_)
        ):
            pass


def queries(data: bytes) -> None:
    """A query is refused, or its print is read as the same tree."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        tree = query.parse(text)
    except QueryError:
        return
    if tree is not None and query.parse(str(tree)) != tree:
        raise AssertionError(f"{text!r} is printed as {tree}")


def places(data: bytes) -> None:
    """A cursor is refused or names a place, and what is read before its signature is held too."""
    for cursor in (data.decode("latin-1"), base64.urlsafe_b64encode(data).decode().rstrip("=")):
        cursors.write_of(cursor)
        cursors.asked_s(cursor)
        with suppress(ParameterError):
            cursors.decode(cursor, "fuzz", CursorKey(b"fuzz", erased=0))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "readers": readers,
    "queries": queries,
    "cursors": places,
}

if __name__ == "__main__":
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup([*sys.argv, "-timeout=20"], target)
    atheris.Fuzz()
