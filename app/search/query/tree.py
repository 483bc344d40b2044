"""The tree of a query: its nodes, their printed form and their explanation as JSON.

Nodes hold tokens and forms as `text.tokens` makes them, so that an engine matches them
unchanged, beside the typed text: `query.parse(str(tree)) == tree`. ANY and ONE are the
wildcards of the typed text. Nothing here knows a parser or an engine.

    >>> rain, cairo = Word(text="rains", token="rain"), Named("place", "Cairo", "cairo")
    >>> str(And((rain, Not(Or((Within("headline", rain), cairo))))))
    'rains -(headline:rains OR place:Cairo)'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any, Literal, cast

import regex

from app.text import alternatives
from app.text.stems import LANGUAGES

TEXT_FIELDS = ("headline", "summary", "caption", "body")
NAMES = (
    *("place", "source", "section", "language", "person", "organization", "entity"),
    *("author", "byline", "keyword", "domain", "url"),
)
FIELDS = (*TEXT_FIELDS, *NAMES, "published")
"""Fields of a query. Text fields hold words; names match as a whole, folded by `text.fold`."""

QUOTES = '"“”„‟«»'
# `text.tokens` takes them for letters, and no searched text contains them.
ANY, ONE = "\ua7f7", "\ua7fb"
"""The wildcards of typed text: any letters (typed `*`) and one letter (`?`)."""

_SAFE = regex.compile(r"[\p{L}\p{M}\p{N}.,;'’%@$€£–—…-]", regex.V1)
# Text printed without a backslash, although some of its characters are operators elsewhere.
_BARE = regex.compile(
    rf"(?!(?:AND|OR|NOT|NEAR|(?i:{'|'.join(FIELDS)}):)\Z)(?!\d+\.\.)"
    r"[\p{L}\p{N}$€£@'’]"
    r"(?:[\p{L}\p{M}\p{N}.,;'’!%@#$€£+–—…-]|&(?!&)|/(?!\d))*[:?]?",
    regex.V1,
)
_NOT_IN_QUOTES = regex.compile(rf"[{QUOTES}\\*]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """The position of a node in the query, in characters from 0; not compared."""

    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    def __str__(self) -> str:
        node = cast("Query", self)
        return _printed(node, [str(clause) for clause in clauses(node)])


@dataclass(frozen=True, slots=True)
class Word(_Node):
    """Articles with the word; `text` is what was typed.

    `token` is its English stem or, with `exact`, its form. `others` are its index terms in the
    searched languages; empty means those of `token` (see `in_languages`).
    """

    text: str = field(compare=False)
    token: str
    exact: bool = field(default=False, kw_only=True)
    others: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of an index of which an article holds one."""
        return self.others or _terms(self.token, exact=self.exact)


@dataclass(frozen=True, slots=True)
class Spelt(_Node):
    """Articles with any of the words, scored as one word; the first was typed.

    Never parsed: `synonyms` makes it for an engine.
    """

    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """What was typed."""
        return self.words[0].text

    @property
    def tokens(self) -> tuple[str, ...]:
        """The token of each word."""
        return tuple(word.token for word in self.words)

    @property
    def terms(self) -> tuple[str, ...]:
        """The terms of an index of which an article holds one."""
        return tuple(dict.fromkeys(term for word in self.words for term in word.terms))


@dataclass(frozen=True, slots=True)
class Phrase(_Node):
    """Articles with the tokens in this order, with at most `slop` words between them in all.

    `exact` and `others` are those of a Word, `others` for each token. With `exact` a token with
    a `*` is a pattern: any form that matches it.
    """

    text: str = field(compare=False)
    tokens: tuple[str, ...]
    slop: int = 0
    exact: bool = field(default=False, kw_only=True)
    others: tuple[tuple[str, ...], ...] = field(default=(), kw_only=True)

    @property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """For each token the index terms, any of which matches."""
        return self.others or tuple(_terms(token, exact=self.exact) for token in self.tokens)


@dataclass(frozen=True, slots=True)
class ProximityBoost(Phrase):
    """Raises the score of articles that other clauses match: two words side by side.

    An engine may skip it where a word is common.
    """


