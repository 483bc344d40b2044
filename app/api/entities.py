"""Routes of entities."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app import companions, entities
from app.api import cursors, schemas
from app.api.deps import CursorKeyDep, DeskDep
from app.api.openapi import EXPIRED, MOVED, responses

router = APIRouter(prefix="/v1/entities", tags=["entities"])


@router.get(
    "",
    response_model=schemas.EntityList,
    responses={**responses(422, 503, example="entities"), 410: EXPIRED},
)
async def list_entities(
    request: Request,
    asked: Annotated[schemas.EntityParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """People, organizations and places, those of most articles first.

    With filters only those of articles that pass them, counted in these.
    """
    wanted, sort = asked.filters(), asked.sort
    of = ("entities", wanted, asked.q, asked.type, sort)
    after = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    page = partial(entities.listing, sort=sort, limit=asked.limit, after=after)
    found = await desk.read(page, wanted, beginning=asked.q, type_=asked.type)
    return schemas.page(request, found.entities, found.total, found.after, of, cursor_key)


@router.get(
    "/{entity_id}",
    response_model=schemas.WholeEntity,
    responses={**responses(404, 422, 503, example="entity"), 308: MOVED},
)
async def get_entity(entity_id: UUID, desk: DeskDep) -> Response:
    """One entity: what it is called, how often it appears, and since when."""
    return schemas.answer(await desk.read(entities.get, entity_id))


@router.get(
    "/{entity_id}/articles",
    response_model=schemas.ArticleList,
    responses={**responses(404, 422, 503, example="articles"), 308: MOVED, 410: EXPIRED},
)
async def articles_of_entity(
    request: Request,
    entity_id: UUID,
    asked: Annotated[schemas.ArticleParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The articles that mention the entity, newest first, without their text."""
    wanted = asked.filters()
    of = ("articles of", entity_id, wanted, asked.sort)
    after = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    found = await desk.read(
        entities.articles_of, entity_id, wanted, asked.sort, limit=asked.limit, after=after
    )
    return schemas.page(request, found.articles, found.total, found.after, of, cursor_key)


@router.get(
    "/{entity_id}/related",
    response_model=schemas.RelatedList,
    responses={**responses(404, 422, 503, example="related"), 308: MOVED, 410: EXPIRED},
)
async def related_entities(
    request: Request,
    entity_id: UUID,
    asked: Annotated[schemas.RelatedParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """Who and what appears in the same articles, the strongest association first."""
    wanted, sort = asked.filters(), asked.sort
    of = ("related to", entity_id, wanted, asked.type, sort)
    after = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    page = partial(companions.related, type_=asked.type, sort=sort, limit=asked.limit, after=after)
    found = await desk.read(page, entity_id, wanted)
    return schemas.page(request, found.related, found.total, found.after, of, cursor_key)


@router.get(
    "/{entity_id}/timeline",
    response_model=schemas.Timeline,
    responses={**responses(404, 422, 503, example="timeline"), 308: MOVED},
)
async def timeline_of_entity(
    entity_id: UUID, asked: Annotated[schemas.TimelineParameters, Query()], desk: DeskDep
) -> Response:
    """The entity's articles by day, week, month or year, periods without any included."""
    found = await desk.read(
        entities.timeline, entity_id, asked.filters(), asked.histogram, asked.tz
    )
    items = [{"start": each.start, "count": each.count} for each in found]
    return schemas.answer({"items": items, "total": len(items), "next": None})
