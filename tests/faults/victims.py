"""The commands that `soak` kills: how a store is readied for one, and what holds of it afterwards.

What holds after every command is `soak`'s: the database is whole, the index can be brought to
agree. A row of VICTIMS adds what its command promises besides.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
from alembic import command

from app.articles import changes, removal, save
from app.entities import read as entities
from app.extract import open_extractor
from app.filters import Filters
from app.search import open_engine
from app.search.engine import Change
from app.services import backup, extraction, indexing, maintenance, search
from app.store import keys, sequence
from app.store.database import Database, _alembic, file_of
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

ARTICLES = 1200


def log_of(folder: Path) -> Path:
    """What the last command in `folder` printed."""
    return folder / "victim.log"


def _nothing(_folder: Path) -> None:
    """The command promises nothing of its own."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A command to kill.

    `prepare` readies the store in a folder for one more start, with the number of the kill,
    and gives the command's arguments. `drive` keeps it busy until it is gone, and gives the
    ids that it acknowledged; without one the command is busy by itself. `prove` asserts what
    must hold of the folder after a kill as well as after the command's own end.
    """

    prepare: Callable[[Path, int], list[str]]
    drive: Callable[[subprocess.Popen[bytes], Path, float], list[str]] | None = None
    prove: Callable[[Path], None] = _nothing
    settings: Mapping[str, str] = field(default_factory=dict)


# --- load, sync, serve


def _pages(folder: Path, number: int) -> list[str]:
    path = folder / "in.jsonl"
    stories = (
        {"headline": f"Story {number} {n}", "body": f"Apples number {n} of {number}. " * 30}
        for n in range(ARTICLES)
    )
    path.write_text("".join(json.dumps(story) + "\n" for story in stories))
    return ["load", str(path)]


def _behind(folder: Path, number: int) -> list[str]:
    """Articles that no index has taken in; every second time there is no index at all."""
    _store(folder, range(number * ARTICLES, (number + 1) * ARTICLES))
    if number % 2:
        shutil.rmtree(folder / "data" / "index", ignore_errors=True)
    return ["sync"]


def _server(_folder: Path, _number: int) -> list[str]:
    return ["serve", "--port", "0"]


def _post(process: subprocess.Popen[bytes], folder: Path, moment_s: float) -> list[str]:
    """Write until the server has been killed, a moment after it was ready."""
    port = port_of(process, log_of(folder).read_text)
    acknowledged = []
    deadline = time.monotonic() + moment_s
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, timeout=120, headers=factories.KEYED) as client:
        for number in range(100_000):
            if time.monotonic() > deadline:
                process.kill()
            story = {"headline": f"Post {port} {number}", "body": f"Number {number}."}
            try:
                answer = client.post("/v1/articles", json=story)
            except httpx.TransportError:
                break
            acknowledged.append(answer.json()["items"][0]["id"])
    return acknowledged


# --- extract


def _unread(folder: Path, number: int) -> list[str]:
    """Articles that nothing has read, all with the same mentions."""
    body = "Minister Ada Byron of the United Nations flew from Cairo to Pakistan. Number {}."
    many = ARTICLES // 2
    _store(folder, range(number * many, (number + 1) * many), body=body)
    return ["extract"]


def _read_once(folder: Path) -> None:
    """Another sweep reads the rest; every article has its mentions once, and counts are exact."""
    lock = factories.settings(folder).extractor_lock
    with factories.store(folder) as database:
        extraction.sweep(database, open_extractor("rules", None), lock)
        with database.reading() as session:
            state = extraction.state(session)
    assert (state.lag, state.failures) == (0, 0)
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database_file:
        ((articles,),) = database_file.execute("SELECT count(*) FROM article")
        alike = database_file.execute(
            "SELECT mentions, count(*) FROM (SELECT group_concat(field || start || '-' || \"end\""
            " || surface) AS mentions FROM mention GROUP BY article_id) GROUP BY mentions"
        ).fetchall()
        assert [count for _, count in alike] == [articles], alike
        counts = database_file.execute(
            "SELECT article_count, mention_count, (SELECT count(*) FROM appearance WHERE"
            " entity = number), (SELECT count(*) FROM mention WHERE entity = number) FROM entity"
        ).fetchall()
        assert set(counts) == {(articles,) * 4}, counts
        met = database_file.execute("SELECT DISTINCT count FROM companion").fetchall()
        assert met == [(articles,)]


# --- migrate


def _outdated(folder: Path, number: int) -> list[str]:
    """The same articles each time, in the first or the second tables that there were."""
    if not number:
        _store(folder, range(ARTICLES), places=("Cairo", "Dubai", "Riyadh"))
    revision = "20261122_change_feed" if number % 2 else "20261122_articles"
    with (
        closing(Database.open(factories.settings(folder))) as database,
        database._engine.begin() as connection,
    ):
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    _remember(folder)
    return ["migrate"]


def _migrated(folder: Path) -> None:
    """Another run ends at the present tables, in which everything is that was in the old ones."""
    migrate = broadsheet("migrate")
    programs.run(migrate, env=environment(folder), check=True, capture_output=True)
    settings = factories.settings(folder)
    with closing(Database.open(settings)) as database:
        database.require_schema()
    assert _same(folder / "before.db", file_of(settings), but=("sighting",))
    with closing(sqlite3.connect(file_of(settings))) as database_file:
        for unfilled in ("article WHERE added != change", "place WHERE lower(label) != place_key"):
            assert database_file.execute(f"SELECT * FROM {unfilled}").fetchone() is None
        seen = database_file.execute("SELECT count(*), count(DISTINCT story_id) FROM sighting")
        assert seen.fetchone() == (ARTICLES, ARTICLES)
    _whole(folder)


# --- backup, restore


def _archived(folder: Path, number: int) -> list[str]:
    """A store that is ahead of its last backup; every second time there is none."""
    _store(folder, range(number + ARTICLES) if not number else [number + ARTICLES])
    _remember(folder)
    archive = folder / "backups" / "archive.db"
    archive.parent.mkdir(exist_ok=True)
    (folder / "earlier.db").unlink(missing_ok=True)
    if archive.exists():
        archive.rename(folder / "earlier.db")
        if number % 2:
            shutil.copy(folder / "earlier.db", archive)
    return ["backup", "--overwrite", str(archive)]


def _backed_up(folder: Path) -> None:
    """What has a backup's name is one, and the next backup makes one that restores to the store."""
    archive = folder / "backups" / "archive.db"
    if archive.exists():
        sources = [folder / "before.db", folder / "earlier.db"]
        assert any(_same(each, archive) for each in sources if each.exists())
    for left in archive.parent.iterdir():
        assert left == archive or left.name.startswith("archive.db.partial"), left
    backup.back_up(factories.settings(folder), archive, overwrite=True)
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]
    elsewhere = factories.settings(folder / "elsewhere")
    assert backup.restore(elsewhere, archive, overwrite=True).report.agrees
    assert _same(folder / "before.db", file_of(elsewhere))


