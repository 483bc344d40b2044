"""Terms of the query language: what one word or phrase is searched for.

A lexeme and the field it stands in, in; a leaf of the tree out, or None where it holds no
word. Errors have the corrected query. Fields, groups and what joins terms are the parser's.

    >>> from app.search.query_lexer import read
    >>> term("Covid-19", read("Covid-19", 0), field=None)
    Phrase(start=0, end=8, text='Covid-19', tokens=('covid', '19'), slop=0)
    >>> str(term("place:Abu*", read("place:Abu*", 6), field="place"))
    'place:Abu*'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import regex

from app import filters, text
from app.errors import QueryError
from app.search import query_dates
from app.search.query_lexer import Lexeme, replaced, shortened
from app.search.query_tree import (
    NAMES,
    Everything,
    Fuzzy,
    Named,
    Phrase,
    Prefix,
    Query,
    Word,
    default_distance,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST_SLOP = 50
"""Words between those of a phrase."""

_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]", regex.V1)


def term(source: str, lexeme: Lexeme, *, field: str | None) -> Query | None:
    """The leaf that `lexeme` of `source` is in `field`, a zone or a filter, or in any zone."""
    if field == "published":
        return query_dates.published(source, lexeme)
    if field is not None and lexeme.kind == "range":
        raise QueryError(
            f"{field}: takes no range",
            lexeme.start,
            expected="a word or a phrase",
            hint=r"write \[ for the character itself",
        )
    if field in NAMES:
        return _name(source, lexeme, field)
    if lexeme.kind == "phrase":
        return _phrase(source, lexeme)
    if lexeme.star or lexeme.near is not None:
        return _inexact(source, lexeme, field)
    return words(lexeme.text, lexeme.start, lexeme.end)


def words(written: str, start: int, end: int, slop: int = 0) -> Word | Phrase | None:
    """What was written at `source[start:end]` as a word or, if it has several, as a phrase."""
    tokens = tuple(text.terms(written))
    if len(tokens) == 1:
        return Word(written, tokens[0], start=start, end=end)
    return Phrase(written, tokens, slop, start=start, end=end) if tokens else None


def _inexact(source: str, lexeme: Lexeme, field: str | None) -> Query | None:
    """The leaf of a word with a `*` or a `~` at its end, or of a `*` alone."""
    start, end = lexeme.start, lexeme.end
    if not lexeme.text:
        if field is None:
            return Everything(start=start, end=end)
        raise QueryError("a * lacks the letters before it", start, expected="a word that begins so")
    tokens = list(text.tokens(lexeme.text))
    last = tokens[-1]
    if lexeme.star and _CJK.fullmatch(last.form):  # a word of its own: nothing goes on in it
        return words(lexeme.text, start, end)
    if len(tokens) > 1:
        raise _several(source, lexeme, [lexeme.text[token.start : token.end] for token in tokens])
    typed = lexeme.text[last.start : last.end]
    if lexeme.star:
        return Prefix(last.form, text=typed, start=start, end=end)
    distance = _distance(source, lexeme, last.form)
    return Fuzzy(last.form, distance, text=typed, start=start, end=end)


def _several(source: str, lexeme: Lexeme, typed: Sequence[str]) -> QueryError:
    mark = "*" if lexeme.star else "~"
    group = f"({' '.join(typed)}{mark})"
    return QueryError(
        f"a {mark} stands after several words, {shortened(lexeme.text)}",
        lexeme.start,
        expected="one word before it",
        hint=f"write the words apart: {shortened(group)}",
        corrected=replaced(source, lexeme.start, lexeme.end, group),
    )


def _distance(source: str, lexeme: Lexeme, form: str) -> Literal[1, 2]:
    if not lexeme.near:
        return default_distance(form)
    if lexeme.near == "1":
        return 1
    if lexeme.near == "2":
        return 2
    at = _tilde(source, lexeme)
    raise QueryError(
        f"a word is not found by {shortened(lexeme.near)} typing errors",
        at,
        expected="~1 or ~2, or ~ alone",
        corrected=replaced(source, at, lexeme.end, "~"),
    )


def _phrase(source: str, lexeme: Lexeme) -> Query | None:
    start, end = lexeme.start, lexeme.end
    if lexeme.star:
        raise QueryError(
            "a * stands after a phrase",
            end - 1,
            expected="a word before it",
            hint='only a name can go on after its quotes: place:"Abu D"*',
            corrected=replaced(source, end - 1, end, ""),
        )
    slop = (lexeme.near or "0").lstrip("0") or "0"
    if len(slop) > 2 or int(slop) > LARGEST_SLOP:
        at = _tilde(source, lexeme)
        raise QueryError(
            f"a phrase has more than {LARGEST_SLOP} words between",
            at,
            expected=f"a number from 0 to {LARGEST_SLOP}",
            corrected=replaced(source, at, end, f"~{LARGEST_SLOP}"),
        )
    return words(lexeme.text, start, end, int(slop))


def _name(source: str, lexeme: Lexeme, field: str) -> Named | None:
    if lexeme.near is not None:
        at = _tilde(source, lexeme)
        raise QueryError(
            f"{field}: compares whole names and knows no ~",
            at,
            expected="a name, or the beginning of one and a *",
            corrected=replaced(source, at, lexeme.end, ""),
        )
    key = filters.key(field, lexeme.text)
    if not key and not (lexeme.star and lexeme.kind == "word"):
        return None
    return Named(field, lexeme.text, key, lexeme.star, start=lexeme.start, end=lexeme.end)


def _tilde(source: str, lexeme: Lexeme) -> int:
    """Where the `~` of a word or a phrase stands."""
    return source.rindex("~", lexeme.start, lexeme.end)
