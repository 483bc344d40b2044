"""Versions of a story in memory, and the ranks that decide which is shown.

A version is a text as one input gave it. The highest rank is shown, whatever the order in which
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
"""Attributes of a version that have the same names in its row and its export."""
NEVER_US = -(2**63)
"""The date of an undated input, before all others."""
AHEAD = timedelta(days=2)
"""A date further in the future than this is a mistake, and ignored."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Given(NamedTuple):
    """The rank that an input gives its text: full over teaser, then date, then number."""

    is_full: bool
    us: int
    number: int


_LOWEST = Given(is_full=False, us=NEVER_US, number=0)


def given(fields: Mapping[str, Any], *, now: datetime) -> Given:
    """The rank that an input with `fields` gives its text; `us` are microseconds since 1970."""
    at = fields["updated_at"] or fields["published_at"]
    is_known = at is not None and at <= now + AHEAD
    us = (at - _EPOCH) // timedelta(microseconds=1) if is_known else NEVER_US
    is_full = fields["status"] != "usable" or not identity.is_teaser(fields["body"])
    return Given(is_full, us, fields["sender_version"] or 0)


@dataclass(slots=True, eq=False, kw_only=True)
class Version:
    """A text of a story. `fields` is None if not read yet or, without `has_text`, dropped."""

    number: int
    text: bytes
    status: Status
    is_full: bool
    given: Given | None
    """The highest rank that an input gave it; None if only a PUT did."""
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
        """Whether it cancels or withholds the article."""
        return self.status != "usable"


Rank = tuple[bool, int, int, bool, int]


@dataclass(slots=True, eq=False, kw_only=True)
class Story:
    """A story with all its versions; `showing` is the number of the one in `article`."""

    id: UUID
    arrival: int
    is_bare: bool
    count: int = 0
    state: Literal["removed", "erased"] | None = None
    heir: UUID | None = None
    showing: int | None = None
    digest: str | None = None
    """The digest of the stored article; see `models.Article`."""
    versions: list[Version] = field(default_factory=list)

    def add(self, version: Version) -> None:
        """Add `version` with the next number."""
        self.count += 1
        version.number = self.count
        self.versions.append(version)

    def numbered(self, number: int | None) -> Version | None:
        """The version of that number; None without one."""
        return next((each for each in self.versions if each.number == number), None)

    def ranks(self) -> dict[int, Rank]:
        """The rank of each version by number: full text, date, sender's number, kill, arrival.

        A PUT has at least the rank of the version that it replaced.
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
        """The version of the highest rank that has a text and no embargo; it may be a kill."""
        free = [each for each in self.versions if each.due_at is None and each.has_text]
        if len(free) < 2:
            return free[0] if free else None
        ranks = self.ranks()
        return max(free, key=lambda each: ranks[each.number])

    @property
    def served(self) -> Version | None:
        """The version that is public; None if the article is removed, joined or withheld."""
        shown = None if self.state or self.heir else self.shown
        return None if shown is None or shown.is_kill else shown

    def same(self, text: bytes) -> list[Version]:
        """The versions with this text, highest rank first; several after a PUT or a join."""
        found = [each for each in self.versions if each.text == text]
        if len(found) < 2:
            return found
        ranks = self.ranks()
        return sorted(found, key=lambda each: ranks[each.number], reverse=True)
