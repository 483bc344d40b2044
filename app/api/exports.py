"""Searches as feeds and exports (Atom, JSON Feed, CSV, JSON Lines), and lists as CSV.

Feeds are paged as the search is. Exports hold the whole result: they are streamed, a page at a
time, in its order, and a search over one state of its scores.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlmodel import Session
from starlette.responses import StreamingResponse

from app.api import csv_tables, cursors, etags, feeds, openapi
from app.api.deps import Executor, ExecutorDep, Paging, PagingDep
from app.api.middleware.limits import visit_of
from app.api.schemas import entities as entity_schemas
from app.api.schemas import requests
from app.articles import read as articles
from app.articles.read import WholeArticle
from app.entities import read as entities
from app.entities.cooccurrence import RelatedEntity
from app.errors import OutOfTime
from app.search import engine as search_engine
from app.search.deadline import Deadline
from app.search.engine import Bucket, Engine, ListPage, PageKey
from app.services import search
from app.store import sequence

router = APIRouter(tags=["search"])

T = TypeVar("T", bound=Callable[..., Any])
_Scored = tuple[WholeArticle, float]

FIRST, BATCH = 20, 200
"""Articles that an export holds at once, at first and at most."""
BATCH_CHARS = 1_000_000
"""Text that it holds at once, as far as the batch before tells how long articles are."""
EXPORT_TIMEOUT_S = 30.0
"""What the search of an export may take; an export is whole or it is an error."""


async def _feed(
    kind: Literal["atom", "json"], paging: Paging, parameters: requests.SearchParameters
) -> Response:
    """A page of the search, newest first unless it is asked for otherwise."""
    request, executor, cursor_key = paging.request, paging.executor, paging.cursor_key
    tag = await etags.of(executor, request)
    if etags.matches(request, tag):
        return etags.unchanged(tag)
    parameters = parameters.model_copy(update={"sort": parameters.sort or "newest"})
    deadline = Deadline(executor.settings.search_timeout_s)
    search_request = await paging.search(parameters, deadline)
    found = await executor.read(_batch, executor.engine, search_request)
    here, next_url = request.url, None
    if found.after is not None:
        of, asked_s = requests.list_of(search_request), search_request.asked_s
        cursor = cursors.encode(found.after, of, cursor_key, asked_s=asked_s)
        next_url = str(here.include_query_params(cursor=cursor))
    page = feeds.FeedPage(
        title=f"Broadsheet: {parameters.q}" if parameters.q else "Broadsheet",
        self_url=str(here),
        home_url=str(here.replace(path=here.path.removesuffix(f".{kind}"))),
        first_url=str(here.remove_query_params("cursor")),
        next_url=next_url,
        articles_url=str(request.url_for("list_articles")),
        entries=[article for article, _ in found.items],
        store_id=await executor.read(sequence.store_id),
    )
    write = feeds.atom if kind == "atom" else feeds.json_feed
    raw = await executor.run(write, page)
    return Response(raw, headers=etags.headers(tag), media_type=feeds.MEDIA_TYPES[kind])


async def _export(
    kind: Literal["csv", "jsonl"],
    form: _Form,
    paging: Paging,
    parameters: requests.SearchParameters,
) -> Response:
    """The whole result, written in a form."""
    request, executor = paging.request, paging.executor
    tag = await etags.of(executor, request)
    if etags.matches(request, tag):
        return etags.unchanged(tag)
    deadline = Deadline(executor.settings.search_timeout_s)
    search_request = await paging.search(parameters, deadline)
    visit_of(request).export()
    search_request = replace(search_request, timeout_s=EXPORT_TIMEOUT_S)

    def page(session: Session, *, limit: int, after: PageKey | None) -> ListPage[_Scored]:
        wanted = replace(search_request, limit=limit, after=after)
        return _batch(session, executor.engine, wanted)

    first = await executor.read(page, limit=FIRST, after=None)
    headers = etags.headers(tag) | _named(request)
    rows = _streamed(form, executor, first, page, lambda entry: len(entry[0].body))
    return StreamingResponse(rows, headers=headers, media_type=feeds.MEDIA_TYPES[kind])


def _named(request: Request) -> dict[str, str]:
    """The header that gives a download the name of its route."""
    name = request.url.path.rpartition("/")[2]
    return {"Content-Disposition": f'attachment; filename="broadsheet-{name}"'}


def _batch(
    session: Session, engine: Engine, search_request: search_engine.Request
) -> ListPage[_Scored]:
    """A page of the search with whole articles; one that was removed since is left out."""
    found = search.search(session, engine, search_request)
    if not found.complete:
        raise OutOfTime
    stored = articles.wholes(session, [hit.id for hit in found.hits])
    entries = [(stored[hit.id], hit.score) for hit in found.hits if hit.id in stored]
    return ListPage(entries, found.total, found.after)


class _Form(NamedTuple):
    """How an export is written: what stands before its items, and some of them."""

    before: bytes
    lines: Callable[[list[Any]], bytes]


def _table(
    columns: Sequence[str],
    dialect: csv_tables.Dialect,
    cells: Callable[[Any, Sequence[str]], Sequence[object]],
) -> _Form:
    def lines(items: list[Any]) -> bytes:
        return csv_tables.lines((cells(each, columns) for each in items), dialect=dialect)

    return _Form(csv_tables.header(columns, dialect=dialect), lines)


async def _streamed(
    form: _Form,
    executor: Executor,
    found: ListPage[Any],
    page: Callable[..., ListPage[Any]],
    chars: Callable[[Any], int],
) -> AsyncIterator[bytes]:
    """A list from the page `found` on; an item holds so many `chars` of text."""
    yield form.before
    limit = FIRST
    while True:
        yield await executor.run(form.lines, found.items)
        if found.after is None:
            return
        held = sum(map(chars, found.items))  # a longer page may be too much
        limit = max(min(BATCH, 2 * limit, limit * BATCH_CHARS // max(held, 1)), 1)
        found = await executor.read(page, limit=limit, after=found.after)


Parameters = Annotated[requests.SearchParameters, Query()]
_documented = partial(openapi.documented, 400, 422, 503, openapi.UNCHANGED, openapi.EXPIRED)


@router.get("/v1/search.atom", response_class=Response, responses=_documented(form="atom"))
async def search_atom(parameters: Parameters, paging: PagingDep) -> Response:
    """The search as an Atom feed, newest first, a page at a time."""
    return await _feed("atom", paging, parameters)


@router.get("/v1/search.json", response_class=Response, responses=_documented(form="json"))
async def search_json(parameters: Parameters, paging: PagingDep) -> Response:
    """The search as a JSON Feed 1.1, newest first, a page at a time."""
    return await _feed("json", paging, parameters)


@router.get("/v1/search.csv", response_class=Response, responses=_documented(form="csv"))
async def search_csv(
    parameters: Annotated[requests.SearchTableParameters, Query()], paging: PagingDep
) -> Response:
    """The whole result as CSV, streamed; `limit` and `cursor` don't matter."""
    form = _table(parameters.fields or feeds.COLUMNS, parameters.csv, feeds.cells)
    return await _export("csv", form, paging, parameters)


