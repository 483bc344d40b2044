"""Filters: which articles a list or search includes, for the store and for engines alike.

Names compare folded (`text.fold`), languages by the first subtag of a BCP 47 tag, dates as
half-open intervals in a time zone. This module parses filters; store and engines apply them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from app.errors import ParameterError
from app.text import fold

ENTITIES = ("person", "organization", "place", "entity")
"""The filters that accept an entity's id as well as a name."""
NAMED = (
    *("source", "place", "language", "section", "author", "keyword", "domain"),
    *("person", "organization", "entity"),
)
"""The filters that compare a name, in the order of their documentation."""

SEARCHED = (*NAMED, "byline", "url")
"""The names that an engine indexes: the filters, and two fields of the query language only."""

_ADDRESS = re.compile(r"^(?:[a-z]+:)?(?://)?(?:www\.)?|/+$", re.IGNORECASE)
_RUN = 6  # most words of a run in a byline
_PERIOD = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|(\d{2})(\d{2}))?", re.ASCII
)  # 2024, 2024-03, 2024-03-31, 20240331
_INSTANT = re.compile(
    r"(?P<hour>[0-9-]+[Tt ]\d\d)(?P<minute>:?\d\d)?(?P<second>:?\d\d)?(?P<part>[.,]\d+)?"
    r"(?P<offset>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
_EDGES = (datetime.min, datetime.max)  # noqa: DTZ901 of any zone
_LAST = datetime.max.replace(tzinfo=UTC)
_LENGTHS = {
    "part": timedelta(microseconds=1),
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SUBTAG = re.compile(r"(?<=^[a-z]{2})[-_].*", re.IGNORECASE)  # of a tag with a code we know
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

    Either bound excludes undated articles. A date of day precision is that day in every
    `time_zone`: it is compared with `day_bounds`.
    """

    named: tuple[tuple[str, Choice], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    time_zone: str = "UTC"
    """The IANA time zone of days and hours."""
    ids: tuple[UUID, ...] | None = None
    """The only articles that may pass; None: any."""
    urls: tuple[str, ...] = ()
    """Addresses of which an article must have one, as they were given."""
    guids: tuple[str, ...] = ()
    """Senders' ids of which an article must have one."""

    @property
    def are_any(self) -> bool:
        """Whether every article passes."""
        return self == Filters(time_zone=self.time_zone)

    @property
    def day_bounds(self) -> tuple[datetime | None, datetime | None]:
        """`since` and `until` in local time, labelled as UTC."""
        return shown(self.since, self.time_zone), shown(self.until, self.time_zone)

    def without(self, name: str) -> Filters:
        """The same filters without those on the field `name`."""
        return replace(self, named=tuple(each for each in self.named if each[0] != name))


def known_zone(name: str) -> str:
    """`name` if it is that of an IANA time zone; raises ValueError."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone") from error
    return name


def parse(
    named: Mapping[str, Sequence[str]],
    *,
    since: str | None = None,
    until: str | None = None,
    time_zone: str = "UTC",
    ids: Sequence[UUID] = (),
    urls: Sequence[str] = (),
    guids: Sequence[str] = (),
) -> Filters:
    """Filters from parameter values: repeated values are alternatives, a leading `-` excludes.

    `since` and `until` are periods as `period` parses them; `until` includes its whole period. An
    address may lack its scheme. Raises ParameterError naming the parameter.
    """
    choices = tuple((name, _choice(name, named[name])) for name in sorted(named) if named[name])
    start = period("from", since, time_zone)[0] if since is not None else None
    end = period("to", until, time_zone)[1] if until is not None else None
    if start and end and start >= end:
        raise ParameterError("from", f"{since} is after to={until}")
    return Filters(
        choices,
        start,
        end,
        time_zone,
        ids=tuple(sorted(set(ids))) or None,
        urls=tuple(sorted({_address(url) for url in urls})),
        guids=tuple(sorted(set(guids))),
    )


def _address(url: str) -> str:
    url = url.strip()
    address = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or any(map(str.isspace, address)):
        raise ParameterError("url", f"{url!r} is no http or https address")
    return address


def _choice(name: str, values: Sequence[str]) -> Choice:
    if any(not value.replace("-", "").strip() for value in values):
        raise ParameterError(name, "is empty")
    return Choice(
        tuple(sorted({key(name, value) for value in values if not value.startswith("-")})),
        tuple(sorted({key(name, value[1:]) for value in values if value.startswith("-")})),
    )


def key(name: str, value: str) -> str:
    """The comparison key of a value of the field `name`: folded, or the term of an entity's id.

    >>> key("language", "en-GB"), key("source", "Le Monde "), key("domain", "WWW.Example.org")
    ('en', 'le monde', 'example.org')
    """
    if name in ENTITIES and _UUID.fullmatch(value.strip()):
        return term_of(UUID(value.strip()))
    if name == "language":
        value = _SUBTAG.sub("", value)
    if name == "url":
        return address(value)
    return domain(value) if name == "domain" else fold(value)


def domain(address: str) -> str:
    """The host of an address, or a host itself, in lower case without `www.`.

    >>> domain("https://www.example.org:8080/a"), domain("News.Example.org")
    ('example.org', 'news.example.org')
    """
    text = address.strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:  # a bracket that is never closed
        host = None
    return (host or text).removeprefix("www.")


def address(url: str) -> str:
    """The comparison key of `url`: folded, without scheme, `www.` and trailing slash.

    >>> address("https://www.Example.org/a/") == address("example.org/a")
    True
    """
    return fold(_ADDRESS.sub("", url.strip()))


def runs(byline: str) -> list[str]:
    """Every run of consecutive words in a byline, folded.

    >>> runs("By Ann Lee")
    ['by', 'by ann', 'by ann lee', 'ann', 'ann lee', 'lee']
    """
    words = fold(byline).split()[: 4 * _RUN]
    ends = [(first, last) for first in range(len(words)) for last in range(first, len(words))]
    return [" ".join(words[a : b + 1]) for a, b in ends if b - a < _RUN]


def term_of(entity_id: UUID) -> str:
    """The term of an entity's id; no folded name begins with `=`.

    >>> term_of(UUID(int=1))
    '=00000000000000000000000000000001'
    """
    return f"={entity_id.hex}"


def id_of(term: str) -> UUID | None:
    """The entity's id in a term; None for a name."""
    return UUID(hex=term[1:]) if _TERM.fullmatch(term) else None


def period(name: str, text: str, time_zone: str = "UTC") -> tuple[datetime, datetime]:
    """The first instant of the period in `text`, and the first instant after it.

    A year, month, day, hour, minute or second, in `time_zone` unless it has an offset; with a
    fraction of a second, one microsecond. Raises ParameterError naming `name`.

    >>> period("to", "2020-02")[1].isoformat()
    '2020-03-01T00:00:00+00:00'
    >>> [at.isoformat() for at in period("to", "2020-02-29T18", "Asia/Karachi")]
    ['2020-02-29T13:00:00+00:00', '2020-02-29T14:00:00+00:00']
    """
    try:
        if match := _PERIOD.fullmatch(text):
            year, month, day = match[1], match[2] or match[4], match[3] or match[5]
            start = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001 of the zone
            return _instant(start, time_zone), _instant(_after(start, month, day), time_zone)
        # An unescaped + in a URL arrives as a space.
        written = text[:11] + text[11:].replace(" ", "+")
        if not (match := _INSTANT.fullmatch(written)):
            raise ValueError(text)
        first = _instant(datetime.fromisoformat(written.upper()), time_zone)
        length = next(length for part, length in _LENGTHS.items() if match[part])
        return first, first + min(length, _LAST - first)
    except (ValueError, OverflowError) as error:
        raise ParameterError(
            name,
            f"{text!r} is not a year, month, day, hour or instant such as 2020-05-09T12:00:00Z",
        ) from error


def shown(at: datetime | None, time_zone: str) -> datetime | None:
    """An instant in the local time of `time_zone`, labelled as UTC."""
    if at is None or time_zone == "UTC":
        return at
    try:
        return at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=UTC)
    except OverflowError:  # before the first day or after the last one
        return at


def _instant(at: datetime, time_zone: str) -> datetime:
    """An instant in UTC; a naive one is in `time_zone`.

    The first and last instant of the calendar are not converted: no date is beyond them.
    """
    if at.tzinfo is None and at in _EDGES:
        return at.replace(tzinfo=UTC)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(time_zone))
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _after(start: datetime, month: str | None, day: str | None) -> datetime:
    if start.year == MAXYEAR:
        return datetime.max  # noqa: DTZ901 as `start`, of the zone
    if day:
        return start + timedelta(days=1)
    if month:
        return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
    return start.replace(year=start.year + 1)
