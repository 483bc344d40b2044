"""The tables, without logic: stories with their versions, articles, entities, mentions, keys.

A story belongs to an id for good. An article is the version of it that is shown: its columns are
the fields of the article's JSON, and `digest` compares two of them without reading them. A story
that is removed, withheld or under embargo has no article. Only `app.articles.stories` writes
stories and articles, `app.entities.mentions` and `app.entities.merging` write entities,
`app.store.keys` writes API keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, Session, SQLModel

T = TypeVar("T")

metadata: sa.MetaData = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on every database; SQLite itself stores no time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The instant in UTC; raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive instant cannot be stored: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The instant, aware again."""
        return None if value is None else value.replace(tzinfo=UTC)


class Store(SQLModel, table=True):
    """The single row with the id of the store and its change number."""

    id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=sa.BigInteger)
    created_at: datetime = Field(sa_type=UtcDateTime)
    extracted: int = Field(sa_type=sa.BigInteger)
    """The last change whose articles have been extracted."""
    extractor: str | None = Field(sa_type=sa.Text)
    """The version of the extractor that did so."""
    secret: bytes = Field(sa_type=sa.LargeBinary)
    """The key of every digest of texts and keys: the digest of an erased text reveals nothing."""
    arrivals: int = Field(sa_type=sa.BigInteger)
    """How many inputs changed something; the number of the last arrival."""
    erased: int = Field(sa_type=sa.BigInteger)
    """The last change that erased something."""
    purged: int = Field(sa_type=sa.BigInteger)
    """The last change whose erased texts are gone from every file."""


class WriteToken(SQLModel, table=True):
    """The random token of a change, which differs in a copy of the store that diverged."""

    __tablename__ = "write_token"

    change: int = Field(
        sa_column=sa.Column(
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        )
    )
    token: str = Field(max_length=16)


def _sparse(table: str, name: str) -> sa.Index:
    """A partial index for a column that is mostly null."""
    return sa.Index(f"ix_{table}_{name}", name, sqlite_where=sa.text(f"{name} IS NOT NULL"))


class Story(SQLModel, table=True):
    """The versions of an id, whether or not one of them is shown.

    `state` is removed or erased, `heir` the story that it was joined into, `count` the number of
    its last version. `is_bare` is whether it began as a kill without a text.
    """

    __table_args__ = (
        _sparse("story", "state"),
        _sparse("story", "heir"),
        {"sqlite_with_rowid": False},
    )

    id: UUID = Field(primary_key=True)
    arrival: int = Field(sa_type=sa.BigInteger)
    count: int
    state: str | None = Field(max_length=7)
    heir: UUID | None
    is_bare: bool


class StoryKey(SQLModel, table=True):
    """A key that identifies the inputs of a story, as a keyed digest."""

    __tablename__ = "story_key"
    __table_args__ = (sa.Index(None, "story_id"), {"sqlite_with_rowid": False})

    key: bytes = Field(sa_column=sa.Column(sa.LargeBinary, primary_key=True))
    story_id: UUID = Field(sa_column=sa.Column(sa.ForeignKey("story.id"), primary_key=True))
    load: int | None


class ArticleVersion(SQLModel, table=True):
    """A version of a story: its rank, and its fields unless `article` has them.

    `text` is a keyed digest of the fields that make a new version. `given` is the highest rank of
    its inputs (a PUT has no rank), `held` that of the input that its other fields are from. A
    version without fields, unless shown, has lost its text.
    """

    __tablename__ = "article_version"
    __table_args__ = (_sparse("article_version", "due_at"), _sparse("article_version", "hidden_at"))

    story_id: UUID = Field(sa_column=sa.Column(sa.ForeignKey("story.id"), primary_key=True))
    number: int = Field(primary_key=True)
    text: bytes = Field(sa_type=sa.LargeBinary)
    status: str = Field(max_length=8)
    is_full: bool
    given_us: int | None = Field(sa_type=sa.BigInteger)
    given_number: int | None = Field(sa_type=sa.BigInteger)
    held_us: int = Field(sa_type=sa.BigInteger)
    held_number: int = Field(sa_type=sa.BigInteger)
    replaced: int | None
    """For a PUT, the number of the version that it replaced."""
    arrival: int = Field(sa_type=sa.BigInteger)
    arrived_at: datetime = Field(sa_type=UtcDateTime)
    hidden_at: datetime | None = Field(sa_type=UtcDateTime)
    """Since when it is not shown; null while it is."""
    due_at: datetime | None = Field(sa_type=UtcDateTime)
    """When its embargo ends; null once it has."""
    fields: dict[str, Any] | None = Field(sa_type=sa.JSON(none_as_null=True))


