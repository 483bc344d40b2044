from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from app import filters
from app.articles import changes, identity, removal, save
from app.articles import read as articles
from app.store import sequence
from app.store.database import Database, _alembic
from app.store.models import metadata
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from app.ingest.draft import Draft


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
            ids.append(sequence.store_id(session))
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
            old.execute("UPDATE store SET change = 7")
            old.commit()
        database.migrate()
        with database.reading() as session:
            assert sequence.holds(session, sequence.last(session))
            whole = articles.get(session, UUID(int=1))
            assert [seen.path for seen in whole.sources] == ["a.txt"]
            assert articles.labels(session, "place", ["cairo"]) == {"cairo": "Cairo"}
            (event,) = articles.events(session, 6, limit=9, after=None)[0].items
            assert (event.kind, event.change) == ("added", 7)


SOURCE = "The Valley News"


@contextmanager
def first_archive(path: Path, *drafts: Draft, publisher: str | None) -> Iterator[Database]:
    """A database as version 0.1 left it, with articles under the ids that it gave them."""
    config = _alembic()
    with closing(Database(f"sqlite:///{path}")) as database:
        with database._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "20261122_entities")
        with closing(sqlite3.connect(path)) as old, old:
            for change, each in enumerate(drafts, 1):
                source = each.source or (publisher if each.origin.page else None)
                id_ = identity.article_id(
                    url=each.url, source=source, headline=each.headline, body=each.body
                ).hex
                at = each.published_at and f"{each.published_at:%Y-%m-%d %H:%M:%S}.000000"
                row = (id_, change, change, each.headline, each.body, at, source, each.url)
                old.execute(
                    "INSERT INTO article (id, change, added, digest, headline, summary, places,"
                    " body, word_count, published_at, published_precision, source, url, warnings)"
                    " VALUES (?, ?, ?, '', ?, '[]', '[]', ?, 9, ?, 'day', ?, ?, '[]')",
                    row,
                )
                for position in (0, 7):
                    seen = (id_, each.origin.path, position, each.origin.sha256, each.origin.page)
                    old.execute(
                        "INSERT INTO sighting VALUES (?, ?, ?, ?, 'page_text', 1,"
                        " '2024-01-01 00:00:00.000000', ?)",
                        seen,
                    )
            old.execute("UPDATE store SET change = ?", (len(drafts),))
        database.migrate()
        yield database


@pytest.mark.parametrize("publisher", [SOURCE, None])
def test_an_archive_of_version_0_1_keeps_its_ids_and_knows_its_inputs(
    tmp_path: Path, publisher: str | None
) -> None:
    page = factories.draft("A page", page="p")
    line = factories.draft("A line", source="Tarn Post")
    addressed = factories.draft("With a url", url="https://example.org/rain", day="2024-03-05")
    drafts = (page, line, addressed, factories.draft("No day", day=None))
    with first_archive(tmp_path / "x.db", *drafts, publisher=publisher) as database:
        with database.reading() as session:
            ids = {id_ for id_, _ in changes.versions(session)}
            assert len(ids) == 4
        for now in {publisher, None}:
            with database.transaction() as session:
                saved = save.save(session, drafts, publisher=now)
            assert [each.outcome for each in saved] == ["unchanged"] * 4
            assert {each.id for each in saved} == ids
        with database.reading() as session:
            assert sequence.last_change(session) == 4, "nothing was new"
            (seen,) = articles.get(session, saved[0].id).sources
            assert (seen.position, seen.load) == (0, None)
            assert articles.get(session, saved[0].id).source == publisher
        with database.transaction() as session:
            newer = factories.draft("New", "Text.", url="http://www.example.org/rain/")
            (revised,) = save.save(session, [newer], publisher=None)
        assert (revised.id, revised.outcome) == (saved[2].id, "stale")


def test_articles_of_an_archive_that_new_rules_would_join_stay_two(tmp_path: Path) -> None:
    drafts = [
        factories.draft(scheme, f"Told by {scheme}.", url=f"{scheme}://example.org/rain")
        for scheme in ("http", "https")
    ]
    with first_archive(tmp_path / "x.db", *drafts, publisher=None) as database:
        with database.transaction() as session:
            saved = save.save(session, drafts, publisher=None)
            assert [each.outcome for each in saved] == ["unchanged", "unchanged"]
            assert removal.overlaps(session, limit=9) == [(saved[1].id, saved[0].id)]
        with database.transaction() as session:
            removal.join(session, saved[1].id, saved[0].id)
            assert removal.overlaps(session, limit=9) == []
            assert sequence.count(session) == 1


def test_a_large_archive_is_brought_up_to_date_in_parts(tmp_path: Path) -> None:
    drafts = [factories.numbered(n, day=f"2024-03-{n % 28 + 1:02}") for n in range(1203)]
    with first_archive(tmp_path / "x.db", *drafts, publisher=None) as database:
        with database.transaction() as session:
            saved = save.save(session, drafts, publisher=None)
        assert {each.outcome for each in saved} == {"unchanged"}


def test_old_articles_get_the_authors_of_their_bylines_and_their_hosts(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    config = _alembic()
    with closing(Database(f"sqlite:///{path}")) as database:
        with database._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "20261201_versions")
        with closing(sqlite3.connect(path)) as old, old:
            for number, byline in enumerate(("Jane Doe and Omar Ali", SOURCE, None), 1):
                old.execute(
                    "INSERT INTO article (id, change, added, version, digest, headline, summary,"
                    " byline, places, body, word_count, source, url, warnings)"
                    " VALUES (?, 1, 1, 1, '', 'Rain', '[]', ?, '[]', '', 0, ?, ?, '[]')",
                    (UUID(int=number).hex, byline, SOURCE, f"https://www.example.org/{number}"),
                )
        database.migrate()
        with database.reading() as session:
            found = articles.some(session, [UUID(int=number) for number in (1, 2, 3)])
            assert [found[UUID(int=number)].authors for number in (1, 2, 3)] == [
                ["Jane Doe", "Omar Ali"],
                [],
                [],
            ]
            for named, total in (({"author": ["omar ali"]}, 1), ({"domain": ["example.org"]}, 3)):
                chosen = filters.parse(named)
                page = articles.listing(session, chosen, "newest", limit=9, after=None)
                assert page.total == total
