"""An extractor that distributes texts over a pool of processes.

Texts are submitted in small parts, a few in advance. If a process dies, an extractor raises, or an
article exceeds its CPU time, only that article fails: its part is repeated one article at a time.
No process outlives the program.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from app import extract, parent_watch
from app.errors import BroadsheetError
from app.extract.base import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from app.extract import Choice
    from app.extract.base import Extractor, Mention, Text

    Found = list[Mention] | Failure
    Opener = Callable[[Choice, Path | None], Extractor]

T = TypeVar("T")

log = logging.getLogger(__name__)

PART = 8
"""Articles per part."""
AHEAD = 3
"""Parts per process that are submitted in advance."""
BUDGET_S = 20.0
"""CPU seconds for a part; one of several articles that takes more is repeated one by one."""
IDLE_S = 300.0
"""Seconds without work after which `rest` ends the processes, each of which has a model."""


class PoolStopped(BroadsheetError):
    """The pool was stopped while it had work."""


class TooLong(BroadsheetError):
    """Reading took more than `budget_s` seconds of processor time."""

    def __init__(self, budget_s: float) -> None:
        super().__init__(f"too long: it takes more than {budget_s:g} s of processor time")
        self.budget_s = budget_s

    def __reduce__(self) -> tuple[type[TooLong], tuple[float]]:
        """Pickled with its argument, to cross processes."""
        return type(self), (self.budget_s,)


class ExtractorPool:
    """`workers` processes that read texts; started at the first text, ended by `close`.

    Not safe to share between threads, except for `stop`.
    """

    def __init__(
        self,
        choice: Choice,
        model: Path | None,
        *,
        workers: int = 1,
        budget_s: float = BUDGET_S,
        opener: Opener = extract.open_extractor,
    ) -> None:
        self._budget_s = budget_s
        self._opening = (opener, choice, model)
        self.workers = workers
        """Processes; takes effect when they are started."""
        self._pool: ProcessPoolExecutor | None = None
        self._starting = threading.Lock()  # `stop` finds all processes of a pool, or none
        self._version: str | None = None
        self._used_at = 0.0
        self._stopped = False

    @property
    def version(self) -> str:
        """The version of the extractor that the processes run; raises ExtractorMissing.

        A process of the pool is asked, so that this one never loads a model.
        """
        if self._version is None:
            try:
                self._version = self._submitted(_version).result()
            except (BrokenProcessPool, CancelledError):
                self._raise_stopped()
                raise
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
        for _ in range(2):
            try:
                return self._submitted(_extract, part, self._budget_s)
            except BrokenProcessPool:
                self.close()
        raise RuntimeError("the extractor's processes end as soon as they are started")

    def _raise_stopped(self) -> None:
        if self._stopped:
            raise PoolStopped

    def _started(self) -> ProcessPoolExecutor:
        self._raise_stopped()
        self._used_at = time.monotonic()
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self.workers, mp_context=spawn, initializer=_end_with_parent
            )
        return self._pool

    def _submitted(self, work: Callable[..., T], *given: object) -> Future[T]:
        # Ctrl-C in a terminal reaches all processes. This one ends the others, which are started
        # by `submit` and inherit what is blocked. Making the pool starts multiprocessing's
        # resource tracker, which unblocks SIGINT.
        with self._starting:
            pool = self._started()
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return pool.submit(work, *given, *self._opening)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _result(self, part: Sequence[Text], future: Future[list[Found]]) -> list[Found]:
        try:
            return future.result()
        except (Exception, CancelledError) as error:
            self._raise_stopped()
            if isinstance(error, BrokenProcessPool):
                self.close()
            if len(part) == 1:
                return [Failure(_reason(error))]
        found: list[Found] = []
        for text in part:
            found += self._result([text], self._submit([text]))
        return found

    def rest(self) -> None:
        """End the processes after IDLE_S without work."""
        if self._pool is not None and time.monotonic() - self._used_at > IDLE_S:
            self.close()

    def close(self) -> None:
        """End the processes; the next text starts them again."""
        pool = self._taken()
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def stop(self) -> None:
        """Terminate the processes for good; callers that wait get PoolStopped.

        Waiting for them would take seconds. The articles in work are extracted in the next run.
        """
        self._stopped = True
        pool = self._taken()
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):
            process.terminate()
        # Waits until the pool's semaphores are gone: of those that a program leaves behind when a
        # signal ends it, multiprocessing's resource tracker warns on stderr.
        pool.shutdown(cancel_futures=True)

    def _taken(self) -> ProcessPoolExecutor | None:
        with self._starting:
            pool, self._pool = self._pool, None
        return pool


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenProcessPool):
        return "the extractor's process ended"
    if isinstance(error, TooLong):
        return str(error)
    return f"{type(error).__name__}: {error}"


# --- in a process of the pool


def _end_with_parent() -> None:
    parent_watch.watch(partial(os._exit, 1))  # nobody is left to use the results


@cache
def _opened(opener: Opener, choice: Choice, model: Path | None) -> Extractor:
    return opener(choice, model)


def _version(opener: Opener, choice: Choice, model: Path | None) -> str:
    return _opened(opener, choice, model).version


def _extract(
    part: Sequence[Text], budget_s: float, opener: Opener, choice: Choice, model: Path | None
) -> list[Found]:
    extractor = _opened(opener, choice, model)
    with _budget(budget_s):
        return list(extractor.extract(part))


class _Spent(BaseException):
    """The budget is spent; a BaseException, so that no extractor catches it."""


@contextmanager
def _budget(seconds: float) -> Iterator[None]:
    """Raise TooLong once a block has taken `seconds` of this process's CPU time."""

    def end(_signal: int, _frame: object) -> None:
        raise _Spent

    signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except _Spent:
        raise TooLong(seconds) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
