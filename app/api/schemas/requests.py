"""What may be asked: the parameters of each route, and the search that they make.

In: an address or a JSON body, which pydantic has read. Out: filters and a search for the store
and the engine. What is answered is not known here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from app import filters
from app.api import cursors, door
from app.articles import CursorKey
from app.filters import Filters
from app.search import base, matching, query
from app.search.emphasis import emphasized

_LARGEST = 2**63 - 1  # number that a database holds

_Name = Annotated[
    str,
    Field(max_length=door.VALUE_CHARS, json_schema_extra={"minLength": 1, "pattern": r"[^\s-]"}),
]
"""Documented here and refused by `filters`, with a better message than a pattern's."""
Names = Annotated[list[_Name], Field(default_factory=list, max_length=50, fail_fast=True)]
_DATE: dict[str, JsonValue] = {"pattern": "^[0-9]{4}"}
Facet = Literal["source", "place", "person", "organization", "section", "language"]


def _split(value: object) -> object:
    """Values with commas between, in one parameter or in several."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return [part.strip() for each in value for part in each.split(",") if part.strip()]
    return value


def zone(value: str) -> str:
    """`value` if it names a time zone; raises ValueError."""
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
    place: Annotated[
        Names, Field(description="Place, such as `Abu Dhabi`: a name, or an entity's id.")
    ]
    language: Annotated[Names, Field(description="ISO 639-1 code, such as `en`.")]
    section: Annotated[Names, Field(description="Section, such as `World`.")]
    person: Annotated[Names, Field(description="Person: a name, an alias or an entity's id.")]
    organization: Annotated[
        Names, Field(description="Organization: a name, an alias or an entity's id.")
    ]
    entity: Annotated[Names, Field(description="Person, organization or place alike.")]
    from_: Annotated[
        str | None,
        Field(
            alias="from",
            max_length=door.VALUE_CHARS,
            json_schema_extra=_DATE,
            examples=["2020-05"],
            description="Published at or after this year, month, day or instant (UTC unless it "
            "names its zone).",
        ),
    ] = None
    to: Annotated[
        str | None,
        Field(
            max_length=door.VALUE_CHARS,
            json_schema_extra=_DATE,
            examples=["2020-05-09"],
            description="Published before the end of this year, month, day or instant.",
        ),
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
        list[Facet],
        BeforeValidator(_split),
        Field(
            default_factory=list,
            max_length=10,
            description="Names whose values are counted over the whole result, with commas "
            "between: `source place person organization section language`.",
        ),
    ]
    facet_limit: Annotated[int, Field(ge=1, le=100, description="Values of each facet.")] = 10
    histogram: Annotated[
        Literal["day", "week", "month", "year"] | None,
        Field(description="Count the whole result by period, empty periods included."),
    ] = None
    tz: Annotated[
        str,
        AfterValidator(zone),
        Field(
            max_length=door.VALUE_CHARS,
            json_schema_extra={"minLength": 1},
            examples=["Asia/Karachi"],
            description="IANA time zone of the histogram's days.",
        ),
    ] = "UTC"
    normalize: Annotated[
        bool,
        Field(description="Give each period's share of all articles that pass the filters."),
    ] = False

    def request(self, timeout_s: float, cursor_key: CursorKey) -> base.Request:
        """The search that is asked for; raises QueryError, ParameterError, CursorExpired."""
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
        if not self.cursor:
            return wish
        return replace(wish, after=cursors.decode(self.cursor, list_of(wish), cursor_key))


class SearchBody(SearchParameters):
    """A search as a JSON body; the same fields, and no other.

    JSON has types, so that nothing is read as another one: a flag is no text, nor a number.
    """

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=False)

    facets: Annotated[
        list[Facet],
        Field(
            default_factory=list,
            max_length=10,
            fail_fast=True,
            description="Names whose values are counted over the whole result.",
        ),
    ]

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


class SuggestParameters(BaseModel):
    """Parameters of the completions."""

    q: Annotated[str, Field(min_length=1, max_length=200, description="What was typed so far.")]
    limit: Annotated[int, Field(ge=1, le=50, description="Completions.")] = 10


class ChangeParameters(_Page):
    """Parameters of the change feed."""

    since: Annotated[
        int, Field(ge=0, le=_LARGEST, description="The last change that you have taken in.")
    ] = 0


class VersionParameters(_Page):
    """Parameters of the versions of an article."""


def list_of(wish: base.Request) -> object:
    """What the cursors of a search are good for."""
    return ("search", wish.query, wish.filters, wish.sort, wish.recent, wish.collapse)
