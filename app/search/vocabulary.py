"""The words of an index: how common they are, how they go on, what was perhaps meant.

Counts are of documents that hold a word of the same stem. No file and no index library is
known here.
"""

from __future__ import annotations

from collections import Counter
from heapq import nlargest
from typing import TYPE_CHECKING

from app import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.search.matching import Segment
    from app.search.query import Fuzzy, Prefix


def frequencies(segments: Sequence[Segment], tokens: Iterable[str]) -> dict[str, int]:
    """How many documents hold each token."""
    return {token: sum(s.documents("words", token) for s in segments) for token in tokens}


def words(segments: Sequence[Segment], leaf: Prefix | Fuzzy, limit: int) -> list[tuple[str, int]]:
    """The forms that a prefix or a typing error stands for, commonest first."""
    most = max(segments, key=lambda segment: segment.columns.count, default=None)
    found = (form for segment in segments for form in segment.near(leaf, beside=most))
    forms = {form: text.stem(form) for form in found}
    counts = frequencies(segments, set(forms.values()))
    # Most words of a short prefix are rare: they are not put in order.
    least = min(nlargest(limit, (counts[token] for token in forms.values())), default=0)
    common = [form for form, token in forms.items() if counts[token] >= least]
    common.sort(key=lambda form: (-counts[forms[form]], len(form), form))
    return [(form, counts[forms[form]]) for form in common[:limit]]


def names(
    segments: Sequence[Segment], field: str, prefix: str, limit: int
) -> list[tuple[str, int]]:
    """The names in a field that begin with `prefix`, commonest first."""
    counts: Counter[str] = Counter()
    for segment in segments:
        # Not by article: of very many, few have values of their own.
        for of_one, count in segment.counted(field).items():
            for name in of_one:
                if name.startswith(prefix):
                    counts[name] += count
        values = segment.names(field) if segment.deleted else ()
        for number in segment.deleted:
            counts.subtract(name for name in values[number] if name.startswith(prefix))
    return sorted((+counts).items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
