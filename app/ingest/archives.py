"""Packed inputs: the streams in a file, unpacked while they are read.

gzip, bzip2, xz and Zstandard are decompressed; of zip and tar archives each file is read, in order,
nested archives included. The packing is detected from the first bytes, not from the name. Data that
expands to more than 100 times its size (beyond the first 64 MiB), has more than 100,000 files, or
is packed more than three times over, is rejected from there on. Names inside are labels only:
nothing is ever opened by them. Files that systems add (`__MACOSX`, names that begin with a dot) are
skipped.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import Any, cast

from app.ingest.draft import Reject

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_FREE_BYTES = 64 * 2**20
_RATIO = 100
_FILES = 100_000
_DEEPEST = 3
_PIECE_BYTES = 64 * 1024
_XZ_MEMORY_BYTES = 256 * 2**20
_IN_MEMORY_BYTES = 8 * 2**20
_TAR_AT = 257  # offset of the magic bytes of a tar archive
_LONGEST_NAME = 300

_OFFICE = (
    ("word/", "a DOCX document: save its text as .txt"),
    ("xl/", "an Excel workbook: save the sheet as CSV"),
    ("ppt/", "a PowerPoint file: save its text as .txt"),
)
_PACKAGES = {
    b"application/epub+zip": "an EPUB book: save its text as .txt",
    b"application/vnd.oasis.opendocument.text": "an ODT document: save its text as .txt",
    b"application/vnd.oasis.opendocument.spreadsheet": "an ODS workbook: save the sheet as CSV",
}


class Damaged(Exception):
    """Packed data is damaged or exceeds a limit; the message says which."""


_ERRORS = (
    *(zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError, gzip.BadGzipFile, zipfile.BadZipFile),
    *(tarfile.TarError, NotImplementedError, UnicodeDecodeError),
)


@dataclass(slots=True)
class _Budget:
    """What was read from a file so far, against the limits; exceeding one raises Damaged."""

    packed_bytes: int = 0
    expanded_bytes: int = 0
    files: int = 0

    def expand(self, size_bytes: int) -> None:
        self.expanded_bytes += size_bytes
        if self.expanded_bytes > max(_FREE_BYTES, _RATIO * self.packed_bytes):
            raise Damaged(f"expands to more than {_RATIO} times its size")

    def open(self) -> None:
        self.files += 1
        if self.files > _FILES:
            raise Damaged(f"holds more than {_FILES:,} files")


class _Counted(io.RawIOBase):
    """A stream whose bytes are counted as packed ones."""

    def __init__(self, stream: Any, budget: _Budget) -> None:
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self._stream.seekable())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._stream.seek(offset, whence))

    def tell(self) -> int:
        return int(self._stream.tell())

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self._stream.read(len(view))
        view[: len(found)] = found
        self._budget.packed_bytes += len(found)
        return len(found)


class _Expanded(io.RawIOBase):
    """The content of packed data as a stream, within the budget."""

    def __init__(self, read: Callable[[int], bytes], budget: _Budget) -> None:
        self._read = read
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        try:
            found = self._read(len(view))
        except _ERRORS as error:
            raise Damaged(f"is damaged: {error}") from error
        self._budget.expand(len(found))
        view[: len(found)] = found
        return len(found)


def _decompressed(stream: io.BufferedReader[Any], new: Callable[[], Any]) -> Callable[[int], bytes]:
    """A function that reads the content of `stream`, which may have several members in a row."""
    packed = new()

    def read(size: int) -> bytes:
        nonlocal packed
        while True:
            if packed.eof:
                rest = packed.unused_data or stream.read(_PIECE_BYTES)
                if not rest.strip(b"\0"):
                    return b""
                packed = new()
            elif packed.needs_input:
                rest = stream.read(_PIECE_BYTES)
                if not rest:
                    raise EOFError("it ends early")
            else:
                rest = b""
            if found := packed.decompress(rest, size):
                return cast("bytes", found)

    return read


_PACKED: tuple[tuple[bytes, Callable[[io.BufferedReader[Any]], Callable[[int], bytes]]], ...] = (
    (b"\x1f\x8b", lambda stream: gzip.GzipFile(fileobj=stream).read),
    (b"BZh", lambda stream: _decompressed(stream, bz2.BZ2Decompressor)),
    (
        b"\xfd7zXZ\0",
        lambda stream: _decompressed(
            stream, partial(lzma.LZMADecompressor, memlimit=_XZ_MEMORY_BYTES)
        ),
    ),
    (b"\x28\xb5\x2f\xfd", lambda stream: _decompressed(stream, zstd.ZstdDecompressor)),
)
_SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".tgz")


def streams(
    stream: io.BufferedReader[Any], path: str
) -> Iterator[tuple[io.BufferedReader[Any], str] | Reject]:
    """The streams in `stream` with their names; a stream that is not packed is the only one.

    Each must be read before the next is requested. An OSError of `stream` is raised.
    """
    budget = _Budget()
    start = stream.peek(_TAR_AT + 8)
    if not _is_packed(start):
        yield stream, path
        return
    counted = io.BufferedReader(_Counted(stream, budget))
    yield from _unpacked(counted, path, budget, 0)


def _is_packed(start: bytes) -> bool:
    return (
        start.startswith((b"PK\x03\x04", b"PK\x05\x06"))
        or any(start.startswith(magic) for magic, _ in _PACKED)
        or start[_TAR_AT : _TAR_AT + 5] == b"ustar"
    )


def _unpacked(
    stream: io.BufferedReader[Any], path: str, budget: _Budget, depth: int
) -> Iterator[tuple[io.BufferedReader[Any], str] | Reject]:
    try:
        start = stream.peek(_TAR_AT + 8)
        if not _is_packed(start):
            yield stream, path
        elif depth >= _DEEPEST:
            yield Reject(path, None, f"is packed more than {_DEEPEST} times over")
        elif start.startswith(b"PK"):
            yield from _zipped(stream, path, budget, depth)
        elif start[_TAR_AT : _TAR_AT + 5] == b"ustar":
            yield from _taped(stream, path, budget, depth)
        else:
            opened = next(new for magic, new in _PACKED if start.startswith(magic))
            inner = io.BufferedReader(_Expanded(opened(stream), budget), _PIECE_BYTES)
            yield from _unpacked(inner, path, budget, depth + 1)
    except Damaged as error:
        yield Reject(path, None, str(error))
    except _ERRORS as error:
        yield Reject(path, None, f"is damaged: {error}")


def _zipped(
    stream: io.BufferedReader[Any], path: str, budget: _Budget, depth: int
) -> Iterator[tuple[io.BufferedReader[Any], str] | Reject]:
    """The files of a zip archive; one that is not seekable is first copied to a temporary file."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as copy:
        source: Any = stream
        if not stream.seekable():
            while piece := stream.read(_PIECE_BYTES):
                copy.write(piece)
            copy.seek(0)
            source = copy
        elif depth == 0:
            budget.packed_bytes = stream.seek(0, io.SEEK_END)
        with zipfile.ZipFile(source) as archive:
            infos = archive.infolist()
            if what := _package(archive):
                yield Reject(path, None, f"{what}, not text")
                return
            for info in infos:
                budget.open()
                if info.is_dir() or _is_left_over(info.filename):
                    continue
                inside = _inside(path, info.filename)
                if info.flag_bits & 1:
                    yield Reject(inside, None, "is encrypted")
                    continue
                with archive.open(info) as member:
                    inner = io.BufferedReader(_Expanded(member.read, budget), _PIECE_BYTES)
                    yield from _unpacked(inner, inside, budget, depth + 1)


