"""Query rewriting for questions in plain words: optional words and boosts.

With `match=auto` every word except function words must match, in a relaxed search any of them.
A repeated word is boosted, and so are two neighbouring words that stand side by side in an
article. Each token of a word such as `boundary-layer` counts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from app.search.query.terms import words
from app.search.query.tree import And, Boost, Favoring, Not, Or, Phrase, ProximityBoost, Query, Word
from app.text import folding, tokens
from app.text.stems import FUNCTION_WORDS

NEIGHBOURS = 0.25
"""The boost of two neighbouring words found side by side."""

_PARTICLES = regex.compile(  # between two Japanese words, or behind one
    r"(?<=[\p{Han}\p{Katakana}ー])(?:の|は|が|を|に|で|と|も|へ|から|まで|より|や)"
    r"(?=[\p{Han}\p{Katakana}]|\Z)"
)


@dataclass(frozen=True, slots=True)
class Auto:
    """The searches of `match=auto`; `relaxed` is None if none of its `words` is optional."""

    strict: Query
    relaxed: Query | None
    words: int = 0


def auto(tree: Query, source: str, languages: Iterable[str]) -> Auto:
    """The searches for `tree`, parsed from `source` with all words required.

    Only bare words become optional. Dropped are the function words of the one language, English
    or of `languages`, that has most of them in the question.

    >>> from app.search.query import parse
    >>> q = 'the price of "crude oil" in Oslo -tax'
    >>> found = auto(parse(q), q, ())
    >>> str(found.strict), str(found.relaxed)
    ('"crude oil" -tax price Oslo', '"crude oil" -tax (price OR Oslo)')
    """
    clauses = tree.clauses if isinstance(tree, And) else (tree,)
    bare = [part for clause in clauses if _is_bare(clause) for part in _parted(clause, source)]
    required = [clause for clause in clauses if not _is_bare(clause)]
    dropped = _function_words(bare, source, languages)
    content = [clause for clause in bare if _plain(clause, source) not in dropped]
    if not content and all(isinstance(clause, Not) for clause in required):
        return Auto(tree, None)
    where = {"start": tree.start, "end": tree.end}
    strict = _joined(And, [*required, *content], where)
    beside = _neighbours(content, source)
    if beside:
        strict = Favoring(strict, tuple(beside), **where)
    if len(content) < 2 and not (content and isinstance(_inner(content[0]), Phrase)):
        return Auto(strict, None)
    any_of = _joined(Or, list(_counted(content, source)), where)
    relaxed = _joined(And, [*required, any_of], where)
    if beside:
        relaxed = Favoring(relaxed, tuple(beside), **where)
    return Auto(strict, relaxed, len(content))


def prose(source: str) -> str:
    """`source` without accidental operators, if it is typed in capitals or as a headline.

    The length stays the same. In a sentence in capitals AND, OR and NOT are words. In a
    headline, with a capital at each word, a dash before a word does not negate it. The
    parentheses of `1)` and `b)` close no group.

    >>> prose("I AM INTERESTED IN STORES OR MEMORIES"), prose("RAIN OR SNOW")
    ('i am interested in stores or memories', 'RAIN OR SNOW')
    >>> prose("Ford Increases 2Nd Quarter Plans -Report")
    'Ford Increases 2Nd Quarter Plans  Report'
    """
    if source.count(")") > source.count("("):
        source = _NUMBERED.sub(" ", source)
    surfaces = source.split()
    if len(surfaces) < _SENTENCE:
        return source
    if source.isupper() and not set(surfaces).isdisjoint(_SMALL):
        return source.lower() if len(source.lower()) == len(source) else source
    if not any(surface.strip("-<(\"'")[:1].islower() for surface in surfaces):
        return source.replace(" -", "  ")
    return source


_NUMBERED = regex.compile(r"(?<=(?:\A|\s)\w)\)")
_SENTENCE = 5  # words
_SMALL = {word.upper() for word in FUNCTION_WORDS["en"]} - {"AND", "OR", "NOT"}


def emphasized(tree: Query, source: str) -> Query:
    """`tree`, parsed from `source` with `match="any"`, with repeated and adjacent words boosted.

    A repeated word is boosted by the square root of its count.
    """
    clauses = tree.clauses if isinstance(tree, Or) else (tree,)
    boosted = [*_counted(clauses, source), *_neighbours(None, source)]
    return _joined(Or, boosted, {"start": tree.start, "end": tree.end})


def _joined(kind: type[And | Or], clauses: Sequence[Query], where: dict[str, int]) -> Query:
    return kind(tuple(clauses), **where) if len(clauses) > 1 else clauses[0]


def _inner(clause: Query) -> Query:
    return clause.node if isinstance(clause, Boost) else clause


def _is_bare(clause: Query) -> bool:
    inner = _inner(clause)
    return isinstance(inner, Word | Phrase) and not inner.exact


def _parted(clause: Query, source: str) -> Iterable[Query]:
    """A run of Japanese words split at its particles."""
    if not isinstance(clause, Phrase) or not _PARTICLES.search(clause.text):
        return (clause,)
    at, found = clause.start, []
    for particle in (*_PARTICLES.finditer(source, clause.start, clause.end), None):
        end = particle.start() if particle else clause.end
        found.append(words(source[at:end], at, end))
        at = particle.end() if particle else end
    return filter(None, found)


def _plain(clause: Query, source: str) -> str:
    return folding.folded(source[clause.start : clause.end].strip(".,;:!?…"))


def _function_words(bare: Sequence[Query], source: str, languages: Iterable[str]) -> frozenset[str]:
    asked = {_plain(clause, source) for clause in bare if isinstance(_inner(clause), Word)}
    asked -= {_plain(c, source) for c in bare if isinstance(c, Word) and c.token[-1] == "."}
    known = [FUNCTION_WORDS[each] for each in ("en", *languages) if each in FUNCTION_WORDS]
    return max((function_words & asked for function_words in known), key=len)


def _counted(clauses: Iterable[Query], source: str) -> Iterable[Query]:
    """The clauses, a word of several tokens split into these, with repeated words boosted."""
    found = list(tokens(source))
    counts = Counter(token.text for token in found)
    several: dict[object, Query] = {}
    for clause in clauses:
        if isinstance(clause, Phrase) and not clause.exact:
            for token in found:
                if clause.start <= token.start < clause.end:
                    surface = source[token.start : token.end]
                    word = Word(surface, token.text, start=token.start, end=token.end)
                    several.setdefault(word, word)
        else:
            several.setdefault(clause, clause)
    return [_repeated(clause, counts) for clause in several.values()]


def _neighbours(among: Sequence[Query] | None, source: str) -> list[Query]:
    """Boosts for neighbouring words of `source`, or of the clauses `among` with others between."""
    found = list(enumerate(tokens(source)))
    if among is not None:
        spans = [(clause.start, clause.end) for clause in among]
        found = [(n, t) for n, t in found if any(start <= t.start < end for start, end in spans)]
    pairs: dict[tuple[str, str], Query] = {}
    for (first, one), (last, two) in pairwise(found):
        if one.text != two.text and one.end <= two.start:
            both = (one.text, two.text)
            written = f"{source[one.start : one.end]} {source[two.start : two.end]}"
            between = last - first - 1
            start, end = one.start, two.end
            beside = ProximityBoost(written, both, between, start=start, end=end)
            pairs.setdefault(both, Boost(beside, NEIGHBOURS, start=start, end=end))
    return list(pairs.values())


def _repeated(clause: Query, counts: Counter[str]) -> Query:
    if isinstance(clause, Word) and counts[clause.token] > 1:
        factor = math.sqrt(counts[clause.token])
        return Boost(clause, factor, start=clause.start, end=clause.end)
    return clause
