"""What routes are given: the desk, which runs work on the store off the event loop.

A desk belongs to one application. `read` and `write` run a function of the store in a
bounded pool of threads, inside a snapshot or a transaction: when `write` returns, the
change is committed, so no answer goes out before it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Request

from app import articles, exchange, keys
from app.api import door
from app.api.draining import Drain
from app.api.metrics import Metrics
from app.articles import CursorKey
from app.errors import BroadsheetError, ParameterError, StoreBusy
from app.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlmodel import Session

    from app.api.schemas import SearchParameters
    from app.database import Database
    from app.search import base
    from app.search.clock import Clock
    from app.settings import Settings

log = logging.getLogger(__name__)

READ_STEPS = 500_000_000
"""Instructions of SQLite that one answer may take, some ten seconds: no thread is taken longer."""

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Database, engine and settings of one application, with its threads."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        engine: base.Engine,
        *,
        metrics: Metrics,
        drain: Drain,
    ) -> None:
        self.settings = settings
        self.database = database
        self.engine = engine
        self.metrics = metrics
        self.drain = drain
        self.wake = asyncio.Event()
        """Set when there is something to index."""
        self.wake_reader = asyncio.Event()
        """Set when there may be something to extract."""
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="desk")
        self._spare = ThreadPoolExecutor(1, thread_name_prefix="aside")
        # The database takes one write at a time. Those that wait hold no thread that reads.
        self._writing = asyncio.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="writer")
        # A key is looked up at each request, in front of all work: it waits for none.
        self._doorman = ThreadPoolExecutor(1, thread_name_prefix="keys")
        self._uses: dict[str, datetime] = {}

    async def read(
        self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of `work(session, …)` on one snapshot of the store, in READ_STEPS of it."""

        def run() -> T:
            with self.database.reading(steps=READ_STEPS) as session:
                return work(session, *args, **kwargs)

        return await self.run(run)

    async def search(
        self,
        work: Callable[Concatenate[Session, base.Engine, base.Request, P], T],
        wish: base.Request,
        clock: Clock,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`work(session, engine, wish, …)` with the time that waiting leaves, a tenth at least.

        So what is asked of a busy server takes less of it, and says that it is not complete.
        """

        def run(session: Session) -> T:
            left_s = max(clock.remaining_s, _LEAST * wish.timeout_s)
            return work(session, self.engine, replace(wish, timeout_s=left_s), *args, **kwargs)

        return await self.read(run)

    async def write(
        self,
        key: Key,
        work: Callable[Concatenate[Session, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The result of `work(session, …)`, committed; the index is told to follow.

        Raises StoreBusy when the writes before it take too long, and Unauthorized when `key`
        was revoked since the request began: a body may take minutes.
        """

        def run() -> T:
            with self.database.transaction() as session:
                keys.hold(session, key)
                before = articles.last_change(session)
                result = work(session, *args, **kwargs)
                change = articles.last_change(session)
            facts: dict[str, Any] = {"key": key.name}
            if change > before:
                facts["change"] = change
            log.info(
                "write" if change > before else "write without a change", extra={"facts": facts}
            )
            return result

        try:
            async with asyncio.timeout(self.settings.lock_timeout_s):
                await self._writing.acquire()
        except TimeoutError as error:
            raise StoreBusy from error
        try:
            result = await self._in(self._writer, run)
        finally:
            self._writing.release()
        self.wake.set()
        return result

    async def key(self, text: str) -> Key:
        """The key that `text` is, good now, whoever revoked it where; raises Unauthorized."""
        loop = asyncio.get_running_loop()
        key = await loop.run_in_executor(self._doorman, self._found, text)
        now = datetime.now(UTC)
        noted = max(filter(None, (key.used_at, self._uses.get(key.name))), default=None)
        if noted is None or now - noted >= keys.USE_STEP:
            self._uses[key.name] = now
            self._writer.submit(self._note_use, key, now)
        return key

    def _found(self, text: str) -> Key:
        with self.database.reading() as session:
            return keys.find(session, text)

    def _note_use(self, key: Key, at: datetime) -> None:
        try:
            with self.database.transaction() as session:
                keys.note_use(session, key, at)
        except BroadsheetError as error:  # of use to an operator, and to no request
            log.warning("the use of the key %s is not noted: %s", key.name, error)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(…)` in a thread of the pool, for the exchange that is going on."""
        return await self._in(self._pool, partial(work, *args, **kwargs))

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        asked = time.perf_counter()
        going_on = exchange.current.get()

        def timed() -> T:
            taken = time.perf_counter()
            self.metrics.taken(taken - asked)
            if going_on is not None:
                going_on.add("wait", asked, taken - asked)
            with exchange.Part("work"):
                return work()

        self.metrics.queued()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, partial(copy_context().run, timed))

    async def aside(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(…)` in the one thread that is kept for operators: no request is before it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._spare, partial(work, *args, **kwargs))

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop."""
        return self.drain.begun

    def call(self, work: Callable[[], object]) -> None:
        """Have the event loop do `work` soon; for other threads."""
        with suppress(RuntimeError):  # the loop is gone when stopping took too long
            self._loop.call_soon_threadsafe(work)

    def close(self) -> None:
        """Wait for running work and give the threads back."""
        self._pool.shutdown(cancel_futures=True)
        self._writer.shutdown(cancel_futures=True)
        self._doorman.shutdown(cancel_futures=True)
        self._spare.shutdown(cancel_futures=True)


async def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


DeskDep = Annotated[Desk, Depends(_desk, scope="function")]


async def _cursor_key(desk: DeskDep) -> CursorKey:
    return await desk.read(articles.cursor_key)


CursorKeyDep = Annotated[CursorKey, Depends(_cursor_key, scope="function")]
"""Read before the page: an erasure in between leaves a cursor that is expired."""


async def wish_of(
    asked: SearchParameters, desk: Desk, cursor_key: CursorKey, clock: Clock
) -> base.Request:
    """The search that is asked for, with what the clock leaves it once its query is read.

    A long query is read in the pool: 10,000 words take a tenth of a second.
    """
    if len(asked.q) < _LONG:
        wish = asked.request(clock.remaining_s, cursor_key)
    else:
        wish = await desk.run(asked.request, clock.remaining_s, cursor_key)
    return replace(wish, timeout_s=clock.remaining_s)


_LONG = 1_000  # characters
_LEAST = 0.1  # of the time of a search


async def known_parameters_only(request: Request) -> None:
    """Refuse a query parameter that the route does not know: a typo must not pass silently."""
    dependant = request.scope["route"].dependant
    known = {name for field in dependant.query_params for name in _names(field)}
    for name, value in request.query_params.multi_items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise ParameterError(name, f"is not a parameter of this route; it knows: {listed}")
        if reason := door.unfit(value):
            raise ParameterError(name, reason)


def _names(field: Any) -> list[str]:
    model = field.field_info.annotation
    inner = getattr(model, "model_fields", None)
    if inner is None:
        return [field.alias]
    return [each.alias or name for name, each in inner.items()]


async def _key(request: Request) -> Key:
    key: Key = request.scope["key"]
    return key


KeyDep = Annotated[Key, Depends(_key, scope="function")]
"""The key of a write, which `access` has seen to; reading may have none."""


async def body(request: Request) -> bytes:
    """The request's body."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(body, scope="function")]
