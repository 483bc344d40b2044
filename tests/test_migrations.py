from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import UUID

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from app import articles
from app.database import Database, _alembic
from app.models import metadata
from tests import factories

if TYPE_CHECKING:
    from pathlib import Path


def test_the_migrations_make_the_tables_of_the_models(database: Database) -> None:
    engine = create_engine(database.url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_each_migration_can_be_taken_back_and_made_again(tmp_path: Path) -> None:
    config = _alembic()
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        command.downgrade(config, "base")
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
        command.upgrade(config, "head")
    engine.dispose()


def test_a_store_has_its_own_id_and_keeps_it(tmp_path: Path) -> None:
    ids = []
    for folder in ("a", "b", "a"):
        with factories.store(tmp_path / folder) as database, database.reading() as session:
            ids.append(articles.store_id(session))
    assert ids[0] == ids[2] != ids[1]


def test_many_processes_may_migrate_at_once(tmp_path: Path) -> None:
    with closing(Database.open(factories.settings(tmp_path))) as database:
        threads = [threading.Thread(target=database.migrate) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        database.require_schema()


def test_an_archive_of_the_first_tables_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    config = _alembic()
    with closing(Database(f"sqlite:///{path}")) as database:
        with database._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "20261122_articles")
        with closing(sqlite3.connect(path)) as old:
            old.execute(
                "INSERT INTO article VALUES ('00000000000000000000000000000001', 7, '', 'Rain',"
                " '[]', NULL, NULL, NULL, 'CAIRO', '[\"Cairo\"]', 'It rained.', 2, NULL, NULL,"
                " NULL, NULL, NULL, NULL, NULL, NULL, '[]')"
            )
            old.execute("INSERT INTO place VALUES ('00000000000000000000000000000001', 'cairo')")
            old.execute(
                "INSERT INTO sighting VALUES ('00000000000000000000000000000001', 'a.txt', 0, '',"
                " 'page_text', 1, '2024-01-01 00:00:00', NULL)"
            )
            old.commit()
        database.migrate()
        with database.reading() as session:
            whole = articles.get(session, UUID(int=1))
            assert [seen.path for seen in whole.sources] == ["a.txt"]
            assert articles.labels(session, "place", ["cairo"]) == {"cairo": "Cairo"}
            (event,), *_ = articles.events(session, 6, limit=9, after=None)
            assert (event.kind, event.change) == ("added", 7)
