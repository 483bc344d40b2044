"""The stamp: which directory is the index in use, and which files were committed to it.

The engine's folder in, what `whoosh.json` in it says out, with the sizes and checksums of all
files of the index, so that one that is lost, cut short or of other bytes is noticed: the files
of an index never change once they are written. It is replaced in one step, and ends with a
checksum of its own. A file NEXT in the index is the stamp that the newest commit will have,
written before it counts, so that checksums vouch for every generation. Beside the stamp
`damaged.json` says which directory was proved damaged, and how. No index is opened here, and
Whoosh is not known.
"""

from __future__ import annotations

import os
import re
import time
import uuid
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.errors import EngineError, IndexDamaged, IndexMissing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NAME_FILE = "NAME"
"""A file of each index that holds its directory's name: the files of another one are not it."""

PROOF_S = 60.0
"""Seconds that a proof of a file holds, when an error asks for another and nothing touched it."""
_NEXT = "NEXT"
_OWN_SUM = re.compile(rb'(.*),"checksum":(\d+)\}\s*', re.DOTALL)
_CHUNK_BYTES = 1 << 20
_PROVED_KEPT = 4096

Look = tuple[int, int, int]
"""What tells that a file may have changed, without reading it: its instant, size and inode."""

Signature = tuple[int, int]
"""Differs whenever a stamp has been written."""


class Contents(BaseModel):
    """The stamp as it stands in whoosh.json; `files` are the sizes of all index files.

    Stamps of older versions have no `checksums` (CRC-32).
    """

    model_config = ConfigDict(frozen=True)

    directory: Annotated[str, Field(pattern="^whoosh-[0-9a-z]+$")]
    store_id: uuid.UUID
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: int
    files: dict[str, int]
    checksums: dict[str, int] = Field(default_factory=dict)


class _Mark(BaseModel):
    """What damaged.json holds: damage that the sizes of files do not show."""

    directory: str
    reason: str


