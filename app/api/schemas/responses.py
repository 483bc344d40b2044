"""What OpenAPI says of answers: their shapes, with what each member means.

Answers are made from the store's own objects without another validation; the test suite
holds each answer to the model that documents it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")


class Related(BaseModel):
    """An article that stood on the same page."""

    id: UUID
    headline: str


class ArticleSummary(BaseModel):
    """An article without its text. What is unknown is null or an empty list."""

    id: Annotated[UUID, Field(description="For life.")]
    change: Annotated[int, Field(description="Number of the last change to the article.")]
    version: Annotated[int, Field(description="Number of the version that it shows.")]
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
    updated_at: Annotated[datetime | None, Field(description="The sender's own, UTC.")]
    embargoed_until: Annotated[datetime | None, Field(description="UTC; past, since it shows.")]
    guid: Annotated[str | None, Field(description="The sender's own id of the story.")]
    sender_version: Annotated[int | None, Field(description="The sender's number of the text.")]
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
    load: Annotated[int | None, Field(description="The load that brought it.")]


class Mention(BaseModel):
    """An entity at a place in the article."""

    entity_id: UUID
    type: Literal["person", "organization", "place"]
    name: Annotated[str, Field(description="Of the entity, as it is shown today.")]
    surface: Annotated[str, Field(description="As the article prints it.")]
    field: Literal["headline", "summary", "caption", "dateline", "body"]
    index: Annotated[int | None, Field(description="Which bullet of the summary, from 0.")]
    start: Annotated[int, Field(description="Where it starts in the field, in characters.")]
    end: Annotated[int, Field(description="Where it ends in the field, in characters.")]


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


class Version(BaseModel):
    """A version of an article in the list of them."""

    version: Annotated[int, Field(description="In the order of arrival, from 1.")]
    arrived_at: datetime
    is_shown: Annotated[bool, Field(description="Whether the article is this version.")]
    is_kept: Annotated[bool, Field(description="False where its text went with its days.")]
    status: Literal["usable", "canceled", "withheld"]
    headline: str | None
    published_at: datetime | None
    updated_at: datetime | None
    sender_version: int | None
    changed: Annotated[list[str], Field(description="Fields that differ from the version before.")]
    words_added: int
    words_removed: int


class VersionList(ItemList[Version]):
    """A page of the versions of an article, newest first."""


class VersionPart(BaseModel):
    """A piece of a text that two versions share, or that one of them has."""

    field: Literal["headline", "summary", "body", "caption", "credit", "byline", "dateline"]
    kind: Literal["equal", "removed", "added"]
    text: str


class WholeVersion(BaseModel):
    """A version of an article as it was given."""

    id: Annotated[UUID, Field(description="Of the article.")]
    version: int
    arrived_at: datetime
    is_shown: bool
    status: Literal["usable", "canceled", "withheld"]
    headline: str
    summary: list[str]
    caption: str | None
    credit: str | None
    byline: str | None
    dateline: str | None
    places: list[str]
    body: str
    word_count: int
    published_at: datetime | None
    published_precision: Literal["day", "minute", "second"] | None
    updated_at: datetime | None
    embargoed_until: datetime | None
    guid: str | None
    sender_version: int | None
    source: str | None
    url: str | None
    language: str | None
    section: str | None
    warnings: list[str]
    compared_with: Annotated[
        int | None, Field(description="The version before, of those whose text is kept.")
    ]
    difference: Annotated[
        list[VersionPart], Field(description="What became of its texts, of those that differ.")
    ]


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
    kind: Literal["word", "person", "organization", "place", "source", "section", "headline"]
    count: Annotated[int, Field(description="Articles with it.")]
    id: Annotated[UUID | None, Field(description="Of the headline's article, or the entity.")]


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
    clauses: Annotated[list[Clause], Field(description="The first twenty, while time is left.")]
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


class ExtractionStatus(BaseModel):
    """The finding of people, organizations and places."""

    extractor: Annotated[str | None, Field(description="Version of the one that read so far.")]
    cursor: Annotated[int, Field(description="Last change that it has read.")]
    lag: Annotated[int, Field(description="Changes that it has not read yet.")]
    failures: Annotated[int, Field(description="Articles that it could not read.")]


class KeptStatus(BaseModel):
    """What is stored beside the articles that show."""

    versions: Annotated[int, Field(description="Of all articles, with those that show.")]
    embargoed: Annotated[int, Field(description="Versions that are not due yet.")]
    hidden: Annotated[int, Field(description="Articles that are withheld or not due yet.")]
    removed: int
    erased: int
    erasures_pending: Annotated[
        int, Field(description="Erased articles whose words some file may still hold.")
    ]


class Status(BaseModel):
    """What this server holds and runs."""

    store_id: UUID
    articles: int
    change: Annotated[int, Field(description="Number of the store's last change.")]
    kept: KeptStatus
    index: IndexStatus
    extraction: ExtractionStatus
    versions: dict[str, str]


class Health(BaseModel):
    """The server's own word on itself."""

    status: Literal["ok"]


class ImportedItem(BaseModel):
    """What became of one article that was sent."""

    outcome: Literal["saved", "revised", "unchanged", "stale", "withheld", "removed", "rejected"]
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
    withheld: int
    removed: int
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
