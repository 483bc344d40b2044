"""Shapes of requests: the parameters of each route, and the search that they make.

In: an address or a JSON body, which pydantic has read. Out: filters and a search for the store
and the engine. What is answered is not known here.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app import filters
from app.api import cursors, inputs
from app.articles.read import CursorKey, WholeArticle
from app.filters import Filters, known_zone
from app.search import engine, query
from app.search.query.rewrite import emphasized, prose
from app.search.query.tree import ranks

_LARGEST = 2**63 - 1  # number that a database holds

_Name = Annotated[
    str,
    Field(max_length=inputs.VALUE_CHARS, json_schema_extra={"minLength": 1, "pattern": r"[^\s-]"}),
]
"""Documented here and refused by `filters`, with a better message than a pattern's."""
Names = Annotated[list[_Name], Field(default_factory=list, max_length=50, fail_fast=True)]
_DATE: dict[str, Any] = {"pattern": "^[0-9]{4}"}
Facet = Literal[
    "source",
    "place",
    "person",
    "organization",
    "section",
    "language",
    "author",
    "keyword",
    "domain",
]

DateOrder = Literal["newest", "oldest"]
Match = Literal["auto", "all", "any"]


def _split(value: object) -> object:
    """Values with commas between, in one parameter or in several."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [part.strip() for each in value for part in each.split(",") if part.strip()]
    return value


class Parameters(BaseModel):
    """Parameters of a route; the text below each is its description in the API's document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class _Limited(Parameters):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    """Items on a page."""


class Page(_Limited):
    """Parameters of a page of a list."""

    cursor: Annotated[str | None, Field(max_length=100_000)] = None
    """`next` of the page before; keep the other parameters."""


class _Filtered(_Limited):
    """Filters: a repeated one means any of its values, a leading `-` means not that value."""

    model_config = ConfigDict(populate_by_name=True)

    source: Names
    """Publisher, such as `Arab News`."""
    place: Names
    """Place, such as `Abu Dhabi`: a name, or an entity's id."""
    language: Names
    """BCP 47 tag, such as `en`; `en-GB` means it."""
    section: Names
    """Section, such as `World`."""
    author: Names
    """Author, such as `Jane Doe`."""
    keyword: Names
    """The sender's keyword, such as `floods`."""
    domain: Names
    """Host of the address, such as `example.org`."""
    person: Names
    """Person: a name, an alias or an entity's id."""
    organization: Names
    """Organization: a name, an alias or an entity's id."""
    entity: Names
    """Person, organization or place alike."""
    from_: Annotated[
        str | None,
        Field(
            alias="from",
            max_length=inputs.VALUE_CHARS,
            json_schema_extra=_DATE,
            examples=["2020-05"],
        ),
    ] = None
    """Published at or after this year, month, day, hour or instant, in `tz` unless it names its
    zone."""
    to: Annotated[
        str | None,
        Field(max_length=inputs.VALUE_CHARS, json_schema_extra=_DATE, examples=["2020-05-09"]),
    ] = None
    """Published before the end of this year, month, day, hour or instant."""
    tz: Annotated[
        str,
        AfterValidator(known_zone),
        Field(
            max_length=inputs.VALUE_CHARS,
            json_schema_extra={"minLength": 1},
            examples=["Asia/Karachi"],
        ),
    ] = "UTC"
    """IANA time zone of dates that name none, and of periods."""

    def filters(self) -> Filters:
        """The filters; raises ParameterError for a value that none can have."""
        return self._filters()

    def _filters(self, **more: Any) -> Filters:
        named = {name: getattr(self, name) for name in filters.NAMED}
        return filters.parse(named, since=self.from_, until=self.to, time_zone=self.tz, **more)


_NAMES = [each.name for each in fields(WholeArticle)]
_NAMES.insert(_NAMES.index("word_count"), _NAMES.pop(_NAMES.index("body")))
if TYPE_CHECKING:
    ArticleField = str
else:
    ArticleField = Literal[tuple(_NAMES)]


class _Chosen(_Filtered, Page):
    """Which articles, by what names one of them too, and which of their fields."""

    id: Annotated[
        list[Annotated[UUID, Field(strict=False)]], Field(default_factory=list, max_length=100)
    ]
    """Only these articles."""
    url: Annotated[
        list[Annotated[str, Field(max_length=2_048)]], Field(default_factory=list, max_length=50)
    ]
    """Address; scheme, `www.` and tracking parameters don't matter."""
    guid: Annotated[
        list[Annotated[str, Field(max_length=2_048)]], Field(default_factory=list, max_length=50)
    ]
    """The sender's own id."""
    fields: Annotated[
        list[ArticleField], BeforeValidator(_split), Field(default_factory=list, max_length=50)
    ]
    """Fields of the articles in the answer, with commas between; without it all but `body`,
    `sources` and `mentions`."""

    def filters(self) -> Filters:
        """The filters; raises ParameterError for a value that none can have."""
        return self._filters(ids=self.id, urls=self.url, guids=self.guid)


