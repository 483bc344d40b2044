"""The stamp: the directory of the current index, with the sizes and checksums of its files.

The files of an index never change once written, so the stamp reveals one that is missing,
truncated or changed. It is replaced atomically and ends with a checksum of its own. A file NEXT
in the index is the stamp of the next commit, written before the commit, so that every
generation has checksums. `damaged.json` beside the stamp names the directory that was found
damaged, and the reason. This module opens no index and knows no engine.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
import uuid
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.errors import EngineError, IndexDamaged, IndexMissing
from app.writes import Write

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)

NAME_FILE = "NAME"
"""A file in each index with the name of its directory, which tells it from another index."""

PROOF_S = 60.0
"""After an error, an untouched file is read again if its checksum is older than this."""
_NEXT = "NEXT"
_OF_ENGINE = re.compile(r"(?:damaged-|building-)*(whoosh|tantivy)[.-]")
_OWN_SUM = re.compile(rb'(.*),"checksum":(\d+)\}\s*', re.DOTALL)
_CHUNK_BYTES = 1 << 20
_PROVED_KEPT = 4096

Look = tuple[int, int, int]
"""The modification time, size and inode of a file, which change when it does."""

Signature = tuple[int, int]
"""The modification time and inode of a stamp, which differ after each write."""


class Contents(BaseModel):
    """The content of a stamp; `files` are the sizes of all index files, in bytes.

    Stamps of older versions have no `checksums` (CRC-32) and no write of their store.
    """

    model_config = ConfigDict(frozen=True)

    directory: Annotated[str, Field(pattern="^[a-z]+-[0-9a-z]+$")]
    store_id: uuid.UUID
    change: int = 0
    token: str = ""
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: int
    files: dict[str, int]
    checksums: dict[str, int] = Field(default_factory=dict)

    @property
    def history(self) -> Write:
        """The store's last write when the newest change of the index was read."""
        return Write(self.change, self.token)


class _Mark(BaseModel):
    """The content of damaged.json: damage that file sizes do not show."""

    directory: str
    reason: str


