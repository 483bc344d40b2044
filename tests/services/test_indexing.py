from __future__ import annotations

import random
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.articles import changes, removal
from app.errors import EngineBusy, IndexForeign, IndexMissing
from app.search import open_engine
from app.search.engine import Request
from app.search.query import parse
from app.services import indexing, search
from app.settings import Settings
from app.store import sequence
from app.writes import Write
from tests import factories
from tests.factories import numbered, save

if TYPE_CHECKING:
    from app.search.engine import Engine
    from app.store.database import Database


def total(engine: Engine, q: str | None = None) -> int:
    return engine.search(Request(query=parse(q) if q else None)).total


def stamp_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "index" / "whoosh.json"


def change_stamp(tmp_path: Path, **fields: object) -> None:
    path = stamp_path(tmp_path)
    changed = orjson.loads(path.read_bytes()) | fields
    del changed["checksum"]  # older versions wrote none
    path.write_bytes(orjson.dumps(changed))


def test_the_first_sync_builds_the_index(database: Database, engine: Engine) -> None:
    save(database, [numbered(n) for n in range(5)])
    done = indexing.sync(database, engine)
    assert (done.applied, done.cursor) == (5, 1)
    assert "no index" in (done.rebuilt or "")
    assert total(engine, "valley") == 5
    assert indexing.check(database, engine).agrees


def test_a_later_sync_takes_in_only_what_changed(database: Database, engine: Engine) -> None:
    saved = save(database, [numbered(n) for n in range(5)])
    indexing.sync(database, engine)
    save(database, [numbered(9)])
    with database.transaction() as session:
        removal.remove(session, saved[0].id)
    done = indexing.sync(database, engine)
    assert (done.applied, done.cursor, done.rebuilt) == (2, 3, None)
    assert indexing.sync(database, engine).applied == 0
    assert total(engine) == 5
    assert indexing.check(database, engine).agrees


