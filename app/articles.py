"""The store of articles: save, get, listing, remove, changed_since.

What reads articles for answers stands here; `saving` writes them, and `changes` reads them
for indexes. Functions take a session and never commit. No HTTP and no file is known here,
and no index; see `app.finding`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    Select,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from app import mentions, selecting
from app.changes import changed_since, removed_since, states, versions
from app.models import chunks, metadata
from app.removal import erase, join, remove, restore, undo
from app.saving import Load, Saved, replace, save, save_feed
from app.search.base import Place as Position
from app.search.base import microseconds
from app.stories import absent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from sqlalchemy import Row
    from sqlmodel import Session

    from app.filters import Filters
    from app.mentions import Mentioned

Order = Literal["newest", "oldest"]

__all__ = [
    "CursorKey",
    "Event",
    "Listing",
    "Load",
    "Related",
    "Saved",
    "Seen",
    "Summary",
    "Whole",
    "changed_since",
    "count",
    "cursor_key",
    "digest",
    "erase",
    "events",
    "get",
    "join",
    "labels",
    "last_change",
    "listing",
    "position",
    "remove",
    "removed_since",
    "replace",
    "restore",
    "save",
    "save_feed",
    "some",
    "states",
    "store_id",
    "texts",
    "undo",
    "versions",
    "warned",
    "wholes",
]

MOST_RELATED = 50
"""Related articles that are shown with one; an article may stand on thousands of pages."""

_article = metadata.tables["article"]
_place = metadata.tables["place"]
_sighting = metadata.tables["sighting"]
_store = metadata.tables["store"]
_tombstone = metadata.tables["tombstone"]


@dataclass(slots=True, kw_only=True)
class Related:
    """An article on the same page."""

    id: UUID
    headline: str


@dataclass(slots=True, kw_only=True)
class Summary:
    """A stored article as lists and search results show it; the names are the API's."""

    id: UUID
    change: int
    version: int
    headline: str
    summary: list[str]
    caption: str | None
    credit: str | None
    byline: str | None
    dateline: str | None
    places: list[str]
    word_count: int
    published_at: datetime | None
    published_precision: str | None
    updated_at: datetime | None
    embargoed_until: datetime | None
    guid: str | None
    sender_version: int | None
    source: str | None
    url: str | None
    language: str | None
    section: str | None
    warnings: list[str]
    related: list[Related] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Seen:
    """An input that an article was seen in."""

    path: str
    sha256: str
    position: int
    reader: str
    reader_version: int
    loaded_at: datetime
    load: int | None


@dataclass(slots=True, kw_only=True)
class Whole(Summary):
    """A stored article with its text and where it was seen."""

    body: str
    sources: list[Seen] = field(default_factory=list)
    mentions: list[Mentioned] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of a list: `total` counts the whole list, `after` is None on the last page."""

    articles: list[Summary]
    total: int
    after: Position | None


_SUMMARY = [_article.c[name] for name in Summary.__slots__ if name != "related"]
_BODY_BY_IDS = select(_article.c.id, _article.c.body).where(
    _article.c.id.in_(bindparam("ids", expanding=True))
)
_WHOLE_BY_IDS = select(*_SUMMARY, _article.c.body).where(
    _article.c.id.in_(bindparam("ids", expanding=True))
)
_BY_IDS = select(*_SUMMARY).where(_article.c.id.in_(bindparam("ids", expanding=True)))


def _related_statement() -> Select[Any]:
    """Pairs (of, id, headline) for the articles `ids`, in page order, the first ones of each."""
    here, there = _sighting.alias("here"), _sighting.alias("there")
    rank = func.row_number().over(
        partition_by=here.c.story_id,
        order_by=[func.min(there.c.position), there.c.story_id],
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


def store_id(session: Session) -> UUID:
    """The id of this store: an index of another one is not ours."""
    found: UUID = session.execute(select(_store.c.id)).scalar_one()
    return found


@dataclass(frozen=True, slots=True)
class CursorKey:
    """What the cursors of a store are signed with, and the last change that erased something."""

    secret: bytes
    erased: int


def cursor_key(session: Session) -> CursorKey:
    """The key of the cursors that are good now."""
    return CursorKey(*session.execute(select(_store.c.secret, _store.c.erased)).one())


def last_change(session: Session) -> int:
    """The number of the last change; 0 in an empty store."""
    found: int = session.execute(select(_store.c.change)).scalar_one()
    return found


def count(session: Session) -> int:
    """How many articles are stored."""
    found: int = session.execute(select(func.count()).select_from(_article)).scalar_one()
    return found


# --- reading


def get(session: Session, article_id: UUID) -> Whole:
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


def listing(
    session: Session, filters: Filters, order: Order, *, limit: int, after: Position | None
) -> Listing:
    """A page of the articles that pass `filters`, by date; undated ones last, ids break ties."""
    c = _article.c
    wanted = selecting.filtered(select(*_SUMMARY), filters)
    rows: list[Row[Any]] = []
    key = tuple_(c.published_at, c.id)
    down = order == "newest"
    if after is None or after.published_us is not None:
        dated = wanted.where(c.published_at.is_not(None))
        if after is not None and after.published_us is not None:
            last = tuple_(
                literal(_instant(after.published_us), c.published_at.type),
                literal(after.id, c.id.type),
            )
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
    total = session.execute(selecting.filtered(select(func.count()).select_from(_article), filters))
    page = _summaries(session, rows[:limit])
    more = len(rows) > limit
    return Listing(page, total.scalar_one(), position(page[-1]) if more else None)


def position(article: Summary) -> Position:
    """The article's place in a list by date."""
    at = article.published_at
    return Position(article.id, published_us=None if at is None else microseconds(at))


