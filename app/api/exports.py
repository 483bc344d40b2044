"""A search as a feed or a full export: Atom, JSON Feed, CSV, JSON Lines.

Feeds are paged as the search is. Exports hold the whole result: they are streamed, a page
of articles at a time, in the search's order and over one state of its scores.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from app import articles, finding
from app.api import cursors, etags, feeds, openapi, schemas
from app.api.deps import CursorKeyDep, DeskDep, wish_of
from app.api.guard import visit_of
from app.errors import OutOfTime
from app.search.clock import Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlmodel import Session

    from app.api.deps import Desk
    from app.articles import CursorKey, Whole
    from app.search import base
    from app.search.base import Engine

router = APIRouter(tags=["search"])

FIRST, BATCH = 20, 200
"""Articles that an export holds at once, at first and at most."""
BATCH_CHARS = 1_000_000
"""Text that it holds at once, as far as the batch before tells how long articles are."""
EXPORT_TIMEOUT_S = 30.0
"""What the search of an export may take; an export is whole or it is an error."""


async def answer(
    kind: feeds.Format,
    request: Request,
    asked: schemas.SearchParameters,
    desk: Desk,
    cursor_key: CursorKey,
) -> Response:
    """The search in one of `feeds.MEDIA_TYPES`."""
    tag = await etags.of(desk, request)
    if etags.matches(request, tag):
        return etags.unchanged(tag)
    wish = await wish_of(asked, desk, cursor_key, Clock(desk.settings.search_timeout_s))
    headers = etags.headers(tag)
    media_type = feeds.MEDIA_TYPES[kind]
    if kind in ("csv", "jsonl"):
        visit_of(request).export()
        wish = replace(wish, timeout_s=EXPORT_TIMEOUT_S)
        first = await desk.read(_batch, desk.engine, replace(wish, limit=FIRST, after=None))
        rows = _rows(kind, desk, wish, first)
        headers["Content-Disposition"] = f'attachment; filename="broadsheet-search.{kind}"'
        return StreamingResponse(rows, headers=headers, media_type=media_type)
    entries, after = await desk.read(_batch, desk.engine, wish)
    here = request.url
    page = feeds.Page(
        title=f"Broadsheet: {asked.q}" if asked.q else "Broadsheet",
        self_url=str(here),
        home_url=str(here.replace(path=here.path.removesuffix(f".{kind}"))),
        first_url=str(here.remove_query_params("cursor")),
        next_url=None
        if after is None
        else str(
            here.include_query_params(
                cursor=cursors.encode(after, schemas.list_of(wish), cursor_key)
            )
        ),
        articles_url=str(request.url_for("list_articles")),
        entries=[article for article, _ in entries],
        store_id=await desk.read(articles.store_id),
    )
    write = feeds.atom if kind == "atom" else feeds.json_feed
    return Response(await desk.run(write, page), headers=headers, media_type=media_type)


def _batch(
    session: Session, engine: Engine, wish: base.Request
) -> tuple[list[tuple[Whole, float]], base.Place | None]:
    """A page of the search with whole articles; one that was removed since is left out."""
    found = finding.search(session, engine, wish)
    if not found.complete:
        raise OutOfTime
    stored = articles.wholes(session, [hit.id for hit in found.hits])
    return [(stored[hit.id], hit.score) for hit in found.hits if hit.id in stored], found.after


async def _rows(
    kind: feeds.Format,
    desk: Desk,
    wish: base.Request,
    batch: tuple[list[tuple[Whole, float]], base.Place | None],
) -> AsyncIterator[bytes]:
    if kind == "csv":
        yield feeds.csv_header()
    limit = FIRST
    while True:
        entries, after = batch
        if kind == "csv":
            yield await desk.run(feeds.csv_rows, entries)
        else:
            yield b"".join(feeds.json_line(article, score) for article, score in entries)
        if after is None:
            return
        chars = sum(len(article.body) for article, _ in entries)
        limit = max(min(BATCH, 2 * limit, limit * BATCH_CHARS // max(chars, 1)), 1)
        batch = await desk.read(_batch, desk.engine, replace(wish, limit=limit, after=after))


def _documented(kind: feeds.Format) -> dict[int | str, dict[str, Any]]:
    return {
        **openapi.responses(400, 422, 503, formats=[kind]),
        304: openapi.UNCHANGED,
        410: openapi.EXPIRED,
    }


@router.get("/v1/search.atom", response_class=Response, responses=_documented("atom"))
async def search_atom(
    request: Request,
    asked: Annotated[schemas.SearchParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The search as an Atom feed, a page at a time."""
    return await answer("atom", request, asked, desk, cursor_key)


@router.get("/v1/search.json", response_class=Response, responses=_documented("json"))
async def search_json(
    request: Request,
    asked: Annotated[schemas.SearchParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The search as a JSON Feed 1.1, a page at a time."""
    return await answer("json", request, asked, desk, cursor_key)


@router.get("/v1/search.csv", response_class=Response, responses=_documented("csv"))
async def search_csv(
    request: Request,
    asked: Annotated[schemas.SearchParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The whole result as CSV, streamed; `limit` and `cursor` don't matter."""
    return await answer("csv", request, asked, desk, cursor_key)


@router.get("/v1/search.jsonl", response_class=Response, responses=_documented("jsonl"))
async def search_jsonl(
    request: Request,
    asked: Annotated[schemas.SearchParameters, Query()],
    desk: DeskDep,
    cursor_key: CursorKeyDep,
) -> Response:
    """The whole result as JSON Lines, streamed; `broadsheet load` reads it again."""
    return await answer("jsonl", request, asked, desk, cursor_key)
