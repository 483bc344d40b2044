"""Dependencies of routes: the executor, which runs work on the store off the event loop.

An executor belongs to one application. `read` and `write` run a function of the store in a
bounded pool of threads, inside a snapshot or a transaction: when `write` returns, the
change is committed, so no answer goes out before it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar, get_origin

from fastapi import Depends, Request, Response
from sqlmodel import Session

from app import context
from app.api import cursors, inputs
from app.api.metrics import Metrics
from app.api.middleware.shutdown import Drain
from app.api.schemas import answers
from app.api.schemas.requests import Page, SearchParameters
from app.articles import read as articles
from app.articles.read import CursorKey
from app.errors import BroadsheetError, ParameterError, StoreBusy
from app.search import engine as search_engine
from app.search import synonyms
from app.search.deadline import Deadline
from app.search.engine import ListPage
from app.settings import Settings
from app.store import keys, sequence
from app.store.database import Database
from app.store.keys import Key

log = logging.getLogger(__name__)

READ_STEPS = 500_000_000
"""Instructions of SQLite that one answer may take, some ten seconds: no thread is taken longer."""

P = ParamSpec("P")
T = TypeVar("T")


class Executor:
    """Database, engine and settings of one application, with its threads."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        engine: search_engine.Engine,
        *,
        metrics: Metrics,
        drain: Drain,
    ) -> None:
        self.settings = settings
        self.synonyms = synonyms.load(settings.synonyms)
        self.database = database
        self.engine = engine
        self.metrics = metrics
        self.drain = drain
        self.wake = threading.Event()
        """Set when there is something to index."""
        self.wake_reader = threading.Event()
        """Set when there may be something to extract."""
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="executor")
        self._spare = ThreadPoolExecutor(1, thread_name_prefix="spare")
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
        work: Callable[Concatenate[Session, search_engine.Engine, search_engine.Request, P], T],
        search_request: search_engine.Request,
        deadline: Deadline,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """`work(session, engine, request, …)` with the time that waiting leaves, a tenth at least.

        So what is asked of a busy server takes less of it, and says that it is not complete.
        """

        def run(session: Session) -> T:
            left_s = max(deadline.remaining_s, _LEAST * search_request.timeout_s)
            return work(
                session, self.engine, replace(search_request, timeout_s=left_s), *args, **kwargs
            )

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
                before = sequence.last_change(session)
                result = work(session, *args, **kwargs)
                change = sequence.last_change(session)
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
            log.warning("last use of the key %s not saved: %s", key.name, error)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(…)` in a thread of the pool, for the request that is going on."""
        return await self._in(self._pool, partial(work, *args, **kwargs))

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        queued_at = time.perf_counter()
        request = context.current.get()

        def timed() -> T:
            taken = time.perf_counter()
            self.metrics.taken(taken - queued_at)
            if request is not None:
                request.add("wait", queued_at, taken - queued_at)
            with context.Span("work"):
                return work()

        self.metrics.queued()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, partial(copy_context().run, timed))

    async def run_spare(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """`work(…)` in the one thread that is kept for operators: no request is before it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._spare, partial(work, *args, **kwargs))

    @property
    def draining(self) -> bool:
        """Whether the server is about to stop."""
        return self.drain.begun

    def close(self) -> None:
        """Wait for running work and give the threads back."""
        for pool in (self._pool, self._writer, self._doorman, self._spare):
            pool.shutdown(cancel_futures=True)


async def _executor(request: Request) -> Executor:
    executor: Executor = request.app.state.executor
    return executor


ExecutorDep = Annotated[Executor, Depends(_executor, scope="function")]


async def cursor_key_of(executor: Executor, cursor: str | None) -> CursorKey:
    """The key with which a cursor is read, and the next one made."""
    return await executor.read(articles.cursor_key, cursors.write_of(cursor))


async def _cursor_key(request: Request, executor: ExecutorDep) -> CursorKey:
    return await cursor_key_of(executor, request.query_params.get("cursor"))


CursorKeyDep = Annotated[CursorKey, Depends(_cursor_key, scope="function")]
"""Read before the page: an erasure in between leaves a cursor that is expired."""


class Paging:
    """A request for a page of a list, with what reads it and what signs its cursors."""

    def __init__(self, request: Request, executor: ExecutorDep, cursor_key: CursorKeyDep) -> None:
        self.request = request
        self.executor = executor
        self.cursor_key = cursor_key

    async def search(
        self, parameters: SearchParameters, deadline: Deadline
    ) -> search_engine.Request:
        """The search that is asked for, with what the clock leaves it once its query is read.

        A long query is read in the pool: 10,000 words take a tenth of a second.
        """
        read = partial(parameters.request, deadline.remaining_s, self.cursor_key)
        is_long = len(parameters.q) >= _LONG
        found = await self.executor.run(read) if is_long else read()
        synonyms = self.executor.synonyms
        return replace(found, timeout_s=deadline.remaining_s, synonyms=synonyms)

    async def answer(
        self, of: object, work: Callable[..., ListPage[Any]], parameters: Page
    ) -> Response:
        """The page that `work` reads of the list that `of` describes."""
        after = cursors.decode(parameters.cursor, of, self.cursor_key)
        found = await self.executor.read(work, limit=parameters.limit, after=after)
        return answers.page(self.request, found, of, self.cursor_key)


PagingDep = Annotated[Paging, Depends(Paging, scope="function")]


_LONG = 1_000  # characters
_LEAST = 0.1  # of the time of a search


async def known_parameters_only(request: Request) -> None:
    """Refuse query parameters that the route does not know, and single ones that come twice.

    A typo must not pass silently, nor a value that is not the one that counts.
    """
    dependant = request.scope["route"].dependant
    known = {name for field in dependant.query_params for name in _names(field)}
    several = {name for field in dependant.query_params for name in _names(field, list)}
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise ParameterError(name, f"is not a parameter of this route; it knows: {listed}")
        if name in seen and name not in several:
            raise ParameterError(name, "is given twice and takes one value")
        seen.add(name)
        if reason := inputs.unfit(value):
            raise ParameterError(name, reason)


def _names(field: Any, kind: type | None = None) -> list[str]:
    """The names of the parameters of a field, of those of a `kind` such as list if given."""
    model = field.field_info.annotation
    inner = getattr(model, "model_fields", None)
    members = (
        {field.alias: model}
        if inner is None
        else {each.alias or name: each.annotation for name, each in inner.items()}
    )
    return [
        name
        for name, annotation in members.items()
        if kind is None or get_origin(annotation) is kind
    ]


async def _key(request: Request) -> Key:
    key: Key = request.scope["key"]
    return key


KeyDep = Annotated[Key, Depends(_key, scope="function")]
"""The key of a write, which `access` has seen to; reading may have none."""


async def body(request: Request) -> bytes:
    """The request's body."""
    return await request.body()


BodyDep = Annotated[bytes, Depends(body, scope="function")]
