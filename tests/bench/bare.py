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

from app import articles
from app.database import Database
from app.search import whoosh_format
from app.settings import Settings

if TYPE_CHECKING:
    from app.search.base import Change

LIMIT_MB = 128
"""Whoosh's own default; its documentation recommends it for a machine of little memory."""


def read(data_dir: Path) -> list[Change]:
    """Every article of the store in `data_dir` as it is indexed."""
    database = Database.open(Settings(data_dir=data_dir))
    with database.reading() as session:
        found = articles.changed_since(session, 0, limit=sys.maxsize)
    database.close()
    return found


def index(changes: list[Change], folder: Path) -> float:
    """Seconds that bare Whoosh takes to index `changes` into an empty `folder`, commit included."""
    documents = [
        whoosh_format.fields_of(change, change.document)
        for change in changes
        if change.document is not None
    ]
    started = time.perf_counter()
    made = FileIndex.create(FileStorage(str(folder)), whoosh_format.schema())
    writer = made.writer(limitmb=LIMIT_MB)
    for document in documents:
        writer.add_document(**document)
    writer.commit()
    return time.perf_counter() - started


def open_index(folder: Path) -> Any:
    """The index in `folder`, made by Whoosh or by our engine."""
    return FileIndex(FileStorage(str(folder)), schema=whoosh_format.schema())


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
