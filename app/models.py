"""Tables, and nothing that decides: stories with their versions, articles, entities and mentions.

A story is what an id stands for, shown or not. An article is the version of it that shows:
its columns are the fields of the article's JSON, and `digest` tells two of them apart without
reading them. What is removed, withheld or not due has a story and no article. The rows of
both are written by `app.stories` alone, those of entities by `app.mentions` and `app.deciding`,
keys of the API by `app.keys`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Dialect

T = TypeVar("T")

metadata: MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on every database; SQLite itself keeps no zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Refuse a naive instant rather than guess its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive instant cannot be stored: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        return None if value is None else value.replace(tzinfo=UTC)


class Store(SQLModel, table=True):
    """The one row that names this store and counts its changes."""

    id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    extracted: int = Field(sa_type=BigInteger)
    """The last change whose articles the extractor has read."""
    extractor: str | None = Field(sa_type=Text)
    """The version of the extractor that read them."""
    secret: bytes = Field(sa_type=LargeBinary)
    """Keys every digest of texts and keys, so that what is left of an erased text tells nothing."""
    arrivals: int = Field(sa_type=BigInteger)
    """How many inputs brought something; the last arrival."""
    erased: int = Field(sa_type=BigInteger)
    """The last change that erased something."""
    purged: int = Field(sa_type=BigInteger)
    """The last change whose erasures are gone from every file."""


def _sparse(table: str, name: str) -> Index:
    """An index of the rows that have a value, which few have."""
    return Index(f"ix_{table}_{name}", name, sqlite_where=text(f"{name} IS NOT NULL"))


class Story(SQLModel, table=True):
    """What an id stands for, for life: its versions, whether or not one of them is shown.

    `state` is removed or erased; `heir` is the story that it was joined into. `count` is the
    number of its last version, `is_bare` tells that it began as a kill without a text.
    """

    __table_args__ = (
        _sparse("story", "state"),
        _sparse("story", "heir"),
        {"sqlite_with_rowid": False},
    )

    id: UUID = Field(primary_key=True)
    arrival: int = Field(sa_type=BigInteger)
    count: int
    state: str | None = Field(max_length=7)
    heir: UUID | None
    is_bare: bool


class StoryKey(SQLModel, table=True):
    """A key by which inputs are known to be of a story, as a keyed digest."""

    __tablename__ = "story_key"
    __table_args__ = (Index(None, "story_id"), {"sqlite_with_rowid": False})

    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    story_id: UUID = Field(sa_column=Column(ForeignKey("story.id"), primary_key=True))
    load: int | None


class ArticleVersion(SQLModel, table=True):
    """A text that a story was given: its rank, and its fields unless `article` holds them.

    `text` is a keyed digest of what makes it a version. `given` is the highest rank that an
    input gave it (a PUT has none of its own), `held` that of the input whose other fields it
    has. A version without fields that is not the shown one has lost its text.
    """

    __tablename__ = "article_version"
    __table_args__ = (
        _sparse("article_version", "due_at"),
        _sparse("article_version", "hidden_at"),
    )

    story_id: UUID = Field(sa_column=Column(ForeignKey("story.id"), primary_key=True))
    number: int = Field(primary_key=True)
    text: bytes = Field(sa_type=LargeBinary)
    status: str = Field(max_length=8)
    is_full: bool
    given_us: int | None = Field(sa_type=BigInteger)
    given_number: int | None = Field(sa_type=BigInteger)
    held_us: int = Field(sa_type=BigInteger)
    held_number: int = Field(sa_type=BigInteger)
    replaced: int | None
    """The number of the version that this PUT replaced."""
    arrival: int = Field(sa_type=BigInteger)
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    hidden_at: datetime | None = Field(sa_type=UtcDateTime)
    """Since when another version shows, or none; null while this one does."""
    due_at: datetime | None = Field(sa_type=UtcDateTime)
    """When its embargo ends; null once it has."""
    fields: dict[str, Any] | None = Field(sa_type=JSON(none_as_null=True))


class Loading(SQLModel, table=True):
    """A run of the loader, or an upload, that brought something."""

    id: int | None = Field(primary_key=True, default=None)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=16)


class Overlap(SQLModel, table=True):
    """Two stories that an input's keys belonged to; an operator may join them."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    story_id: UUID = Field(sa_column=Column(ForeignKey("story.id"), primary_key=True))
    other_id: UUID = Field(sa_column=Column(ForeignKey("story.id"), primary_key=True))