class StampFile:
    """The stamp in `folder`, read anew each time."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._path = folder / name
        self._mark_path = folder / "damaged.json"
        # Checksums of files as they look, and when they were read.
        self._proved: dict[Path, tuple[Look, int, float]] = {}

    def read(self) -> Contents:
        """What the stamp says; IndexMissing without one, IndexDamaged if its checksum is wrong."""
        try:
            return _read(self._path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IndexMissing(str(self.folder)) from error
        except IsADirectoryError as error:
            raise IndexDamaged(str(self._path), "unreadable stamp: a directory") from error
        except OSError as error:  # too many open files, say: that is no damage
            raise EngineError(str(self._path), error.strerror or str(error)) from error

    def signature(self) -> Signature:
        """What tells this stamp from one before or after it, without reading it."""
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IndexMissing(str(self.folder)) from error
        except OSError as error:
            raise EngineError(str(self._path), error.strerror or str(error)) from error
        return status.st_mtime_ns, status.st_ino

    def write(self, contents: Contents) -> None:
        """Replace the stamp in one step; a NEXT has done its work then."""
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(_encoded(contents))
            self._replace_by(part)
            (self.folder / contents.directory / _NEXT).unlink(missing_ok=True)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    def take_over(self, other: StampFile) -> None:
        """Make `other` this stamp, in one step; damage of the index before is forgotten."""
        self._replace_by(other._path)
        self._mark_path.unlink(missing_ok=True)

    def _replace_by(self, path: Path) -> None:
        """Put `path` in the stamp's place, younger than it by the clock's leave or without.

        Inodes are used again. With a clock that was set back, or one that is coarse, the same
        signature could come twice, and searches would take an old index for the present one.
        """
        with suppress(FileNotFoundError):
            before_ns = self._path.stat().st_mtime_ns
            if path.stat().st_mtime_ns <= before_ns:
                os.utime(path, ns=(before_ns + 1, before_ns + 1))
        path.replace(self._path)

    def set_aside(self) -> None:
        """Keep a stamp that cannot be read under another name."""
        self._path.rename(self._path.with_name("damaged-whoosh.json"))

    # --- the files of an index

    def announce(
        self,
        directory: Path,
        stamp: Contents,
        generation: int,
        *,
        prefixes: tuple[str, ...],
        toc: tuple[str, bytes],
    ) -> None:
        """Vouch for a generation before it is committed, in its NEXT.

        Its files are those there with these `prefixes`, and `toc`, which commits it.
        """
        kept = {name for name in sizes(directory) if name.startswith((NAME_FILE, *prefixes))}
        found = self.with_files(stamp, directory, generation, only=kept)
        name, data = toc
        files = {**found.files, name: len(data)}
        checksums = {**found.checksums, name: zlib.crc32(data)}
        found = found.model_copy(update={"files": files, "checksums": checksums})
        part = directory / f"{_NEXT}.part"
        part.write_bytes(_encoded(found))
        part.replace(directory / _NEXT)

    def vouching(self, directory: Path, stamp: Contents, generation: int) -> Contents | None:
        """What lists the files of a generation: the stamp, or the NEXT of one after it.

        None where nothing does: a power cut took it.
        """
        if generation <= stamp.generation:
            return stamp
        try:
            announced = _read(directory / _NEXT)
        except (FileNotFoundError, IndexDamaged):
            return None
        return announced if announced.generation == generation else None

    def bad_file(self, directory: Path, stamp: Contents, *, anew: bool = False) -> str:
        """What is wrong with the files that the stamp lists; empty when nothing is.

        A file is read once, and again only when it looks as if it had been touched, or to
        prove it `anew`, PROOF_S later.
        """
        for name, size in stamp.files.items():
            try:
                status = (directory / name).stat()
                if status.st_size != size:
                    return f"{name} has {status.st_size} bytes, not {size}"
                wanted = stamp.checksums.get(name)
                if wanted is not None and self._sum(directory / name, anew=anew) != wanted:
                    return f"{name} holds other bytes than were written"
            except (FileNotFoundError, NotADirectoryError):
                return f"{name} is missing"
            except OSError as error:
                raise EngineError(str(directory / name), error.strerror or str(error)) from error
        return ""

    def with_files(
        self, stamp: Contents, directory: Path, generation: int, *, only: set[str] | None = None
    ) -> Contents:
        """`stamp` with the files that are there now; what it lists already is not read again."""
        files = sizes(directory)
        files = {name: files[name] for name in files if only is None or name in only}
        known = {
            name: checksum
            for name, checksum in stamp.checksums.items()
            if files.get(name) == stamp.files.get(name)
        }
        checksums = {
            name: known[name] if name in known else self._sum(directory / name) for name in files
        }
        return stamp.model_copy(
            update={"files": files, "checksums": checksums, "generation": generation}
        )

    def _sum(self, path: Path, *, anew: bool = False) -> int:
        look = _look(str(path))
        proved, now = self._proved.get(path), time.monotonic()
        if proved is not None and proved[0] == look and not (anew and now - proved[2] > PROOF_S):
            return proved[1]
        found = 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found = zlib.crc32(chunk, found)
        if len(self._proved) >= _PROVED_KEPT:  # most are of files that are gone
            self._proved.clear()
        self._proved[path] = (look, found, now)
        return found

    # --- damage that was proved

    def mark_damaged(self, error: IndexDamaged) -> None:
        """Remember what was proved, as far as that can be written."""
        with suppress(OSError, EngineError):
            mark = _Mark(directory=self.read().directory, reason=error.reason)
            self._mark_path.write_text(mark.model_dump_json())

    def raise_marked(self) -> None:
        """Raise IndexDamaged if a search, in this or another process, found the index so."""
        with suppress(OSError, ValueError):
            mark = _Mark.model_validate_json(self._mark_path.read_bytes())
            if mark.directory == self.read().directory:
                raise IndexDamaged(mark.directory, mark.reason)


def sizes(directory: Path) -> dict[str, int]:
    """The sizes of all files of an index, in bytes."""
    return {
        path.name: path.stat().st_size
        for path in directory.iterdir()
        if path.is_file() and path.name != "MAIN_WRITELOCK" and not path.name.startswith(_NEXT)
    }


def _encoded(contents: Contents) -> bytes:
    """A stamp as it is written, with the checksum of all before it as its last member."""
    plain = contents.model_dump_json().encode()
    return plain[:-1] + b',"checksum":%d}' % zlib.crc32(plain)


def _read(path: Path) -> Contents:
    """The stamp in a file; raises IndexDamaged where its checksum does not hold, and OSError."""
    data = path.read_bytes()
    own = _OWN_SUM.fullmatch(data)
    if own and zlib.crc32(own[1] + b"}") != int(own[2]):
        raise IndexDamaged(str(path), "unreadable stamp: it holds other bytes than were written")
    try:
        return Contents.model_validate_json(data)
    except ValueError as error:
        if own:
            raise
        raise IndexDamaged(str(path), f"unreadable stamp ({error})") from error


def looks(paths: Iterable[str]) -> list[Look]:
    """What files look like; an empty list where one is gone.

    Paths as text, because each search looks at each file: a Path's `stat` costs thrice as much.
    """
    try:
        return [_look(path) for path in paths]
    except OSError:
        return []


def _look(path: str) -> Look:
    status = os.stat(path)  # noqa: PTH116
    return status.st_mtime_ns, status.st_size, status.st_ino
