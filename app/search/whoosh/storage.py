"""The files of a Whoosh index: opened and closed together, their pickles restricted to data.

Whoosh pickles its list of segments, table headers and blocks of postings: numbers, text, bytes,
containers of these, and segments. A pickle that names any other class is damage: no file of
an index can run code.
"""

from __future__ import annotations

import pickle
import struct
import zlib
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from whoosh.codec.base import OutOfOrderError
from whoosh.filedb.filestore import FileStorage, StorageError
from whoosh.filedb.filetables import FileFormatError
from whoosh.filedb.structfile import StructFile
from whoosh.index import IndexError as WhooshIndexError
from whoosh.reading import ReaderClosed, TermNotFound
from whoosh.writing import IndexingError

_NAMED = frozenset(
    {
        ("app.search.whoosh.schema", "Codec"),
        ("builtins", "int"),
        ("collections", "defaultdict"),
        ("whoosh.codec.whoosh3", "W3Segment"),
    }
)
"""The classes that pickles of an index may name, with their modules."""
_BUFFER_BYTES = 8192

UNREADABLE = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError),
    *(RuntimeError, TypeError, ValueError, pickle.PickleError, struct.error, zlib.error),
    *(FileFormatError, WhooshIndexError, IndexingError, OutOfOrderError, ReaderClosed),
    *(StorageError, TermNotFound),
)
"""The exceptions that Whoosh and our readers raise for damaged files.

A bug may raise one of them too: only checksums tell damage from a bug.
"""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in an index")
        return super().find_class(module, name)


def load(stream: IO[bytes]) -> Any:
    """The next pickle of `stream`, which is then after it; raises UnpicklingError."""
    return _Unpickler(stream).load()


def loads(data: bytes) -> Any:
    """The object pickled in `data`; raises UnpicklingError."""
    return _Unpickler(stream_of(data)).load()


def stream_of(data: bytes) -> BufferedReader:
    """`data` as a stream with `peek`: unpickling from one without it takes six times as long."""
    return BufferedReader(BytesIO(data), _BUFFER_BYTES)


class File(StructFile):  # type: ignore[misc]
    """A file of an index."""

    def read_pickle(self) -> Any:
        """The next pickle, restricted to data."""
        return load(self.file)


class Storage(FileStorage):  # type: ignore[misc]
    """Files of one directory, all closed together: Whoosh leaves some open when it fails."""

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory))
        self._opened: list[Any] = []

    def open_file(self, name: str, **options: Any) -> Any:
        """Like Whoosh's own, with restricted pickles; `close_files` closes it."""
        stream = Path(self.folder, name).open("rb")  # noqa: SIM115 (closed with the file)
        return self._tracked(File(stream, name=name, **options))

    def create_file(self, name: str, *options: Any, **more: Any) -> Any:
        """Like Whoosh's own; `close_files` closes it."""
        return self._tracked(super().create_file(name, *options, **more))

    def temp_storage(self, name: str | None = None) -> Storage:
        """A folder below this one, whose files `close_files` closes too."""
        inner = Storage(Path(self.folder) / (name or f"{uuid4().hex}.tmp"))
        inner._opened = self._opened
        inner.create()
        return inner

    def _tracked(self, file: Any) -> Any:
        self._opened.append(file)
        return file

    def list(self) -> list[str]:
        """The names of the files; Whoosh's own takes an unreadable folder for an empty one."""
        try:
            return [path.name for path in Path(self.folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def close_files(self) -> None:
        """Close every open file, then raise the first error, such as a full disk."""
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
