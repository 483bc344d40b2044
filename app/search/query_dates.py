"""Dates of the query language: a date or a range as a span of instants.

A lexeme that stands after `published:` in, a `Published` out, or an error with what others
write for a range as one of ours. What a date is, is for `filters.period` to say.

    >>> from app.search.query_lexer import read
    >>> source = "published:[2020-05-01 TO *]"
    >>> str(published(source, read(source, 10)))
    'published:[2020-05-01 TO *]'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from app import filters
from app.errors import ParameterError, QueryError
from app.search.query_lexer import Lexeme, replaced, shortened
from app.search.query_tree import Published

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_TO = regex.compile(r"(?<=\s)TO(?=\s)", regex.IGNORECASE)


def published(source: str, lexeme: Lexeme) -> Published:
    """The span of a date or, if `lexeme` is of kind `range`, of `[first TO last]`."""
    return _range(source, lexeme) if lexeme.kind == "range" else _date(source, lexeme)


def _date(source: str, lexeme: Lexeme) -> Published:
    """The span of a year, month, day or instant; `*` is any article with a date."""
    start, end = lexeme.start, lexeme.end
    written = lexeme.text if lexeme.kind == "phrase" else source[start:end]
    if written == "*":
        return Published(written, None, None, start=start, end=end)
    try:
        since, until = filters.period("published", written)
    except ParameterError as error:
        likely = _as_range(written)
        corrected = likely and replaced(source, start, end, likely)
        raise _no_date(written, start, corrected) from error
    return Published(written, since, until, start=start, end=end)


def _range(source: str, lexeme: Lexeme) -> Published:
    """The span of `[first TO last]`, both ends taken in; `*` leaves one open."""
    ends = [end.strip() for end in _TO.split(f" {lexeme.text} ")]
    if len(ends) != 2 or not all(ends):
        likely = _likely_range(ends)
        raise QueryError(
            "a range is not of the form [first TO last]",
            lexeme.start,
            expected="two dates as in [2020-05-01 TO 2020-05-31]; * leaves an end open",
            corrected=likely and replaced(source, lexeme.start, lexeme.end, likely),
        )
    first, last = ends
    first_at = source.index(first, lexeme.start)
    last_at = source.rindex(last, lexeme.start, lexeme.end)
    since = None if first == "*" else _period(first, first_at)[0]
    until = None if last == "*" else _period(last, last_at)[1]
    if since is not None and until is not None and since >= until:
        raise QueryError(
            "a range ends before it begins",
            first_at,
            expected="the earlier date first",
            corrected=replaced(source, lexeme.start, lexeme.end, f"[{last} TO {first}]"),
        )
    written = f"[{first} TO {last}]"
    return Published(written, since, until, start=lexeme.start, end=lexeme.end)


def _period(written: str, at: int) -> tuple[datetime, datetime]:
    try:
        return filters.period("published", written)
    except ParameterError as error:
        raise _no_date(written, at, None) from error


def _no_date(written: str, at: int, corrected: str | None) -> QueryError:
    return QueryError(
        f"{shortened(written)!r} is no date",
        at,
        expected="a year, month, day or instant such as 2020-05-09T12:00:00Z",
        corrected=corrected,
    )


def _as_range(written: str) -> str | None:
    """What others write for a range, as one of ours."""
    first, dots, last = written.partition("..")
    if dots:
        return f"[{first or '*'} TO {last or '*'}]"
    if written.startswith(">="):
        return f"[{written[2:]} TO *]"
    if written.startswith("<="):
        return f"[* TO {written[2:]}]"
    return None


def _likely_range(ends: Sequence[str]) -> str | None:
    """What stands around each TO of a range, as a range or a date if it can be one."""
    if len(ends) == 2:
        return f"[{ends[0] or '*'} TO {ends[1] or '*'}]"
    dates = regex.findall(r"[^\s,]+", ends[0])
    if len(ends) > 1 or not 1 <= len(dates) <= 2:
        return None
    return f"[{dates[0]} TO {dates[1]}]" if len(dates) == 2 else str(dates[0])