def _restorable(folder: Path, number: int) -> list[str]:
    """A store that is ahead of a backup, which replaces it."""
    archive = folder / "archive.db"
    if not number:
        _store(folder, range(ARTICLES))
        backup.back_up(factories.settings(folder), archive)
    _store(folder, [number + ARTICLES])
    _remember(folder)
    return ["restore", "--overwrite", str(archive)]


def _restored(folder: Path) -> None:
    """The store is what it was or the backup, and the next restore makes it the backup."""
    settings = factories.settings(folder)
    store = file_of(settings)
    archive = folder / "archive.db"
    assert _same(archive, store) or _same(folder / "before.db", store)
    assert backup.restore(settings, archive, overwrite=True).report.agrees
    assert _same(archive, store)
    left = {path.name for path in store.parent.iterdir()}
    assert left <= {store.name, f"{store.name}.lock", f"{store.name}.checked", "index"}, left


# --- remove, erase, take back a load


def _removable(folder: Path, number: int) -> list[str]:
    """Articles of a source of their own beside others, all of them with two versions."""
    _revised(folder, number)
    return ["remove", "--source", f"source {number}"]


def _erasable(folder: Path, number: int) -> list[str]:
    return [*_removable(folder, number), "--erase"]


def _undoable(folder: Path, number: int) -> list[str]:
    """A load that revised some articles and brought others."""
    load = _revised(folder, number)
    return ["remove", "--load", str(load)]


def _revised(folder: Path, number: int) -> int | None:
    """Store articles of the source and words of `number`, then revise them; the second load."""
    _save_day(folder, number, 1)
    return _save_day(folder, number, 2)


def _save_day(folder: Path, number: int, day: int, **more: Any) -> int | None:
    """Store the articles of `number` as they are on a day of March; the load."""
    many, load = ARTICLES // 2, save.Load("load")
    drafts = [
        factories.draft(
            f"Story {number} {n}",
            f"{_word(number)} number {n} of day {day}.",
            path=f"{number}-{n}.txt",
            day=f"2024-03-0{day}",
            guid=f"urn:{_word(number)}:{n}",
            source=f"source {number}",
            **more,
        )
        for n in range(many)
    ]
    with factories.store(folder) as database:
        for start in range(0, many, 200):
            with database.transaction() as session:
                part = drafts[start : start + 200]
                save.save(session, part, publisher=None, load=load)
    return load.id


