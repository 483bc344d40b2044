"""Random histories of a store, held against the reference after each step."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from app.articles import removal
from app.articles import save as saving
from app.articles.identity import canonical_url
from app.articles.stories import as_fields
from app.errors import KeyTaken
from app.ingest.draft import Draft, Origin
from app.store import sequence
from app.store.models import metadata
from tests import factories
from tests.stories import reference, worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from uuid import UUID

    from sqlmodel import Session

    from app.ingest.draft import Precision
    from app.store.database import Database
    from tests.stories.reference import Input
    from tests.stories.worlds import Operation

TOMORROW = datetime.now(UTC) + timedelta(days=1)
_article, _story, _version = (
    metadata.tables[name] for name in ("article", "story", "article_version")
)


def instant(given: str | None) -> datetime | None:
    return None if given is None else datetime.fromisoformat(given).replace(tzinfo=UTC)


def as_draft(i: Input) -> Draft:
    """The draft that a reader of JSON Lines would make."""
    origin = Origin(
        path="a.jsonl",
        sha256=hashlib.sha256(repr(i).encode()).hexdigest(),
        position=1,
        reader="json_lines",
        reader_version=1,
    )
    is_day = len(i.published_at or "") == len("2021-01-01")
    precision: Precision = "day" if is_day else "minute"
    return Draft(
        headline=i.headline,
        body=i.body,
        summary=i.summary,
        origin=origin,
        guid=i.guid,
        url=i.url,
        source=i.source,
        published_at=instant(i.published_at),
        published_precision=precision if i.published_at else None,
        updated_at=instant(i.updated_at),
        sender_version=i.sender_version or None,
        status="canceled" if i.kill else "usable",
        embargoed_until=TOMORROW if i.embargoed else None,
    )


class Play:
    """A store and the reference, to which the same is done."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.reference = reference.Store()
        self.ids: dict[int, UUID] = {}

    def do(self, operation: Operation) -> None:
        """Do `operation` to both; they must give the same outcomes and hold the same."""
        name, *rest = operation
        if name in ("load", "feed"):
            self.load(name, rest[0])
        elif self.reference.articles:
            done: Callable[..., None] = getattr(self, name)
            done(*rest)
        self.compare()

    def load(self, name: str, inputs: Sequence[Input]) -> None:
        asked = self.reference.load if name == "load" else self.reference.load_feed
        save = saving.save if name == "load" else saving.save_feed
        expected = asked(list(inputs))
        with self.database.transaction() as session:
            saved = save(session, [as_draft(i) for i in inputs], publisher=None)
        assert [each.outcome for each in saved] == expected

    def remove(self, which: int, *_: object) -> None:
        article = self.pick(which)
        if article.served:
            article.removed = True
            self.change(removal.remove, article)

    def restore(self, which: int, *_: object) -> None:
        removed = [each for each in self.reference.articles if each.removed and not each.erased]
        if removed:
            article = removed[which % len(removed)]
            article.removed = False
            self.change(removal.restore, article)

    def erase(self, which: int, *_: object) -> None:
        article = self.pick(which)
        if not article.erased:
            article.removed = article.erased = True
            self.change(removal.erase, article)

    def join(self, which: int, into: int, *_: object) -> None:
        pair = (self.pick(which), self.pick(into))
        if pair[0] is not pair[1] and not any(each.erased for each in pair):
            self.reference.join(*pair)
            self.change(removal.join, *pair)

    def put(self, which: int, _: int, headline: str, body: str, dated: bool) -> None:
        if (article := self.pick_served(which)) is None or article.shown is None:
            return
        dates = {} if dated else {"published_at": None, "updated_at": None}
        i = replace(
            article.shown.input,
            headline=headline,
            body=body,
            embargoed=False,
            **dates,  # type: ignore[arg-type]
        )
        draft = as_draft(i)
        id_ = self.ids[article.id]
        with self.database.transaction() as session:
            try:
                saving.replace(session, id_, draft, publisher=None)
                was_taken = True
            except KeyTaken:
                was_taken = False
        assert was_taken == self.reference.put(article, i)

    def bump(self, which: int, day: int, *_: object) -> None:
        """A sender gives the text that a PUT replaced a newer date."""
        article = self.pick_served(which)
        if article and article.shown and article.shown.replaced:
            older = article.shown.replaced.input
            self.load("load", [replace(older, updated_at=f"2026-01-{day % 28 + 1:02}")])

    def kill(self, which: int, *_: object) -> None:
        article = self.pick_served(which)
        if article and article.shown and article.shown.input.guid:
            i = article.shown.input
            kill = reference.Input(guid=i.guid, source=i.source, url=i.url, status="canceled")
            self.load("load", [kill])

    def change(self, change: Callable[..., None], *of: reference.Article) -> None:
        ids = [self.ids[each.id] for each in of]
        with self.database.transaction() as session:
            change(session, *ids)

    def pick(self, number: int) -> reference.Article:
        return self.reference.articles[number % len(self.reference.articles)]

    def pick_served(self, number: int) -> reference.Article | None:
        served = [each for each in self.reference.articles if each.served]
        return served[number % len(served)] if served else None

    def compare(self) -> None:
        with self.database.reading() as session:
            found = stored(session)
        expected = {each.id: self.expected(each) for each in self.reference.articles}
        assert list(found.values()) == list(expected.values())
        self.ids = dict(zip(expected, found, strict=True))

    def expected(self, article: reference.Article) -> tuple[Any, ...]:
        versions = [
            (v.number, None if article.erased else v.input.text, v.input.kill)
            for v in article.versions
        ]
        shown = article.shown
        if not article.served or shown is None:
            return versions, article.removed, None
        url = self.reference.url(article)
        date = instant(shown.input.updated_at or shown.input.published_at)
        return versions, article.removed, (shown.number, canonical_url(url) if url else None, date)