def _package(archive: zipfile.ZipFile) -> str | None:
    """The kind of document that a zip archive is; None for an ordinary archive."""
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        for folder, what in _OFFICE:
            if any(name.startswith(folder) for name in names):
                return what
    if names and names[0] == "mimetype":
        with archive.open(names[0]) as member:
            return _PACKAGES.get(member.read(100).strip())
    return None


def _taped(
    stream: io.BufferedReader[Any], path: str, budget: _Budget, depth: int
) -> Iterator[tuple[io.BufferedReader[Any], str] | Reject]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            budget.open()
            archive.members = []  # type: ignore[attr-defined] # which would grow with it
            if not info.isfile() or _is_left_over(info.name):
                continue
            member = archive.extractfile(info)
            if member is not None:
                inner = io.BufferedReader(_Expanded(member.read, _Budget(2**62)), _PIECE_BYTES)
                yield from _unpacked(inner, _inside(path, info.name), budget, depth + 1)


def _is_left_over(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return (
        not parts
        or any(
            part == "__MACOSX" or (part.startswith(".") and part not in {".", ".."})
            for part in parts
        )
        or parts[-1] in {"Thumbs.db", "desktop.ini"}
    )


def _inside(path: str, name: str) -> str:
    """A label for a file in an archive, without `..` or a root."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    kept = "/".join(part for part in parts if part not in {"/", "..", "."})
    printable = "".join(char if char.isprintable() else "?" for char in kept)
    return f"{path}/{printable[-_LONGEST_NAME:]}"


def unpacked_name(path: str) -> str:
    """`path` without suffixes of packing, for detecting the format."""
    while path.lower().endswith(_SUFFIXES):
        path = path[: path.rfind(".")]
    return path
