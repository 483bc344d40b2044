"""Tables, and nothing that decides: articles and what was said of them, entities and mentions.

The columns of Article are the fields of the article's JSON; `digest` tells two versions
apart without reading them. Its rows are written by `app.articles` alone, those of entities
by `app.mentions` and `app.deciding`, keys by `app.keys`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Column, DateTime, ForeignKey, Index, MetaData, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy.engine import Dialect

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


class Article(SQLModel, table=True):
    """A stored article: one row, one id for life."""

    __table_args__ = (
        Index(None, "published_at", "id"),
        Index(None, "source_key", "published_at", "id"),
        Index(None, "language", "published_at", "id"),
        Index(None, "section_key", "published_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger, index=True)
    added: int = Field(sa_type=BigInteger)
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
    """An input that an article was seen in; sightings of one `page` make articles related."""

    article_id: UUID = Field(sa_column=_article_id())
    path: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(primary_key=True)
    sha256: str = Field(max_length=64)
    reader: str = Field(max_length=32)
    reader_version: int
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    page: str | None = Field(max_length=64, index=True)


class Tombstone(SQLModel, table=True):
    """An article that was removed, and the change that removed it."""

    article_id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=BigInteger, index=True)


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


def chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """`ids` in lists of 500: below every database's limit of parameters."""
    ordered = list(ids)
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]
