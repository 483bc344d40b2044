"""Out of an archive and into another one: what is served is the same, what is shut stays shut."""

from __future__ import annotations

import io
import os
import random
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import ingest
from app.articles import export, history, import_, removal, save
from app.articles import read as articles
from app.errors import Moved, NotFound
from app.filters import Filters, parse
from app.ingest.draft import Draft, Reject
from app.ingest.options import Options
from app.services import maintenance
from app.store import sequence
from app.store.models import metadata
from tests import factories
from tests.factories import draft, numbered
from tests.stories import worlds
from tests.stories.test_histories import Play

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlmodel import Session

    from app.store.database import Database

URL = "https://example.org/rain"
_folders = count()


@contextmanager
def stores(folder: Path, number: int = 2) -> Iterator[list[Database]]:
    """Empty stores of their own, each with its secret."""
    with ExitStack() as stack:
        found = []
        for _ in range(number):
            found.append(stack.enter_context(factories.store(folder / f"store{next(_folders)}")))
            with found[-1].transaction() as session:
                session.execute(update(metadata.tables["store"]).values(secret=os.urandom(32)))
        yield found


def exported(database: Database, *, since: int = 0, everything: bool = False) -> bytes:
    with database.reading() as session:
        found = (
            export.everything(session, since=since)
            if everything
            else export.served(session, Filters(), since=since)
        )
        return b"".join(orjson.dumps(each) + b"\n" for each in found)


def read(raw: bytes, path: str = "out.jsonl") -> list[Draft]:
    found = list(ingest.read(io.BufferedReader(io.BytesIO(raw)), path, Options(ids="taken")))
    assert not [each for each in found if isinstance(each, Reject)]
    return [each for each in found if isinstance(each, Draft)]


def taken(database: Database, raw: bytes, path: str = "out.jsonl") -> list[save.Saved]:
    with database.transaction() as session:
        load = save.Load("load")
        return import_.take(session, read(raw, path), publisher=None, load=load)


def everything_of(session: Session) -> list[UUID]:
    ids = select(metadata.tables["story"].c.id)
    gone = select(metadata.tables["tombstone"].c.article_id)
    return sorted(session.scalars(ids.union(gone)))


def served(database: Database, ids: list[UUID]) -> dict[str, Any]:
    """All that is answered about `ids`, but for the store's own numbers of changes and loads."""
    found: dict[str, Any] = {}
    with database.reading() as session:
        for id_ in ids:
            try:
                whole = orjson.loads(orjson.dumps(articles.get(session, id_)))
            except (Moved, NotFound) as error:
                said = f"{type(error).__name__}: {error}"
                # Each archive erases by itself, and says when it did.
                found[str(id_)] = said.partition(" is erased since ")[0]
                continue
            del whole["change"]
            for each in whole["sources"]:
                del each["load"]
            listed = history.versions(session, id_)
            versions = [
                history.version(session, id_, each.version) for each in listed.items if each.is_kept
            ]
            found[str(id_)] = (articles.digest(session, id_), whole, listed, versions)
    return found


def ids_of(database: Database) -> list[UUID]:
    with database.reading() as session:
        return everything_of(session)


def is_served(found: dict[str, Any], id_: str) -> bool:
    """Whether readers find an article there, or are led to one."""
    answer = found[id_]
    if not isinstance(answer, str):
        return True
    return answer.startswith("Moved") and is_served(found, answer.split()[-2])


@settings(
    max_examples=12, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)  # a history shrinks to no other
