"""Changes of the store for an index: the document of each article, none for a removed one.

Functions take a session and only read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, union_all
from sqlmodel import Session

from app.entities import mentions
from app.entities.mentions import Terms
from app.filters import address, runs
from app.search.engine import Change, Document, published_us
from app.store.models import chunks, tables
from app.text import fold

MOST_CHARS = 1_000_000
"""Characters of text per batch of changes: indexing takes about twenty times as much memory."""
_LOOKED_AT = 20

_article, _tombstone = tables("article", "tombstone")
_INDEXED = [
    _article.c[name]
    for name in (
        *("id", "change", "headline", "summary", "caption", "body", "published_at"),
        *("published_precision", "source_key", "places", "language", "section_key"),
        *("authors", "byline", "keywords", "domain", "url"),
    )
]


def changed_since(session: Session, cursor: int, *, limit: int) -> list[Change]:
    """The newest state of what changed after `cursor`, oldest change first.

    Removed articles included, without a document. Whole changes only, so it may exceed
    `limit`, or MOST_CHARS of text, rather than split one. Empty means that the reader has
    caught up.
    """
    a, t = _article.c, _tombstone.c
    changes = union_all(
        select(a.change.label("change")).where(a.change > cursor),
        select(t.change.label("change")).where(t.change > cursor),
    ).subquery()
    first = select(changes.c.change).order_by(changes.c.change).limit(limit).subquery()
    last = session.execute(select(func.max(first.c.change))).scalar_one()
    if last is None:
        return []
    last = _within(session, cursor, last)
    changed = select(*_INDEXED).where(a.change > cursor, a.change <= last)
    removed = select(t.article_id, t.change).where(t.change > cursor, t.change <= last)
    found = _changes(session, session.execute(changed).all())
    found += [Change(row.article_id, row.change, None) for row in session.execute(removed)]
    found.sort(key=lambda change: (change.change, change.id))
    return found


def _within(session: Session, cursor: int, last: int) -> int:
    """The change up to `last` at which the articles after `cursor` have MOST_CHARS of text."""
    a = _article.c
    lengths = select(a.change, func.length(a.body)).where(a.change > cursor, a.change <= last)
    chars = 0
    ordered = lengths.order_by(a.change).execution_options(yield_per=_LOOKED_AT)
    with session.execute(ordered) as rows:  # unread rows are not fetched
        for change, length in rows:
            chars += length
            if chars > MOST_CHARS:
                return int(change)
    return last


def versions(session: Session) -> Iterator[tuple[UUID, int]]:
    """Id and change of every stored article, in no order, streamed."""
    rows = session.execute(
        select(_article.c.id, _article.c.change).execution_options(yield_per=5000)
    )
    for row in rows:
        yield row.id, row.change


def removed_since(session: Session, cursor: int) -> set[UUID]:
    """The ids of articles that were removed after `cursor` and not restored."""
    t = _tombstone.c
    return set(session.execute(select(t.article_id).where(t.change > cursor)).scalars())


def states(session: Session, ids: Sequence[UUID]) -> list[Change]:
    """The present state of `ids`, as `changed_since` gives it; change 0 where none is known."""
    a, t = _article.c, _tombstone.c
    found: dict[UUID, Change] = {id_: Change(id_, 0, None) for id_ in ids}
    for some in chunks(ids):
        for row in session.execute(select(t.article_id, t.change).where(t.article_id.in_(some))):
            found[row.article_id] = Change(row.article_id, row.change, None)
        stored = session.execute(select(*_INDEXED).where(a.id.in_(some))).all()
        found |= {change.id: change for change in _changes(session, stored)}
    return list(found.values())


def _changes(session: Session, rows: Sequence[Row[Any]]) -> list[Change]:
    terms = mentions.terms(session, [row.id for row in rows])
    return [Change(row.id, row.change, _document(row, terms[row.id])) for row in rows]


def _document(row: Row[Any], entities: Terms) -> Document:
    """The document of an article; a place of its dateline that is an entity is an id only."""
    at = row.published_at
    places = [key for place in row.places if (key := fold(place)) not in entities.covered]
    by_type = entities.by_type
    return Document(
        headline=row.headline,
        summary=row.summary,
        caption=row.caption or "",
        body=row.body,
        published_us=None if at is None else published_us(at, row.published_precision),
        names={
            "source": [row.source_key] if row.source_key else [],
            "place": [*places, *by_type.get("place", ())],
            "person": by_type.get("person", ()),
            "organization": by_type.get("organization", ()),
            "entity": [term for terms in by_type.values() for term in terms],
            "language": [row.language] if row.language else [],
            "section": [row.section_key] if row.section_key else [],
            "author": [fold(name) for name in row.authors],
            "byline": runs(row.byline) if row.byline else [],
            "keyword": [fold(name) for name in row.keywords],
            "domain": [row.domain] if row.domain else [],
            "url": [address(row.url)] if row.url else [],
        },
    )
