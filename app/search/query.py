"""The query language: text to a tree, with errors that name a position.

Words are ANDed and `"a phrase"` holds its words side by side; a word that `text.tokens`
parts into several, such as `Covid-19`, is a phrase of them. The tree holds tokens, so
engines match them as they come. No engine is known here.

    >>> str(parse('peace "Intra-Afghan dialogue"'))
    'peac "intra afghan dialogu"'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from app import text
from app.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_QUERY = 10_000
"""Characters of a query that are read; a longer one is an error."""

_QUOTES = '"“”„‟«»'
_PART = regex.compile(rf"[{_QUOTES}]|[^\s{_QUOTES}]+")


@dataclass(frozen=True, slots=True)
class Word:
    """Articles that hold this token."""

    token: str

    def __str__(self) -> str:
        return self.token


@dataclass(frozen=True, slots=True)
class Phrase:
    """Articles that hold these tokens side by side, in this order; two at the least."""

    tokens: tuple[str, ...]

    def __str__(self) -> str:
        return f'"{" ".join(self.tokens)}"'


@dataclass(frozen=True, slots=True)
class And:
    """Articles that match every clause; two at the least."""

    clauses: tuple[Word | Phrase, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.clauses))


Query = Word | Phrase | And


def parse(source: str) -> Query:
    """The tree of `source`; equal clauses count once.

    Raises QueryError with the position of what can't be read: a quote that is never closed,
    a query without any word, one that is too long.
    """
    if len(source) > LONGEST_QUERY:
        raise QueryError(f"the query is longer than {LONGEST_QUERY:,} characters", LONGEST_QUERY)
    clauses = tuple(dict.fromkeys(_clauses(source)))
    if not clauses:
        raise QueryError("there is no word to search for", 0, hint="write at least one word")
    return clauses[0] if len(clauses) == 1 else And(clauses)


def _clauses(source: str) -> Iterator[Word | Phrase]:
    quote: int | None = None
    for match in _PART.finditer(source):
        if match.group() in _QUOTES:
            if quote is None:
                quote = match.end()
            else:
                yield from _clause(source[quote : match.start()])
                quote = None
        elif quote is None:
            yield from _clause(match.group())
    if quote is not None:
        raise QueryError("a quote is opened and never closed", quote - 1, hint='add a closing "')


def _clause(words: str) -> Iterator[Word | Phrase]:
    tokens = tuple(text.terms(words))
    if len(tokens) == 1:
        yield Word(tokens[0])
    elif tokens:
        yield Phrase(tokens)
