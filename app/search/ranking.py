"""Ranking: the parameters that every engine scores by; `test_relevance` has the quality floors.

BM25 over the weighted words of an article (Robertson and Zaragoza 2009), and the boost of
recent articles. An engine whose library fixes a parameter documents its own value.
"""

from __future__ import annotations

import math

from app.search.engine import DAY_US

FIELD_WEIGHTS = {"headline": 3.0, "summary": 2.0, "caption": 1.75, "body": 1.0}
"""The weight of a word, by its field."""
LEAD_WORDS, LEAD_WEIGHT = 30, 1.5
"""The first words of a body and the weight of each: news leads with what it is about."""
K1, B = 1.4, 0.72
"""BM25's saturation and length normalisation (section 3.4).

Weighted words saturate early, so K1 stands above the usual 1.2.
"""
LEAST_IDF = 0.05
"""The idf of words in half of all articles or more: they hardly discriminate but still rank."""
LEAST_BESIDE = 2.94
"""Pairs of words below this idf are skipped: the rarer word is in a tenth of all articles."""
HALF_LIFE_DAYS = 30.0
"""With `recent`, the newest day's scores are doubled; this many days before, multiplied by 1.5."""


def idf(documents: int, holding: float) -> float:
    """Inverse document frequency (equation 3.3), at least LEAST_IDF.

    The variant with 1 added in the logarithm would let the many common words of a sentence
    outweigh its rare one.
    """
    return max(math.log((documents - holding + 0.5) / (holding + 0.5)), LEAST_IDF)


def recency(published_us: float, newest_us: float) -> float:
    """The boost of a recent article: 2 on the newest day and later, approaching 1 before."""
    age_us = max(newest_us - published_us, 0.0)
    decay: float = 0.5 ** (age_us / (HALF_LIFE_DAYS * DAY_US))
    return 1 + decay