def _word(number: int) -> str:
    return f"plugh{number}q"


def _whole(folder: Path, *, dropped: str = "0", unpublished: str = "0") -> None:
    """Every text that was not erased stands once: in its article, or with its version.

    `dropped` tells in SQL which versions may have lost theirs, or stand in part in their article;
    `unpublished` which stories may never have been shown.
    """
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database:
        for wrong in (
            (
                "article a LEFT JOIN article_version v ON v.story_id = a.id"
                " AND v.number = a.version WHERE v.number IS NULL"
            ),
            (
                "story s LEFT JOIN article a ON a.id = s.id"
                " WHERE (a.id IS NULL) = (s.state IS NULL AND s.heir IS NULL)"
                f" AND NOT ({unpublished})"
            ),
            (
                "article_version v JOIN story s ON s.id = v.story_id LEFT JOIN article a ON"
                " a.id = s.id AND a.version = v.number"
                " WHERE s.state IS NOT 'erased' AND (v.fields IS NULL) = (a.id IS NULL)"
                f" AND NOT ({dropped})"
            ),
            (
                "article_version v JOIN story s ON s.id = v.story_id"
                " WHERE s.state = 'erased' AND v.fields IS NOT NULL"
            ),
            (
                "story s LEFT JOIN article a ON a.id = s.id LEFT JOIN tombstone t ON"
                " t.article_id = s.id WHERE (a.id IS NULL) = (t.article_id IS NULL)"
                f" AND NOT ({unpublished})"
            ),
        ):
            assert database.execute(f"SELECT * FROM {wrong}").fetchone() is None, wrong


def _removed(folder: Path) -> None:
    """Each article is removed or not; removing the rest leaves none, and restoring brings back."""
    _whole(folder)
    with factories.store(folder) as database, database.reading() as session:
        kept = maintenance.kept(session)
        assert kept.removed + sequence.count(session) == kept.versions // 2


def _erased(folder: Path) -> None:
    """Carried through, no byte of the data folder holds a word of what was erased."""
    _whole(folder)
    settings = factories.settings(folder)
    with factories.store(folder) as database, closing(open_engine(settings)) as engine:
        assert maintenance.purge(database, engine, settings)
    with closing(sqlite3.connect(file_of(settings))) as database_file:
        held = {row[0] for row in database_file.execute("SELECT headline FROM article")}
    raw = b"".join(p.read_bytes() for p in settings.data_dir.rglob("*") if p.is_file())
    for number in {int(headline.split()[1]) for headline in held} ^ set(range(_last(folder))):
        assert _word(number).encode() not in raw, number


def _last(folder: Path) -> int:
    """How many times articles were stored; none of them may be forgotten."""
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database:
        ((stories,),) = database.execute("SELECT count(*) FROM story")
    return int(stories) // (ARTICLES // 2)


# --- join, restore an article


def _joinable(folder: Path, number: int) -> list[str]:
    """Two articles with many versions, keys and inputs each."""
    ids = [_often_revised(folder, f"{side} {number}") for side in ("one", "other")]
    _remember(folder)
    return ["join", *map(str, ids)]


def _restorable_article(folder: Path, number: int) -> list[str]:
    """An article with many versions that was removed; a long one, so that the index has work."""
    id_ = _often_revised(folder, f"long {number}", end=" ".join(map(str, range(5 * ARTICLES))))
    with factories.store(folder) as database, database.transaction() as session:
        removal.remove(session, id_)
    _remember(folder)
    return ["restore-article", str(id_)]


def _often_revised(folder: Path, name: str, *, end: str = "") -> UUID:
    """Store many versions of a story; the last one, which shows, ends with `end`."""
    many = ARTICLES // 2
    drafts = [
        factories.draft(
            f"Story {name}",
            f"Apples number {n} of {name}. {end if n == many - 1 else ''}",
            path=f"{name}-{n}.txt",
            guid=f"urn:{name}",
            sender_version=n,
        )
        for n in range(many)
    ]
    with factories.store(folder) as database:
        (id_,) = {saved.id for saved in factories.save(database, drafts)}
    return id_


