"""The stamp: which directory is the index in use, and which files were committed to it.

The engine's folder in, what `whoosh.json` in it says out, with the sizes of all files of the
index, so that a file that is lost or cut short is noticed. It is replaced in one step. Beside
it `damaged.json` says which directory a search found damaged, and how. No index is opened
here, and Whoosh is not known.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.errors import EngineError, IndexDamaged, IndexMissing

if TYPE_CHECKING:
    from pathlib import Path

Signature = tuple[int, int]
"""Differs whenever a stamp has been written."""


class Contents(BaseModel):
    """The stamp as it stands in whoosh.json; `files` are the sizes of all index files."""

    model_config = ConfigDict(frozen=True)

    directory: Annotated[str, Field(pattern="^whoosh-[0-9a-z]+$")]
    store_id: uuid.UUID
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: int
    files: dict[str, int]


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

    def read(self) -> Contents:
        """What the stamp says; IndexMissing without one, IndexDamaged if it says nothing."""
        try:
            return Contents.model_validate_json(self._path.read_bytes())
        except FileNotFoundError as error:
            raise IndexMissing(str(self.folder)) from error
        except (OSError, ValueError) as error:
            raise IndexDamaged(str(self._path), f"unreadable stamp ({error})") from error

    def signature(self) -> Signature:
        """What tells this stamp from one before or after it, without reading it."""
        try:
            status = self._path.stat()
        except OSError as error:
            raise IndexMissing(str(self.folder)) from error
        return status.st_mtime_ns, status.st_ino

    def write(self, contents: Contents) -> None:
        """Replace the stamp in one step."""
        part = self._path.with_suffix(".part")
        part.write_text(contents.model_dump_json())
        part.replace(self._path)

    def take_over(self, other: StampFile) -> None:
        """Make `other` this stamp, in one step; damage of the index before is forgotten."""
        other._path.replace(self._path)
        self._mark_path.unlink(missing_ok=True)

    def set_aside(self) -> None:
        """Keep a stamp that cannot be read under another name."""
        self._path.rename(self._path.with_name("damaged-whoosh.json"))

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


def bad_file(directory: Path, stamp: Contents) -> str:
    """What is wrong with the files that the stamp lists; empty when nothing is."""
    for name, size in stamp.files.items():
        try:
            found = (directory / name).stat().st_size
        except OSError:
            return f"{name} is missing"
        if found != size:
            return f"{name} has {found} bytes, not {size}"
    return ""
