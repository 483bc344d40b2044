"""Drafts and stores with defaults, so that a test states the one field it is about."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from app.articles import save as saving
from app.ingest.draft import Draft, Origin
from app.settings import Settings
from app.store import keys
from app.store.database import Database, file_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


KEY = f"bs_{'5e' * 36}"
"""The key that servers of tests take; it writes."""
KEYED = {"Authorization": f"Bearer {KEY}"}


def draft(
    headline: str = "Rain fills reservoirs",
    body: str = "It rained for a week in the north of the country.\n\nAll reservoirs are full.",
    *,
    path: str = "pages/rain.txt",
    position: int = 0,
    page: str | None = None,
    reader_version: int = 1,
    day: str | None = "2024-03-01",
    **more: Any,
) -> Draft:
    """A draft; `day` is its date, `page` what relates it to others, `path` where it stood."""
    seen = repr((headline, body, day, sorted(more.items())))
    origin = Origin(
        path=path,
        sha256=hashlib.sha256(seen.encode()).hexdigest(),
        position=position,
        reader="page_text",
        reader_version=reader_version,
        page=page,
    )
    if day is not None:
        more.setdefault("published_at", datetime.fromisoformat(day).replace(tzinfo=UTC))
        more.setdefault("published_precision", "day")
    return Draft(headline=headline, body=body, origin=origin, **more)


def numbered(number: int, **more: Any) -> Draft:
    """One of many different drafts."""
    return draft(
        f"Story {number} of the valley",
        f"Paragraph number {number} tells of apples and pears.\n\nIt ends here.",
        path=f"pages/{number}.txt",
        **more,
    )


def surname(number: int) -> str:
    """A name that nobody else has."""
    found, number = "", number + 12 * 5 * 12
    while number:
        number, letter = divmod(number, 12)
        number, vowel = divmod(number, 5)
        found += "bdfglmnprstv"[letter] + "aeiou"[vowel]
    return f"{found.capitalize()}nski"


def settings(folder: Path, **more: Any) -> Settings:
    """Settings with their data below `folder`, whatever the environment says.

    Without extraction, since most tests are about something else.
    """
    return Settings(data_dir=folder / "data", **{"extractor": "none", **more})


@contextmanager
def store(folder: Path) -> Iterator[Database]:
    """The database of `folder`; one with its tables and without articles, if there was none."""
    blank(folder)
    with closing(Database.open(settings(folder))) as database:
        database.migrate()
        yield database


def blank(folder: Path) -> None:
    """Put a store without articles below `folder`, as its migrations make it, but for a copy."""
    file = file_of(settings(folder))
    if file.exists():
        return
    file.parent.mkdir(0o700, parents=True, exist_ok=True)
    file.write_bytes(_migrated())
    with closing(sqlite3.connect(file)) as copy, copy:
        copy.execute("PRAGMA synchronous = OFF")
        made = (uuid4().hex, str(datetime.now(UTC).replace(tzinfo=None)))
        copy.execute("UPDATE store SET id = ?, created_at = ?", made)
        copy.execute("UPDATE write_token SET token = ?", (token_hex(8),))


@cache
def _migrated() -> bytes:
    """The file of a store without articles."""
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(Path(folder))
        with closing(Database.open(chosen)) as database:
            database.migrate()
        return file_of(chosen).read_bytes()


def take_key(database: Database) -> None:
    """Make KEY good."""
    with database.transaction() as session:
        keys.take(session, KEY)


def save(database: Database, drafts: Sequence[Draft]) -> list[saving.Saved]:
    """Store drafts in a transaction of their own."""
    with database.transaction() as session:
        return saving.save(session, drafts, publisher="The Valley News")