def _moved(folder: Path, *, dropped: str = "0") -> None:
    """Nothing is lost: all that a story had is with it still, or with its heir, in one order."""
    _whole(folder, dropped=dropped)
    with _beside_before(folder) as database:
        for table, names in (
            ("article_version", "text"),
            ("story_key", "key"),
            ("sighting", "path, sha256"),
        ):
            had = database.execute(
                f"SELECT coalesce(heir, id), {names} FROM before.{table}"
                " JOIN main.story ON id = story_id"
            )
            has = database.execute(f"SELECT story_id, {names} FROM main.{table}")
            assert sorted(has) == sorted(had), table
        numbered = database.execute(
            "SELECT s.count, count(*), min(v.number), max(v.number) FROM story s"
            " JOIN article_version v ON v.story_id = s.id GROUP BY s.id"
        )
        assert all(row == (row[0], row[0], 1, row[0]) for row in numbered)


# --- by the clock

_LONG_AGO = "2020-01-01 00:00:00.000000"
_OLD = f"v.hidden_at = '{_LONG_AGO}'"


def _due(folder: Path, number: int) -> list[str]:
    """Articles whose first text is old, and whose third was under an embargo until just now."""
    _revised(folder, number)
    _save_day(folder, number, 3, embargoed_until=datetime(2100, 1, 1, tzinfo=UTC))
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database, database:
        for column, which in (("hidden_at", "number = 1"), ("due_at", "due_at IS NOT NULL")):
            database.execute(f"UPDATE article_version SET {column} = ? WHERE {which}", [_LONG_AGO])
    _remember(folder)
    return ["sync"]


def _tended(folder: Path) -> None:
    """All embargoes ended or none; old texts went in whole transactions; the next run ends both."""
    _moved(folder, dropped=_OLD)
    with _beside_before(folder) as database:
        is_due, is_left = "v.due_at IS NOT NULL", f"{_OLD} AND v.fields IS NOT NULL"
        for what, batch in ((is_due, ARTICLES), (is_left, 500)):
            had, has = (
                database.execute(
                    f"SELECT count(*) FROM {file}.article_version v WHERE {what}"
                ).fetchone()[0]
                for file in ("before", "main")
            )
            assert has == 0 or (had - has) % batch == 0, (what, had, has)
        wrong = (
            "SELECT id FROM article JOIN article_version v ON v.story_id = id"
            " WHERE v.due_at IS NULL GROUP BY id HAVING max(v.number) != version"
        )
        assert database.execute(wrong).fetchone() is None
    settings = factories.settings(folder, version_days=1)
    with factories.store(folder) as stored, closing(open_engine(settings)) as engine:
        maintenance.tend(stored, engine, settings)
    with _beside_before(folder) as database:
        left = f"SELECT * FROM article_version v WHERE {is_due} OR ({is_left})"
        assert database.execute(left).fetchone() is None


# --- people, and an index that differs


def _decidable(folder: Path, number: int) -> list[str]:
    """Two people of all articles, to merge, to split in half of the articles, or to rename."""
    one, other = (factories.surname(2 * number + n) for n in (0, 1))
    body = f"Minister Ada {one} met President Boris {other} in Cairo. Number {{}}."
    many = ARTICLES // 4
    _store(folder, range(number * many, (number + 1) * many), body=body)
    lock = factories.settings(folder).extractor_lock
    with factories.store(folder) as database:
        extraction.sweep(database, open_extractor("rules", None), lock)
        with database.reading() as session:
            ids = [
                str(entities.listing(session, beginning=name).items[0].id)
                for name in (f"Ada {one}", f"Boris {other}")
            ]
            held = search.articles_of(
                session, UUID(ids[0]), Filters(), "oldest", limit=many // 2, after=None
            ).items
    return {
        0: ["entities", "merge", *ids],
        1: ["entities", "split", ids[0], f"Ada {one} (sailor)", *(str(each.id) for each in held)],
        2: ["entities", "rename", ids[0], f"Dame {one}"],
    }[number % 3]


