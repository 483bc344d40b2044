"""Backups are whole or not there; a restored store equals what was backed up."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic import command

from app.articles import changes, read, removal
from app.errors import (
    BackupUnsound,
    FileExists,
    Moved,
    SchemaMismatch,
    StoreError,
    StoreExists,
    StoreInUse,
)
from app.search import open_engine
from app.services import backup, indexing
from app.store import keys, locks
from app.store.database import Database, _alembic, file_of
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment
from tests.factories import numbered
from tests.faults.house import serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def versions(folder: Path) -> dict[object, int]:
    with factories.store(folder) as database, database.reading() as session:
        return dict(changes.versions(session))


def data(folder: Path) -> set[str]:
    return {path.name for path in (folder / "data").iterdir()}


def fill(folder: Path, numbers: range) -> None:
    with factories.store(folder) as database:
        factories.save(database, [numbered(n) for n in numbers])
        with closing(open_engine(factories.settings(folder))) as engine:
            indexing.sync(database, engine)


def test_an_id_that_was_joined_with_what_is_erased_still_leads_there(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    with factories.store(tmp_path) as database:
        with database.reading() as session:
            one, other = (id_ for id_, _ in changes.versions(session))
        with database.transaction() as session:
            removal.join(session, one, other)
        with database.transaction() as session:
            removal.erase(session, other)
    backup.back_up(factories.settings(tmp_path), tmp_path / "x.db")
    backup.restore(factories.settings(tmp_path), tmp_path / "x.db", overwrite=True)
    with (
        factories.store(tmp_path) as database,
        database.reading() as session,
        pytest.raises(Moved, match=str(other)),
    ):
        read.get(session, one)


def test_what_is_restored_is_what_was_backed_up(tmp_path: Path) -> None:
    fill(tmp_path / "a", range(5))
    held = versions(tmp_path / "a")
    copied = backup.back_up(factories.settings(tmp_path / "a"), tmp_path / "x.db")
    assert (copied.articles, copied.change) == (5, 1)
    assert copied.size_bytes == (tmp_path / "x.db").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "x.db"]
    restored = backup.restore(factories.settings(tmp_path / "b"), tmp_path / "x.db")
    assert restored.report.agrees
    assert restored.report.articles == 5
    assert restored.copy.store_id == copied.store_id
    assert data(tmp_path / "b") == {"broadsheet.db", "broadsheet.db.lock", "index"}
    assert versions(tmp_path / "b") == held


def test_an_index_that_was_ahead_is_not_taken_for_the_store_s_own(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    fill(tmp_path, range(2))
    backup.back_up(settings, tmp_path / "x.db")
    fill(tmp_path, range(2, 6))
    restored = backup.restore(settings, tmp_path / "x.db", overwrite=True)
    assert (restored.report.articles, restored.report.cursor) == (2, 1)
    fill(tmp_path, range(8, 9))  # the change number 2 again, for another article
    with factories.store(tmp_path) as database, closing(open_engine(settings)) as engine:
        assert indexing.check(database, engine).agrees
        assert len(dict(engine.entries())) == 3
    assert not settings.index_dir.with_name("index.replaced").exists()


def test_a_backup_while_others_write_is_one_snapshot(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    stop = threading.Event()
    with factories.store(tmp_path) as database:
        factories.save(database, [numbered(0), numbered(1)])

        def write() -> None:
            for number in range(2, 400, 2):
                if stop.is_set():
                    return
                factories.save(database, [numbered(number), numbered(number + 1)])

        writer = threading.Thread(target=write)
        writer.start()
        try:
            found = [backup.back_up(settings, tmp_path / f"{n}.db") for n in range(5)]
        finally:
            stop.set()
            writer.join()
    for each in found:  # two articles a change: never one without the other
        assert each.articles == 2 * each.change


def test_a_backup_replaces_no_file_unasked(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    with pytest.raises(StoreError, match="no database"):
        backup.back_up(settings, tmp_path / "x.db")
    fill(tmp_path, range(1))
    (tmp_path / "x.db").write_text("precious")
    with pytest.raises(FileExists):
        backup.back_up(settings, tmp_path / "x.db")
    assert (tmp_path / "x.db").read_text() == "precious"
    backup.back_up(settings, tmp_path / "x.db", overwrite=True)
    with pytest.raises(FileExists):
        backup.back_up(settings, file_of(settings), overwrite=True)
    with pytest.raises(FileExists):
        backup.restore(settings, file_of(settings), overwrite=True)
    with pytest.raises(StoreError, match="unable to open"):
        backup.back_up(settings, tmp_path / "none" / "x.db")
    assert len(versions(tmp_path)) == 1


def test_a_store_with_articles_is_not_replaced_unasked(tmp_path: Path) -> None:
    fill(tmp_path / "a", range(3))
    backup.back_up(factories.settings(tmp_path / "a"), tmp_path / "x.db")
    fill(tmp_path / "b", range(5, 6))
    held = versions(tmp_path / "b")
    with pytest.raises(StoreExists):
        backup.restore(factories.settings(tmp_path / "b"), tmp_path / "x.db")
    assert versions(tmp_path / "b") == held
    assert versions(tmp_path / "empty") == {}  # a store in which nothing ever was
    assert backup.restore(factories.settings(tmp_path / "empty"), tmp_path / "x.db").report.agrees


def made(folder: Path, *names: str) -> None:
    with factories.store(folder) as database, database.transaction() as session:
        for name in names:
            keys.create(session, name)


def revoked(folder: Path) -> dict[str, bool]:
    """Whether each key of the store below `folder` is revoked."""
    with factories.store(folder) as database, database.reading() as session:
        return {each.name: each.revoked_at is not None for each in keys.listing(session)}


def test_a_restore_brings_no_revoked_key_back_to_life(tmp_path: Path) -> None:
    settings, copy = factories.settings(tmp_path), tmp_path / "x.db"
    fill(tmp_path, range(1))
    made(tmp_path, "stolen", "kept")
    backup.back_up(settings, copy)
    with factories.store(tmp_path) as database, database.transaction() as session:
        keys.revoke(session, "stolen")
    made(tmp_path, "newer")
    restored = backup.restore(settings, copy, overwrite=True)
    assert (restored.keys_kept, restored.keys_came) == (["kept", "newer"], [])
    assert revoked(tmp_path) == {"stolen": True, "kept": False, "newer": False}


def test_a_store_without_keys_takes_those_of_the_backup_and_names_them(tmp_path: Path) -> None:
    copy = tmp_path / "x.db"
    fill(tmp_path / "a", range(1))
    made(tmp_path / "a", "good", "gone")
    with factories.store(tmp_path / "a") as database, database.transaction() as session:
        keys.revoke(session, "gone")
    backup.back_up(factories.settings(tmp_path / "a"), copy)
    made(tmp_path / "empty")
    for name in ("none", "empty"):
        restored = backup.restore(factories.settings(tmp_path / name), copy, overwrite=True)
        assert (restored.keys_kept, restored.keys_came) == ([], ["good"])
        assert revoked(tmp_path / name) == {"good": False, "gone": True}


def test_an_unsound_backup_touches_nothing(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    fill(tmp_path, range(40))
    held = versions(tmp_path)
    backup.back_up(settings, tmp_path / "x.db")
    whole = (tmp_path / "x.db").read_bytes()
    (tmp_path / "torn.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flipped.db").write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    (tmp_path / "text.db").write_text("no database " * 100)
    (tmp_path / "empty.db").write_bytes(b"")
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE store (id, change)")
    for name in ("torn", "flipped", "text", "empty", "other", "absent"):
        with pytest.raises(BackupUnsound):
            backup.restore(settings, tmp_path / f"{name}.db", overwrite=True)
    with closing(sqlite3.connect(tmp_path / "x.db")) as newer:
        newer.execute("UPDATE alembic_version SET version_num = '29990101_future'")
        newer.commit()
    with pytest.raises(SchemaMismatch):
        backup.restore(settings, tmp_path / "x.db", overwrite=True)
    assert versions(tmp_path) == held
    with factories.store(tmp_path) as database, closing(open_engine(settings)) as engine:
        assert indexing.check(database, engine).agrees


def test_a_wrecked_store_can_be_replaced(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    fill(tmp_path, range(4))
    backup.back_up(settings, tmp_path / "x.db")
    file = file_of(settings)
    file.write_bytes(b"\xff" * 9000)
    file.with_name("broadsheet.db-wal").write_bytes(b"\xff" * 9000)
    with pytest.raises(BackupUnsound):
        backup.back_up(settings, tmp_path / "y.db")
    assert not list(tmp_path.glob("y.db*"))
    with pytest.raises(StoreExists):
        backup.restore(settings, tmp_path / "x.db")
    assert backup.restore(settings, tmp_path / "x.db", overwrite=True).report.agrees
    assert len(versions(tmp_path)) == 4


def test_an_older_backup_is_brought_up_to_date(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    fill(tmp_path, range(1))
    backup.back_up(settings, tmp_path / "x.db")
    with closing(Database(f"sqlite:///{tmp_path / 'x.db'}")) as old:
        config = _alembic()
        with old._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "20261122_articles")
    assert backup.restore(settings, tmp_path / "x.db", overwrite=True).report.agrees
    with closing(Database.open(settings)) as database:
        database.require_schema()


def test_who_uses_the_store_keeps_a_restore_out_and_is_kept_out(tmp_path: Path) -> None:
    settings = factories.settings(tmp_path)
    fill(tmp_path, range(1))
    backup.back_up(settings, tmp_path / "x.db")
    with factories.store(tmp_path), factories.store(tmp_path), pytest.raises(StoreInUse):
        backup.restore(settings, tmp_path / "x.db", overwrite=True)
    with locks.alone(file_of(settings)):
        with pytest.raises(StoreInUse):
            Database.open(settings)
        with pytest.raises(StoreInUse), locks.alone(file_of(settings)):
            pass
    assert backup.restore(settings, tmp_path / "x.db", overwrite=True).report.agrees


def test_a_running_server_is_backed_up_and_not_replaced(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    with serving(tmp_path) as server:
        done = programs.run(
            broadsheet("backup", "--json", tmp_path / "x.db"),
            env=environment(tmp_path),
            capture_output=True,
            check=True,
        )
        assert json.loads(done.stdout)["articles"] == 3
        refused = programs.run(
            broadsheet("restore", "--overwrite", tmp_path / "x.db"),
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 1
        assert "in use by another process" in refused.stderr
        assert server.get("/v1/articles").json()["total"] == 3


# Kills itself as `kill -9` would at the given touch of a file.
KILLER = """
import os, signal, sys
from app import cli
import app.services.backup, app.store.models  # all that is imported later is no touch of ours
count, last = 0, int(sys.argv.pop(1))

