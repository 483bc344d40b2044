"""What time asks of a store; and that an erasure leaves no word in any file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.articles import read as articles
from app.articles import removal
from app.errors import Gone
from app.search import open_engine
from app.services import backup, extraction, indexing, maintenance
from app.store import sequence
from app.store.database import file_of
from tests import factories
from tests.factories import draft, numbered, save
from tests.fake_extractor import FakeExtractor

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from sqlmodel import Session

    from app.search.engine import Engine
    from app.store.database import Database

URL = "https://example.org/verbatim-xyzzyq"


def words_in(folder: Path, *words: str) -> dict[str, list[str]]:
    """The files below `folder` that hold a word, whatever its case, in UTF-8 or UTF-16."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        raw = path.read_bytes().lower() if path.is_file() else b""
        for word in words:
            forms = (word.encode(), word.encode("utf-16-le"))
            if any(form in raw for form in forms):
                found.setdefault(word, []).append(path.name)
    return found


def test_an_erasure_leaves_no_word_in_any_file(
    tmp_path: Path, database: Database, engine: Engine, chance: random.Random
) -> None:
    data, settings = tmp_path / "data", factories.settings(tmp_path)
    others = [numbered(n) for n in range(300)]
    chance.shuffle(others)
    secret = "Ada Byron of plughxq met nobody.\n\n" + "She said zorkmidq to them. " * 400
    save(database, others[:150])
    (saved,) = save(
        database,
        [draft("Quuxlyq in court", secret, path="frobozzq.txt", url=URL, guid="urn:gnustoq:1")],
    )
    indexing.sync(database, engine)
    extraction.sweep(
        database, FakeExtractor("f", {"plughxq": ("place", "Plughxq", None)}), tmp_path / "lock"
    )
    save(database, [draft("Second quuxlyq", "Short xyzzyplq text.", url=URL, day="2024-05-01")])
    save(database, others[150:])
    indexing.sync(database, engine)
    with engine.rebuilding(uuid4()):  # of another store: the old one is set aside
        pass
    (data / "broadsheet.db-wal.replaced").write_text("the log of an older file: zorkmidq")
    words = ("plughxq", "zorkmidq", "quuxlyq", "frobozzq", "xyzzyq", "gnustoq", "xyzzyplq")
    assert words_in(data, *words).keys() == set(words), "the search finds what is there"
    with database.transaction() as session:
        removal.erase(session, saved.id)
        assert maintenance.kept(session).erasures_pending == 1
    assert maintenance.purge(database, engine, settings)
    assert words_in(data, *words) == {}
    with database.reading() as session:
        kept = maintenance.kept(session)
        assert (kept.erased, kept.erasures_pending) == (1, 0)
    assert indexing.check(database, engine).agrees


def test_an_erasure_waits_for_a_reader_and_is_carried_through_later(
    tmp_path: Path, database: Database, engine: Engine
) -> None:
    settings = factories.settings(tmp_path)
    (saved,) = save(database, [draft()])
    with database.reading() as session:
        assert sequence.count(session) == 1
        with database.transaction() as other:
            removal.erase(other, saved.id)
        assert not maintenance.purge(database, engine, settings)
    with database.reading() as session:
        assert maintenance.kept(session).erasures_pending == 1
    assert maintenance.purge(database, engine, settings)
    assert words_in(tmp_path, "reservoirs") == {}


def test_an_embargo_ends_by_the_clock(database: Database) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    (saved,) = save(database, [draft(embargoed_until=until)])
    assert maintenance.release(database, now=until - timedelta(seconds=1)) == 0
    assert maintenance.release(database, now=until) == 1
    with database.reading() as session:
        assert articles.get(session, saved.id).embargoed_until == until
        (event,) = articles.events(session, 0, limit=9, after=None)[0].items
        assert (event.kind, event.change) == ("added", 1)
        assert maintenance.kept(session).embargoed == 0


