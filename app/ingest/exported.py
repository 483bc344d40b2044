"""The format of exported stories: what an article has besides its fields.

In: an object that `app.articles.export` wrote, or a row of its CSV. Out: an `Exported` (id,
versions, inputs, keys) besides the fields of the shown version. Nothing is cleaned or completed.
Values that no store would have are rejected, since anybody can write such a file.
`app.articles.import_` stores it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from app.ingest import bounds
from app.ingest.draft import FIELDS, LISTS, Draft, Origin, Precision, Reject, Status, Subject

MEMBER = "broadsheet"
"""The member of an article's object that holds all of this."""

_OWN = frozenset({"id", "change", "version", "word_count", "language_detected", "sources"})
_NUMBER = Annotated[int, Field(ge=1, lt=2**31)]
_LONG = Annotated[int, Field(ge=-(2**63), lt=2**63)]
_DIGEST = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
_TEXT = Annotated[str, Field(max_length=bounds.TEXT_CHARS)]


def _utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is out of range in UTC") from error


def _of_news(at: datetime) -> datetime:
    if reason := bounds.implausible(at):
        raise ValueError(reason)
    return at


def _past(us: int) -> int:
    if us > (datetime.now(UTC) + bounds.AHEAD).timestamp() * 1_000_000:
        raise ValueError(f"is over {bounds.AHEAD.days} days ahead")
    return us


_At = Annotated[AwareDatetime, AfterValidator(_utc)]
_NewsAt = Annotated[_At, AfterValidator(_of_news)]
_Rank = tuple[Annotated[_LONG, AfterValidator(_past)], _LONG]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)  # most loads read no export


class _Subject(_Shape):
    scheme: str | None = None
    code: str | None = None
    name: str | None = None


class Fields(_Shape):
    """The fields that an input gives an article, as they are stored."""

    headline: str = ""
    summary: list[str] = []
    caption: str | None = None
    credit: str | None = None
    byline: str | None = None
    authors: list[str] = []
    dateline: str | None = None
    places: list[str] = []
    body: str = ""
    published_at: _NewsAt | None = None
    published_precision: Precision | None = None
    updated_at: _NewsAt | None = None
    embargoed_until: _At | None = None
    guid: str | None = None
    sender_version: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    source: str | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$")] | None = None
    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] | None = None
    section: str | None = None
    keywords: list[str] = []
    urgency: Annotated[int, Field(ge=1, le=9)] | None = None
    subjects: list[_Subject] = []
    usage_terms: str | None = None
    warnings: list[str] = []


COLUMNS = ("id", "change", "version", "language_detected", *FIELDS)
"""The columns of an export as CSV; a list or an object is JSON."""


class ExportedVersion(_Shape):
    """A version of a story; see `app.store.models.ArticleVersion` for its members.

    `keys` names those of its keys that the story owns. The `shown` one has the fields of the
    article and what `fields` says otherwise. One without `fields` that is not shown has lost its
    text; `text` is its digest then, good with the `secret` of the export alone.
    """

    number: _NUMBER
    arrival: _LONG
    arrived_at: _At
    status: Status = "usable"
    is_full: bool
    given: _Rank | None = None
    held: _Rank
    replaced: _NUMBER | None = None
    hidden_at: _At | None = None
    due_at: _At | None = None
    shown: bool = False
    keys: tuple[str, ...] = ()
    text: _DIGEST | None = None
    fields: Fields | None = None


class Sighting(_Shape):
    """An input that a story was seen in."""

    path: _TEXT
    sha256: Annotated[str, Field(max_length=64)]
    position: _LONG
    reader: Annotated[str, Field(max_length=32)]
    reader_version: _LONG
    loaded_at: _At
    page: Annotated[str, Field(max_length=64)] | None = None
    version: _NUMBER
    given_us: _LONG | None = None
    given_number: _LONG | None = None
    due_at: _At | None = None


class Gone(_Shape):
    """Why and since when an article is not served."""

    why: Literal["removed", "erased", "withheld", "joined"]
    at: _At


