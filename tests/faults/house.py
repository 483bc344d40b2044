"""A store with articles and a real server on it, and what is promised while something is wrong.

`filled` makes the store, `serving` runs `broadsheet serve` on it. `honest` and `served` hold
single answers to the promise: an answer is right, or it is a problem document with status
503 that says so and when to come back. Nothing is broken here.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx

from app.articles import changes
from app.search import open_engine
from app.services import indexing
from tests import factories, programs
from tests.cli.test_cli import broadsheet, environment, port_of

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT_S = 120.0
"""Longer than any load makes a server need: a test that waits so long has failed."""
_unlike = count()
_servers = count()


def filled(folder: Path, number: int = 60, *, words: str = "apples") -> set[str]:
    """Store and index so many articles below `folder`; their ids. All of them hold `words`."""
    drafts = [
        factories.draft(f"Story {n} of {folder.name}", f"Number {n} is of {words}.", path=f"{n}")
        for n in range(number)
    ]
    engine = open_engine(factories.settings(folder))
    with factories.store(folder) as database:
        factories.take_key(database)
        for start in range(0, number, 20):  # several segments
            factories.save(database, drafts[start : start + 20])
            indexing.sync(database, engine)
        with database.reading() as session:
            ids = {str(id_) for id_, _ in changes.versions(session)}
    engine.close()
    return ids


@dataclass
class Server:
    """A running server and a client of it."""

    process: subprocess.Popen[Any]
    client: httpx.Client
    log: Path
    killed: bool = False

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.killed = True
        self.process.kill()
        self.process.wait(timeout=WAIT_S)

    def get(self, path: str, **parameters: object) -> httpx.Response:
        return self.client.get(path, params={k: str(v) for k, v in parameters.items()})

    def search(self, words: str = "apples") -> httpx.Response:
        """A search that no earlier one has answered."""
        return self.get("/v1/search", q=f"{words} -unlike{next(_unlike)}", limit=100)

    def post(self, headline: str, **more: object) -> httpx.Response:
        body = {"headline": headline, "body": f"{headline} is of apples.", **more}
        return self.client.post("/v1/articles", json=body)


@contextmanager
def serving(
    folder: Path,
    *,
    program: tuple[str, ...] = (),
    preexec: Callable[[], None] | None = None,
    **more: str,
) -> Iterator[Server]:
    """A server on the store below `folder`; it must end well and have logged no traceback.

    `program` stands in place of `python -m app`, `preexec` runs in the new process.
    """
    log = folder / f"serve-{next(_servers)}.log"
    arguments = broadsheet("serve", "--port", "0")
    if program:
        arguments = [*program, *arguments[3:]]
    with log.open("wb") as stderr:
        process = programs.Popen(
            arguments,
            env=environment(folder, BROADSHEET_SYNC_INTERVAL_S="0.1", **more),
            stderr=stderr,
            preexec_fn=preexec,
        )
    try:
        port = port_of(process, log.read_text)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=address, timeout=WAIT_S, headers=factories.KEYED) as client:
            server = Server(process, client, log)
            yield server
        assert server.killed or process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(timeout=WAIT_S)
    assert "Traceback" not in log.read_text(), log.read_text()


def eventually(holds: Callable[[], object], what: str, timeout_s: float = WAIT_S) -> None:
    """Ask again and again until `holds()`; it fails when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not in {timeout_s:.0f} s: {what}"
        signal.sigtimedwait([], 0.02)


def unavailable(answer: httpx.Response, kind: str) -> None:
    """`answer` is a 503 of this kind that says when to come back."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:broadsheet:problem:{kind}"
    assert answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def honest(answer: httpx.Response, ids: set[str]) -> bool:
    """Whether a search was answered: with these articles and no others, or with a 503."""
    if answer.status_code != 200:
        unavailable(answer, "index-unavailable")
        return False
    found = answer.json()
    assert {each["article"]["id"] for each in found["items"]} == ids
    assert found["total"] == len(ids)
    return True


def served(server: Server, ids: set[str]) -> None:
    """The list and an article are answered, and rightly."""
    listed = server.get("/v1/articles", limit=100)
    assert listed.status_code == 200, listed.text
    assert {each["id"] for each in listed.json()["items"]} == ids
    assert server.get(f"/v1/articles/{min(ids)}").json()["id"] == min(ids)
    assert server.get("/healthz").status_code == 200
