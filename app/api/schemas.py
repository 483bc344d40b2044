"""Request and response shapes: what OpenAPI says of them, and how answers become bytes.

Answers are made from the store's own objects without another validation; the test suite
holds each answer to the model that documents it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app import filters
from app.api import cursors
from app.filters import Filters
from app.search.base import Place

T = TypeVar("T")

EXAMPLE_ID = "6b0c1a52-54ea-5b4e-a7a1-1f9c7d7f9f9e"

Names = Annotated[list[str], Field(default_factory=list, max_length=50)]


# --- requests


class _Page(BaseModel):
    limit: Annotated[int, Field(ge=1, le=100, description="Items on a page.")] = 20
    cursor: Annotated[
        str | None,
        Field(
            max_length=100_000, description="`next` of the page before; keep the other parameters."
        ),
    ] = None


class _Filtered(_Page):
    """Filters: a repeated one means any of its values, a leading `-` means not that value."""

    model_config = ConfigDict(populate_by_name=True)

    source: Annotated[Names, Field(description="Publisher, such as `Arab News`.")]
    place: Annotated[Names, Field(description="Place of the dateline, such as `Abu Dhabi`.")]
    language: Annotated[Names, Field(description="ISO 639-1 code, such as `en`.")]
    section: Annotated[Names, Field(description="Section, such as `World`.")]
    from_: Annotated[
        str | None,
        Field(
            alias="from",
            description="Published at or after this year, month, day or instant (UTC unless it "
            "names its zone).",
        ),
    ] = None
    to: Annotated[
        str | None,
        Field(description="Published before the end of this year, month, day or instant."),
    ] = None

    def filters(self) -> Filters:
        """The filters; raises ParameterError for a value that none can have."""
        named = {name: getattr(self, name) for name in filters.NAMED}
        return filters.parse(named, since=self.from_, until=self.to)


class ArticleParameters(_Filtered):
    """Parameters of the list of articles."""

    sort: Annotated[
        Literal["newest", "oldest"], Field(description="By date; undated articles come last.")
    ] = "newest"


class SearchParameters(_Filtered):
    """Parameters of a search."""

    q: Annotated[
        str,
        Field(
            description='Words (all must occur) and `"phrases"`; case, accents and English '
            "endings don't matter. Empty: every article.",
            examples=['"intra-Afghan dialogue"'],
        ),
    ] = ""
    sort: Annotated[
        Literal["relevance", "newest", "oldest"] | None,
        Field(description="Default: relevance, without `q` newest."),
    ] = None


# --- responses


class Related(BaseModel):
    """An article that stood on the same page."""

    id: UUID
    headline: str


class ArticleSummary(BaseModel):
    """An article without its text. What is unknown is null or an empty list."""

    id: Annotated[UUID, Field(description="For life.")]
    change: Annotated[int, Field(description="Number of the last change to the article.")]
    headline: str
    summary: Annotated[list[str], Field(description="Bullet points.")]
    caption: Annotated[str | None, Field(description="Of the photo, without its credit.")]
    credit: Annotated[str | None, Field(description="Of the photo, without brackets.")]
    byline: Annotated[str | None, Field(description="Author or agency.")]
    dateline: Annotated[str | None, Field(description="As printed, such as `DUBAI/RIYADH`.")]
    places: Annotated[list[str], Field(description="Of the dateline, in title case.")]
    word_count: Annotated[int, Field(description="Words of the body.")]
    published_at: Annotated[datetime | None, Field(description="UTC.")]
    published_precision: Annotated[
        Literal["day", "minute", "second"] | None,
        Field(description="How exact `published_at` is; a `day` is given as its 00:00."),
    ]
    source: Annotated[str | None, Field(description="Publisher.")]
    url: Annotated[str | None, Field(description="Canonical address.")]
    language: Annotated[str | None, Field(description="ISO 639-1 code.")]
    section: str | None
    warnings: Annotated[list[str], Field(description="What the reader was not sure of.")]
    related: Annotated[list[Related], Field(description="Articles of the same page, 50 at most.")]


class Seen(BaseModel):
    """An input that the article was seen in."""

    path: Annotated[str, Field(description="Name of the input as it was given.")]
    sha256: Annotated[str, Field(description="Of the page, or of the line.")]
    position: Annotated[int, Field(description="Place on the page from 0, or line from 1.")]
    reader: str
    reader_version: int
    loaded_at: datetime


class Mention(BaseModel):
    """An entity at a place in the article."""

    entity_id: UUID
    type: str
    name: str
    surface: str
    field: str
    start: int
    end: int


class Article(ArticleSummary):
    """A whole article."""

    body: Annotated[str, Field(description="Paragraphs separated by one blank line.")]
    sources: list[Seen]
    mentions: list[Mention]


class ItemList(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    total: Annotated[int, Field(description="Exact number of items on all pages.")]
    next: Annotated[
        str | None, Field(description="`cursor` of the next page; null on the last one.")
    ]


class ArticleList(ItemList[ArticleSummary]):
    """A page of articles."""


class SearchHit(BaseModel):
    """A found article and how well it matches."""

    article: ArticleSummary
    score: Annotated[float, Field(description="BM25; comparable within one search only.")]


class AsOf(BaseModel):
    """How current the index is."""

    change: Annotated[int, Field(description="Last change that is searchable for certain.")]
    lag: Annotated[int, Field(description="Changes that are stored and not searchable yet.")]


class SearchAnswer(ItemList[SearchHit]):
    """A page of a search's hits."""

    as_of: AsOf
    took_ms: Annotated[float, Field(description="Time of the search in the server.")]
    complete: Annotated[
        bool, Field(description="False when the time was up: `total` is then a lower bound.")
    ]


