"""Routes for operators: is it alive, can it serve, what does it hold."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from app.api.deps import Executor, ExecutorDep
from app.api.metrics import MEDIA_TYPE
from app.api.openapi import documented
from app.api.schemas import answers, responses
from app.errors import Draining
from app.services import extraction, indexing, maintenance
from app.store import sequence

_LIBRARIES = {"whoosh": "whoosh-reloaded", "tantivy": "tantivy"}

router = APIRouter(tags=["system"])
"""Probes: they take any parameter, since load balancers add some."""
status_router = APIRouter(tags=["system"])


@router.get(
    "/healthz",
    summary="Alive",
    response_model=responses.Health,
    responses=documented(example="health"),
)
async def healthz() -> Response:
    """Alive: the process answers. Says nothing of database and index."""
    return answers.answer({"status": "ok"})


@router.get(
    "/readyz",
    summary="Able To Serve",
    response_model=responses.Health,
    responses=documented(503, example="health"),
)
async def readyz(executor: ExecutorDep) -> Response:
    """Able to serve: the database has its tables and an index can answer searches.

    Not so when the server is about to stop, though it still answers what comes.
    """
    if executor.draining:
        raise Draining
    await executor.run_spare(executor.database.require_schema)
    await executor.run_spare(executor.engine.health)
    return answers.answer({"status": "ok"})


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={**documented(), 200: {"content": {"text/plain": {"example": "metrics"}}}},
)
async def metrics(executor: ExecutorDep) -> Response:
    """Counts, times and the state of store and index, for Prometheus."""
    exposition = await executor.run_spare(
        executor.metrics.exposition,
        executor.settings,
        executor.database,
        executor.engine,
        draining=executor.draining,
    )
    return Response(exposition, media_type=MEDIA_TYPE)


@status_router.get(
    "/v1/status", response_model=responses.Status, responses=documented(422, 503, example="status")
)
async def status(executor: ExecutorDep) -> Response:
    """Counts, the index's state and lag, and versions."""
    return answers.answer(await executor.run(_status, executor))


def _status(executor: Executor) -> dict[str, Any]:
    with executor.database.reading() as session:
        change = sequence.last_change(session)
        held = {
            "store_id": sequence.store_id(session),
            "articles": sequence.count(session),
            "change": change,
            "kept": maintenance.kept(session),
        }
        extracted = extraction.state(session)
    state = indexing.state(executor.database, executor.engine)
    index = {
        "engine": executor.settings.search_engine,
        "state": state.name,
        "detail": state.detail,
        "cursor": state.cursor,
        "lag": None if state.cursor is None else change - state.cursor,
    }
    versions = {
        "broadsheet": version("broadsheet"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        executor.settings.search_engine: version(_LIBRARIES[executor.settings.search_engine]),
    }
    return {**held, "index": index, "extraction": extracted, "versions": versions}
