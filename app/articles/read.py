"""Articles as the API answers them: one, a list, summaries, labels of names, the change feed.

`save` and `removal` write them, and `changes` reads them for indexes. Functions take a session
and only read. Knows no HTTP, file or index; see `app.services.search`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, GetPydanticSchema
from sqlalchemy import Row, Select, bindparam, func, literal, select, tuple_, union_all
from sqlmodel import Session

from app.articles.identity import Marker, canonical_url
from app.articles.stories import absent
from app.entities import mentions
from app.entities.mentions import Mention
from app.errors import HistoryLost
from app.filters import Filters
from app.ingest.draft import Precision, Subject
from app.search.engine import ListPage, PageKey, microseconds
from app.store import conditions, sequence
from app.store.models import among, tables
from app.writes import NO_WRITE, Write

Order = Literal["newest", "oldest"]
EventKind = Literal["added", "updated", "deleted"]


MOST_RELATED = 50
"""Related articles that are shown with one; an article may stand on thousands of pages."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_article, _key, _name, _place = tables("article", "story_key", "article_name", "place")
_source, _store, _tombstone, _version = tables("sighting", "store", "tombstone", "article_version")


@dataclass(slots=True, kw_only=True)
class Related:
    """An article that stood on the same page."""

    id: UUID
    headline: str


Subjects = Annotated[
    list[dict[str, str | None]],
    GetPydanticSchema(lambda _, handler: handler.generate_schema(list[Subject])),
]


@dataclass(slots=True, kw_only=True)
class ArticleSummary:
    """An article without its text. What is unknown is null or an empty list."""

    id: Annotated[UUID, Field(description="For life.")]
    change: Annotated[int, Field(description="Number of the last change to the article.")]
    version: Annotated[int, Field(description="Number of the version that it shows.")]
    headline: str
    summary: Annotated[list[str], Field(description="Bullet points.")]
    caption: Annotated[str | None, Field(description="Of the photo, without its credit.")]
    credit: Annotated[str | None, Field(description="Of the photo, without brackets.")]
    byline: Annotated[str | None, Field(description="Author or agency, as printed.")]
    authors: Annotated[list[str], Field(description="Names, one each.")]
    dateline: Annotated[str | None, Field(description="As printed, such as `DUBAI/RIYADH`.")]
    places: Annotated[list[str], Field(description="Of the dateline, in title case.")]
    word_count: Annotated[int, Field(description="Words of the body.")]
    published_at: Annotated[datetime | None, Field(description="UTC.")]
    published_precision: Annotated[
        Precision | None,
        Field(description="How exact `published_at` is; a `day` is given as its 00:00."),
    ]
    updated_at: Annotated[datetime | None, Field(description="The sender's own, UTC.")]
    embargoed_until: Annotated[datetime | None, Field(description="UTC; past, since it shows.")]
    guid: Annotated[str | None, Field(description="The sender's own id of the story.")]
    sender_version: Annotated[int | None, Field(description="The sender's number of the text.")]
    source: Annotated[str | None, Field(description="Publisher.")]
    url: Annotated[str | None, Field(description="Canonical address.")]
    language: Annotated[str | None, Field(description="ISO 639-1 code.")]
    language_detected: Annotated[bool, Field(description="True where no input gave it.")]
    section: str | None
    keywords: Annotated[list[str], Field(description="The sender's.")]
    urgency: Annotated[int | None, Field(description="The sender's, 1 (most) to 9.")]
    subjects: Subjects
    usage_terms: Annotated[str | None, Field(description="Rights, as the sender told them.")]
    warnings: Annotated[list[str], Field(description="What the reader was not sure of.")]
    related: Annotated[list[Related], Field(description="Articles of the same page, 50 at most.")]


@dataclass(slots=True, kw_only=True)
class Seen:
    """An input that the article was seen in."""

    path: Annotated[str, Field(description="Name of the input as it was given.")]
    sha256: Annotated[str, Field(description="Of the page, or of the line.")]
    position: Annotated[int, Field(description="Place on the page from 0, or line from 1.")]
    reader: str
    reader_version: int
    loaded_at: datetime
    load: Annotated[int | None, Field(description="The load that brought it.")]


