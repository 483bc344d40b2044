"""Saving: which article an input belongs to, and its outcome (saved, revised, stale and so on).

Drafts are compared with what is stored and with what came before in the same call; then all
rows are written in bulk. An article whose JSON changes takes the transaction's change number;
what changes nothing takes none. The rules are those of docs/identity.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlmodel import Session

from app.articles import identity
from app.articles.identity import Marker, Marks
from app.articles.stories import Stories, served
from app.articles.versions import NEVER_US, Given, Story, Version, given
from app.errors import KeyTaken
from app.ingest.draft import Draft, Origin
from app.store import sequence
from app.store.keys import Key
from app.store.models import among, insert_all, tables
from app.text import fold

Outcome = Literal["saved", "revised", "unchanged", "stale", "withheld", "removed", "rejected"]

_key, _loading, _overlap, _source = tables("story_key", "loading", "overlap", "sighting")
_store, _story = tables("store", "story")

SEE = upsert(_source)
SEE = SEE.on_conflict_do_update(
    index_elements=["story_id", "path", "sha256"],
    set_={
        name: SEE.excluded[name]
        for name in (
            *("reader", "reader_version", "loaded_at", "version"),
            *("given_us", "given_number", "due_at"),
        )
    },
)
"""Upsert of an input; one that comes again keeps its first load."""

_TEXTS = ("headline", "summary", "body")
_SAME_GUID = "guid: that of another story too, which differs in address, headline, text and time"
_SAME_URL = "url: that of another story, left out"
_ROOT_URL = "url: a site's front page, left out"


@dataclass(frozen=True, slots=True)
class Saved:
    """The outcome of a draft: `id` is the article's, whether or not its text is shown.

    A draft that was rejected, for `reason`, has the id that an article would have got.
    `warned` is whether the draft has warnings.
    """

    id: UUID
    outcome: Outcome
    reason: str | None = None
    warned: bool = False


@dataclass(slots=True)
class Load:
    """A run of the loader, or an upload. It gets its id with its first change."""

    by: str
    id: int | None = None

    def take(self, session: Session) -> int:
        """The id, assigned at the first call."""
        if self.id is None:
            row = insert(_loading).values(at=datetime.now(UTC), by=self.by).returning(_loading.c.id)
            self.id = session.execute(row).scalar_one()
        return self.id


def save(
    session: Session,
    drafts: Sequence[Draft],
    *,
    publisher: str | None,
    load: Load | None = None,
    by: Key | None = None,
) -> list[Saved]:
    """Store `drafts` in their order; the outcome of each, in the same order.

    `publisher` is the source of drafts from a page that names none. saved: new. revised: another
    version is shown now. stale: a new text, kept and not shown. unchanged: a known text. withheld:
    kept, but the article is not served because of it or an embargo. removed: of a removed article.
    rejected: without a text, ambiguous, or `by` may not write its source or the article's.
    """
    batch = _Batch(session, drafts, publisher, load or Load("store"), by)
    saved = [batch.take(each, frozenset()) for each in batch.inputs]
    batch.write()
    return saved


def save_feed(
    session: Session, entries: Sequence[Draft], *, publisher: str | None, load: Load | None = None
) -> list[Saved]:
    """Store the entries of one feed as `save` does, except for keys that entries share.

    A guid or an address of entries whose headlines differ and whose texts are not alike identifies
    none of them.
    """
    batch = _Batch(session, entries, publisher, load or Load("store"), None)
    shared = frozenset(_shared(batch.inputs))
    saved = [batch.take(each, shared) for each in batch.inputs]
    batch.write()
    return saved


def replace(
    session: Session,
    article_id: UUID,
    draft: Draft,
    *,
    publisher: str | None,
    load: Load | None = None,
    by: Key | None = None,
) -> Saved:
    """Show `draft` instead of the version that an article shows, whatever their dates.

    It gets the rank of the version that it replaces. Raises NotFound, Gone or Moved if the article
    is not shown, KeyTaken for the address or guid of another article, and Forbidden if `by` may
    not write the source of either.
    """
    batch = _Batch(session, [draft], publisher, load or Load("store"), by)
    story = served(session, batch.stories, article_id)
    if by is not None:
        by.require_source(batch.stories.source(story))
        by.require_source(batch.inputs[0].fields["source"])
    outcome = batch.put(story, batch.inputs[0])
    batch.write()
    return Saved(article_id, outcome)


# --- inputs


@dataclass(slots=True, eq=False)
class _Input:
    """A draft with its fields as stored, its keys and its rank."""

    draft: Draft
    fields: dict[str, Any]
    marks: Marks
    given: Given

    @property
    def is_kill(self) -> bool:
        return self.draft.status != "usable"


def _fields(draft: Draft, publisher: str | None) -> dict[str, Any]:
    fields = draft.stored()
    if draft.url is not None:
        fields["url"] = identity.canonical_url(draft.url)
        if identity.address(fields["url"]) is None:
            fields["warnings"].append(_ROOT_URL)
    if draft.source is None and draft.origin.page is not None:
        # `publisher` is that of pages; the source of other inputs that name none is unknown.
        fields["source"] = publisher
    if draft.origin.page is not None and fields["source"]:  # a page's byline may name it
        of_source = fold(fields["source"])
        fields["authors"] = [name for name in draft.authors if fold(name) != of_source]
    return fields


def _shared(entries: Sequence[_Input]) -> set[bytes]:
    """The guids and addresses of `entries` that identify none of them."""
    of: dict[bytes, list[_Input]] = {}
    for each in entries:
        for key in (each.marks.any_guid, each.marks.url):
            if key is not None:
                of.setdefault(key, []).append(each)
    return {
        key
        for key, same in of.items()
        for n, one in enumerate(same)
        if any(_is_unlike(one.fields, [other.fields]) for other in same[:n])
    }


class _Batch:
    """What one call reads and writes."""

    def __init__(
        self,
        session: Session,
        drafts: Sequence[Draft],
        publisher: str | None,
        load: Load,
        by: Key | None,
    ) -> None:
        self._session = session
        self._by = by
        self._load = load
        self._now = datetime.now(UTC)
        store = session.execute(select(_store.c.secret, _store.c.arrivals)).one()
        self._arrivals = self._arrivals_before = cast("int", store.arrivals)
        marker = Marker(store.secret)
        self.inputs: list[_Input] = []
        for draft in drafts:
            fields = _fields(draft, publisher)
            marks = marker.marks(fields)
            rank = given(fields, now=self._now)
            self.inputs.append(_Input(draft, fields, marks, rank))
        self.stories = Stories(session, marker)
        self._owners: dict[bytes, list[Story]] = {}
        self._new_keys: list[tuple[bytes, UUID]] = []
        self._free: set[UUID] = set()
        self._used: set[UUID] = set()
        self._overlaps: set[tuple[UUID, UUID]] = set()
        self._sightings: dict[tuple[UUID, str, str], dict[str, Any]] = {}
        self._seen: dict[tuple[UUID, str, str], tuple[int, bool]] = {}
        self._read()

    def _read(self) -> None:
        """Read the owners of all keys, their versions, and the inputs that they were seen in."""
        owners: dict[bytes, list[UUID]] = {}
        c, s = _key.c, _source.c
        keys = {key for each in self.inputs for key in each.marks.all}
        for row in among(self._session, select(c.key, c.story_id), c.key, keys):
            owners.setdefault(row.key, []).append(row.story_id)
        ids = {id_ for found in owners.values() for id_ in found}
        stories = {story.id: story for story in self.stories.read(ids)}
        for key, found in owners.items():
            self._owners[key] = sorted((stories[id_] for id_ in found), key=_age)
        wanted = {  # ids that new articles will probably get
            each.marks.id
            for each in self.inputs
            if not any(self._owners.get(key) for key in each.marks.all)
        }
        self._free = wanted - self._stored(wanted)
        seen = select(s.story_id, s.path, s.sha256, s.reader_version, s.given_us)
        for row in among(self._session, seen, s.story_id, ids):
            place = (row.story_id, row.path, row.sha256)
            self._seen[place] = (row.reader_version, row.given_us is not None)

    def _stored(self, ids: Iterable[UUID]) -> set[UUID]:
        c = _story.c
        return {row.id for row in among(self._session, select(c.id), c.id, ids)}

    def _new_id(self, each: _Input) -> UUID:
        """An id that no story has: that of the address, or of the words, if it is free."""
        first = id_ = each.marks.id
        n = 1
        while id_ in self._used or (id_ not in self._free and self._stored([id_])):
            n += 1
            id_ = identity.next_id(first, n)
        self._used.add(id_)
        return id_

    # --- deciding

    def take(self, each: _Input, shared: frozenset[bytes]) -> Saved:
        """Assign one input to a story and add its text; the outcome."""
        marks = each.marks
        if not marks.has_text and (
            not each.is_kill or (not marks.has_publisher and len(self._guid_owners(marks)) > 1)
        ):
            reason = "neither headline nor text" if not each.is_kill else "guid: of two articles"
            return Saved(each.marks.id, "rejected", reason)
        story, keys, doubts = self._find(each, shared)
        if self._by is not None and not self._may_write(self._by, each, story):
            return Saved(each.marks.id, "rejected", f"source: {self._by.limit}")
        is_new = story is None
        if story is None:
            story = self._add_story(each)
        self._own(story, (*keys, marks.before), marks)
        if story.state == "erased":
            return Saved(story.id, "removed")
        before, same = story.shown, story.same(marks.text)
        rank = self._given(each, story, None if same else before)
        if same:
            version = self._repeat(each, story, same, rank)
        else:
            if doubts:
                each.fields["warnings"] += doubts
            version = self._add_version(each, story, rank)
        self._see(each, story, version, rank)
        return Saved(
            story.id,
            _outcome(story, before, version, is_new=is_new, is_known=bool(same)),
            warned=bool(each.fields["warnings"]),
        )

    def _may_write(self, by: Key, each: _Input, story: Story | None) -> bool:
        """Whether a key covers the source of an input, and of the article that it belongs to."""
        if by.source is None:
            return True
        is_own = by.covers(each.fields["source"])
        return is_own and (story is None or by.covers(self.stories.source(story)))

    def _find(
        self, each: _Input, shared: frozenset[bytes]
    ) -> tuple[Story | None, tuple[bytes, ...], list[str]]:
        """The story that an input belongs to, the keys that it brings, and warnings."""
        marks = each.marks
        doubts: list[str] = []
        by_guid = self._guid_owners(marks)
        by_url = self._owners.get(marks.url, []) if marks.url is not None else []
        before, by_third = (self._owners.get(key, []) for key in (marks.before, marks.third))
        is_shared_guid = marks.any_guid in shared
        is_shared_url = marks.url in shared
        guids = () if is_shared_guid else marks.guids
        own_url = (marks.url,) if marks.url is not None and not is_shared_url else ()
        fallback = (marks.third,) if marks.has_text else ()
        keys = (*guids, *own_url) or fallback
        for story in (*before, *by_guid, *by_url, *by_third):  # first by the same text
            if story in before or self._has(story, each):
                return story, keys, doubts
        for story in () if is_shared_guid else by_guid:
            if not self._is_other_story(story, each):
                return story, keys, doubts
        if by_guid and not is_shared_guid:
            doubts.append(_SAME_GUID)
        for story in () if is_shared_url else by_url:
            if not self._is_other_entry(story, each):
                return story, keys, doubts
            keys = guids or fallback  # the first entry of a live blog keeps the address
            doubts.append(_SAME_URL)
        if by_third and marks.third in keys:
            return by_third[0], keys, doubts
        return None, keys, doubts

    def _guid_owners(self, marks: Marks) -> list[Story]:
        """The stories of a guid, oldest first.

        If one of the two names no publisher, only a guid that is unique worldwide counts, or any
        if one of them is a kill without a text.
        """
        if not marks.guids:
            return []
        found = [story for key in marks.guids for story in self._owners.get(key, [])]
        others = cast("bytes", marks.nobody if marks.has_publisher else marks.any_guid)
        found += [
            story for story in self._owners.get(others, []) if marks.is_worldwide or story.is_bare
        ]
        return sorted(dict.fromkeys(found), key=_age)

    def _has(self, story: Story, each: _Input) -> bool:
        """Whether `story` has the same text as an input; a bare kill needs the same guid too."""
        same = story.same(each.marks.text)
        if each.marks.has_text or not same:
            return bool(same)
        self.stories.fill(story)
        return any(
            known.fields is not None and known.fields["guid"] == each.fields["guid"]
            for known in same
        )

    def _known(self, story: Story) -> list[dict[str, Any]]:
        """The fields of the versions that an input is compared with, newest first."""
        self.stories.fill(story)
        return [
            version.fields
            for version in reversed(story.versions)
            if version.fields is not None and any(map(version.fields.get, _TEXTS))
        ]

    def _is_other_story(self, story: Story, each: _Input) -> bool:
        """Whether address, headline, text and publication time differ from those of all versions.

        A missing address or text does not differ; a date without a time is not compared.
        """
        if not each.marks.has_text or each.marks.url is None:
            return False
        known = self._known(story)
        places = {identity.address(fields["url"]) for fields in known if fields["url"]} - {None}
        if not places or identity.address(each.fields["url"]) in places:
            return False
        at = each.fields["published_at"]
        is_exact = at is not None and each.fields["published_precision"] != "day"
        if is_exact and at in {fields["published_at"] for fields in known}:
            return False
        return _is_unlike(each.fields, known)

    def _is_other_entry(self, story: Story, each: _Input) -> bool:
        """Whether guid, headline and text differ, as in two entries of a live blog."""
        if each.fields["guid"] is None or not each.marks.has_text:
            return False
        known = self._known(story)
        if not any(fields["guid"] for fields in known):
            return False
        return _is_unlike(each.fields, known)

    def _given(self, each: _Input, story: Story, found: Version | None) -> Given:
        """The rank of an input; a kill without date or number takes that of the shown version."""
        own = each.given
        if each.is_kill and found is not None:
            rank = story.ranks()[found.number]
            us = rank[1] if own.us == NEVER_US else own.us
            own = Given(own.is_full, us, own.number or rank[2])
        return own

    def _add_story(self, each: _Input) -> Story:
        self._arrivals += 1
        story = Story(
            id=self._new_id(each), arrival=self._arrivals, is_bare=not each.marks.has_text
        )
        self.stories.add(story)
        return story

    def _add_version(self, each: _Input, story: Story, rank: Given | None) -> Version:
        until = each.draft.embargoed_until
        self._arrivals += 1
        version = Version(
            number=0,
            text=each.marks.text,
            status=each.draft.status,
            is_full=each.given.is_full,
            given=rank,
            held=(each.given.us, each.given.number),
            arrival=self._arrivals,
            arrived_at=self._now,
            due_at=until if until is not None and until > self._now else None,
            fields=each.fields,
        )
        story.add(version)
        return version

    def _repeat(self, each: _Input, story: Story, same: Sequence[Version], rank: Given) -> Version:
        """Update a known text: it has its highest rank, and the fields given with that."""
        version = same[0]
        for twin in same:
            twin.given = rank if twin.given is None else max(twin.given, rank)
        self._release(each, version)
        own = (each.given.us, each.given.number)
        if version.given == rank and own > version.held:
            version.held = own
            if version.has_text:
                self._refresh(each, story, version)
        if not version.has_text:  # dropped; stored again only if it is shown
            version.has_text = True
            if story.shown is version:
                self._refresh(each, story, version)
            else:
                version.has_text = False
        return version

    def _refresh(self, each: _Input, story: Story, version: Version) -> None:
        fields = each.fields
        if fields["url"] is None and version.has_text:
            self.stories.fill(story)
            fields["url"] = version.fields["url"] if version.fields else None
        self.stories.refresh(story, version, fields)

    def _release(self, each: _Input, version: Version) -> None:
        """End the embargo of a text that comes without one; a later embargo extends it."""
        until = each.draft.embargoed_until
        if version.due_at is not None:
            is_due = until is None or until <= self._now
            version.due_at = None if is_due else max(version.due_at, cast("datetime", until))

    def put(self, story: Story, each: _Input) -> Outcome:
        """Show an editor's text instead of the version that a story shows; raises KeyTaken."""
        marks = each.marks
        by_url = self._owners.get(marks.url, []) if marks.url is not None else []
        for name, owners in (("guid", self._guid_owners(marks)), ("url", by_url)):
            if owners and story not in owners:
                raise KeyTaken(name, str(each.fields[name]), str(owners[0].id))
        shown = cast("Version", story.shown)
        self._own(story, (*marks.guids, *filter(None, [marks.url])), marks)
        if shown.text == marks.text:
            self.stories.fill(story)
            version, is_other = shown, shown.fields != each.fields
            if is_other:  # a load overwrites the fields only with a higher rank
                version.held = story.ranks()[shown.number][1:3]
                self.stories.refresh(story, version, each.fields)
        else:
            version, is_other = self._add_version(each, story, None), True
            version.replaced = shown.number
        self._see(each, story, version, None)
        return "revised" if is_other else "unchanged"

    # --- keys and sightings

    def _own(self, story: Story, keys: Iterable[bytes], marks: Marks) -> None:
        """Give `story` keys: a guid may have several owners, an address and others have one."""
        for key in keys:
            self._give(story, key, marks, is_guid=key in marks.guids)
            if key in marks.guids and marks.any_guid is not None:
                self._give(story, marks.any_guid, marks, is_guid=True)

    def _give(self, story: Story, key: bytes, marks: Marks, *, is_guid: bool) -> None:
        owners = self._owners.setdefault(key, [])
        if story in owners:
            return
        if owners and not is_guid:
            if key == marks.url:
                self._overlaps.add((story.id, owners[0].id))
            return
        owners.append(story)
        self._new_keys.append((key, story.id))
        if key == marks.url and story.showing is not None:
            self.stories.restate(story)

    def _see(self, each: _Input, story: Story, version: Version, rank: Given | None) -> None:
        """Record the input of `story`, once however often it comes."""
        origin = each.draft.origin
        place = (story.id, origin.path, origin.sha256)
        now = (origin.reader_version, rank is not None)
        known = self._seen.get(place)
        if known is not None and now[0] <= known[0] and now[1] <= known[1]:
            return
        self._seen[place] = now
        row = sighting(origin, version, rank, at=self._now)
        own = {"story_id": story.id, "due_at": each.draft.embargoed_until}
        self._sightings[place] = row | own

    def write(self) -> None:
        """Write the batch; if nothing changed, nothing is written and no change number taken."""
        load = self._load.take(self._session) if self._sightings else self._load.id
        keys = [{"key": key, "story_id": id_, "load": load} for key, id_ in self._new_keys]
        touched = self.stories.write(keys)
        connection = self._session.connection()
        rows = [row | {"load": load} for row in self._sightings.values()]
        insert_all(connection, SEE, rows)
        if self._overlaps:
            pairs = [{"story_id": one, "other_id": other} for one, other in self._overlaps]
            connection.execute(upsert(_overlap).on_conflict_do_nothing(), pairs)
        if self._arrivals != self._arrivals_before:
            self._session.execute(update(_store).values(arrivals=self._arrivals))
        seen = {story_id for story_id, _, _ in self._sightings} - touched
        shown = {story.id for story in self.stories.read(seen) if story.showing is not None}
        sequence.stamp(self._session, shown)


def sighting(
    origin: Origin, version: Version, rank: Given | None, *, at: datetime
) -> dict[str, Any]:
    """The row of an input that was read `at` and gave a story `version`, without an embargo."""
    _, us, number = rank or (None, None, None)
    given = {"loaded_at": at, "version": version.number, "given_us": us, "given_number": number}
    return {name: getattr(origin, name) for name in Origin.__slots__} | given | {"due_at": None}


_age = attrgetter("arrival")


def _is_unlike(fields: dict[str, Any], known: Sequence[dict[str, Any]]) -> bool:
    """Whether headline and text differ from those of every known version."""
    headline, text = fold(fields["headline"]), identity.prose(fields)
    return all(fold(each["headline"]) != headline for each in known) and not any(
        identity.alike(text, identity.prose(each)) for each in known
    )


def _outcome(
    story: Story, before: Version | None, version: Version, *, is_new: bool, is_known: bool
) -> Outcome:
    if story.state is not None:
        return "removed"
    if story.served is None:
        return "withheld" if story.shown is None or story.shown is version else "stale"
    if is_new:
        return "saved"
    if story.shown is not before:
        return "revised"
    return "unchanged" if is_known else "stale"
