"""Rows that are inserted in bulk are those that SQLAlchemy inserts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import insert, text

from app.errors import StoreError
from app.store.models import insert_all, metadata

if TYPE_CHECKING:
    from app.store.database import Database

STORY = metadata.tables["story"]
VERSION = metadata.tables["article_version"]
_AT = datetime(2024, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
STORIES = [
    {"id": UUID(int=n), "arrival": n, "is_bare": n == 1, "count": 1, "state": state, "heir": None}
    for n, state in enumerate((None, "removed"))
]
VERSIONS = [
    {
        **dict.fromkeys(VERSION.columns.keys()),
        "story_id": UUID(int=n),
        "number": 1,
        "text": b"digest",
        "status": "usable",
        "is_full": True,
        "held_us": 0,
        "held_number": 0,
        "arrival": n,
        "arrived_at": _AT,
        "hidden_at": hidden_at,
        "fields": fields,
    }
    for n, (hidden_at, fields) in enumerate(
        ((None, None), (_AT.astimezone(UTC), {"url": "https://example.org/ä", "summary": []}))
    )
]


def test_inserted_in_bulk_rows_are_the_same(database: Database) -> None:
    def rows(*, in_bulk: bool) -> list[tuple[object, ...]]:
        with database.rehearsal() as session:
            for table, values in ((STORY, STORIES), (VERSION, VERSIONS)):
                if in_bulk:
                    insert_all(session.connection(), insert(table), values)
                else:
                    session.connection().execute(insert(table), values)
            return [
                tuple(row)
                for table in (STORY, VERSION)
                for row in session.execute(text(f"SELECT * FROM {table.name}"))
            ]

    found = rows(in_bulk=True)
    assert len(found) == 4
    assert found == rows(in_bulk=False)


def test_no_rows_are_no_statement(database: Database) -> None:
    with database.rehearsal() as session:
        insert_all(session.connection(), insert(STORY), [])


def test_rows_that_the_database_refuses_are_its_error(database: Database) -> None:
    with pytest.raises(StoreError, match="UNIQUE"), database.transaction() as session:
        insert_all(session.connection(), insert(STORY), [*STORIES, *STORIES])
