"""The interface of a search engine: its requests and answers.

An engine keeps a disposable copy of the articles and answers with ids; text comes from the
database. It knows no HTTP, no SQL and no other engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar
from uuid import UUID

from app.filters import Filters
from app.search.query.tree import Query, Word
from app.search.synonyms import Synonyms
from app.writes import NO_WRITE, Write

T = TypeVar("T")
Sort = Literal["relevance", "newest", "oldest"]
Unit = Literal["hour", "day", "week", "month", "year"]

DAY_US = 86_400_000_000

SCHEMA_VERSION = 10
"""Raise with every change to Document: an index of another version is rebuilt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An article as an engine indexes it.

    The texts are as stored; the engine indexes `text.tokens` of them in their `language`.
    `published_us` is `published_us()` of its date, None for an undated article. `names` holds
    the folded values of each field of `filters.SEARCHED`, entities as `filters.term_of` them.
    """

    headline: str
    summary: Sequence[str]
    caption: str
    body: str
    published_us: int | None
    names: dict[str, Sequence[str]]

    text_fields: ClassVar[tuple[str, ...]] = ("headline", "summary", "caption", "body")

    @property
    def language(self) -> str | None:
        """The language of its analysis."""
        return next(iter(self.names.get("language", ())), None)


@dataclass(frozen=True, slots=True)
class Change:
    """The newest state of the article `id`, as of change number `change`.

    `document` is None for a removed article.
    """

    id: UUID
    change: int
    document: Document | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of an index: its store, its versions, and the last change that it holds.

    `history` is the store's last write when that change was read.
    """

    store_id: UUID
    history: Write
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: str
    """Differs whenever the index does; has no other meaning."""
    is_worn: bool = False
    """Whether much of it is deleted documents, whose space only a rebuild frees."""


@dataclass(frozen=True, slots=True)
class PageKey:
    """The position after which an ordered list continues: the last row's sort key and id.

    `values` is the sort key; the id breaks ties. For a search it is the score or, in the two
    orders by date, `published_us`; other lists have keys of their own. `snapshot` lets the engine
    that made it, in any process, continue with the list as it was; other engines cannot read it.
    Empty where a list needs none.
    """

    values: tuple[Any, ...]
    id: UUID
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """A page of any list: `total` counts the whole list, `after` is None on the last page."""

    items: list[T]
    total: int
    after: PageKey | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A search; a `query` of None matches every article."""

    query: Query | None
    question: str | None = None
    """With `match=auto` the source of `query`, which `search` rewrites; engines ignore it."""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "relevance"
    limit: int = 20
    after: PageKey | None = None
    timeout_s: float = field(default=2.0, compare=False)
    """Not part of a cache key: it does not change a complete answer."""
    asked_s: int | None = field(default=None, compare=False)
    """Seconds since 1970 from which its relative dates count, for the pages that follow."""
    synonyms: Synonyms | None = field(default=None, compare=False)
    """Synonyms of the query's words; `search` expands the query with them, engines ignore them."""
    recent: bool = False
    """Whether recent articles score higher; see `ranking.HALF_LIFE_DAYS`."""
    collapse: bool = False
    """Whether near-duplicates are collapsed into the first of them in the order."""
    facets: tuple[str, ...] = ()
    """Fields of names whose values are counted over the whole result."""
    facet_limit: int = 10
    histogram: Unit | None = None
    """The period, in the filters' time zone, by which the whole result is counted."""
    coverage: bool = False
    """Whether the histogram also counts every article that passes the filters."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that matches, by its id; a higher score is better.

    `duplicates` are the ids of the near-duplicates collapsed into it.
    """

    id: UUID
    score: float
    duplicates: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A period of a histogram: its start and its number of articles.

    The start is a day in the filters' time zone or, for an hour, an instant in it. `coverage`
    counts every article that passes the filters, whatever the query.
    """

    start: date | datetime
    count: int
    coverage: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a Request.

    `total` is exact, or a lower bound if `complete` is False because the deadline passed. `after`
    is the key of the next page, None on the last one. `cursor` is the last change in the index,
    of the store `store_id` with `history`.
    """

    hits: list[Hit]
    total: int
    after: PageKey | None
    cursor: int
    store_id: UUID
    history: Write = NO_WRITE
    complete: bool = True
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """For each requested field: folded values with their counts, commonest first."""
    histogram: list[Bucket] = field(default_factory=list)


VALUE_BYTES = 200
"""The approximate size of a hit, a facet's value or a period in memory."""


def size_bytes(request: Request, found: Found) -> int:
    """The approximate size of an answer and of the request, its cache key."""
    values = sum(map(len, found.facets.values())) + len(found.histogram)
    hits = sum(1 + len(hit.duplicates) for hit in found.hits)
    return VALUE_BYTES * (values + hits) + 10 * len(repr(request))


class Engine(Protocol):
    """A search engine; safe to share between threads.

    Every method may raise EngineError or its subclasses IndexMissing and IndexDamaged; methods
    that write may raise EngineBusy. Each method names what else it raises.
    """

    def search(self, request: Request) -> Found:
        """The hits of one page, in the order of `request.sort`.

        Raises CursorExpired if the snapshot of `request.after` cannot be continued, and
        ParameterError for a histogram of too many periods.
        """
        ...

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """The document frequency of each token."""
        ...

    def terms(self, prefix: str, limit: int, *, field: str | None = None) -> list[tuple[str, int]]:
        """Folded words with `prefix`, or folded names in `field`, one of NAMES; commonest first.

        A word's count is the number of articles with a word of its stem; equal counts put the
        shorter word first. A name's count is its number of articles.
        """
        ...

    def fuzzy_terms(self, form: str, distance: Literal[1, 2], limit: int) -> list[tuple[str, int]]:
        """`terms` for the words at most `distance` edits from `form`."""
        ...

    def following(
        self, before: Sequence[Word], prefix: str, limit: int, *, timeout_s: float
    ) -> list[tuple[str, int]]:
        """Folded words with `prefix` in the articles with all words of `before`, one or more.

        Each with the number of these articles that have a word of its stem. Words that most
        often follow the last word of `before` come first.
        """
        ...

    def apply(
        self,
        changes: Sequence[Change],
        cursor: int,
        *,
        history: Write | None = None,
        after: Write | None = None,
    ) -> None:
        """Index `changes`, then set the stamp's cursor to `cursor`. Idempotent.

        `history` is the store's last write when they were read, `after` the stamp's history then.
        Does nothing if the stamp's history has changed since or its cursor is beyond `cursor`.
        """
        ...

    def stamp(self) -> Stamp:
        """The stamp of the index, read from the disk."""
        ...

    def health(self) -> None:
        """Verify the index; raises IndexMissing or IndexDamaged."""
        ...

    def entries(self) -> Iterator[tuple[UUID, int]]:
        """Id and change of every article in the index, in no order."""
        ...

    def rebuilding(self, store_id: UUID) -> AbstractContextManager[Engine]:
        """An empty engine beside this one, swapped in when the block succeeds.

        Searches continue meanwhile. A damaged index that is replaced stays on disk.
        """
        ...

    def discard_damaged(self) -> None:
        """Remove the damaged indexes that were set aside, and the indexes of other engines.

        They may contain an erased text.
        """
        ...

    def close(self) -> None:
        """Close all files; the engine cannot be used afterwards."""
        ...


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def published_us(at: datetime, precision: str | None) -> int:
    """`microseconds` of a date. A whole number of days is a date of day precision.

    Midnight to the minute or second is stored one microsecond later: dates have whole seconds.
    """
    us = microseconds(at)
    return us if precision == "day" or us % DAY_US else us + 1
