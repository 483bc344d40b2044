"""Mentions of entities in articles: stored, forgotten, assigned to entities, and read.

An entity is a type and a folded name, or an entry of the authority file; its id is made of
these alone, so no order of articles matters. A mention belongs to the entity of its name,
unless operators have decided otherwise: one entity was merged into another, or is another
one in this article. All counts move in the same transaction; see `app.tallying`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4, uuid5

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from app import numbering, tallying
from app.extract import authority
from app.extract.base import Failure
from app.filters import term_of
from app.models import chunks, metadata
from app.tallying import Row
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from sqlmodel import Session

    from app.extract.base import Mention

_IDS = UUID("1c5c7b4e-7f0d-5a3e-9c53-52a8d1f6e0b7")

_alias = metadata.tables["alias"]
_article = metadata.tables["article"]
_appearance = metadata.tables["appearance"]
_entity = metadata.tables["entity"]
_extraction = metadata.tables["extraction"]
_mention = metadata.tables["mention"]
_split = metadata.tables["split"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an extractor found in the version `digest` of an article."""

    article_id: UUID
    digest: str
    found: Sequence[Mention] | Failure


@dataclass(frozen=True, slots=True)
class Mentioned:
    """A mention as an article's JSON shows it; `name` is the entity's own."""

    entity_id: UUID
    type: str
    name: str
    surface: str
    field: str
    index: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Named:
    """What makes an entity: its type and name, or its entry in the authority file."""

    type: str
    name: str
    known: str | None = None

    @property
    def id(self) -> UUID:
        """The entity's id, for life.

        >>> Named("person", "ADA BYRON").id == Named("person", "Ada Byron").id
        True
        """
        return uuid5(_IDS, f"{self.type}\n{f'={self.known}' if self.known else fold(self.name)}")


@cache
def _entries() -> dict[str, authority.Entry]:
    return {entry.key: entry for entry in authority.entries()}


@cache
def _entries_by_name() -> dict[tuple[str, str], str | None]:
    """Keys by type and folded name; None where several entries have the same."""
    found: dict[tuple[str, str], str | None] = {}
    for entry in authority.entries():
        name = (entry.type, fold(entry.name))
        found[name] = None if name in found else entry.key
    return found


def named(type_: str, name: str, known: str | None = None) -> Named:
    """The entity of a name; that of the authority file where it is the name of one there."""
    key = known if known in _entries() else _entries_by_name().get((type_, fold(name)))
    if key is None:
        return Named(type_, name)
    entry = _entries()[key]
    return Named(entry.type, entry.name, key)


# --- writing


def write(session: Session, readings: Sequence[Reading], *, version: str) -> int:
    """Store what an extractor found; the number of articles whose mentions it changed.

    These take the transaction's change. An article that is gone or was revised since it was
    read is passed over; one that could not be read keeps what it has.
    """
    c = _article.c
    current: dict[UUID, Any] = {}
    for some in chunks(reading.article_id for reading in readings):
        rows = session.execute(select(c.id, c.digest, c.published_at).where(c.id.in_(some)))
        current |= {row.id: row for row in rows}
    valid = [
        reading
        for reading in readings
        if (row := current.get(reading.article_id)) and row.digest == reading.digest
    ]
    read = {each.article_id: each.found for each in valid if not isinstance(each.found, Failure)}
    before = _rows(session, read)
    after = _assigned(session, read)
    changed = [id_ for id_ in read if before[id_] != after[id_]]
    _replace(session, changed, before, after)
    published = {id_: current[id_].published_at for id_ in changed}
    tallying.recount(session, _of(before, changed), _of(after, changed), published)
    numbering.stamp(session, changed)
    _record(session, valid, version)
    return len(changed)


def _record(session: Session, readings: Sequence[Reading], version: str) -> None:
    rows = [
        {
            "article_id": each.article_id,
            "digest": each.digest,
            "version": version,
            "error": each.found.reason if isinstance(each.found, Failure) else None,
        }
        for each in readings
    ]
    if rows:
        step = upsert(_extraction)
        step = step.on_conflict_do_update(
            index_elements=["article_id"],
            set_={name: step.excluded[name] for name in ("digest", "version", "error")},
        )
        session.connection().execute(step, rows)


