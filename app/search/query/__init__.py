r"""The query language: text to a tree and back; errors name a position.

    rain snow               both words, in any field, in any order; AND says the same
    "heavy rain"            as written, side by side; "heavy rain"~3 with at most 3 words between
    rain w/5 snow           at most five words apart, in any order; NEAR/5 says the same
    rain OR snow, rain|snow either; AND binds tighter, parentheses group
    -snow, !snow, NOT snow  not this; binds tighter
    rain*, *ain, r?in       words that fit, also in quotes; * alone is every article
    rian~                   words a typing error away; rian~1 and rian~2 say how many
    headline:rain           in one field: headline summary caption body
    place:"Abu Dhabi"       a whole name: place source section language person organization
                            entity author keyword domain url, and byline; place:Abu* begins so;
                            entities have ids too
    published:[2020-05-01 TO 2020-05-31], published:2020-05, published:{2020 TO *], published:-7d
    rain^3                  scores three times as much
    \AND, \-x, rain\*       a backslash escapes what follows it

A word of several tokens, such as `Covid-19`, is a phrase of them. Words without a letter or
digit are ignored. The tree keeps the typed text beside its tokens: a printed tree parses to
an equal one. Nothing here knows an engine.

    >>> str(parse("rain AND (snow OR “heavy  rain”) NOT headline:hail"))
    'rain (snow OR "heavy  rain") -headline:hail'
    >>> parse("Covid-19")
    Phrase(start=0, end=8, text='Covid-19', tokens=('covid', '19'), slop=0, exact=False, others=())
    >>> str(parse("Will it rain in Abu Dhabi?", match="any"))
    'Will OR it OR rain OR in OR Abu OR Dhabi?'
    >>> try:
    ...     parse("rain OR (snow")
    ... except QueryError as error:
    ...     print(error, error.corrected, sep="; ")
    a parenthesis is opened and never closed at position 8; rain OR (snow)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import regex

from app.errors import QueryError
from app.search.query.parser import all_of, any_of
from app.search.query.tree import ANY, ONE, Query

LONGEST_QUERY = 100_000
"""Most characters of a query."""

_LONGEST_CORRECTED = 2_000  # characters: longer queries are written by programs
_MOST_CORRECTIONS = 5
_UNUSABLE = regex.compile(rf"[\ud800-\udfff{ANY}{ONE}]")


def parse(
    source: str,
    *,
    match: Literal["all", "any"] = "all",
    time_zone: str = "UTC",
    now: datetime | None = None,
) -> Query:
    """The tree of `source`: all its words must match or, with `match="any"`, one of them.

    Dates without a zone are in `time_zone`. Relative dates such as `-7d` count from `now`, an
    aware instant, by default the present. Equal clauses are merged. "any" is for questions in
    plain words: quotes are its only operator, and it fails only for a query without a word or
    with too many. Raises QueryError. Takes time linear in the query's length.
    """
    source = _UNUSABLE.sub("\ufffd", source)  # surrogates cannot be encoded; ANY, ONE are ours
    now = now or datetime.now(UTC)
    if len(source) > LONGEST_QUERY:
        raise QueryError(f"the query is longer than {LONGEST_QUERY:,} characters", LONGEST_QUERY)
    try:
        return any_of(source) if match == "any" else all_of(source, now, time_zone)
    except QueryError as error:
        error.corrected = _corrected(error.corrected, now, time_zone)
        raise


def _corrected(source: str | None, now: datetime, time_zone: str) -> str | None:
    """`source`, a proposed correction, corrected until it parses; None where that fails."""
    for _ in range(_MOST_CORRECTIONS):
        if source is None or len(source) > _LONGEST_CORRECTED:
            return None
        try:
            all_of(source, now, time_zone)
        except QueryError as error:
            source = error.corrected
        else:
            return source
    return None
