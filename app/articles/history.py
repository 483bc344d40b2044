"""The public versions of an article, and their differences by words.

Versions under embargo are left out, and an article that is not shown has none. rapidfuzz computes
the differences. Nothing is written here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from rapidfuzz.distance import Indel
from sqlmodel import Session

from app.articles.identity import TEXT, TextField
from app.articles.removal import opened
from app.articles.stories import Stories, served
from app.articles.versions import Status, Story, Version
from app.errors import NotFound
from app.ingest.draft import FIELDS
from app.search.engine import ListPage, PageKey

MOST_COMPARED = 2**26
"""Most words of one text times words of the other; longer texts are compared by paragraphs."""

PartKind = Literal["equal", "removed", "added"]

_WORD = re.compile(r"\S+\s*")
_PARAGRAPH = re.compile(r"[^\n]+\n*")


@dataclass(frozen=True, slots=True)
class VersionPart:
    """A piece of a text that two versions share, or that one of them has."""

    field: TextField
    kind: PartKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedVersion:
    """A version of an article in the list of them."""

    version: Annotated[int, Field(description="In the order of arrival, from 1.")]
    arrived_at: datetime
    is_shown: Annotated[bool, Field(description="Whether the article is this version.")]
    is_kept: Annotated[bool, Field(description="False where its text went with its days.")]
    status: Status
    headline: str | None
    published_at: datetime | None
    updated_at: datetime | None
    sender_version: int | None
    changed: Annotated[list[str], Field(description="Fields that differ from the version before.")]
    words_added: int
    words_removed: int


def versions(
    session: Session, article_id: UUID, *, limit: int | None = None, after: PageKey | None = None
) -> ListPage[ListedVersion]:
    """The versions of an article that is shown, newest first, those after the key `after`.

    Raises NotFound, Gone or Moved.
    """
    stories, story = _opened(session, article_id)
    known = _known(story)
    first = 0 if after is None else sum(each.number >= after.values[0] for each in known)
    page = known[first : None if limit is None else first + limit]
    before = {each.number: _before(known, each) for each in page}
    wanted = {*page, *filter(None, before.values())}
    stories.fill(story, wanted)
    urls = {each.fields["url"] for each in wanted if each.fields}
    owned = {url for url in urls if stories.owns(story, url)}
    shown = {each.number: _fields(each, owned) for each in wanted}
    listed = [_listed(story, each, before[each.number], shown) for each in page]
    is_last = first + len(page) >= len(known) or not page
    goes_on = None if is_last else PageKey((page[-1].number,), article_id)
    return ListPage(listed, len(known), goes_on)


def version(session: Session, article_id: UUID, number: int) -> dict[str, Any]:
    """A version with its fields, and its difference by words from the version before it.

    Raises NotFound, Gone or Moved.
    """
    stories, story = _opened(session, article_id)
    known = _known(story)
    found = next((each for each in known if each.number == number), None)
    before = None if found is None else _before(known, found)
    stories.fill(story, [each for each in (found, before) if each is not None])
    if found is None or found.fields is None:
        raise NotFound("version", f"{article_id}/{number}")
    url = found.fields["url"]
    fields = _fields(found, {url} if stories.owns(story, url) else set())
    return {
        "id": article_id,
        "version": number,
        "arrived_at": found.arrived_at,
        "is_shown": found is story.served,
        "status": found.status,
        **{name: fields[name] for name in FIELDS},
        "word_count": len(fields["body"].split()),
        "compared_with": None if before is None else before.number,
        "difference": [] if before is None else difference(before.fields or {}, fields),
    }


def hidden(session: Session, article_id: UUID) -> dict[str, Any] | None:
    """The stored versions of a story that is not shown, for operators; None without a story."""
    stories = opened(session)
    found = stories.read([article_id])
    if not found or found[0].heir is not None:
        return None
    (story,) = found
    stories.fill(story)
    names = ("arrived_at", "status", "due_at")
    listed = [
        {"version": each.number}
        | {name: getattr(each, name) for name in names}
        | {"headline": (each.fields or {}).get("headline")}
        for each in story.versions
    ]
    return {"id": article_id, "state": story.state or "hidden", "versions": listed}


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[VersionPart]:
    """The difference by words of two versions, for each text field that differs.

    >>> new = {"headline": "Toll is eight crowns"}
    >>> [(part.kind, part.text) for part in difference({"headline": "Toll is nine crowns"}, new)]
    [('equal', 'Toll is '), ('removed', 'nine '), ('added', 'eight '), ('equal', 'crowns')]
    """
    parts: list[VersionPart] = []
    for name in TEXT:
        before, after = _text(old.get(name)), _text(new.get(name))
        if before != after:
            parts += _compared(name, before, after)
    return parts


def _compared(name: TextField, old: str, new: str) -> list[VersionPart]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if len(before) * len(after) > MOST_COMPARED:
        before, after = _PARAGRAPH.findall(old), _PARAGRAPH.findall(new)
    if len(before) * len(after) > MOST_COMPARED:
        return [VersionPart(name, "removed", old), VersionPart(name, "added", new)]
    parts: list[VersionPart] = []
    removed = added = ""
    for step in Indel.opcodes(before, after):
        old = "".join(before[step.src_start : step.src_end])
        new = "".join(after[step.dest_start : step.dest_end])
        if step.tag == "equal":
            parts += [*_replaced(name, removed, added), VersionPart(name, "equal", new)]
            removed = added = ""
        else:
            removed, added = removed + old, added + new
    return parts + _replaced(name, removed, added)


def _replaced(name: TextField, removed: str, added: str) -> list[VersionPart]:
    pieces = (VersionPart(name, "removed", removed), VersionPart(name, "added", added))
    return [part for part in pieces if part.text]


def _text(value: str | list[str] | None) -> str:
    return "\n".join(value) if isinstance(value, list) else value or ""


def _opened(session: Session, article_id: UUID) -> tuple[Stories, Story]:
    stories = opened(session)
    return stories, served(session, stories, article_id)


def _known(story: Story) -> list[Version]:
    """The versions that are not under embargo, newest first."""
    return [each for each in reversed(story.versions) if each.due_at is None]


def _before(known: Sequence[Version], version: Version) -> Version | None:
    """The newest version before `version` whose text is kept."""
    older = (each for each in known if each.number < version.number and each.has_text)
    return next(older, None)


def _fields(version: Version, owned: set[str]) -> dict[str, Any]:
    """The fields of a version, its address only if `owned`; {} if its text was dropped."""
    fields = version.fields or {}
    return fields if not fields or fields["url"] in owned else fields | {"url": None}


def _listed(
    story: Story, version: Version, before: Version | None, shown: dict[int, dict[str, Any]]
) -> ListedVersion:
    fields = shown[version.number]
    old = None if before is None else shown[before.number] or None
    changed: list[str] = []
    parts: list[VersionPart] = []
    if fields and old is not None:
        changed = [name for name in FIELDS if fields[name] != old[name]]
        parts = difference(old, fields)
    names = ("headline", "published_at", "updated_at", "sender_version")
    more: dict[str, Any] = {name: fields.get(name) for name in names}
    for kind in ("added", "removed"):
        texts = (part.text.split() for part in parts if part.kind == kind)
        more[f"words_{kind}"] = sum(map(len, texts))
    return ListedVersion(
        version=version.number,
        arrived_at=version.arrived_at,
        is_shown=version is story.served,
        is_kept=bool(fields),
        status=version.status,
        changed=changed,
        **more,
    )
