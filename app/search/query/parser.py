"""The grammar of the query language: lexemes to a tree.

Recursive descent, as deep as the parentheses, over operators, fields and groups; `query.terms`
makes the leaves. Equal clauses are merged, nested And and Or flattened, double negations
removed. Every error has a position and, where one is likely, a corrected query;
`query.parse` checks that it parses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple

import regex

from app.errors import QueryError
from app.search.query import tree
from app.search.query.dates import is_relative
from app.search.query.lexer import BLANKS, FIELD_ALIASES, Lexeme, read, replaced, shortened
from app.search.query.terms import LARGEST_SLOP, quoted, term, words
from app.search.query.tree import ANY, FIELDS, ONE, QUOTES, TEXT_FIELDS

DEEPEST_QUERY = 20
"""Most nested parentheses; a tree is at most four times as deep, plus two."""
MOST_CLAUSES = 10_000
"""Most words of a query, those of its phrases included."""

_OPERANDS = frozenset(("open", "phrase", "range", "sign", "field", "word"))
_PLAIN = regex.compile(rf"[{QUOTES}]([^{QUOTES}]*)[{QUOTES}]|[^{BLANKS}{QUOTES}()]+", regex.V1)
_NEAR = regex.compile(r"(?:NEAR|W)/([0-9]+)", regex.IGNORECASE)
_TAG = regex.compile(r"\#[\p{L}\p{N}]")
_NUMBER = regex.compile(r"[0-9]+")


def all_of(source: str, now: datetime, time_zone: str) -> tree.Query:
    """The tree of a query with operators, fields and groups, its dates in `time_zone`."""
    return _Parser(source, now, time_zone).all()


def any_of(source: str) -> tree.Query:
    """The tree of plain words and quoted phrases, joined by Or."""
    return _Parser(source, datetime.now(UTC), "UTC").any()


class _Part(NamedTuple):
    """A node under construction.

    Equal nodes have equal keys: comparing the nodes themselves would walk whole trees again
    at every level. `start` and `end` include parentheses.
    """

    node: tree.Query
    key: int
    start: int
    end: int
    clauses: tuple[_Part, ...] = ()


class _Parser:
    """Recursive descent with one lexeme of lookahead. None is a part without a word."""

    def __init__(self, source: str, now: datetime, time_zone: str) -> None:
        self._source = source
        self._now = now
        self._time_zone = time_zone
        self._field: str | None = None
        self._depth = 0
        self._counted = 0
        self._keys: dict[object, int] = {}
        self._end = 0

    def all(self) -> tree.Query:
        self._next = read(self._source, 0)
        if self._next.kind == "near":
            self._next = self._nearness(self._next)
        part = self._either()
        if self._next.kind == "close":
            raise QueryError(
                "a parenthesis is closed and never opened",
                self._next.start,
                hint=r"write \) for the character itself",
                corrected=self._without(self._next),
            )
        return self._some(part).node

    def any(self) -> tree.Query:
        parts = []
        for match in _PLAIN.finditer(self._source):
            start, end = match.span()
            node = words(match[0], start, end) if match[1] is None else quoted(match[1], start, end)
            if node is not None:
                parts.append(self._leaf(node))
        return self._some(self._joined(tree.Or, parts)).node

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
        if self._next.kind == "near":
            self._next = self._nearness(self._next)
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
                return self._joined(tree.Or, parts)
            operator = self._take()

    def _every(self) -> _Part | None:
        parts: list[_Part] = []
        operator: Lexeme | None = None
        while True:
            kind = self._next.kind
            if kind == "word":  # the usual case, with fewer calls
                part = self._operand()
            elif kind in ("and", "near"):
                if kind == "near" or not parts or operator is not None:
                    raise self._dangling(self._next, "before")
                operator = self._take()
                continue
            elif kind == "not" or kind in _OPERANDS:
                part = self._negation()
            elif operator is not None:
                raise self._dangling(operator, "after")
            else:
                return self._joined(tree.And, parts)
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
        start, excluded = self._next.start, self._sign()
        part = self._operand()
        return self._negated(part, start) if part is not None and excluded else part

    def _sign(self) -> bool:
        """Whether the signs before an operand exclude it; a second `-` undoes one."""
        if self._next.kind != "sign":
            return False
        sign = self._take()
        value = self._next
        if self._field == "published" and sign.text == "-" and is_relative(f"-{value.text}"):
            self._next = value._replace(start=sign.start, text=f"-{value.text}")
            return False
        return (len(sign.text) - sign.text.count("+")) % 2 == 1

    def _operand(self) -> _Part | None:
        """A field or a word, with the operands of the NEAR operators after it."""
        start = self._next.start
        part = self._fielded() if self._next.kind == "field" else self._boosted()
        if self._next.kind != "near" or part is None:
            return part
        operator, distance = self._next, self._next.text
        parts = [self._placed(part, operator)]
        while self._next.kind == "near":
            if self._next.text != distance:
                raise QueryError(
                    f"{distance} and {self._next.text} follow one another",
                    self._next.start,
                    expected="parentheses around the words that belong together",
                    corrected=replaced(
                        self._source, start, self._end, f"({self._source[start : self._end]})"
                    ),
                )
            operator = self._take()
            if self._next.kind not in ("open", "phrase", "word", "field"):
                raise self._dangling(operator, "after")
            part = self._fielded() if self._next.kind == "field" else self._boosted()
            if part is None:
                raise self._dangling(operator, "after")
            parts.append(self._placed(part, operator))
        words_apart = int(distance.partition("/")[2])
        nodes = tuple(each.node for each in parts)
        node = tree.Near(nodes, words_apart, start=parts[0].start, end=self._end)
        return self._part(node, tree.Near, words_apart, *(each.key for each in parts))

    def _placed(self, part: _Part, operator: Lexeme) -> _Part:
        """`part` if all its nodes have positions in a text; raises QueryError otherwise."""
        waiting = [part.node]
        while waiting:
            match waiting.pop():
                case tree.Word() | tree.Phrase() | tree.Prefix() | tree.Fuzzy() | tree.Wildcard():
                    continue
                case tree.Or(clauses=inner) | tree.Near(clauses=inner):
                    waiting += inner
                case tree.Boost(node=node):
                    waiting.append(node)
                case tree.Within(field=field) as within:
                    raise QueryError(
                        f"a field stands beside {operator.text}",
                        within.start,
                        expected="words without a field",
                        hint=f"put the field before both: {field}:(oil {operator.text} gas)",
                    )
                case node:
                    either = isinstance(node, tree.And)
                    raise QueryError(
                        f"{shortened(str(node))} stands beside {operator.text}",
                        node.start,
                        expected="a word, a phrase, a prefix or a group of them with OR",
                        hint="join them by OR, or put them in quotes" if either else None,
                        corrected=replaced(
                            self._source,
                            part.start,
                            part.end,
                            f"({' OR '.join(map(str, node.clauses))})",
                        )
                        if isinstance(node, tree.And) and node is part.node
                        else None,
                    )
        return part

    def _nearness(self, found: Lexeme) -> Lexeme:
        """`found` as `NEAR/n`; a bare NEAR in a query in capitals is a word."""
        if found.text == "NEAR" and self._source.isupper():
            return found._replace(kind="word")
        match, number = _NEAR.fullmatch(found.text), _NUMBER.search(found.text)
        distance = number[0].lstrip("0")[:3] if number else "10"
        if match and distance and int(distance) <= LARGEST_SLOP:
            return found._replace(text=f"NEAR/{distance}")
        likely = min(int(distance or 1), LARGEST_SLOP)
        raise QueryError(
            "the number of words is out of bounds"
            if match
            else f"there is no operator {shortened(found.text)}",
            found.start,
            expected=f"NEAR/1 to NEAR/{LARGEST_SLOP}, in any order",
            hint=f'in this order: "oil gas"~{likely}',
            corrected=replaced(self._source, found.start, found.end, f"NEAR/{likely}"),
        )

    def _fielded(self) -> _Part:
        self._check_field(self._next)
        name = self._take()
        self._field = name.text
        excluded = self._sign()  # place:-Cairo is -place:Cairo, as in the filters
        if self._next.kind == "field":
            self._check_field(self._next)
        part = self._primary() if self._next.kind in _OPERANDS else None
        self._field = None
        if part is None:
            written = self._source[name.start : name.end]
            raise QueryError(
                f"{name.text}: has no word after it",
                name.start,
                expected="a word or a phrase",
                hint=f'put it in quotes if it is text: "{written}"',
                corrected=replaced(self._source, name.start, name.end, f'"{written}"')
                if self._end == name.end
                else None,
            )
        if name.text in TEXT_FIELDS:
            node: tree.Query = tree.Within(name.text, part.node, start=name.start, end=self._end)
            part = self._part(node, tree.Within, name.text, part.key)
        else:
            node = replace(part.node, start=name.start, end=self._end)
            part = part._replace(node=node, start=name.start)
        part = self._multiplied(part, name.start)
        return self._negated(part, name.start) if excluded else part

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
        if written == "NEAR":
            return self._near_by_colon(name)
        close = get_close_matches(shortened(name.text), (*FIELDS, *FIELD_ALIASES), 1, 0.7)
        known = FIELD_ALIASES.get(close[0], close[0]) if close else None
        start, value = self._source[name.start :].split(maxsplit=1)[0], name.text
        corrected = None
        if known:
            corrected = replaced(self._source, name.start, name.end - 1, known)
            if value in ("before", "after"):
                sign = "<" if value == "before" else ">="
                corrected = replaced(self._source, name.start, name.end, f"published:{sign}")
        elif value == "_exists_":
            field, known = start.partition(":")[2], f"{start.partition(':')[2]}:*"
            end = name.end + len(field)
            corrected = replaced(self._source, name.start, end, known)
        hint = f"did you mean {known}?" if known else None
        return QueryError(
            f"there is no field {shortened(written)}",
            name.start,
            expected=f"one of the fields {', '.join(FIELDS)}",
            hint=hint or f'put it in quotes if it is text: "{shortened(start)}"',
            corrected=corrected,
        )

    def _near_by_colon(self, name: Lexeme) -> QueryError:
        number = _NUMBER.match(self._source, name.end)
        likely = f"NEAR/{number[0] if number else 10}"
        end = number.end() if number else name.end
        return QueryError(
            "there is no operator NEAR:",
            name.start,
            expected=f"NEAR/1 to NEAR/{LARGEST_SLOP}, in any order",
            corrected=replaced(self._source, name.start, end, likely),
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
        node = tree.Boost(part.node, factor, start=start, end=self._end)
        return self._part(node, tree.Boost, factor, part.key)

    def _primary(self) -> _Part | None:
        if self._next.kind == "open":
            return self._group()
        lexeme = self._take()
        if self._field is None and _TAG.match(self._source, lexeme.start, lexeme.end):
            return self._tag(lexeme)
        node = self._term(lexeme, self._field)
        return self._leaf(node) if node is not None else None

    def _term(self, lexeme: Lexeme, field: str | None) -> tree.Query | None:
        return term(self._source, lexeme, field=field, now=self._now, time_zone=self._time_zone)

    def _tag(self, lexeme: Lexeme) -> _Part | None:
        """`#tag`: the keyword, or the words of the text."""
        written, after = lexeme.text[1:].replace("+", " "), lexeme.start + 1
        end = after if lexeme.near is None else lexeme.end  # a ~ is refused where it stands
        name = lexeme._replace(kind="phrase", text=written, end=end)
        is_pattern = lexeme.star or ANY in written or ONE in written
        text = lexeme._replace(text=written, start=after)
        nodes = (
            self._term(name, "keyword"),
            self._term(text, None) if is_pattern else words(written, after, lexeme.end),
        )
        return self._joined(tree.Or, [self._leaf(node) for node in nodes if node is not None])

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
        if self._next.start == self._end and self._source.startswith(("*", "~", "@"), self._end):
            raise QueryError(
                f"a {self._source[self._end]} stands after a group",
                self._end,
                expected="a word or a phrase before it",
                corrected=self._without(self._next),
            )
        return part and part._replace(start=opened.start, end=self._end)

    def _leaf(self, node: tree.Query) -> _Part:
        self._counted += len(node.tokens) if isinstance(node, tree.Phrase) else 1
        if self._counted > MOST_CLAUSES:
            raise QueryError(f"the query has more than {MOST_CLAUSES:,} words", node.start)
        return self._part(node)

    def _part(self, node: tree.Query, *fact: object) -> _Part:
        """A part with the key of `fact`; the key of a leaf is that of the leaf itself."""
        key = self._keys.setdefault(fact or node, len(self._keys))
        return _Part(node, key, node.start, node.end)

    def _negated(self, part: _Part, start: int) -> _Part:
        if isinstance(part.node, tree.Not):
            return part.clauses[0]._replace(start=start, end=part.end)
        negated = self._part(tree.Not(part.node, start=start, end=part.end), tree.Not, part.key)
        return negated._replace(clauses=(part,))

    def _joined(self, kind: type[tree.And | tree.Or], parts: Sequence[_Part]) -> _Part | None:
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
