"""Emphasis: what else a question in plain words says about the order of its hits.

A word that is said twice counts more, and so do two neighbouring words that an article
holds side by side; of a word of several parts, such as `boundary-layer`, each part counts.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

from app.search.query import Beside, Boost, Or, Phrase, Query, Word
from app.search.query_lexer import QUOTES
from app.text import tokens

NEIGHBOURS = 0.25
"""What two neighbouring words found side by side count beside the words alone."""


def emphasized(tree: Query, source: str) -> Query:
    """`tree`, read from `source` with any word enough, with its emphasis.

    A word that is repeated counts with the root of its number.
    """
    found = list(tokens(source))
    counts = Counter(token.text for token in found)
    clauses: dict[object, Query] = {}
    for clause in tree.clauses if isinstance(tree, Or) else (tree,):
        if isinstance(clause, Phrase) and source[clause.start] not in QUOTES:
            # A word of several tokens: any of them is enough, as of other words.
            for token in found:
                if clause.start <= token.start < clause.end:
                    surface = source[token.start : token.end]
                    word = Word(surface, token.text, start=token.start, end=token.end)
                    clauses.setdefault(word, word)
        else:
            clauses.setdefault(clause, clause)
    several = [_repeated(clause, counts) for clause in clauses.values()]
    pairs: dict[tuple[str, str], Query] = {}
    for one, two in pairwise(found):
        if one.text != two.text:
            beside = Beside(
                text=source[one.start : two.end],
                tokens=(one.text, two.text),
                start=one.start,
                end=two.end,
            )
            pairs.setdefault(
                (one.text, two.text), Boost(beside, NEIGHBOURS, start=one.start, end=two.end)
            )
    several += pairs.values()
    return Or(tuple(several), start=tree.start, end=tree.end) if len(several) > 1 else several[0]


def _repeated(clause: Query, counts: Counter[str]) -> Query:
    if isinstance(clause, Word) and counts[clause.token] > 1:
        factor = math.sqrt(counts[clause.token])
        return Boost(clause, factor, start=clause.start, end=clause.end)
    return clause
