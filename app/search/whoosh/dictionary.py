"""The term dictionary: document frequencies, terms by prefix, and the words that follow others.

Counts are of documents with a word of the same stem. Reads no file.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from app import text
from app.search import histogram
from app.search.whoosh.schema import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from app.search.deadline import Deadline
    from app.search.query.tree import Fuzzy, Prefix, Word
    from app.search.whoosh.segments import Segment

_RUN = 3  # words before a completion that count
_MOST_FOLLOWING = 200  # candidate forms, the commonest in all articles


def frequencies(segments: Sequence[Segment], tokens: Iterable[str]) -> dict[str, int]:
    """The document frequency of each token."""
    return {token: sum(s.documents("words", token) for s in segments) for token in tokens}


def words(segments: Sequence[Segment], leaf: Prefix | Fuzzy, limit: int) -> list[tuple[str, int]]:
    """The forms that match a prefix or a fuzzy word, commonest first."""
    most = max(segments, key=lambda segment: segment.columns.count, default=None)
    found = (form for segment in segments for form in segment.near(leaf, beside=most))
    languages = {language for segment in segments for language in segment.languages}
    counts = {form: _holding(segments, form, languages) for form in found}
    return histogram.top(counts, limit, tie=lambda form: (len(form), form))


def _holding(segments: Sequence[Segment], form: str, languages: Iterable[str]) -> int:
    """How many documents have a word of a form's stem, in any of `languages`."""
    terms = chain.from_iterable(text.alternatives(form, languages, exact=False))
    return sum(
        segment.documents("words", term) for term in terms if term[0] != "=" for segment in segments
    )


def following(
    segments: Sequence[Segment],
    before: Sequence[Word],
    leaf: Prefix,
    limit: int,
    deadline: Deadline,
) -> list[tuple[str, int]]:
    """The forms that match `leaf` in the documents with all words of `before`, with their counts.

    Those that most often follow the last words of `before` come first.
    """
    forms = [form for form, _ in words(segments, leaf, _MOST_FOLLOWING)]
    holding: Counter[str] = Counter()
    behind: Counter[str] = Counter()
    for segment in segments:
        numbers = _holding_all(segment, before)
        behind_words = _places_behind(segment, before, numbers)
        for form in forms if numbers else ():
            if not deadline.in_time():
                break
            for number, at in _places(segment, _terms(segment, form, exact=True)):
                if number in numbers:
                    ends = behind_words.get(number, {})
                    behind[form] += max((ends.get(place, 0) for place in at), default=0)
            holding[form] += len(numbers & _numbers(segment, _terms(segment, form, exact=False)))
    known = [(form, holding[form]) for form in forms if holding[form]]
    known.sort(key=lambda pair: (-behind[pair[0]], -pair[1], len(pair[0]), pair[0]))
    return known[:limit]


def _terms(segment: Segment, surface: str, *, exact: bool) -> tuple[str, ...]:
    """The index terms of a word in the languages of the segment."""
    return text.alternatives(surface, segment.languages, exact=exact)[0]


def _numbers(segment: Segment, terms: Iterable[str]) -> set[int]:
    """The documents with any of `terms`."""
    return {n for term in terms for found, _, _ in segment.weights(term) for n in found}


def _holding_all(segment: Segment, before: Sequence[Word]) -> set[int]:
    """The documents with all words of `before`."""
    numbers = set(range(segment.columns.count)) - segment.deleted
    for word in before:
        numbers &= _numbers(segment, _terms(segment, word.text, exact=word.exact))
    return numbers


def _places(segment: Segment, terms: Iterable[str]) -> Iterator[tuple[int, list[int]]]:
    """Each document with one of `terms`, and its positions there."""
    for term in terms:
        for found, _, values in segment.blocks("words", term):
            yield from zip(found, map(places, values), strict=True)


def _places_behind(
    segment: Segment, before: Sequence[Word], numbers: set[int]
) -> dict[int, dict[int, int]]:
    """The weight of a following word, by document and position.

    A hundred times as much for each of the last words that stand side by side before it.
    """
    runs: dict[int, dict[int, int]] = {}
    for word in before[-_RUN:] if numbers else ():
        earlier, runs = runs, {}
        for number, found in _places(segment, _terms(segment, word.text, exact=word.exact)):
            if number in numbers:
                ends = earlier.get(number, {})
                runs.setdefault(number, {}).update({at + 1: 100 * ends.get(at, 1) for at in found})
    return runs


def names(
    segments: Sequence[Segment], field: str, prefix: str, limit: int
) -> list[tuple[str, int]]:
    """The names in a field that begin with `prefix`, commonest first."""
    counts: Counter[str] = Counter()
    for segment in segments:
        # By distinct values, not by article: there are far fewer.
        for values, count in segment.counted(field).items():
            for name in values:
                if name.startswith(prefix):
                    counts[name] += count
        listed = segment.names(field) if segment.deleted else ()
        for number in segment.deleted:
            counts.subtract(name for name in listed[number] if name.startswith(prefix))
    return histogram.top(+counts, limit)