class Article(SQLModel, table=True):
    """The version of a story that shows, and of which all that reads articles knows."""

    __table_args__ = (
        Index(None, "published_at", "id"),
        Index(None, "source_key", "published_at", "id"),
        Index(None, "language", "published_at", "id"),
        Index(None, "section_key", "published_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger, index=True)
    added: int = Field(sa_type=BigInteger)
    version: int
    digest: str = Field(max_length=32)
    headline: str = Field(sa_type=Text)
    summary: list[str] = Field(sa_type=JSON)
    caption: str | None = Field(sa_type=Text)
    credit: str | None = Field(sa_type=Text)
    byline: str | None = Field(sa_type=Text)
    dateline: str | None = Field(sa_type=Text)
    places: list[str] = Field(sa_type=JSON)
    body: str = Field(sa_type=Text)
    word_count: int
    published_at: datetime | None = Field(sa_type=UtcDateTime)
    published_precision: str | None = Field(max_length=6)
    updated_at: datetime | None = Field(sa_type=UtcDateTime)
    embargoed_until: datetime | None = Field(sa_type=UtcDateTime)
    guid: str | None = Field(sa_type=Text)
    sender_version: int | None = Field(sa_type=BigInteger)
    source: str | None = Field(sa_type=Text)
    source_key: str | None = Field(sa_type=Text)
    url: str | None = Field(sa_type=Text)
    language: str | None = Field(max_length=2)
    section: str | None = Field(sa_type=Text)
    section_key: str | None = Field(sa_type=Text)
    warnings: list[str] = Field(sa_type=JSON)


def _article_id() -> Column[Any]:
    return Column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)


class Place(SQLModel, table=True):
    """A place of an article's dateline under its folded name, for filters."""

    __table_args__ = (Index(None, "place_key", "article_id"),)

    article_id: UUID = Field(sa_column=_article_id())
    place_key: str = Field(sa_type=Text, primary_key=True)
    label: str = Field(sa_type=Text)


class Sighting(SQLModel, table=True):
    """An input that a story was seen in, once however often it came.

    `version` is what it gave the story, and with which date, number and embargo of the sender;
    sightings of one `page` make articles related.
    """

    __table_args__ = ({"sqlite_with_rowid": False},)

    story_id: UUID = Field(sa_column=Column(ForeignKey("story.id"), primary_key=True))
    path: str = Field(sa_type=Text, primary_key=True)
    sha256: str = Field(max_length=64, primary_key=True)
    position: int
    reader: str = Field(max_length=32)
    reader_version: int
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    page: str | None = Field(max_length=64, index=True)
    load: int | None
    version: int
    given_us: int | None = Field(sa_type=BigInteger)
    given_number: int | None = Field(sa_type=BigInteger)
    due_at: datetime | None = Field(sa_type=UtcDateTime)


class Tombstone(SQLModel, table=True):
    """An article that was shown and is not: the change that took it away, why and when."""

    article_id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger, index=True)
    why: str = Field(max_length=9)
    """removed, erased, withheld or joined."""
    at: datetime = Field(sa_type=UtcDateTime)


def _entity(name: str, *, key: bool = True) -> Column[Any]:
    return Column(name, ForeignKey("entity.number"), primary_key=key, nullable=False)


class Entity(SQLModel, table=True):
    """A person, organization or place; `number` stands for it in other tables alone.

    The counts are those of `appearance` and `mention`. One that was merged into its `heir`
    has none.
    """

    __table_args__ = (
        Index(None, "article_count", "id"),
        Index(None, "type", "article_count", "id"),
        Index(None, "name_key", "id"),
        Index(None, "type", "name_key", "id"),
    )

    number: int | None = Field(primary_key=True, default=None)
    id: UUID = Field(unique=True)
    type: str = Field(max_length=12)
    known: str | None = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    name_fixed: bool
    heir: int | None = Field(sa_column=Column(ForeignKey("entity.number"), index=True))
    wikidata: str | None = Field(sa_type=Text)
    iso: str | None = Field(sa_type=Text)
    article_count: int
    mention_count: int


class Alias(SQLModel, table=True):
    """What an entity is called: in how many articles as its name there, and in how many at all.

    `kept` aliases come from the authority file or an operator and need no article.
    """

    __table_args__ = (Index(None, "key", "entity"), {"sqlite_with_rowid": False})

    entity: int = Field(sa_column=_entity("entity"))
    label: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text)
    named: int
    called: int
    kept: bool


class Mention(SQLModel, table=True):
    """An entity at a place in an article.

    `base` is the entity of the name, `entity` the one that operators' decisions make of it.
    """

    __table_args__ = ({"sqlite_with_rowid": False},)

    article_id: UUID = Field(sa_column=_article_id())
    n: int = Field(primary_key=True)
    base: int = Field(sa_column=_entity("base", key=False))
    entity: int = Field(sa_column=_entity("entity", key=False))
    field: str = Field(max_length=8)
    bullet: int | None
    start: int
    end: int
    surface: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)


class Appearance(SQLModel, table=True):
    """An entity in an article, with its mentions there and the article's day (UTC, ordinal)."""

    __table_args__ = (Index(None, "entity", "day"), {"sqlite_with_rowid": False})

    article_id: UUID = Field(sa_column=_article_id())
    entity: int = Field(sa_column=_entity("entity"))
    mentions: int
    day: int | None


class Companion(SQLModel, table=True):
    """In how many articles two entities appear together; a row for either direction."""

    __table_args__ = (Index(None, "entity", "count", "other"), {"sqlite_with_rowid": False})

    entity: int = Field(sa_column=_entity("entity"))
    other: int = Field(sa_column=_entity("other"))
    count: int


class Extraction(SQLModel, table=True):
    """Which version of an article the extractor has read, or why it could not."""

    __table_args__ = (Index(None, "error"), {"sqlite_with_rowid": False})

    article_id: UUID = Field(sa_column=_article_id())
    digest: str = Field(max_length=32)
    version: str = Field(sa_type=Text)
    error: str | None = Field(sa_type=Text)


class Split(SQLModel, table=True):
    """An operator's word that `entity` is `target` in an article; it outlives the article."""

    __table_args__ = (Index(None, "article_id"), {"sqlite_with_rowid": False})

    entity: int = Field(sa_column=_entity("entity"))
    article_id: UUID = Field(primary_key=True)
    target: int = Field(sa_column=_entity("target", key=False))


class ApiKey(SQLModel, table=True):
    """A key of the API: its `digest` and the `prefix` by which it is found, never the key."""

    __tablename__ = "api_key"

    name: str = Field(sa_type=Text, primary_key=True)
    prefix: str = Field(max_length=11, index=True)
    digest: str = Field(max_length=64, unique=True)
    scope: str = Field(max_length=5)
    source: str | None = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)
    """The hour of its last use."""


def chunks(ids: Iterable[T]) -> Iterator[list[T]]:
    """`ids` in lists of 500: below every database's limit of parameters."""
    ordered = list(ids)
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]