class Loading(SQLModel, table=True):
    """A run of the loader, or an upload, that changed something."""

    id: int | None = Field(primary_key=True, default=None)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(max_length=16)


class Overlap(SQLModel, table=True):
    """Two stories that share the keys of an input; an operator may join them."""

    __table_args__ = ({"sqlite_with_rowid": False},)

    story_id: UUID = Field(sa_column=sa.Column(sa.ForeignKey("story.id"), primary_key=True))
    other_id: UUID = Field(sa_column=sa.Column(sa.ForeignKey("story.id"), primary_key=True))


class Article(SQLModel, table=True):
    """The version of a story that is shown, for everything that reads articles."""

    __table_args__ = (
        sa.Index(None, "published_at", "id"),
        sa.Index(None, "source_key", "published_at", "id"),
        sa.Index(None, "language", "published_at", "id"),
        sa.Index(None, "section_key", "published_at", "id"),
        sa.Index(None, "domain", "published_at", "id"),
    )

    id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=sa.BigInteger, index=True)
    added: int = Field(sa_type=sa.BigInteger)
    version: int
    digest: str = Field(max_length=32)
    headline: str = Field(sa_type=sa.Text)
    summary: list[str] = Field(sa_type=sa.JSON)
    caption: str | None = Field(sa_type=sa.Text)
    credit: str | None = Field(sa_type=sa.Text)
    byline: str | None = Field(sa_type=sa.Text)
    authors: list[str] = Field(sa_type=sa.JSON)
    dateline: str | None = Field(sa_type=sa.Text)
    places: list[str] = Field(sa_type=sa.JSON)
    body: str = Field(sa_type=sa.Text)
    word_count: int
    published_at: datetime | None = Field(sa_type=UtcDateTime)
    published_precision: str | None = Field(max_length=6)
    updated_at: datetime | None = Field(sa_type=UtcDateTime)
    embargoed_until: datetime | None = Field(sa_type=UtcDateTime)
    guid: str | None = Field(sa_type=sa.Text)
    sender_version: int | None = Field(sa_type=sa.BigInteger)
    source: str | None = Field(sa_type=sa.Text)
    source_key: str | None = Field(sa_type=sa.Text)
    url: str | None = Field(sa_type=sa.Text)
    domain: str | None = Field(sa_type=sa.Text)
    """The host of `url`, as `filters.key` folds it."""
    language: str | None = Field(max_length=2)
    language_detected: bool
    """Whether no input gave the language."""
    section: str | None = Field(sa_type=sa.Text)
    section_key: str | None = Field(sa_type=sa.Text)
    keywords: list[str] = Field(sa_type=sa.JSON)
    urgency: int | None
    subjects: list[dict[str, str | None]] = Field(sa_type=sa.JSON)
    usage_terms: str | None = Field(sa_type=sa.Text)
    warnings: list[str] = Field(sa_type=sa.JSON)


def _article_id() -> sa.Column[Any]:
    return sa.Column(sa.ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)


class Place(SQLModel, table=True):
    """A place of an article's dateline under its folded name, for filters."""

    __table_args__ = (sa.Index(None, "place_key", "article_id"),)

    article_id: UUID = Field(sa_column=_article_id())
    place_key: str = Field(sa_type=sa.Text, primary_key=True)
    label: str = Field(sa_type=sa.Text)


