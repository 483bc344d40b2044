"""Routes for operators: is it alive, can it serve, what does it hold."""

from __future__ import annotations

import platform
import sqlite3
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from app import articles, extracting, indexing, upkeep
from app.api import schemas
from app.api.deps import DeskDep
from app.api.metrics import MEDIA_TYPE
from app.errors import Draining

if TYPE_CHECKING:
    from app.api.deps import Desk

from app.api.openapi import responses

router = APIRouter(tags=["system"])
"""Probes: they take any parameter, since load balancers add some."""
status_router = APIRouter(tags=["system"])


@router.get(
    "/healthz",
    summary="Alive",
    response_model=schemas.Health,
    responses=responses(example="health"),
)
async def healthz() -> Response:
    """Alive: the process answers. Says nothing of database and index."""
    return schemas.answer({"status": "ok"})


@router.get(
    "/readyz",
    summary="Able To Serve",
    response_model=schemas.Health,
    responses=responses(503, example="health"),
)
async def readyz(desk: DeskDep) -> Response:
    """Able to serve: the database has its tables and an index can answer searches.

    Not so when the server is about to stop, though it still answers what comes.
    """
    if desk.draining:
        raise Draining
    await desk.aside(desk.database.require_schema)
    await desk.aside(desk.engine.verify)
    return schemas.answer({"status": "ok"})


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={**responses(), 200: {"content": {"text/plain": {"example": "metrics"}}}},
)
async def metrics(desk: DeskDep) -> Response:
    """Counts, times and the state of store and index, for Prometheus."""
    exposition = await desk.aside(desk.metrics.exposition, desk)
    return Response(exposition, media_type=MEDIA_TYPE)


@status_router.get(
    "/v1/status",
    response_model=schemas.Status,
    responses=responses(422, 503, example="status"),
)
async def status(desk: DeskDep) -> Response:
    """Counts, the index's state and lag, and versions."""
    return schemas.answer(await desk.run(_status, desk))


def _status(desk: Desk) -> dict[str, Any]:
    with desk.database.reading() as session:
        change = articles.last_change(session)
        held = {
            "store_id": articles.store_id(session),
            "articles": articles.count(session),
            "change": change,
            "kept": upkeep.kept(session),
        }
        extraction = extracting.state(session)
    state = indexing.state(desk.database, desk.engine)
    index = {
        "engine": desk.settings.search_engine,
        "state": state.name,
        "detail": state.detail,
        "cursor": state.cursor,
        "lag": None if state.cursor is None else change - state.cursor,
    }
    versions = {
        "broadsheet": version("broadsheet"),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        desk.settings.search_engine: version("whoosh-reloaded"),
    }
    extracted = {
        "extractor": extraction.version,
        "cursor": extraction.cursor,
        "lag": extraction.lag,
        "failures": extraction.failures,
    }
    return {**held, "index": index, "extraction": extracted, "versions": versions}
