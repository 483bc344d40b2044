"""The words that are listed beside a segment of a Whoosh index, since no posting tells them.

    ….forms       the folded forms of all words, sorted: what a prefix may stand for
    ….headlines   the tokens of each document's headline, by document number

UTF-8, a line each. Nothing of a segment's own files is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.search.whoosh_files import Storage

List = Literal["forms", "headlines"]


def write(storage: Storage, segment: Any, which: List, lines: Iterable[str]) -> None:
    """Make the file of a list."""
    with storage.create_file(_name(segment, which)) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())


def read(storage: Storage, segment: Any, which: List) -> list[str]:
    """The lines of a list."""
    name = _name(segment, which)
    with storage.open_file(name) as file:
        content = bytes(file.get(0, storage.file_length(name)))
    return content.decode().split("\n")[:-1]


def _name(segment: Any, which: List) -> str:
    """One of the names that Whoosh removes with the segment."""
    return f"{segment.segment_id()}.{which}"
