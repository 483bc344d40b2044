"""Request and response shapes: what OpenAPI says of them, and how answers become bytes.

Answers are made from the store's own objects without another validation; the test suite
holds each answer to the model that documents it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson
from fastapi import Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app import filters
from app.api import cursors
from app.filters import Filters
from app.search import base, matching, query
from app.search.base import Place
from app.search.emphasis import emphasized

T = TypeVar("T")

EXAMPLE_ID = "6b0c1a52-54ea-5b4e-a7a1-1f9c7d7f9f9e"

Names = Annotated[list[str], Field(default_factory=list, max_length=50)]


# --- requests


def _split(value: object) -> object:
    """Values with commas between, in one parameter or in several."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [part.strip() for each in value for part in each.split(",") if part.strip()]
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone") from error
    return value


class _Limited(BaseModel):
    limit: Annotated[int, Field(ge=1, le=100, description="Items on a page.")] = 20


class _Page(_Limited):
    cursor: Annotated[
        str | None,
        Field(
            max_length=100_000, description="`next` of the page before; keep the other parameters."
        ),
    ] = None


class _Filtered(_Limited):
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


class ArticleParameters(_Filtered, _Page):
    """Parameters of the list of articles."""

    sort: Annotated[
        Literal["newest", "oldest"], Field(description="By date; undated articles come last.")
    ] = "newest"


class SimilarParameters(_Filtered):
    """Parameters of the articles like another."""


class SearchParameters(_Filtered, _Page):
    """Parameters of a search, in an address or as a JSON body."""

    q: Annotated[
        str,
        Field(
            description='Words, `"phrases"`, `OR`, `-not`, `prefix*`, `fuzzy~`, `field:word`, '
            "`published:[2020 TO 2021]`, `word^2`, parentheses. Case, accents and English "
            "endings don't matter. Empty: every article.",
            examples=['"intra-Afghan dialogue"'],
        ),
    ] = ""
    match: Annotated[
        Literal["all", "any"],
        Field(description="`any`: plain words; articles that hold more of them rank higher."),
    ] = "all"
    sort: Annotated[
        Literal["relevance", "newest", "oldest"] | None,
        Field(description="Default: relevance, without `q` newest."),
    ] = None
    boost: Annotated[
        Literal["recent"] | None,
        Field(description="`recent`: articles near the newest day score up to twice as much."),
    ] = None
    collapse: Annotated[
        Literal["duplicates"] | None,
        Field(description="`duplicates`: near-duplicates are one hit, the first of them."),
    ] = None
    highlight: Annotated[bool, Field(description="Passages with what matched marked.")] = False
    facets: Annotated[
        list[Literal["source", "place", "section", "language"]],
        BeforeValidator(_split),
        Field(
            default_factory=list,
            max_length=10,
            description="Names whose values are counted over the whole result, with commas "
            "between: `source place section language`.",
        ),
    ]
    facet_limit: Annotated[int, Field(ge=1, le=100, description="Values of each facet.")] = 10
    histogram: Annotated[
        Literal["day", "week", "month", "year"] | None,
        Field(description="Count the whole result by period, empty periods included."),
    ] = None
    tz: Annotated[
        str,
        AfterValidator(_zone),
        Field(description="IANA time zone of the histogram's days."),
    ] = "UTC"
    normalize: Annotated[
        bool,
        Field(description="Give each period's share of all articles that pass the filters."),
    ] = False

    def request(self, timeout_s: float) -> base.Request:
        """The search that is asked for; raises QueryError, ParameterError."""
        tree = query.parse(self.q, match=self.match) if self.q.strip() else None
        if tree is not None and self.match == "any":
            tree = emphasized(tree, self.q)
        wish = base.Request(
            query=tree,
            filters=self.filters(),
            sort=self.sort or ("relevance" if matching.ranks(tree) else "newest"),
            limit=self.limit,
            timeout_s=timeout_s,
            recent=self.boost == "recent",
            collapse=self.collapse == "duplicates",
            facets=tuple(dict.fromkeys(self.facets)),
            facet_limit=self.facet_limit,
            histogram=self.histogram,
            coverage=self.normalize,
            zone=self.tz,
        )
        return (
            replace(wish, after=cursors.decode(self.cursor, list_of(wish))) if self.cursor else wish
        )


class SearchBody(SearchParameters):
    """A search as a JSON body; the same fields, and no other."""

    model_config = ConfigDict(extra="forbid")


class SuggestParameters(BaseModel):
    """Parameters of the completions."""

    q: Annotated[str, Field(min_length=1, max_length=200, description="What was typed so far.")]
    limit: Annotated[int, Field(ge=1, le=50, description="Completions.")] = 10


class ChangeParameters(_Page):
    """Parameters of the change feed."""

    since: Annotated[int, Field(ge=0, description="The last change that you have taken in.")] = 0


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


