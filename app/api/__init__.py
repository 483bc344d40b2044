"""HTTP and nothing else: `create_app` puts routes, errors, docs and the followers together."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import sys
import threading
import time
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from app.api import (
    articles,
    changes,
    entities,
    exports,
    openapi,
    problems,
    reconcile,
    reference_pages,
    search,
    system,
)
from app.api.access import Keyed
from app.api.deps import Executor, known_parameters_only
from app.api.metrics import Metrics
from app.api.middleware.limits import Guarded
from app.api.middleware.proxy import Proxied
from app.api.middleware.request_log import Inner, Observed
from app.api.middleware.security_headers import Restricted, shared_with
from app.api.middleware.shutdown import Drain
from app.api.tracing import open_tracer
from app.errors import BroadsheetError, EngineBusy, ExtractorBusy
from app.extract.pool import ExtractorPool, PoolStopped
from app.ingest import records
from app.search import open_engine
from app.search.deadline import Deadline
from app.services import extraction, indexing, maintenance
from app.settings import Settings
from app.store.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    _Around = Callable[[ASGIApp], ASGIApp]

log = logging.getLogger(__name__)

_DESCRIPTION = """
Search takes words and phrases (`rain "central bank"`), `OR` and `-`, beginnings (`econom*`),
typing errors (`pakstan~`), fields (`headline:floods`, `place:cairo`), dates (`published:2024-03`)
and more; what cannot be read is answered with its place and, where there is one, a correction.

Lists give `items`, an exact `total` and `next`: pass that as `cursor` for the next page.
Errors are problem documents (RFC 9457). Parameters that a route does not know are refused.
"""
STOP_TIMEOUT_S = 10.0
_TURN_S = 0.0005


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application for `settings`, by default those of the environment.

    Its database is opened, brought to the present schema and followed by the index when
    the application starts, and closed when it stops.
    """
    chosen = settings or Settings()
    metrics = Metrics()
    drain = Drain(drain_s=chosen.drain_s, stop_timeout_s=chosen.stop_timeout_s)
    tracer = open_tracer(chosen)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database.open(chosen)
        database.prepare(chosen)
        engine = open_engine(chosen)
        executor = app.state.executor = Executor(
            chosen, database, engine, metrics=metrics, drain=drain
        )
        stop = threading.Event()
        pool = ExtractorPool(chosen.extractor, chosen.extractor_model)
        # A thread each: a long rebuild holds up no request, and a long extraction neither
        # requests nor the index.
        followers = [
            threading.Thread(
                target=_follow,
                args=(stop, wake, chosen.sync_interval_s, partial(work, stop)),
                daemon=True,
                name=name,
            )
            for name, wake, work in (
                ("indexer", executor.wake, partial(_sync, executor, maintenance.Looked())),
                ("extractor", executor.wake_reader, partial(_extract, executor, pool)),
            )
        ]
        for each in followers:
            each.start()
        try:
            with drain.watching():
                yield
        except asyncio.CancelledError:
            pass  # a second Ctrl-C: uvicorn would log a traceback of it
        finally:
            stop.set()
            await asyncio.to_thread(pool.stop)
            executor.wake.set()
            executor.wake_reader.set()
            deadline = Deadline(STOP_TIMEOUT_S)
            for each in followers:
                with suppress(asyncio.CancelledError):
                    await asyncio.to_thread(each.join, deadline.remaining_s)
            executor.close()
            engine.close()
            database.close()
            if tracer is not None:
                tracer.close()

    observed = partial(Observed, settings=chosen, metrics=metrics, drain=drain, tracer=tracer)
    app = _Broadsheet(
        chosen,
        observed,
        title="Broadsheet",
        summary="News articles and full-text search over them.",
        description=_DESCRIPTION,
        version=version("broadsheet"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.router.routes.extend(_routes())
    problems.install(app)
    openapi.install(app, reads_keyed=chosen.reads == "keyed")
    reference_pages.install(app)
    app.add_middleware(Inner)
    app.add_middleware(_HeadAsGet)
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """The routes, which all applications of a process share: to prepare them takes 50 ms."""
    within = APIRouter(generate_unique_id_function=lambda route: route.name)
    for routes in (
        articles.router,
        search.router,
        exports.router,
        changes.router,
        reconcile.router,  # before what takes an id in its place
        entities.router,
        system.status_router,
    ):
        within.include_router(routes, dependencies=[Depends(known_parameters_only)])
    within.include_router(system.router)
    return within.routes


def served() -> FastAPI:
    """The application of the environment's settings, for a process that does nothing else.

    The garbage collector skips the objects that start-up made: a full collection stopped every
    request for 0.2 s. The GIL changes hands more often than every 5 ms: a short search releases
    it at every block that it reads, and waits for a long one to give it back. Cells of CSV may
    be long.
    """
    _share_arenas()
    records.allow_long_cells()
    app = create_app()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_TURN_S)
    return app


def _share_arenas() -> None:
    """Have all threads allocate from two arenas of glibc; other C libraries have none.

    By default there may be eight a core, and each keeps what its threads have freed: 12 MB of
    an upload's memory.
    """
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8  # <malloc.h>


class _Broadsheet(FastAPI):
    """The application with what stands before all of it, the answer to a bug included."""

    def __init__(self, settings: Settings, observed: _Around, **more: Any) -> None:
        super().__init__(**more)
        self._settings = settings
        self._observed = observed

    def build_middleware_stack(self) -> ASGIApp:
        chosen = self._settings
        guarded = Guarded(Keyed(super().build_middleware_stack(), chosen), chosen)
        restricted = Restricted(shared_with(chosen.cors_origins, guarded))
        observed = self._observed(restricted)
        return Proxied(observed, root_path=chosen.root_path, trusted=chosen.trusted_proxies)


def _follow(
    stop: threading.Event, wake: threading.Event, interval_s: float, work: Callable[[], None]
) -> None:
    """Do `work` at every wake-up and every interval, until stopped."""
    while not stop.is_set():
        wake.clear()
        work()
        wake.wait(interval_s)


def _sync(executor: Executor, looked: maintenance.Looked, stop: threading.Event) -> None:
    """Run the maintenance that is due, sync the index, then wake the extractor."""
    started = time.perf_counter()
    try:
        maintenance.tend(executor.database, executor.engine, executor.settings, looked)
        done_ = indexing.sync(executor.database, executor.engine, stop=stop.is_set)
        executor.metrics.synced(done_, time.perf_counter() - started)
    except EngineBusy:  # the process that holds it brings it up to date
        executor.metrics.sync_failed(busy=True)
    except indexing.SyncStopped:
        pass
    except (BroadsheetError, OSError) as error:
        executor.metrics.sync_failed(busy=False)
        log.error("index sync failed: %s", error)
    except Exception:
        executor.metrics.sync_failed(busy=False)
        log.exception("index sync failed")
    executor.wake_reader.set()


def _extract(executor: Executor, pool: ExtractorPool, stop: threading.Event) -> None:
    """Sweep for mentions; each batch wakes the indexer."""
    if executor.settings.extractor == "none":
        return
    try:
        extraction.sweep(
            executor.database,
            pool,
            executor.settings.extractor_lock,
            progress=lambda _: executor.wake.set(),
            stop=stop.is_set,
        )
        pool.rest()
    except (ExtractorBusy, PoolStopped):
        pass  # the process that holds it reads what there is; or the next start does
    except (BroadsheetError, OSError) as error:
        log.error("extraction failed: %s", error)
    except Exception:
        log.exception("extraction failed")


class _HeadAsGet:
    """Answers HEAD as GET without the body, on every route that answers GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def headless(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, headless)
