"""The grammar of the query language: lexemes to a tree.

Recursive descent, as deep as parentheses go, over operators, fields and groups; what a word
or phrase is searched for is for `query_terms` to say. Equal clauses count once, And in And
and Or in Or become one, double negations none. Every error names a position, and a corrected
query where one is likely; whether that can be read in its turn is for `query.parse` to say.
"""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import regex

from app.errors import QueryError
from app.search.query_lexer import BLANKS, QUOTES, Lexeme, read, replaced, shortened
from app.search.query_terms import term, words
from app.search.query_tree import FIELDS, ZONES, And, Boost, Not, Or, Phrase, Query, Within

if TYPE_CHECKING:
    from collections.abc import Sequence

DEEPEST_QUERY = 20
"""Parentheses inside each other; a tree is at most four times as deep, plus two."""
MOST_CLAUSES = 10_000
"""Words of a query, those of its phrases included."""

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
            if node := words(written, start, end):
                parts.append(self._leaf(node))
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
            bare = self._source[: name.start].rstrip("+- ").endswith(":")  # no group was opened
            first = f"give {self._field}: a word" if bare else f"close the group of {self._field}:"
            raise QueryError(
                f"{name.text}: stands inside {self._field}:",
                name.start,
                expected="words without a field",
                hint=f"{first} first, or put the colon in quotes",
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
            corrected=replaced(self._source, name.start, name.end - 1, known) if known else None,
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
        node = term(self._source, self._take(), field=self._field)
        return self._leaf(node) if node is not None else None

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

    # --- putting together

    def _leaf(self, node: Query) -> _Part:
        self._counted += len(node.tokens) if isinstance(node, Phrase) else 1
        if self._counted > MOST_CLAUSES:
            raise QueryError(f"the query has more than {MOST_CLAUSES:,} words", node.start)
        return self._part(node)

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

    def _without(self, lexeme: Lexeme) -> str:
        before, after = self._source[: lexeme.start], self._source[lexeme.end :]
        return f"{before.rstrip()} {after.lstrip()}".strip()
