"""The tree of a query, printed and explained.

Nodes hold tokens as `text.tokens` makes them, so an engine matches them as they come, and
beside them what was typed: `query.parse(str(tree)) == tree`. How text becomes a tree is not
known here, nor is any engine.

    >>> rain, cairo = Word(text="rains", token="rain"), Named("place", "Cairo", "cairo")
    >>> str(And((rain, Not(Or((Within("headline", rain), cairo))))))
    'rains -(headline:rains OR place:Cairo)'
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import regex

from app.search.query_lexer import QUOTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

ZONES = ("headline", "summary", "caption", "body")
NAMES = ("place", "source", "section", "language", "person", "organization", "entity")
FIELDS = (*ZONES, *NAMES, "published")
"""Fields of a query: zones hold words, names are compared whole (folded by `text.fold`)."""

# What can be printed as it is; all else is put in quotes.
_BARE = regex.compile(
    r"(?!(?:AND|OR|NOT)\Z)[\p{L}\p{N}$€£#@'’][\p{L}\p{M}\p{N}.,;'’!&/%@#$€£+–—…-]*[:?]?", regex.V1
)
_NOT_IN_QUOTES = regex.compile(rf"[{QUOTES}\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """Where a node stands in the query, characters from 0; it does not tell trees apart."""

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        node = cast("Query", self)
        return _printed(node, [str(clause) for clause in clauses(node)])


@dataclass(frozen=True, slots=True)
class Word(_Node):
    """Articles that hold the token; `text` is what was typed."""

    text: str = field(compare=False)
    token: str


@dataclass(frozen=True, slots=True)
class Phrase(_Node):
    """Articles that hold the tokens in this order with at most `slop` words between in all."""

    text: str = field(compare=False)
    tokens: tuple[str, ...]
    slop: int = 0


@dataclass(frozen=True, slots=True)
class Beside(Phrase):
    """For the score of articles that other clauses find: two of their words side by side.

    An engine may leave it out where both words are common.
    """


@dataclass(frozen=True, slots=True)
class Prefix(_Node):
    """Articles with a word whose folded form (`Token.form`) begins with `prefix`.

    As any word, it stands for its stem: `raining*` finds what `raining` finds, and more.
    """

    prefix: str
    text: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Fuzzy(_Node):
    """Articles with a word whose folded form is `distance` edits or fewer away from `form`.

    An edit adds, drops or changes a letter or swaps two neighbours.
    """

    form: str
    distance: Literal[1, 2]
    text: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Named(_Node):
    """Articles with this name (`key` is folded) in a field of NAMES; as a prefix if so.

    An empty prefix, `place:*`, is any name. `ids` are the terms of the entities that the name
    stands for, which whoever asks an engine looks up; any of them is as good as the name.
    """

    name: str
    text: str = field(compare=False)
    key: str
    prefix: bool = False
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published(_Node):
    """Articles with a date at or after `since` and before `until`; None is open."""

    text: str = field(compare=False)
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Everything(_Node):
    """Every article: `*`."""


@dataclass(frozen=True, slots=True)
class Within(_Node):
    """`node` in one zone only; never holds Named, Published, Everything or another Within."""

    zone: str
    node: Query


@dataclass(frozen=True, slots=True)
class Boost(_Node):
    """`node` with its score times `factor`."""

    node: Query
    factor: float


@dataclass(frozen=True, slots=True)
class Not(_Node):
    """Articles that do not match `node`, which is never a Not; scores nothing."""

    node: Query


@dataclass(frozen=True, slots=True)
class And(_Node):
    """Articles that match every clause: two at the least, all different, none an And."""

    clauses: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """Articles that match any clause: two at the least, all different, none an Or."""

    clauses: tuple[Query, ...]


Query = (
    Word
    | Phrase
    | Prefix
    | Fuzzy
    | Named
    | Published
    | Everything
    | Within
    | Boost
    | Not
    | And
    | Or
)


def clauses(node: Query) -> tuple[Query, ...]:
    """The nodes right below `node`, in the order of the query."""
    match node:
        case And() | Or():
            return node.clauses
        case Within() | Boost() | Not():
            return (node.node,)
    return ()


def walk(tree: Query) -> Iterator[Query]:
    """All nodes of `tree`, each before its clauses, in the order of the query."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(clauses(node)))