def test_old_texts_go_in_turns(database: Database) -> None:
    for day in range(1, 8):
        save(database, [draft(body=f"Text {day}.", url=URL, day=f"2024-03-0{day}")])
    (gone,) = save(database, [numbered(1)])
    with database.transaction() as session:
        removal.remove(session, gone.id)
    now = datetime.now(UTC)
    assert maintenance.drop(database, days=2, now=now + timedelta(days=1)) == 0
    assert maintenance.drop(database, days=2, now=now + timedelta(days=3)) == 6
    with database.transaction() as session:
        removal.restore(session, gone.id)
        assert sequence.count(session) == 2
        assert maintenance.kept(session).versions == 8


NOW = datetime(2024, 4, 1, 12, tzinfo=UTC)


def ids_of(database: Database) -> set[UUID]:
    """The ids of what is not erased, shown or not."""
    with database.reading() as session:
        found = session.execute(text("SELECT id, state FROM story WHERE heir IS NULL"))
        return {UUID(row.id) for row in found if row.state != "erased"}


def test_articles_are_kept_for_the_days_of_their_source(database: Database) -> None:
    drafts = [
        draft("Due", url=f"{URL}/1", source="Post", day="2024-03-01"),
        draft("Not due", url=f"{URL}/2", source="Post", day="2024-03-02"),
        draft("Of another", url=f"{URL}/3", source="Courier", day="2024-02-01"),
        draft("Of nobody", url=f"{URL}/4", source=None, day="2024-01-01"),
    ]
    due, kept, another, nobody = (each.id for each in save(database, drafts))
    assert maintenance.expire(database, keep_days={"POST ": 30}, now=NOW) == 1
    assert ids_of(database) == {kept, another, nobody}
    assert maintenance.expire(database, keep_days={"post": 30, "": 80}, now=NOW) == 1
    assert ids_of(database) == {kept, another}
    assert maintenance.expire(database, keep_days={"": 40, "Courier": 99}, now=NOW) == 0
    assert [each.outcome for each in save(database, drafts)] == [
        *("removed", "unchanged", "unchanged", "removed")
    ]
    with database.reading() as session, pytest.raises(Gone, match="erased"):
        articles.get(session, due)


def test_days_end_with_a_day_and_count_from_arrival_where_there_is_no_date(
    database: Database,
) -> None:
    save(database, [draft("Undated", url=URL, day=None)])
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for days, erased in ((0, 0), (7, 0), (8, 1)):
        now = today + timedelta(days=days)
        assert maintenance.expire(database, keep_days={"": 7}, now=now) == erased


def test_what_is_hidden_or_withheld_goes_with_its_days_too(database: Database) -> None:
    drafts = [
        draft("Removed", url=f"{URL}/1", source="Post", day="2024-03-01"),
        draft("Killed", guid="urn:x:2", source="Post", day="2024-03-01"),
        draft("Not yet due", url=f"{URL}/3", source="Post", day="2024-03-20"),
        draft("Waits", url=f"{URL}/4", source="Post", day="2024-03-01",
              embargoed_until=datetime.now(UTC) + timedelta(days=9)),
        draft("Of another", url=f"{URL}/5", source="Courier", day="2024-03-01"),
        draft("Undated", url=f"{URL}/6", source="Post", day=None),
    ]  # fmt: skip
    ids = [each.id for each in save(database, drafts)]
    save(database, [draft("", "", guid="urn:x:2", source="Post", day=None, status="canceled")])
    with database.transaction() as session:
        removal.remove_all(session, [ids[0], ids[2], ids[4], ids[5]])
    assert maintenance.expire(database, keep_days={"Post": 30}, now=NOW) == 3
    assert ids_of(database) == {ids[2], ids[4], ids[5]}
    later = datetime.now(UTC) + timedelta(days=32)
    assert maintenance.expire(database, keep_days={"Post": 30}, now=later) == 2
    assert ids_of(database) == {ids[4]}


def test_two_at_once_erase_each_article_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "EXPIRED", 3)
    save(database, [numbered(n) for n in range(20)])
    later = datetime.now(UTC) + timedelta(days=9000)
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(
            lambda _: maintenance.expire(database, keep_days={"": 30}, now=later), range(2)
        )
        assert sum(done) == 20
    assert ids_of(database) == set()


