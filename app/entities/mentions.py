"""Mentions of entities in articles: stored, forgotten, assigned to entities, and read.

An entity is a type and a folded name, or an entry of the authority file; its id is derived from
these alone, so the order of articles does not matter. A mention belongs to the entity of its name,
unless operators merged that entity into another or reassigned it in the article. All counts are
updated in the same transaction; see `app.entities.counts`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

from pydantic import Field
from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import Session

from app.entities import counts
from app.entities.counts import MentionRow
from app.extract import authority, base, spelling
from app.extract.base import Failure, Type
from app.filters import term_of
from app.store import sequence
from app.store.models import among, chunks, delete_among, execute_all, tables
from app.text import fold

_IDS = UUID("1c5c7b4e-7f0d-5a3e-9c53-52a8d1f6e0b7")

_alias, _article, _article_entity, _entity = tables("alias", "article", "appearance", "entity")
_extraction, _mention, _reassignment = tables("extraction", "mention", "split")


@dataclass(frozen=True, slots=True)
class ExtractionResult:
    """What an extractor found in the version `digest` of an article."""

    article_id: UUID
    digest: str
    found: Sequence[base.Mention] | Failure


@dataclass(frozen=True, slots=True)
class Mention:
    """An entity at a place in the article."""

    entity_id: UUID
    type: Type
    name: Annotated[str, Field(description="Of the entity, as it is shown today.")]
    surface: Annotated[str, Field(description="As the article prints it.")]
    field: base.Field
    index: Annotated[int | None, Field(description="Which bullet of the summary, from 0.")]
    start: Annotated[int, Field(description="Where it starts in the field, in characters.")]
    end: Annotated[int, Field(description="Where it ends in the field, in characters.")]


@dataclass(frozen=True, slots=True)
class EntityKey:
    """The key of an entity: its type and name, or its entry in the authority file."""

    type: str
    name: str
    authority_key: str | None = None

    @property
    def id(self) -> UUID:
        """The entity's id, which never changes.

        >>> EntityKey("person", "ADA BYRON").id == EntityKey("person", "Ada Byron").id
        True
        """
        if self.authority_key:
            return uuid5(_IDS, f"{self.type}\n={self.authority_key}")
        key = spelling.key(self.name) if self.type == "person" else fold(self.name)
        return uuid5(_IDS, f"{self.type}\n{key}")

    @property
    def as_spelt(self) -> UUID:
        """The id from before the spellings of a name were unified."""
        return uuid5(_IDS, f"{self.type}\n{fold(self.name)}")


@cache
def _entries() -> dict[str, authority.Entry]:
    return {entry.key: entry for entry in authority.entries()}


@cache
def _entries_by_name() -> dict[tuple[str, str], str | None]:
    """Keys by type and folded name; None if several entries have that name."""
    found: dict[tuple[str, str], str | None] = {}
    for entry in authority.entries():
        name = (entry.type, fold(entry.name))
        found[name] = None if name in found else entry.key
    return found


def entity_key(type_: str, name: str, authority_key: str | None = None) -> EntityKey:
    """The key of an entity by its name, with the authority entry of that name if there is one."""
    key = (
        authority_key
        if authority_key in _entries()
        else _entries_by_name().get((type_, fold(name)))
    )
    if key is None:
        return EntityKey(type_, name)
    entry = _entries()[key]
    return EntityKey(entry.type, entry.name, key)


# --- writing


def write(session: Session, results: Sequence[ExtractionResult], *, version: str) -> int:
    """Store extraction results; returns the number of articles whose mentions changed.

    These get the transaction's change number. A result for an article that was removed or revised
    meanwhile is skipped; an article with a Failure keeps its mentions.
    """
    c, ids = _article.c, [reading.article_id for reading in results]
    rows = among(session, select(c.id, c.digest, c.published_at), c.id, ids)
    current = {row.id: row for row in rows}
    valid = [
        reading
        for reading in results
        if (row := current.get(reading.article_id)) and row.digest == reading.digest
    ]
    read = {each.article_id: each.found for each in valid if not isinstance(each.found, Failure)}
    before = _rows(session, read)
    after = _assigned(session, read)
    changed = [id_ for id_ in read if before[id_] != after[id_]]
    published = {id_: current[id_].published_at for id_ in changed}
    _replace(session, changed, before, after, published)
    sequence.stamp(session, changed)
    _settle(session, [*_of(before, changed).values(), *_of(after, changed).values()])
    _record(session, valid, version)
    return len(changed)


def _record(session: Session, results: Sequence[ExtractionResult], version: str) -> None:
    rows = [
        {
            "article_id": each.article_id,
            "digest": each.digest,
            "version": version,
            "error": each.found.reason if isinstance(each.found, Failure) else None,
        }
        for each in results
    ]
    step = upsert(_extraction)
    step = step.on_conflict_do_update(
        index_elements=["article_id"],
        set_={name: step.excluded[name] for name in ("digest", "version", "error")},
    )
    execute_all(session, step, rows)


def forget(session: Session, ids: Iterable[UUID]) -> None:
    """Drop all mentions of articles that are removed or revised; the caller stamps them."""
    gone = list(ids)
    before = _rows(session, gone)
    held = [id_ for id_ in gone if before[id_]]
    _replace(session, held, before, {id_: [] for id_ in held}, {})
    _settle(session, _of(before, held).values())
    delete_among(session, _extraction.c.article_id, gone)


def blank_unused(session: Session) -> None:
    """Blank the names of entities without articles, merges, reassignments or fixed names.

    Their rows stay, since a search for references to them would read all mentions. An entity that
    is found again gets a new row.
    """
    c, s = _entity.c, _reassignment.c
    merged, decided = (
        select(c.heir).where(c.heir.is_not(None)),
        select(s.entity).union(select(s.target)),
    )
    unused = select(c.number).where(
        c.article_count == 0,
        c.known.is_(None),
        c.heir.is_(None),
        c.full.is_(None),
        c.name_fixed.is_(False),
        c.name_key != "",
        c.number.not_in(merged),
        c.number.not_in(decided),
    )
    numbers = session.scalars(unused).all()
    delete_among(session, _alias.c.entity, numbers)
    blank = update(_entity).where(c.number == bindparam("_number"))
    blank = blank.values(name="", name_key="", wikidata=None, iso=None)
    execute_all(session, blank, [{"_number": number, "id": uuid4()} for number in numbers])


def reassign(session: Session, ids: Collection[UUID]) -> int:
    """Reassign the mentions of articles after a decision; returns the number that changed."""
    before = _rows(session, ids)
    decisions = _Decisions(session, ids, {row.base for rows in before.values() for row in rows})
    after = {
        id_: [row._replace(entity=decisions.entity(row.base, id_)) for row in rows]
        for id_, rows in before.items()
    }
    changed = [id_ for id_ in ids if before[id_] != after[id_]]
    c = _article.c
    dates = among(session, select(c.id, c.published_at), c.id, changed)
    published = {row.id: row.published_at for row in dates}
    _replace(session, changed, before, after, published)
    sequence.stamp(session, changed)
    _settle(session, _of(after, changed).values())
    return len(changed)


DOMINANT = 0.8
"""Least share of a dominant full name in the articles with any full name of its surname."""


BESIDE = 4
"""A full name is ignored if in one of so many of its articles its surname means another."""


def _settle(session: Session, held: Iterable[Iterable[MentionRow]]) -> None:
    """Resolve the surnames in these rows to the dominant full name of the archive.

    The articles of a surname whose full name changes are reassigned.
    """
    names = {row.name for rows in held for row in rows}
    keys = {spelling.alone(name) or spelling.surname(name) for name in names} - {""}
    e, a = _entity.c, _alias.c
    lone = {
        EntityKey("person", f"{article}{key}").id: key
        for key in keys
        for article in ("", "al ", "el ")
    }
    moved: dict[int, tuple[int | None, int | None]] = {}
    dominant: dict[str, int] = {}
    columns = (e.number, e.id, e.full, e.name_key)
    free = (e.name_fixed.is_(False), e.heir.is_(None), e.known.is_(None), e.name_key != "")
    found = list(among(session, select(*columns).where(*free), e.id, lone))
    for surnames in chunks({lone[row.id] for row in found}):
        dominant |= _dominant(session, surnames)
    for row in found:
        full = dominant.get(lone[row.id])
        if full is not None:
            owners = (row.number, full, row.full)
            labels = select(a.label).where(a.entity.in_(owners), a.surname == "", a.named > 0)
            is_named = any(spelling.alone(each) == lone[row.id] for each in session.scalars(labels))
            full = full if is_named else None
        if full not in {row.full, row.number}:
            moved[row.number] = (row.full, full)
    for number, (before, full) in moved.items():
        session.execute(update(_entity).where(e.number == number).values(full=full))
        m, p = _mention.c, _article_entity.c
        holding = select(p.article_id).where(p.entity.in_((number, before)))
        based = select(m.article_id).where(m.article_id.in_(holding), m.base == number).distinct()
        reassign(session, session.scalars(based).all())


def _dominant(session: Session, keys: Sequence[str]) -> dict[str, int]:
    """The entity of the dominant full name for each surname that has one.

    A person beside whom the surname alone often means somebody else, such as a wife, is ignored.
    """
    e, a = _entity.c, _alias.c
    wanted = select(a.surname, a.entity, func.sum(a.named), func.sum(a.beside))
    wanted = wanted.join(_entity, e.number == a.entity)
    wanted = wanted.where(a.surname.in_(keys), a.named > 0, e.type == "person")
    people: dict[str, list[tuple[int, int, int]]] = {}
    for key, *row in session.execute(wanted.group_by(a.surname, a.entity)):
        people.setdefault(key, []).append((row[1], row[2], row[0]))
    found = {}
    for key, rows in people.items():
        bearers = [row for row in rows if BESIDE * row[1] < row[0]]
        if bearers and max(bearers)[0] >= DOMINANT * sum(row[0] for row in bearers):
            found[key] = max(bearers)[2]
    return found


def _of(rows: Mapping[UUID, list[MentionRow]], ids: Iterable[UUID]) -> dict[UUID, list[MentionRow]]:
    return {id_: rows[id_] for id_ in ids}


def _replace(
    session: Session,
    ids: Sequence[UUID],
    before: Mapping[UUID, list[MentionRow]],
    after: Mapping[UUID, list[MentionRow]],
    published: Mapping[UUID, datetime | None],
) -> None:
    """Replace the mentions `before` of the articles `ids` by those `after`, and recount."""
    delete_among(session, _mention.c.article_id, [id_ for id_ in ids if before[id_]])
    rows = [{"article_id": id_, **row._asdict()} for id_ in ids for row in after[id_]]
    execute_all(session, insert(_mention), rows)
    counts.recount(session, _of(before, ids), _of(after, ids), published)


def _rows(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[MentionRow]]:
    """The stored mentions of each of `ids`, in their order."""
    c = _mention.c
    found: dict[UUID, list[MentionRow]] = {id_: [] for id_ in ids}
    wanted = select(c.article_id, *(c[name] for name in MentionRow._fields))
    wanted = wanted.order_by(c.article_id, c.n)
    for article_id, *row in among(session, wanted, c.article_id, found):
        found[article_id].append(MentionRow(*row))
    return found


def _assigned(session: Session, read: Mapping[UUID, Any]) -> dict[UUID, list[MentionRow]]:
    """The rows of the found mentions, each with its entity."""
    found: dict[UUID, list[tuple[base.Mention, EntityKey]]] = {
        id_: [(each, entity_key(each.type, each.name, each.known)) for each in mentions]
        for id_, mentions in read.items()
    }
    numbers = ensure(session, {name for pairs in found.values() for _, name in pairs})
    decisions = _Decisions(session, list(found), numbers.values())
    assigned: dict[UUID, list[MentionRow]] = {}
    for id_, pairs in found.items():
        rows = assigned[id_] = []
        for n, (each, name) in enumerate(pairs):
            name_entity = numbers[name.id]
            entity = decisions.entity(name_entity, id_)
            place = (each.field, each.index, each.start, each.end)
            rows.append(MentionRow(n, name_entity, entity, *place, each.surface, each.name))
    return assigned


def ensure(session: Session, names: Iterable[EntityKey]) -> dict[UUID, int]:
    """The numbers of entities by id; missing entities are added."""
    wanted = {name.id: name for name in names}
    c = _entity.c
    stored: dict[UUID, Any] = {}
    columns = [c.id, c.number, c.name, c.name_fixed, c.heir, c.wikidata, c.iso]

    def look(ids: Iterable[UUID]) -> None:
        stored.update({row.id: row for row in among(session, select(*columns), c.id, ids)})

    look(wanted)
    new = [_new(name) for id_, name in wanted.items() if id_ not in stored]
    if new:
        session.connection().execute(insert(_entity), new)
        look(row["id"] for row in new)
        _follow_spelling(session, wanted, stored)
    fresh = {row["id"] for row in new}
    kept: list[tuple[int, str]] = []
    for id_, name in wanted.items():
        if name.authority_key is not None:
            kept += _refresh(session, stored[id_], _entries()[name.authority_key], new=id_ in fresh)
    counts.keep(session, kept)
    return {id_: row.number for id_, row in stored.items()}


def _follow_spelling(
    session: Session, names: Mapping[UUID, EntityKey], stored: Mapping[UUID, Any]
) -> None:
    """Merge entities of a single spelling into the entity of all spellings."""
    older = {
        name.as_spelt: stored[id_].number
        for id_, name in names.items()
        if name.type == "person" and name.as_spelt != id_ and name.authority_key is None
    }
    c = _entity.c
    free = select(c.number, c.id).where(c.heir.is_(None))
    for row in list(among(session, free, c.id, older)):
        heir = update(_entity).where(c.number == row.number).values(heir=older[row.id])
        session.execute(heir)


def _new(name: EntityKey) -> dict[str, Any]:
    entry = _entries()[name.authority_key] if name.authority_key else None
    return {
        "id": name.id,
        "type": name.type,
        "known": name.authority_key,
        "name": name.name,
        "name_key": fold(name.name),
        "name_fixed": False,
        "heir": None,
        "full": None,
        "wikidata": entry and entry.wikidata,
        "iso": entry and entry.iso,
        "article_count": 0,
        "mention_count": 0,
    }


def _refresh(
    session: Session, row: Any, entry: authority.Entry, *, new: bool
) -> list[tuple[int, str]]:
    """Update an entity from its authority entry; returns the aliases to keep."""
    name = row.name if row.name_fixed else entry.name
    shown = (name, entry.wikidata, entry.iso)
    if shown == (row.name, row.wikidata, row.iso) and not new:
        return []
    values = {"name": name, "name_key": fold(name), "wikidata": entry.wikidata, "iso": entry.iso}
    session.execute(update(_entity).where(_entity.c.number == row.number).values(values))
    number = row.number if row.heir is None else row.heir
    return [(number, label) for label in (entry.name, *entry.aliases)]


class _Decisions:
    """Operators' merges and reassignments for some articles, and the full names of surnames."""

    def __init__(self, session: Session, ids: Iterable[UUID], bases: Iterable[int]) -> None:
        c, s = _entity.c, _reassignment.c
        merged = select(c.number, c.heir).where(c.heir.is_not(None))
        self._merged: dict[int, int] = {row[0]: row[1] for row in session.execute(merged)}
        full = select(c.number, c.full).where(c.full.is_not(None))
        fulls = among(session, full, c.number, bases)
        self._fulls: dict[int, int] = {row[0]: row[1] for row in fulls}
        split = select(s.entity, s.article_id, s.target)
        self._reassignments: dict[tuple[int, UUID], int] = {
            (row[0], row[1]): row[2] for row in among(session, split, s.article_id, ids)
        }

    def entity(self, name_entity: int, article_id: UUID) -> int:
        """The entity that a mention of `name_entity` means in an article."""
        found = self._merged.get(name_entity, name_entity)
        if found == name_entity and (name_entity, article_id) not in self._reassignments:
            full = self._fulls.get(name_entity, name_entity)
            found = self._merged.get(full, full)
        seen: set[int] = set()
        while found not in seen and (found, article_id) in self._reassignments:
            seen.add(found)
            target = self._reassignments[found, article_id]
            found = self._merged.get(target, target)
        return found