def mapped(tree: Query, change: Callable[[Query], Query]) -> Query:
    """`tree` with each leaf as `change` makes it."""
    match tree:
        case And() | Or():
            return replace(tree, clauses=tuple(mapped(each, change) for each in tree.clauses))
        case Within() | Boost() | Not():
            return replace(tree, node=mapped(tree.node, change))
    return change(tree)


def explain(tree: Query) -> dict[str, Any]:
    """`tree` as JSON: type, query (printed), start, end, what the type has, clauses.

    >>> explain(Not(Prefix("rain"), start=3, end=9))  # doctest: +NORMALIZE_WHITESPACE
    {'type': 'not', 'query': '-rain*', 'start': 3, 'end': 9, 'clauses':
     [{'type': 'prefix', 'query': 'rain*', 'start': 0, 'end': 0, 'prefix': 'rain', 'clauses': []}]}
    """
    inner = [explain(clause) for clause in clauses(tree)]
    kind = "field" if isinstance(tree, Within | Named) else type(tree).__name__.lower()
    return {
        "type": kind,
        "query": _printed(tree, [clause["query"] for clause in inner]),
        "start": tree.start,
        "end": tree.end,
        **_facts(tree),
        "clauses": inner,
    }


def default_distance(form: str) -> Literal[1, 2]:
    """The typing errors that `form~` allows: two are likely in longer words only."""
    return 1 if len(form) <= 5 else 2


def _facts(node: Query) -> dict[str, Any]:
    match node:
        case Word():
            return {"text": node.text, "token": node.token}
        case Phrase():
            return {"text": node.text, "tokens": list(node.tokens), "slop": node.slop}
        case Prefix():
            return {"prefix": node.prefix}
        case Fuzzy():
            return {"form": node.form, "distance": node.distance}
        case Within():
            return {"field": node.zone}
        case Named():
            return {"field": node.name, "name": node.text, "key": node.key, "prefix": node.prefix}
        case Published():
            since, until = (at and at.isoformat() for at in (node.since, node.until))
            return {"since": since, "until": until}
        case Boost():
            return {"factor": node.factor}
    return {}


def _printed(node: Query, inner: list[str]) -> str:  # noqa: C901 one case a kind of node
    """`node` in the query language, from its clauses as they are printed."""
    match node:
        case Word():
            return _bare(node.text)
        case Phrase() if node.slop:
            return f"{_quoted(node.text)}~{node.slop}"
        case Phrase():
            return _bare(node.text)
        case Prefix():
            return f"{node.text or node.prefix}*"
        case Fuzzy():
            number = "" if node.distance == default_distance(node.form) else node.distance
            return f"{node.text or node.form}~{number}"
        case Named(text="", prefix=True):
            return f"{node.name}:*"
        case Named(prefix=True):
            begun = node.text if node.text.isalnum() else _quoted(node.text)
            return f"{node.name}:{begun}*"
        case Named():
            return f"{node.name}:{_bare(node.text)}"
        case Published():
            bare = node.text.startswith("[") or not any(map(str.isspace, node.text))
            return f"published:{node.text}" if bare else f'published:"{node.text}"'
        case Everything():
            return "*"
        case Within():
            return f"{node.zone}:{_grouped(node.node, inner[0])}"
        case Boost():
            return f"{_grouped(node.node, inner[0])}^{str(node.factor).removesuffix('.0')}"
        case Not():
            loose = isinstance(node.node, And | Or)
            return f"-({inner[0]})" if loose else f"-{inner[0]}"
        case And():
            pairs = zip(node.clauses, inner, strict=True)
            return " ".join(f"({c})" if isinstance(n, Or) else c for n, c in pairs)
    return " OR ".join(inner)


def _grouped(node: Query, printed: str) -> str:
    return f"({printed})" if isinstance(node, And | Or | Not | Boost) else printed


def _bare(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    escaped: str = _NOT_IN_QUOTES.sub(r"\\\g<0>", text)
    return f'"{escaped}"'
