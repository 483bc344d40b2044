"""The grammar of the query language: lexemes to a tree.

Recursive descent, as deep as parentheses go. Equal clauses count once, And in And and Or in
Or become one, double negations none. Every error names a position, and a corrected query
where one is likely; whether that can be read in its turn is for `query.parse` to say.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, NamedTuple

import regex

from app import filters, text
from app.errors import ParameterError, QueryError
from app.search.query_lexer import BLANKS, QUOTES, Lexeme, read, shortened
from app.search.query_tree import (
    FIELDS,
    NAMES,
    ZONES,
    And,
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
    default_distance,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

DEEPEST_QUERY = 20
"""Parentheses inside each other; a tree is at most four times as deep, plus two."""
MOST_CLAUSES = 10_000
"""Words of a query, those of its phrases included."""
LARGEST_SLOP = 50

_SYNONYMS = {
    "title": "headline",
    "text": "body",
    "date": "published",
    "location": "place",
    "publisher": "source",
    "category": "section",
    "lang": "language",
}
_OPERANDS = frozenset(("open", "phrase", "range", "sign", "field", "word"))
_CJK = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]", regex.V1)
_TO = regex.compile(r"(?<=\s)TO(?=\s)", regex.IGNORECASE)
_PLAIN = regex.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]|[^{BLANKS}{QUOTES}()]+", regex.V1)


def all_of(source: str) -> Query:
    """The tree of a query with operators, fields and groups."""
    return _Parser(source).all()


def any_of(source: str) -> Query:
    """The tree of plain words and quoted phrases, joined by Or."""
    return _Parser(source).any()


class _Part(NamedTuple):
    """A node while it is put together.

    Equal nodes have equal keys: comparing the nodes themselves would look through whole
    trees again at every level. `start` and `end` take in parentheses.
    """

    node: Query
    key: int
    start: int
    end: int
    clauses: tuple[_Part, ...] = ()


class _Parser:
    """Recursive descent, one lexeme ahead. None stands for what holds no word."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._field: str | None = None
        self._depth = 0
        self._counted = 0
        self._keys: dict[object, int] = {}
        self._end = 0

    def all(self) -> Query:
        self._next = read(self._source, 0)
        part = self._either()
        if self._next.kind == "close":
            raise QueryError(
                "a parenthesis is closed and never opened",
                self._next.start,
                hint=r"write \) for the character itself",
                corrected=self._without(self._next),
            )
        return self._some(part).node

    def any(self) -> Query:
        parts = []
        for match in _PLAIN.finditer(self._source):
            start, end = match.span()
            written = match[0] if match[1] is None else match[1]
            if node := self._words(written, start, end):
                parts.append(self._part(node))
        return self._some(self._joined(Or, parts)).node

    def _some(self, part: _Part | None) -> _Part:
        if part is None:
            raise QueryError(
                "there is no word to search for", 0, expected="at least one letter or digit"
            )
        return part

    def _take(self) -> Lexeme:
        taken = self._next
        self._end = taken.end
        self._next = read(self._source, taken.end)
        return taken

    # --- operators, from the loosest to the tightest

    def _either(self) -> _Part | None:
        parts: list[_Part] = []
        operator: Lexeme | None = None
        while True:
            part = self._every()
            if part is not None:
                parts.append(part)
            elif operator is not None:
                raise self._dangling(operator, "after")
            elif self._next.kind == "or":
                raise self._dangling(self._next, "before")
            if self._next.kind != "or":
                return self._joined(Or, parts)
            operator = self._take()

    def _every(self) -> _Part | None:
        parts: list[_Part] = []
        operator: Lexeme | None = None
        while True:
            kind = self._next.kind
            if kind == "word":  # the usual case, by a shorter way
                part = self._boosted()
            elif kind == "and":
                if not parts or operator is not None:
                    raise self._dangling(self._next, "before")
                operator = self._take()
                continue
            elif kind == "not" or kind in _OPERANDS:
                part = self._negation()
            elif operator is not None:
                raise self._dangling(operator, "after")
            else:
                return self._joined(And, parts)
            if part is not None:
                parts.append(part)
                operator = None

    def _negation(self) -> _Part | None:
        start, operator, negations = self._next.start, self._next, 0
        while self._next.kind == "not" or self._next.kind in _OPERANDS:
            if self._next.kind == "not":
                operator = self._take()
                negations += 1
                continue
            part = self._signed()
            if part is not None:
                return self._negated(part, start) if negations % 2 else part
            if not negations:
                return None
        raise self._dangling(operator, "after")

    def _dangling(self, operator: Lexeme, where: str) -> QueryError:
        return QueryError(
            f"nothing stands {where} {operator.text}",
            operator.start,
            expected="a word, a phrase or a group",
            hint=f'put "{operator.text}" in quotes to search for it',
            corrected=self._without(operator),
        )

    def _signed(self) -> _Part | None:
        start, sign = self._next.start, self._sign()
        part = self._fielded() if self._next.kind == "field" else self._boosted()
        return self._negated(part, start) if part is not None and sign == "-" else part

    def _sign(self) -> str | None:
        return self._take().text if self._next.kind == "sign" else None

    def _fielded(self) -> _Part:
        self._check_field(self._next)
        name = self._take()
        self._field = name.text
        sign = self._sign()  # place:-Cairo is -place:Cairo, as in the filters
        if self._next.kind == "field":
            self._check_field(self._next)
        part = self._primary()
        self._field = None
        if part is None:
            raise QueryError(
                f"{name.text}: has no word after it", name.start, expected="a word or a phrase"
            )
        if name.text in ZONES:
            node: Query = Within(name.text, part.node, start=name.start, end=self._end)
            part = self._part(node, Within, name.text, part.key)
        else:
            node = replace(part.node, start=name.start, end=self._end)
            part = part._replace(node=node, start=name.start)
        part = self._multiplied(part, name.start)
        return self._negated(part, name.start) if sign == "-" else part

    def _check_field(self, name: Lexeme) -> None:
        if name.text not in FIELDS:
            raise self._unknown(name)
        if self._field is not None:
            raise QueryError(
                f"{name.text}: stands inside {self._field}:",
                name.start,
                expected="words without a field",
                hint=f"close the group of {self._field}: first, or put the colon in quotes",
            )

    def _unknown(self, name: Lexeme) -> QueryError:
        written = self._source[name.start : name.end - 1]
        close = get_close_matches(shortened(name.text), (*FIELDS, *_SYNONYMS), 1, 0.7)
        known = _SYNONYMS.get(close[0], close[0]) if close else None
        word = shortened(self._source[name.start :].split(maxsplit=1)[0])
        hint = f"did you mean {known}?" if known else f'put it in quotes if it is text: "{word}"'
        return QueryError(
            f"there is no field {shortened(written)}",
            name.start,
            expected=f"one of the fields {', '.join(FIELDS)}",
            hint=hint,
            corrected=self._replaced(name.start, name.end - 1, known) if known else None,
        )

    def _boosted(self) -> _Part | None:
        start = self._next.start
        part = self._primary()
        if part is None and self._next.kind == "boost":
            self._take()
        return part and self._multiplied(part, start)

    def _multiplied(self, part: _Part, start: int) -> _Part:
        if self._next.kind != "boost":
            return part
        factor = float(self._take().text)
        node = Boost(part.node, factor, start=start, end=self._end)
        return self._part(node, Boost, factor, part.key)

    def _primary(self) -> _Part | None:
        if self._next.kind == "open":
            return self._group()
        lexeme = self._take()
        if self._field is None:
            node = self._term(lexeme)
        elif lexeme.kind == "range":
            node = self._range(lexeme)
        elif self._field == "published":
            node = self._date(lexeme)
        elif self._field in NAMES:
            node = self._name(self._field, lexeme)
        else:
            node = self._term(lexeme)
        return self._part(node) if node is not None else None

    def _group(self) -> _Part | None:
        if self._depth == DEEPEST_QUERY:
            raise QueryError(
                f"parentheses stand inside each other more than {DEEPEST_QUERY} deep",
                self._next.start,
            )
        opened = self._take()
        self._depth += 1
        part = self._either()
        if self._next.kind != "close":
            raise QueryError(
                "a parenthesis is opened and never closed",
                opened.start,
                expected=")",
                hint=r"add a closing ), or write \( for the character itself",
                corrected=f"{self._source})",
            )
        self._take()
        self._depth -= 1
        if self._next.start == self._end and self._source.startswith(("*", "~"), self._end):
            raise QueryError(
                f"a {self._source[self._end]} stands after a group",
                self._end,
                expected="a word or a phrase before it",
                corrected=self._without(self._next),
            )
        return part and part._replace(start=opened.start, end=self._end)

    # --- terms

    def _term(self, lexeme: Lexeme) -> Query | None:
        start, end = lexeme.start, lexeme.end
        if lexeme.kind == "phrase":
            return self._phrase(lexeme)
        if not lexeme.star and lexeme.near is None:
            return self._words(lexeme.text, start, end)
        if not lexeme.text:
            if self._field is not None:
                raise _no_letters(lexeme)
            self._count(start, 1)
            return Everything(start=start, end=end)
        tokens = list(text.tokens(lexeme.text))
        last = tokens[-1]
        if lexeme.star and _CJK.fullmatch(last.form):  # a word of its own: nothing goes on in it
            return self._words(lexeme.text, start, end)
        if len(tokens) > 1:
            raise self._several(lexeme, [lexeme.text[token.start : token.end] for token in tokens])
        self._count(start, 1)
        typed = lexeme.text[last.start : last.end]
        if lexeme.star:
            return Prefix(last.form, text=typed, start=start, end=end)
        return Fuzzy(last.form, self._distance(lexeme, last.form), text=typed, start=start, end=end)

    def _words(self, written: str, start: int, end: int, slop: int = 0) -> Query | None:
        tokens = tuple(text.terms(written))
        self._count(start, len(tokens))
        if len(tokens) == 1:
            return Word(written, tokens[0], start=start, end=end)
        return Phrase(written, tokens, slop, start=start, end=end) if tokens else None

    def _phrase(self, lexeme: Lexeme) -> Query | None:
        start, end = lexeme.start, lexeme.end
        if lexeme.star:
            raise QueryError(
                "a * stands after a phrase",
                end - 1,
                expected="a word before it",
                hint='only a name can go on after its quotes: place:"Abu D"*',
                corrected=self._replaced(end - 1, end, ""),
            )
        near = (lexeme.near or "0").lstrip("0") or "0"
        if len(near) > 2 or int(near) > LARGEST_SLOP:
            at = self._source.rindex("~", start, end)
            raise QueryError(
                f"a phrase has more than {LARGEST_SLOP} words between",
                at,
                expected=f"a number from 0 to {LARGEST_SLOP}",
                corrected=self._replaced(at, end, f"~{LARGEST_SLOP}"),
            )
        return self._words(lexeme.text, start, end, int(near))

    def _several(self, lexeme: Lexeme, words: Sequence[str]) -> QueryError:
        mark = "*" if lexeme.star else "~"
        group = f"({' '.join(words)}{mark})"
        return QueryError(
            f"a {mark} stands after several words, {shortened(lexeme.text)}",
            lexeme.start,
            expected="one word before it",
            hint=f"write the words apart: {shortened(group)}",
            corrected=self._replaced(lexeme.start, lexeme.end, group),
        )

    def _distance(self, lexeme: Lexeme, form: str) -> Literal[1, 2]:
        if not lexeme.near:
            return default_distance(form)
        if lexeme.near == "1":
            return 1
        if lexeme.near == "2":
            return 2
        at = self._source.rindex("~", lexeme.start, lexeme.end)
        raise QueryError(
            f"a word is not found by {shortened(lexeme.near)} typing errors",
            at,
            expected="~1 or ~2, or ~ alone",
            corrected=self._replaced(at, lexeme.end, "~"),
        )

    def _name(self, name: str, lexeme: Lexeme) -> Query | None:
        if lexeme.near is not None:
            at = self._source.rindex("~", lexeme.start, lexeme.end)
            raise QueryError(
                f"{name}: compares whole names and knows no ~",
                at,
                expected="a name, or the beginning of one and a *",
                corrected=self._replaced(at, lexeme.end, ""),
            )
        key = text.fold(lexeme.text)
        if not key and not (lexeme.star and lexeme.kind == "word"):
            return None
        self._count(lexeme.start, 1)
        return Named(name, lexeme.text, key, lexeme.star, start=lexeme.start, end=lexeme.end)

    # --- dates

    def _date(self, lexeme: Lexeme) -> Query:
        start, end = lexeme.start, lexeme.end
        self._count(start, 1)
        written = lexeme.text if lexeme.kind == "phrase" else self._source[start:end]
        if written == "*":
            return Published(written, None, None, start=start, end=end)
        try:
            since, until = filters.period("published", written)
        except ParameterError as error:
            raise self._no_date(written, start, self._as_range(written, start, end)) from error
        return Published(written, since, until, start=start, end=end)

    def _as_range(self, written: str, start: int, end: int) -> str | None:
        """The query with what others write for a range as one of ours."""
        first, dots, last = written.partition("..")
        if dots:
            return self._replaced(start, end, f"[{first or '*'} TO {last or '*'}]")
        if written.startswith(">="):
            return self._replaced(start, end, f"[{written[2:]} TO *]")
        if written.startswith("<="):
            return self._replaced(start, end, f"[* TO {written[2:]}]")
        return None

    def _range(self, lexeme: Lexeme) -> Query:
        if self._field != "published":
            raise QueryError(
                f"{self._field}: takes no range",
                lexeme.start,
                expected="a word or a phrase",
                hint=r"write \[ for the character itself",
            )
        self._count(lexeme.start, 1)
        ends = [end.strip() for end in _TO.split(f" {lexeme.text} ")]
        if len(ends) != 2 or not all(ends):
            likely = _likely_range(ends)
            raise QueryError(
                "a range is not of the form [first TO last]",
                lexeme.start,
                expected="two dates as in [2020-05-01 TO 2020-05-31]; * leaves an end open",
                corrected=likely and self._replaced(lexeme.start, lexeme.end, likely),
            )
        first, last = ends
        first_at = self._source.index(first, lexeme.start)
        last_at = self._source.rindex(last, lexeme.start, lexeme.end)
        since = None if first == "*" else self._period(first, first_at)[0]
        until = None if last == "*" else self._period(last, last_at)[1]
        if since is not None and until is not None and since >= until:
            raise QueryError(
                "a range ends before it begins",
                first_at,
                expected="the earlier date first",
                corrected=self._replaced(lexeme.start, lexeme.end, f"[{last} TO {first}]"),
            )
        written = f"[{first} TO {last}]"
        return Published(written, since, until, start=lexeme.start, end=lexeme.end)

    def _period(self, written: str, at: int) -> tuple[datetime, datetime]:
        try:
            return filters.period("published", written)
        except ParameterError as error:
            raise self._no_date(written, at, None) from error

    def _no_date(self, written: str, at: int, corrected: str | None) -> QueryError:
        return QueryError(
            f"{shortened(written)!r} is no date",
            at,
            expected="a year, month, day or instant such as 2020-05-09T12:00:00Z",
            corrected=corrected,
        )

    # --- putting together

    def _count(self, position: int, words: int) -> None:
        self._counted += words
        if self._counted > MOST_CLAUSES:
            raise QueryError(f"the query has more than {MOST_CLAUSES:,} words", position)

    def _part(self, node: Query, *fact: object) -> _Part:
        """A part with the key of `fact`, or of a leaf with that of the leaf itself."""
        key = self._keys.setdefault(fact or node, len(self._keys))
        return _Part(node, key, node.start, node.end)

    def _negated(self, part: _Part, start: int) -> _Part:
        if isinstance(part.node, Not):
            return part.clauses[0]._replace(start=start, end=part.end)
        negated = self._part(Not(part.node, start=start, end=part.end), Not, part.key)
        return negated._replace(clauses=(part,))

    def _joined(self, kind: type[And | Or], parts: Sequence[_Part]) -> _Part | None:
        if len(parts) < 2:
            return parts[0] if parts else None
        unique: dict[int, _Part] = {}
        for part in parts:
            for clause in part.clauses if isinstance(part.node, kind) else (part,):
                unique.setdefault(clause.key, clause)
        start, end = parts[0].start, parts[-1].end
        distinct = tuple(unique.values())
        if len(distinct) == 1:
            return distinct[0]._replace(start=start, end=end)
        node = kind(tuple(clause.node for clause in distinct), start=start, end=end)
        return self._part(node, kind, *unique)._replace(clauses=distinct)

    def _replaced(self, start: int, end: int, new: str) -> str:
        return self._source[:start] + new + self._source[end:]

    def _without(self, lexeme: Lexeme) -> str:
        before, after = self._source[: lexeme.start], self._source[lexeme.end :]
        return f"{before.rstrip()} {after.lstrip()}".strip()


def _no_letters(lexeme: Lexeme) -> QueryError:
    return QueryError(
        "a * lacks the letters before it", lexeme.start, expected="a word that begins so"
    )


def _likely_range(ends: Sequence[str]) -> str | None:
    """What stands around each TO of a range, as a range or a date if it can be one."""
    if len(ends) == 2:
        return f"[{ends[0] or '*'} TO {ends[1] or '*'}]"
    dates = regex.findall(r"[^\s,]+", ends[0])
    if len(ends) > 1 or not 1 <= len(dates) <= 2:
        return None
    return f"[{dates[0]} TO {dates[1]}]" if len(dates) == 2 else f"{dates[0]}"
