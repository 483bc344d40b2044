"""The database held by another process, or in a folder that has become read-only."""

from __future__ import annotations

import ctypes
import sqlite3
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests import programs
from tests.cli.test_cli import broadsheet, environment
from tests.faults.house import (
    eventually,
    filled,
    honest,
    served,
    serving,
    unavailable,
)
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The database with its write lock held by a connection that is not ours."""
    path = folder / "data" / "broadsheet.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=120)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_while_another_process_holds_the_lock_articles_are_served_and_writes_wait(
    tmp_path: Path,
) -> None:
    ids = filled(tmp_path)
    with serving(tmp_path, BROADSHEET_LOCK_TIMEOUT_S="600") as server:
        answers: list[httpx.Response] = []
        writers = [
            threading.Thread(target=lambda n=n: answers.append(server.post(f"Late {n}")))
            for n in range(8)  # more than there are threads
        ]
        with locked(tmp_path):
            for writer in writers:
                writer.start()
            for _ in range(20):
                served(server, ids)
                assert honest(server.search(), ids)
            assert not answers
        for writer in writers:
            writer.join(timeout=120)
        assert [answer.status_code for answer in answers] == [200] * 8
        ids |= {answer.json()["items"][0]["id"] for answer in answers}
        eventually(lambda: server.get("/v1/status").json()["index"]["lag"] == 0, "the writes")
        assert honest(server.search(), ids)
    assert assert_mended(tmp_path) == len(ids)


def test_under_a_lock_that_stays_a_server_starts_and_refuses_writes_in_time(tmp_path: Path) -> None:
    ids = filled(tmp_path)
    with ExitStack() as stack:
        lock = stack.enter_context(ExitStack())
        lock.enter_context(locked(tmp_path))
        server = stack.enter_context(serving(tmp_path, BROADSHEET_LOCK_TIMEOUT_S="3"))
        answers: list[httpx.Response] = []
        writers = [
            threading.Thread(target=lambda n=n: answers.append(server.post(f"Never {n}")))
            for n in range(8)
        ]
        started = time.monotonic()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(timeout=120)
        assert time.monotonic() - started < 20, "one wait, not eight"
        for answer in answers:
            unavailable(answer, "store-unavailable")
        served(server, ids)
        assert honest(server.search(), ids)
        lock.close()
        assert server.post("Again").status_code == 200


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """All below `folder` with no permission to write."""
    paths = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def heed_permissions() -> None:
    """Take from a process of root the right to write where it may not (CAP_DAC_OVERRIDE)."""
    drop, override = 24, 1
    ctypes.CDLL(None).prctl(drop, override, 0, 0, 0)


def test_in_a_folder_that_becomes_read_only_all_goes_on_and_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    ids = filled(tmp_path)
    with serving(tmp_path, preexec=heed_permissions) as server:
        stored = set(ids)
        with read_only(tmp_path / "data"):
            for number in range(4):
                answer = server.post(f"Perhaps {number}")  # an open file may still be written
                if answer.status_code == 200:
                    stored.add(answer.json()["items"][0]["id"])
                else:
                    unavailable(answer, "store-unavailable")
                served(server, stored)
                assert honest(server.search(), ids)

        def taken() -> bool:
            answer = server.post("Taken")
            if answer.status_code != 200:
                return False
            (item,) = answer.json()["items"]
            stored.add(item["id"])
            return bool(item["outcome"] == "unchanged")

        # One of them may still meet a connection that was opened read-only, and ends all such.
        eventually(taken, "a write is taken, and known again")
        eventually(lambda: server.get("/v1/status").json()["index"]["lag"] == 0, "the writes")
        assert honest(server.search(), stored)
    assert assert_mended(tmp_path) == len(stored)


@pytest.mark.long
@pytest.mark.parametrize("command", ["serve", "load", "sync"])
def test_a_command_says_that_its_folder_is_read_only(tmp_path: Path, command: str) -> None:
    filled(tmp_path, 1)
    arguments = [command, str(tmp_path)] if command == "load" else [command]
    with read_only(tmp_path / "data"):
        done = programs.run(
            broadsheet(*arguments),
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            preexec_fn=heed_permissions,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the data folder cannot be written"), done.stderr
    assert "Traceback" not in done.stderr
