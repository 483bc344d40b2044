"""Filters: which articles a list or a search is about, the same for the store and for engines.

Names compare folded (`text.fold`), codes lower-case, dates as half-open intervals of UTC.
Parsing happens here; how a filter becomes SQL or postings is decided by its users.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from app.errors import ParameterError
from app.text import fold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ENTITIES = ("person", "organization", "place", "entity")
"""The filters that take an entity's id as well as a name."""
NAMED = ("source", "place", "language", "section", "person", "organization", "entity")
"""The filters that compare a name, in the order of their documentation."""

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TERM = re.compile(r"=[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Choice:
    """Folded names (see `key`), sorted: any of `wanted` (empty: all), none of `unwanted`."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.wanted or self.unwanted)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles: `named` by field, published at or after `since` and before `until`.

    With either bound given, articles without a date are left out.
    """

    named: tuple[tuple[str, Choice], ...] = ()
    since: datetime | None = None
    until: datetime | None = None


def parse(
    named: Mapping[str, Sequence[str]], *, since: str | None = None, until: str | None = None
) -> Filters:
    """Filters from the values of parameters: repeated = any of them, a leading `-` = not it.

    `since` and `until` are a year, month, day or instant; `until` includes the whole period
    that it names. Raises ParameterError naming `from`, `to` or the filter.
    """
    choices = tuple((name, _choice(name, named[name])) for name in sorted(named) if named[name])
    start = period("from", since)[0] if since is not None else None
    end = period("to", until)[1] if until is not None else None
    if start and end and start >= end:
        raise ParameterError("from", f"{since} is after to={until}")
    return Filters(choices, start, end)


def _choice(name: str, values: Sequence[str]) -> Choice:
    if any(not value.replace("-", "").strip() for value in values):
        raise ParameterError(name, "is empty")
    return Choice(
        tuple(sorted({key(name, value) for value in values if not value.startswith("-")})),
        tuple(sorted({key(name, value[1:]) for value in values if value.startswith("-")})),
    )


def key(name: str, value: str) -> str:
    """What the field `name` is compared with: a folded name, or the term of an entity's id."""
    if name in ENTITIES and _UUID.fullmatch(value.strip()):
        return term_of(UUID(value.strip()))
    return fold(value)


def term_of(entity_id: UUID) -> str:
    """An entity's id among folded names, which never begin so.

    >>> term_of(UUID(int=1))
    '=00000000000000000000000000000001'
    """
    return f"={entity_id.hex}"


def id_of(term: str) -> UUID | None:
    """The entity's id that a term stands for, None for a name."""
    return UUID(hex=term[1:]) if _TERM.fullmatch(term) else None


def period(name: str, text: str) -> tuple[datetime, datetime]:
    """First instant of what `text` names, and the first instant after it.

    >>> period("to", "2020-02")[1].isoformat()
    '2020-03-01T00:00:00+00:00'
    """
    try:
        if match := _PERIOD.fullmatch(text):
            year, month, day = (int(part) if part else None for part in match.groups())
            start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
            return start, _after(start, month, day)
        # An unescaped + in a URL arrives as a space.
        instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        instant = instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(UTC)
        return instant, instant + timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise ParameterError(
            name, f"{text!r} is not a year, month, day or instant such as 2020-05-09T12:00:00Z"
        ) from error


def _after(start: datetime, month: int | None, day: int | None) -> datetime:
    if start.year == MAXYEAR:
        return datetime.max.replace(tzinfo=UTC)
    if day:
        return start + timedelta(days=1)
    if month:
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start.replace(year=start.year + 1)