def test_what_was_broken_off_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "EXPIRED", 4)
    save(database, [numbered(n) for n in range(10)])
    later = datetime.now(UTC) + timedelta(days=9000)
    erase_all, calls = removal.erase_all, iter(range(9))

    def interrupted(session: Session, ids: list[UUID]) -> None:
        erase_all(session, ids)
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(removal, "erase_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        maintenance.expire(database, keep_days={"": 30}, now=later)
    assert len(ids_of(database)) == 6
    assert maintenance.expire(database, keep_days={"": 30}, now=later) == 6


def test_what_expires_leaves_the_index_and_every_file(
    tmp_path: Path, engine: Engine, database: Database
) -> None:
    old = draft("Quuxlyq", "Plughword.", url=URL, source="Post", day="2020-01-01")
    save(database, [old, draft("New", url=f"{URL}/2", source="Post", day=None)])
    indexing.sync(database, engine)
    settings = factories.settings(tmp_path, keep_days={"Post": 365})
    maintenance.tend(database, engine, settings)
    indexing.sync(database, engine)
    assert words_in(tmp_path, "quuxlyq", "plughword") == {}
    assert indexing.check(database, engine).agrees
    assert len(ids_of(database)) == 1
    save(database, [draft("Late", url=f"{URL}/3", source="Post", day="2020-01-02")])
    maintenance.tend(database, engine, settings)
    assert len(ids_of(database)) == 1


def test_a_restore_erases_again_what_was_erased_since_the_backup(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    with factories.store(tmp_path) as database:
        saved = save(database, [draft(url=URL), numbered(1)])
    backup.back_up(settings, tmp_path / "old.db")
    with factories.store(tmp_path) as database:
        later = save(database, [numbered(2, url=f"{URL}/2")])[0]
        for each in (saved[0], later):
            with database.transaction() as session:
                removal.erase(session, each.id)
    assert backup.restore(settings, tmp_path / "old.db", overwrite=True).report.agrees
    assert words_in(settings.data_dir, "reservoirs") == {}
    with factories.store(tmp_path) as database:
        outcomes = save(database, [draft(url=URL), numbered(1), numbered(2, url=f"{URL}/2")])
        assert [each.outcome for each in outcomes] == ["removed", "unchanged", "removed"]
        for each in (saved[0], later):
            with database.reading() as session, pytest.raises(Gone, match="erased"):
                articles.get(session, each.id)


def test_a_backup_in_an_empty_folder_says_that_it_cannot_know(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        save(database, [draft()])
    backup.back_up(factories.settings(tmp_path), tmp_path / "old.db")
    restored = backup.restore(factories.settings(tmp_path / "new"), tmp_path / "old.db")
    assert not restored.erased_known
    with closing(open_engine(factories.settings(tmp_path / "new"))) as engine:
        engine.health()
    assert file_of(factories.settings(tmp_path / "new")).exists()


def test_of_articles_erased_at_once_none_has_its_text_when_the_first_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their rows are moved when the first goes; where they stood before is not overwritten."""
    left: list[str] = []

    def looking(session: Session, article_id: UUID) -> None:
        for table in ("article", "article_version"):
            left.extend(map(str, session.execute(text(f"SELECT * FROM {table}"))))
        real(session, article_id)

    real = removal.erase
    monkeypatch.setattr(removal, "erase", looking)
    with factories.store(tmp_path) as database:
        for day in ("2024-03-01", "2024-03-02"):
            drafts = [
                factories.draft(
                    f"{word} {n}",
                    f"{word} of {day}",
                    summary=(word,),
                    guid=f"urn:{word}:{n}",
                    day=day,
                )
                for n, word in enumerate(("plover", "xyzzyq", "xyzzyq"))
            ]
            saved = factories.save(database, drafts)
        with database.transaction() as session:
            removal.erase_all(session, [each.id for each in saved[1:]])
    assert any("plover" in row for row in left)
    assert not any("xyzzyq" in row for row in left)