@given(seed=st.integers(0, 2**32))
@example(seed=11673604)  # a join brings a text twice, whose versions arrived together
@example(seed=70)  # one article is joined into another, which is erased
def test_an_empty_archive_serves_the_same_after_loading_an_export(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    with stores(tmp_path_factory.mktemp("out"), 4) as (one, follower, whole, fresh):
        play = Play(one)
        operations = worlds.history(chance)
        middle = chance.randint(0, len(operations))
        for each in operations[:middle]:
            play.do(each)
        taken(follower, exported(one))
        with one.reading() as session:
            last = sequence.last_change(session)
        for each in operations[middle:]:
            play.do(each)
        ids = ids_of(one)
        expected = served(one, ids)
        open_ = {id_: expected[id_] for id_ in expected if is_served(expected, id_)}
        taken(whole, exported(one, everything=True))
        assert served(whole, ids) == expected
        taken(fresh, exported(one))
        found = served(fresh, ids)
        assert {id_: found[id_] for id_ in open_} == open_
        assert not [id_ for id_ in found if id_ not in open_ and is_served(found, id_)]
        taken(follower, exported(one, since=last))
        # What is served tells of nothing that went out: there it has its keys still, and another
        # article that has them now comes as an input.
        if not {each[0] for each in operations} & {"join", "erase", "remove", "kill"}:
            found = served(follower, ids)
            assert {id_: found[id_] for id_ in open_} == open_
        for database, raw in ((fresh, exported(one)), (whole, exported(one, everything=True))):
            before = served(database, ids)
            assert {each.outcome for each in taken(database, raw)} <= {
                *("unchanged", "removed", "withheld")
            }
            assert served(database, ids) == before


def test_relations_and_texts_that_are_lost_come_along(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        saved = factories.save(one, [numbered(n, page="p", position=3 - n) for n in range(3)])
        for day in range(1, 4):
            text = draft(body=f"Text {day}.", url=URL, day=f"2024-03-0{day}")
            factories.save(one, [text])
        later = datetime.now(UTC) + timedelta(days=3)
        assert maintenance.drop(one, days=2, now=later) == 2
        taken(other, exported(one))
        ids = ids_of(one)
        expected = served(one, ids)
        assert served(other, ids) == expected
        related = expected[str(saved[0].id)][1]["related"]
        assert [each["id"] for each in related] == [str(saved[2].id), str(saved[1].id)]


def test_what_was_taken_out_stays_shut_whatever_comes_again(tmp_path: Path) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    drafts = [
        draft("Removed", url=f"{URL}/1"),
        draft("Erased", url=f"{URL}/2"),
        draft("Waits", url=f"{URL}/3", embargoed_until=until),
        draft("Killed", guid="urn:x:4"),
    ]
    kill = draft("", "", guid="urn:x:4", status="canceled")
    with stores(tmp_path) as (one, other):
        ids = [each.id for each in factories.save(one, drafts)]
        factories.save(one, [kill])
        with one.transaction() as session:
            removal.remove(session, ids[0])
            removal.erase(session, ids[1])
        raw = exported(one, everything=True)
        assert b"Erased" not in raw
        assert exported(one) == b""
        outcomes = [each.outcome for each in taken(other, raw)]
        assert sorted(outcomes) == ["removed", "removed", "withheld", "withheld"]
        assert served(other, ids) == served(one, ids)
        again = factories.save(other, drafts)
        assert [each.outcome for each in again] == ["removed", "removed", "withheld", "stale"]
        assert [each.id for each in again] == ids
        assert maintenance.release(other, now=until) == 1
        with other.transaction() as session:
            removal.restore(session, ids[0])
            assert articles.get(session, ids[0]).headline == "Removed"
            assert articles.get(session, ids[2]).headline == "Waits"


def test_a_follower_erases_and_removes_what_the_other_archive_does(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        ids = [each.id for each in factories.save(one, [draft(url=URL), numbered(1), numbered(2)])]
        taken(other, exported(one, everything=True))
        with one.transaction() as session:
            removal.erase(session, ids[0])
            removal.remove(session, ids[1])
        taken(other, exported(one, everything=True))
        found = served(other, ids)
        assert found == served(one, ids)
        assert [is_served(found, str(each)) for each in ids] == [False, False, True]
        assert [each.outcome for each in factories.save(other, [draft(url=URL)])] == ["removed"]


def hostile(id_: UUID, **more: Any) -> bytes:
    return orjson.dumps({"id": id_, "broadsheet": {"export": 1, **more}}) + b"\n"


VERSION = {
    "number": 1,
    "arrival": 1,
    "arrived_at": "2024-03-01T00:00:00Z",
    "is_full": True,
    "held": [0, 0],
}


@pytest.mark.parametrize(
    "more",
    [
        {"state": "erased"},
        {"state": "erased", "secret": "00" * 32},
        {"state": "removed", "versions": [VERSION]},
        {"state": "removed", "gone": {"why": "removed", "at": "2024-03-01T00:00:00Z"}},
        {"versions": [VERSION | {"due_at": "2999-01-01T00:00:00Z"}]},
        {"versions": [VERSION | {"given": [-(2**62), 0]}]},
        {"gone": {"why": "erased", "at": "2024-03-01T00:00:00Z"}},
    ],
)
def test_a_file_takes_no_article_out_of_an_archive_with_another_secret(
    tmp_path: Path, more: dict[str, Any]
) -> None:
    with stores(tmp_path, 1) as (one,):
        (saved, other) = factories.save(one, [draft(url=URL), numbered(1)])
        before = served(one, [saved.id, other.id])
        taken(one, hostile(saved.id, **more))
        taken(one, hostile(UUID(int=5), joined=[saved.id], **more))
        after = served(one, [saved.id, other.id])
        for found in (*before.values(), *after.values()):
            del found[1]["sources"]
        assert after == before


def test_texts_of_what_was_removed_elsewhere_are_no_inputs(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        (saved,) = factories.save(one, [draft(body="Not to be read.", url=URL, day="2025-01-01")])
        with one.transaction() as session:
            removal.remove(session, saved.id)
        (own,) = factories.save(other, [draft("Another headline", guid="urn:x:1", url=URL)])
        before = served(other, [own.id])
        taken(other, exported(one, everything=True))
        assert served(other, [own.id]) == before


def test_stories_of_one_guid_stay_apart_when_they_come_one_by_one(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        drafts = [
            draft("Rain", "It rained all day.", guid="1", url=URL, day="2024-03-01"),
            draft("Snow", "Nobody saw it fall.", guid="1", url=f"{URL}/2", day="2024-03-02"),
        ]
        factories.save(one, drafts)
        for line in exported(one).splitlines():
            assert [each.outcome for each in taken(other, line)] == ["saved"]
        ids = ids_of(one)
        assert served(other, ids) == served(one, ids)


def test_what_comes_again_in_an_export_stays_when_its_load_is_taken_back(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        (saved,) = factories.save(one, [draft(url=URL)])
        taken(other, exported(one))
        before = served(other, [saved.id])
        load = save.Load("load")
        with other.transaction() as session:
            drafts = [*read(exported(one)), numbered(1)]
            import_.take(session, drafts, publisher=None, load=load)
        with other.transaction() as session:
            assert load.id is not None
            removal.undo(session, load.id)
        assert served(other, [saved.id]) == before


def test_into_an_archive_that_has_the_address_versions_are_inputs(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        factories.save(one, [draft(body="Old text.", url=URL)])
        factories.save(one, [draft(body="New text.", url=URL, day="2024-03-02")])
        (own,) = factories.save(other, [draft("Another headline", guid="urn:x:1", url=URL)])
        assert own.id != ids_of(one)[0] or own.outcome == "saved"
        with other.transaction() as session:
            step = update(metadata.tables["article"]).values(section="ours")
            session.execute(step)
        (saved,) = taken(other, exported(one))
        assert (saved.outcome, saved.id) == ("revised", own.id)
        assert taken(other, exported(one))[0].outcome == "unchanged"


def test_many_long_versions_are_several_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PART_CHARS", 100)
    with stores(tmp_path) as (one, other):
        for day in range(1, 6):
            factories.save(one, [draft(body=f"Text {day}. " * 9, url=URL, day=f"2024-03-0{day}")])
        raw = exported(one)
        assert raw.count(b"\n") == 5
        taken(other, raw)
        ids = ids_of(one)
        assert served(other, ids) == served(one, ids)


def test_a_load_of_an_export_is_taken_back(tmp_path: Path) -> None:
    with stores(tmp_path) as (one, other):
        factories.save(one, [numbered(1), draft(url=URL)])
        factories.save(one, [draft(body="Longer text.", url=URL, day="2024-04-01")])
        load = save.Load("load")
        with other.transaction() as session:
            import_.take(session, read(exported(one)), publisher=None, load=load)
            assert load.id is not None
            removal.undo(session, load.id)
            assert sequence.count(session) == 0


def test_filters_choose_what_is_exported(tmp_path: Path) -> None:
    with stores(tmp_path, 1) as (one,):
        factories.save(one, [numbered(1, source="Post"), numbered(2, url=URL, source="Tide")])
        for filters in (parse({"source": ["tide"]}), parse({}, urls=[URL])):
            with one.reading() as session:
                found = list(export.served(session, filters))
            assert [each["source"] for each in found] == ["Tide"]


SHOWN = VERSION | {"shown": True}


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "x"},
        {"headline": 5},
        {"headline": "A" * 2000},
        {"headline": ""},
        {"url": "javascript:alert(1)"},
        {"language": "../en"},
        {"published_at": "0001-01-01T00:00:00Z"},
        {"broadsheet": {"export": 2}},
        {"broadsheet": {"export": 1, "versions": [{"number": 1}]}},
        {"broadsheet": {"export": 1, "versions": [SHOWN, SHOWN]}},
        {"broadsheet": {"export": 1, "versions": [SHOWN | {"given": [2**62, 0]}]}},
        {"broadsheet": {"export": 1, "versions": [SHOWN | {"fields": {"body": 7}}]}},
        {"broadsheet": {"export": 1, "versions": [VERSION | {"fields": {}}]}},
        {
            "broadsheet": {
                "export": 1,
                "versions": [SHOWN | {"arrived_at": "9999-12-31T23:00:00-12:00"}],
            }
        },
    ],
)
def test_what_no_archive_exports_is_rejected(wrong: dict[str, Any]) -> None:
    record = {
        "id": "1aeecf34-6a2b-5a27-9f95-3e274c8ef741",
        "headline": "A",
        "broadsheet": {"export": 1, "versions": [SHOWN]},
    }

    def found(record: dict[str, Any]) -> list[Draft | Reject]:
        raw = io.BufferedReader(io.BytesIO(orjson.dumps(record)))
        return list(ingest.read(raw, "out.jsonl", Options(ids="taken")))

    assert isinstance(found(record)[0], Draft)
    assert isinstance(found(record | wrong)[0], Reject)
