"""Terms of the query language: the leaf of the tree for one word or phrase.

Takes a lexeme and its field, returns a leaf, or None for a lexeme without a word. Errors carry
a corrected query. Fields, groups and operators are the parser's.

    >>> from datetime import UTC, datetime
    >>> from app.search.query.lexer import read
    >>> now = datetime(2020, 5, 9, tzinfo=UTC)
    >>> term("Covid-19", read("Covid-19", 0), field=None, now=now)
    Phrase(start=0, end=8, text='Covid-19', tokens=('covid', '19'), slop=0, exact=False, others=())
    >>> term('"heavy rain*"', read('"heavy rain*"', 0), field=None, now=now).tokens
    ('heavy', 'rain*')
    >>> str(term("place:Abu*", read("place:Abu*", 6), field="place", now=now))
    'place:Abu*'
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import regex

from app import filters, text
from app.errors import QueryError
from app.search.query import dates
from app.search.query.lexer import Lexeme, replaced, shortened
from app.search.query.tree import (
    ANY,
    NAMES,
    ONE,
    Everything,
    Fuzzy,
    Named,
    Phrase,
    Prefix,
    Query,
    Wildcard,
    Word,
    default_distance,
    typed,
)
from app.text.stems import CAPITALS

LARGEST_SLOP = 50
"""Most words between those of a phrase."""

_NUMBERS = regex.compile(r"([$€£]?\d[\d,.]*?)\.\.+([$€£]?\d[\d,.]*)")
_WILD = regex.compile(f"[{ANY}{ONE}]+")
_APOSTROPHES = "'’ʼ"  # after a word they are quotes
_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]", regex.V1)
_AFTER_CJK = regex.compile(rf"(?<={_CJK.pattern}){ANY}+", regex.V1)  # no token continues there


def term(
    source: str, lexeme: Lexeme, *, field: str | None, now: datetime, time_zone: str = "UTC"
) -> Query | None:
    """The leaf for `lexeme` of `source` in `field`, or (None) in any text field."""
    if field == "published":
        return dates.published(source, lexeme, now, time_zone)
    if field is not None and lexeme.kind == "range":
        raise QueryError(
            f"{field}: takes no range",
            lexeme.start,
            expected="a word or a phrase",
            hint=rf"write \{source[lexeme.start]} for the character itself",
        )
    if field in NAMES:
        return _name(source, lexeme, field)
    if lexeme.kind == "phrase":
        return _phrase(source, lexeme)
    if lexeme.star or lexeme.near is not None or _WILD.search(lexeme.text):
        return _inexact(source, lexeme, field)
    if numbers := _NUMBERS.fullmatch(source, lexeme.start, lexeme.end):
        raise _no_numbers(source, lexeme.start, lexeme.end, *numbers.groups())
    return words(lexeme.text, lexeme.start, lexeme.end)


def words(written: str, start: int, end: int) -> Word | Phrase | None:
    """The leaf for `written` at `source[start:end]`: a Phrase if it has several tokens."""
    tokens = tuple(
        CAPITALS.get(written[token.start : token.end], token.text) for token in _apart(written)
    )
    if len(tokens) == 1:
        return Word(written, tokens[0], start=start, end=end)
    return Phrase(written, tokens, start=start, end=end) if tokens else None


def _apart(written: str) -> list[text.Token]:
    """The tokens, without a last CJK character that the pair before it contains."""
    found = list(text.tokens(written))
    return found[:-1] if len(found) > 1 and found[-1].start < found[-2].end else found


def _no_numbers(source: str, start: int, end: int, first: str, last: str) -> QueryError:
    years = len(first) == len(last) == 4 and f"{first}{last}".isdigit()
    return QueryError(
        "a range of numbers is not understood",
        start,
        expected="words, or a range of dates as in published:[2020 TO 2021]",
        hint="put the numbers in quotes if they are text",
        corrected=replaced(source, start, end, f"published:[{first} TO {last}]") if years else None,
    )


def quoted(written: str, start: int, end: int, slop: int = 0) -> Query | None:
    """The leaf for `written` inside quotes: exact words and patterns."""
    found = _apart(written)
    forms = tuple(_pattern(token.form) if ANY in token.form else token.form for token in found)
    if len(forms) != 1:
        return Phrase(written, forms, slop, exact=True, start=start, end=end) if forms else None
    if "*" not in forms[0]:
        return Word(written, forms[0], exact=True, start=start, end=end)
    if not any(map(str.isalnum, forms[0])):  # `"*#"`: punctuation is not a word
        return None
    return _wildcard(forms[0], written[found[0].start : found[0].end], start, end)


def _pattern(form: str) -> str:
    return typed(
        _WILD.sub(lambda match: ANY if match[0] == ANY * len(match[0]) else match[0], form)
    )


def _wildcard(pattern: str, surface: str, start: int, end: int) -> Query | None:
    """The leaf for a pattern: of a beginning if its only wildcard is a `*` at the end."""
    if pattern.endswith("*") and "*" not in pattern[:-1] and "?" not in pattern:
        return _beginning(surface.partition(ANY)[0], start, end)
    return Wildcard(pattern, text=surface, start=start, end=end)


def _beginning(written: str, start: int, end: int) -> Query | None:
    """The leaf for words that begin as the last one of `written` does."""
    last = list(text.tokens(written))[-1]
    if _CJK.fullmatch(last.form):  # a token of its own: no token continues it
        return words(written, start, end)
    return Prefix(last.form, text=written[last.start : last.end], start=start, end=end)


def _inexact(source: str, lexeme: Lexeme, field: str | None) -> Query | None:
    """The leaf for a word that ends with `*` or `~`, or for `*` alone."""
    start, end = lexeme.start, lexeme.end
    tokens = list(text.tokens(lexeme.text))
    if not tokens or (len(tokens) == 1 and _pattern(tokens[0].form) == "*"):  # `*'s` is a `*`
        if field is None:
            return Everything(start=start, end=end)
        raise QueryError("a * lacks the letters before it", start, expected="a word that begins so")
    last = tokens[-1]
    # A wildcard may stand past the length at which forms end.
    wild = _WILD.search(lexeme.text, last.start, last.end)
    if len(tokens) > 1 and not (lexeme.star and _CJK.fullmatch(last.form)):
        raise _several(source, lexeme, [lexeme.text[token.start : token.end] for token in tokens])
    if wild and _WILD.search(last.form):
        return _wildcard(_pattern(last.form), lexeme.text[last.start : last.end], start, end)
    if lexeme.star or wild:
        return _beginning(lexeme.text[: wild.start()] if wild else lexeme.text, start, end)
    surface = lexeme.text[last.start : last.end]
    distance = _distance(source, lexeme, last.form)
    return Fuzzy(last.form, distance, text=surface, start=start, end=end)


def _several(source: str, lexeme: Lexeme, surfaces: Sequence[str]) -> QueryError:
    mark = "~" if lexeme.near is not None else "*"
    where = "inside" if _WILD.search(lexeme.text) else "after"
    apart = [typed(surface) for surface in surfaces if not _WILD.fullmatch(surface)]
    group = f"({' '.join(apart)}{mark if where == 'after' else ''})"
    return QueryError(
        f"a {mark} stands {where} several words, {shortened(typed(lexeme.text))}",
        lexeme.start,
        expected="one word before it" if where == "after" else "one word around it",
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
        inside = replaced(source, end - 2, end, f"*{source[end - 2]}")
        raise QueryError(
            "a * stands after a phrase",
            end - 1,
            expected="a * inside the quotes, after a word",
            hint='only a name can go on after its quotes: place:"Abu D"*',
            corrected=inside if lexeme.text[-1:].isalpha() else replaced(source, end - 1, end, ""),
        )
    if ANY in lexeme.text:
        lexeme = lexeme._replace(text=_AFTER_CJK.sub("", lexeme.text))
        _check_wildcards(source, lexeme)
    slop = (lexeme.near or "0").lstrip("0") or "0"
    if len(slop) > 2 or int(slop) > LARGEST_SLOP:
        at = _tilde(source, lexeme)
        raise QueryError(
            f"a phrase has more than {LARGEST_SLOP} words between",
            at,
            expected=f"a number from 0 to {LARGEST_SLOP}",
            corrected=replaced(source, at, end, f"~{LARGEST_SLOP}"),
        )
    return quoted(lexeme.text, start, end, int(slop))


def _check_wildcards(source: str, lexeme: Lexeme) -> None:
    """Raise QueryError for a `*` in place of a whole word."""
    for token in text.tokens(lexeme.text):
        if _WILD.fullmatch(token.form):
            inside = lexeme.text[: token.start].rstrip() + lexeme.text[token.end :]
            slop = f"~{lexeme.near or 1}"
            raise QueryError(
                "a * stands for a whole word",
                source.index("*", lexeme.start),
                expected='letters beside it, or a number of words between as in "heavy rain"~1',
                corrected=replaced(
                    source, lexeme.start, lexeme.end, f'"{typed(inside).strip()}"{slop}'
                ),
            )


def _name(source: str, lexeme: Lexeme, field: str) -> Named | None:
    if lexeme.near is not None:
        at = _tilde(source, lexeme)
        raise QueryError(
            f"{field}: compares whole names and knows no ~",
            at,
            expected="a name, or the beginning of one and a *",
            corrected=replaced(source, at, lexeme.end, ""),
        )
    written, prefix = lexeme.text, lexeme.star
    if field == "url":
        written = written.replace(ONE, "?")
    if written.endswith(ANY) and not prefix and not _WILD.search(written[:-1]):
        written, prefix = written[:-1], True
    if prefix and _WILD.search(written):
        written, prefix = written + ANY, False
    key = filters.key(field, written)
    if field in filters.ENTITIES and _WILD.search(written):
        raise QueryError(
            f"{field}: compares whole names, or how they begin",
            lexeme.start,
            expected="a * at the end of a name alone",
        )
    if not _WILD.sub("", key) and not (prefix and lexeme.kind == "word"):
        return None
    return Named(field, written, key, prefix, start=lexeme.start, end=lexeme.end)


def _tilde(source: str, lexeme: Lexeme) -> int:
    """The position of the `~` after a word or phrase."""
    return source.rindex("~", lexeme.start, lexeme.end)
