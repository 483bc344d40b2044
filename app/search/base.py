"""The interface of a search engine: what it is given and what it answers.

An engine keeps a disposable copy of the articles and answers with ids; text comes from
the database. It knows no HTTP, no SQL and no other engine. Implementations stand beside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from app.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date
    from uuid import UUID

    from app.search.query import Fuzzy, Prefix, Query

Sort = Literal["relevance", "newest", "oldest"]
Unit = Literal["day", "week", "month", "year"]

SCHEMA_VERSION = 4
"""Raise with every change of what a Document holds: an index made with another is rebuilt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An article as an engine indexes it.

    The texts are as stored; the engine indexes `text.terms` of them. `published_us` counts
    microseconds since 1970 UTC, None for an undated article. `names` holds the folded values
    of each filter of `filters.NAMED`, entities as `filters.term_of` them.
    """

    headline: str
    summary: Sequence[str]
    caption: str
    body: str
    published_us: int | None
    names: dict[str, Sequence[str]]

    zones: ClassVar[tuple[str, ...]] = ("headline", "summary", "caption", "body")


@dataclass(frozen=True, slots=True)
class Change:
    """The newest state of the article `id`, made by change number `change`.

    `document` is None for an article that was removed.
    """

    id: UUID
    change: int
    document: Document | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an index says of itself: of which store, how made, up to which change."""

    store_id: UUID
    cursor: int
    schema_version: int
    analyzer_version: int
    generation: str
    """Differs whenever the index does; says nothing else."""


@dataclass(frozen=True, slots=True)
class Place:
    """A hit's place in an ordered result: where a next page goes on.

    `score` orders `relevance`, `published_us` the two orders by date; ties go by `id`.
    `statistics` are the numbers of the collection that `score` was made with: given back
    with the next request they keep all scores as they were, whatever was added meanwhile.
    """

    id: UUID
    score: float = 0.0
    published_us: int | None = None
    statistics: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A search: None as `query` matches every article."""

    query: Query | None
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "relevance"
    limit: int = 20
    after: Place | None = None
    timeout_s: float = field(default=2.0, compare=False)
    """Two searches that differ only in it have the same complete answer."""
    recent: bool = False
    """Whether recent articles score higher; see `scoring.HALF_LIFE_DAYS`."""
    collapse: bool = False
    """Whether near-duplicates are one hit: the first of them in the order."""
    facets: tuple[str, ...] = ()
    """Fields of names whose values are counted, of the whole result."""
    facet_limit: int = 10
    histogram: Unit | None = None
    """The period by which the whole result is counted."""
    coverage: bool = False
    """Whether the histogram also counts all articles that pass the filters."""
    zone: str = "UTC"
    """The IANA time zone in whose days the histogram counts."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that matches, by its id; a higher score is better.

    `duplicates` are the ids of near-duplicates that were collapsed into it.
    """

    id: UUID
    score: float
    duplicates: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A period of a histogram: its first day in the histogram's zone, and its articles.

    `coverage` counts all articles that pass the filters, whatever the query.
    """

    start: date
    count: int
    coverage: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a Request.

    `total` counts every hit exactly, or is a lower bound where `complete` is False because
    the time was up. `after` is the Place to go on from, None on the last page. `cursor` is
    the last change that the index had taken in, of the store `store_id`.
    """

    hits: list[Hit]
    total: int
    after: Place | None
    cursor: int
    store_id: UUID
    complete: bool = True
    facets: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    """For each field asked for: folded values with their counts, commonest first."""
    histogram: list[Bucket] = field(default_factory=list)


class Engine(Protocol):
    """What every engine can do; safe to share between threads.

    Everything may raise EngineError: IndexMissing, IndexDamaged, and EngineBusy from the
    two that write.
    """

    def search(self, request: Request) -> Found:
        """The hits of one page, in the order of `request.sort`."""
        ...

    def frequencies(self, tokens: Iterable[str]) -> dict[str, int]:
        """How many articles hold each token."""
        ...

    def words(self, leaf: Prefix | Fuzzy, limit: int) -> list[tuple[str, int]]:
        """Folded words that a prefix or a typing error stands for, commonest first.

        Each with the number of articles that hold a word of its stem.
        """
        ...

    def names(self, field: str, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Folded names of a field of NAMES that begin so, with their articles, commonest first."""
        ...

    def apply(self, changes: Sequence[Change], cursor: int) -> None:
        """Take in `changes` and then remember `cursor`. Applying twice is harmless.

        Does nothing when the index is beyond `cursor` already.
        """
        ...

    def stamp(self) -> Stamp:
        """What the index says of itself, read anew."""
        ...

    def verify(self) -> None:
        """Raise IndexDamaged if the files do not hold together. Reads names and sizes only."""
        ...

    def entries(self) -> Iterator[tuple[UUID, int]]:
        """Id and change of every article in the index, in no order."""
        ...

    def rebuilding(self, store_id: UUID) -> AbstractContextManager[Engine]:
        """An empty engine beside this one; it takes this one's place when the block succeeds.

        Searches go on meanwhile. A damaged index that is replaced stays on disk.
        """
        ...

    def discard_damaged(self) -> None:
        """Remove the indexes that were set aside: a text that was erased may stand in them."""
        ...

    def close(self) -> None:
        """Give back files; the engine can't be used afterwards."""
        ...


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 UTC, exactly."""
    passed = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
