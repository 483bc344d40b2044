"""Readers that ask a proxy for pages without pause, and what becomes of their requests."""

from __future__ import annotations

import ssl
import threading
import time
from http.client import HTTPException, HTTPSConnection
from itertools import cycle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proxy.fronts import Front

PATHS = ("v1/search?q=pakistan", "v1/articles", "v1/search.csv", "healthz")
CLOSED = (ConnectionError, ssl.SSLEOFError)


class Readers:
    """Threads that read until the end of a `with`, each with a short rest between two GETs.

    `kept` of them keep their connection, `fresh` open one for each GET. A server may close a
    connection that rests, so a GET on a kept one that is closed before any byte of an answer is
    counted as `stale` and asked again on a new one, as every client does. Whatever else is no
    200 has `failed`.
    """

    def __init__(self, front: Front, *, kept: int = 0, fresh: int = 0) -> None:
        self.answered: list[str] = []
        self.stale: list[str] = []
        self.failed: list[tuple[str, object]] = []
        self._front = front
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(number < kept,))
            for number in range(kept + fresh)
        ]

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def go_on(self, count: int) -> None:
        """Return when `count` more GETs are answered, or as soon as one has failed."""
        enough = len(self.answered) + count
        while len(self.answered) < enough and not self.failed:
            time.sleep(0.01)

    def _read(self, keeps: bool) -> None:
        port, trust = self._front.https_port, self._front.trust
        connection = HTTPSConnection("127.0.0.1", port, context=trust, timeout=120)
        for path in cycle(PATHS):
            self._ask(connection, path)
            if not keeps:
                connection.close()
            if self._done.wait(0.005):
                break
        connection.close()

    def _ask(self, connection: HTTPSConnection, path: str) -> None:
        kept = connection.sock is not None
        answer = None
        try:
            connection.request("GET", f"/archive/{path}")
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, HTTPException) as error:
            connection.close()
            if kept and answer is None and isinstance(error, CLOSED):
                self.stale.append(path)
                self._ask(connection, path)
            else:
                self.failed.append((path, error))
        else:
            if answer.status == 200:
                self.answered.append(path)
            else:
                self.failed.append((path, (answer.status, text)))