@dataclass(slots=True, kw_only=True)
class WholeArticle(ArticleSummary):
    """A stored article with its text and where it was seen."""

    body: Annotated[str, Field(description="Paragraphs separated by one blank line.")]
    sources: list[Seen]
    mentions: list[Mention]


_SUMMARY = [_article.c[name] for name in ArticleSummary.__slots__ if name != "related"]
_BODY_BY_IDS = select(_article.c.id, _article.c.body).where(
    _article.c.id.in_(bindparam("ids", expanding=True))
)
_WHOLE_BY_IDS = select(*_SUMMARY, _article.c.body).where(
    _article.c.id.in_(bindparam("ids", expanding=True))
)
_BY_IDS = select(*_SUMMARY).where(_article.c.id.in_(bindparam("ids", expanding=True)))


def _related_statement() -> Select[Any]:
    """Rows (of, id, headline) related to the articles `ids`, in page order, MOST_RELATED each."""
    here, there = _source.alias("here"), _source.alias("there")
    rank = func.row_number().over(
        partition_by=here.c.story_id, order_by=[func.min(there.c.position), there.c.story_id]
    )
    pairs = (
        select(here.c.story_id.label("of"), there.c.story_id.label("id"), rank.label("rank"))
        .join(there, here.c.page == there.c.page)
        .join(_article, _article.c.id == there.c.story_id)
        .where(
            here.c.story_id.in_(bindparam("ids", expanding=True)),
            there.c.story_id != here.c.story_id,
        )
        .group_by(here.c.story_id, there.c.story_id)
        .subquery()
    )
    return (
        select(pairs.c.of, pairs.c.id, _article.c.headline)
        .join(_article, _article.c.id == pairs.c.id)
        .where(pairs.c.rank <= MOST_RELATED)
        .order_by(pairs.c.of, pairs.c.rank)
    )


_RELATED = _related_statement()


# --- the store


@dataclass(frozen=True, slots=True)
class CursorKey:
    """The secret that signs the cursors of a store, and the state of the store.

    `erased` is the last change that erased something, `last` the last write. `held` is the
    write that a cursor names; None if the store lacks it.
    """

    secret: bytes
    erased: int
    last: Write = NO_WRITE
    held: Write | None = NO_WRITE


def cursor_key(session: Session, named: Write = NO_WRITE) -> CursorKey:
    """The key for cursors that are valid now; `named` is the write that a cursor names."""
    s, token = _store.c, sequence.token_of
    stands = select(s.secret, s.erased, s.change, token(s.change), token(named.change))
    secret, erased, change, last, held = session.execute(stands).one()
    is_held = named == NO_WRITE or held == named.token
    return CursorKey(secret, erased, Write(change, last or ""), named if is_held else None)


# --- reading


def get(session: Session, article_id: UUID) -> WholeArticle:
    """The article with its text, related articles and inputs; raises NotFound, Gone or Moved."""
    found = wholes(session, [article_id]).get(article_id)
    if found is None:
        raise absent(session, article_id)
    return found


def digest(session: Session, article_id: UUID) -> str:
    """A digest of what the article shows; raises NotFound, Gone or Moved."""
    found = session.execute(select(_article.c.digest).where(_article.c.id == article_id))
    shown: str | None = found.scalar_one_or_none()
    if shown is None:
        raise absent(session, article_id)
    return shown


def resolved(session: Session, filters: Filters) -> Filters:
    """`filters` with addresses and guids replaced by the ids of the articles that own them."""
    if not filters.urls and not filters.guids:
        return filters
    marker = Marker(session.execute(select(_store.c.secret)).scalar_one())
    ids = None if filters.ids is None else set(filters.ids)
    for keys in (
        [marker.url_key(canonical_url(url)) for url in filters.urls],
        [marker.guid(guid, None) for guid in filters.guids],
    ):
        if keys:
            owners = set(session.scalars(select(_key.c.story_id).where(_key.c.key.in_(keys))))
            ids = owners if ids is None else ids & owners
    return replace(filters, ids=tuple(sorted(ids or ())), urls=(), guids=())


