"""Export of whole stories as objects, which `import_` reads into another store.

Out: articles as `GET /v1/articles/{id}` answers them, with a member for the rest of the story, in
the format of `app.ingest.exported`. `served` leaves out versions under embargo and articles that
are not shown. `everything` has them, removals and erasures, and the store's secret with its keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields as dataclass_fields
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select, union_all
from sqlmodel import Session

from app.articles import read as articles
from app.articles import removal
from app.articles.stories import as_fields
from app.articles.versions import PLAIN, Story, Version
from app.filters import Filters
from app.ingest import exported
from app.ingest.draft import FIELDS
from app.store import conditions
from app.store.models import chunks, tables

PART_CHARS = 2_000_000
"""Characters of text per object; a story with more is split into several."""
_BATCH = 100

_article, _key, _sighting, _store = tables("article", "story_key", "sighting", "store")
_story, _tombstone, _version = tables("story", "tombstone", "article_version")

_SEEN = tuple(exported.Sighting.model_fields)
_PLAIN = (*PLAIN, "held")


def served(session: Session, filters: Filters, *, since: int = 0) -> Iterator[dict[str, Any]]:
    """The articles that pass `filters` and changed after `since`, oldest change first."""
    c = _article.c
    wanted = conditions.filtered(select(c.id), articles.resolved(session, filters))
    wanted = wanted.where(c.change > since).order_by(c.change, c.id)
    for some in chunks(session.scalars(wanted), _BATCH):
        yield from _Batch(session, some).served()


def everything(session: Session, *, since: int = 0) -> Iterator[dict[str, Any]]:
    """All stored facts of stories that changed after `since` or were never shown."""
    a, s, t = _article.c, _story.c, _tombstone.c
    changed = union_all(
        select(a.change.label("change"), a.id.label("id")).where(a.change > since),
        select(t.change, t.article_id).where(t.change > since, t.why != "joined"),
        select(literal(0), s.id).where(
            s.id.not_in(select(a.id)), s.id.not_in(select(t.article_id)), s.heir.is_(None)
        ),
    ).subquery()
    wanted = select(changed.c.id).order_by(changed.c.change, changed.c.id)
    for some in chunks(session.scalars(wanted), _BATCH):
        yield from _Batch(session, some).everything()


class _Batch:
    """Some stories, read at once."""

    def __init__(self, session: Session, ids: Sequence[UUID]) -> None:
        self._session = session
        self._ids = ids
        self._stories = removal.opened(session)
        self._read = {story.id: story for story in self._stories.read(ids)}
        self._wholes = articles.wholes(session, ids)
        v, s = _version.c, _story.c
        kept = select(v.story_id, v.number, v.fields).where(v.fields.is_not(None))
        rows = session.execute(kept.where(v.story_id.in_(ids)))
        self._kept = {(row.story_id, row.number): row.fields for row in rows}
        self._joined: dict[UUID, list[UUID]] = {}
        for row in session.execute(select(s.id, s.heir).where(s.heir.in_(ids)).order_by(s.id)):
            self._joined.setdefault(row.heir, []).append(row.id)
        self._seen: dict[UUID, list[dict[str, Any]]] = {}
        c = _sighting.c
        sightings = select(c.story_id, *(c[name] for name in _SEEN)).where(c.story_id.in_(ids))
        for row in session.execute(sightings.order_by(c.loaded_at, c.path, c.position)):
            found = {name: row._mapping[name] for name in _SEEN}
            self._seen.setdefault(row.story_id, []).append(found)
        self._fields = {
            (story.id, version.number): fields
            for story in self._read.values()
            for version in story.versions
            if (fields := self._fields_of(story, version)) is not None
        }
        self._marks = {
            place: self._stories.marker.marks(fields) for place, fields in self._fields.items()
        }
        self._owned = self._stories.owned(
            key for marks in self._marks.values() for key in marks.all
        )
        owners: dict[bytes | None, set[UUID]] = {}
        for key, id_ in self._owned:
            owners.setdefault(key, set()).add(id_)
        self._beside: dict[UUID, set[UUID]] = {id_: set() for id_ in ids}
        for (id_, _), marks in self._marks.items():
            for guid in (*marks.guids, marks.any_guid):
                self._beside[id_] |= owners.get(guid, set()) - {id_}

    def _fields_of(self, story: Story, version: Version) -> dict[str, Any] | None:
        kept = self._kept.get((story.id, version.number))
        if version.number != story.showing:
            return None if kept is None else as_fields(kept)
        whole = self._wholes[story.id]
        fields = {name: getattr(whole, name) for name in FIELDS} | {"status": version.status}
        if whole.language_detected:
            fields["language"] = None
        return fields | (kept or {})

    def served(self) -> Iterator[dict[str, Any]]:
        """The objects of each story, without what is not served."""
        others = set().union(*self._beside.values())
        shown = set(self._session.scalars(select(_article.c.id).where(_article.c.id.in_(others))))
        self._beside = {id_: found & shown for id_, found in self._beside.items()}
        for id_ in self._ids:
            story = self._read[id_]
            free = [each for each in story.versions if each.due_at is None]
            yield from self._parts(story, free, {})

    def everything(self) -> Iterator[dict[str, Any]]:
        """The objects of each story, with all that is stored."""
        k, t = _key.c, _tombstone.c
        secret = self._session.execute(select(_store.c.secret)).scalar_one().hex()
        gone = {
            row.article_id: {"why": row.why, "at": row.at}
            for row in self._session.execute(
                select(t.article_id, t.why, t.at).where(t.article_id.in_(self._ids))
            )
        }
        keys: dict[UUID, list[str]] = {}
        for row in self._session.execute(
            select(k.key, k.story_id).where(k.story_id.in_(self._ids)).order_by(k.key)
        ):
            keys.setdefault(row.story_id, []).append(row.key.hex())
        for id_ in self._ids:
            more: dict[str, Any] = {"secret": secret, "keys": keys.get(id_, [])}
            if id_ in gone:
                more["gone"] = gone[id_]
            story = self._read.get(id_)
            if story is None or story.state == "erased":
                state = {} if story is None else {"state": story.state}
                joined = self._joined.get(id_, [])
                member = {"export": 1, **state, "joined": joined, **more}
                yield {"id": id_, exported.MEMBER: member}
            else:
                yield from self._parts(story, story.versions, more)

    def _parts(
        self, story: Story, versions: Sequence[Version], more: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """A story in objects of about PART_CHARS; the first has the shown version."""
        ordered = sorted(versions, key=lambda each: each.number != story.showing)
        parts: list[list[Version]] = [[]]
        chars = 0
        for each in ordered:
            fields = self._fields.get((story.id, each.number))
            size = 0 if fields is None else len(fields["body"])
            if parts[-1] and chars + size > PART_CHARS:
                parts.append([])
                chars = 0
            parts[-1].append(each)
            chars += size
        of = {} if len(parts) == 1 else {"of": sorted(each.number for each in versions)}
        for number, part in enumerate(parts):
            member = {"export": 1, "is_bare": story.is_bare, "state": story.state, **more, **of}
            kept = {each.number for each in part}
            member["joined"] = self._joined.get(story.id, [])
            member["beside"] = sorted(self._beside[story.id])
            member["versions"] = [
                self._version(story, each, is_whole=bool(more))
                for each in sorted(part, key=lambda each: each.number)
            ]
            member["sightings"] = [
                each for each in self._seen.get(story.id, []) if each["version"] in kept
            ]
            article: dict[str, Any] = {"id": story.id}
            if number == 0 and (whole := self._wholes.get(story.id)) is not None:
                article = {each.name: getattr(whole, each.name) for each in dataclass_fields(whole)}
            yield {**article, exported.MEMBER: member}

    def _version(self, story: Story, version: Version, *, is_whole: bool) -> dict[str, Any]:
        place = (story.id, version.number)
        fields, is_shown = self._fields.get(place), version.number == story.showing
        rank = version.given
        known: dict[str, Any] = {
            **{name: getattr(version, name) for name in _PLAIN},
            "given": None if rank is None else (rank.us, rank.number),
        }
        if fields is None:
            return {**known, "text": version.text.hex()} if is_whole else known
        marks = self._marks[place]
        owned = [name for name, key in marks.named() if (key, story.id) in self._owned]
        if not is_whole and "url" not in owned:
            fields = fields | {"url": None}
        if is_shown:  # the article has the other fields
            whole = self._wholes[story.id]
            fields = {"url": fields["url"]} if fields["url"] != whole.url else {}
        else:
            fields = {name: fields[name] for name in FIELDS if fields[name] not in (None, [])}
        return {**known, "shown": is_shown, "keys": owned, "fields": fields}
