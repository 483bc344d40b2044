"""A clock that is set back: order, stamps and entity tags do not go by it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from app.services import indexing
from app.store import sequence
from tests import factories
from tests.faults.house import eventually, filled, honest, served, serving
from tests.test_crash import assert_mended

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from app.search.engine import Engine
    from app.store.database import Database

# The server with its clock a day back, and back a second more at each look.
BACKWARDS = """
import datetime, sys, time
import app.articles.save
real, looks = time.time, 0

def back():
    global looks
    looks += 1
    return real() - 86400 - looks

class Backwards(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(back(), tz)

time.time = back
app.articles.save.datetime = Backwards
from app.cli import main
main()
"""


def test_a_server_whose_clock_runs_backwards_answers_rightly(tmp_path: Path) -> None:
    ids = filled(tmp_path)
    (tmp_path / "data" / "index" / "whoosh.lock").touch()
    with serving(tmp_path, program=(sys.executable, "-c", BACKWARDS)) as server:
        assert honest(server.search(), ids)
        tag = server.get("/v1/search", q="apples").headers["etag"]
        last = server.get("/v1/status").json()["change"]
        for number in range(3):
            answer = server.post(f"Earlier {number}")
            assert answer.status_code == 200, answer.text
            ids.add(answer.json()["items"][0]["id"])
            eventually(lambda: server.get("/v1/status").json()["index"]["lag"] == 0, "a write")
            assert honest(server.search(), ids)
            served(server, ids)
        again = server.client.get("/v1/search?q=apples", headers={"If-None-Match": tag})
        assert again.status_code == 200
        events = server.get("/v1/changes", since=last).json()["items"]
        assert [each["change"] for each in events] == list(range(last + 1, last + 4))
        recent = server.get("/v1/search", q="apples", boost="recent", limit=100)
        assert recent.json()["total"] == len(ids)
    assert assert_mended(tmp_path) == len(ids)


def test_no_stamp_looks_like_one_before_it(
    database: Database, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp = tmp_path / "data" / "index" / "whoosh.json"
    indexing.sync(database, engine)
    os.utime(stamp, (4e9, 4e9))  # written before the clock was set back
    seen = [engine.stamp().generation]
    for number in range(3):
        factories.save(database, [factories.numbered(number)])
        indexing.sync(database, engine)
        seen.append(engine.stamp().generation)
        status = stamp.stat()
        assert status.st_mtime > 4e9 - 1, "inodes come again, so the instant must not"
    indexing.rebuild(database, engine)
    seen.append(engine.stamp().generation)
    assert stamp.stat().st_mtime > 4e9 - 1
    instants = [int(generation.split("-")[0]) for generation in seen]
    assert instants == sorted(set(instants))
    with database.reading() as session:
        assert sequence.last_change(session) == engine.stamp().cursor
