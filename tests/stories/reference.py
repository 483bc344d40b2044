"""Which article an input belongs to and which of its versions shows, in memory and without haste.

An executable reading of docs/identity.md, which the store is held to by `test_histories`. Dates
are ISO 8601 texts in UTC, to the minute, or days alone; keys are tuples, not digests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.articles import identity
from app.text import fold

CUT = re.compile(r"(…|\.\.\.|\[\+\d+ chars\])\W*$")
URI_OR_UUID = re.compile(
    r"[a-z][a-z0-9+.-]*:\S|[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$", re.IGNORECASE
)
Key = tuple[Any, ...]


@lru_cache(maxsize=100_000)
def alike(one: str, other: str) -> bool:
    """Whether they share a fifth of the shorter one's runs of three words."""
    some, others = (
        {tuple(words[n : n + 3]) for n in range(max(1, len(words) - 2)) if words}
        for words in (fold(one).split(), fold(other).split())
    )
    return not some or not others or len(some & others) / min(len(some), len(others)) >= 0.2


@lru_cache(maxsize=100_000)
def canonical(url: str | None) -> Key | None:
    return None if url is None else identity.address(identity.canonical_url(url))


@dataclass(frozen=True)
class Input:
    guid: str | None = None
    url: str | None = None
    source: str | None = None
    headline: str = ""
    summary: tuple[str, ...] = ()
    body: str = ""
    published_at: str | None = None
    updated_at: str | None = None
    sender_version: int = 0
    status: str = "usable"
    embargoed: bool = False

    @property
    def text(self) -> Key:
        return self.headline, self.summary, self.body

    @property
    def prose(self) -> str:
        return self.body or " ".join(self.summary)

    @property
    def kill(self) -> bool:
        return self.status != "usable"

    @property
    def url_keys(self) -> list[Key]:
        return [("url", canonical(self.url))] if canonical(self.url) else []

    @property
    def before(self) -> Key:
        """The same for inputs that cannot be told apart."""
        return "before", *self.guid_keys, *self.url_keys, self.third_key, self.text, self.kill

    @property
    def teaser(self) -> bool:
        return not self.body or (len(self.body.split()) < 100 and bool(CUT.search(self.body)))

    @property
    def publishers(self) -> list[Key]:
        place = canonical(self.url)
        named = [("source", fold(self.source))] if self.source else []
        return named + ([("host", place[0])] if place else [])

    @property
    def known_everywhere(self) -> bool:
        return bool(URI_OR_UUID.match(self.guid or "")) or not any(self.text)

    @property
    def guid_keys(self) -> list[Key]:
        publishers = self.publishers or [("nobody", None)] * self.known_everywhere
        return [("guid", self.guid, *pair) for pair in publishers if self.guid]

    @property
    def third_key(self) -> Key:
        day, body = (self.published_at or "")[:10], fold(self.body)
        summary = fold(" ".join(self.summary))
        lead: Any = " ".join(body.split()[:8]) or summary if day else (body, summary)
        return "third", fold(self.source or ""), fold(self.headline), lead, day


@dataclass(eq=False)
class Version:
    input: Input
    arrival: int
    given: Key | None = None
    replaced: Version | None = None
    embargoed: bool = False
    number: int = 0

    @property
    def rank(self) -> Key:
        ranks = [self.given, self.replaced.rank[:3] if self.replaced else None]
        return *max(filter(None, ranks)), self.input.kill, self.arrival


@dataclass(eq=False)
class Article:
    id: int
    versions: list[Version] = field(default_factory=list)
    removed: bool = False
    erased: bool = False
    count: int = 0

    @property
    def shown(self) -> Version | None:
        free = [v for v in self.versions if not v.embargoed]
        return max(free, key=lambda v: v.rank, default=None)

    @property
    def served(self) -> bool:
        shown = self.shown
        return not self.removed and shown is not None and not shown.input.kill

    def add(self, version: Version) -> None:
        self.versions.append(version)
        self.count += 1
        version.number = self.count

    def same(self, i: Input) -> list[Version]:
        found = [v for v in self.versions if (v.input.text, v.input.kill) == (i.text, i.kill)]
        return sorted(found, key=lambda v: v.rank, reverse=True)

    def differs(self, i: Input) -> set[str]:
        """What of `i` is other than in every version; a missing address or text is not other."""
        known = [v.input for v in self.versions if any(v.input.text)] if any(i.text) else []
        known = [] if self.erased else known
        urls = {canonical(k.url) for k in known} - {None}
        other = {
            "address": bool(urls and i.url_keys and canonical(i.url) not in urls),
            "headline": fold(i.headline) not in {fold(k.headline) for k in known},
            "text": not any(alike(i.prose, k.prose) for k in known),
            "time": len(i.published_at or "") < 16
            or i.published_at not in {k.published_at for k in known},
        }
        return {name for name, is_other in other.items() if is_other and known}