def listing(
    session: Session,
    filters: Filters,
    order: Order,
    *,
    limit: int,
    after: PageKey | None,
    fields: Sequence[str] = (),
) -> ListPage[Any]:
    """A page of the articles that pass `filters`, by date; undated ones last, ids break ties.

    The articles have the `fields`, or those of an ArticleSummary.
    """
    c = _article.c
    filters = resolved(session, filters)
    wanted = conditions.filtered(select(*_SUMMARY), filters)
    rows: list[Row[Any]] = []
    key = tuple_(c.published_at, c.id)
    down = order == "newest"
    if after is None or after.values[0] is not None:
        dated = wanted.where(c.published_at.is_not(None))
        if after is not None:
            at = _EPOCH + timedelta(microseconds=after.values[0])
            last = tuple_(literal(at, c.published_at.type), literal(after.id, c.id.type))
            dated = dated.where(key < last if down else key > last)
        ordering = [c.published_at.desc(), c.id.desc()] if down else [c.published_at, c.id]
        rows = list(session.execute(dated.order_by(*ordering).limit(limit + 1)).all())
        after = None
    if len(rows) <= limit and filters.since is None and filters.until is None:
        undated = wanted.where(c.published_at.is_(None))
        if after is not None:
            undated = undated.where(c.id < after.id if down else c.id > after.id)
        undated = undated.order_by(c.id.desc() if down else c.id).limit(limit + 1 - len(rows))
        rows += session.execute(undated).all()
    total = session.execute(
        conditions.filtered(select(func.count()).select_from(_article), filters)
    )
    page = _summaries(session, rows[:limit])
    more = len(rows) > limit
    goes_on = position(page[-1]) if more else None
    shown: list[Any] = page
    if fields:
        shown = list(chosen(session, {article.id: article for article in page}, fields).values())
    return ListPage(shown, total.scalar_one(), goes_on)


def position(article: ArticleSummary) -> PageKey:
    """The key at which a list by date continues after the article."""
    at = article.published_at
    return PageKey((None if at is None else microseconds(at),), article.id)


def some(session: Session, ids: Sequence[UUID]) -> dict[UUID, ArticleSummary]:
    """The articles among `ids` that are stored, by id."""
    rows = session.execute(_BY_IDS, {"ids": ids}).all() if ids else []
    return {article.id: article for article in _summaries(session, rows)}


def wholes(session: Session, ids: Sequence[UUID]) -> dict[UUID, WholeArticle]:
    """The articles among `ids` that are stored, with their text and inputs, by id."""
    rows = session.execute(_WHOLE_BY_IDS, {"ids": ids}).all() if ids else []
    found = {
        row.id: WholeArticle(**row._mapping, related=[], sources=[], mentions=[]) for row in rows
    }
    for id_, related in _related(session, list(found)).items():
        found[id_].related = related
    for id_, mentioned in mentions.of(session, found).items():
        found[id_].mentions = mentioned
    s, v = _source.c, _version.c
    waits = select(v.story_id).where(  # an input under embargo
        v.due_at.is_not(None), v.story_id == s.story_id, v.number == s.version
    )
    seen = select(s.story_id, *(s[name] for name in Seen.__slots__)).where(~waits.exists())
    seen = seen.order_by(s.loaded_at, s.path, s.position, s.sha256)
    for id_, *row in among(session, seen, s.story_id, found):
        found[id_].sources.append(Seen(**dict(zip(Seen.__slots__, row, strict=True))))
    return found


def chosen(
    session: Session, found: Mapping[UUID, ArticleSummary], fields: Sequence[str]
) -> dict[UUID, dict[str, Any]]:
    """The `fields` of `found`, in their order; texts are read if they are among them."""
    rows: Mapping[UUID, ArticleSummary] = found
    if not set(fields) <= set(ArticleSummary.__slots__):
        rows = wholes(session, list(found))
    return {id_: {name: getattr(rows[id_], name) for name in fields} for id_ in found}


