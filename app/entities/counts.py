"""Counts of mentions, updated by differences: entities of articles, co-occurrences, aliases.

Given the mentions of articles before and after a change, the counts of every entity concerned are
updated by the difference, in the same transaction. `mentions` assigns mentions to entities.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import permutations
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import Session

from app.extract import spelling
from app.extract.base import Mention
from app.store.models import chunks, delete_among, execute_all, metadata, tables
from app.text import fold

MOST_COOCCURRING = 200
"""Entities of an article that count as co-occurring, the most mentioned ones.

An article with more is a list, whose many pairs would mean little.
"""
MOST_ROWS = 100_000
"""Rows that are counted before they are written; one article may have more."""
COMMON = 5
"""A form of a name is common if one in so many of the entity's articles has it."""

_alias, _article_entity, _cooccurrence = tables("alias", "appearance", "companion")
_entity = metadata.tables["entity"]


class MentionRow(NamedTuple):
    """A mention as it is stored, without its article; the names are the table's."""

    n: int
    base: int
    entity: int
    field: str
    bullet: int | None
    start: int
    end: int
    surface: str
    name: str


@dataclass(slots=True)
class _Tally:
    """Differences of counts over some articles."""

    articles: Counter[int] = field(default_factory=Counter)
    mentions: Counter[int] = field(default_factory=Counter)
    named: Counter[tuple[int, str]] = field(default_factory=Counter)
    called: Counter[tuple[int, str]] = field(default_factory=Counter)
    beside: Counter[tuple[int, str]] = field(default_factory=Counter)
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, rows: Sequence[MentionRow], *, sign: int, paired: bool) -> None:
        """Add the counts of one article (`sign` 1) or subtract them (-1)."""
        held = Counter(row.entity for row in rows)
        for entity, count in held.items():
            self.articles[entity] += sign
            self.mentions[entity] += sign * count
        for pair in {(row.entity, row.name) for row in rows}:
            self.named[pair] += sign
        for pair in beside(rows):
            self.beside[pair] += sign
        for pair in {(row.entity, each) for row in rows for each in (row.name, row.surface)}:
            self.called[pair] += sign
        if paired:
            for couple in permutations(cooccurring(rows), 2):
                self.pairs[couple] += sign


def beside(rows: Sequence[MentionRow]) -> set[tuple[int, str]]:
    """Entity and full name of people whose surname alone means somebody else in the article."""
    lone: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        lone[spelling.alone(row.surface)].add(row.base)
    return {
        (row.entity, row.name)
        for row in rows
        if (surname := spelling.surname(row.name))
        and surname in lone
        and row.base not in lone[surname]
    }


def cooccurring(rows: Iterable[MentionRow]) -> list[int]:
    """The entities of an article that count as co-occurring: the most mentioned of many."""
    held = Counter(row.entity for row in rows)
    return [entity for entity, _ in held.most_common(MOST_COOCCURRING)]


def rows(mentions: Collection[Mention]) -> int:
    """How many rows the mentions of an article make at most, its pairs of entities included."""
    paired = min(len({(each.type, each.name) for each in mentions}), MOST_COOCCURRING)
    return len(mentions) + paired * (paired - 1)


def recount(
    session: Session,
    before: Mapping[UUID, Sequence[MentionRow]],
    after: Mapping[UUID, Sequence[MentionRow]],
    published: Mapping[UUID, datetime | None],
) -> None:
    """Update all counts from the mentions `before` to those `after`, by article.

    Both have the same articles; `published` are the dates of those of `after`.
    """
    tally = _Tally()
    appearing: list[dict[str, Any]] = []
    for id_, rows in after.items():
        paired = set(cooccurring(before[id_])) != set(cooccurring(rows))
        tally.add(before[id_], sign=-1, paired=paired)
        tally.add(rows, sign=1, paired=paired)
        if len(tally.pairs) > MOST_ROWS:
            _count_cooccurrences(session, tally.pairs)
            tally.pairs.clear()
        at = published.get(id_)
        day = None if at is None else at.toordinal()
        appearing += [
            {"article_id": id_, "entity": entity, "mentions": count, "day": day}
            for entity, count in Counter(row.entity for row in rows).items()
        ]
    delete_among(session, _article_entity.c.article_id, [id_ for id_ in before if before[id_]])
    execute_all(session, insert(_article_entity), appearing)
    _count_entities(session, tally)
    _count_cooccurrences(session, tally.pairs)
    _count_aliases(session, tally)
    rename(session, {entity for entity, _ in (*tally.named, *tally.called)})


