from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from app.articles import changes as articles_changes
from app.articles import read as articles
from app.articles import removal
from app.entities import counts, mentions
from app.errors import ExtractorBusy, StoreError
from app.extract import open_extractor
from app.extract.base import Failure
from app.services import extraction
from tests import factories
from tests.factories import draft, numbered, save
from tests.fake_extractor import FakeExtractor

if TYPE_CHECKING:
    from uuid import UUID

    from app.store.database import Database

BYRON = (
    "The seven towns of the northern coast met. Ada Byron spoke in Cairo, Byron left for Muscat."
)


def sweep(
    database: Database, tmp_path: Path, extractor: FakeExtractor | None = None, **more: Any
) -> extraction.Swept:
    return extraction.sweep(database, extractor or FakeExtractor(), tmp_path / "lock", **more)


def surfaces(database: Database, article_id: UUID) -> list[str]:
    with database.reading() as session:
        return [each.surface for each in articles.get(session, article_id).mentions]


def state(database: Database) -> extraction.ExtractionStatus:
    with database.reading() as session:
        return extraction.state(session)


def test_a_sweep_finds_the_mentions_of_what_is_stored(database: Database, tmp_path: Path) -> None:
    summary = ("Rain in Cairo", "Omar Díaz is late")
    (saved,) = save(database, [draft("Ada Byron", BYRON, dateline="MUSCAT", summary=summary)])
    done = sweep(database, tmp_path)
    assert (done.read, done.changed, done.failed, done.cursor) == (1, 1, 0, 2)
    with database.reading() as session:
        whole = articles.get(session, saved.id)
    texts = {"headline": whole.headline, "dateline": whole.dateline or "", "body": whole.body}
    for each in whole.mentions:
        content = texts[each.field] if each.index is None else whole.summary[each.index]
        assert content[each.start : each.end] == each.surface
    assert [each.surface for each in whole.mentions] == [
        *("Ada Byron", "Cairo", "Omar Díaz", "MUSCAT", "Ada Byron", "Cairo", "Byron", "Muscat")
    ]
    assert {each.name for each in whole.mentions if each.type == "person"} == {
        *("Ada Byron", "Omar Díaz")
    }


def test_articles_whose_mentions_change_take_a_change_and_others_do_not(
    database: Database, tmp_path: Path
) -> None:
    about, without = save(
        database, [draft("Byron", BYRON, guid="urn:x:1"), draft("Rain", "It rained.")]
    )
    sweep(database, tmp_path)
    with database.reading() as session:
        changes = dict(articles_changes.versions(session))
    assert changes == {about.id: 2, without.id: 1}


def test_a_second_sweep_reads_nothing_again(database: Database, tmp_path: Path) -> None:
    save(database, [draft("Byron", BYRON, guid="urn:x:1"), draft("Rain", "It rained.")])
    sweep(database, tmp_path)
    assert state(database).lag == 0
    again = sweep(database, tmp_path)
    assert (again.read, again.cursor) == (0, 2)


def test_only_what_changed_is_read(database: Database, tmp_path: Path) -> None:
    save(database, [draft("Byron", BYRON, guid="urn:x:1"), draft("Rain", "It rained.")])
    sweep(database, tmp_path)
    save(database, [draft("Snow", "It snowed in Cairo.")])
    extractor = FakeExtractor()
    assert sweep(database, tmp_path, extractor).changed == 1
    assert extractor.read == ["Snow"]


def test_another_input_of_an_article_needs_no_reading(database: Database, tmp_path: Path) -> None:
    save(database, [draft("Byron", BYRON, guid="urn:x:1")])
    sweep(database, tmp_path)
    save(database, [draft("Byron", BYRON, guid="urn:x:1", path="elsewhere.txt")])
    assert sweep(database, tmp_path).read == 0
    assert state(database).lag == 0


