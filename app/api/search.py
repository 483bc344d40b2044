"""Routes of search: answers, feeds and exports, and what helps to search better."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app import finding
from app.api import door, etags, exports, feeds, schemas
from app.api.deps import BodyDep, CursorKeyDep, DeskDep, wish_of
from app.api.openapi import EXPIRED, UNCHANGED, responses
from app.errors import ParameterError, QueryError
from app.search import query
from app.search.clock import Clock

if TYPE_CHECKING:
    from app.api.deps import Desk
    from app.articles import CursorKey

router = APIRouter(prefix="/v1/search", tags=["search"])

Asked = Annotated[schemas.SearchParameters, Query()]


@router.get(
    "",
    response_model=schemas.SearchAnswer,
    responses={
        **responses(400, 422, 503, example="search", formats=feeds.MEDIA_TYPES),
        304: UNCHANGED,
        410: EXPIRED,
    },
)
async def search(
    request: Request, asked: Asked, desk: DeskDep, cursor_key: CursorKeyDep
) -> Response:
    """Articles that match `q` and pass the filters, best first.

    `total` is exact. Pages go as deep as there are hits and stay stable while articles are
    added. `as_of` tells how current the index is. With an `Accept` header for Atom, JSON
    Feed, CSV or JSON Lines the answer is that of `/v1/search.atom` and so on.
    """
    kind = feeds.negotiate(request.headers.get("accept", ""))
    if kind is not None:
        return await exports.answer(kind, request, asked, desk, cursor_key)
    tag = await etags.of(desk, request)
    if etags.matches(request, tag):
        return etags.unchanged(tag)
    return await _search(request, asked, desk, cursor_key, etags.headers(tag))


async def _posted(request: Request, body: BodyDep, desk: DeskDep) -> schemas.SearchBody:
    """The search in a body; read in the pool, because a long one takes a while."""
    media_type = request.headers.get("content-type", "application/json")
    return await desk.run(_read, body, media_type.partition(";")[0].strip().lower())


def _read(body: bytes, media_type: str) -> schemas.SearchBody:
    is_json = media_type == "application/json" or media_type.endswith("+json")
    found = door.json_of(body, "body") if is_json and body else None
    try:
        return schemas.SearchBody.model_validate(found)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**each, "loc": ("body", *each["loc"])} for each in told]
        ) from error


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": schemas.SearchBody.model_json_schema()}},
    }
}


@router.post(
    "",
    response_model=schemas.SearchAnswer,
    responses={**responses(400, 413, 422, 503, example="search"), 410: EXPIRED},
    openapi_extra=_BODY,
)
async def search_by_body(
    request: Request,
    asked: Annotated[schemas.SearchBody, Depends(_posted)],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The same search with its parameters as a JSON body, for long queries."""
    try:
        return await _search(request, asked, desk, cursor_key, {})
    except (ParameterError, QueryError) as error:
        error.where = "body"
        raise


async def _search(
    request: Request,
    asked: schemas.SearchParameters,
    desk: Desk,
    cursor_key: CursorKey,
    headers: dict[str, str],
) -> Response:
    started = time.perf_counter()
    clock = Clock(desk.settings.search_timeout_s)
    wish = await wish_of(asked, desk, cursor_key, clock)
    found = await desk.search(finding.find, wish, clock, highlight=asked.highlight)
    suggestion = None
    if found.total < _FEW:
        suggestion = await desk.run(
            finding.suggestion, desk.engine, asked.q, wish.query, timeout_s=clock.remaining_s
        )
    if not found.complete:
        headers = {}  # another try may find more
    return schemas.page(
        request,
        found.hits,
        found.total,
        found.after,
        schemas.list_of(wish),
        cursor_key,
        headers=headers,
        linked=request.method == "GET",
        facets=found.facets,
        histogram=[schemas.bucket(each) for each in found.histogram],
        suggestion=suggestion,
        as_of={"change": found.cursor, "lag": found.lag},
        took_ms=round((time.perf_counter() - started) * 1000, 3),
        complete=found.complete,
    )


_FEW = 3  # hits below which a misspelt word is looked for


@router.get(
    "/suggest",
    response_model=schemas.Completions,
    responses=responses(422, 503, example="completions"),
)
async def suggest(asked: Annotated[schemas.SuggestParameters, Query()], desk: DeskDep) -> Response:
    """Completions of what was typed so far: names, words, and headlines that hold it."""
    found = await desk.read(finding.completions, desk.engine, asked.q, asked.limit)
    return schemas.answer({"items": found})


@router.get(
    "/explain",
    response_model=schemas.Explanation,
    responses={**responses(400, 422, 503, example="explanation"), 410: EXPIRED},
)
async def explain(asked: Asked, desk: DeskDep, cursor_key: CursorKeyDep) -> Response:
    """How `q` is read: its tree, the hits of each clause and of the query without it."""
    clock = Clock(desk.settings.search_timeout_s)
    wish = await wish_of(asked, desk, cursor_key, clock)
    clauses, total, complete = await desk.search(finding.explain, wish, clock)
    tree = wish.query
    suggestion = await desk.run(
        finding.suggestion, desk.engine, asked.q, tree, timeout_s=clock.remaining_s
    )
    return schemas.answer(
        {
            "query": str(tree) if tree else "",
            "tree": query.explain(tree) if tree else None,
            "clauses": clauses,
            "total": total,
            "suggestion": suggestion,
            "complete": complete,
        }
    )