@dataclass(frozen=True, slots=True)
class Prefix(_Node):
    """Articles with a word whose folded form (`Token.form`) begins with `prefix`.

    Such a word matches by its stem: `raining*` finds what `raining` finds, and more.
    """

    prefix: str
    text: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Fuzzy(_Node):
    """Articles with a word whose folded form is at most `distance` edits from `form`.

    An edit inserts, deletes or replaces a letter or swaps two adjacent ones.
    """

    form: str
    distance: Literal[1, 2]
    text: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Wildcard(_Node):
    """Articles with a word whose folded form matches `pattern`: `*` any letters, `?` one.

    Such a word matches by its stem.
    """

    pattern: str
    text: str = field(default="", compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Near(_Node):
    """Articles with the clauses at most `distance` words apart, in any order.

    Each clause has a position of its own, near those of the clauses before it. Clauses are
    leaves of words, and Or, Boost and Near of them.
    """

    clauses: tuple[Query, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Named(_Node):
    """Articles with a name in a field of NAMES: `key`, folded, or with `prefix` its beginning.

    An empty prefix, `place:*`, is any name. `ids` are the terms of the entities of that name,
    which the caller of an engine looks up; any of them matches as the name does.
    """

    name: str
    text: str = field(compare=False)
    key: str
    prefix: bool = False
    ids: tuple[str, ...] = ()

    @property
    def is_pattern(self) -> bool:
        """Whether a wildcard is written; one past the longest word of a key is not in the key."""
        return ANY in self.text or ONE in self.text


@dataclass(frozen=True, slots=True)
class Published(_Node):
    """Articles published at or after `since` and before `until`; None is open."""

    text: str = field(compare=False)
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Everything(_Node):
    """Every article: `*`."""


@dataclass(frozen=True, slots=True)
class Within(_Node):
    """`node` in one field; never contains Named, Published, Everything or another Within."""

    field: str
    node: Query


@dataclass(frozen=True, slots=True)
class Boost(_Node):
    """`node` with its score multiplied by `factor`."""

    node: Query
    factor: float


@dataclass(frozen=True, slots=True)
class Not(_Node):
    """Articles that do not match `node`, which is never a Not; it has no score."""

    node: Query


@dataclass(frozen=True, slots=True)
class And(_Node):
    """Articles that match every clause: two or more, all different, none an And."""

    clauses: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or(_Node):
    """Articles that match any clause: two or more, all different, none an Or."""

    clauses: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Favoring(_Node):
    """Articles that match `node`; each of `bonuses` that matches adds to the score."""

    node: Query
    bonuses: tuple[Query, ...]


Inexact = Prefix | Fuzzy | Wildcard
"""A node that matches many words."""
Leaf = Word | Spelt | Phrase | Inexact
"""A node that scores."""
Query = Leaf | Near | Named | Published | Everything | Within | Boost | Not | And | Or | Favoring


def clauses(node: Query) -> tuple[Query, ...]:
    """The children of `node`, in the order of the query."""
    match node:
        case And() | Or() | Near():
            return node.clauses
        case Within() | Boost() | Not() | Favoring():
            return (node.node,)
    return ()


def walk(tree: Query) -> Iterator[Query]:
    """All nodes of `tree` in preorder."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(clauses(node)))


def leaves(query: Query | None) -> Iterator[Leaf]:
    """The nodes that score, in the order of the query."""
    if isinstance(query, Leaf):
        yield query
    elif query is not None:
        bonuses = query.bonuses if isinstance(query, Favoring) else ()
        yield from chain.from_iterable(map(leaves, (*clauses(query), *bonuses)))


def ranks(query: Query | None) -> bool:
    """Whether a query scores its hits: names, dates and `-not` do not."""
    if query is None or isinstance(query, Not):
        return False
    return isinstance(query, Leaf) or any(map(ranks, clauses(query)))


def mapped(tree: Query, change: Callable[[Query], Query]) -> Query:
    """`tree` with `change` applied to each leaf."""
    match tree:
        case And() | Or() | Near():
            return replace(tree, clauses=tuple(mapped(each, change) for each in tree.clauses))
        case Favoring():
            bonuses = tuple(mapped(each, change) for each in tree.bonuses)
            return replace(tree, node=mapped(tree.node, change), bonuses=bonuses)
        case Within() | Boost() | Not():
            return replace(tree, node=mapped(tree.node, change))
    return change(tree)


def in_languages(tree: Query, languages: Iterable[str]) -> Query:
    """`tree` with the index terms of its words in any of `languages`."""
    searched = [language for language in languages if language in LANGUAGES]

    def change(node: Query) -> Query:
        if isinstance(node, Word) and not node.others:
            found = alternatives(node.text, searched, exact=node.exact)
            return replace(node, others=found[0]) if found else node
        if isinstance(node, Phrase) and not node.others:
            found = alternatives(node.text, searched, exact=node.exact)
            pairs = zip(node.tokens, found, strict=False)
            return replace(node, others=tuple((t,) if "*" in t else f for t, f in pairs))
        if isinstance(node, Spelt):
            return replace(node, words=tuple(cast("Word", change(word)) for word in node.words))
        return node

    return mapped(tree, change)


def _terms(token: str, *, exact: bool) -> tuple[str, ...]:
    return (f"={token}", f"!{token}") if exact and "*" not in token else (token,)


def explain(tree: Query) -> dict[str, Any]:
    """`tree` as JSON: type, printed query, start, end, the fields of the type, clauses.

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
    """The edits that `form~` allows: two in longer words only."""
    return 1 if len(form) <= 5 else 2


def typed(text: str) -> str:
    """`text` with its wildcards as they are typed."""
    return text.replace(ANY, "*").replace(ONE, "?")


def expression(pattern: str) -> str:
    """A regular expression for `pattern` within a line; matching takes linear time.

    >>> [re.fullmatch(expression("*ist?n*"), form) is not None for form in ("pakistani", "istn")]
    [True, False]
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    if not others:
        return first
    inner = "".join(f"(?>.*?{part})" for part in others[:-1])
    return f"{first}{inner}.*{others[-1]}"


def _facts(node: Query) -> dict[str, Any]:  # noqa: C901 one case a kind of node
    match node:
        case Word():
            return {"text": node.text, "token": node.token, "exact": node.exact}
        case Spelt():
            return {"text": node.text, "tokens": list(node.tokens)}
        case Phrase():
            return {
                "text": typed(node.text),
                "tokens": list(node.tokens),
                "slop": node.slop,
                "exact": node.exact,
            }
        case Prefix():
            return {"prefix": node.prefix}
        case Fuzzy():
            return {"form": node.form, "distance": node.distance}
        case Wildcard():
            return {"pattern": node.pattern}
        case Near():
            return {"distance": node.distance}
        case Within():
            return {"field": node.field}
        case Named():
            written, key = typed(node.text), typed(node.key)
            return {"field": node.name, "name": written, "key": key, "prefix": node.prefix}
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
            return _quoted(node.text) if node.exact else _bare(node.text)
        case Spelt():
            return _bare(node.text)
        case Phrase() if node.slop:
            return f"{_quoted(node.text)}~{node.slop}"
        case Phrase():
            return _quoted(node.text) if node.exact else _bare(node.text)
        case Prefix():
            return f"{node.text or node.prefix}*"
        case Wildcard():
            return typed(node.text) if node.text else node.pattern
        case Near():
            pairs = zip(node.clauses, inner, strict=True)
            apart = (f"({c})" if isinstance(n, Or | Near) else c for n, c in pairs)
            return f" NEAR/{node.distance} ".join(apart)
        case Fuzzy():
            number = "" if node.distance == default_distance(node.form) else node.distance
            return f"{node.text or node.form}~{number}"
        case Named(text="", prefix=True):
            return f"{node.name}:*"
        case Named() if node.is_pattern:
            return f"{node.name}:{typed(_bare(node.text))}"
        case Named(prefix=True):
            begun = node.text if node.text.isalnum() else _quoted(node.text)
            return f"{node.name}:{begun}*"
        case Named():
            return f"{node.name}:{_named(node.text)}"
        case Published():
            bare = node.text[0] in "[{" or not any(map(str.isspace, node.text))
            return f"published:{node.text}" if bare else f'published:"{node.text}"'
        case Everything():
            return "*"
        case Favoring():
            return inner[0]
        case Within():
            return f"{node.field}:{_grouped(node.node, inner[0])}"
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
    return f"({printed})" if isinstance(node, And | Or | Near | Not | Boost) else printed


def _bare(text: str) -> str:
    """`text` as words outside quotes."""
    if _BARE.fullmatch(text) and ".." not in text:  # two dots may look like a range of numbers
        return text
    return "".join(
        sign if (_SAFE.match(sign) and n and sign != ".") or sign in (ANY, ONE) else f"\\{sign}"
        for n, sign in enumerate(text)
    )


def _named(text: str) -> str:
    return text if _BARE.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    """`text` in quotes."""
    escaped: str = _NOT_IN_QUOTES.sub(r"\\\g<0>", text)
    return f'"{typed(escaped)}"'
