"""Removal of articles: remove, restore, erase, join, and undo a load.

In: ids. A removed article stays stored with its keys, so that later inputs of it are recognized and
not shown. An erased one keeps only keyed digests, so that it does not come back.
`services.maintenance` removes an erased text from all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, delete, insert, literal_column, select, update
from sqlalchemy.types import JSON, Text
from sqlmodel import Session

from app.articles.identity import Marker
from app.articles.stories import Stories, absent, served
from app.articles.versions import Given, Story, Version
from app.entities import mentions
from app.errors import NotFound
from app.filters import Filters
from app.store import conditions, sequence
from app.store.keys import Key
from app.store.models import chunks, tables

_article, _key, _loading, _overlap = tables("article", "story_key", "loading", "overlap")
_source, _reassignment, _store, _story = tables("sighting", "split", "store", "story")
_tombstone, _version = tables("tombstone", "article_version")


def opened(session: Session) -> Stories:
    """Stories to change in this transaction."""
    return Stories(session, Marker(session.execute(select(_store.c.secret)).scalar_one()))


def remove(session: Session, article_id: UUID, *, by: Key | None = None) -> None:
    """Remove an article, until it is restored.

    Raises NotFound, Gone or Moved if it is not shown, and Forbidden if `by` may not write its
    source.
    """
    stories = opened(session)
    story = served(session, stories, article_id)
    _require(by, stories, story)
    story.state = "removed"
    stories.write()


def _require(by: Key | None, stories: Stories, story: Story) -> None:
    if by is not None and by.source is not None:
        by.require_source(stories.source(story))


def remove_all(session: Session, ids: Sequence[UUID]) -> None:
    """Remove several articles, in one transaction; raises what `remove` does."""
    for id_ in ids:
        remove(session, id_)


def restore(session: Session, article_id: UUID, *, by: Key | None = None) -> None:
    """Restore a removed article; nothing happens if it is shown.

    Raises Gone, Moved or NotFound if it was not removed, and Forbidden as `remove` does.
    """
    stories = opened(session)
    found = stories.read([article_id])
    if not found or found[0].state != "removed":
        if found and found[0].served is not None:
            return
        raise absent(session, article_id)
    _require(by, stories, found[0])
    found[0].state = None
    stories.write()
    if found[0].served is None:  # a withheld version came meanwhile
        t = _tombstone.c
        session.execute(update(_tombstone).where(t.article_id == article_id).values(why="withheld"))


def erase(session: Session, article_id: UUID, *, by: Key | None = None) -> None:
    """Erase an article, shown or not: only keyed digests of its texts stay.

    Raises Gone if it was erased before, Moved if it was joined, NotFound without a story, and
    Forbidden as `remove` does.
    """
    stories = opened(session)
    found = stories.read([article_id])
    if not found or found[0].heir is not None or found[0].state == "erased":
        raise absent(session, article_id) if found else NotFound("article", str(article_id))
    _require(by, stories, found[0])
    forget(session, stories, article_id)


def erase_all(session: Session, ids: Sequence[UUID]) -> None:
    """Erase several articles, in one transaction; raises what `erase` does."""
    _overwrite(session, ids)
    for id_ in ids:
        erase(session, id_)


def _overwrite(session: Session, ids: Iterable[UUID]) -> None:
    """Overwrite the texts of stories in place, before the first of them is erased.

    SQLite overwrites a deleted row. But it moves the rows of half-empty pages without overwriting
    their old places: when the first of many articles is erased, none of the others may still have
    its text.
    """
    for table, key in ((_article, _article.c.id), (_version, _version.c.story_id)):
        indexed = {column for index in table.indexes for column in index.columns}
        blanks = {
            column: _blank(column, "{}" if table is _version else "[]")
            for column in table.c
            if isinstance(column.type, Text | JSON) and column not in indexed
        }
        for some in chunks(ids):
            session.execute(update(table).where(key.in_(some)).values(blanks))


def _blank(column: Column[Any], brackets: str) -> ColumnElement[str]:
    """A blank value with as many bytes as the column's, which SQLite writes in place."""
    size = f"length(CAST({column.name} AS BLOB))"
    if isinstance(column.type, Text):
        return literal_column(f"substr(hex(zeroblob({size})), 1, {size})")
    inner = f"replace(substr(hex(zeroblob({size} - 2)), 1, {size} - 2), '0', ' ')"
    return literal_column(f"'{brackets[0]}' || {inner} || '{brackets[1]}'")


def forget(session: Session, stories: Stories, article_id: UUID) -> None:
    """Erase the texts of a story from all tables."""
    (story,) = stories.read([article_id])
    story.state, story.heir = "erased", None
    stories.write()
    c = _version.c
    session.execute(update(_version).where(c.story_id == story.id).values(fields=None))
    session.execute(delete(_source).where(_source.c.story_id == story.id))
    session.execute(delete(_reassignment).where(_reassignment.c.article_id == story.id))
    mentions.blank_unused(session)
    _bury(session, story.id)


