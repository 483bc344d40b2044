"""Articles similar to another, by its terms of highest tf-idf weight.

Ids come from the engine and texts from the store. Knows no HTTP and writes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlmodel import Session

from app import text
from app.articles import read as articles
from app.articles.read import ArticleSummary
from app.search import minhash
from app.search.engine import Engine, Request
from app.search.query.tree import Boost, Or, Query, Word
from app.services.search import search

LIKE_WORDS = 50
"""Terms of an article by which similar ones are searched."""
_CANDIDATES = 60


@dataclass(frozen=True, slots=True)
class SimilarArticle:
    """An article like another."""

    article: ArticleSummary
    score: float
    similarity: Annotated[
        float, Field(description="Share of runs of four words that both texts have, 0 to 1.")
    ]
    duplicate: Annotated[bool, Field(description="Whether it is a near-duplicate.")]


def find(
    session: Session, engine: Engine, article_id: UUID, request: Request
) -> tuple[list[SimilarArticle], int]:
    """The articles most similar to this one, near-duplicates first, and the number of matches.

    `request` gives filters, limit and time limit; its query is replaced. Raises NotFound.
    """
    whole = articles.get(session, article_id)
    tokens = text.terms(whole.body, whole.language)
    query_ = like(engine, tokens + text.terms(whole.headline, whole.language))
    if query_ is None:
        return [], 0
    most = max(_CANDIDATES, request.limit + 1)
    found = search(session, engine, replace(request, query=query_, limit=most, sort="relevance"))
    ids = [hit.id for hit in found.hits if hit.id != article_id]
    stored = articles.some(session, ids)
    bodies = articles.texts(session, ids)
    rows = []
    for hit in found.hits:
        if hit.id in stored and hit.id != article_id:
            share = minhash.similarity(tokens, text.terms(bodies[hit.id], whole.language))
            rows.append(
                SimilarArticle(stored[hit.id], hit.score, round(share, 3), share >= minhash.ALIKE)
            )
    rows.sort(key=lambda row: (not row.duplicate, -row.score, row.article.id))
    return rows[: request.limit], max(found.total - 1, 0)


def like(engine: Engine, tokens: Iterable[str]) -> Query | None:
    """A query for the LIKE_WORDS terms of highest weight among `tokens`.

    The weight is the square root of a term's frequency times its inverse document frequency.
    Stop words are not excluded: they distinguish kinds of articles. None if no other article has
    any of the terms.
    """
    counts = Counter(tokens)
    known = engine.frequencies(counts)
    # The document frequency of the commonest term stands for the number of articles.
    most = max(known.values(), default=0) + 1
    weights = {
        token: count**0.5 * math.log(most / known[token])
        for token, count in counts.items()
        if known[token] > 1
    }
    best = sorted(weights, key=lambda token: (-weights[token], token))[:LIKE_WORDS]
    words = (Word(text=token, token=token, others=(token,)) for token in best)
    terms = tuple(Boost(word, counts[word.token] ** 0.5) for word in words)
    return Or(terms) if len(terms) > 1 else next(iter(terms), None)
