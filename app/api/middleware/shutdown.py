"""Graceful shutdown: not ready first, then the running requests end, within a time limit.

At SIGTERM a process reports at once that it is not ready and closes connections after their answer.
It keeps answering for `drain_s`, so that a load balancer notices, and then stops its server. A
second signal ends the wait. A worker whose server was killed does not wait either, since it holds
the port of the next one: it finishes the running requests. A process that has not ended within the
time limit exits; nothing that was answered is lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from app import parent_watch

log = logging.getLogger(__name__)

SPARE_S = 15.0
"""Added to the time for requests, for an index batch, the threads and the exporters."""


class Drain:
    """The drain of this process; `begun` once it is about to stop."""

    def __init__(self, *, drain_s: float, stop_timeout_s: float) -> None:
        self.begun = False
        self._drain_s = drain_s
        self._stop_timeout_s = stop_timeout_s

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Wrap the server's own handler of SIGTERM, if it has one, and watch the parent."""
        main = threading.current_thread() is threading.main_thread()
        stop = signal.getsignal(signal.SIGTERM) if main else None
        if not callable(stop) or stop is signal.default_int_handler:
            yield
            return
        loop = asyncio.get_running_loop()

        def handle(number: int, frame: FrameType | None) -> None:
            if self.begun or not self._drain_s:
                self._end(stop, number, frame)
            else:
                self.begun = True
                loop.call_soon_threadsafe(self._begin, loop, stop)

        def orphaned() -> None:
            log.warning("stopping: the parent process has ended")
            self._end(stop, signal.SIGTERM, None)

        signal.signal(signal.SIGTERM, handle)
        parent_watch.watch(orphaned)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGTERM) is handle:
                signal.signal(signal.SIGTERM, stop)

    def _begin(self, loop: asyncio.AbstractEventLoop, stop: Callable[..., Any]) -> None:
        log.info("draining: not ready, stopping in %g s", self._drain_s)
        loop.call_later(self._drain_s, self._end, stop, signal.SIGTERM, None)

    def _end(self, stop: Callable[..., Any], number: int, frame: FrameType | None) -> None:
        self.begun = True
        bound = threading.Timer(self._stop_timeout_s + SPARE_S, _give_up)
        bound.daemon = True
        bound.start()
        stop(number, frame)


def _give_up() -> None:
    log.error("shutdown timed out: ending now")
    logging.shutdown()
    os._exit(1)