def _bury(session: Session, article_id: UUID, why: str = "erased") -> None:
    """Add a tombstone for an article that was erased, or joined with one that was."""
    session.execute(delete(_tombstone).where(_tombstone.c.article_id == article_id))
    change = sequence.take(session)
    fact = {"why": why, "at": datetime.now(UTC), "change": change}
    session.execute(insert(_tombstone).values(article_id=article_id, **fact))
    session.execute(update(_store).values(erased=change))


@dataclass(frozen=True, slots=True)
class Erasures:
    """The erasures of a store: ids, and keyed digests with `secret` that keep them out.

    `ids` maps an id to the erased one that it was joined into, otherwise to None.
    """

    secret: bytes
    ids: dict[UUID, UUID | None]
    keys: list[tuple[bytes, UUID]]


def erasures(session: Session) -> Erasures:
    """All erasures, for a copy of the store that lacks them."""
    s, k = _story.c, _key.c
    gone = select(s.id).where(s.state == "erased")
    wanted = select(s.id, s.heir).where((s.state == "erased") | s.heir.in_(gone))
    keys = session.execute(select(k.key, k.story_id).where(k.story_id.in_(gone))).all()
    secret = session.execute(select(_store.c.secret)).scalar_one()
    ids = {row.id: row.heir for row in session.execute(wanted.order_by(s.heir.nulls_first()))}
    return Erasures(secret, ids, [(row.key, row.story_id) for row in keys])


def erase_again(session: Session, erased: Erasures) -> None:
    """Apply the erasures of another copy of this store, also for ids that this one lacks.

    An id that was joined into an erased one redirects there, unless it is a story of its own here,
    which is erased. The keys are taken over only if the secret is the same.
    """
    _overwrite(session, erased.ids)
    stories = opened(session)
    known = {story.id: story for story in stories.read(erased.ids)}
    for id_, heir in erased.ids.items():
        found = known.get(id_)
        if found is None:
            state = None if heir else "erased"
            own = {"id": id_, "arrival": 0, "count": 0, "state": state, "heir": heir}
            session.execute(insert(_story).values(own | {"is_bare": False}))
            _bury(session, id_, "joined" if heir else "erased")
        elif found.state != "erased" and found.heir not in erased.ids:
            forget(session, opened(session), found.id)
    if session.execute(select(_store.c.secret)).scalar_one() != erased.secret:
        return
    k = _key.c
    for some in chunks(erased.keys):
        session.execute(delete(_key).where(k.key.in_([key for key, _ in some])))
        session.execute(insert(_key), [{"key": key, "story_id": id_} for key, id_ in some])


def join(session: Session, article_id: UUID, into_id: UUID) -> None:
    """Join two articles: `into_id` gets the keys, versions and inputs of the other.

    The versions get the next numbers; a text of both keeps two numbers and has one rank. Raises
    NotFound, Gone or Moved if either is missing, erased or joined.
    """
    stories = opened(session)
    pair = []
    for id_ in (article_id, into_id):
        found = stories.read([id_])
        if not found or found[0].heir is not None or found[0].state == "erased":
            raise absent(session, id_)
        pair.append(found[0])
    story, into = pair
    if story is into:
        return
    stories.fill(story)
    numbers = _move_versions(story, into)
    _match_twins(into)
    story.versions, story.heir = [], into.id
    session.execute(delete(_version).where(_version.c.story_id == story.id))
    _move_keys(session, story.id, into.id)
    stories.restate(into)
    stories.write()
    _move_sightings(session, story.id, into.id, numbers)
    joined = update(_story).where(_story.c.heir == story.id).values(heir=into.id)
    session.execute(joined)
    if into.showing is not None:
        sequence.stamp(session, [into.id])


def _move_versions(story: Story, into: Story) -> dict[int, int]:
    """Add the versions of `story` to `into`; the new number of each."""
    numbers: dict[int, int] = {}
    moved = [replace(version) for version in story.versions]
    for version in moved:
        old = version.number
        into.add(version)
        numbers[old] = version.number
    for version in moved:
        if version.replaced is not None:
            version.replaced = numbers.get(version.replaced)
    return numbers


def _match_twins(story: Story) -> None:
    """Give versions with the same text their highest rank and, except PUTs, first arrival."""
    twins: dict[bytes, list[Version]] = {}
    for version in story.versions:
        twins.setdefault(version.text, []).append(version)
    for same in twins.values():
        given = max((each.given for each in same if each.given is not None), default=None)
        sent = [each for each in same if each.replaced is None]
        for each in same:
            each.given = given
        for each in sent:
            each.arrival = min(twin.arrival for twin in sent)


def _move_keys(session: Session, old: UUID, new: UUID) -> None:
    k, o = _key.c, _overlap.c
    both = select(k.key).where(k.story_id == new)
    session.execute(delete(_key).where(k.story_id == old, k.key.in_(both)))
    session.execute(update(_key).where(k.story_id == old).values(story_id=new))
    session.execute(delete(_overlap).where(o.story_id.in_([old, new]), o.other_id.in_([old, new])))
    for column in (o.story_id, o.other_id):
        step = update(_overlap).where(column == old).values({column.name: new})
        session.execute(step.prefix_with("OR IGNORE"))
        session.execute(delete(_overlap).where(column == old))


