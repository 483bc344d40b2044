"""Stories in the database: read with their versions, and written with their articles.

The only module that writes stories, versions and articles. A caller reads a story, adds versions
or sets its state, and calls `write`: the article is then the version of the highest rank, or a
tombstone says why there is none. The shown version is stored in `article` only, so each text is
stored once. Inputs are assigned in `save`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, bindparam, delete, insert, select, update
from sqlmodel import Session

from app import filters
from app.articles.identity import Marker
from app.articles.versions import PLAIN, Given, Story, Version
from app.entities import mentions
from app.errors import Gone, Moved, NotFound
from app.ingest.draft import FIELDS, LISTS
from app.store import sequence
from app.store.models import among, chunks, delete_among, execute_all, insert_all, tables
from app.text import detection, fold

_NAMES = {"author": "authors", "keyword": "keywords"}  # field of `article_name` -> of an article
_INSTANTS = ("published_at", "updated_at", "embargoed_until")

_article, _key, _name, _overlap = tables("article", "story_key", "article_name", "overlap")
_place, _story, _tombstone, _version = tables("place", "story", "tombstone", "article_version")

_ADD_ARTICLE = insert(_article)
_ADD_KEY = insert(_key)
_ADD_NAME = insert(_name)
_ADD_PLACE = insert(_place)
_ADD_STORY = insert(_story)
_ADD_VERSION = insert(_version)

_OWN = ("id", "arrival", "is_bare", "count", "state", "heir")


class Stories:
    """The stories that one transaction reads and changes."""

    def __init__(self, session: Session, marker: Marker) -> None:
        self._session = session
        self.marker = marker
        self._stories: dict[UUID, Story] = {}
        self._before: dict[UUID, tuple[Any, ...]] = {}
        self._versions_before: dict[tuple[UUID, int], dict[str, Any]] = {}
        self._refreshed: set[tuple[UUID, int]] = set()
        self._restated: set[UUID] = set()

    def read(self, ids: Iterable[UUID]) -> list[Story]:
        """The stories among `ids` that exist, in that order; each is read once."""
        wanted = list(dict.fromkeys(ids))
        for some in chunks(id_ for id_ in wanted if id_ not in self._stories):
            c, a = _story.c, _article.c
            columns = [c[name] for name in _OWN]
            joined = _story.outerjoin(_article, a.id == c.id)
            rows = select(*columns, a.version, a.digest).select_from(joined).where(c.id.in_(some))
            for row in self._session.execute(rows):
                own = {name: getattr(row, name) for name in _OWN}
                self._stories[row.id] = Story(**own, showing=row.version, digest=row.digest)
                self._before[row.id] = _changing(self._stories[row.id])
            self._read_versions(some)
        return [self._stories[id_] for id_ in wanted if id_ in self._stories]

    def _read_versions(self, ids: Sequence[UUID]) -> None:
        c = _version.c
        columns = [each for each in c if each is not c.fields]
        rows = select(*columns, c.fields.is_not(None).label("is_kept"))
        for row in self._session.execute(rows.where(c.story_id.in_(ids)).order_by(c.number)):
            story = self._stories[row.story_id]
            version = _as_version(row, has_text=row.is_kept or row.number == story.showing)
            story.versions.append(version)
            self._versions_before[story.id, version.number] = _columns(version)

    def add(self, story: Story) -> None:
        """Add a new story."""
        self._stories[story.id] = story

    def fill(self, story: Story, only: Collection[Version] | None = None) -> None:
        """Read the missing fields of versions of `story`, by default all, unless dropped."""
        c = _version.c
        wanted = story.versions if only is None else only
        missing = [each for each in wanted if each.fields is None and each.has_text]
        if any(each.number != story.showing for each in missing):
            own = (c.story_id == story.id) & c.fields.is_not(None)
            numbers = [each.number for each in missing]
            rows = among(self._session, select(c.number, c.fields).where(own), c.number, numbers)
            kept = {row.number: row.fields for row in rows}
            for each in missing:
                if each.number in kept:
                    each.fields = as_fields(kept[each.number])
        for each in missing:
            if each.number == story.showing:
                columns = [_article.c[name] for name in (*FIELDS, "language_detected")]
                (row,) = self._session.execute(select(*columns).where(_article.c.id == story.id))
                each.fields = row._asdict() | {"status": each.status} | self._left(story)
                if each.fields.pop("language_detected"):
                    each.fields["language"] = None

    def _left(self, story: Story) -> dict[str, Any]:
        """The fields of the shown version that its article lacks: an address of another story."""
        c = _version.c
        place = (c.story_id == story.id) & (c.number == story.showing)
        return self._session.execute(select(c.fields).where(place)).scalar_one() or {}

    def source(self, story: Story) -> str | None:
        """The source of the version that a story shows or would show; None without a text."""
        shown = story.shown or (story.versions[-1] if story.versions else None)
        if shown is None:
            return None
        if shown.fields is None:
            self.fill(story)
        return None if shown.fields is None else shown.fields["source"]

    def owns(self, story: Story, url: str | None) -> bool:
        """Whether an address is one of the keys of `story`."""
        key = None if url is None else self.marker.url_key(url)
        return key is not None and (key, story.id) in self.owned([key])

    def owned(self, keys: Iterable[bytes]) -> set[tuple[bytes, UUID]]:
        """Those of `keys` that stories have, each with the story's id."""
        c = _key.c
        rows = among(self._session, select(c.key, c.story_id), c.key, set(keys))
        return {(row.key, row.story_id) for row in rows}

    def refresh(self, story: Story, version: Version, fields: dict[str, Any]) -> None:
        """Give `version` other fields of the same text."""
        version.fields, version.has_text = fields, True
        self._refreshed.add((story.id, version.number))

    def drop(self, story: Story, version: Version) -> None:
        """Delete a version; what replaced it counts as replacing its own predecessor."""
        story.versions.remove(version)
        for each in story.versions:
            if each.replaced == version.number:
                each.replaced = version.replaced
        c = _version.c
        place = (c.story_id == story.id) & (c.number == version.number)
        self._session.execute(delete(_version).where(place))

    def restate(self, story: Story) -> None:
        """Rewrite the article of `story` in `write`: its keys decide if its address is shown."""
        self._restated.add(story.id)

    # --- writing

    def write(self, keys: Sequence[dict[str, Any]] = ()) -> set[UUID]:
        """Write what changed, and new `keys`; the ids of the articles that changed.

        These get the transaction's change number.
        """
        now = datetime.now(UTC)
        connection = self._session.connection()
        new = [story for story in self._stories.values() if story.id not in self._before]
        insert_all(connection, _ADD_STORY, [_own(story) for story in new])
        changed = [
            _own(story) | {"_id": story.id}
            for story in self._stories.values()
            if story.id in self._before and self._before[story.id] != _changing(story)
        ]
        step = update(_story).where(_story.c.id == bindparam("_id"))
        execute_all(self._session, step, changed)
        insert_all(connection, _ADD_KEY, keys)
        moved = [story for story in self._stories.values() if self._is_moved(story)]
        for story in moved:
            ends = (story.served, story.numbered(story.showing))
            self.fill(story, [each for each in ends if each is not None])
        articles = self._articles(moved)
        self._write_versions({story.id for story in moved}, articles, now)
        touched = self._write_articles(moved, articles, now)
        for story in moved:
            story.showing = articles[story.id]["version"] if story.id in articles else None
        self._delete_empty()
        return touched

    def _delete_empty(self) -> None:
        """Delete the stories whose versions were all dropped, with their keys."""
        empty = [
            story.id
            for story in self._stories.values()
            if not story.versions and story.heir is None and story.state != "erased"
        ]
        o = _overlap.c
        for column in (_key.c.story_id, o.story_id, o.other_id, _story.c.id):
            delete_among(self._session, column, empty)

    def _is_moved(self, story: Story) -> bool:
        """Whether another version is served, or the same one with other fields."""
        served = story.served
        number = None if served is None else served.number
        return (
            number != story.showing
            or story.id in self._restated
            or (story.id, number) in self._refreshed
        )

    def _articles(self, moved: Sequence[Story]) -> dict[UUID, dict[str, Any]]:
        """The rows of the articles that are served; each shows an address only if it owns it."""
        served = {story.id: version for story in moved if (version := story.served) is not None}
        keys = {
            id_: self.marker.url_key(url)
            for id_, version in served.items()
            if (url := _fields(version)["url"]) is not None
        }
        owned = self.owned(key for key in keys.values() if key is not None)
        return {
            id_: _article_row(id_, version, shows_url=(keys.get(id_), id_) in owned)
            for id_, version in served.items()
        }

    def _write_versions(
        self, moved: set[UUID], articles: dict[UUID, dict[str, Any]], now: datetime
    ) -> None:
        new: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        stored: list[dict[str, Any]] = []
        for story in self._stories.values():
            served = story.served
            for version in story.versions:
                if version is served:
                    version.hidden_at = None
                elif version.hidden_at is None:
                    version.hidden_at = now
                place = (story.id, version.number)
                before, row = self._versions_before.get(place), _columns(version)
                kept = _kept(version, articles.get(story.id) if version is served else None)
                if before is None:
                    new.append(row | {"story_id": story.id, "fields": kept})
                    continue
                where = {"_id": story.id, "_number": version.number}
                if before != row:
                    changed.append(where | row)
                is_end = version is served or version.number == story.showing
                if (story.id in moved and is_end) or place in self._refreshed:
                    stored.append(where | {"fields": kept})
        self._execute_versions(new, changed, stored)

    def _execute_versions(
        self, new: list[dict[str, Any]], changed: list[dict[str, Any]], stored: list[dict[str, Any]]
    ) -> None:
        insert_all(self._session.connection(), _ADD_VERSION, new)
        c = _version.c
        same = (c.story_id == bindparam("_id")) & (c.number == bindparam("_number"))
        for rows in (changed, stored):
            execute_all(self._session, update(_version).where(same), rows)

    def _write_articles(
        self, moved: Sequence[Story], articles: dict[UUID, dict[str, Any]], now: datetime
    ) -> set[UUID]:
        gone = [story for story in moved if story.id not in articles and story.showing is not None]
        rows = [
            articles[story.id] | {"_id": story.id}
            for story in moved
            if story.id in articles and articles[story.id]["digest"] != story.digest
        ]
        if not gone and not rows:
            return set()
        change = sequence.take(self._session)
        connection = self._session.connection()
        stood = {story.id for story in moved if story.showing is not None}
        old = [row | {"change": change} for row in rows if row["id"] in stood]
        new = [row | {"change": change, "added": change} for row in rows if row["id"] not in stood]
        forgotten = [story.id for story in gone] + [row["id"] for row in old]
        if forgotten:
            mentions.forget(self._session, forgotten)
            for column in (_place.c.article_id, _name.c.article_id):
                delete_among(self._session, column, forgotten)
        if gone:
            for column in (_article.c.id, _tombstone.c.article_id):
                delete_among(self._session, column, [story.id for story in gone])
            whys = [
                {"article_id": story.id, "change": change, "why": _why(story), "at": now}
                for story in gone
            ]
            connection.execute(insert(_tombstone), whys)
        if new:
            delete_among(self._session, _tombstone.c.article_id, [row["id"] for row in new])
            for row in new:
                del row["_id"]
            insert_all(connection, _ADD_ARTICLE, new)
        step = update(_article).where(_article.c.id == bindparam("_id"))
        execute_all(self._session, step, old)
        places = [
            {"article_id": row["id"], "place_key": key, "label": label}
            for row in rows
            for key, label in {fold(place): place for place in row["places"][::-1]}.items()
        ]
        insert_all(connection, _ADD_PLACE, places)
        names = [
            {"article_id": row["id"], "field": field, "key": key, "label": label}
            for row in rows
            for field, names in _NAMES.items()
            for key, label in {fold(name): name for name in row[names][::-1]}.items()
        ]
        insert_all(connection, _ADD_NAME, names)
        return {*(story.id for story in gone), *(row["id"] for row in rows)}