class ArticleName(SQLModel, table=True):
    """An author or a keyword of an article under its folded name, for filters."""

    __tablename__ = "article_name"
    __table_args__ = (sa.Index(None, "field", "key", "article_id"), {"sqlite_with_rowid": False})

    article_id: UUID = Field(sa_column=_article_id())
    field: str = Field(max_length=7, primary_key=True)
    key: str = Field(sa_type=sa.Text, primary_key=True)
    label: str = Field(sa_type=sa.Text)


class Source(SQLModel, table=True):
    """An input that contained a story, one row however often it was loaded.

    `version` is the version that it gave the story, with the sender's date, number and embargo.
    Articles with sources on one `page` are related.
    """

    __tablename__ = "sighting"
    __table_args__ = ({"sqlite_with_rowid": False},)

    story_id: UUID = Field(sa_column=sa.Column(sa.ForeignKey("story.id"), primary_key=True))
    path: str = Field(sa_type=sa.Text, primary_key=True)
    sha256: str = Field(max_length=64, primary_key=True)
    position: int
    reader: str = Field(max_length=32)
    reader_version: int
    loaded_at: datetime = Field(sa_type=UtcDateTime)
    page: str | None = Field(max_length=64, index=True)
    load: int | None
    version: int
    given_us: int | None = Field(sa_type=sa.BigInteger)
    given_number: int | None = Field(sa_type=sa.BigInteger)
    due_at: datetime | None = Field(sa_type=UtcDateTime)


class Tombstone(SQLModel, table=True):
    """An article that is no longer shown: the change that removed it, the reason and the time."""

    article_id: UUID = Field(primary_key=True)
    change: int = Field(sa_type=sa.BigInteger, index=True)
    why: str = Field(max_length=9)
    """removed, erased, withheld or joined."""
    at: datetime = Field(sa_type=UtcDateTime)


def _entity(name: str, *, key: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.ForeignKey("entity.number"), primary_key=key, nullable=False)


class StoredEntity(SQLModel, table=True):
    """A person, organization or place; `number` is its key within the database only.

    The counts are those of `appearance` and `mention`; an entity that was merged into another,
    its `heir`, has none. `full` is the entity that a surname alone stands for today.
    """

    __tablename__ = "entity"
    __table_args__ = (
        sa.Index(None, "article_count", "id"),
        sa.Index(None, "type", "article_count", "id"),
        sa.Index(None, "name_key", "id"),
        sa.Index(None, "type", "name_key", "id"),
    )

    number: int | None = Field(primary_key=True, default=None)
    id: UUID = Field(unique=True)
    type: str = Field(max_length=12)
    known: str | None = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)
    name_key: str = Field(sa_type=sa.Text)
    name_fixed: bool
    heir: int | None = Field(sa_column=sa.Column(sa.ForeignKey("entity.number"), index=True))
    full: int | None
    wikidata: str | None = Field(sa_type=sa.Text)
    iso: str | None = Field(sa_type=sa.Text)
    article_count: int
    mention_count: int


class Alias(SQLModel, table=True):
    """A name of an entity; `named` counts the articles with it as their name, `called` all.

    `kept` aliases are from the authority file or an operator and need no article. `surname` is
    that of a full name, otherwise empty; `beside` counts the articles in which it also stands
    alone and means somebody else.
    """

    __table_args__ = (
        sa.Index(None, "key", "entity"),
        sa.Index(None, "surname", "entity"),
        {"sqlite_with_rowid": False},
    )

    entity: int = Field(sa_column=_entity("entity"))
    label: str = Field(sa_type=sa.Text, primary_key=True)
    key: str = Field(sa_type=sa.Text)
    named: int
    called: int
    kept: bool
    surname: str = Field(sa_type=sa.Text)
    beside: int


class StoredMention(SQLModel, table=True):
    """An entity at a position in an article.

    `base` is the entity of the name, `entity` the one that operators have assigned to it.
    """

    __tablename__ = "mention"
    __table_args__ = ({"sqlite_with_rowid": False},)

    article_id: UUID = Field(sa_column=_article_id())
    n: int = Field(primary_key=True)
    base: int = Field(sa_column=_entity("base", key=False))
    entity: int = Field(sa_column=_entity("entity", key=False))
    field: str = Field(max_length=8)
    bullet: int | None
    start: int
    end: int
    surface: str = Field(sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text)