def texts(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The bodies of the articles among `ids` that are stored, by id."""
    rows = session.execute(_BODY_BY_IDS, {"ids": ids}).all() if ids else []
    return {row.id: row.body for row in rows}


def labels(session: Session, name: str, keys: Sequence[str]) -> dict[str, str]:
    """The printed forms of the folded `keys` of a field of names, by key.

    Of several forms that of the newest article or, for places, authors and keywords, of the lowest
    article id. One index lookup per key: the commonest form would take reading all articles.
    """
    if name in ("language", "domain"):
        return dict(zip(keys, keys, strict=True))
    if name in ("author", "keyword"):
        c = _name.c
        label = select(c.label).where(c.field == name, c.key == bindparam("key"))
        label = label.order_by(c.article_id)
    elif name == "place":
        label = select(_place.c.label).where(_place.c.place_key == bindparam("key"))
        label = label.order_by(_place.c.article_id)
    else:
        c = _article.c
        label = select(c[name]).where(c[f"{name}_key"] == bindparam("key"))
        label = label.order_by(c.published_at.desc(), c.id.desc())
    label = label.limit(1)
    found = {key: session.execute(label, {"key": key}).scalar() for key in keys}
    return {key: printed for key, printed in found.items() if printed is not None}


@dataclass(frozen=True, slots=True)
class Event:
    """A change to an article."""

    change: int
    id: UUID
    kind: EventKind
    article: ArticleSummary | None


def events(
    session: Session, since: int, *, limit: int, after: PageKey | None, token: str | None = None
) -> tuple[ListPage[Event], Write]:
    """The articles that changed after change `since`, oldest change first, each once.

    Also the store's last write, from which a client continues after the last page. Raises
    HistoryLost if `since` is beyond the last change, or the store lacks its `token`.
    """
    store = sequence.standing(session, Write(since, token or ""))
    if since > store.last:
        raise HistoryLost(f"the last change is {store.last}")
    if token is not None and not store.holds:
        raise HistoryLost(f"there is no change {since} of that token, or it is too long ago")
    a, t = _article.c, _tombstone.c
    changed = union_all(
        select(a.change.label("change"), a.id.label("id"), a.added.label("added")),
        select(t.change, t.article_id, literal(None, a.added.type)),
    ).subquery()
    c = changed.c
    wanted = select(c.change, c.id, c.added).where(c.change > since)
    total: int = session.execute(
        select(func.count()).select_from(changed).where(c.change > since)
    ).scalar_one()
    if after is not None:
        last = tuple_(literal(after.values[0], c.change.type), literal(after.id, c.id.type))
        wanted = wanted.where(tuple_(c.change, c.id) > last)
    rows = session.execute(wanted.order_by(c.change, c.id).limit(limit + 1)).all()
    found = some(session, [row.id for row in rows[:limit] if row.added is not None])
    page = [
        Event(row.change, row.id, "deleted", None)
        if row.added is None
        else Event(row.change, row.id, "added" if row.added > since else "updated", found[row.id])
        for row in rows[:limit]
    ]
    goes_on = PageKey((page[-1].change,), page[-1].id) if len(rows) > limit else None
    return ListPage(page, total, goes_on), sequence.last(session)


def warned(session: Session) -> Iterator[dict[str, Any]]:
    """Id, headline and warnings of the articles that have warnings, oldest change first."""
    c = _article.c
    columns = select(c.id, c.headline, c.warnings).where(func.json_array_length(c.warnings) > 0)
    for row in session.execute(columns.order_by(c.change, c.id)):
        yield {"id": row.id, "headline": row.headline, "warnings": row.warnings}


def _summaries(session: Session, rows: Sequence[Row[Any]]) -> list[ArticleSummary]:
    found = [ArticleSummary(**row._mapping, related=[]) for row in rows]
    related = _related(session, [article.id for article in found])
    for article in found:
        article.related = related.get(article.id, [])
    return found


def _related(session: Session, ids: Sequence[UUID]) -> dict[UUID, list[Related]]:
    """The articles that stood on a page with each of `ids`, in page order."""
    if not ids:
        return {}
    found: dict[UUID, list[Related]] = {}
    for row in session.execute(_RELATED, {"ids": ids}):
        found.setdefault(row.of, []).append(Related(id=row.id, headline=row.headline))
    return found