def test_another_engine_builds_an_index_of_its_own_and_going_back_only_follows(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    save(database, [numbered(n) for n in range(5)])
    indexing.sync(database, engine)
    chosen = Settings(data_dir=tmp_path / "data", search_engine="tantivy")
    other = open_engine(chosen)
    done = indexing.sync(database, other)
    assert (done.applied, done.rebuilt) == (5, "no index has been built")
    save(database, [numbered(9)])
    for each in (other, engine):
        done = indexing.sync(database, each)
        assert (done.applied, done.rebuilt) == (1, None)
        assert total(each, "valley") == 6
        assert indexing.check(database, each).agrees
    other.close()


def test_a_worn_index_is_built_anew(
    database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(database, [numbered(n) for n in range(5)])
    indexing.sync(database, engine)
    worn = replace(engine.stamp(), is_worn=True)
    monkeypatch.setattr(engine, "stamp", lambda: worn)
    done = indexing.sync(database, engine)
    assert (done.applied, done.rebuilt) == (5, "much of it is articles that were removed")


def test_batches_follow_one_another(
    database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 3)
    for start in range(0, 20, 2):
        save(database, [numbered(start), numbered(start + 1)])
    batches: list[int] = []
    indexing.sync(database, engine, progress=batches.append)
    assert sum(batches) == 20
    assert max(batches) == 4, "whole changes only"
    assert indexing.check(database, engine).agrees


def test_a_stopped_sync_keeps_what_it_has_done_and_is_resumed(
    database: Database, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexing.sync(database, engine)
    monkeypatch.setattr(indexing, "BATCH", 1)
    for n in range(4):
        save(database, [numbered(n)])
    answers = iter([False, False, True])
    done = indexing.sync(database, engine, stop=lambda: next(answers))
    assert (done.applied, done.cursor) == (2, 2)
    assert indexing.sync(database, engine).applied == 2


def test_a_stopped_rebuild_is_given_up(database: Database, engine: Engine) -> None:
    save(database, [numbered(1)])
    with pytest.raises(indexing.SyncStopped):
        indexing.rebuild(database, engine, stop=lambda: True)
    with pytest.raises(IndexMissing):
        engine.stamp()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cursor": 99}, "ahead of the database"),
        ({"store_id": str(uuid4())}, "another store"),
        ({"schema_version": 0}, "schema is version 0"),
        ({"analyzer_version": 0}, "analysis is version 0"),
        ({"files": None}, "unreadable stamp"),
        ({"directory": "whoosh-gone"}, "is missing"),
        ({"directory": "../../elsewhere"}, "unreadable stamp"),
    ],
)
def test_an_index_that_is_not_ours_is_built_anew(
    database: Database, engine: Engine, tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    save(database, [numbered(n) for n in range(3)])
    indexing.sync(database, engine)
    change_stamp(tmp_path, **fields)
    report = indexing.check(database, engine)
    assert not report.agrees
    done = indexing.sync(database, engine)
    assert done.rebuilt
    assert re.search(reason, done.rebuilt)
    assert total(engine) == 3
    assert indexing.check(database, engine).agrees


def test_a_damaged_index_is_built_anew_and_kept(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    save(database, [numbered(n) for n in range(30)])
    indexing.sync(database, engine)
    index = tmp_path / "data" / "index"
    for path in sorted(index.rglob("MAIN_*.pst")):
        path.write_bytes(path.read_bytes()[:10])
    assert indexing.state(database, engine).name == "damaged"
    done = indexing.sync(database, engine)
    assert "bytes, not" in (done.rebuilt or "")
    assert list(index.glob("damaged-whoosh-*"))
    assert total(engine, "valley") == 30


def test_a_writer_that_is_busy_is_left_alone(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    save(database, [numbered(1)])
    indexing.sync(database, engine)
    save(database, [numbered(2)])
    other = open_engine(factories.settings(tmp_path))
    with other.rebuilding(uuid4()) as beside:
        with pytest.raises(EngineBusy):
            indexing.sync(database, engine)
        indexing.check(database, engine)
        beside.close()
    other.close()


def test_check_finds_what_is_missing_extra_and_outdated(database: Database, engine: Engine) -> None:
    saved = save(database, [numbered(n) for n in range(4)])
    indexing.sync(database, engine)
    (first, *_), cursor = [each.id for each in saved], engine.stamp().cursor
    with database.reading() as session:
        states = changes.states(session, [each.id for each in saved])
    lost = replace(states[0], document=None)
    old = replace(states[1], change=0)
    stranger = replace(states[2], id=uuid4())
    engine.apply([lost, old, stranger], cursor)
    report = indexing.check(database, engine)
    assert not report.agrees
    assert (report.missing, report.outdated) == ([lost.id], [old.id])
    assert report.extra == [stranger.id]
    indexing.repair(database, engine, report)
    after = indexing.check(database, engine)
    assert after.agrees
    assert first in dict(engine.entries())


def test_changes_that_wait_for_the_next_sync_are_no_difference(
    database: Database, engine: Engine
) -> None:
    saved = save(database, [numbered(n) for n in range(3)])
    indexing.sync(database, engine)
    save(database, [numbered(9), numbered(0, reader_version=2, byline="Ada Byron")])
    with database.transaction() as session:
        removal.remove(session, saved[1].id)
    report = indexing.check(database, engine)
    assert report.agrees
    assert (report.pending, report.articles) == (2, 3)


def test_repair_builds_a_damaged_index_anew(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    save(database, [numbered(1)])
    indexing.sync(database, engine)
    stamp_path(tmp_path).write_bytes(b"{")
    report = indexing.check(database, engine)
    assert "unreadable stamp" in (report.damaged or "")
    indexing.repair(database, engine, report)
    assert indexing.check(database, engine).agrees


@settings(max_examples=15)
@given(st.integers(0, 2**32), st.integers(5, 25))
def test_after_random_saves_removals_syncs_and_damage_check_is_empty(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("random")
    engine = open_engine(factories.settings(folder))
    with factories.store(folder) as database:
        stored: dict[int, object] = {}
        for step in range(steps):
            number = chance.randrange(8)
            kind = chance.choice(["save", "save", "remove", "sync", "damage"])
            if kind == "save":
                day = f"2024-03-{step + 1:02}"
                (saved,) = save(database, [numbered(number, day=day, guid=f"urn:x:{number}")])
                stored[number] = saved.id
                if saved.outcome == "removed":
                    with database.transaction() as session:
                        removal.restore(session, saved.id)
            elif kind == "remove" and number in stored:
                with database.transaction() as session:
                    removal.remove(session, stored.pop(number))  # type: ignore[arg-type]
            elif kind == "sync":
                indexing.sync(database, engine)
            elif files := sorted((folder / "data" / "index").rglob("MAIN_*")):
                victim = chance.choice(files)
                if victim.is_file():
                    victim.write_bytes(victim.read_bytes()[: chance.randrange(40)])
        indexing.sync(database, engine)
        report = indexing.check(database, engine)
        assert report.agrees, report
        assert report.articles == len(stored) == total(engine)
    engine.close()


def put_back(tmp_path: Path, database: Database) -> Path:
    """A copy of the store as it is now, in the manner of `cp`."""
    assert database.truncate_log()
    return Path(shutil.copy(tmp_path / "data" / "broadsheet.db", tmp_path / "copy.db"))


def test_an_index_of_a_lost_history_is_rebuilt_whatever_the_numbers_say(
    database: Database, engine: Engine, tmp_path: Path
) -> None:
    save(database, [numbered(0)])
    copy = put_back(tmp_path, database)
    save(database, [numbered(1, byline="Lost")])
    indexing.sync(database, engine)
    copy.rename(tmp_path / "data" / "broadsheet.db")
    save(database, [numbered(2)])
    assert engine.stamp().cursor == 2
    with database.reading() as session, pytest.raises(IndexForeign, match="change 2"):
        search.search(session, engine, Request(query=None))
    assert indexing.state(database, engine).name == "outdated"
    assert not indexing.check(database, engine).agrees
    assert "another history" in (indexing.sync(database, engine).rebuilt or "")
    assert indexing.check(database, engine).agrees
    assert total(engine) == 2


def test_a_history_that_changes_between_two_batches_is_noticed(
    database: Database, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 1)
    save(database, [numbered(0)])
    indexing.sync(database, engine)
    copy = put_back(tmp_path, database)
    for number in range(1, 4):
        save(database, [numbered(number)])

    def replace_it(_: int) -> None:
        if copy.exists():
            copy.rename(tmp_path / "data" / "broadsheet.db")
            for number in range(11, 16):
                save(database, [numbered(number)])

    assert "another history" in (indexing.sync(database, engine, progress=replace_it).rebuilt or "")
    assert indexing.check(database, engine).agrees
    assert total(engine) == 6


def test_a_batch_is_not_applied_to_an_index_that_another_process_has_moved_on(
    database: Database, engine: Engine
) -> None:
    save(database, [numbered(0)])
    indexing.sync(database, engine)
    before = engine.stamp()
    save(database, [numbered(1)])
    indexing.sync(database, engine)
    engine.apply([], 9, history=Write(9, "x"), after=before.history)
    assert engine.stamp().cursor == 2


def test_an_index_that_is_ahead_of_a_session_is_no_other_history(
    database: Database, engine: Engine
) -> None:
    save(database, [numbered(0)])
    with database.reading() as session:
        sequence.count(session)
        save(database, [numbered(1)])
        indexing.sync(database, engine)
        assert search.find(session, engine, Request(query=None), highlight=False).lag == 0
