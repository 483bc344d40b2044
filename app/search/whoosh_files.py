"""The files of a Whoosh index: opened and closed together, and what their damage is called.

Damage leaves here as IndexDamaged; what the operating system refuses is an EngineError.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from whoosh.filedb.filestore import FileStorage

from app.errors import EngineError, IndexDamaged
from app.search.whoosh_pickles import File

if TYPE_CHECKING:
    from collections.abc import Iterator


class Storage(FileStorage):  # type: ignore[misc]
    """Files of one directory, all closed together: Whoosh leaves some open when it fails."""

    def __init__(self, directory: Path) -> None:
        super().__init__(str(directory))
        self._opened: list[Any] = []

    def open_file(self, name: str, **options: Any) -> Any:
        """As Whoosh's own, but with pickles that are data alone, and remembered."""
        stream = Path(self.folder, name).open("rb")  # noqa: SIM115 (closed with the file)
        return self._remembered(File(stream, name=name, **options))

    def create_file(self, name: str, *options: Any, **more: Any) -> Any:
        """As Whoosh's own, and remembered."""
        return self._remembered(super().create_file(name, *options, **more))

    def temp_storage(self, name: str | None = None) -> Storage:
        """A folder below this one, whose files are closed with ours."""
        inner = Storage(Path(self.folder) / (name or f"{uuid4().hex}.tmp"))
        inner._opened = self._opened
        inner.create()
        return inner

    def _remembered(self, file: Any) -> Any:
        self._opened.append(file)
        return file

    def list(self) -> list[str]:
        """The files; Whoosh's own takes a folder that it may not read now for an empty one."""
        try:
            return [path.name for path in Path(self.folder).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def close_files(self) -> None:
        """Close what is still open, all of it, though the disk be full for what was written."""
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


@contextmanager
def reading(directory: Path | str) -> Iterator[None]:
    """Whatever Whoosh raises over files that do not hold together is IndexDamaged.

    It raises bare Exception, struct.error, zlib.error, any unpickling error and more, so
    this wraps only calls that read index files. What the operating system refuses (a full
    disk, too many open files) is no damage, but a file that is gone is.
    """
    try:
        yield
    except (EngineError, MemoryError):
        raise
    except OSError as error:
        if error.errno is None or isinstance(error, FileNotFoundError):
            raise _damaged(directory, error) from error
        raise EngineError(str(directory), error.strerror or str(error)) from error
    except Exception as error:
        raise _damaged(directory, error) from error


def _damaged(directory: Path | str, error: Exception) -> IndexDamaged:
    return IndexDamaged(str(directory), f"{type(error).__name__}: {error}")