@router.get("/v1/search.jsonl", response_class=Response, responses=_documented(form="jsonl"))
async def search_jsonl(parameters: Parameters, paging: PagingDep) -> Response:
    """The whole result as JSON Lines, streamed; `broadsheet load` reads it again."""

    def lines(entries: list[_Scored]) -> bytes:
        listed = (feeds.json_line(*entry, parameters.fields) for entry in entries)
        return b"".join(listed)

    return await _export("jsonl", _Form(b"", lines), paging, parameters)


# --- lists as CSV

ARTICLE_COLUMNS = tuple(name for name in feeds.COLUMNS if name not in ("score", "body"))
"""The columns of a list of articles, unless `fields` chooses others."""
ENTITY_COLUMNS = (
    *("id", "type", "name", "wikidata", "iso", "article_count", "mention_count"),
    *("first_seen", "last_seen"),
)
RELATED_COLUMNS = (*ENTITY_COLUMNS, "count", "expected", "strength")
TIMELINE_COLUMNS = ("start", "count")


class _Lists:
    """A request for a list whole, with what reads it."""

    def __init__(self, request: Request, executor: ExecutorDep) -> None:
        self._request = request
        self._executor = executor

    async def answer(
        self,
        columns: Sequence[str],
        dialect: csv_tables.Dialect,
        page: Callable[..., ListPage[Any]],
    ) -> Response:
        """The list as `page` reads it."""
        visit_of(self._request).export()
        first = await self._executor.read(page, limit=FIRST, after=None)

        def chars(item: object) -> int:
            return sum(len(cell) for cell in _cells(item, columns) if isinstance(cell, str))

        rows = _streamed(_table(columns, dialect, _cells), self._executor, first, page, chars)
        media_type = feeds.MEDIA_TYPES["csv"]
        return StreamingResponse(rows, headers=_named(self._request), media_type=media_type)


