"""HTTP and nothing else: `create_app` puts routes, errors, docs and the sweeper together."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import time
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI

from app import extracting, indexing, upkeep
from app.api import (
    articles,
    changes,
    entities,
    exports,
    openapi,
    pages,
    problems,
    reconcile,
    search,
    system,
)
from app.api.access import Keyed
from app.api.browsers import Restricted, shared_with
from app.api.deps import Desk, known_parameters_only
from app.api.draining import Drain
from app.api.guard import Guarded
from app.api.metrics import Metrics
from app.api.observing import Inner, Observed
from app.api.proxy import Proxied
from app.api.tracing import open_tracer
from app.crew import Crew, Stopped
from app.database import Database
from app.errors import BroadsheetError, EngineBusy, ExtractorBusy
from app.search import open_engine
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

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
        desk = app.state.desk = Desk(chosen, database, engine, metrics=metrics, drain=drain)
        stop = threading.Event()
        crew = Crew(chosen.extractor, chosen.extractor_model)
        sweeping = asyncio.gather(
            _repeated(desk, stop, desk.wake, partial(_sync, desk, stop)),
            _repeated(desk, stop, desk.wake_reader, partial(_extract, desk, crew, stop)),
        )
        try:
            with drain.watching():
                yield
        except asyncio.CancelledError:
            pass  # a second Ctrl-C: uvicorn would log a traceback of it
        finally:
            stop.set()
            await asyncio.to_thread(crew.stop)
            desk.wake.set()
            desk.wake_reader.set()
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(sweeping, STOP_TIMEOUT_S)
            desk.close()
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
        generate_unique_id_function=lambda route: route.name,
    )
    for routes in (
        articles.router,
        search.router,
        exports.router,
        changes.router,
        reconcile.router,  # before what takes an id in its place
        entities.router,
        system.status_router,
    ):
        app.include_router(routes, dependencies=[Depends(known_parameters_only)])
    app.include_router(system.router)
    problems.install(app)
    openapi.install(app, reads_keyed=chosen.reads == "keyed")
    pages.install(app)
    app.add_middleware(Inner)
    app.add_middleware(_HeadAsGet)
    return app


def served() -> FastAPI:
    """The application of the environment's settings, for a process that does nothing else.

    What start-up made stays for good, so the collector need not look at it again: a look at
    all of it held up every request, for 0.2 s. Threads change more often than every 5 ms: a
    short search gives up its turn at every block that it reads, and waits for a long one.
    """
    app = create_app()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(_TURN_S)
    return app


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


async def _repeated(
    desk: Desk, stop: threading.Event, wake: asyncio.Event, work: Callable[[], None]
) -> None:
    """Do `work` at every wake-up and every interval, until stopped.

    In a thread of its own: a long rebuild holds up no request, and a long extraction
    neither requests nor the index.
    """
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        wake.clear()
        done = loop.create_future()
        threading.Thread(target=_told, args=(work, done), daemon=True, name="sweeper").start()
        await done
        with suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), desk.settings.sync_interval_s)


def _told(work: Callable[[], None], done: asyncio.Future[None]) -> None:
    try:
        work()
    finally:
        with suppress(RuntimeError):  # the loop is gone when stopping took too long
            done.get_loop().call_soon_threadsafe(done.set_result, None)


def _sync(desk: Desk, stop: threading.Event) -> None:
    """Do what is due, bring the index up to date, then have what is new read."""
    started = time.perf_counter()
    try:
        upkeep.tend(desk.database, desk.engine, desk.settings)
        done_ = indexing.sync(desk.database, desk.engine, stop=stop.is_set)
        desk.metrics.synced(done_, time.perf_counter() - started)
    except EngineBusy:  # the process that holds it brings it up to date
        desk.metrics.sync_failed(busy=True)
    except indexing.Stopped:
        pass
    except (BroadsheetError, OSError) as error:
        desk.metrics.sync_failed(busy=False)
        log.error("the index could not follow: %s", error)
    except Exception:
        desk.metrics.sync_failed(busy=False)
        log.exception("the index could not follow")
    desk.call(desk.wake_reader.set)


def _extract(desk: Desk, crew: Crew, stop: threading.Event) -> None:
    """Bring the mentions up to date; the index is told of each batch."""
    if desk.settings.extractor == "none":
        return
    try:
        extracting.sweep(
            desk.database,
            crew,
            desk.settings.extractor_lock,
            progress=lambda _: desk.call(desk.wake.set),
            stop=stop.is_set,
        )
        crew.rest()
    except (ExtractorBusy, Stopped):
        pass  # the process that holds it reads what there is; or the next start does
    except (BroadsheetError, OSError) as error:
        log.error("extraction could not follow: %s", error)
    except Exception:
        log.exception("extraction could not follow")


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
