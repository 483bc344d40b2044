r"""Where a text is cut: the passages that show the most of its marks.

A text and its marks in, the start and end of each passage out. A passage begins and ends with
a sentence where one is near, else with a word, and never goes over a blank line or through a
mark. What is marked, and what becomes of a passage, is not known here.

    >>> text = "It was dry.\n\nThen rain fell."
    >>> [text[start:end] for start, end in cut(text, [Mark(18, 22, frozenset({0}))], 1)]
    ['Then rain fell.']
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from app.search.marking import LONGEST_MARK, Mark
from app.text import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PASSAGE = LONGEST_MARK
"""Characters of a passage at the most: any mark fits in one."""

_CONTEXT = 60  # characters before the first mark, where no sentence begins near
_TAIL = 30  # and after the last one, where a sentence began far before
_MOST_COMBINING = 30  # marks on one letter, as in the stream-safe format of UAX #15

_SENTENCE_END = re.compile(
    r"[.!?…。！？](?:(?<=[。！？])[。！？」』]*|[.!?…]*[\"'”’)\]]*(?=\s+(\S)))"
)
_NO_SENTENCE = re.compile(
    r"(?<!\w)(?:[^\W\d]|Mrs?|Ms|Dr|Gen|Lt|Col|Maj|Capt|Sgt|Sen|Rep|Gov|St|Prof|Rev|Hon|No|vs"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_WORD_START = re.compile(r"(?<=\s)\S")


def cut(text: str, marks: Sequence[Mark], most: int) -> list[tuple[int, int]]:
    """Start and end of the best passages, in their order in the text; they do not overlap.

    At most `most`; of marks that are equally good the first are shown.
    """
    cuts: list[tuple[int, int]] = []
    shown: set[int] = set()
    left = marks
    while left and len(cuts) < most:
        window = _best(text, left, shown, cuts)
        start, end = _passage(text, window[0].start, window[-1].end, cuts)
        for mark in marks:  # a phrase is shown whole or not at all
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
    """The marks that fit in one passage and show the most: clauses not shown yet, clauses, marks.

    The first of equal ones.
    """
    best = (0, 0, 0)
    found = marks[:1]
    first = 0
    inside: dict[int, int] = {}
    for last, mark in enumerate(marks):
        if last and _parted(text, marks[last - 1].end, mark.start, cuts):
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


def _parted(text: str, end: int, start: int, cuts: Iterable[tuple[int, int]]) -> bool:
    return text.find("\n\n", end, start) >= 0 or any(end <= cut < start for cut, _ in cuts)


def _passage(text: str, first: int, last: int, cuts: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Start and end of a passage around `first` to `last`, clear of those in `cuts`.

    It begins with a sentence if one begins near enough, else with a word, and ends alike.
    """
    blank = text.rfind("\n\n", max(last - PASSAGE - 2, 0), first)
    low = blank + 2 if blank >= 0 else max(last - PASSAGE, 0)
    opens = blank >= 0 or low == 0  # whether a paragraph begins there
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
    else:  # the paragraph ends soon: room for what comes before
        start = next(start for start in starts if high - start <= PASSAGE)
    return start, _passage_end(text, start, last, high)


def _passage_end(text: str, start: int, last: int, high: int) -> int:
    """Where the passage from `start` ends: from `last` on, and at `high` if there is room."""
    limit = start + PASSAGE
    if high <= limit:
        limit = high
    elif ends := [end for end in _sentence_ends(text, last, limit) if end - start > PASSAGE // 2]:
        limit = ends[-1]
    else:
        limit = _word_end(text, last, limit)
    return max(_before_space(text, limit), last)


def _sentence_ends(text: str, low: int, high: int) -> list[int]:
    """Where sentences end after `low` and up to `high`."""
    ends = []
    for match in _SENTENCE_END.finditer(text, low, high + _TAIL):
        end = match.end()
        if end > high:
            break
        goes_on = match[1] is not None and match[1].islower()
        if not goes_on and not _NO_SENTENCE.search(text[max(match.start() - 5, 0) : match.start()]):
            ends.append(end)
    return ends


def _word_start(text: str, low: int, first: int) -> int:
    """The first place from `low` where a word begins; `first` is one."""
    for found in _WORD_START.finditer(text, low, first):
        if not _is_combining(found[0]):
            return found.start()
    return next((low + token.start for token in tokens(text[low:first]) if token.start), first)


def _word_end(text: str, last: int, high: int) -> int:
    """The last place up to `high` where a word ends; `last` is one."""
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
    """The first place from `at` on that is no space."""
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _before_space(text: str, at: int) -> int:
    """`at`, or where the spaces before it begin."""
    while at and text[at - 1].isspace():
        at -= 1
    return at
