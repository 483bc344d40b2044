"""Routes of search: answers, and what helps to search better."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.api import components, etags, inputs
from app.api.deps import BodyDep, ExecutorDep, Paging, PagingDep, cursor_key_of
from app.api.openapi import EXPIRED, UNCHANGED, documented
from app.api.schemas import answers, requests, responses
from app.errors import ParameterError, QueryError
from app.search.deadline import Deadline
from app.search.engine import ListPage
from app.search.query import tree as query_tree
from app.services import search as search_service
from app.services import suggest as suggest_service

router = APIRouter(prefix="/v1/search", tags=["search"])

Parameters = Annotated[requests.SearchParameters, Query()]


@router.get(
    "",
    response_model=responses.SearchAnswer,
    responses=documented(400, 422, 503, UNCHANGED, EXPIRED, example="search"),
)
async def search(parameters: Parameters, paging: PagingDep) -> Response:
    """Articles that match `q` and pass the filters, best first.

    `total` is exact. Pages go as deep as there are hits and stay stable while articles are
    added. `as_of` tells how current the index is.
    """
    tag = await etags.of(paging.executor, paging.request)
    if etags.matches(paging.request, tag):
        return etags.unchanged(tag)
    return await _search(parameters, paging, etags.headers(tag))


async def _posted(request: Request, body: BodyDep, executor: ExecutorDep) -> requests.SearchBody:
    """The search in a body; read in the pool, because a long one takes a while."""
    media_type = request.headers.get("content-type", "application/json")
    return await executor.run(_read, body, media_type.partition(";")[0].strip().lower())


def _read(body: bytes, media_type: str) -> requests.SearchBody:
    is_json = media_type == "application/json" or media_type.endswith("+json")
    found = inputs.json_of(body, "body") if is_json and body else None
    try:
        return requests.SearchBody.model_validate(found)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [{**each, "loc": ("body", *each["loc"])} for each in problems]
        ) from error


_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": components.ref("SearchBody")}},
    }
}


@router.post(
    "",
    response_model=responses.SearchAnswer,
    responses=documented(400, 413, 422, 503, EXPIRED, example="search"),
    openapi_extra=_BODY,
)
async def search_by_body(
    request: Request,
    parameters: Annotated[requests.SearchBody, Depends(_posted)],
    executor: ExecutorDep,
) -> Response:
    """The same search with its parameters as a JSON body, for long queries."""
    paging = Paging(request, executor, await cursor_key_of(executor, parameters.cursor))
    try:
        return await _search(parameters, paging, {})
    except (ParameterError, QueryError) as error:
        error.where = "body"
        raise


async def _search(
    parameters: requests.SearchParameters, paging: Paging, headers: dict[str, str]
) -> Response:
    started = time.perf_counter()
    request, executor = paging.request, paging.executor
    deadline = Deadline(executor.settings.search_timeout_s)
    search_request = await paging.search(parameters, deadline)
    found = await executor.search(
        search_service.find,
        search_request,
        deadline,
        highlight=parameters.highlight,
        fields=parameters.fields,
    )
    suggestion = None
    if found.total < _FEW or found.relaxed:
        suggestion = await _suggestion(paging, parameters.q, search_request.query, deadline)
    if not found.complete:
        headers = {}  # another try may find more
    return answers.page(
        request,
        ListPage(found.hits, found.total, found.after),
        requests.list_of(search_request),
        paging.cursor_key,
        headers=headers,
        linked=request.method == "GET",
        asked_s=search_request.asked_s,
        facets=found.facets,
        histogram=[answers.bucket(each) for each in found.histogram],
        suggestion=suggestion,
        as_of={"change": found.cursor, "lag": found.lag},
        took_ms=round((time.perf_counter() - started) * 1000, 3),
        complete=found.complete,
        relaxed=found.relaxed,
    )


async def _suggestion(
    paging: Paging, q: str, tree: query_tree.Query | None, deadline: Deadline
) -> str | None:
    suggest, engine = suggest_service.suggestion, paging.executor.engine
    timeout_s = deadline.remaining_s
    return await paging.executor.read(suggest, engine, q, tree, timeout_s=timeout_s)


_FEW = 50  # hits below which a misspelt word is looked for, and where words were let go


@router.get(
    "/suggest",
    response_model=responses.Completions,
    responses=documented(422, 503, example="completions"),
)
async def suggest(
    parameters: Annotated[requests.SuggestParameters, Query()], executor: ExecutorDep
) -> Response:
    """Completions of what was typed so far: names, words, and headlines that hold it."""
    found = await executor.read(
        suggest_service.completions, executor.engine, parameters.q, parameters.limit
    )
    return answers.answer({"items": found})


@router.get(
    "/explain",
    response_model=responses.Explanation,
    responses=documented(400, 422, 503, EXPIRED, example="explanation"),
)
async def explain(parameters: Parameters, paging: PagingDep) -> Response:
    """How `q` is read: its tree, the hits of each clause and of the query without it."""
    executor = paging.executor
    deadline = Deadline(executor.settings.search_timeout_s)
    search_request = await paging.search(parameters, deadline)
    clauses, total, complete = await executor.search(
        search_service.explain, search_request, deadline
    )
    tree = search_request.query
    suggestion = await _suggestion(paging, parameters.q, tree, deadline)
    return answers.answer(
        {
            "query": str(tree) if tree else "",
            "tree": query_tree.explain(tree) if tree else None,
            "clauses": clauses,
            "total": total,
            "suggestion": suggestion,
            "complete": complete,
        }
    )
