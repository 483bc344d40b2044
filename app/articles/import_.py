"""Import of stories that `export` wrote.

In: drafts of such objects. A new story is stored as exported. A story whose versions are all in the
export is updated. The versions of any other are saved like other inputs. An erased article gets no
text. Only an export with this store's secret may remove or erase an existing article.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from typing import Any, cast

from sqlalchemy import insert, select, update
from sqlmodel import Session

from app.articles import removal, save
from app.articles.identity import SINGLE
from app.articles.save import Load, Outcome, Saved
from app.articles.versions import PLAIN, Given, Story, Version, given
from app.ingest import exported
from app.ingest.draft import FIELDS, Draft, Origin
from app.ingest.exported import ExportedDraft
from app.store import sequence
from app.store.models import insert_all, tables

_article, _key, _sighting, _store = tables("article", "story_key", "sighting", "store")
_story, _tombstone, _version = tables("story", "tombstone", "article_version")

_PLAIN = (*PLAIN, "held")


def take(
    session: Session, drafts: Sequence[Draft], *, publisher: str | None, load: Load
) -> list[Saved]:
    """Store drafts as `save.save` does, exported ones with their versions, keys and inputs."""
    saved: list[Saved] = []
    for is_exported, some in groupby(drafts, key=lambda each: isinstance(each, ExportedDraft)):
        if is_exported:
            saved += [_Taking(session, cast("ExportedDraft", each), load).saved() for each in some]
        else:
            saved += save.save(session, list(some), publisher=publisher, load=load)
    return saved


class _Taking:
    """The import of one story."""

    def __init__(self, session: Session, draft: ExportedDraft, load: Load) -> None:
        self._session = session
        self._draft = draft
        self._exported = draft.exported
        self._load = load
        if self._exported.secret is not None:
            _adopt(session, bytes.fromhex(self._exported.secret))
        store = session.execute(select(_store.c.secret, _store.c.arrivals)).one()
        self._has_secret = self._exported.secret == store.secret.hex()
        self._arrivals: int = store.arrivals
        self._arrived: dict[int, int] = {}
        """Arrival numbers in this store by those of the export; joined duplicates share one."""
        self._stories = removal.opened(session)
        self._versions = self._given_versions()
        self._fields: dict[int, dict[str, Any]] = {}
        for each in self._versions:
            if (fields := self._fields_of(each)) is not None:
                self._fields[each.number] = fields
        marker = self._stories.marker
        self._marks = {number: marker.marks(found) for number, found in self._fields.items()}

    def _given_versions(self) -> tuple[exported.ExportedVersion, ...]:
        """The versions; a table or a search has only the shown one, ranked by its fields."""
        if self._exported.number is None:
            return self._exported.versions
        now = datetime.now(UTC)
        fields = self._draft.stored()
        rank = given(fields, now=now)
        return (
            exported.ExportedVersion(
                number=self._exported.number,
                arrival=0,
                arrived_at=now,
                is_full=rank.is_full,
                given=(rank.us, rank.number),
                held=(rank.us, rank.number),
                shown=True,
                keys=("guid0", "guid1", "guid", "url", "third", "before"),
            ),
        )

    def _fields_of(self, version: exported.ExportedVersion) -> dict[str, Any] | None:
        changed = version.fields
        if version.shown:
            fields = self._draft.stored()
            if changed is not None and "url" in changed.model_fields_set:
                fields["url"] = changed.url
        elif changed is None:
            return None
        else:
            fields = exported.as_draft(changed, self._draft.origin).stored()
        return fields | {"status": version.status}

    def saved(self) -> Saved:
        """Import the story; the outcome."""
        other = self._exported
        known = self._stories.read([other.id, *other.joined])
        story = next((each for each in known if each.id == other.id), None)
        if story is not None and story.state == "erased":
            return save.Saved(other.id, "removed")
        if other.state is not None and known and not self._has_secret:
            if any(each.served is not None for each in known):
                reason = f"{other.state} in the archive that it is from, not in this one"
                return save.Saved(other.id, "rejected", reason)
            return save.Saved(other.id, "removed")
        if other.state == "erased":
            return self._erased()
        if story is None and not self._versions:
            self._bury()
            return save.Saved(other.id, "removed")
        if story is None and not self._is_taken():
            return self._taken(Story(id=other.id, arrival=0, is_bare=other.is_bare), is_new=True)
        if story is not None and self._is_part(story):
            return self._taken(story, is_new=False)
        return self._as_inputs() if other.state is None else self._removed(story)

    def _erased(self) -> Saved:
        keys = [(bytes.fromhex(key), self._exported.id) for key in self._exported.keys]
        ids = {self._exported.id: None, **dict.fromkeys(self._exported.joined, self._exported.id)}
        secret = bytes.fromhex(self._exported.secret or "")
        removal.erase_again(self._session, removal.Erasures(secret, ids, keys))
        return save.Saved(self._exported.id, "removed")

    def _removed(self, story: Story | None) -> Saved:
        """Remove the story if the store has it; the exported texts are not stored."""
        if story is not None and story.heir is None:
            story.state = "removed"
            self._stories.write()
        return save.Saved(self._exported.id, "removed")

    def _is_taken(self) -> bool:
        """Whether another story has one of its keys.

        A story that shares its guid in the exporting store too does not count for that guid.
        """
        wanted = {
            key: name in SINGLE
            for each in self._versions
            if each.number in self._marks
            for name, key in self._marks[each.number].named()
            if name in each.keys
        }
        return any(
            wanted[key] or id_ not in self._exported.beside
            for key, id_ in self._stories.owned(wanted)
        )

    def _is_part(self, story: Story) -> bool:
        """Whether the export has every version that the store has of a story."""
        if story.state == "erased" or story.heir is not None or self._exported.number is not None:
            return False
        known = {each.number for each in self._versions} | set(self._exported.of)
        return all(
            version.number in known
            and (
                version.number not in self._marks
                or version.text == self._marks[version.number].text
            )
            for version in story.versions
        )

    def _taken(self, story: Story, *, is_new: bool) -> Saved:
        """Store what is new of a story."""
        before = story.shown
        if is_new:
            self._arrivals += 1
            story.arrival = self._arrivals
            self._stories.add(story)
        else:
            self._stories.fill(story)
        for each in self._versions:
            if (known := story.numbered(each.number)) is not None:
                self._arrived[each.arrival] = known.arrival
        for each in sorted(self._versions, key=lambda each: each.arrival):
            self._take_version(story, each)
        story.versions.sort(key=lambda each: each.number)
        story.count = max([story.count, *(each.number for each in story.versions)])
        if self._exported.state == "removed":
            story.state = "removed"
        load = self._load.take(self._session)
        self._add_joined(story)
        self._stories.write(self._new_keys(story, load))
        self._see(story, load)
        step = update(_store).values(arrivals=self._arrivals)
        self._session.execute(step)
        if story.showing is None:
            self._bury()
        shown = story.served
        warned = bool(shown and shown.fields and shown.fields["warnings"])
        outcome: Outcome = "removed" if story.state is not None else "withheld"
        if shown is not None:
            outcome = "saved" if is_new else "unchanged" if shown is before else "revised"
        return save.Saved(story.id, outcome, warned=warned)

    def _take_version(self, story: Story, each: exported.ExportedVersion) -> None:
        """Add a version, or update the stored one from the export."""
        version = story.numbered(each.number)
        if version is None:
            if each.arrival not in self._arrived:
                self._arrivals += 1
                self._arrived[each.arrival] = self._arrivals
            story.versions.append(self._new(each, self._arrived[each.arrival]))
            return
        fields = self._fields.get(each.number)
        if fields is not None and version.fields != fields and each.held >= version.held:
            self._stories.refresh(story, version, fields)
        version.given = max(filter(None, [version.given, _given(each)]), default=None)
        version.held = max(version.held, each.held)
        if self._has_secret or each.due_at is None:
            version.due_at = each.due_at

    def _new(self, each: exported.ExportedVersion, arrival: int) -> Version:
        marks = self._marks.get(each.number)
        lost = each.text if self._has_secret else None
        nothing = b"%s %d" % (self._exported.id.bytes, each.number)  # a digest that no text has
        text = blake2b(nothing, digest_size=16, person=b"lost").digest()
        text = bytes.fromhex(lost) if lost else text
        return Version(
            **{name: getattr(each, name) for name in _PLAIN} | {"arrival": arrival},
            text=text if marks is None else marks.text,
            given=_given(each),
            has_text=marks is not None,
            fields=self._fields.get(each.number),
        )

    def _new_keys(self, story: Story, load: int) -> list[dict[str, Any]]:
        """Rows for the exported keys that are new, unless unique and another story's."""
        wanted: dict[bytes, bool] = {}
        for each in self._versions:
            if (marks := self._marks.get(each.number)) is not None:
                for name, key in marks.named():
                    if name in each.keys:
                        wanted[key] = name in SINGLE
        if self._has_secret:
            wanted |= {
                key: True for key in map(bytes.fromhex, self._exported.keys) if key not in wanted
            }
        owned = self._stories.owned(wanted)
        mine = {key for key, id_ in owned if id_ == story.id}
        others = {key for key, id_ in owned if id_ != story.id}
        return [
            {"key": key, "story_id": story.id, "load": load}
            for key, is_single in wanted.items()
            if key not in mine and not (is_single and key in others)
        ]

    def _add_joined(self, story: Story) -> None:
        """Redirect the ids that were joined into a story to it."""
        known = {each.id for each in self._stories.read(self._exported.joined)}
        for id_ in self._exported.joined:
            if id_ not in known:
                self._arrivals += 1
                joined = Story(id=id_, arrival=self._arrivals, is_bare=False, heir=story.id)
                self._stories.add(joined)

    def _see(self, story: Story, load: int) -> None:
        """Record the inputs of a story, or the export itself if it lists none."""
        rows = [each.model_dump() for each in self._exported.sightings]
        if not rows and (shown := story.served) is not None:
            now = datetime.now(UTC)
            rows = [save.sighting(self._draft.origin, shown, shown.given, at=now)]
        more = {"story_id": story.id, "load": load}
        insert_all(self._session.connection(), save.SEE, [row | more for row in rows])

    def _bury(self) -> None:
        """Add the exported tombstone, unless the store has the article or a tombstone."""
        gone, id_ = self._exported.gone, self._exported.id
        shown = select(_article.c.id).where(_article.c.id == id_)
        known = select(_tombstone.c.article_id).where(_tombstone.c.article_id == id_)
        if gone is not None and not self._session.execute(shown.union(known)).all():
            fact = {"why": gone.why, "at": gone.at, "change": sequence.take(self._session)}
            self._session.execute(insert(_tombstone).values(article_id=id_, **fact))

    def _as_inputs(self) -> Saved:
        """Save the versions like other inputs, in the order of their arrival."""
        seen = {each.version: each for each in self._exported.sightings}
        drafts = []
        for each in sorted(self._versions, key=lambda each: each.arrival):
            if (fields := self._fields.get(each.number)) is not None:
                found = exported.Fields.model_validate(
                    {name: fields[name] for name in FIELDS if fields[name] is not None}
                )
                origin = self._draft.origin
                if (sighting := seen.get(each.number)) is not None:
                    origin = Origin(**{name: getattr(sighting, name) for name in Origin.__slots__})
                drafts.append(exported.as_draft(found, origin, each.status))
        saved = save.save(self._session, drafts, publisher=None, load=self._load)
        order = ("saved", "revised", "stale", "withheld", "removed", "unchanged", "rejected")
        return min(
            saved,
            key=lambda each: order.index(each.outcome),
            default=save.Saved(self._exported.id, "unchanged"),
        )


def _given(version: exported.ExportedVersion) -> Given | None:
    return None if version.given is None else Given(version.is_full, *version.given)


def _adopt(session: Session, secret: bytes) -> None:
    """Give an unused store the secret of an export, so that the exported keys are valid."""
    if (
        session.execute(select(_store.c.arrivals)).scalar_one() == 0
        and not session.execute(select(_story.c.id).limit(1)).all()
    ):
        session.execute(update(_store).values(secret=secret))
