"""Versions of a story and which of them shows: ranks, in memory.

A version is a text as one input gave it. The highest rank shows, whatever the order in which
texts came. Nothing is read or written here; see `stories`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from app.articles import identity

Status = Literal["usable", "canceled", "withheld"]

PLAIN = (
    *("number", "status", "is_full", "replaced", "arrival"),
    *("arrived_at", "hidden_at", "due_at"),
)
"""What of a version its row and its export name alike."""
NEVER_US = -(2**63)
"""The date of what bears none: the beginning of time."""
AHEAD = timedelta(days=2)
"""A date that is further ahead than this is a mistake, and counts as none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Given(NamedTuple):
    """What an input gives its text of a rank: full over teaser, then its date, then its number."""

    is_full: bool
    us: int
    number: int


_LOWEST = Given(is_full=False, us=NEVER_US, number=0)


def given(fields: Mapping[str, Any], *, now: datetime) -> Given:
    """What an input with `fields` gives its text; `us` are microseconds since 1970."""
    at = fields["updated_at"] or fields["published_at"]
    is_known = at is not None and at <= now + AHEAD
    us = (at - _EPOCH) // timedelta(microseconds=1) if is_known else NEVER_US
    is_full = fields["status"] != "usable" or not identity.is_teaser(fields["body"])
    return Given(is_full, us, fields["sender_version"] or 0)


@dataclass(slots=True, eq=False, kw_only=True)
class Version:
    """A text of a story. `fields` is None where it is not read yet, or gone (`has_text`)."""

    number: int
    text: bytes
    status: Status
    is_full: bool
    given: Given | None
    """The highest that an input gave it; None where only a PUT did."""
    held: tuple[int, int]
    """Date and number of the input whose fields it has."""
    replaced: int | None = None
    arrival: int
    arrived_at: datetime
    hidden_at: datetime | None = None
    due_at: datetime | None = None
    has_text: bool = True
    fields: dict[str, Any] | None = None

    @property
    def is_kill(self) -> bool:
        """Whether it takes the article out."""
        return self.status != "usable"


Rank = tuple[bool, int, int, bool, int]


@dataclass(slots=True, eq=False, kw_only=True)
class Story:
    """What an id stands for, with all its versions; `showing` is the one that `article` holds."""

    id: UUID
    arrival: int
    is_bare: bool
    count: int = 0
    state: Literal["removed", "erased"] | None = None
    heir: UUID | None = None
    showing: int | None = None
    digest: str | None = None
    """That of the article as it stands; see `models.Article`."""
    versions: list[Version] = field(default_factory=list)

    def add(self, version: Version) -> None:
        """Give `version` the next number."""
        self.count += 1
        version.number = self.count
        self.versions.append(version)

    def numbered(self, number: int | None) -> Version | None:
        """The version of that number, if it is there."""
        return next((each for each in self.versions if each.number == number), None)

    def ranks(self) -> dict[int, Rank]:
        """Full text, date, sender's number, kill, arrival of each version: the highest shows.

        A PUT has the rank of what it replaced, which came before it, and rises with it.
        """
        highest: dict[int, Given] = {}
        ranks: dict[int, Rank] = {}
        for each in self.versions:
            found = [each.given, highest.get(each.replaced or 0)]
            given = max(filter(None, found), default=_LOWEST)
            highest[each.number] = given
            ranks[each.number] = (*given, each.is_kill, each.arrival)
        return ranks

    @property
    def shown(self) -> Version | None:
        """The highest of the versions that are due; it may be a kill."""
        free = [each for each in self.versions if each.due_at is None and each.has_text]
        if len(free) < 2:
            return free[0] if free else None
        ranks = self.ranks()
        return max(free, key=lambda each: ranks[each.number])

    @property
    def served(self) -> Version | None:
        """The version that readers may see; None where the article is out."""
        shown = None if self.state or self.heir else self.shown
        return None if shown is None or shown.is_kill else shown

    def same(self, text: bytes) -> list[Version]:
        """The versions of a text, highest first; after a PUT or a join it may stand twice."""
        found = [each for each in self.versions if each.text == text]
        if len(found) < 2:
            return found
        ranks = self.ranks()
        return sorted(found, key=lambda each: ranks[each.number], reverse=True)
