"""What time asks of a store; and that an erasure leaves no word in any file."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import text

from app import articles, backup, extracting, indexing, removal, upkeep
from app.database import file_of
from app.errors import Gone
from app.search import open_engine
from tests import factories
from tests.factories import draft, numbered, save
from tests.fake_extractor import FakeExtractor

if TYPE_CHECKING:
    import random
    from pathlib import Path
    from uuid import UUID

    from sqlmodel import Session

    from app.database import Database
    from app.search.base import Engine

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
    extracting.sweep(
        database, FakeExtractor("f", {"plughxq": ("place", "Plughxq", None)}), tmp_path / "lock"
    )
    save(database, [draft("Second quuxlyq", "Short xyzzyplq text.", url=URL, day="2024-05-01")])
    save(database, others[150:])
    indexing.sync(database, engine)
    with engine.rebuilding(uuid4()):  # of another store: the old one is set aside
        pass
    words = ("plughxq", "zorkmidq", "quuxlyq", "frobozzq", "xyzzyq", "gnustoq", "xyzzyplq")
    assert words_in(data, *words).keys() == set(words), "the search finds what is there"
    with database.transaction() as session:
        articles.erase(session, saved.id)
        assert upkeep.kept(session)["erasures_pending"] == 1
    assert upkeep.purge(database, engine, settings)
    assert words_in(data, *words) == {}
    with database.reading() as session:
        kept = upkeep.kept(session)
        assert (kept["erased"], kept["erasures_pending"]) == (1, 0)
    assert indexing.check(database, engine).agrees


def test_an_erasure_waits_for_a_reader_and_is_carried_through_later(
    tmp_path: Path, database: Database, engine: Engine
) -> None:
    settings = factories.settings(tmp_path)
    (saved,) = save(database, [draft()])
    with database.reading() as session:
        assert articles.count(session) == 1
        with database.transaction() as other:
            articles.erase(other, saved.id)
        assert not upkeep.purge(database, engine, settings)
    with database.reading() as session:
        assert upkeep.kept(session)["erasures_pending"] == 1
    assert upkeep.purge(database, engine, settings)
    assert words_in(tmp_path, "reservoirs") == {}


def test_an_embargo_ends_by_the_clock(database: Database) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    (saved,) = save(database, [draft(embargoed_until=until)])
    assert upkeep.release(database, now=until - timedelta(seconds=1)) == 0
    assert upkeep.release(database, now=until) == 1
    with database.reading() as session:
        assert articles.get(session, saved.id).embargoed_until == until
        (event,), *_ = articles.events(session, 0, limit=9, after=None)
        assert (event.kind, event.change) == ("added", 1)
        assert upkeep.kept(session)["embargoed"] == 0


def test_old_texts_go_in_turns(database: Database) -> None:
    for day in range(1, 8):
        save(database, [draft(body=f"Text {day}.", url=URL, day=f"2024-03-0{day}")])
    (gone,) = save(database, [numbered(1)])
    with database.transaction() as session:
        articles.remove(session, gone.id)
    now = datetime.now(UTC)
    assert upkeep.drop(database, days=2, now=now + timedelta(days=1)) == 0
    assert upkeep.drop(database, days=2, now=now + timedelta(days=3)) == 6
    with database.transaction() as session:
        articles.restore(session, gone.id)
        assert articles.count(session) == 2
        assert upkeep.kept(session)["versions"] == 8


def test_a_restore_erases_again_what_was_erased_since_the_backup(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    with factories.store(tmp_path) as database:
        saved = save(database, [draft(url=URL), numbered(1)])
    backup.back_up(settings, tmp_path / "old.db")
    with factories.store(tmp_path) as database:
        later = save(database, [numbered(2, url=f"{URL}/2")])[0]
        for each in (saved[0], later):
            with database.transaction() as session:
                articles.erase(session, each.id)
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
        engine.verify()
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
