from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from app.articles import changes, save
from app.errors import FolderUnwritable, ReadTooLong, SchemaMismatch, StoreError
from app.store import sequence
from app.store.database import Database
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path


def test_a_block_that_raises_commits_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        save.save(session, [factories.draft()], publisher=None)
        1 / 0  # noqa: B018
    with database.reading() as session:
        assert sequence.count(session) == 0
        assert sequence.last_change(session) == 0


def test_reading_sees_one_snapshot(database: Database) -> None:
    with database.reading() as session:
        assert sequence.count(session) == 0
        factories.save(database, [factories.draft()])
        assert sequence.count(session) == 0
    with database.reading() as session:
        assert sequence.count(session) == 1


def test_reading_ends_when_its_steps_are_taken(database: Database) -> None:
    endless = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(i) FROM n"
    )
    with (
        pytest.raises(ReadTooLong, match="too long to read") as caught,
        database.reading(steps=1_000_000) as session,
    ):
        session.execute(endless)
    assert caught.value.hint
    with database.reading() as session:  # of the same connection, that knows no bound any more
        counted = text(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500000)"
            " SELECT count(i) FROM n"
        )
        assert session.execute(counted).scalar_one() == 500_000


def test_a_read_with_a_bound_that_fails_says_why(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.draft()])
        with (
            pytest.raises(StoreError, match="disk I/O error"),
            database.reading(steps=1_000_000) as session,
        ):
            session.execute(text("PRAGMA shrink_memory"))
            os.truncate(tmp_path / "data" / "broadsheet.db-wal", 0)
            sequence.count(session)


def test_what_a_reading_session_writes_is_not_kept(database: Database) -> None:
    with database.reading() as session:
        save.save(session, [factories.draft()], publisher=None)
    with database.reading() as session:
        assert sequence.count(session) == 0


def test_transactions_of_many_threads_wait_for_each_other(database: Database) -> None:
    def work(number: int) -> None:
        factories.save(database, [factories.numbered(number)])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert sequence.last_change(session) == 8
        assert sorted(change for _, change in changes.versions(session)) == list(range(1, 9))


def test_a_locked_database_is_a_store_error(tmp_path: Path) -> None:
    with factories.store(tmp_path):
        path = tmp_path / "data" / "broadsheet.db"
    impatient = Database(f"sqlite:///{path}", lock_timeout_s=0.05)
    with (
        closing(impatient),
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked"), impatient.transaction():
            pass
        with impatient.reading() as session:
            assert sequence.count(session) == 0


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "data" / "broadsheet.db"
    path.parent.mkdir()
    path.write_bytes(b"no database at all " * 100)
    with (
        closing(Database.open(factories.settings(tmp_path))) as database,
        pytest.raises(StoreError, match="not a database"),
    ):
        database.migrate()


def test_a_data_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file stands in its place")
    with pytest.raises(FolderUnwritable) as caught:
        Database.open(factories.settings(tmp_path))
    assert caught.value.path == str(tmp_path / "data")


def test_a_database_of_a_newer_program_is_named(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        with closing(sqlite3.connect(tmp_path / "data" / "broadsheet.db")) as other:
            other.execute("UPDATE alembic_version SET version_num = '29990101_future'")
            other.commit()
        with pytest.raises(SchemaMismatch) as caught:
            database.migrate()
    assert caught.value.found == "29990101_future"


def test_the_address_of_the_settings_is_used(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    with closing(Database.open(factories.settings(tmp_path, database_url=url))) as database:
        database.migrate()
    assert (tmp_path / "elsewhere.db").exists()


def test_a_database_without_its_tables_is_named(tmp_path: Path) -> None:
    with closing(Database.open(factories.settings(tmp_path))) as database:
        with pytest.raises(SchemaMismatch) as caught:
            database.require_schema()
        database.migrate()
        database.require_schema()
    assert caught.value.found is None


def test_commits_are_durable_and_readers_do_not_block(database: Database) -> None:
    with database.reading() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(FolderUnwritable, match="denied"):
        Database.open(factories.settings(tmp_path))