class IndexStatus(BaseModel):
    """The search index."""

    engine: str
    state: Annotated[
        Literal["ready", "missing", "damaged", "outdated"],
        Field(description="`outdated`: of another store or version; being rebuilt if not ready."),
    ]
    detail: Annotated[str | None, Field(description="Why it is not ready.")]
    cursor: Annotated[int | None, Field(description="Last change that it has taken in.")]
    lag: Annotated[int | None, Field(description="Changes that it has not taken in yet.")]


class Status(BaseModel):
    """What this server holds and runs."""

    store_id: UUID
    articles: int
    change: Annotated[int, Field(description="Number of the store's last change.")]
    index: IndexStatus
    versions: dict[str, str]


class Health(BaseModel):
    """The server's own word on itself."""

    status: Literal["ok"]


class ImportedItem(BaseModel):
    """What became of one article that was sent."""

    outcome: Literal["saved", "revised", "unchanged", "stale", "rejected"]
    id: Annotated[UUID | None, Field(description="Null when rejected.")]
    line: Annotated[int | None, Field(description="Where it stood in the body, from 1.")]
    reason: Annotated[str | None, Field(description="Why it was rejected.")]


class Imported(BaseModel):
    """What became of all that was sent, in its order."""

    items: list[ImportedItem]
    saved: int
    revised: int
    unchanged: int
    stale: int
    rejected: int


class Problem(BaseModel):
    """RFC 9457 problem details; some types carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: Annotated[
        list[dict[str, Any]] | None, Field(description="Each wrong value: `loc` and `msg`.")
    ] = None
    position: Annotated[
        int | None, Field(description="Where a query is malformed, characters from 0.")
    ] = None
    hint: str | None = None


# --- bytes


def answer(
    content: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON response; dataclasses, UUIDs and instants (as `…Z`) are written by orjson."""
    raw = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(raw, status, headers=headers, media_type="application/json")


def page(
    request: Request, items: list[Any], total: int, after: Place | None, of: object, **more: Any
) -> Response:
    """A list's page with its cursor, in the body and as a `Link` header."""
    cursor = None if after is None else cursors.encode(after, of)
    headers = {}
    if cursor is not None:
        headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return answer({"items": items, "total": total, "next": cursor, **more}, headers=headers)