def audit(name, arguments):
    global count
    if name in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"):
        path = arguments[0]
        if isinstance(path, (str, bytes)) and "store" in os.fsdecode(path):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(audit)
try:
    cli.main()
finally:
    print("touches", count)
"""


def killed(folder: Path, kill_at: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    return programs.run(
        [sys.executable, "-c", KILLER, str(kill_at), *arguments],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new(tmp_path: Path) -> None:
    start = tmp_path / "store-0"
    fill(start, range(2))
    backup.back_up(factories.settings(start), start / "x.db")
    fill(start, range(2, 6))
    counting = tmp_path / "store-counting"
    shutil.copytree(start, counting)
    done = killed(counting, 0, "restore", "--overwrite", "x.db")
    assert done.returncode == 0, done.stderr
    touches = int(done.stdout.split()[-1])
    seen = set()
    moments = range(1, touches + 1, max(touches // int(os.environ.get("MOMENTS", "12")), 1))
    for moment in moments:
        folder = tmp_path / f"store-{moment}"
        shutil.copytree(start, folder)
        assert killed(folder, moment, "restore", "--overwrite", "x.db").returncode == -9
        settings = factories.settings(folder)
        with factories.store(folder) as database, closing(open_engine(settings)) as engine:
            indexing.sync(database, engine)
            report = indexing.check(database, engine)
        assert report.agrees
        seen.add(report.articles)
        assert backup.restore(settings, folder / "x.db", overwrite=True).report.agrees
        kept = {"broadsheet.db", "broadsheet.db.lock", "broadsheet.db.checked", "index"}
        assert data(folder) <= kept
    assert seen == {2, 6}


def test_a_backup_that_is_killed_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    fill(tmp_path, range(2))
    (tmp_path / "store").mkdir()
    target = tmp_path / "store" / "x.db"
    touches = int(killed(tmp_path, 0, "backup", str(target)).stdout.split()[-1])
    for moment in range(1, touches + 1):
        target.unlink(missing_ok=True)
        assert killed(tmp_path, moment, "backup", str(target)).returncode == -9
        if target.exists():
            assert backup._proved(target).articles == 2
    backup.back_up(factories.settings(tmp_path), target, overwrite=True)
    assert [path.name for path in target.parent.iterdir()] == ["x.db"]