# --- reading


_SHOWN = (
    select(
        _mention.c.article_id,
        _entity.c.id.label("entity_id"),
        *(_entity.c[name] for name in ("type", "name")),
        *(_mention.c[name] for name in ("surface", "field", "bullet", "start", "end")),
    )
    .join(_entity, _entity.c.number == _mention.c.entity)
    .where(_mention.c.article_id.in_(bindparam("ids", expanding=True)))
    .order_by(_mention.c.article_id, _mention.c.n)
)


def of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Mention]]:
    """The mentions of each of `ids` that has any, in the order of fields and offsets."""
    found: dict[UUID, list[Mention]] = {}
    for some in chunks(ids):
        for article_id, *row in session.execute(_SHOWN, {"ids": some}):
            found.setdefault(article_id, []).append(Mention(*row))
    return found


@dataclass(slots=True)
class Terms:
    """The index terms of an article's entities by type, and the dateline names that they cover."""

    by_type: dict[str, list[str]]
    covered: set[str]


def terms(session: Session, ids: Iterable[UUID]) -> dict[UUID, Terms]:
    """The entities of each of `ids` as terms for an index; see `filters.term_of`."""
    found = {id_: Terms({}, set()) for id_ in ids}
    a, e, m = _article_entity.c, _entity.c, _mention.c
    for some in chunks(found):
        held = select(a.article_id, e.type, e.id).join(_entity, e.number == a.entity)
        for article_id, type_, id_ in session.execute(held.where(a.article_id.in_(some))):
            found[article_id].by_type.setdefault(type_, []).append(term_of(id_))
        printed = select(m.article_id, m.surface).join(_entity, e.number == m.entity)
        printed = printed.where(m.article_id.in_(some), m.field == "dateline", e.type == "place")
        for article_id, surface in session.execute(printed):
            found[article_id].covered.add(fold(surface))
    return found
