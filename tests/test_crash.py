"""Processes that are really killed: nothing acknowledged is lost, and sync mends the rest."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.articles import changes
from app.search import open_engine
from app.services import indexing
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of

if TYPE_CHECKING:
    from pathlib import Path

ARTICLES = 60

# Runs the command line with small batches and, at the given touch of a file, kills itself as
# `kill -9` would: at opens, renames, removals and folders, and at each commit.
KILLER = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from app import cli
from app.services import indexing
import app.api, app.ingest  # all that is imported later is no touch of ours
cli.BATCH, indexing.BATCH = 7, 9
count, last = 0, int(sys.argv.pop(1))

def touch():
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)

def audit(name, arguments):
    if name in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"):
        path = arguments[0]
        if isinstance(path, (str, bytes)) and "data" in os.fsdecode(path):
            touch()

sys.addaudithook(audit)
event.listen(Engine, "commit", lambda _: touch())
try:
    cli.main()
finally:
    print("touches", count)
"""


def run(folder: Path, kill_at: int, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return programs.run(
        [sys.executable, "-c", KILLER, str(kill_at), *map(str, arguments)],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )


def touches(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    return int(done.stdout.rpartition("touches ")[2])


def pages(folder: Path) -> Path:
    path = folder / "in.jsonl"
    bodies = ({"headline": f"Story {n}", "body": f"Apples number {n}."} for n in range(ARTICLES))
    path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
    return path


def assert_mended(folder: Path) -> int:
    """Sync, then database and index must agree; how many articles there are."""
    engine = open_engine(factories.settings(folder))
    with factories.store(folder) as database:
        indexing.sync(database, engine)
        report = indexing.check(database, engine)
        assert report.agrees, report
        assert report.pending == 0
        with database.reading() as session:
            check = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
            assert check == "ok"
    engine.close()
    return report.articles


@pytest.fixture(scope="module")
def load_touches(tmp_path_factory: pytest.TempPathFactory) -> int:
    folder = tmp_path_factory.mktemp("whole")
    return touches(run(folder, 0, "load", pages(folder)))


@pytest.mark.parametrize("part", range(12))
def test_a_load_killed_anywhere_is_mended_by_sync_and_finished_by_another(
    tmp_path: Path, load_touches: int, part: int
) -> None:
    source = pages(tmp_path)
    kill_at = 1 + load_touches * part // 12
    killed = run(tmp_path, kill_at, "load", source)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    stored = assert_mended(tmp_path)
    assert stored % 7 == 0 or stored == ARTICLES, "whole transactions only"
    run(tmp_path, 0, "load", source)
    assert assert_mended(tmp_path) == ARTICLES


@pytest.fixture(scope="module")
def rebuild_touches(tmp_path_factory: pytest.TempPathFactory) -> int:
    folder = tmp_path_factory.mktemp("rebuilt")
    run(folder, 0, "load", pages(folder))
    (folder / "data" / "index" / "whoosh.json").write_text("{")
    return touches(run(folder, 0, "sync"))


@pytest.mark.parametrize("part", range(6))
def test_a_rebuild_killed_anywhere_is_done_again(
    tmp_path: Path, rebuild_touches: int, part: int
) -> None:
    run(tmp_path, 0, "load", pages(tmp_path))
    (tmp_path / "data" / "index" / "whoosh.json").write_text("{")
    killed = run(tmp_path, 1 + rebuild_touches * part // 6, "sync")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert assert_mended(tmp_path) == ARTICLES
    left = {path.name for path in (tmp_path / "data" / "index").iterdir()}
    assert not [name for name in left if name.startswith("building-")]


def test_what_a_killed_server_acknowledged_is_stored(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with log.open("wb") as stderr:
        process = programs.Popen(
            broadsheet("serve", "--port", "0"), env=environment(tmp_path), stderr=stderr
        )
    acknowledged: list[str] = []
    try:
        port = port_of(process, log.read_text)

        def write() -> None:
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=address, headers=factories.KEYED) as client:
                for number in range(10_000):
                    body = {"headline": f"Story {number}", "body": f"Number {number}."}
                    try:
                        answer = client.post("/v1/articles", json=body, timeout=120)
                    except httpx.TransportError:
                        return
                    acknowledged.append(answer.json()["items"][0]["id"])
                    if number == 40:
                        process.kill()

        writer = threading.Thread(target=write)
        writer.start()
        writer.join(timeout=120)
    finally:
        process.kill()
        process.wait(timeout=120)
    assert len(acknowledged) > 40
    assert assert_mended(tmp_path) >= len(acknowledged)
    with factories.store(tmp_path) as database, database.reading() as session:
        stored = {str(id_) for id_, _ in changes.versions(session)}
    assert set(acknowledged) <= stored


def test_two_loaders_and_a_server_on_one_store_agree(tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with log.open("wb") as stderr:
        server = programs.Popen(
            broadsheet("serve", "--port", "0"), env=environment(tmp_path), stderr=stderr
        )
    try:
        port_of(server, log.read_text)
        sources = []
        for name in ("a", "b"):
            path = tmp_path / f"{name}.jsonl"
            bodies: list[dict[str, Any]] = [
                {"headline": f"Story {name if n % 2 else ''} {n}", "body": f"Apples {n}."}
                for n in range(200)
            ]
            path.write_text("".join(json.dumps(body) + "\n" for body in bodies))
            sources.append(path)
        loaders = [
            programs.Popen(
                broadsheet("load", source), env=environment(tmp_path), stdout=subprocess.DEVNULL
            )
            for source in sources
        ]
        assert [loader.wait(timeout=120) for loader in loaders] == [0, 0]
    finally:
        server.terminate()
        server.wait(timeout=120)
    assert assert_mended(tmp_path) == 300