def served(session: Session, stories: Stories, article_id: UUID) -> Story:
    """The story of an article that is shown; raises Moved, Gone or NotFound."""
    found = stories.read([article_id])
    if found and found[0].served is not None:
        return found[0]
    raise absent(session, article_id)


def absent(session: Session, article_id: UUID) -> Moved | NotFound:
    """The error for an id without an article."""
    t, s = _tombstone.c, _story.c
    merged_into = session.execute(select(s.heir).where(s.id == article_id)).scalar_one_or_none()
    if merged_into is not None:
        return Moved("article", str(article_id), str(merged_into))
    found = session.execute(select(t.why, t.at).where(t.article_id == article_id)).one_or_none()
    if found is None:
        return NotFound("article", str(article_id))
    return Gone("article", str(article_id), why=found.why, at=found.at)


# --- rows


_PLAIN = (*PLAIN, "text")


def _as_version(row: Row[Any], *, has_text: bool) -> Version:
    same = {name: getattr(row, name) for name in _PLAIN}
    given = None if row.given_us is None else Given(row.is_full, row.given_us, row.given_number)
    return Version(**same, given=given, held=(row.held_us, row.held_number), has_text=has_text)


def _columns(version: Version) -> dict[str, Any]:
    """The row of a version, without its story and its fields."""
    _, given_us, given_number = version.given or (None, None, None)
    held_us, held_number = version.held
    return {name: getattr(version, name) for name in _PLAIN} | {
        "given_us": given_us,
        "given_number": given_number,
        "held_us": held_us,
        "held_number": held_number,
    }


