"""A full disk: a small file system in memory, with the database or the index on it."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from app.errors import BroadsheetError
from app.search import open_engine
from app.services import indexing
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment
from tests.faults.house import (
    eventually,
    filled,
    honest,
    served,
    serving,
    unavailable,
)
from tests.test_crash import assert_mended, pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE_KB = 6_000


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of a few megabytes at `folder`; skips where we may not mount one."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all that is left."""
    path = disk / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        for size in (65536, 4096, 512):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    return path


def test_on_a_full_disk_writes_are_refused_and_all_else_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data") as disk:
        ids = filled(tmp_path)
        with serving(tmp_path) as server:
            filler = fill(disk)
            refused = [server.post(f"Full {n}", body="apples " * 9999) for n in range(3)]
            for answer in refused:
                unavailable(answer, "store-unavailable")
            served(server, ids)
            assert honest(server.search(), ids)
            filler.unlink()
            answer = server.post("Room")
            assert answer.status_code == 200, answer.text
            ids.add(answer.json()["items"][0]["id"])
            eventually(lambda: _is_indexed(server), "its write")
            assert honest(server.search(), ids)
        assert assert_mended(tmp_path) == len(ids)


def test_with_a_full_disk_of_the_index_articles_are_taken_and_it_follows_later(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "data" / "index") as disk:
        ids = filled(tmp_path)
        with serving(tmp_path) as server:
            filler = fill(disk)
            stored = set(ids)
            for number in range(20):
                answer = server.post(f"Full {number}")
                assert answer.status_code == 200, answer.text
                stored.add(answer.json()["items"][0]["id"])
                served(server, stored)
                assert honest(server.search(), ids)
            status = server.get("/v1/status").json()["index"]
            assert status["lag"] == 20
            filler.unlink()
            eventually(lambda: _is_indexed(server), "all writes")
            assert honest(server.search(), stored)

            fill(disk)
            (disk / "whoosh.json").unlink()  # it would be built anew, had it room
            for _ in range(5):
                unavailable(server.search(), "index-unavailable")
                unavailable(server.get("/readyz"), "index-unavailable")
                served(server, stored)
            filler.unlink()
            eventually(lambda: honest(server.search(), stored), "searches")
            eventually(lambda: _is_indexed(server), "a sound index")
            assert not [*disk.glob("building-*")]
            assert len([*disk.glob("whoosh-*")]) == 1
            assert len([*disk.glob("damaged-*")]) == 1, "the one whose stamp was removed"
        assert assert_mended(tmp_path) == len(stored)


@pytest.mark.parametrize(
    "room_kb", [64, 200, *(pytest.param(room, marks=pytest.mark.long) for room in (0, 8, 400))]
)
def test_wherever_the_room_ends_an_index_is_never_half_written(
    tmp_path: Path, room_kb: int
) -> None:
    with small_disk(tmp_path / "data" / "index") as disk:
        filled(tmp_path)
        engine = open_engine(factories.settings(tmp_path))
        filler = fill(disk)
        os.truncate(filler, max(filler.stat().st_size - room_kb * 1024, 0))
        with factories.store(tmp_path) as database:
            for start in range(0, 500, 100):
                drafts = [factories.numbered(start + n) for n in range(100)]
                factories.save(database, drafts)
                with suppress(BroadsheetError):
                    indexing.sync(database, engine)
        engine.close()
        filler.unlink()
        assert assert_mended(tmp_path) == 560


@pytest.mark.long
def test_a_load_onto_a_full_disk_says_so_and_is_finished_by_another(tmp_path: Path) -> None:
    source = pages(tmp_path)
    command, settings = broadsheet("load", source), environment(tmp_path)
    with small_disk(tmp_path / "data") as disk:
        filler = fill(disk)
        full = programs.run(command, env=settings, capture_output=True, text=True, check=False)
        assert full.returncode == 1
        assert full.stderr.startswith("error: the database cannot answer: "), full.stderr
        assert "Traceback" not in full.stderr
        filler.unlink()
        programs.run(command, env=settings, check=True, capture_output=True)
        assert assert_mended(tmp_path) == 60


def _is_indexed(server: object) -> bool:
    index = server.get("/v1/status").json()["index"]  # type: ignore[attr-defined]
    return bool(index["state"] == "ready" and index["lag"] == 0)
