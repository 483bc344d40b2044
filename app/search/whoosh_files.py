"""The files of a Whoosh index: opened and closed together."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from whoosh.filedb.filestore import FileStorage

from app.search.whoosh_pickles import File


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