ListsDep = Annotated[_Lists, Depends(_Lists, scope="function")]


_OF_ENTITY = (404, openapi.MOVED)


def _csv(
    path: str, *statuses: int | openapi.Documented, example: str, tag: str = "entities"
) -> Callable[[T], T]:
    """The route of a list as CSV."""
    documented = openapi.documented(*statuses, 422, 503, form="csv", example=example)
    return router.get(path, response_class=Response, tags=[tag], responses=documented)


def _cells(item: Any, columns: Sequence[str]) -> list[Any]:
    """The values of an item of a list; those of a related entity stand behind the entity's own."""
    if isinstance(item, dict):  # a bullet a line; names have no line ends
        return ["\n".join(value) if name == "summary" else value for name, value in item.items()]
    if isinstance(item, RelatedEntity):
        return [*_cells(item.entity, ENTITY_COLUMNS), item.count, item.expected, item.strength]
    return [getattr(item, name) for name in columns]


@_csv("/v1/articles.csv", tag="articles", example="articles.csv")
async def articles_csv(
    parameters: Annotated[requests.ArticleTableParameters, Query()], lists: ListsDep
) -> Response:
    """The whole list of articles as CSV, streamed; `limit` and `cursor` don't matter."""
    columns = parameters.fields or ARTICLE_COLUMNS
    wanted = parameters.filters()
    page = partial(articles.listing, filters=wanted, order=parameters.sort, fields=columns)
    return await lists.answer(columns, parameters.csv, page)


@_csv("/v1/entities/{entity_id}/articles.csv", *_OF_ENTITY, example="articles.csv")
async def articles_of_entity_csv(
    entity_id: UUID,
    parameters: Annotated[requests.ArticleTableParameters, Query()],
    lists: ListsDep,
) -> Response:
    """The articles that mention the entity as CSV, streamed; `limit` and `cursor` don't matter."""
    columns = parameters.fields or ARTICLE_COLUMNS
    wanted, order = parameters.filters(), parameters.sort
    page = partial(
        search.articles_of, entity_id=entity_id, wanted=wanted, order=order, fields=columns
    )
    return await lists.answer(columns, parameters.csv, page)


@_csv("/v1/entities.csv", example="entities.csv")
async def entities_csv(
    parameters: Annotated[entity_schemas.EntityTableParameters, Query()], lists: ListsDep
) -> Response:
    """The whole list of entities as CSV, streamed; `limit` and `cursor` don't matter."""
    return await lists.answer(ENTITY_COLUMNS, parameters.csv, parameters.listing())


@_csv("/v1/entities/{entity_id}/related.csv", *_OF_ENTITY, example="related.csv")
async def related_entities_csv(
    entity_id: UUID,
    parameters: Annotated[entity_schemas.RelatedTableParameters, Query()],
    lists: ListsDep,
) -> Response:
    """Who and what appears in the same articles as CSV; `limit` and `cursor` don't matter."""
    page = partial(parameters.related(), entity_id=entity_id)
    return await lists.answer(RELATED_COLUMNS, parameters.csv, page)


@_csv("/v1/entities/{entity_id}/timeline.csv", *_OF_ENTITY, example="timeline.csv")
async def timeline_of_entity_csv(
    entity_id: UUID,
    parameters: Annotated[entity_schemas.TimelineTableParameters, Query()],
    lists: ListsDep,
) -> Response:
    """The entity's articles by period as CSV."""
    wanted = parameters.filters()

    def page(session: Session, **_: object) -> ListPage[Bucket]:
        found = entities.timeline(session, entity_id, wanted, parameters.histogram)
        return ListPage(found, len(found), None)

    return await lists.answer(TIMELINE_COLUMNS, parameters.csv, page)
