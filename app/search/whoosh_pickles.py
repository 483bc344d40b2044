"""What Whoosh pickled into its files, read as data: no file of an index can run code.

Whoosh keeps its list of segments, tables' headers and blocks of postings as pickles. They
hold numbers, text, bytes, containers of these, and segments. A pickle that names anything
else is damage, whoever wrote it.
"""

from __future__ import annotations

import pickle
from io import BufferedReader, BytesIO
from typing import IO, Any

from whoosh.filedb.structfile import StructFile

_NAMED = frozenset(
    {
        ("app.search.whoosh_format", "Codec"),
        ("builtins", "int"),
        ("collections", "defaultdict"),
        ("whoosh.codec.whoosh3", "W3Segment"),
    }
)
"""What the pickles of an index name, by module."""


_BUFFER_BYTES = 8192


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in an index")
        return super().find_class(module, name)


def load(stream: IO[bytes]) -> Any:
    """The next pickle of `stream`, which is left behind it; raises UnpicklingError."""
    return _Unpickler(stream).load()


def loads(data: bytes) -> Any:
    """What `data` is a pickle of; raises UnpicklingError."""
    return _Unpickler(stream_of(data)).load()


def stream_of(data: bytes) -> BufferedReader:
    """`data` as a stream that can be peeked into: pickles of another take six times as long."""
    return BufferedReader(BytesIO(data), _BUFFER_BYTES)


class File(StructFile):  # type: ignore[misc]
    """A file of an index."""

    def read_pickle(self) -> Any:
        """The next pickle, as data."""
        return load(self.file)
