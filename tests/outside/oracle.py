"""What must be served: small worlds of stories, by the reference of tests/stories.

A slot is a few stories with keys and words of their own, so that what is done to one slot can
be told from what is done to another at the same time. It holds every world that it may be in:
one, when all that was asked was answered; more, while a write goes on or after it was killed.
Nothing of the program is asked here.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.articles.identity import canonical_url
from tests import factories
from tests.stories import reference, worlds

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from tests.stories.reference import Article, Input

COMMON = "everywhere"
"""A word of every text."""
_TOKEN = re.compile(r"zq\d+x\d+|[A-Z][a-z]+nski\b")
_PERSON = re.compile(r"(?:Ada|Boris) [A-Z][a-z]+nski\b")


class World(reference.Store):
    """A state that a slot may be in; `ids` are those that the program gave its articles."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: dict[int, str] = {}
        self.heirs: dict[str, str] = {}
        self.people = People()

    def copied(self) -> World:
        """Another one of the same state."""
        return copy.deepcopy(self)

    def of(self, id_: str) -> Article:
        """The article of an id."""
        return next(each for each in self.articles if self.ids.get(each.id) == id_)

    def known(self) -> list[Article]:
        """Articles whose id is known."""
        return [each for each in self.articles if each.id in self.ids]

    def shows(self, article: Article) -> tuple[Any, ...]:
        """What a list tells of an article that is served."""
        shown = article.shown
        assert shown is not None
        url = self.url(article)
        at = shown.input.updated_at or shown.input.published_at
        date = None if at is None else datetime.fromisoformat(at).replace(tzinfo=UTC)
        return shown.number, shown.input.headline, canonical_url(url) if url else None, date

    def served(self) -> list[Article]:
        """The articles that readers may see."""
        return [each for each in self.articles if each.served]

    def words(self) -> set[str]:
        """The tokens of every text that is stored."""
        texts = (v.input for each in self.articles if not each.erased for v in each.versions)
        return {word for i in texts for word in tokens(i.headline + i.body)}

    def mentioned(self, article: Article) -> set[str]:
        """The names of the people in an article that is served, as operators have decided."""
        assert article.shown is not None
        id_ = self.ids[article.id]
        return {self.people.meant(name, id_) for name in _PERSON.findall(article.shown.input.body)}

    def adopt(self, found: dict[str, tuple[Any, ...]]) -> bool:
        """Whether a list of what is served may be of this world; ids are learned from it."""
        served = self.served()
        if Counter(map(self.shows, served)) != Counter(found.values()):
            return False
        strange = dict(found)
        for each in served:
            id_ = self.ids.get(each.id)
            if id_ is not None and strange.pop(id_, None) != self.shows(each):
                return False
        if strange.keys() & (set(self.ids.values()) | self.heirs.keys()):
            return False
        for each in served:
            if each.id not in self.ids:
                alike = [id_ for id_, shows in strange.items() if shows == self.shows(each)]
                if not alike:
                    return False
                if len(alike) == 1:
                    self.ids[each.id] = alike[0]
        return True

    def forget_new(self, before: World) -> None:
        """Take back the last load, of which `before` is the world without it.

        Numbers that it gave are not given again.
        """
        counts = {each.id: each.count for each in self.articles}
        ids = self.ids
        self.__dict__.update(before.copied().__dict__)
        for each in self.articles:
            each.count = counts[each.id]
        self.ids = {each.id: ids[each.id] for each in self.articles if each.id in ids}


@dataclass
class People:
    """What operators have decided of the people in a slot, whom it knows by their first names."""

    merged: dict[str, str] = field(default_factory=dict)
    splits: dict[tuple[str, str], str] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)

    def meant(self, name: str, article_id: str) -> str:
        """Whom a name means in an article."""
        found = self.merged.get(name, name)
        while (found, article_id) in self.splits:
            target = self.splits[found, article_id]
            found = self.merged.get(target, target)
        return found

    def merge(self, name: str, heir: str) -> None:
        """Make one person another, with what was split off either; neither is merged yet."""
        self.merged |= {n: heir for n, h in self.merged.items() if h == name} | {name: heir}
        same = {heir} | {n for n, h in self.merged.items() if h == heir}
        own = {a for e, a in self.splits if e == heir}
        handed = {(heir, a): t for (e, a), t in self.splits.items() if e == name and a not in own}
        kept = {place: t for place, t in self.splits.items() if place[0] != name}
        self.splits = {
            (e, a): t for (e, a), t in (kept | handed).items() if e != heir or t not in same
        }

    def split(self, name: str, other: str, article_ids: Iterable[str]) -> None:
        """Make a person another one in some articles."""
        for id_ in article_ids:
            for place, target in self.splits.items():
                if target == name and place[1] == id_:
                    self.splits[place] = other
            self.splits.pop((other, id_), None)
            self.splits[name, id_] = other

    def join(self, article_id: str, into_id: str) -> None:
        """Hand on what was decided in an article that is joined with another."""
        for name, id_ in list(self.splits):
            if id_ == article_id:
                target = self.splits.pop((name, id_))
                self.splits.setdefault((name, into_id), target)

    def forget(self, article_id: str) -> None:
        """Leave out what was decided in an article that is erased."""
        self.splits = {place: t for place, t in self.splits.items() if place[1] != article_id}

    @property
    def is_decided(self) -> bool:
        """Whether there is anything: names that were decided of stay."""
        return bool(self.merged or self.splits or self.called)


