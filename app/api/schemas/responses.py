"""Shapes of answers, with what each member means, for the OpenAPI document.

Answers are made from the store's own objects without another validation; the test suite
holds each answer to the model that documents it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, create_model

from app.articles import history, read
from app.articles.history import VersionPart
from app.articles.read import ArticleSummary, Event
from app.articles.save import Outcome
from app.articles.versions import Status as VersionStatus
from app.ingest.draft import FIELDS
from app.search.highlight.highlighter import Highlight
from app.services.extraction import ExtractionStatus
from app.services.indexing import StateName
from app.services.maintenance import KeptStatus
from app.services.search import Clause, FacetValue
from app.services.similar import SimilarArticle
from app.services.suggest import Completion

T = TypeVar("T")


@dataclass(kw_only=True)
class Article(read.WholeArticle):
    """A whole article."""


@dataclass(kw_only=True)
class ArticleFields(Article):
    """Those fields of an article that `fields` chose."""

    __pydantic_config__ = ConfigDict(json_schema_extra=lambda schema: schema.pop("required"))


@dataclass(frozen=True, kw_only=True)
class Version(history.ListedVersion):
    """A version of an article in the list of them."""


class ItemList(BaseModel, Generic[T]):
    """A page of a list."""

    items: list[T]
    total: Annotated[int, Field(description="Exact number of items on all pages.")]
    next: Annotated[
        str | None, Field(description="`cursor` of the next page; null on the last one.")
    ]


class ArticleList(ItemList[ArticleSummary | ArticleFields]):
    """A page of articles."""


class VersionList(ItemList[Version]):
    """A page of the versions of an article, newest first."""


_COMPARED = Field(description="The version before, of those whose text is kept.")
_DIFFERENCE = Field(description="What became of its texts, of those that differ.")
_MEMBERS: dict[str, Any] = get_type_hints(read.WholeArticle) | {"subjects": read.Subjects}
_BEHIND = FIELDS.index("body") + 1
_GIVEN = (*FIELDS[:_BEHIND], "word_count", *FIELDS[_BEHIND:])
WholeVersion = create_model(
    "WholeVersion",
    __doc__="A version of an article as it was given.",
    id=Annotated[UUID, Field(description="Of the article.")],
    version=int,
    arrived_at=datetime,
    is_shown=bool,
    status=VersionStatus,
    **{name: _MEMBERS[name] for name in _GIVEN},
    compared_with=Annotated[int | None, _COMPARED],
    difference=Annotated[list[VersionPart], _DIFFERENCE],
)


class SearchHit(BaseModel):
    """A found article and how well it matches."""

    article: ArticleSummary | ArticleFields
    score: Annotated[float, Field(description="BM25; comparable within one search only.")]
    highlights: list[Highlight]
    duplicates: Annotated[
        list[UUID], Field(description="Near-duplicates that were collapsed into this hit.")
    ]


Start = Annotated[
    date | AwareDatetime,
    Field(description="Its first day, or the first instant of an hour, in the zone of `tz`."),
]


class Bucket(BaseModel):
    """A period of a histogram."""

    start: Start
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
    relaxed: Annotated[
        bool,
        Field(description="True where no article holds all words, and these hold any of them."),
    ]


class Completions(BaseModel):
    """Completions of a beginning."""

    items: list[Completion]


class Tree(BaseModel):
    """A node of a query's tree; what else it holds goes by its type."""

    model_config = ConfigDict(extra="allow")

    type: str
    query: Annotated[str, Field(description="The node, printed.")]
    start: int
    end: int
    clauses: list[Tree]


class Explanation(BaseModel):
    """How a query was read and what each part of it finds."""

    query: Annotated[str, Field(description="The query as it was read, printed back.")]
    tree: Tree | None
    clauses: Annotated[list[Clause], Field(description="The first twenty, while time is left.")]
    total: int
    suggestion: str | None
    complete: bool


class SimilarList(ItemList[SimilarArticle]):
    """Articles like another, near-duplicates first; one page."""


class ChangeList(ItemList[Event]):
    """A page of changes."""

    last: Annotated[int, Field(description="The `since` to ask with when all pages are read.")]
    token: Annotated[str, Field(description="The `token` to ask with then.")]


class IndexStatus(BaseModel):
    """The search index."""

    engine: str
    state: Annotated[
        StateName,
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
    kept: KeptStatus
    index: IndexStatus
    extraction: ExtractionStatus
    versions: dict[str, str]


class Health(BaseModel):
    """The server's own word on itself."""

    status: Literal["ok"]


class ImportedItem(BaseModel):
    """What became of one article that was sent."""

    outcome: Outcome
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


class WrongValue(BaseModel):
    """A value that a request cannot have."""

    loc: Annotated[list[str], Field(description="Its path, from `query`, `path` or `body` on.")]
    msg: str
    type: Annotated[str | None, Field(description="Kind of the mistake.")] = None


class Problem(BaseModel):
    """RFC 9457 problem details; some types carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: Annotated[list[WrongValue] | None, Field(description="Each wrong value.")] = None
    position: Annotated[
        int | None, Field(description="Where a query is malformed, characters from 0.")
    ] = None
    expected: Annotated[str | None, Field(description="What a query lacks there.")] = None
    hint: str | None = None
    corrected: Annotated[
        str | None, Field(description="A query that can be read, where one is obvious.")
    ] = None
