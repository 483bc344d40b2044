"""The route of the change feed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api import cursors
from app.api.deps import CursorKeyDep, ExecutorDep
from app.api.openapi import HISTORY_LOST, documented
from app.api.schemas import answers, requests, responses
from app.articles import read as articles

router = APIRouter(prefix="/v1/changes", tags=["articles"])


@router.get(
    "",
    response_model=responses.ChangeList,
    responses=documented(422, 503, HISTORY_LOST, example="changes"),
)
async def changes(
    request: Request,
    parameters: Annotated[requests.ChangeParameters, Query()],
    executor: ExecutorDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """What was added, updated and deleted after change `since`, without gaps, in its order.

    Each article comes once, as it is now. Read all pages, then ask again with `last` as
    `since` and its `token`: what changes meanwhile comes then. 410 when the archive has not got
    that change, because an older copy of it was put in its place: start again.
    """
    of = ("changes", parameters.since)
    cursor_key = replace(cursor_key, erased=0)  # a copy learns of an erasure as it goes on
    found, last = await executor.read(
        articles.events,
        parameters.since,
        limit=parameters.limit,
        after=cursors.decode(parameters.cursor, of, cursor_key),
        token=parameters.token,
    )
    return answers.page(request, found, of, cursor_key, last=last.change, token=last.token)
