"""Reconciliation: the entities that a cell of a table may mean, with scores.

A name or alias that equals the folded cell is a match unless two entities have it. Other candidates
share a prefix or a word, and are scored by edit distance, whatever the order of words. Knows no
HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from app.store.models import tables
from app.text import fold

LEAST_SCORE = 60.0
"""Candidates with a lower score are left out."""

_LOOKED_AT = 300  # aliases that are read for each prefix
_LEAST_BEGINNING = 3  # letters
_MOST_WORDS = 6

_alias, _entity = tables("alias", "entity")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that may be meant; `match` where there is no doubt. `score` is 0 to 100."""

    id: UUID
    name: str
    type: str
    article_count: int
    score: float
    match: bool


def candidates(
    session: Session, text: str, *, types: Collection[str] = (), limit: int = 10
) -> list[Candidate]:
    """What `text` may mean, best first, of these types (empty: of any)."""
    keys = _spellings(text)
    a, e = _alias.c, _entity.c
    best: dict[int, tuple[float, str]] = {}
    for conditions in _looks(keys):
        rows = session.execute(select(a.entity, a.key).where(*conditions).limit(_LOOKED_AT))
        for number, key in rows:
            alike = max(fuzz.token_sort_ratio(own, key) for own in keys)
            score = 100.0 if key in keys else round(min(alike, 99.0), 1)
            best[number] = max(best.get(number, (0.0, "")), (score, key))
    if not best:
        return []
    wanted = select(e.number, e.id, e.name, e.type, e.article_count)
    wanted = wanted.where(e.number.in_(best), e.article_count > 0)
    if types:
        wanted = wanted.where(e.type.in_(types))
    stored = session.execute(wanted).all()
    exact = sum(1 for row in stored if best[row.number][0] == 100)
    found = [
        Candidate(row.id, row.name, row.type, row.article_count, score, score == 100 and exact == 1)
        for row in stored
        if (score := best[row.number][0]) >= LEAST_SCORE
    ]
    found.sort(key=lambda each: (-each.score, -each.article_count, each.id))
    return found[:limit]


def _spellings(text: str) -> list[str]:
    """The folded text, and with a comma also the other way round: `Khan, Imran`."""
    last, comma, first = text.partition(",")
    keys = [fold(text)]
    if comma and first.strip():
        keys.append(fold(f"{first} {last}"))
    return [key for key in dict.fromkeys(keys) if key]


def _looks(keys: list[str]) -> Iterator[tuple[ColumnElement[bool], ...]]:
    """Conditions on the table of aliases, each served by its index."""
    a = _alias.c
    beginnings: dict[str, None] = {}
    for key in keys:
        yield (a.key == key,)
        words = key.split()[:_MOST_WORDS]
        longest = [key, key[: max(2 * len(key) // 3, _LEAST_BEGINNING)], words[0], words[0][:4]]
        beginnings.update(dict.fromkeys([*longest, *words[1:]]))
    for beginning in beginnings:
        if len(beginning) >= _LEAST_BEGINNING:
            yield (a.key >= beginning, a.key < beginning + "\U0010ffff")