def tokens(text: str) -> set[str]:
    """The words of a text that only its story has."""
    return set(_TOKEN.findall(text))


@dataclass(eq=False)
class Slot:
    """Stories that are written by one operation at a time."""

    number: int
    pending: list[Input]
    worlds: list[World] = field(default_factory=lambda: [World()])
    after: list[World] = field(default_factory=list)
    """Where the operation that goes on may lead; empty while there is none."""
    sent: list[Input] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    touched: int = 0
    retired: bool = False
    undoable: tuple[int, World] | None = None
    """The load that came last, if it brought new texts alone, and the world before it."""

    @property
    def source(self) -> str:
        """The publisher of its stories alone."""
        return f"Post {self.number}"

    @property
    def world(self) -> World:
        """The state that it is in."""
        (only,) = self.worlds
        return only

    @property
    def is_certain(self) -> bool:
        """Whether it can only be in one state."""
        return len(self.worlds) == 1 and not self.after

    def forbidden(self) -> set[str]:
        """Tokens of erased texts that nothing else holds, nor an operator's decision."""
        possible = (*self.worlds, *self.after)
        found = self.erased - {w for each in possible for w in each.words()}
        if any(each.people.is_decided for each in possible):
            found = {word for word in found if word.startswith("zq")}
        return found

    def allows(self, found: dict[str, tuple[Any, ...]]) -> bool:
        """Whether a list may be of any state of it; while nothing goes on, others are let go."""
        if self.after:
            return any(each.copied().adopt(found) for each in (*self.worlds, *self.after))
        fitting = [each for each in self.worlds if each.adopt(found)]
        self.worlds = fitting or self.worlds
        return bool(fitting)


def slot(chance: random.Random, number: int) -> Slot:
    """Stories that are known by a source, a host and guids of their own."""
    features = {each for each in worlds.FEATURES if chance.random() < 0.3}
    kind = chance.choice(worlds.KINDS[:4])
    has_people = chance.random() < 0.4
    keys = chance.choice([{"guid"}, {"url"}, {"guid", "url"}, {"guid", "url"}, set()])
    sent: list[Input] = []
    for story in range(chance.randint(1, 3)):
        token = f"zq{number}x{story}"
        for i in worlds.story(chance, story, keys, kind, features):
            about = f"{COMMON} {token}"
            if has_people:
                one, other = (
                    factories.surname(4 * number + story),
                    factories.surname(4 * number + 3),
                )
                about += f". Minister Ada {one} met President Boris {other} in Cairo."
            sent.append(_own(i, number, token, about))
    if chance.random() < 0.5:
        chance.shuffle(sent)
    return Slot(number, sent)


def _own(i: Input, number: int, token: str, about: str) -> Input:
    guid = f"{i.guid}-{number}" if i.guid else None
    url = i.url.replace("://", f"://s{number}.") if i.url else None
    return replace(
        i,
        guid=guid,
        url=url,
        source=f"Post {number}",
        headline=f"{i.headline} {token}",
        body=f"{about} {i.body}",
    )


def as_json(i: Input) -> dict[str, Any]:
    """An input as a line of JSON Lines."""
    value: dict[str, Any] = {
        "headline": i.headline,
        "body": i.body,
        "guid": i.guid,
        "url": i.url,
        "source": i.source,
        "published_at": _instant(i.published_at),
        "updated_at": _instant(i.updated_at),
        "sender_version": i.sender_version or None,
        "embargoed_until": "2090-01-01T00:00:00Z" if i.embargoed else None,
    }
    return {name: each for name, each in value.items() if each is not None}


def _instant(given: str | None) -> str | None:
    return given if given is None or len(given) == len("2021-01-01") else f"{given}:00Z"


def loaded(world: World, inputs: Sequence[Input]) -> tuple[World, list[str]]:
    """The world after a load, and what becomes of each input."""
    after = world.copied()
    return after, after.load(list(inputs))


def distinct(some: Iterable[World]) -> list[World]:
    """Worlds that differ in what is stored."""
    found: dict[Any, World] = {}
    for each in some:
        articles = tuple(
            (
                *(each.ids.get(a.id), a.removed, a.erased, a.count),
                *((v.number, v.input, v.rank, v.embargoed) for v in a.versions),
            )
            for a in each.articles
        )
        owners = tuple(
            sorted((repr(k), tuple(a.id for a in v)) for k, v in each.owners.items() if v)
        )
        found.setdefault(repr((articles, owners, each.people)), each)
    return list(found.values())
