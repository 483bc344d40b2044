"""The one shape that every reader yields: a `Draft` of an article, or a `Reject` with its reason.

A reader turns one input into these and never raises for what the input holds. It
does not know the database: identity, revisions and storage are decided elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

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
class Draft:
    r"""An article as a reader parsed it, not stored yet.

    Text is NFC with `\n` line ends and no white space at its ends; what is unknown is None
    or empty, never guessed. `body` has its paragraphs separated by one blank line and holds
    no dateline. `published_at` is aware UTC and comes with its precision, or both are None.
    """

    headline: str
    body: str
    origin: Origin
    summary: tuple[str, ...] = ()
    caption: str | None = None
    credit: str | None = None
    byline: str | None = None
    dateline: str | None = None
    places: tuple[str, ...] = ()
    published_at: datetime | None = None
    published_precision: Precision | None = None
    updated_at: datetime | None = None
    embargoed_until: datetime | None = None
    guid: str | None = None
    sender_version: int | None = None
    status: Status = "usable"
    source: str | None = None
    url: str | None = None
    language: str | None = None
    section: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """An input, or one record of it, that is not an article.

    `line` counts from 1; None where the reason concerns the whole input.
    """

    path: str
    line: int | None
    reason: str
