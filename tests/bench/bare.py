"""Whoosh as it comes, to measure against: `add_document` on its own index, its own search.

Schema and analysis are ours, all else is Whoosh's default. `python -m tests.bench.bare DATA
INDEX` indexes the articles of the store in DATA and prints what that took; reading them is
not part of it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from whoosh.filedb.filestore import FileStorage
from whoosh.index import FileIndex

from app.articles import changes as articles_changes
from app.filters import SEARCHED
from app.search import minhash
from app.search.whoosh import schema
from app.settings import Settings
from app.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.search.engine import Change, Document

LIMIT_MB = 128
"""Whoosh's own default; its documentation recommends it for a machine of little memory."""


def read(data_dir: Path) -> list[Change]:
    """Every article of the store in `data_dir` as it is indexed."""
    database = Database.open(Settings(data_dir=data_dir))
    with database.reading() as session:
        found = articles_changes.changed_since(session, 0, limit=sys.maxsize)
    database.close()
    return found


class _Words(schema.Words):
    """All words of a document, indexed one document at a time."""

    def index(self, words: schema.Analysed, **_: object) -> Iterator[tuple[Any, ...]]:
        """Term, frequency, weight and value of each posting."""
        gathered = schema.Gathered()
        gathered.add(0, words)
        for term, posting in gathered.items():
            yield term, len(posting.positions), posting.weights()[0], posting.values()[0]


class _Names(schema.Names):
    """Names, indexed one document at a time."""

    def index(self, names: Iterable[str], **_: object) -> Iterator[tuple[bytes, int, float, bytes]]:
        """One posting a name."""
        for name in dict.fromkeys(names):
            yield name.encode(), 1, 1.0, b""


def _fields_of(change: Change, document: Document) -> dict[str, Any]:
    words = schema.Analysed(document)
    sketch = minhash.sketch([token for token, _, _ in words.fields[-1][0]])
    names = {name: document.names.get(name, ()) for name in SEARCHED}
    return schema.columns_of(change, document, sketch) | {"words": words} | names


def index(changes: list[Change], folder: Path) -> float:
    """Seconds that bare Whoosh takes to index `changes` into an empty `folder`, commit included."""
    documents = [
        _fields_of(change, change.document) for change in changes if change.document is not None
    ]
    started = time.perf_counter()
    fields = schema.schema()
    fields.remove("words")
    fields.add("words", _Words())
    for name in SEARCHED:
        fields.remove(name)
        fields.add(name, _Names())
    made = FileIndex.create(FileStorage(str(folder)), fields)
    writer = made.writer(limitmb=LIMIT_MB)
    for document in documents:
        writer.add_document(**document)
    writer.commit()
    return time.perf_counter() - started


def open_index(folder: Path) -> Any:
    """The index in `folder`, made by Whoosh or by our engine."""
    return FileIndex(FileStorage(str(folder)), schema=schema.schema())


def main() -> None:
    """Measure one run in a process of its own."""
    data_dir, folder = map(Path, sys.argv[1:])
    changes = read(data_dir)
    cpu = time.process_time()
    seconds = index(changes, folder)
    print(
        orjson.dumps(
            {
                "articles": len(changes),
                "seconds": seconds,
                "cpu_seconds": time.process_time() - cpu,
            }
        ).decode()
    )


if __name__ == "__main__":
    main()
