"""What is read from a store while it is written: it must be what some allowed world serves."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.articles.identity import canonical_url
from app.store.database import file_of
from tests import factories
from tests.outside import oracle
from tests.outside.scene import Scene, Walk

if TYPE_CHECKING:
    from tests.outside.oracle import People, Slot


class Reading(Scene):
    """Reads at whichever server is awake."""

    def try_keys(self) -> None:
        """A revoked key is refused at every server, a good one is not."""
        path = "/v1/articles/00000000-0000-4000-8000-000000000000"
        for server in (each for each in self.servers if not each.stopped):
            for keys, expected in ((self.revoked, 401), (list(self.keys.values()), 404)):
                for key in keys[-3:]:
                    headers = {"Authorization": f"Bearer {key}"}
                    answer = server.client.delete(path, headers=headers)
                    assert answer.status_code in (expected, 503), (expected, answer.text)
                    self.counts["keys tried"] += 1

    def look(self, slot: Slot) -> bool:
        """Whether what is served of a slot could be read; it must be allowed."""
        listed = self.get("/v1/articles", source=slot.source, limit=100)
        if listed is None:
            return False
        assert listed["total"] == len(listed["items"])
        assert not oracle.tokens(json.dumps(listed)) & slot.forbidden()
        found = {each["id"]: _shows(each) for each in listed["items"]}
        assert slot.allows(found), (
            slot.number,
            found,
            [[w.shows(a) for a in w.served()] for w in (*slot.worlds, *slot.after)],
            [w.ids for w in slot.worlds],
        )
        if not slot.after:
            slot.worlds = oracle.distinct(slot.worlds)
        return True

    def look_closely(self, slot: Slot) -> None:
        """Every article of a slot answers as it must, with its text and versions."""
        if not self.look(slot) or not slot.is_certain:
            return
        world = slot.world
        client = self.server().client
        for each in world.known():
            id_ = world.ids[each.id]
            answer = client.get(f"/v1/articles/{id_}")
            if answer.status_code == 503:
                return
            if each.served and each.shown is not None:
                assert answer.status_code == 200, answer.text
                assert answer.json()["body"] == each.shown.input.body
                listed = self.get(f"/v1/articles/{id_}/versions", limit=100)
                if listed is None:
                    return
                visible = {v.number: v.input.headline for v in each.versions if not v.embargoed}
                told = {one["version"]: one["headline"] for one in listed["items"]}
                assert told == visible, (slot.number, id_, told, visible)
            elif each.erased or each.removed:
                assert answer.status_code == 410, answer.text
                assert answer.json()["why"] == ("erased" if each.erased else "removed")
            else:
                assert answer.status_code in (404, 410), answer.text
            assert not oracle.tokens(answer.text) & slot.forbidden()
        for id_, heir in world.heirs.items():
            answer = client.get(f"/v1/articles/{id_}")
            assert answer.status_code == 308, answer.text
            assert answer.headers["location"].endswith(heir)

    def look_at_people(self, slot: Slot) -> None:
        """The people of a slot, whose articles have all been read, are as was decided."""
        if not slot.is_certain:
            return
        world = slot.world
        expected: dict[str, set[str]] = {}
        for each in world.served():
            id_ = world.ids.get(each.id)
            if id_ is None:
                return
            meant = world.mentioned(each)
            told = self._told_people(id_, meant, world.people)
            if meant - self.people.keys():
                assert world.people.is_decided, (slot.number, id_, told, meant)
                return  # merged before anybody looked
            assert told.keys() == {self.people[name] for name in meant}, (id_, told, world.people)
            for name in meant:  # of others the fullest common form is shown
                called = world.people.called.get(name)
                assert called in (None, told[self.people[name]]), (id_, told, world.people)
                expected.setdefault(name, set()).add(id_)
        for name, ids in expected.items():
            path = f"/v1/entities/{self.people[name]}"
            assert self.get(path)["article_count"] == len(ids), (slot.number, name)
            listed = self.get(f"{path}/articles", limit=100)
            assert {each["id"] for each in listed["items"]} == ids
            self.counts["people looked at"] += 1
        client = self.server().client
        for name, heir in world.people.merged.items():
            if {name, heir} <= self.people.keys():
                answer = client.get(f"/v1/entities/{self.people[name]}")
                assert answer.status_code == 308, (slot.number, name, answer.text)
                assert answer.headers["location"].endswith(self.people[heir])

    def _told_people(self, id_: str, meant: set[str], people: People) -> dict[str, str]:
        """The people in an article, names by ids; whose name is their own is known from now on."""
        whole = self.get(f"/v1/articles/{id_}")
        told = {m["entity_id"]: m["name"] for m in whole["mentions"] if m["type"] == "person"}
        for entity_id, name in told.items():
            if name in meant and (not people.is_decided or name.endswith("(sailor)")):
                self.people.setdefault(name, entity_id)
        return told

    def follow(self) -> None:
        """Take in the change feed, each page at another server."""
        since = self.since
        cursor: str | None = None
        seen: tuple[int, str] = (since, "\xff")
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.get("/v1/changes", since=since, limit=20, **more)
            if page is None:
                return  # what was taken in comes again, since `since` stays
            for each in page["items"]:
                place = (each["change"], each["id"])
                assert place > seen, (place, seen)
                seen = place
                if each["kind"] == "deleted":
                    self.copy.pop(each["id"], None)
                    continue
                is_known = each["kind"] == "added" or each["id"] in self.copy
                assert is_known, f"a gap before {place}"
                self.copy[each["id"]] = (each["change"], each["article"]["version"])
            cursor = page["next"]
            if cursor is None:
                self.since = page["last"]
                return

    def walk(self) -> None:
        """Begin a walk, or go on with one by some pages."""
        if len(self.walks) < 2:
            self.begin_walk()
        walk = self.chance.choice(self.walks)
        for _ in range(self.chance.randint(1, 6)):
            if walk in self.walks:
                self.turn_page(walk)

    def turn_page(self, walk: Walk) -> None:
        """Read a page; after the last one all that was there throughout was met once."""
        more = {"cursor": walk.cursor} if walk.cursor else {}
        answer = self.server().client.get(walk.path, params=walk.parameters | more)
        if answer.status_code == 503:
            self.counts["503"] += 1
            return
        if answer.status_code == 410:
            assert self.erasures > walk.erasures, answer.text
            self.counts["walks that start again"] += 1
            self.walks.remove(walk)
            return
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for each in page["items"]:
            walk.met[each.get("article", each)["id"]] += 1
        walk.cursor = page["next"]
        if walk.cursor is None:
            self.walks.remove(walk)
            self.counts["walks"] += 1
            for id_, (slot, touched) in walk.expected.items():
                if slot.touched == touched:
                    assert walk.met[id_] == 1, (walk, id_, slot.number)

    def begin_walk(self) -> None:
        path = self.chance.choice(["/v1/articles", "/v1/search"])
        parameters: dict[str, Any] = {"limit": 8, "sort": self.chance.choice(["newest", "oldest"])}
        still = [each for each in self.idle() if each.is_certain]
        if path == "/v1/search":
            parameters["q"] = oracle.COMMON
            parameters["sort"] = self.chance.choice(["relevance", "newest", "oldest"])
            still = [each for each in still if each.touched < self.rested]
        still += [each for each in self.retired if each.is_certain and each.touched < self.rested]
        expected = {
            slot.world.ids[each.id]: (slot, slot.touched)
            for slot in still
            for each in slot.world.served()
            if each.id in slot.world.ids
        }
        going_on = sum("erase" in each.name for each in self.works)
        self.walks.append(Walk(path, parameters, expected, self.erasures - going_on))

    def every(self, path: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """All of a list, by id."""
        found: dict[str, Any] = {}
        cursor: str | None = None
        while True:
            more = {"cursor": cursor} if cursor else {}
            page = self.get(path, limit=15, **parameters, **more)
            assert page is not None
            for each in page["items"]:
                article = each.get("article", each)
                assert article["id"] not in found
                found[article["id"]] = article
            cursor = page["next"]
            if cursor is None:
                assert page["total"] == len(found)
                return found

    def forbidden_is_gone(self) -> None:
        forbidden = {w for slot in (*self.slots, *self.retired) for w in slot.forbidden()}
        client = self.server().client
        assert not oracle.tokens(client.get("/v1/search.jsonl").text) & forbidden
        for word in self.chance.sample(sorted(forbidden), min(5, len(forbidden))):
            assert self.get("/v1/search", q=word)["total"] == 0
            completed = self.get("/v1/search/suggest", q=word[:-1])
            assert word.lower() not in _words(json.dumps(completed)), completed
        if not forbidden:
            return
        # no boundary after a name: in an index any byte may follow
        words = "|".join(f"{each}(?![0-9])" for each in sorted(forbidden))
        told = re.compile(words.encode(), re.IGNORECASE)
        file = file_of(factories.settings(self.folder))
        with closing(sqlite3.connect(file)) as database:
            rows = "\n".join(database.iterdump()).encode()
        assert not told.search(rows)
        for path in (self.folder / "data").rglob("*"):
            if path.is_file() and path != file:
                assert not told.search(path.read_bytes()), path


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _shows(article: dict[str, Any]) -> tuple[Any, ...]:
    at = article["updated_at"] or article["published_at"]
    date = None if at is None else datetime.fromisoformat(at)
    url = article["url"]
    return article["version"], article["headline"], canonical_url(url) if url else None, date
