"""The one shape that every reader yields: a `Draft` of an article, or a `Reject` with its reason.

A reader turns one input into these and never raises for what the input holds. It
does not know the database: identity, revisions and storage are decided elsewhere.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal

Precision = Literal["day", "minute", "second"]
Status = Literal["usable", "canceled", "withheld"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a draft was read.

    `path` is the input's name as the caller gave it; `sha256` is the hex digest of the input
    (for line formats: of the line); `position` counts the articles of a page from 0 (for line
    formats: the line's number from 1). Drafts with equal `page` (not None) stood on one page.
    """

    path: str
    sha256: str
    position: int
    reader: str
    reader_version: int
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an article is about, as a term of a scheme of the sender's."""

    scheme: str | None
    code: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    r"""An article as a reader parsed it, not stored yet.

    Text is NFC with `\n` line ends and no white space at its ends; what is unknown is None
    or empty, never guessed. `body` has its paragraphs separated by one blank line and holds
    no dateline. `authors` are names alone, each once; `urgency` is 1 to 9. `published_at` is
    aware UTC and comes with its precision, or both are None.
    """

    headline: str
    summary: tuple[str, ...] = ()
    caption: str | None = None
    credit: str | None = None
    byline: str | None = None
    authors: tuple[str, ...] = ()
    dateline: str | None = None
    places: tuple[str, ...] = ()
    body: str
    published_at: datetime | None = None
    published_precision: Precision | None = None
    updated_at: datetime | None = None
    embargoed_until: datetime | None = None
    guid: str | None = None
    sender_version: int | None = None
    source: str | None = None
    url: str | None = None
    language: str | None = None
    section: str | None = None
    keywords: tuple[str, ...] = ()
    urgency: int | None = None
    subjects: tuple[Subject, ...] = ()
    usage_terms: str | None = None
    warnings: tuple[str, ...] = ()
    status: Status = "usable"
    origin: Origin

    def stored(self) -> dict[str, Any]:
        """Its fields and its status, as they are stored."""
        members: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        members |= {name: list(members[name]) for name in LISTS}
        subjects = [asdict(each) for each in self.subjects]
        return members | {"subjects": subjects, "status": self.status}


FIELDS = tuple(each.name for each in fields(Draft) if each.name not in ("status", "origin"))
"""The fields of an article that an input gives."""
LISTS = tuple(each.name for each in fields(Draft) if each.default == ())
"""Those that are lists; what is unknown of the others is None."""


@dataclass(frozen=True, slots=True)
class Reject:
    """An input, or one record of it, that is not an article.

    `line` counts from 1; None where the reason concerns the whole input.
    """

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class NoText(Reject):
    """A record in which no headline and no text was found; `names` are those of its members."""

    names: tuple[str, ...] = ()
