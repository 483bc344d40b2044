"""Routes of articles."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app import articles, finding
from app.api import cursors, schemas, uploads
from app.api.deps import DeskDep, KeyDep
from app.api.openapi import responses
from app.search import base

router = APIRouter(prefix="/v1/articles", tags=["articles"])


@router.get(
    "", response_model=schemas.ArticleList, responses=responses(422, 503, example="articles")
)
async def list_articles(
    request: Request, asked: Annotated[schemas.ArticleParameters, Query()], desk: DeskDep
) -> Response:
    """Articles, newest first, without their text.

    Pages are stable while articles are added: none comes twice, none is skipped.
    """
    wanted = asked.filters()
    of = ("articles", wanted, asked.sort)
    after = cursors.decode(asked.cursor, of) if asked.cursor else None
    found = await desk.read(articles.listing, wanted, asked.sort, limit=asked.limit, after=after)
    return schemas.page(request, found.articles, found.total, found.after, of)


@router.get(
    "/{article_id}",
    response_model=schemas.Article,
    responses=responses(404, 422, 503, example="article"),
)
async def get_article(article_id: UUID, desk: DeskDep) -> Response:
    """The whole article, with related articles and every input that it was seen in."""
    return schemas.answer(await desk.read(articles.get, article_id))


@router.get(
    "/{article_id}/similar",
    response_model=schemas.SimilarList,
    responses=responses(404, 422, 503, example="similar"),
)
async def similar_articles(
    article_id: UUID,
    asked: Annotated[schemas.SimilarParameters, Query()],
    desk: DeskDep,
) -> Response:
    """Articles that share the words that tell this one from others; near-duplicates first."""
    wish = base.Request(
        query=None,
        filters=asked.filters(),
        limit=asked.limit,
        timeout_s=desk.settings.search_timeout_s,
    )
    found, total = await desk.read(finding.similar, desk.engine, article_id, wish)
    return schemas.answer({"items": found, "total": total, "next": None})


@router.post(
    "",
    response_model=schemas.Imported,
    responses=responses(413, 415, 422, 503, example="imported"),
    openapi_extra=uploads.MANY,
)
async def add_articles(request: Request, desk: DeskDep, key: KeyDep) -> Response:
    """Store one article or many, in a format that the loader reads, by Content-Type.

    What can't be read is rejected with its reason and the rest is stored. When the answer
    comes, the rest is committed; it is searchable a moment later. A long body is stored in
    batches while it comes: what was stored stays when it breaks off.
    """
    return await uploads.store(request, desk, key)


@router.put(
    "/{article_id}",
    response_model=schemas.Article,
    responses=responses(404, 413, 415, 422, 503, example="article"),
    openapi_extra=uploads.ONE,
)
async def replace_article(
    article_id: UUID, request: Request, desk: DeskDep, key: KeyDep
) -> Response:
    """Replace a stored article by the one sent, whatever their dates; it keeps its id."""
    draft = await uploads.one(request, desk, key)
    publisher = desk.settings.source
    await desk.write(key, articles.replace, article_id, draft, publisher=publisher, by=key)
    return schemas.answer(await desk.read(articles.get, article_id))


@router.delete(
    "/{article_id}",
    status_code=204,
    response_class=Response,
    responses=responses(404, 422, 503),
)
async def remove_article(article_id: UUID, desk: DeskDep, key: KeyDep) -> Response:
    """Remove an article. Loading it again brings it back under its id."""
    await desk.write(key, articles.remove, article_id, by=key)
    return Response(status_code=204)
