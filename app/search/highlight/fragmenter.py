r"""The fragmenter: cuts the passages with the most marks out of a text.

Takes a text and its marks, returns the start and end of each passage. A passage begins and
ends at a sentence where one is near, otherwise at a word, and never crosses a blank line or
cuts a mark. It knows neither the query nor HTML.

    >>> text = "It was dry.\n\nThen rain fell."
    >>> [text[start:end] for start, end in cut(text, [Mark(18, 22, frozenset({0}))], 1)]
    ['Then rain fell.']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from app.search.highlight.matcher import LONGEST_MARK, Mark
from app.text import tokens

PASSAGE = LONGEST_MARK
"""Most characters of a passage; any mark fits in one."""

_CONTEXT = 60  # characters before the first mark, if no sentence begins near
_TAIL = 30  # characters after the last one, if the sentence began far before
_MOST_COMBINING = 30  # combining marks on one letter, as in the stream-safe format of UAX #15

_SENTENCE_END = re.compile(
    r"[.!?…。！？](?:(?<=[。！？])[。！？」』]*|[.!?…]*[\"'”’)\]]*(?=\s+(\S)))"
)
_ABBREVIATION = re.compile(
    r"(?<!\w)(?:[^\W\d]|Mrs?|Ms|Dr|Gen|Lt|Col|Maj|Capt|Sgt|Sen|Rep|Gov|St|Prof|Rev|Hon|No|vs"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_WORD_START = re.compile(r"(?<=\s)\S")


def cut(text: str, marks: Sequence[Mark], most: int) -> list[tuple[int, int]]:
    """Start and end of the best passages, at most `most`, in text order, without overlap.

    The first of equally good marks win.
    """
    cuts: list[tuple[int, int]] = []
    shown: set[int] = set()
    left = marks
    while left and len(cuts) < most:
        window = _best(text, left, shown, cuts)
        start, end = _passage(text, window[0].start, window[-1].end, cuts)
        for mark in marks:  # a mark is never cut
            if mark.start < start < mark.end:
                start = _after_space(text, mark.end)
            elif mark.start < end < mark.end:
                end = _before_space(text, mark.start)
        cuts.append((start, end))
        shown.update(*(mark.clauses for mark in window))
        left = [mark for mark in left if mark.end <= start or mark.start >= end]
    return sorted(cuts)


def _best(
    text: str, marks: Sequence[Mark], shown: set[int], cuts: Iterable[tuple[int, int]]
) -> Sequence[Mark]:
    """The marks of the best passage: by clauses not shown yet, then clauses, then marks.

    The first of equally good passages wins.
    """
    best = (0, 0, 0)
    found = marks[:1]
    first = 0
    inside: dict[int, int] = {}
    for last, mark in enumerate(marks):
        if last and _separated(text, marks[last - 1].end, mark.start, cuts):
            first = last
            inside.clear()
        for clause in mark.clauses:
            inside[clause] = inside.get(clause, 0) + 1
        while mark.end - marks[first].start > PASSAGE:
            for clause in marks[first].clauses:
                inside[clause] -= 1
                if not inside[clause]:
                    del inside[clause]
            first += 1
        worth = (len(inside.keys() - shown), len(inside), last - first + 1)
        if worth > best:
            best, found = worth, marks[first : last + 1]
    return found


def _separated(text: str, end: int, start: int, cuts: Iterable[tuple[int, int]]) -> bool:
    return text.find("\n\n", end, start) >= 0 or any(end <= cut < start for cut, _ in cuts)


def _passage(text: str, first: int, last: int, cuts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of a passage around `first` to `last` that overlaps none of `cuts`.

    Begins and ends at a sentence if one is near enough, otherwise at a word.
    """
    blank = text.rfind("\n\n", max(last - PASSAGE - 2, 0), first)
    low = blank + 2 if blank >= 0 else max(last - PASSAGE, 0)
    opens = blank >= 0 or low == 0  # whether a paragraph begins at `low`
    blank = text.find("\n\n", last, first + PASSAGE + 2)
    high = blank if blank >= 0 else min(first + PASSAGE + 1, len(text))
    for start, end in cuts:
        if low < end <= first:
            low, opens = end, False
        if last <= start < high:
            high = start
    low = min(_after_space(text, low), first)

    starts = [low] if opens else []
    starts += [_after_space(text, end) for end in _sentence_ends(text, low, first)]
    starts = [
        start for start in starts if last - start <= PASSAGE - _TAIL or high - start <= PASSAGE
    ]
    if not starts:
        near = min(first, max(first - _CONTEXT, last - PASSAGE))
        start = _word_start(text, max(low, near), first)
    elif high - starts[-1] > PASSAGE:
        start = starts[-1]
    else:  # the paragraph ends soon: fill the passage with earlier sentences
        start = next(start for start in starts if high - start <= PASSAGE)
    return start, _passage_end(text, start, last, high)


def _passage_end(text: str, start: int, last: int, high: int) -> int:
    """The end of the passage from `start`: not before `last`, at `high` if that fits."""
    limit = start + PASSAGE
    if high <= limit:
        limit = high
    elif ends := [end for end in _sentence_ends(text, last, limit) if end - start > PASSAGE // 2]:
        limit = ends[-1]
    else:
        limit = _word_end(text, last, limit)
    return max(_before_space(text, limit), last)


def _sentence_ends(text: str, low: int, high: int) -> list[int]:
    """The ends of sentences between `low` and `high`."""
    ends = []
    for match in _SENTENCE_END.finditer(text, low, high + _TAIL):
        if match.end() > high:
            break
        continues = match[1] is not None and match[1].islower()
        before = text[max(match.start() - 5, 0) : match.start()]
        if not continues and not _ABBREVIATION.search(before):
            ends.append(match.end())
    return ends


def _word_start(text: str, low: int, first: int) -> int:
    """The first start of a word from `low` on; `first` is one."""
    for found in _WORD_START.finditer(text, low, first):
        if not _is_combining(found[0]):
            return found.start()
    return next((low + token.start for token in tokens(text[low:first]) if token.start), first)


def _word_end(text: str, last: int, high: int) -> int:
    """The last end of a word up to `high`; `last` is one."""
    for end in range(high, last - 1, -1):
        if text[end].isspace():
            return end
    ends = (last + token.end for token in tokens(text[last : high + _CONTEXT]))
    end = max((end for end in ends if end <= high), default=last)
    for character in text[end : end + _MOST_COMBINING]:
        if not _is_combining(character):
            break
        end += 1
    return end


def _is_combining(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _after_space(text: str, at: int) -> int:
    """The first position from `at` on that is not a space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _before_space(text: str, at: int) -> int:
    """`at`, or the start of the spaces before it."""
    while at and text[at - 1].isspace():
        at -= 1
    return at