class ArticleEntity(SQLModel, table=True):
    """An entity in an article, with its count of mentions and the article's day (UTC, ordinal)."""

    __tablename__ = "appearance"
    __table_args__ = (sa.Index(None, "entity", "day"), {"sqlite_with_rowid": False})

    article_id: UUID = Field(sa_column=_article_id())
    entity: int = Field(sa_column=_entity("entity"))
    mentions: int
    day: int | None


class Cooccurrence(SQLModel, table=True):
    """The number of articles with two entities; one row for each direction."""

    __tablename__ = "companion"
    __table_args__ = (sa.Index(None, "entity", "count", "other"), {"sqlite_with_rowid": False})

    entity: int = Field(sa_column=_entity("entity"))
    other: int = Field(sa_column=_entity("other"))
    count: int


class Extraction(SQLModel, table=True):
    """The version of an article that was extracted, or the error."""

    __table_args__ = (sa.Index(None, "error"), {"sqlite_with_rowid": False})

    article_id: UUID = Field(sa_column=_article_id())
    digest: str = Field(max_length=32)
    version: str = Field(sa_type=sa.Text)
    error: str | None = Field(sa_type=sa.Text)


class Reassignment(SQLModel, table=True):
    """An operator's decision that `entity` is `target` in an article; it outlives the article."""

    __tablename__ = "split"
    __table_args__ = (sa.Index(None, "article_id"), {"sqlite_with_rowid": False})

    entity: int = Field(sa_column=_entity("entity"))
    article_id: UUID = Field(primary_key=True)
    target: int = Field(sa_column=_entity("target", key=False))


class ApiKey(SQLModel, table=True):
    """An API key: its `digest`, and the `prefix` that identifies it, never the key."""

    __tablename__ = "api_key"

    name: str = Field(sa_type=sa.Text, primary_key=True)
    prefix: str = Field(max_length=11, index=True)
    digest: str = Field(max_length=64, unique=True)
    scope: str = Field(max_length=5)
    source: str | None = Field(sa_type=sa.Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(sa_type=UtcDateTime)
    """Its last use, to the hour."""


def tables(*names: str) -> list[sa.Table]:
    """The tables of these names."""
    return [metadata.tables[name] for name in names]


def insert_all(
    connection: sa.Connection, statement: sa.Insert, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert `rows`, which all have the same columns, faster than `connection.execute`.

    That processes the parameters of each row separately. `statement` has no values of its own and
    is reused, since its SQL is cached.
    """
    if rows:
        sql, columns = _insertion(connection.dialect, statement, tuple(rows[0]))
        values: list[Iterable[Any]] = []
        for name, processed in columns:
            given = [row[name] for row in rows]
            values.append(given if processed is None else map(processed, given))
        connection.exec_driver_sql(sql, list(zip(*values, strict=True)))


@lru_cache(maxsize=64)
def _insertion(
    dialect: Dialect, statement: sa.Insert, names: tuple[str, ...]
) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """The SQL, and its parameters in order: name and bind processor."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    columns = statement.table.c
    return str(compiled), [
        (name, columns[name].type.dialect_impl(dialect).bind_processor(dialect))
        for name in compiled.positiontup or ()
    ]


def among(
    session: Session,
    statement: sa.Select[Any],
    column: sa.ColumnElement[Any],
    values: Iterable[Any],
) -> Iterator[Any]:
    """The rows of `statement` with one of `values` in `column`; these may be any number."""
    for some in chunks(values):
        yield from session.execute(statement.where(column.in_(some)))


def delete_among(session: Session, column: sa.ColumnElement[Any], values: Iterable[Any]) -> None:
    """Delete the rows with one of `values` in `column`; these may be any number."""
    for some in chunks(values):
        session.execute(sa.delete(column.table).where(column.in_(some)))


def execute_all(session: Session, step: sa.Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute `step` once for each of `rows`."""
    if rows:
        session.connection().execute(step, rows)


def chunks(ids: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """`ids` in lists of `size`; 500 are below every database's limit of bind parameters."""
    ordered = list(ids)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