class StampFile:
    """The stamp in `folder`, read anew each time."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._path = folder / name
        self._mark_path = folder / "damaged.json"
        # Checksums and times of reading, by the look of a file, which may have several links.
        self._proved: dict[Look, tuple[int, float]] = {}

    def read(self) -> Contents:
        """The stamp; raises IndexMissing without one, IndexDamaged if its checksum is wrong."""
        try:
            return _read(self._path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IndexMissing(str(self.folder)) from error
        except IsADirectoryError as error:
            raise IndexDamaged(str(self._path), "unreadable stamp: a directory") from error
        except OSError as error:  # no damage, such as too many open files
            raise EngineError(str(self._path), error.strerror or str(error)) from error

    def signature(self) -> Signature:
        """The signature of the stamp, without reading it."""
        try:
            status = self._path.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise IndexMissing(str(self.folder)) from error
        except OSError as error:
            raise EngineError(str(self._path), error.strerror or str(error)) from error
        return status.st_mtime_ns, status.st_ino

    def write(self, contents: Contents) -> None:
        """Replace the stamp atomically, then remove NEXT."""
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
        """Replace this stamp atomically by `other`, and forget the damage of the old index."""
        self._replace_by(other._path)
        self._mark_path.unlink(missing_ok=True)

    def _replace_by(self, path: Path) -> None:
        """Replace the stamp atomically by `path`, with an mtime later than the old stamp's.

        Inodes are reused. With a clock that is coarse, or was set back, two stamps could have the
        same signature, and searches would take an old index for the current one.
        """
        with suppress(FileNotFoundError):
            before_ns = self._path.stat().st_mtime_ns
            if path.stat().st_mtime_ns <= before_ns:
                os.utime(path, ns=(before_ns + 1, before_ns + 1))
        path.replace(self._path)

    def set_aside(self) -> None:
        """Rename a stamp that cannot be read."""
        self._path.rename(self._path.with_name(f"damaged-{self._path.name}"))

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
        """Write the NEXT of a generation before it is committed.

        Its files are those with these `prefixes`, and `toc`, which commits it.
        """
        only = {name for name in sizes(directory) if name.startswith((NAME_FILE, *prefixes))}
        found = self.with_files(stamp, directory, generation, only=only)
        name, data = toc
        files = {**found.files, name: len(data)}
        checksums = {**found.checksums, name: zlib.crc32(data)}
        found = found.model_copy(update={"files": files, "checksums": checksums})
        part = directory / f"{_NEXT}.part"
        part.write_bytes(_encoded(found))
        part.replace(directory / _NEXT)

    def vouching(self, directory: Path, stamp: Contents, generation: int) -> Contents | None:
        """The stamp that lists the files of a generation: `stamp`, or NEXT for a later one.

        None if neither does, as after a power cut.
        """
        if generation <= stamp.generation:
            return stamp
        try:
            announced = _read(directory / _NEXT)
        except (FileNotFoundError, IndexDamaged):
            return None
        return announced if announced.generation == generation else None

    def bad_file(self, directory: Path, stamp: Contents, *, anew: bool = False) -> str:
        """The first fault in the files that the stamp lists; empty without one.

        A file is read once, and again only if its look has changed or, with `anew`, after PROOF_S.
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
        """`stamp` with the files that exist now; those that it lists are not read again."""
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
        proved, now = self._proved.get(look), time.monotonic()
        if proved is not None and not (anew and now - proved[1] > PROOF_S):
            return proved[0]
        found = 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                found = zlib.crc32(chunk, found)
        if len(self._proved) >= _PROVED_KEPT:  # most of these files no longer exist
            self._proved.clear()
        self._proved[look] = (found, now)
        return found

    # --- damage that was proved

    def mark_damaged(self, error: IndexDamaged) -> None:
        """Record the damage on disk; a failure to write is ignored."""
        with suppress(OSError, EngineError):
            mark = _Mark(directory=self.read().directory, reason=error.reason)
            self._mark_path.write_text(mark.model_dump_json())

    def raise_marked(self) -> None:
        """Raise IndexDamaged if a search, in any process, has found the index damaged."""
        with suppress(OSError, ValueError):
            mark = _Mark.model_validate_json(self._mark_path.read_bytes())
            if mark.directory == self.read().directory:
                raise IndexDamaged(mark.directory, mark.reason)


def discard_others(folder: Path, own: str) -> None:
    """Remove what other engines than `own` keep in a folder but for their locks."""
    for path in folder.iterdir():
        found = _OF_ENGINE.match(path.name)
        if found and found[1] != own and path.suffix != ".lock":
            log.warning("removing the index of another engine, a text was erased: %s", path)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def sizes(directory: Path) -> dict[str, int]:
    """The sizes of all files of an index, in bytes."""
    return {
        path.name: path.stat().st_size
        for path in directory.iterdir()
        if path.is_file() and path.name != "MAIN_WRITELOCK" and not path.name.startswith(_NEXT)
    }


def _encoded(contents: Contents) -> bytes:
    """A stamp as JSON; the last member is the checksum of everything before it."""
    plain = contents.model_dump_json().encode()
    return plain[:-1] + b',"checksum":%d}' % zlib.crc32(plain)


def _read(path: Path) -> Contents:
    """The stamp in a file; raises IndexDamaged if its checksum is wrong, and OSError."""
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
    """The looks of files; empty if one is missing.

    Every search calls it, so paths are strings: `Path.stat` takes three times as long.
    """
    try:
        return [_look(path) for path in paths]
    except OSError:
        return []


def _look(path: str) -> Look:
    status = os.stat(path)  # noqa: PTH116
    return status.st_mtime_ns, status.st_size, status.st_ino