def test_a_revised_article_loses_its_mentions_until_it_is_read(
    database: Database, tmp_path: Path
) -> None:
    (saved,) = save(database, [draft("Byron", BYRON, guid="urn:x:1")])
    sweep(database, tmp_path)
    body = BYRON.replace("Byron left for Muscat", "she stays")
    save(database, [draft("Byron", body, day="2024-03-02", guid="urn:x:1")])
    assert surfaces(database, saved.id) == []
    sweep(database, tmp_path)
    assert surfaces(database, saved.id) == ["Byron", "Ada Byron", "Cairo"]


def test_another_version_reads_everything_anew(database: Database, tmp_path: Path) -> None:
    (saved,) = save(database, [draft("Byron", BYRON, guid="urn:x:1")])
    sweep(database, tmp_path)
    save(database, [numbered(1)])
    newer = FakeExtractor("fake 2", {"Muscat": ("place", "Muscat", None)})
    done = sweep(database, tmp_path, newer)
    assert (done.read, done.changed) == (2, 1)
    assert surfaces(database, saved.id) == ["Muscat"]
    assert state(database).extractor == "fake 2"


def test_another_version_goes_on_where_it_was_interrupted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "WRITTEN", 2)
    save(database, [numbered(n, byline=None) for n in range(5)])
    sweep(database, tmp_path)
    answers = iter([False, True])
    newer = FakeExtractor("fake 2")
    stopped = sweep(database, tmp_path, newer, stop=lambda: next(answers))
    assert stopped.read == 2
    again = sweep(database, tmp_path, FakeExtractor("fake 2"))
    assert again.read == 3
    assert extraction.waiting(database, "fake 2") == 0
    assert extraction.waiting(database, "fake 3") == 5