def _each_once(versions: tuple[ExportedVersion, ...]) -> tuple[ExportedVersion, ...]:
    if len({each.number for each in versions}) < len(versions):
        raise ValueError("a number stands twice")
    return versions


class Exported(_Shape):
    """A story of another archive, whole; of a table or a search, the `number` of what shows alone.

    `keys` are digests with the `secret` of that archive, which only an operator's export has.
    `beside` are articles with one of its guids that are other stories there. `of` are the numbers
    of all its versions, where this is but a part of them.
    """

    export: Literal[1] = 1
    id: UUID
    number: _NUMBER | None = None
    state: Literal["removed", "erased"] | None = None
    is_bare: bool = False
    gone: Gone | None = None
    joined: tuple[UUID, ...] = ()
    beside: tuple[UUID, ...] = ()
    of: tuple[_NUMBER, ...] = ()
    versions: Annotated[tuple[ExportedVersion, ...], AfterValidator(_each_once)] = ()
    sightings: tuple[Sighting, ...] = ()
    keys: tuple[_DIGEST, ...] = ()
    secret: Annotated[str, Field(pattern="^([0-9a-f]{2}){16,64}$")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedDraft(Draft):
    """A draft with what an export says of it besides; its fields are those of what shows."""

    exported: Exported


def is_exported(record: dict[str, Any]) -> bool:
    """Whether an archive wrote a record: for an export, or as a hit of a search."""
    return isinstance(record.get(MEMBER), dict) or record.keys() >= _OWN


def of_record(record: dict[str, Any], origin: Origin) -> Draft | Reject:
    """The article of a record that an archive wrote."""
    more = record.get(MEMBER)
    member = more if isinstance(more, dict) else {"number": record.get("version")}
    return _draft({**member, "id": record.get("id")}, record, origin)


def of_row(row: dict[str, str], origin: Origin) -> Draft | Reject:
    """The article of a row of a table with COLUMNS."""
    record: dict[str, Any] = {}
    for name, cell in row.items():
        if name in LISTS and cell:
            try:
                record[name] = orjson.loads(cell)
            except orjson.JSONDecodeError as error:
                reason = f"not as an archive exports it: {name}: {error.msg}"
                return Reject(origin.path, origin.position, reason)
        elif cell:
            record[name] = cell
    if record.pop("language_detected", None) == "true":
        record["language_detected"] = True
    return _draft({"number": row["version"], "id": row["id"]}, record, origin)


def _draft(member: dict[str, Any], record: dict[str, Any], origin: Origin) -> Draft | Reject:
    try:
        exported = Exported.model_validate(member)
        shown = _members(_shown_fields(record))
        article = ExportedDraft(**shown, origin=origin, exported=exported)
        drafts: list[Draft] = [article] * (exported.number is not None)
        drafts += [
            article if each.shown else as_draft(each.fields or Fields(), origin, each.status)
            for each in exported.versions
            if each.shown or each.fields is not None
        ]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return Reject(
            origin.path, origin.position, f"not as an archive exports it: {where}: {first['msg']}"
        )
    for each in drafts:
        reason = bounds.excess(each)
        if each.status == "usable" and not (each.headline or each.summary or each.body):
            reason = "neither headline nor text"
        if reason:
            return Reject(origin.path, origin.position, reason)
    return article


def _shown_fields(record: dict[str, Any]) -> Fields:
    """The fields of the article that a record shows; a language that was detected is not one."""
    known = {name: record[name] for name in FIELDS if record.get(name) is not None}
    if record.get("language_detected") is True:
        known.pop("language", None)
    return Fields.model_validate(known)


def as_draft(fields: Fields, origin: Origin, status: Status = "usable") -> Draft:
    """The draft of fields that were stored."""
    return Draft(**_members(fields), status=status, origin=origin)


def _members(fields: Fields) -> dict[str, Any]:
    members: dict[str, Any] = {name: getattr(fields, name) for name in FIELDS}
    members |= {name: tuple(members[name]) for name in LISTS}
    return members | {"subjects": tuple(Subject(**each.model_dump()) for each in fields.subjects)}
