"""What becomes of drafts: saved, revised, unchanged or stale; and removal.

Decides against what is stored and what came before in the same call, then writes rows in
bulk. An article whose JSON changes takes the transaction's change number; what changes
nothing takes none. `app.articles` is the face: callers say `articles.save`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update

from app import identity, mentions, numbering
from app.errors import NotFound
from app.models import chunks, metadata
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from sqlmodel import Session

    from app.ingest.draft import Draft
    from app.keys import Key

Outcome = Literal["saved", "revised", "unchanged", "stale", "rejected"]

_article = metadata.tables["article"]
_place = metadata.tables["place"]
_sighting = metadata.tables["sighting"]
_tombstone = metadata.tables["tombstone"]

_CONTENT = (
    *("headline", "summary", "caption", "credit", "byline", "dateline", "places", "body"),
    *("published_at", "published_precision", "source", "url", "language", "section", "warnings"),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a draft: `id` is the article's, whether or not its text was taken."""

    id: UUID
    outcome: Outcome


def save(
    session: Session,
    drafts: Sequence[Draft],
    *,
    publisher: str | None,
    by: Key | None = None,
) -> list[Saved]:
    """Store `drafts` in their order; what became of each, in the same order.

    `publisher` is the source of drafts that stood on a page which names none. saved: new.
    revised: a newer version of a stored article. stale: an older one, not taken.
    unchanged: nothing new but perhaps one more input that the article was seen in.
    rejected: it, or the stored article that it is a version of, has a source that the key
    `by` may not write.
    """
    rows = [_row(draft, publisher) for draft in drafts]
    shut = _shut(session, {row["id"] for row in rows}, by)
    taken = [row["id"] not in shut and (by is None or by.covers(row["source"])) for row in rows]
    batch = _Batch(session, {row["id"] for row, take in zip(rows, taken, strict=True) if take})
    saved = [
        Saved(row["id"], batch.take(row, draft) if take else "rejected")
        for row, draft, take in zip(rows, drafts, taken, strict=True)
    ]
    batch.write(session)
    return saved


def replace(
    session: Session,
    article_id: UUID,
    draft: Draft,
    *,
    publisher: str | None,
    by: Key | None = None,
) -> Saved:
    """Put `draft` in the place of a stored article, whatever their dates.

    Raises NotFound, and Forbidden where the source of either is one that `by` may not write.
    """
    found = session.execute(select(_article.c.id).where(_article.c.id == article_id))
    if found.one_or_none() is None:
        raise NotFound("article", str(article_id))
    _require_open(session, article_id, by)
    row = _row(draft, publisher) | {"id": article_id}
    if by is not None:
        by.require_source(row["source"])
    batch = _Batch(session, {article_id})
    outcome = batch.take(row, draft, always=True)
    batch.write(session)
    return Saved(article_id, outcome)


def _row(draft: Draft, publisher: str | None) -> dict[str, Any]:
    url = identity.canonical_url(draft.url) if draft.url is not None else None
    # The publisher is that of pages: what else names no source has none that we know.
    source = draft.source or (publisher if draft.origin.page is not None else None)
    row: dict[str, Any] = {name: getattr(draft, name) for name in _CONTENT}
    row |= {"url": url, "source": source}
    content = orjson.dumps([row[name] for name in _CONTENT])
    return row | {
        "id": identity.article_id(url=url, source=source, headline=draft.headline, body=draft.body),
        "digest": hashlib.blake2b(content, digest_size=16).hexdigest(),
        "word_count": len(draft.body.split()),
        "source_key": fold(source) if source else None,
        "section_key": fold(draft.section) if draft.section else None,
    }


