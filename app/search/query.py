r"""The query language: text to a tree and back, with errors that name a position.

    rain snow               both words, in any field, in any order; AND says the same
    "heavy rain"            side by side; "heavy rain"~3 with at most 3 words between
    rain OR snow            either; AND binds tighter, parentheses group
    -snow, NOT snow         not this; binds tightest
    rain*                   words that begin so; * alone is every article
    rian~                   words a typing error away; rian~1 and rian~2 say how many
    headline:rain           in one field: headline summary caption body
    place:"Abu Dhabi"       a whole name: place source section language person organization
                            entity; place:Abu* begins so; entities have ids too
    published:[2020-05-01 TO 2020-05-31], published:2020-05, published:[2020 TO *]
    rain^3                  counts three times as much
    \AND, \-x, rain\*       a backslash takes the meaning from what follows it

A word that `text.tokens` parts into several, such as `Covid-19`, is a phrase of them. What
holds no letter and no digit is passed over. The tree keeps what was typed beside its
tokens, so that it can be printed and parsed again. No engine is known here.

    >>> str(parse("rain AND (snow OR “heavy  rain”) NOT headline:hail"))
    'rain (snow OR "heavy  rain") -headline:hail'
    >>> parse("Covid-19")
    Phrase(start=0, end=8, text='Covid-19', tokens=('covid', '19'), slop=0)
    >>> str(parse("Will it rain in Abu Dhabi?", match="any"))
    'Will OR it OR rain OR in OR Abu OR Dhabi?'
    >>> try:
    ...     parse("rain OR (snow")
    ... except QueryError as error:
    ...     print(error, error.corrected, sep="; ")
    a parenthesis is opened and never closed at position 8; rain OR (snow)
"""

from __future__ import annotations

from typing import Literal

import regex

from app.errors import QueryError
from app.search.query_parser import DEEPEST_QUERY, MOST_CLAUSES, all_of, any_of
from app.search.query_terms import LARGEST_SLOP
from app.search.query_tree import (
    FIELDS,
    NAMES,
    ZONES,
    And,
    Beside,
    Boost,
    Everything,
    Fuzzy,
    Named,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Query,
    Within,
    Word,
    clauses,
    explain,
    mapped,
    walk,
)

__all__ = [
    "DEEPEST_QUERY",
    "FIELDS",
    "LARGEST_SLOP",
    "LONGEST_QUERY",
    "MOST_CLAUSES",
    "NAMES",
    "ZONES",
    "And",
    "Beside",
    "Boost",
    "Everything",
    "Fuzzy",
    "Named",
    "Not",
    "Or",
    "Phrase",
    "Prefix",
    "Published",
    "Query",
    "Within",
    "Word",
    "clauses",
    "explain",
    "mapped",
    "parse",
    "walk",
]

LONGEST_QUERY = 100_000
"""Characters of a query that are read."""

_LONGEST_CORRECTED = 2_000  # characters: longer queries are written by programs
_MOST_CORRECTIONS = 5
_SURROGATES = regex.compile(r"[\ud800-\udfff]")


def parse(source: str, *, match: Literal["all", "any"] = "all") -> Query:
    """The tree of `source`, whose words must all occur or, with `match="any"`, some of them.

    "any" is for questions in plain words: it knows quotes and no other operator, and fails
    only for a query without a word or with too many. Otherwise raises QueryError. Equal
    clauses count once. Takes time linear in the query's length.
    """
    source = _SURROGATES.sub("\ufffd", source)  # they could not be sent back
    if len(source) > LONGEST_QUERY:
        raise QueryError(f"the query is longer than {LONGEST_QUERY:,} characters", LONGEST_QUERY)
    try:
        return any_of(source) if match == "any" else all_of(source)
    except QueryError as error:
        error.corrected = _corrected(error.corrected)
        raise


def _corrected(source: str | None) -> str | None:
    """A query that can be read, made of the proposal `source` and of proposals for that one."""
    for _ in range(_MOST_CORRECTIONS):
        if source is None or len(source) > _LONGEST_CORRECTED:
            return None
        try:
            all_of(source)
        except QueryError as error:
            source = error.corrected
        else:
            return source
    return None
