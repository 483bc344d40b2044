"""Another database in the place of the one that a server has open: served anew, or refused."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from contextlib import closing
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

from app.articles import save
from app.errors import StoreError
from app.search import open_engine
from app.services import indexing
from app.store import replaced, sequence
from tests import factories, programs
from tests.faults.house import eventually, filled, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults.house import Server


def copied(folder: Path, to: Path) -> Path:
    """A copy of the file of a store that nobody has open, its log taken in."""
    file = folder / "data" / "broadsheet.db"
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(file, to)
    return to


def renamed(copy: Path, data: Path) -> None:
    copy.rename(data / "broadsheet.db")


def renamed_without_logs(copy: Path, data: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (data / f"broadsheet.db{suffix}").unlink(missing_ok=True)
    copy.rename(data / "broadsheet.db")


def overwritten(copy: Path, data: Path) -> None:
    shutil.copyfile(copy, data / "broadsheet.db")


def overwritten_without_logs(copy: Path, data: Path) -> None:
    for suffix in ("-wal", "-shm"):
        (data / f"broadsheet.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, data / "broadsheet.db")


def swapped(copy: Path, data: Path) -> None:
    other = data.with_name("other")
    shutil.copytree(data / "index", other / "index")  # that of the history which is lost
    copy.rename(other / "broadsheet.db")
    data.rename(data.with_name("away"))
    other.rename(data)


WAYS = [renamed, renamed_without_logs, overwritten, overwritten_without_logs, swapped]


def checkpointed(folder: Path, server: Server) -> None:
    """Have the log taken into the file, as SQLite does from time to time, and the server see it."""
    with closing(sqlite3.connect(folder / "data" / "broadsheet.db")) as store:
        store.execute("PRAGMA wal_checkpoint(PASSIVE)")
    assert server.get("/v1/articles").status_code == 200


def totals(server: Server, words: str) -> set[int]:
    """How many articles list and search count; empty while one of them refuses."""
    answers = [server.get("/v1/articles"), server.search(words)]
    return {each.json()["total"] for each in answers if each.status_code == 200}


@pytest.mark.parametrize("whose", ["older", "another's"])
@pytest.mark.parametrize("way", WAYS)
def test_a_copy_that_is_put_in_place_under_a_server_is_what_it_serves(
    tmp_path: Path, way: Callable[[Path, Path], None], whose: str
) -> None:
    old = filled(tmp_path, 4)
    copy = copied(tmp_path, tmp_path / "copy.db")
    if whose == "another's":
        old = filled(tmp_path / "b", 3)
        copy = copied(tmp_path / "b", tmp_path / "copy.db")
        with closing(sqlite3.connect(copy)) as other:
            assert other.execute("SELECT change FROM store").fetchone()[0] == 1
    with serving(tmp_path) as server:
        for number in range(3):
            assert server.post(f"Lost {number}").status_code == 200
        eventually(lambda: totals(server, "apples") == {7}, "what is lost later is searched")
        ids = {each["id"] for each in server.get("/v1/articles").json()["items"]} - old
        checkpointed(tmp_path, server)
        way(copy, tmp_path / "data")
        answer = server.get("/v1/articles")
        assert answer.status_code == 503 or answer.json()["total"] == len(old)

        def taken() -> bool:
            return server.post("Gamma", body="Gamma is of pears.").status_code == 200

        eventually(taken, "a write is taken")  # the same numbers again
        for word in ("Delta", "Epsilon", "Zeta"):
            assert server.post(word, body=f"{word} is of pears.").status_code == 200
        eventually(lambda: totals(server, "pears") == {4} | {len(old) + 4}, "the new history")
        found = {each["article"]["id"] for each in server.search().json()["items"]}
        assert found == old
        assert not found & ids
        status = server.get("/v1/status").json()
        assert (status["index"]["state"], status["articles"]) == ("ready", len(old) + 4)
        assert "the database was replaced while in use" in server.log.read_text()
    sound(tmp_path, len(old) + 4)


def whole(folder: Path, count: int) -> None:
    """The database holds together, and so many articles."""
    with closing(sqlite3.connect(folder / "data" / "broadsheet.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.execute("SELECT count(*) FROM article").fetchall() == [(count,)]


def sound(folder: Path, count: int) -> None:
    """What is on the disk holds together, and so many articles."""
    whole(folder, count)
    with (
        factories.store(folder) as database,
        closing(open_engine(factories.settings(folder))) as engine,
    ):
        report = indexing.check(database, engine)
    assert (report.agrees, report.articles) == (True, count)


def test_the_log_of_a_file_that_was_replaced_is_taken_into_it(tmp_path: Path) -> None:
    data, aside = tmp_path / "data", tmp_path / "aside.db"
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.draft()])
        copied(tmp_path, tmp_path / "copy.db")
        factories.save(database, [factories.draft("The zorkmidq fell", "Not far.")])
        (data / "broadsheet.db").rename(aside)
        (tmp_path / "copy.db").rename(data / "broadsheet.db")
        with database.reading() as session:
            assert sequence.last_change(session) == 1
        assert [p.name for p in data.iterdir() if b"zorkmidq" in p.read_bytes()] == []
    with closing(sqlite3.connect(aside)) as old:
        assert old.execute("SELECT count(*) FROM article").fetchone() == (2,)


def test_a_copy_of_what_the_file_holds_already_changes_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    copy = copied(tmp_path, tmp_path / "copy.db")
    with serving(tmp_path) as server:
        assert server.post("Kept").status_code == 200  # in the log alone
        overwritten(copy, tmp_path / "data")
        assert server.get("/v1/articles").json()["total"] == 5
    sound(tmp_path, 5)


def test_a_log_that_is_removed_under_a_server_loses_nothing(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    with serving(tmp_path) as server:
        for number in range(6):
            assert server.post(f"Kept {number}").status_code == 200
            (tmp_path / "data" / "broadsheet.db-wal").unlink()
            assert server.get("/v1/articles").json()["total"] == 5 + number
        assert "log removed" in server.log.read_text()
    sound(tmp_path, 10)


def test_a_log_that_is_removed_under_a_reader_is_taken_in_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaced, "_WAIT_S", 0.05)
    log = tmp_path / "data" / "broadsheet.db-wal"
    with factories.store(tmp_path) as database:
        factories.save(database, [factories.numbered(n) for n in range(5)])
        with database.reading() as session:
            assert sequence.count(session) == 5
            log.unlink()
            for _ in range(2):  # nobody opens an empty log while the old one is needed
                with pytest.raises(StoreError, match="log was removed"), database.reading():
                    pass
                assert not log.exists()
            assert sequence.count(session) == 5
        with database.reading() as session:
            assert sequence.count(session) == 5
        factories.save(database, [factories.numbered(9)])
    whole(tmp_path, 6)


def test_no_connection_shares_the_memory_of_a_log_that_is_gone(tmp_path: Path) -> None:
    """With the old memory a process would read and write past all others."""
    file = tmp_path / "data" / "broadsheet.db"
    with factories.store(tmp_path) as database:
        run_outside(file, "PRAGMA wal_checkpoint(TRUNCATE)")
        with database.reading() as session:  # needs no frame of the log
            assert sequence.last_change(session) == 0
            for suffix in ("-wal", "-shm"):
                file.with_name(f"{file.name}{suffix}").unlink()
            with pytest.raises(StoreError, match="log was removed"), database.reading():
                pass
        run_outside(file, "UPDATE store SET change = 7")
        for _ in range(3):
            with database.reading() as session:
                assert sequence.last_change(session) == 7
        factories.save(database, [factories.draft()])
    whole(tmp_path, 1)


def test_a_file_that_cannot_be_opened_once_more_is_opened_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without descriptors: each connection but the one that is kept idle could be opened."""

    class Closed(sqlite3.Connection):
        def execute(self, *_more: object) -> sqlite3.Cursor:
            raise sqlite3.OperationalError("unable to open database file")

    with factories.store(tmp_path) as database:
        database._dispose()
        with monkeypatch.context() as patched:
            opened = partial(sqlite3.connect, factory=Closed)
            fake = SimpleNamespace(connect=opened, Error=sqlite3.Error)
            patched.setattr(replaced, "sqlite3", fake)
            for _ in range(2):
                with (
                    pytest.raises(StoreError, match="unable to open"),
                    database.reading() as session,
                ):
                    sequence.count(session)
        with database.reading() as session:
            assert sequence.count(session) == 0


