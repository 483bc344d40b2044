"""Routes of articles."""

from __future__ import annotations

from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response

from app import articles, finding, history
from app.api import cursors, etags, schemas, uploads
from app.api.deps import CursorKeyDep, Desk, DeskDep, KeyDep
from app.api.openapi import EXPIRED, MOVED, responses
from app.search import base

router = APIRouter(prefix="/v1/articles", tags=["articles"])
VersionNumber = Annotated[int, Path(ge=1, lt=2**31, description="In the order of arrival.")]


@router.get(
    "",
    response_model=schemas.ArticleList,
    responses={**responses(422, 503, example="articles"), 410: EXPIRED},
)
async def list_articles(
    request: Request,
    asked: Annotated[schemas.ArticleParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """Articles, newest first, without their text.

    Pages are stable while articles are added: none comes twice, none is skipped.
    """
    wanted = asked.filters()
    of = ("articles", wanted, asked.sort)
    after = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    found = await desk.read(articles.listing, wanted, asked.sort, limit=asked.limit, after=after)
    return schemas.page(request, found.articles, found.total, found.after, of, cursor_key)


@router.get(
    "/{article_id}",
    response_model=schemas.Article,
    responses={**responses(404, 410, 422, 503, example="article"), 308: MOVED},
)
async def get_article(article_id: UUID, desk: DeskDep) -> Response:
    """The whole article, with related articles and every input that it was seen in."""
    return await _article(desk, article_id)


async def _article(desk: Desk, article_id: UUID) -> Response:
    whole, digest = await desk.read(etags.tagged, article_id)
    return schemas.answer(whole, headers={"ETag": etags.of_article(digest)})


@router.get(
    "/{article_id}/similar",
    response_model=schemas.SimilarList,
    responses={**responses(404, 410, 422, 503, example="similar"), 308: MOVED},
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
    responses={
        **responses(413, 415, 422, 503, example="imported"),
        207: {"model": schemas.Imported, "description": "Some were taken and some rejected"},
    },
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
    responses={
        **responses(404, 409, 410, 412, 413, 415, 422, 503, example="article"),
        308: MOVED,
    },
    openapi_extra=uploads.ONE,
)
async def replace_article(
    article_id: UUID,
    request: Request,
    desk: DeskDep,
    key: KeyDep,
    if_match: etags.IfMatch = None,
) -> Response:
    """Show the article that is sent in the place of what is shown, whatever their dates."""
    draft = await uploads.one(request, desk, key)
    replace = partial(
        articles.replace,
        draft=draft,
        publisher=desk.settings.source,
        load=articles.Load("http"),
        by=key,
    )
    await desk.write(key, etags.guarded, replace, article_id, if_match)
    return await _article(desk, article_id)


@router.delete(
    "/{article_id}",
    status_code=204,
    response_class=Response,
    responses={**responses(404, 410, 412, 422, 503), 308: MOVED},
)
async def remove_article(
    article_id: UUID,
    desk: DeskDep,
    key: KeyDep,
    erase: Annotated[bool, Query(description="For good; needs a key with `erase`.")] = False,
    if_match: etags.IfMatch = None,
) -> Response:
    """Take an article out, until it is restored, or for good."""
    remove = partial(articles.erase if erase else articles.remove, by=key)
    await desk.write(key, etags.guarded, remove, article_id, if_match)
    return Response(status_code=204)


@router.post(
    "/{article_id}/restore",
    response_model=schemas.Article,
    responses={**responses(404, 410, 422, 503, example="article"), 308: MOVED},
)
async def restore_article(article_id: UUID, desk: DeskDep, key: KeyDep) -> Response:
    """Bring back an article that was removed."""
    await desk.write(key, articles.restore, article_id, by=key)
    return await _article(desk, article_id)


@router.get(
    "/{article_id}/versions",
    response_model=schemas.VersionList,
    responses={**responses(404, 410, 422, 503, example="versions"), 308: MOVED},
)
async def list_versions(
    request: Request,
    article_id: UUID,
    asked: Annotated[schemas.VersionParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """Every version of the article, newest first, and what each changed."""
    of = ("versions", article_id)
    place = cursors.decode(asked.cursor, of, cursor_key) if asked.cursor else None
    after = None if place is None else place.published_us
    found = await desk.read(history.versions, article_id, limit=asked.limit, after=after)
    goes_on = None if found.after is None else base.Place(article_id, published_us=found.after)
    return schemas.page(request, found.versions, found.total, goes_on, of, cursor_key)


@router.get(
    "/{article_id}/versions/{number}",
    response_model=schemas.WholeVersion,
    responses={**responses(404, 410, 422, 503, example="version"), 308: MOVED},
)
async def get_version(article_id: UUID, number: VersionNumber, desk: DeskDep) -> Response:
    """A version of the article whole, and by words what it changed of the one before."""
    return schemas.answer(await desk.read(history.version, article_id, number))
