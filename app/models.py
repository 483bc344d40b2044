"""Tables, and nothing that decides: Store, Article, Sighting, Place, Tombstone.

The columns of Article are the fields of the article's JSON; `digest` tells two versions
apart without reading them. Rows are written by `app.articles` alone.
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


def chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """`ids` in lists of 500: below every database's limit of parameters."""
    ordered = list(ids)
    for start in range(0, len(ordered), 500):
        yield ordered[start : start + 500]