def stored(session: Session) -> dict[UUID, tuple[Any, ...]]:
    """What the tables hold of each story, oldest first; the article is what shows."""
    found: dict[UUID, tuple[Any, ...]] = {}
    c, v = _story.c, _version.c
    for story in session.execute(select(_story).where(c.heir.is_(None)).order_by(c.arrival)):
        article = session.execute(select(_article).where(_article.c.id == story.id)).one_or_none()
        versions = []
        rows = session.execute(select(_version).where(v.story_id == story.id).order_by(v.number))
        for row in rows:
            text = None
            if article is not None and article.version == row.number:
                text = (article.headline, tuple(article.summary), article.body)
            elif row.fields is not None:
                fields = as_fields(row.fields)
                text = (fields["headline"], tuple(fields["summary"]), fields["body"])
            versions.append((row.number, text, row.status != "usable"))
        shown = None
        if article is not None:
            shown = (article.version, article.url, article.updated_at or article.published_at)
        found[story.id] = (versions, story.state is not None, shown)
    return found


def play(folder: Path, history: Sequence[Operation]) -> None:
    """Play a history, then load all of it again, which changes nothing."""
    with factories.store(folder) as database:
        game = Play(database)
        for operation in history:
            game.do(operation)
        with database.reading() as session:
            before, change = stored(session), sequence.last_change(session)
        for name, *rest in history:
            if name in ("load", "feed"):
                game.load(name, rest[0])
        with database.reading() as session:
            assert stored(session) == before
            assert sequence.last_change(session) == change, "loading again is no change"
        load_and_undo(database, before, worlds.documents(random.Random(change)))


def load_and_undo(database: Database, before: Any, documents: Sequence[Operation]) -> None:
    """Load something else over it and take that back: the same shows, of the same texts."""
    load = saving.Load("load")
    for name, inputs in documents:
        save = saving.save if name == "load" else saving.save_feed
        with database.transaction() as session:
            save(session, [as_draft(i) for i in inputs], publisher=None, load=load)
    if load.id is None:
        return
    with database.transaction() as session:
        removal.undo(session, load.id)
    with database.reading() as session:
        after = stored(session)
    assert {id_: found[:2] for id_, found in after.items()} == {
        id_: found[:2] for id_, found in before.items()
    }
    for id_, found in before.items():
        assert (after[id_][2] or [None])[0] == (found[2] or [None])[0]


@pytest.mark.parametrize("part", range(6))
def test_a_store_does_as_the_reference_does(
    tmp_path: Path, chance: random.Random, part: int
) -> None:
    for n in range(12):
        history = worlds.history(chance)
        try:
            play(tmp_path / str(n), history)
        except Exception as error:
            fewer = smallest(tmp_path, history, type(error))
            raise AssertionError("\n".join(map(str, fewer))) from error


def smallest(folder: Path, history: list[Operation], fault: type[Exception]) -> list[Operation]:
    """The history without what the same fault comes without."""

    def fails(candidate: Sequence[Operation]) -> bool:
        place = folder / f"{hashlib.sha256(repr(candidate).encode()).hexdigest()}"
        try:
            play(place, candidate)
        except fault:
            return True
        except Exception:
            return False
        return False

    for n, (name, *rest) in enumerate(history):
        fewer = [history[:n] + history[n + 1 :]]
        if name in ("load", "feed") and len(rest[0]) > 1:
            fewer += [
                [*history[:n], (name, rest[0][:k] + rest[0][k + 1 :]), *history[n + 1 :]]
                for k in range(len(rest[0]))
            ]
        for candidate in fewer:
            if candidate and candidate[0][0] in ("load", "feed") and fails(candidate):
                return smallest(folder, candidate, fault)
    return history