def forget(session: Session, ids: Iterable[UUID]) -> None:
    """Drop all mentions of articles that are removed or revised; the caller stamps them."""
    gone = list(ids)
    before = _rows(session, gone)
    held = [id_ for id_ in gone if before[id_]]
    nothing: dict[UUID, list[Row]] = {id_: [] for id_ in held}
    _replace(session, held, before, nothing)
    tallying.recount(session, _of(before, held), nothing, {})
    for some in chunks(gone):
        session.execute(delete(_extraction).where(_extraction.c.article_id.in_(some)))


def blank_unused(session: Session) -> None:
    """Leave no name of entities that no article mentions and nobody decided anything of.

    Their rows stay without a name, since a search for what refers to them would read all
    mentions; an entity that is found again gets a row of its own.
    """
    c, s = _entity.c, _split.c
    heirs, decided = (
        select(c.heir).where(c.heir.is_not(None)),
        select(s.entity).union(select(s.target)),
    )
    unused = select(c.number).where(
        c.article_count == 0,
        c.known.is_(None),
        c.heir.is_(None),
        c.name_fixed.is_(False),
        c.name_key != "",
        c.number.not_in(heirs),
        c.number.not_in(decided),
    )
    numbers = session.scalars(unused).all()
    for some in chunks(numbers):
        session.execute(delete(_alias).where(_alias.c.entity.in_(some)))
    rows = [{"_number": number, "id": uuid4()} for number in numbers]
    if rows:
        blank = update(_entity).where(c.number == bindparam("_number"))
        blank = blank.values(name="", name_key="", wikidata=None, iso=None)
        session.connection().execute(blank, rows)


def reassign(session: Session, ids: Collection[UUID]) -> int:
    """Assign the mentions of articles anew after a decision; how many articles it changed."""
    before = _rows(session, ids)
    decisions = _Decisions(session, ids)
    after = {
        id_: [row._replace(entity=decisions.entity(row.base, id_)) for row in rows]
        for id_, rows in before.items()
    }
    changed = [id_ for id_ in ids if before[id_] != after[id_]]
    published: dict[UUID, Any] = {}
    for some in chunks(changed):
        c = _article.c
        rows = session.execute(select(c.id, c.published_at).where(c.id.in_(some)))
        published |= {row.id: row.published_at for row in rows}
    _replace(session, changed, before, after)
    tallying.recount(session, _of(before, changed), _of(after, changed), published)
    numbering.stamp(session, changed)
    return len(changed)