def _decided(folder: Path) -> None:
    """What was decided holds in all articles that it is about or in none, and counts are exact."""
    many = ARTICLES // 4
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database:
        wrong = (
            "SELECT name FROM entity e WHERE article_count != (SELECT count(*) FROM appearance a"
            " WHERE a.entity = e.number) OR mention_count != (SELECT count(*) FROM mention m"
            " WHERE m.entity = e.number)"
        )
        assert database.execute(wrong).fetchone() is None
        moved = database.execute("SELECT sum(entity != base) FROM mention GROUP BY base")
        assert {count for (count,) in moved} <= {0, many, many // 2}
        splits = database.execute("SELECT count(*) FROM split GROUP BY entity").fetchall()
        assert set(splits) <= {(many // 2,)}


def _different(folder: Path, number: int) -> list[str]:
    """An index that lacks half of the articles; every second time one that cannot be read."""
    _store(folder, range(number * ARTICLES, (number + 1) * ARTICLES))
    settings = factories.settings(folder)
    with factories.store(folder) as database, closing(open_engine(settings)) as engine:
        indexing.sync(database, engine)
        if number % 2:
            (settings.index_dir / "whoosh.json").write_text("{")
        else:
            with database.reading() as session:
                ids = [id_ for id_, _ in changes.versions(session)]
            gone = [Change(id_, 0, None) for id_ in ids[::2]]
            engine.apply(gone, engine.stamp().cursor)
    return ["check", "--repair"]


def _repaired(folder: Path) -> None:
    """Another repair ends what was begun."""
    settings = factories.settings(folder)
    with factories.store(folder) as database, closing(open_engine(settings)) as engine:
        indexing.repair(database, engine, indexing.check(database, engine))


# --- keys


def _keyed(folder: Path, number: int) -> list[str]:
    """A key to make; every second time one to revoke."""
    name = f"key {number}"
    if number % 2:
        with factories.store(folder) as database, database.transaction() as session:
            keys.create(session, name)
    else:
        factories.blank(folder)
    _remember(folder)
    return ["keys", "revoke" if number % 2 else "create", name]


def _acknowledged(folder: Path) -> None:
    """A key that is there was printed and is good; what was told to be revoked is."""
    told = log_of(folder).read_text()
    with _beside_before(folder) as database:
        new = "SELECT name FROM main.api_key EXCEPT SELECT name FROM before.api_key"
        made = [name for (name,) in database.execute(new)]
    with factories.store(folder) as stored, stored.reading() as session:
        if made or "made the key" in told:
            assert [keys.find(session, text).name for text in keys.FORM.findall(told)] == made
        for name in re.findall("^revoked: (.+)$", told, re.MULTILINE):
            assert keys.named(session, name).revoked_at is not None, name


VICTIMS = {
    "load": Victim(_pages),
    "sync": Victim(_behind),
    "serve": Victim(_server, _post),
    "extract": Victim(_unread, prove=_read_once, settings={"BROADSHEET_EXTRACTOR": "rules"}),
    "migrate": Victim(_outdated, prove=_migrated),
    "backup": Victim(_archived, prove=_backed_up),
    "restore": Victim(_restorable, prove=_restored),
    "remove": Victim(_removable, prove=_removed),
    "erase": Victim(_erasable, prove=_erased),
    "undo": Victim(_undoable, prove=_whole),
    "join": Victim(_joinable, prove=_moved),
    "restore-article": Victim(_restorable_article, prove=_moved),
    "upkeep": Victim(_due, prove=_tended, settings={"BROADSHEET_VERSION_DAYS": "1"}),
    "decide": Victim(_decidable, prove=_decided),
    "repair": Victim(_different, prove=_repaired),
    "keys": Victim(_keyed, prove=_acknowledged),
}


def _store(
    folder: Path,
    numbers: Sequence[int],
    *,
    body: str = "Paragraph number {} tells of apples.",
    places: tuple[str, ...] = (),
) -> None:
    """Store articles of these numbers, two hundred a change."""
    with factories.store(folder) as database:
        for start in range(0, len(numbers), 200):
            drafts = [
                factories.draft(f"Story {n}", body.format(n), path=f"{n}.txt", places=places)
                for n in numbers[start : start + 200]
            ]
            factories.save(database, drafts)


def _remember(folder: Path) -> None:
    """Keep what the store holds now as `before.db`."""
    backup._copy(file_of(factories.settings(folder)), folder / "before.db")


@contextmanager
def _beside_before(folder: Path) -> Iterator[sqlite3.Connection]:
    """The store as it is, with `before.db` attached as `before`."""
    with closing(sqlite3.connect(file_of(factories.settings(folder)))) as database:
        database.execute("ATTACH ? AS before", (str(folder / "before.db"),))
        yield database


def _same(one: Path, other: Path, *, but: Sequence[str] = ()) -> bool:
    """Whether two databases hold the same rows, in the tables and columns of the first."""
    with closing(sqlite3.connect(one)) as database:
        database.execute("ATTACH ? AS other", (str(other),))
        tables = database.execute(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name != 'alembic_version'"
        ).fetchall()
        for (table,) in tables:
            if table in but:
                continue
            columns = database.execute(f"PRAGMA main.table_info({table})").fetchall()
            names = ", ".join(f'"{column[1]}"' for column in columns)
            mine, theirs = (f"SELECT {names} FROM {file}.{table}" for file in ("main", "other"))
            for difference in (f"{mine} EXCEPT {theirs}", f"{theirs} EXCEPT {mine}"):
                if database.execute(difference).fetchone() is not None:
                    return False
    return True