def _own(story: Story) -> dict[str, Any]:
    return {name: getattr(story, name) for name in _OWN}


def _changing(story: Story) -> tuple[Any, ...]:
    return (story.count, story.state, story.heir)


def _fields(version: Version) -> dict[str, Any]:
    if version.fields is None:
        raise AssertionError("the fields of a version that shows are read before it is written")
    return version.fields


def _kept(version: Version, article: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields in a version's own row: all, or only those that its article lacks."""
    fields = version.fields
    if fields is None:
        return None
    if article is not None:
        return {"url": fields["url"]} if fields["url"] != article["url"] else None
    return {name: value for name, value in fields.items() if value not in _UNKNOWN}


def as_fields(stored: dict[str, Any]) -> dict[str, Any]:
    """The fields of a version as they were given, from what `article_version` keeps of them."""
    fields = _BLANK | stored
    for name in _INSTANTS:
        if fields[name] is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    return fields


_UNKNOWN: tuple[object, ...] = (None, [], (), "usable")
_BLANK: dict[str, Any] = {
    **dict.fromkeys(FIELDS),
    **{name: [] for name in LISTS},
    "status": "usable",
}


def _article_row(id_: UUID, version: Version, *, shows_url: bool) -> dict[str, Any]:
    fields = _fields(version)
    row = {name: fields[name] for name in FIELDS}
    if not shows_url:
        row["url"] = None
    content = orjson.dumps([row[name] for name in FIELDS])
    source, section, url = row["source"], row["section"], row["url"]
    detected = None
    if row["language"] is None:
        texts = (row["headline"], *row["summary"], row["body"][: detection.READ])
        detected = row["language"] = detection.detect("\n".join(texts))
    return row | {
        "language_detected": detected is not None,
        "id": id_,
        "version": version.number,
        "digest": hashlib.blake2b(content + b"%d" % version.number, digest_size=16).hexdigest(),
        "word_count": len(row["body"].split()),
        "source_key": fold(source) if source else None,
        "section_key": fold(section) if section else None,
        "domain": filters.domain(url) if url else None,
    }


def _why(story: Story) -> str:
    if story.heir is not None:
        return "joined"
    return story.state or ("withheld" if story.versions else "removed")