def _of(rows: Mapping[UUID, list[Row]], ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
    return {id_: rows[id_] for id_ in ids}


def _replace(
    session: Session,
    ids: Sequence[UUID],
    before: Mapping[UUID, list[Row]],
    after: Mapping[UUID, list[Row]],
) -> None:
    for some in chunks(id_ for id_ in ids if before[id_]):
        session.execute(delete(_mention).where(_mention.c.article_id.in_(some)))
    rows = [{"article_id": id_, **row._asdict()} for id_ in ids for row in after[id_]]
    if rows:
        session.connection().execute(insert(_mention), rows)


def _rows(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
    """The stored mentions of each of `ids`, in their order."""
    c = _mention.c
    found: dict[UUID, list[Row]] = {id_: [] for id_ in ids}
    columns = [c[name] for name in Row._fields]
    for some in chunks(found):
        wanted = select(c.article_id, *columns).where(c.article_id.in_(some))
        for article_id, *row in session.execute(wanted.order_by(c.article_id, c.n)):
            found[article_id].append(Row(*row))
    return found


def _assigned(session: Session, read: Mapping[UUID, Any]) -> dict[UUID, list[Row]]:
    """The rows of what was read, each with its entity."""
    found: dict[UUID, list[tuple[Mention, Named]]] = {
        id_: [(each, named(each.type, each.name, each.known)) for each in mentions]
        for id_, mentions in read.items()
    }
    numbers = ensure(session, {name for pairs in found.values() for _, name in pairs})
    decisions = _Decisions(session, list(found))
    assigned: dict[UUID, list[Row]] = {}
    for id_, pairs in found.items():
        rows = assigned[id_] = []
        for n, (each, name) in enumerate(pairs):
            base = numbers[name.id]
            entity = decisions.entity(base, id_)
            place = (each.field, each.index, each.start, each.end)
            rows.append(Row(n, base, entity, *place, each.surface, each.name))
    return assigned


def ensure(session: Session, names: Iterable[Named]) -> dict[UUID, int]:
    """The numbers of entities by id; those that are not stored yet are."""
    wanted = {name.id: name for name in names}
    c = _entity.c
    stored: dict[UUID, Any] = {}
    columns = [c.id, c.number, c.name, c.name_fixed, c.heir, c.wikidata, c.iso]

    def look(ids: Iterable[UUID]) -> None:
        for some in chunks(ids):
            rows = session.execute(select(*columns).where(c.id.in_(some)))
            stored.update({row.id: row for row in rows})

    look(wanted)
    new = [_new(name) for id_, name in wanted.items() if id_ not in stored]
    if new:
        session.connection().execute(insert(_entity), new)
        look(row["id"] for row in new)
    fresh = {row["id"] for row in new}
    kept: list[tuple[int, str]] = []
    for id_, name in wanted.items():
        if name.known is not None:
            kept += _refresh(session, stored[id_], _entries()[name.known], new=id_ in fresh)
    tallying.keep(session, kept)
    return {id_: row.number for id_, row in stored.items()}


def _new(name: Named) -> dict[str, Any]:
    entry = _entries()[name.known] if name.known else None
    return {
        "id": name.id,
        "type": name.type,
        "known": name.known,
        "name": name.name,
        "name_key": fold(name.name),
        "name_fixed": False,
        "heir": None,
        "wikidata": entry and entry.wikidata,
        "iso": entry and entry.iso,
        "article_count": 0,
        "mention_count": 0,
    }


def _refresh(
    session: Session, row: Any, entry: authority.Entry, *, new: bool
) -> list[tuple[int, str]]:
    """Take over what the authority file says of an entity; the aliases to keep."""
    name = row.name if row.name_fixed else entry.name
    told = (name, entry.wikidata, entry.iso)
    if told == (row.name, row.wikidata, row.iso) and not new:
        return []
    values = {"name": name, "name_key": fold(name), "wikidata": entry.wikidata, "iso": entry.iso}
    session.execute(update(_entity).where(_entity.c.number == row.number).values(values))
    number = row.number if row.heir is None else row.heir
    return [(number, label) for label in (entry.name, *entry.aliases)]


class _Decisions:
    """What operators have decided of the entities in some articles."""

    def __init__(self, session: Session, ids: Iterable[UUID]) -> None:
        c, s = _entity.c, _split.c
        merged = select(c.number, c.heir).where(c.heir.is_not(None))
        self._heirs: dict[int, int] = {row[0]: row[1] for row in session.execute(merged)}
        self._splits: dict[tuple[int, UUID], int] = {}
        for some in chunks(ids):
            rows = session.execute(
                select(s.entity, s.article_id, s.target).where(s.article_id.in_(some))
            )
            self._splits |= {(row[0], row[1]): row[2] for row in rows}

    def entity(self, base: int, article_id: UUID) -> int:
        """The entity that a mention of `base` means in an article."""
        found = self._heirs.get(base, base)
        seen: set[int] = set()
        while found not in seen and (found, article_id) in self._splits:
            seen.add(found)
            target = self._splits[found, article_id]
            found = self._heirs.get(target, target)
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


def of(session: Session, ids: Iterable[UUID]) -> dict[UUID, list[Mentioned]]:
    """The mentions of each of `ids` that has any, in the order of fields and offsets."""
    found: dict[UUID, list[Mentioned]] = {}
    for some in chunks(ids):
        for article_id, *row in session.execute(_SHOWN, {"ids": some}):
            found.setdefault(article_id, []).append(Mentioned(*row))
    return found


@dataclass(slots=True)
class Terms:
    """What an index holds of an article's entities, and the dateline names that these cover."""

    by_type: dict[str, list[str]]
    covered: set[str]


def terms(session: Session, ids: Iterable[UUID]) -> dict[UUID, Terms]:
    """The entities of each of `ids` as terms for an index; see `filters.term_of`."""
    found = {id_: Terms({}, set()) for id_ in ids}
    a, e, m = _appearance.c, _entity.c, _mention.c
    for some in chunks(found):
        held = select(a.article_id, e.type, e.id).join(_entity, e.number == a.entity)
        for article_id, type_, id_ in session.execute(held.where(a.article_id.in_(some))):
            found[article_id].by_type.setdefault(type_, []).append(term_of(id_))
        printed = select(m.article_id, m.surface).join(_entity, e.number == m.entity)
        printed = printed.where(m.article_id.in_(some), m.field == "dateline", e.type == "place")
        for article_id, surface in session.execute(printed):
            found[article_id].covered.add(fold(surface))
    return found
