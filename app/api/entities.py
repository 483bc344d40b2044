"""Routes of entities."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.api.deps import ExecutorDep, PagingDep
from app.api.openapi import EXPIRED, MOVED, documented
from app.api.schemas import answers, requests, responses
from app.api.schemas import entities as entity_schemas
from app.entities import read as entities
from app.services import search

router = APIRouter(prefix="/v1/entities", tags=["entities"])


@router.get(
    "",
    response_model=entity_schemas.EntityList,
    responses=documented(422, 503, EXPIRED, example="entities"),
)
async def list_entities(
    parameters: Annotated[entity_schemas.EntityParameters, Query()], paging: PagingDep
) -> Response:
    """People, organizations and places, those of most articles first.

    With filters only those of articles that pass them, counted in these.
    """
    of = ("entities", parameters.filters(), parameters.q, parameters.type, parameters.sort)
    return await paging.answer(of, parameters.listing(), parameters)


@router.get(
    "/{entity_id}",
    response_model=entities.WholeEntity,
    responses=documented(404, 422, 503, MOVED, example="entity"),
)
async def get_entity(entity_id: UUID, executor: ExecutorDep) -> Response:
    """One entity: what it is called, how often it appears, and since when."""
    return answers.answer(await executor.read(entities.get, entity_id))


@router.get(
    "/{entity_id}/articles",
    response_model=responses.ArticleList,
    responses=documented(404, 422, 503, MOVED, EXPIRED, example="articles"),
)
async def articles_of_entity(
    entity_id: UUID, parameters: Annotated[requests.ArticleParameters, Query()], paging: PagingDep
) -> Response:
    """The articles that mention the entity, newest first, without their text."""
    wanted, order, fields = parameters.filters(), parameters.sort, parameters.fields
    page = partial(
        search.articles_of, entity_id=entity_id, wanted=wanted, order=order, fields=fields
    )
    return await paging.answer(("articles of", entity_id, wanted, order), page, parameters)


@router.get(
    "/{entity_id}/related",
    response_model=entity_schemas.RelatedList,
    responses=documented(404, 422, 503, MOVED, EXPIRED, example="related"),
)
async def related_entities(
    entity_id: UUID,
    parameters: Annotated[entity_schemas.RelatedParameters, Query()],
    paging: PagingDep,
) -> Response:
    """Who and what appears in the same articles, the strongest association first."""
    of = ("related to", entity_id, parameters.filters(), parameters.type, parameters.sort)
    related = partial(parameters.related(), entity_id=entity_id)
    return await paging.answer(of, related, parameters)


@router.get(
    "/{entity_id}/timeline",
    response_model=entity_schemas.Timeline,
    responses=documented(404, 422, 503, MOVED, example="timeline"),
)
async def timeline_of_entity(
    entity_id: UUID,
    parameters: Annotated[entity_schemas.TimelineParameters, Query()],
    executor: ExecutorDep,
) -> Response:
    """The entity's articles by hour, day, week, month or year, periods without any included."""
    found = await executor.read(
        entities.timeline, entity_id, parameters.filters(), parameters.histogram
    )
    items = [{"start": each.start, "count": each.count} for each in found]
    return answers.answer({"items": items, "total": len(items), "next": None})