def _count_entities(session: Session, tally: _Tally) -> None:
    moved = [
        {"_number": entity, "_articles": tally.articles[entity], "_mentions": mentions}
        for entity, mentions in tally.mentions.items()
        if mentions or tally.articles[entity]
    ]
    c = _entity.c
    counted = {
        "article_count": c.article_count + bindparam("_articles"),
        "mention_count": c.mention_count + bindparam("_mentions"),
    }
    step = update(_entity).where(c.number == bindparam("_number")).values(counted)
    execute_all(session, step, moved)


def _count_cooccurrences(session: Session, pairs: Counter[tuple[int, int]]) -> None:
    moved = [
        {"entity": entity, "other": other, "count": count}
        for (entity, other), count in sorted(pairs.items())
        if count
    ]
    c = _cooccurrence.c
    step = upsert(_cooccurrence)
    step = step.on_conflict_do_update(
        index_elements=["entity", "other"], set_={"count": c.count + step.excluded.count}
    )
    execute_all(session, step, moved)
    less = [{"_entity": m["entity"], "_other": m["other"]} for m in moved if m["count"] < 0]
    same = (c.entity == bindparam("_entity")) & (c.other == bindparam("_other"))
    execute_all(session, delete(_cooccurrence).where(same, c.count == 0), less)


def _count_aliases(session: Session, tally: _Tally) -> None:
    tallies = {"named": tally.named, "called": tally.called, "beside": tally.beside}
    moved = []
    for pair in tally.called:
        counts = {name: counted[pair] for name, counted in tallies.items()}
        if any(counts.values()):
            moved.append(_alias_row(*pair, kept=False) | counts)
    c = _alias.c
    step = upsert(_alias)
    added = {name: c[name] + step.excluded[name] for name in ("named", "called", "beside")}
    step = step.on_conflict_do_update(index_elements=["entity", "label"], set_=added)
    execute_all(session, step, moved)
    less = [{"_entity": m["entity"], "_label": m["label"]} for m in moved if m["called"] < 0]
    same = (c.entity == bindparam("_entity")) & (c.label == bindparam("_label"))
    execute_all(session, delete(_alias).where(same, c.called == 0, c.kept.is_(False)), less)


def keep(session: Session, kept: Iterable[tuple[int, str]]) -> None:
    """Store labels (entity, label) as aliases that need no article."""
    rows = [_alias_row(*pair, kept=True) for pair in dict.fromkeys(kept)]
    step = upsert(_alias)
    step = step.on_conflict_do_update(index_elements=["entity", "label"], set_={"kept": True})
    execute_all(session, step, rows)


def _alias_row(entity: int, label: str, *, kept: bool) -> dict[str, Any]:
    own = {"entity": entity, "label": label, "key": fold(label), "kept": kept}
    return own | {"named": 0, "called": 0, "surname": spelling.surname(label), "beside": 0}


def rename(session: Session, numbers: Iterable[int]) -> None:
    """Name each entity by the fullest common form of its name.

    Those named by an operator or the authority file keep their names.
    """
    c, a = _entity.c, _alias.c
    renamed = []
    for some in chunks(sorted(numbers)):
        forms: dict[int, list[tuple[str, int]]] = {}
        wanted = select(a.entity, a.label, a.named).where(a.entity.in_(some), a.named > 0)
        for entity, label, named in session.execute(wanted):
            forms.setdefault(entity, []).append((label, named))
        shown = select(c.number, c.name, c.article_count)
        free = shown.where(c.number.in_(some), c.name_fixed.is_(False), c.known.is_(None))
        for number, name, articles in session.execute(free):
            better = fullest(forms.get(number, []), articles)
            if better is not None and better != name:
                renamed.append({"_number": number, "name": better, "name_key": fold(better)})
    execute_all(session, update(_entity).where(c.number == bindparam("_number")), renamed)


def fullest(forms: Iterable[tuple[str, int]], articles: int) -> str | None:
    """The form of a name to show: the common one with the most words and letters.

    Ties go by count, then by the alphabet. If none is common, the commonest is taken.

        >>> fullest([("Imran Khan", 9), ("IMRAN KHAN", 2), ("Imran Ahmed Khan", 3)], 10)
        'Imran Ahmed Khan'
    """
    found = sorted(forms, key=lambda form: (-form[1], form[0]))
    if not found:
        return None
    common = [form for form in found if form[1] * COMMON >= articles] or found[:1]

    def rank(form: tuple[str, int]) -> tuple[int, int, int, int]:
        label, count = form
        return len(label.split()), len(fold(label)), -label.isupper(), count

    best = max(map(rank, common))
    return next(label for label, count in common if rank((label, count)) == best)
