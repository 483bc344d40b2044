"""Each write has a token of its own, the newest of which are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.store import sequence
from app.writes import Write
from tests.factories import numbered, save

if TYPE_CHECKING:
    import pytest

    from app.store.database import Database


def last(database: Database) -> Write:
    with database.reading() as session:
        return sequence.last(session)


def holds(database: Database, write: Write) -> bool:
    with database.reading() as session:
        return sequence.holds(session, write)


def test_each_write_has_another_token_and_the_store_knows_them_all(database: Database) -> None:
    writes = [last(database)]
    for number in range(3):
        save(database, [numbered(number)])
        writes.append(last(database))
    assert [write.change for write in writes] == [0, 1, 2, 3]
    assert len({write.token for write in writes}) == 4
    assert all(holds(database, write) for write in writes)
    assert not holds(database, Write(2, writes[3].token))
    assert not holds(database, Write(4, ""))


def test_a_write_that_changes_nothing_draws_none(database: Database) -> None:
    save(database, [numbered(1)])
    before = last(database)
    save(database, [numbered(1)])
    assert last(database) == before


def test_the_newest_tokens_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "KEPT", 4)
    monkeypatch.setattr(sequence, "_DROPPED", 2)
    writes = [last(database)]
    for number in range(10):
        save(database, [numbered(number)])
        writes.append(last(database))
    assert [write.change for write in writes if holds(database, write)] == [7, 8, 9, 10]
