"""The stamp: which directory is the index in use, and which files were committed to it.

The engine's folder in, what `whoosh.json` in it says out, with the sizes and checksums of all
files of the index, so that one that is lost, cut short or of other bytes is noticed: the files
of an index never change once they are written. It is replaced in one step. Beside it
`damaged.json` says which directory a search found damaged, and how. No index is opened here,
and Whoosh is not known.
"""

from __future__ import annotations

import os
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
        self._proved: dict[Path, tuple[Look, int]] = {}  # checksums of files as they look

    def read(self) -> Contents:
        """What the stamp says; IndexMissing without one, IndexDamaged if it says nothing."""
        try:
            return Contents.model_validate_json(self._path.read_bytes())
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IndexMissing(str(self.folder)) from error
        except (IsADirectoryError, ValueError) as error:
            raise IndexDamaged(str(self._path), f"unreadable stamp ({error})") from error
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
        """Replace the stamp in one step."""
        part = self._path.with_suffix(".part")
        try:
            part.write_text(contents.model_dump_json())
            self._replace_by(part)
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

    def bad_file(self, directory: Path, stamp: Contents) -> str:
        """What is wrong with the files that the stamp lists; empty when nothing is.

        A file is read once, and again only when it looks as if it had been touched.
        """
        for name, size in stamp.files.items():
            try:
                status = (directory / name).stat()
                if status.st_size != size:
                    return f"{name} has {status.st_size} bytes, not {size}"
                if name in stamp.checksums and self._sum(directory / name) != stamp.checksums[name]:
                    return f"{name} holds other bytes than were written"
            except (FileNotFoundError, NotADirectoryError):
                return f"{name} is missing"
            except OSError as error:
                raise EngineError(str(directory / name), error.strerror or str(error)) from error
        return ""

    def bad_name(self, directory: Path, stamp: Contents) -> str:
        """Why the directory is not the one that the stamp means; empty when it is.

        All that can be said of files that were committed after the stamp.
        """
        if NAME_FILE not in stamp.files:
            return ""  # an older version made it
        only = {"files": {NAME_FILE: stamp.files[NAME_FILE]}}
        return self.bad_file(directory, stamp.model_copy(update=only))

    def with_files(self, stamp: Contents, directory: Path, generation: int) -> Contents:
        """`stamp` with the files that are there now; what it lists already is not read again."""
        files = sizes(directory)
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

    def _sum(self, path: Path) -> int:
        look = _look(str(path))
        proved = self._proved.get(path)
        if proved is not None and proved[0] == look:
            return proved[1]
        found = 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found = zlib.crc32(chunk, found)
        if len(self._proved) >= _PROVED_KEPT:  # most are of files that are gone
            self._proved.clear()
        self._proved[path] = (look, found)
        return found

    # --- damage that searches find

    def mark_damaged(self, error: IndexDamaged) -> None:
        """Remember what a search found, as far as that can be written."""
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
        if path.is_file() and path.name != "MAIN_WRITELOCK"
    }


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
