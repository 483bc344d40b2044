"""Counts that are kept by differences equal those that are made anew, whatever happens."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from app.articles import removal
from app.entities import counts as entities_counts
from app.entities import merging
from app.entities import read as entities
from app.errors import RequestError
from tests import factories
from tests.entities.test_read import id_of, story, sweep
from tests.factories import save
from tests.fake_extractor import NAMES, FakeExtractor

if TYPE_CHECKING:
    import pytest

    from app.store.database import Database


class ByHand:
    """What should be stored, worked out from the texts and the decisions alone."""

    def __init__(self) -> None:
        self.texts: dict[UUID, tuple[str, date | None]] = {}
        self.heirs: dict[UUID, UUID] = {}
        self.splits: dict[tuple[UUID, UUID], UUID] = {}

    def meant(self, type_: str, name: str, known: str | None, article_id: UUID) -> UUID:
        found = id_of(name, type_, known)
        found = self.heirs.get(found, found)
        seen = set()
        while (found, article_id) in self.splits and found not in seen:
            seen.add(found)
            found = self.splits[found, article_id]
            found = self.heirs.get(found, found)
        return found

    def counts(self) -> tuple[Any, ...]:
        held: Counter[UUID] = Counter()
        total: Counter[UUID] = Counter()
        together: Counter[tuple[UUID, UUID]] = Counter()
        called: Counter[tuple[UUID, str]] = Counter()
        days: defaultdict[UUID, list[date]] = defaultdict(list)
        for id_, (said, day) in self.texts.items():
            found = Counter(
                (self.meant(*NAMES[each], id_), each) for each in said.split(", ") if each
            )
            mine = {entity for entity, _ in found}
            held.update(mine)
            for (entity, _surface), count in found.items():
                total[entity] += count
            called.update(set(found) | {(entity, NAMES[surface][1]) for entity, surface in found})
            together.update(permutations(mine, 2))
            for entity in mine:
                if day:
                    days[entity].append(day)
        ends = {entity: (min(d), max(d)) for entity, d in days.items()}
        return held, total, together, called, ends

    def save(self, chance: random.Random, database: Database, step: int) -> None:
        said = ", ".join(chance.choices(sorted(NAMES), k=chance.randrange(6)))
        day = chance.choice([None, f"2024-03-{step + 1:02}"])
        (saved,) = save(database, [story(chance.randrange(6), said, day=day)])
        if saved.outcome in ("saved", "revised"):
            self.texts[saved.id] = (said, date.fromisoformat(day) if day else None)

    def remove(self, chance: random.Random, database: Database, _step: int) -> None:
        if self.texts:
            id_ = chance.choice(sorted(self.texts))
            del self.texts[id_]
            with database.transaction() as session:
                removal.remove(session, id_)

    def merge(self, chance: random.Random, database: Database, _step: int) -> None:
        known = sorted(self.counts()[0])
        if len(known) < 2:
            return
        one, other = chance.sample(known, 2)
        with database.transaction() as session:
            merging.merge(session, one, other)
        self.heirs[one] = other
        self.heirs = {each: other if heir == one else heir for each, heir in self.heirs.items()}
        for (source, article_id), target in sorted(self.splits.items()):
            if source == one:
                del self.splits[source, article_id]
                self.splits.setdefault((other, article_id), target)
        same = {other, *(each for each, heir in self.heirs.items() if heir == other)}
        for (source, article_id), target in list(self.splits.items()):
            if source == other and target in same:
                del self.splits[source, article_id]

    def split(self, chance: random.Random, database: Database, _step: int) -> None:
        known = sorted(self.counts()[0])
        if not known:
            return
        one = chance.choice(known)
        article_id = next(id_ for id_ in self.texts if one in self.entities(id_))
        name = chance.choice(["Split One", "Split Two", "Split Three"])
        try:
            with database.transaction() as session:
                target = merging.split(session, one, name, [article_id])
        except RequestError:
            return
        for (source, where), to in list(self.splits.items()):
            if where == article_id and to == one:
                self.splits[source, where] = target
        self.splits.pop((target, article_id), None)
        self.splits[one, article_id] = target

    def entities(self, article_id: UUID) -> set[UUID]:
        """The entities of an article."""
        said = self.texts[article_id][0]
        return {self.meant(*NAMES[each], article_id) for each in said.split(", ") if each}


def stored_counts(database: Database) -> tuple[Any, ...]:
    with database.reading() as session:
        rows = entities.listing(session, limit=1000).items
        held = Counter({each.id: each.article_count for each in rows})
        total = Counter({each.id: each.mention_count for each in rows})
        ends = {e.id: (e.first_seen, e.last_seen) for e in rows if e.first_seen}
        connection = session.connection()
        pairs = connection.exec_driver_sql(
            "SELECT a.id, b.id, c.count FROM companion c JOIN entity a ON a.number = c.entity"
            " JOIN entity b ON b.number = c.other"
        )
        together = Counter({(UUID(row[0]), UUID(row[1])): row[2] for row in pairs})
        labels = connection.exec_driver_sql(
            "SELECT e.id, a.label, a.called FROM alias a JOIN entity e ON e.number = a.entity"
            " WHERE a.called != 0"
        )
        called = Counter({(UUID(row[0]), row[1]): row[2] for row in labels})
        left = connection.exec_driver_sql(
            "SELECT count(*) FROM alias WHERE called = 0 AND NOT kept"
        ).scalar()
        assert left == 0
    return held, total, together, called, ends


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(5, 30))
def test_after_random_loads_removals_merges_and_splits_all_counts_are_exact(
    tmp_path_factory: pytest.TempPathFactory, seed: int, steps: int
) -> None:
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("random")
    most = chance.choice([0, 5, entities_counts.MOST_ROWS])  # written in one go, or in several
    hand = ByHand()
    with patch.object(entities_counts, "MOST_ROWS", most), factories.store(folder) as database:
        for step in range(steps):
            kind = chance.choice(["save", "save", "save", "remove", "merge", "split"])
            sweep(database, folder)
            getattr(hand, kind)(chance, database, step)
        sweep(database, folder, FakeExtractor(chance.choice(["fake 1", "fake 2"])))
        assert stored_counts(database) == hand.counts()