def test_a_crash_between_batches_loses_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "WRITTEN", 2)
    save(database, [draft(f"Story {n}", f"Number {n}. {BYRON}") for n in range(6)])

    class Killed(BaseException):
        pass

    def kill(_count: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        sweep(database, tmp_path, progress=kill)
    extractor = FakeExtractor()
    assert sweep(database, tmp_path, extractor).changed == 4
    assert len(extractor.read) == 4
    with database.reading() as session:
        count = session.connection().exec_driver_sql("SELECT count(*) FROM mention").scalar()
    assert count == 24


def test_batches_and_changes_follow_one_another(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "BATCH", 3)
    monkeypatch.setattr(extraction, "WRITTEN", 2)
    for start in range(0, 10, 2):
        stories = [draft(f"Story {n}", f"{n} {BYRON}") for n in (start, start + 1)]
        save(database, stories)
    read: list[int] = []
    done = sweep(database, tmp_path, progress=read.append)
    assert sum(read) == done.read == done.changed == 10
    assert state(database).lag == 0


def test_few_articles_of_many_names_are_written_at_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(database, [draft(f"Story {n}", f"{n} {BYRON}") for n in range(5)])
    save(database, [draft("Nobody", "Rain fell on the hills, on the sea and on nobody at all.")])
    rows = 4 + 3 * 2  # four mentions of three entities, each a companion of the two others
    monkeypatch.setattr(counts, "MOST_ROWS", 2 * rows)
    read: list[int] = []
    sweep(database, tmp_path, progress=read.append)
    assert read == [2, 2, 2]


def test_an_article_that_cannot_be_read_is_reported_and_passed_over(
    database: Database, tmp_path: Path
) -> None:
    bad, good = save(database, [draft("Bad", f"Riddle. {BYRON}"), draft("Good", BYRON)])
    done = sweep(database, tmp_path, FakeExtractor(broken="Riddle"))
    assert (done.read, done.changed, done.failed) == (2, 1, 1)
    assert surfaces(database, bad.id) == []
    assert surfaces(database, good.id)
    with database.reading() as session:
        (failed,) = extraction.failures(session)
    assert (failed.id, failed.headline, failed.error) == (bad.id, "Bad", "too hard")
    assert state(database).failures == 1
    assert sweep(database, tmp_path, FakeExtractor(broken="Riddle")).read == 0
    assert sweep(database, tmp_path, FakeExtractor("fake 2")).read == 2
    assert state(database).failures == 0


def test_an_article_that_is_revised_or_removed_meanwhile_is_left_alone(
    database: Database, tmp_path: Path
) -> None:
    revised, removed = save(database, [draft("One", BYRON, guid="urn:x:1"), draft("Two", BYRON)])

    class Slow(FakeExtractor):
        def extract(self, texts: Any) -> Any:
            found = list(super().extract(texts))
            if len(texts) == 2:
                newer = BYRON.replace("Cairo", "Muscat")
                save(database, [draft("One", newer, day="2024-03-02", guid="urn:x:1")])
                with database.transaction() as session:
                    removal.remove(session, removed.id)
            yield from found

    done = sweep(database, tmp_path, Slow())
    assert (done.read, done.changed) == (3, 1)
    assert surfaces(database, revised.id) == ["Ada Byron", "Muscat", "Byron", "Muscat"]


def test_removals_at_the_end_are_taken_in(database: Database, tmp_path: Path) -> None:
    (saved,) = save(database, [draft("Byron", BYRON, guid="urn:x:1")])
    sweep(database, tmp_path)
    with database.transaction() as session:
        removal.remove(session, saved.id)
    assert state(database).lag == 1
    sweep(database, tmp_path)
    assert state(database).lag == 0


def test_two_extractors_do_not_meet(database: Database, tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock"), pytest.raises(ExtractorBusy, match="another process"):
        sweep(database, tmp_path)


def test_a_lock_that_cannot_be_made_is_said(database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="the lock cannot be taken"):
        extraction.sweep(database, FakeExtractor(), tmp_path / "file" / "lock")


def test_a_mention_of_nothing_known_is_kept_when_reading_fails(database: Database) -> None:
    (saved,) = save(database, [draft("Byron", BYRON, guid="urn:x:1")])
    (found,) = FakeExtractor().extract([_text(database, saved.id)])
    with database.reading() as session:
        digest = session.connection().exec_driver_sql("SELECT digest FROM article").scalar_one()
    for result in (found, Failure("too hard")):
        with database.transaction() as session:
            reading = mentions.ExtractionResult(saved.id, digest, result)
            mentions.write(session, [reading], version="fake 1")
    assert len(surfaces(database, saved.id)) == 5


def _text(database: Database, article_id: UUID) -> Any:
    from app.extract.base import Text

    with database.reading() as session:
        whole = articles.get(session, article_id)
    return Text(whole.headline, whole.summary, whole.caption, whole.dateline, whole.body)


def test_a_store_of_the_tables_before_is_read_from_its_first_change(tmp_path: Path) -> None:
    with factories.store(tmp_path) as database:
        assert state(database) == extraction.ExtractionStatus(None, 0, 0, 0)


def test_a_store_that_is_replaced_meanwhile_keeps_its_own_cursor(
    database: Database, tmp_path: Path
) -> None:
    save(database, [draft("Ada Byron", BYRON)])
    assert database.truncate_log()
    copy = Path(shutil.copy(tmp_path / "data" / "broadsheet.db", tmp_path / "copy.db"))
    for number in range(4):
        save(database, [numbered(number)])

    def replace_it(_: int) -> None:
        if copy.exists():
            copy.rename(tmp_path / "data" / "broadsheet.db")
            for number in range(5):
                save(database, [draft(f"Another {number}", f"{BYRON} Number {number}.")])

    sweep(database, tmp_path, progress=replace_it)
    with database.reading() as session:
        found = [articles.get(session, id_) for id_, _ in articles_changes.versions(session)]
    assert len(found) == 6
    assert all(each.mentions for each in found)


def test_the_extractor_is_told_the_language(database: Database, tmp_path: Path) -> None:
    german = draft(headline="Reise", body="Otto Brandt ist nach Paris gereist.", language="de")
    (saved,) = save(database, [german])
    extraction.sweep(database, open_extractor("rules"), tmp_path / "lock")
    assert surfaces(database, saved.id) == ["Paris"]