class Store:
    def __init__(self) -> None:
        self.latest = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        self.articles: list[Article] = []
        self.owners: dict[Key, list[Article]] = {}
        self.arrivals = 0

    def load(self, inputs: list[Input]) -> list[str]:
        return [self._take(i, set()) for i in inputs]

    def load_feed(self, entries: list[Input]) -> list[str]:
        unlike = [
            (i, j)
            for n, i in enumerate(entries)
            for j in entries[:n]
            if fold(i.headline) != fold(j.headline) and not alike(i.prose, j.prose)
        ]
        shared: set[Key] = {("guid", i.guid) for i, j in unlike if i.guid == j.guid}
        shared |= {k for i, j in unlike for k in i.url_keys if k in j.url_keys}
        return [self._take(i, shared) for i in entries]

    def put(self, article: Article, i: Input) -> bool:
        """Whether an editor's text was taken, for an article that shows one."""
        others = self.guid_owners(i), self._owners(i.url_keys)
        if any(owners and article not in owners for owners in others):
            return False
        shown = article.shown
        assert shown is not None
        if shown.input.text != i.text:
            self.arrivals += 1
            article.add(Version(i, self.arrivals, None, shown, i.embargoed))
            self._own(article, i.url_keys + i.guid_keys)
        return True

    def join(self, article: Article, into: Article) -> None:
        for version in article.versions:
            into.add(version)
        for version in into.versions:
            twins = into.same(version.input)
            version.given = max((t.given for t in twins if t.given), default=None)
            if not version.replaced:
                version.arrival = min(t.arrival for t in twins if not t.replaced)
        for key, owners in self.owners.items():
            self.owners[key] = list(dict.fromkeys(into if a is article else a for a in owners))
        self.articles.remove(article)

    def url(self, article: Article) -> str | None:
        shown = article.shown
        is_own = shown is not None and article in self._owners(shown.input.url_keys)
        return shown.input.url if shown is not None and is_own else None

    def _owners(self, keys: list[Key]) -> list[Article]:
        return [a for key in keys for a in self.owners.get(key, [])]

    def guid_owners(self, i: Input) -> list[Article]:
        keys = [
            k
            for k in self.owners
            if i.guid_keys
            and k[:2] == ("guid", i.guid)
            and (k in i.guid_keys or not i.publishers or k[2] == "nobody")
        ]
        found = {
            a
            for k in keys
            for a in self.owners[k]
            if k in i.guid_keys or i.known_everywhere or not any(a.versions[0].input.text)
        }
        return sorted(found, key=lambda a: a.id)

    def _find(self, i: Input, shared: set[Key]) -> tuple[Article | None, list[Key]]:
        """The article that `i` belongs to, by the rules 0 to 3, and the keys that it brings."""
        by_guid, by_url = self.guid_owners(i), self._owners(i.url_keys)
        before, by_third = self._owners([i.before]), self._owners([i.third_key])
        keys = [k for k in i.guid_keys + i.url_keys if k[:2] not in shared]
        keys = keys or [i.third_key] * any(i.text)
        for a in before + by_guid + by_url + by_third:
            if a in before or any(any(i.text) or v.input.guid == i.guid for v in a.same(i)):
                return a, keys
        for a in [] if ("guid", i.guid) in shared else by_guid:
            if len(a.differs(i)) < 4:
                return a, keys
        for a in [] if set(i.url_keys) & shared else by_url:
            has_guid = any(v.input.guid for v in a.versions) and not a.erased
            if not i.guid or not has_guid or not a.differs(i) >= {"headline", "text"}:
                return a, keys
            keys = keys[:-1] or [i.third_key]
        return by_third[0] if by_third and i.third_key in keys else None, keys

    def _own(self, article: Article, keys: list[Key]) -> None:
        for key in keys:
            owners = self.owners.setdefault(key, [])
            if article not in owners and (not owners or key[0] == "guid"):
                owners.append(article)

    def _given(self, i: Input, found: Version | None) -> Key:
        date, number = i.updated_at or i.published_at or "", i.sender_version
        date = "" if date > self.latest else date
        if i.kill and found:
            date, number = date or found.rank[1], number or found.rank[2]
        return i.kill or not i.teaser, date, number

    def _take(self, i: Input, shared: set[Key]) -> str:
        self.arrivals += 1
        ambiguous = not i.publishers and len(self.guid_owners(i)) > 1
        if not any(i.text) and (not i.kill or ambiguous):
            return "rejected"
        found, keys = self._find(i, shared)
        article = found or Article(self.arrivals)
        self.articles += [] if found else [article]
        self._own(article, [*keys, i.before])
        if article.erased:
            return "removed"
        before, same = article.shown, article.same(i)
        given = self._given(i, None if same else before)
        if not same:
            article.add(Version(i, self.arrivals, given, None, i.embargoed))
        for version in same:
            version.given = max(version.given or given, given)
        version = (same or article.versions[-1:])[0]
        version.embargoed = version.embargoed and i.embargoed
        if given == version.given and given > self._given(version.input, None):
            version.input = replace(i, url=i.url or version.input.url)
        if article.removed:
            return "removed"
        if not article.served:
            return "withheld" if article.shown in (None, version) else "stale"
        if not found or article.shown is not before:
            return "revised" if found else "saved"
        return "unchanged" if same else "stale"
