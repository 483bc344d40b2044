"""A crew: extractors in processes of their own, as many as are asked for, as one extractor.

Texts are handed out in small parts, a few ahead of the one that is waited for. A process
that dies, or an exception that no extractor should raise, costs the one article that it
comes from: its part is read again an article at a time.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from app import extract
from app.extract.base import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from app.extract.base import Extractor, Mention, Text

    Found = list[Mention] | Failure

log = logging.getLogger(__name__)

PART = 8
"""Articles that a process is handed at once."""
AHEAD = 3
"""Parts a process that are handed out before the first of them is waited for."""
IDLE_S = 300.0
"""Seconds without work after which `rest` ends the processes: they hold a model each."""


class Crew:
    """`workers` processes that read texts; started at the first text, ended by `close`.

    Not safe to share between threads.
    """

    def __init__(self, choice: str, model: Path | None, *, workers: int = 1) -> None:
        self._opening = (choice, model)
        self.workers = workers
        """Processes; takes effect when they are started."""
        self._pool: ProcessPoolExecutor | None = None
        self._version: str | None = None
        self._used_at = 0.0

    @property
    def version(self) -> str:
        """The version of the extractor that the processes run."""
        if self._version is None:
            self._version = extract.open_extractor(*self._opening).version
        return self._version

    def extract(self, texts: Sequence[Text]) -> Iterator[Found]:
        """The mentions of each text in order, or why it could not be read."""
        parts = [texts[start : start + PART] for start in range(0, len(texts), PART)]
        waiting: deque[tuple[Sequence[Text], Future[list[Found]]]] = deque()
        for part in parts:
            waiting.append((part, self._submit(part)))
            if len(waiting) > AHEAD * self.workers:
                yield from self._result(*waiting.popleft())
        while waiting:
            yield from self._result(*waiting.popleft())

    def _submit(self, part: Sequence[Text]) -> Future[list[Found]]:
        self._used_at = time.monotonic()
        for _ in range(2):
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self.workers,
                    mp_context=multiprocessing.get_context("spawn"),
                    initializer=_open,
                    initargs=self._opening,
                )
            try:
                return self._pool.submit(_extract, part)
            except BrokenProcessPool:
                self.close()
        raise RuntimeError("the extractor's processes end as soon as they are started")

    def _result(self, part: Sequence[Text], future: Future[list[Found]]) -> list[Found]:
        try:
            return future.result()
        except Exception as error:
            if isinstance(error, BrokenProcessPool):
                self.close()
            if len(part) == 1:
                return [Failure(_reason(error))]
        found: list[Found] = []
        for text in part:
            found += self._result([text], self._submit([text]))
        return found

    def rest(self) -> None:
        """End the processes if they have had nothing to do for a while."""
        if self._pool is not None and time.monotonic() - self._used_at > IDLE_S:
            self.close()

    def close(self) -> None:
        """End the processes; the next text starts them again."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenProcessPool):
        return "the extractor's process ended"
    return f"{type(error).__name__}: {error}"


_extractor: Extractor | None = None


def _open(choice: str, model: Path | None) -> None:
    global _extractor
    _extractor = extract.open_extractor(choice, model)


def _extract(part: Sequence[Text]) -> list[Found]:
    if _extractor is None:
        raise RuntimeError("no extractor was opened")
    return list(_extractor.extract(part))
