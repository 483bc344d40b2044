"""Every read of entities goes by an index, which the database's own query plan tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import event

from app import filters
from app.entities import candidates, cooccurrence
from app.entities import read as entities
from tests.entities.test_read import BYRON, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlmodel import Session

    from app.search.engine import PageKey
    from app.store.database import Database

EVERY = filters.Filters()
AFTER: Any = None

READS: dict[str, Callable[[Session], object]] = {
    "one": lambda session: entities.get(session, BYRON),
    "list by count": entities.listing,
    "list by name": lambda session: entities.listing(session, sort="name"),
    "list of a type": lambda session: entities.listing(session, type_="person"),
    "list of a type by name": lambda session: entities.listing(
        session, type_="person", sort="name"
    ),
    "list by beginning": lambda session: entities.listing(session, beginning="byr"),
    "later page by count": lambda session: entities.listing(session, after=_after()),
    "related by strength": lambda session: cooccurrence.related(session, BYRON),
    "related by count": lambda session: cooccurrence.related(session, BYRON, sort="count"),
    "related of a type": lambda session: cooccurrence.related(session, BYRON, type_="place"),
    "timeline": lambda session: entities.timeline(session, BYRON, EVERY, "month"),
    "completions": lambda session: entities.beginning(session, "byr", 10),
    "candidates": lambda session: candidates.candidates(session, "Ada Byron"),
}


def _after() -> PageKey:
    from app.search.engine import PageKey

    return PageKey((1,), UUID(int=5))


def plans(session: Session, read: Callable[[Session], object]) -> dict[str, list[str]]:
    """The query plan of each statement that a read makes."""
    connection = session.connection()
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        read(session)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return {
        statement: [
            row[3]
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
        for statement, parameters in asked
    }


@pytest.mark.parametrize("name", READS)
def test_a_read_goes_by_an_index(database: Database, tmp_path: Path, name: str) -> None:
    load(database, tmp_path, "Ada Byron in Muscat", "Byron and the Harbour Board")
    with database.reading() as session:
        found = plans(session, READS[name])
    assert found
    for statement, steps in found.items():
        tables = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
        assert tables, statement
        for step in tables:
            in_order = step.startswith("SCAN") and "USING" in step and "INDEX" in step
            all_counted = "count(*)" in statement and step.startswith("SCAN article")
            of_subquery = step.startswith("SCAN (")
            by_key = step.startswith("SEARCH")
            assert by_key or in_order or all_counted or of_subquery, (statement, steps)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("one", "ix_appearance_entity_day"),
        ("list by count", "ix_entity_article_count_id"),
        ("list by name", "ix_entity_name_key_id"),
        ("list of a type", "ix_entity_type_article_count_id"),
        ("list of a type by name", "ix_entity_type_name_key_id"),
        ("list by beginning", "ix_alias_key_entity"),
        ("related by strength", "ix_companion_entity_count_other"),
        ("related by count", "ix_companion_entity_count_other"),
        ("timeline", "ix_appearance_entity_day"),
    ],
)
def test_the_index_of_a_read_is_the_one_that_was_made_for_it(
    database: Database, tmp_path: Path, name: str, index: str
) -> None:
    load(database, tmp_path, "Ada Byron in Muscat")
    with database.reading() as session:
        found = plans(session, READS[name])
    steps = [step for all_ in found.values() for step in all_]
    assert any(index in step for step in steps), steps
    sorted_by_hand = [step for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
    assert not sorted_by_hand or name == "list by beginning", steps
