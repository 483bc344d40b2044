"""The route of the change feed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import articles
from app.api import cursors, schemas
from app.api.deps import CursorKeyDep, DeskDep
from app.api.openapi import responses
from app.search.base import Place

router = APIRouter(prefix="/v1/changes", tags=["articles"])


@router.get("", response_model=schemas.ChangeList, responses=responses(422, 503, example="changes"))
async def changes(
    request: Request,
    asked: Annotated[schemas.ChangeParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """What was added, updated and deleted after change `since`, without gaps, in its order.

    Each article comes once, as it is now. Read all pages, then ask again with `last` as
    `since`: what changes meanwhile comes then.
    """
    of = ("changes", asked.since)
    cursor_key = replace(cursor_key, erased=0)  # a copy learns of an erasure as it goes on
    place = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    after = (place.published_us or 0, place.id) if place is not None else None
    found, total, more, last = await desk.read(
        articles.events, asked.since, limit=asked.limit, after=after
    )
    goes_on = Place(found[-1].id, published_us=found[-1].change) if more else None
    return schemas.page(request, found, total, goes_on, of, cursor_key, last=last)