class Highlight(BaseModel):
    """A passage of a field with what matched marked."""

    field: Literal["headline", "summary", "caption", "body"]
    index: Annotated[int | None, Field(description="Which bullet of the summary, from 0.")]
    text: Annotated[str, Field(description="Escaped HTML with `<mark>`.")]
    start: Annotated[int, Field(description="Where it starts in the field, in characters.")]
    end: Annotated[int, Field(description="Where it ends in the field, in characters.")]


class SearchHit(BaseModel):
    """A found article and how well it matches."""

    article: ArticleSummary
    score: Annotated[float, Field(description="BM25; comparable within one search only.")]
    highlights: list[Highlight]
    duplicates: Annotated[
        list[UUID], Field(description="Near-duplicates that were collapsed into this hit.")
    ]


class FacetValue(BaseModel):
    """A value of a facet."""

    value: Annotated[str, Field(description="What the filter takes.")]
    label: Annotated[str, Field(description="As articles print it.")]
    count: int


class Bucket(BaseModel):
    """A period of a histogram."""

    start: Annotated[date, Field(description="Its first day in the zone that was asked for.")]
    count: int
    share: Annotated[
        float | None, Field(description="Of all articles of the period; with `normalize`.")
    ]


class AsOf(BaseModel):
    """How current the index is."""

    change: Annotated[int, Field(description="Last change that is searchable for certain.")]
    lag: Annotated[int, Field(description="Changes that are stored and not searchable yet.")]


class SearchAnswer(ItemList[SearchHit]):
    """A page of a search's hits."""

    facets: dict[str, list[FacetValue]]
    histogram: list[Bucket]
    suggestion: Annotated[
        str | None, Field(description="A query with misspelt words put right, or null.")
    ]
    as_of: AsOf
    took_ms: Annotated[float, Field(description="Time of the search in the server.")]
    complete: Annotated[
        bool, Field(description="False when the time was up: `total` is then a lower bound.")
    ]


class Completion(BaseModel):
    """What a beginning may become."""

    text: str
    kind: Literal["word", "place", "source", "section", "headline"]
    count: Annotated[int, Field(description="Articles with it.")]
    id: Annotated[UUID | None, Field(description="Of the headline's article.")]


class Completions(BaseModel):
    """Completions of a beginning."""

    items: list[Completion]


class Clause(BaseModel):
    """A clause at the top of a query."""

    query: str
    start: int
    end: int
    total: Annotated[int, Field(description="Hits of the clause alone.")]
    without: Annotated[int | None, Field(description="Hits of the query without the clause.")]


class Explanation(BaseModel):
    """How a query was read and what each part of it finds."""

    query: Annotated[str, Field(description="The query as it was read, printed back.")]
    tree: dict[str, Any] | None
    clauses: Annotated[list[Clause], Field(description="The first twenty.")]
    total: int
    suggestion: str | None
    complete: bool


class SimilarArticle(BaseModel):
    """An article like another."""

    article: ArticleSummary
    score: float
    similarity: Annotated[
        float, Field(description="Share of runs of four words that both texts have, 0 to 1.")
    ]
    duplicate: Annotated[bool, Field(description="Whether it is a near-duplicate.")]


class SimilarList(ItemList[SimilarArticle]):
    """Articles like another, near-duplicates first; one page."""


class Event(BaseModel):
    """A change to an article."""

    change: int
    id: UUID
    kind: Literal["added", "updated", "deleted"]
    article: ArticleSummary | None


class ChangeList(ItemList[Event]):
    """A page of changes."""

    last: Annotated[int, Field(description="The `since` to ask with when all pages are read.")]


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
    expected: Annotated[str | None, Field(description="What a query lacks there.")] = None
    hint: str | None = None
    corrected: Annotated[
        str | None, Field(description="A query that can be read, where one is obvious.")
    ] = None


def list_of(wish: base.Request) -> object:
    """What the cursors of a search are good for."""
    return ("search", wish.query, wish.filters, wish.sort, wish.recent, wish.collapse)


def bucket(found: base.Bucket) -> dict[str, Any]:
    """A period of a histogram as it is answered."""
    share = None
    if found.coverage is not None:
        share = round(found.count / found.coverage, 6) if found.coverage else 0.0
    return {"start": found.start, "count": found.count, "share": share}


# --- bytes


def answer(
    content: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON response; dataclasses, UUIDs and instants (as `…Z`) are written by orjson."""
    raw = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(raw, status, headers=headers, media_type="application/json")


def page(
    request: Request,
    items: list[Any],
    total: int,
    after: Place | None,
    of: object,
    *,
    headers: Mapping[str, str] | None = None,
    linked: bool = True,
    **more: Any,
) -> Response:
    """A list's page with its cursor, in the body and, if an address says it all, as a `Link`."""
    cursor = None if after is None else cursors.encode(after, of)
    headers = dict(headers or {})
    if cursor is not None and linked:
        headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return answer({"items": items, "total": total, "next": cursor, **more}, headers=headers)