def some(session: Session, ids: Sequence[UUID]) -> dict[UUID, Summary]:
    """The articles among `ids` that are stored, by id."""
    rows = session.execute(_BY_IDS, {"ids": ids}).all() if ids else []
    return {article.id: article for article in _summaries(session, rows)}


def wholes(session: Session, ids: Sequence[UUID]) -> dict[UUID, Whole]:
    """The articles among `ids` that are stored, with their text and inputs, by id."""
    rows = session.execute(_WHOLE_BY_IDS, {"ids": ids}).all() if ids else []
    found = {row.id: Whole(**row._mapping) for row in rows}
    for id_, related in _related(session, list(found)).items():
        found[id_].related = related
    for id_, mentioned in mentions.of(session, found).items():
        found[id_].mentions = mentioned
    s = _sighting.c
    columns = [s.story_id, *(s[name] for name in Seen.__slots__)]
    for part in chunks(found):
        seen = select(*columns).where(s.story_id.in_(part))
        for row in session.execute(seen.order_by(s.loaded_at, s.path, s.position)):
            fields = {name: row._mapping[name] for name in Seen.__slots__}
            found[row.story_id].sources.append(Seen(**fields))
    return found


def texts(session: Session, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The bodies of the articles among `ids` that are stored, by id."""
    rows = session.execute(_BODY_BY_IDS, {"ids": ids}).all() if ids else []
    return {row.id: row.body for row in rows}


def labels(session: Session, name: str, keys: Sequence[str]) -> dict[str, str]:
    """How articles print the folded `keys` of a field of names.

    Of several ways that of the newest article, or for places of any one, always the same:
    one step in an index a key. Counting the ways would read all articles of a common name.
    """
    if name == "language":
        return dict(zip(keys, keys, strict=True))
    if name == "place":
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
    """A change as others follow it: `kind` is seen from where they stand."""

    change: int
    id: UUID
    kind: Literal["added", "updated", "deleted"]
    article: Summary | None


def events(
    session: Session, since: int, *, limit: int, after: tuple[int, UUID] | None
) -> tuple[list[Event], int, bool, int]:
    """What changed after change `since`, in the order of the changes, each article once.

    Goes on after (change, id). Also how many there are in all, whether there are more, and
    the store's last change: whoever has read all pages has taken it in.
    """
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
        last = tuple_(literal(after[0], c.change.type), literal(after[1], c.id.type))
        wanted = wanted.where(tuple_(c.change, c.id) > last)
    rows = session.execute(wanted.order_by(c.change, c.id).limit(limit + 1)).all()
    found = some(session, [row.id for row in rows[:limit] if row.added is not None])
    page = [
        Event(row.change, row.id, "deleted", None)
        if row.added is None
        else Event(row.change, row.id, "added" if row.added > since else "updated", found[row.id])
        for row in rows[:limit]
    ]
    return page, total, len(rows) > limit, last_change(session)


def warned(session: Session) -> Iterator[dict[str, Any]]:
    """Id, headline and warnings of the articles that have warnings, oldest change first."""
    c = _article.c
    columns = select(c.id, c.headline, c.warnings).where(func.json_array_length(c.warnings) > 0)
    for row in session.execute(columns.order_by(c.change, c.id)):
        yield {"id": row.id, "headline": row.headline, "warnings": row.warnings}


def _summaries(session: Session, rows: Sequence[Row[Any]]) -> list[Summary]:
    found = [Summary(**row._mapping) for row in rows]
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


def _instant(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)