def _move_sightings(session: Session, old: UUID, new: UUID, numbers: dict[int, int]) -> None:
    s, x = _source.c, _reassignment.c
    for before, after in numbers.items():
        step = update(_source).where(s.story_id == old, s.version == before)
        session.execute(step.values(story_id=new, version=after).prefix_with("OR IGNORE"))
    session.execute(delete(_source).where(s.story_id == old))
    step = update(_reassignment).where(x.article_id == old).values(article_id=new)
    session.execute(step.prefix_with("OR IGNORE"))
    session.execute(delete(_reassignment).where(x.article_id == old))


def overlaps(session: Session, *, limit: int) -> list[tuple[UUID, UUID]]:
    """Pairs of articles that share a key, which an operator may join; `limit` at most."""
    o, s = _overlap.c, _story.c
    is_out = select(s.id).where((s.state == "erased") | s.heir.is_not(None))
    pairs = select(o.story_id, o.other_id).where(
        o.story_id.not_in(is_out), o.other_id.not_in(is_out)
    )
    return [(row.story_id, row.other_id) for row in session.execute(pairs.limit(limit))]


# --- loads


@dataclass(slots=True)
class Undone:
    """The result of undoing a load: articles that are gone, and those that lost something."""

    removed: list[UUID] = field(default_factory=list)
    changed: list[UUID] = field(default_factory=list)


def undo(session: Session, load: int) -> Undone:
    """Undo a load: delete what no other input brought; raises NotFound.

    A text that another input gave too stays, with the rank from that input. An article of this
    load alone is deleted, and saved anew when it comes again.
    """
    if session.execute(select(_loading.c.id).where(_loading.c.id == load)).one_or_none() is None:
        raise NotFound("load", str(load))
    done = Undone()
    for some in chunks(of_load(session, load)):
        stories = opened(session)
        for story in stories.read(some):
            if story.state != "erased" and story.heir is None:
                _undo(session, stories, story, load, done)
        stories.write()
    session.execute(delete(_loading).where(_loading.c.id == load))
    return done


def of_load(session: Session, load: int) -> list[UUID]:
    """The articles that a load gave an input or a key, by id."""
    s, k = _source.c, _key.c
    seen = select(s.story_id).where(s.load == load)
    keyed = select(k.story_id).where(k.load == load)
    return sorted(session.scalars(seen.union(keyed)))


def _undo(session: Session, stories: Stories, story: Story, load: int, done: Undone) -> None:
    """Undo `load` for one story."""
    s = _source.c
    rows = session.execute(select(_source).where(s.story_id == story.id)).all()
    session.execute(delete(_source).where(s.story_id == story.id, s.load == load))
    kept = [row for row in rows if row.load != load]
    if not kept:
        for each in list(story.versions):
            stories.drop(story, each)
    for number in {row.version for row in rows if row.load == load}:
        version = story.numbered(number)
        if version is None:
            continue
        others = [row for row in kept if row.version == number]
        if not others:
            stories.drop(story, version)
            continue
        sent = [row for row in others if row.given_us is not None]
        given = (Given(version.is_full, row.given_us, row.given_number) for row in sent)
        version.given = max(given, default=None)
        dues = [row.due_at for row in sent or others]
        if None not in dues:
            version.due_at = max(dues) if max(dues) > datetime.now(UTC) else None
    (done.changed if story.versions else done.removed).append(story.id)
    _undo_keys(session, stories, story, load)


def _undo_keys(session: Session, stories: Stories, story: Story, load: int) -> None:
    """Drop the keys that `load` brought, except those of a remaining version."""
    stories.fill(story)
    own: set[bytes] = set()
    for version in story.versions:
        if version.fields is not None:
            own.update(stories.marker.marks(version.fields).all)
    k = _key.c
    brought = session.scalars(select(k.key).where(k.story_id == story.id, k.load == load)).all()
    for some in chunks(key for key in brought if key not in own):
        session.execute(delete(_key).where(k.story_id == story.id, k.key.in_(some)))
    stories.restate(story)


# --- many at once


def of_guid(session: Session, guid: str, source: str | None) -> list[UUID]:
    """The articles with that guid, within a source or regardless of publisher, oldest first."""
    key = opened(session).marker.guid(guid, source)
    k, s = _key.c, _story.c
    owners = select(k.story_id).join(_story, s.id == k.story_id).where(k.key == key)
    return list(session.scalars(owners.order_by(s.arrival)))


def matching(session: Session, wanted: Filters) -> list[UUID]:
    """The articles that pass, oldest first."""
    c = _article.c
    found = conditions.filtered(select(c.id), wanted)
    return list(session.scalars(found.order_by(c.published_at, c.id)))