class ArticleParameters(_Chosen):
    """Parameters of the list of articles."""

    sort: DateOrder = "newest"
    """By date; undated articles come last."""


class SimilarParameters(_Filtered):
    """Parameters of the articles like another."""


class SearchParameters(_Chosen):
    """Parameters of a search, in an address or as a JSON body."""

    q: Annotated[str, Field(examples=['"intra-Afghan dialogue"'])] = ""
    """Words, `"as written"`, `OR`, `-not`, `near w/5 it`, `prefix*`, `fuzzy~`, `field:word`,
    `published:[2020 TO 2021]`, `word^2`, parentheses. Case, accents and English endings don't
    matter. Empty: every article."""
    match: Match = "auto"
    """`auto`: all words but function words; if no article holds them all, articles with any of
    them, and `relaxed` is true. `all`: every word. `any`: plain words; articles that hold more
    of them rank higher."""
    sort: engine.Sort | None = None
    """Default: relevance, without `q` newest."""
    boost: Literal["recent"] | None = None
    """`recent`: articles near the newest day score up to twice as much."""
    collapse: Literal["duplicates"] | None = None
    """`duplicates`: near-duplicates are one hit, the first of them."""
    highlight: bool = False
    """Passages with what matched marked."""
    facets: Annotated[
        list[Facet], BeforeValidator(_split), Field(default_factory=list, max_length=10)
    ]
    """Names whose values are counted over the whole result, with commas between: `source place
    person organization section language author keyword domain`."""
    facet_limit: Annotated[int, Field(ge=1, le=100)] = 10
    """Values of each facet."""
    histogram: engine.Unit | None = None
    """Count the whole result by period, empty periods included."""
    normalize: bool = False
    """Give each period's share of all articles that pass the filters."""

    def request(self, timeout_s: float, cursor_key: CursorKey) -> engine.Request:
        """The search that is asked for; raises QueryError, ParameterError, CursorExpired."""
        mode: Literal["all", "any"] = "any" if self.match == "any" else "all"
        source = prose(self.q) if self.match == "auto" else self.q
        asked_s = cursors.asked_s(self.cursor) or int(_now().timestamp())
        now = datetime.fromtimestamp(asked_s, UTC)
        tree = None
        if source.strip():
            tree = query.parse(source, match=mode, time_zone=self.tz, now=now)
        if tree is not None and self.match == "any":
            tree = emphasized(tree, self.q)
        request = engine.Request(
            query=tree,
            question=source if tree is not None and self.match == "auto" else None,
            filters=self.filters(),
            sort=self.sort or ("relevance" if ranks(tree) else "newest"),
            limit=self.limit,
            timeout_s=timeout_s,
            asked_s=asked_s,
            recent=self.boost == "recent",
            collapse=self.collapse == "duplicates",
            facets=tuple(dict.fromkeys(self.facets)),
            facet_limit=self.facet_limit,
            histogram=self.histogram,
            coverage=self.normalize,
        )
        return replace(request, after=cursors.decode(self.cursor, list_of(request), cursor_key))


class Table(Parameters):
    """The parameter of what is answered as CSV."""

    csv: Literal["excel"] | None = None
    """`excel`: with a byte order mark, and an apostrophe before texts that Excel would take for
    formulas."""


class ArticleTableParameters(ArticleParameters, Table):
    """Parameters of the list of articles as CSV."""


class SearchTableParameters(SearchParameters, Table):
    """Parameters of a search as CSV."""


class SearchBody(SearchParameters):
    """A search as a JSON body; the same fields, and no other.

    JSON has types, so that nothing is read as another one: a flag is no text, nor a number.
    """

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=False)

    facets: Annotated[list[Facet], Field(default_factory=list, max_length=10, fail_fast=True)]
    """Names whose values are counted over the whole result."""
    fields: Annotated[
        list[ArticleField], Field(default_factory=list, max_length=50, fail_fast=True)
    ]
    """Fields of the articles in the answer."""

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, body: object) -> object:
        """`body` with 20.0 as 20, to JSON the same number, and without members after 100.

        Each one that is not known makes an error of its own.
        """
        if not isinstance(body, dict):
            return body
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in islice(body.items(), 100)
        }


class SuggestParameters(Parameters):
    """Parameters of the completions."""

    q: Annotated[str, Field(min_length=1, max_length=200)]
    """What was typed so far."""
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    """Completions."""


class ChangeParameters(Page):
    """Parameters of the change feed."""

    since: Annotated[int, Field(ge=0, le=_LARGEST)] = 0
    """The last change that you have taken in."""
    token: Annotated[str | None, Field(pattern="^[0-9a-f]{16}$")] = None
    """The `token` that came with it as `last`."""


class VersionParameters(Page):
    """Parameters of the versions of an article."""


def _now() -> datetime:
    return datetime.now(UTC)


def list_of(search_request: engine.Request) -> object:
    """What the cursors of a search are good for."""
    return (
        "search",
        search_request.query,
        bool(search_request.question),
        search_request.filters,
        search_request.sort,
        search_request.recent,
        search_request.collapse,
    )