def test_a_file_that_is_replaced_whenever_it_is_opened_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with factories.store(tmp_path) as database:
        with monkeypatch.context() as patched:
            patched.setattr(replaced.Watch, "fault", lambda *_: "renamed")
            with pytest.raises(StoreError, match="again and again"), database.reading() as session:
                sequence.count(session)
        with database.reading() as session:
            assert sequence.count(session) == 0


def run_outside(file: Path, statement: str) -> None:
    """Run a statement in a process of its own, which shares no file of this one."""
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript(sys.argv[2])"
    programs.run([sys.executable, "-c", code, str(file), statement], check=True)


def test_a_log_that_is_removed_under_a_writer_has_its_commit_taken_in(tmp_path: Path) -> None:
    log = tmp_path / "data" / "broadsheet.db-wal"
    with factories.store(tmp_path) as database:
        with database.transaction() as session:
            save.save(session, [factories.draft()], publisher=None)
            log.unlink()
        file = f"file:{log.with_name('broadsheet.db')}?mode=ro&immutable=1"
        with closing(sqlite3.connect(file, uri=True)) as alone:  # as it is after a kill
            assert alone.execute("SELECT count(*) FROM article").fetchone() == (1,)
    whole(tmp_path, 1)


def test_a_writer_begins_on_no_log_that_was_removed_and_taken_in(tmp_path: Path) -> None:
    """Its lock comes after another has taken the log in: its frames would be nobody's."""
    log = tmp_path / "data" / "broadsheet.db-wal"
    with factories.store(tmp_path) as database:
        looked: list[object] = []

        def removed(connection: object, *_more: object) -> None:
            looked.append(connection)
            if len(looked) == 1:
                log.unlink()
                with database.reading() as session:
                    assert sequence.count(session) == 0

        event.listen(database._engine, "checkout", removed)
        with pytest.raises(StoreError, match="log removed"), database.transaction():
            pytest.fail("it began")
        factories.save(database, [factories.draft()])
    whole(tmp_path, 1)


def test_a_folder_that_is_moved_away_is_missed_and_known_again(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    data = tmp_path / "data"
    with serving(tmp_path) as server:
        assert server.post("Before").status_code == 200
        data.rename(tmp_path / "away")
        for answer in (server.get("/v1/articles"), server.post("Meanwhile"), server.get("/readyz")):
            assert answer.status_code == 503
        assert not (data / "broadsheet.db").exists(), "no empty archive takes its place"
        shutil.rmtree(data, ignore_errors=True)
        (tmp_path / "away").rename(data)
        assert server.post("After").status_code == 200
        assert server.get("/v1/articles").json()["total"] == 6
    sound(tmp_path, 6)