class _Batch:
    """The rows that one `save` writes, decided against what is stored and what came before."""

    def __init__(self, session: Session, ids: set[UUID]) -> None:
        self._versions: dict[UUID, tuple[datetime | None, int, str]] = {}
        self._inputs: dict[tuple[UUID, str, int], tuple[str, int]] = {}
        for some in chunks(ids):
            c = _article.c
            version = select(c.id, c.published_at, c.word_count, c.digest).where(c.id.in_(some))
            self._versions |= {row[0]: tuple(row[1:]) for row in session.execute(version)}
            s = _sighting.c
            seen = select(s.article_id, s.path, s.position, s.sha256, s.reader_version)
            for row in session.execute(seen.where(s.article_id.in_(some))):
                self._inputs[row[0], row[1], row[2]] = row[3], row[4]
        self._stored = set(self._versions)
        self._known = set(self._inputs)
        self._rows: dict[UUID, dict[str, Any]] = {}
        self._seen: dict[tuple[UUID, str, int], dict[str, Any]] = {}

    def take(self, row: dict[str, Any], draft: Draft, *, always: bool = False) -> Outcome:
        """Decide what becomes of one draft; `always` prefers it to what is stored."""
        key = (row["id"], draft.origin.path, draft.origin.position)
        before = self._inputs.get(key)
        now = (draft.origin.sha256, draft.origin.reader_version)
        outcome = self._judge(
            row, corrected=before is not None and before != now, read=before == now
        )
        if always and outcome == "stale":
            outcome = "revised"
        if outcome in ("saved", "revised"):
            self._rows[row["id"]] = row
            self._versions[row["id"]] = row["published_at"], row["word_count"], row["digest"]
        if before != now:
            self._inputs[key] = now
            self._seen[key] = _sighting_row(row["id"], draft)
        return outcome

    def _judge(self, row: dict[str, Any], *, corrected: bool, read: bool) -> Outcome:
        stored = self._versions.get(row["id"])
        if stored is None:
            return "saved"
        at, words, digest = stored
        if digest == row["digest"]:
            return "unchanged"
        new = (row["published_at"], row["word_count"])
        # An input that was read before and lost then loses again: loading twice changes nothing.
        if read and new[0] == at:
            return "stale"
        return "revised" if identity.supersedes(new, (at, words), same_input=corrected) else "stale"

    def write(self, session: Session) -> None:
        """Write all that was taken; nothing is written and no change taken when nothing was."""
        touched = self._rows.keys() | {key[0] for key in self._seen}
        if not touched:
            return
        change = numbering.take(session)
        connection = session.connection()
        rows = [row | {"change": change} for row in self._rows.values()]
        if new := [row for row in rows if row["id"] not in self._stored]:
            connection.execute(insert(_article), [row | {"added": change} for row in new])
            _delete(session, _tombstone.c.article_id, [row["id"] for row in new])
        if old := [row | {"_id": row["id"]} for row in rows if row["id"] in self._stored]:
            connection.execute(update(_article).where(_article.c.id == bindparam("_id")), old)
            _delete(session, _place.c.article_id, [row["id"] for row in old])
            mentions.forget(session, [row["id"] for row in old])
        places = [
            {"article_id": row["id"], "place_key": key, "label": label}
            for row in rows
            for key, label in {fold(place): place for place in row["places"][::-1]}.items()
        ]
        if places:
            connection.execute(insert(_place), places)
        self._write_sightings(session)
        numbering.stamp(session, touched - self._rows.keys())

    def _write_sightings(self, session: Session) -> None:
        connection = session.connection()
        if new := [row for key, row in self._seen.items() if key not in self._known]:
            connection.execute(insert(_sighting), new)
        again = [
            row | {"_id": key[0], "_path": key[1], "_position": key[2]}
            for key, row in self._seen.items()
            if key in self._known
        ]
        if again:
            same = (
                (_sighting.c.article_id == bindparam("_id"))
                & (_sighting.c.path == bindparam("_path"))
                & (_sighting.c.position == bindparam("_position"))
            )
            connection.execute(update(_sighting).where(same), again)


def _sighting_row(article_id: UUID, draft: Draft) -> dict[str, Any]:
    origin = draft.origin
    return {
        "article_id": article_id,
        "path": origin.path,
        "position": origin.position,
        "sha256": origin.sha256,
        "reader": origin.reader,
        "reader_version": origin.reader_version,
        "loaded_at": datetime.now(UTC),
        "page": origin.page,
    }


def remove(session: Session, article_id: UUID, *, by: Key | None = None) -> None:
    """Remove an article and leave a tombstone.

    Loading the article again brings it back under its id. Raises NotFound, and Forbidden for
    one whose source `by` may not write.
    """
    _require_open(session, article_id, by)
    mentions.forget(session, [article_id])
    gone = delete(_article).where(_article.c.id == article_id).returning(_article.c.id)
    if session.execute(gone).one_or_none() is None:
        raise NotFound("article", str(article_id))
    change = numbering.take(session)
    session.execute(insert(_tombstone).values(article_id=article_id, change=change))


def _shut(session: Session, ids: Iterable[UUID], by: Key | None) -> set[UUID]:
    """The stored articles among `ids` that `by` may not write."""
    if by is None or by.source is None:
        return set()
    c = _article.c
    sources = (select(c.id, c.source).where(c.id.in_(some)) for some in chunks(ids))
    return {
        row.id for each in sources for row in session.execute(each) if not by.covers(row.source)
    }


def _require_open(session: Session, article_id: UUID, by: Key | None) -> None:
    if by is not None and _shut(session, [article_id], by):
        by.require_source(None)


def _delete(session: Session, column: ColumnElement[Any], ids: Iterable[UUID]) -> None:
    for some in chunks(ids):
        session.execute(delete(column.table).where(column.in_(some)))
