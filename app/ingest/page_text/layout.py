"""The layout of a scraped page: which lines are headline, photo and text of which story.

In: the clean lines of a page. Out: its stories in page order, each with the lines above its
text (`above`) and those of the text (`text`), still as printed. A story is recognized by its
structure: a headline, `Updated <date>` with `Short Url` and `Follow` around it, and the same
headline again. Blank lines mean nothing. A line that merely looks like boilerplate is left in its
story.
"""

from __future__ import annotations

import re
from bisect import bisect, insort
from dataclasses import dataclass

from app.ingest.cleaning import key, mojibake
from app.ingest.page_text import boilerplate, captions, dates
from app.ingest.page_text.boilerplate import Kind
from app.ingest.vocabulary import SECTIONS
from app.text import fold

_MARKS = (Kind.SHORT_URL, Kind.FOLLOW, Kind.UPDATED)  # tuples: an Enum's hash is slow
_GALLERY_LINES = 60  # the same where one does
_PHOTO_LINES = 8  # printed lines that a headline and its photo take where no Short Url tells
_PARAGRAPH = 80  # characters that show a line to be a paragraph
_HEADLINE = 300  # characters of the longest headline
_ALIKE = 0.6  # of the words, for two lines to be versions of one headline
_UNLIKE = "headline: the page does not repeat it"
_SITE = re.compile(r" ?[|–—-] ?arab ?news.{0,20}", re.IGNORECASE)  # of a browser's title
_SENTENCE_ENDS = (
    *("。", "。」", "۔", "।", "，", "、", "،", "："),
    *(".", ".”", '."', ".’", ".'", ":", ",", ";"),
)


@dataclass(frozen=True, slots=True)
class StoryLines:
    """A story by the numbers of its lines, counted from 0.

    `headline` is None if the page does not mark one; then all of it is in `text`. `updated` is
    its date line; `is_main` is whether a `Short Url` is above the text, `inside` are a byline or a
    day beside it.
    """

    headline: int | None
    above: tuple[int, ...]
    text: tuple[int, ...]
    updated: str | None = None
    is_main: bool = False
    inside: tuple[int, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of boilerplate lines, from `start` up to `end`, with bylines and days `inside`."""

    start: int
    end: int
    updated: int | None
    short_url: bool
    follow: bool
    inside: tuple[int, ...]

    @property
    def is_certain(self) -> bool:
        """Whether it cannot occur in a text by chance."""
        return self.short_url or (self.follow and self.updated is not None)


@dataclass(frozen=True, slots=True)
class _Mark:
    """The line numbers of a story: its start, headline, lines above the text, and text."""

    start: int
    headline: int
    above: range
    text: int
    block: _Block
    doubts: tuple[str, ...] = ()


def stories(lines: list[str]) -> list[StoryLines]:
    """The stories of a page; one without a headline if nothing marks any.

    Lines before the first headline come as a story without headline, too.
    """
    kinds = _kinds(lines)
    blocks = _blocks(lines, kinds)
    marks, rest = _repeating(lines, kinds, blocks)
    gone: set[int] = set()
    for block in rest:
        mark = _unrepeating(lines, kinds, block, marks)
        if mark is not None:
            insort(marks, mark, key=lambda one: one.start)
        elif not _is_above(block, marks):
            gone.update(range(block.start, block.end))

    def printed(numbers: range) -> tuple[int, ...]:
        return tuple(number for number in numbers if lines[number] and number not in gone)

    found = []
    if leading := printed(range(marks[0].start if marks else len(lines))):
        found.append(StoryLines(None, (), leading))
    ends = [mark.start for mark in marks[1:]] + [len(lines)]
    for mark, end in zip(marks, ends, strict=False):
        block = mark.block
        updated = None if block.updated is None else lines[block.updated]
        above, text = printed(mark.above), printed(range(mark.text, end))
        found.append(
            StoryLines(
                mark.headline, above, text, updated, block.short_url, block.inside, mark.doubts
            )
        )
    return found


def is_headline(line: str) -> bool:
    """Whether `line` may be a headline: not long, and no sentence."""
    return 1 < len(line) <= _HEADLINE and not line.endswith(_SENTENCE_ENDS)


def _kinds(lines: list[str]) -> list[Kind]:
    kinds = [boilerplate.kind(line) for line in lines]
    for number, one in enumerate(kinds):
        beside = None
        if one is Kind.SHORT_URL:
            beside = _next(lines, number + 1)
        elif one is Kind.FOLLOW:
            beside = _previous(lines, number)
        if (
            beside is not None
            and kinds[beside] is Kind.TEXT
            and boilerplate.loosely_updated(lines[beside])
        ):
            kinds[beside] = Kind.UPDATED
    return kinds


def _next(lines: list[str], number: int) -> int | None:
    """The first printed line from `number` on."""
    return next((at for at in range(number, len(lines)) if lines[at]), None)


def _previous(lines: list[str], number: int) -> int | None:
    """The last printed line before `number`."""
    return next((at for at in range(number - 1, -1, -1) if lines[at]), None)


def _blocks(lines: list[str], kinds: list[Kind]) -> list[_Block]:
    blocks: list[_Block] = []
    number = 0
    for start in [at for at, one in enumerate(kinds) if one in _MARKS]:
        if start < number:
            continue
        number = end = start
        updated = None
        inside: list[int] = []
        while number < len(kinds):
            if kinds[number] in _MARKS:
                end = number + 1
                if kinds[number] is Kind.UPDATED and updated is None:
                    updated = number
            elif kinds[number] is Kind.TEXT:
                if len(inside) == 2 or not _is_inside(lines, kinds, number):
                    break
                inside.append(number)
            elif kinds[number] is not Kind.BLANK and not inside:
                end = number + 1
            number += 1
        number = end
        run = kinds[start:end]
        told = tuple(at for at in inside if at < end)
        blocks.append(_Block(start, end, updated, Kind.SHORT_URL in run, Kind.FOLLOW in run, told))
    return blocks


def _is_inside(lines: list[str], kinds: list[Kind], number: int) -> bool:
    """Whether that line may be inside of a block of boilerplate: a byline or a day.

    A bare name is a byline there if it is between `Short Url` and `Updated`.
    """
    line = lines[number]
    if boilerplate.byline(line) is not None or dates.parse(line) is not None:
        return True
    if not boilerplate.is_name(line):
        return False
    before, after = _previous(lines, number), _next(lines, number + 1)
    if before is None or after is None:
        return False
    return kinds[before] in (Kind.SHORT_URL, Kind.ADDRESS) and kinds[after] is Kind.UPDATED


def _repeating(
    lines: list[str], kinds: list[Kind], blocks: list[_Block]
) -> tuple[list[_Mark], list[_Block]]:
    """The stories whose headline is repeated, and the certain blocks that are left."""
    marks: list[_Mark] = []
    rest = []
    for block in blocks:
        limit = _GALLERY_LINES if block.short_url else _PHOTO_LINES
        if block is blocks[0] and block.short_url:
            limit = len(lines)
        floor = marks[-1].text if marks else 0
        above = _above(lines, kinds, block, floor, limit)
        after = _next(lines, block.end)
        first = not marks
        top = None if after is None else _repeated(lines, above, lines[after], block, first=first)
        if top is not None and after is not None:
            marks.append(_Mark(top, top, range(top + 1, block.start), after + 1, block))
        elif block.is_certain:
            rest.append(block)
    return marks, rest


def _unrepeating(
    lines: list[str], kinds: list[Kind], block: _Block, marks: list[_Mark]
) -> _Mark | None:
    """The story that `block` marks between those of `marks`, or None if it marks none."""
    place = bisect(marks, block.start, key=lambda one: one.start)
    floor = marks[place - 1].text if place else 0
    if _is_above(block, marks):
        return None
    limit = _PHOTO_LINES if place or not block.short_url else len(lines)
    above = _above(lines, kinds, block, floor, limit)
    after = _next(lines, block.end)
    if after is not None and place < len(marks) and after >= marks[place].start:
        after = None
    if after is None and place and block.updated is None:
        return None
    top = _unrepeated(lines, above, block, first=not place)
    if top is None:
        if after is None or not is_headline(lines[after]):
            return None
        return _Mark(block.start, after, range(0), after + 1, block, (_UNLIKE,))
    between = range(top + 1, block.start)
    if after is not None and _alike(lines[top], lines[after]):
        headline, other = top, after
        named = lines[top].removeprefix(lines[after])
        if _SITE.fullmatch(named) or (mojibake(lines[top]) and not mojibake(lines[after])):
            headline, other = after, top
        doubt = f'headline: the page repeats it as "{lines[other]}"'
        return _Mark(top, headline, between, after + 1, block, (doubt,))
    if after is not None and is_headline(lines[after]) and captions.ends_in_credit(lines[top]):
        return _Mark(top, after, range(top, block.start), after + 1, block, (_UNLIKE,))
    return _Mark(top, top, between, block.end, block, (_UNLIKE,))


def _is_above(block: _Block, marks: list[_Mark]) -> bool:
    """Whether `block` lies between a story's headline and its text."""
    place = bisect(marks, block.start, key=lambda one: one.start)
    return place > 0 and block.start < marks[place - 1].text


def _above(lines: list[str], kinds: list[Kind], block: _Block, floor: int, limit: int) -> list[int]:
    """The lines from `floor` to `block` that may hold its headline, nearest first."""
    found = []
    for at in range(block.start - 1, floor - 1, -1):
        if kinds[at] is Kind.TEXT and lines[at]:
            found.append(at)
        if len(found) == limit:
            break
    return found


def _repeated(
    lines: list[str], above: list[int], headline: str, block: _Block, *, first: bool
) -> int | None:
    """The line above the block that is equal to the one after it."""
    if headline[0] in boilerplate.BULLETS:
        return None
    if not block.is_certain:  # the line may be a quotation, so only the nearest count
        is_top = first and 1 < len(above) < _PHOTO_LINES
        above = [above[0], above[-1]] if is_top else above[:1]
    told = key(headline)
    same = [
        place
        for place, at in enumerate(above)
        if len(lines[at]) <= 2 * len(headline) + 20 and key(lines[at]) == told
    ]
    if not same:
        return None
    if block.short_url:
        return above[same[-1]]
    place = same[0]
    while place + 1 in same:  # the photo's alt text repeats the headline
        place += 1
    return above[place]


def _unrepeated(lines: list[str], above: list[int], block: _Block, *, first: bool) -> int | None:
    """The headline above a block after which it is not repeated, if it can be identified."""
    if not above:
        return None
    if first and (block.short_url or len(above) < _PHOTO_LINES):
        tops = above[:]
        while len(tops) > 1 and _is_label(lines[tops[-1]]):
            tops.pop()
        if is_headline(lines[tops[-1]]) or len(lines[tops[-1]]) < _PARAGRAPH:
            return tops[-1]
        return next((at for at in tops if _is_below_text(lines, at)), tops[-1])
    nearest = above[0]
    starts = nearest == 0 or not lines[nearest - 1]
    return nearest if starts and is_headline(lines[nearest]) else None


def _is_below_text(lines: list[str], at: int) -> bool:
    """Whether that line may be a headline that comes after its text."""
    line = lines[at]
    if lines[at - 1] or line[0] in boilerplate.BULLETS or captions.ends_in_credit(line):
        return False
    return is_headline(line) and not _is_label(line)


def _is_label(line: str) -> bool:
    """Whether `line` is a section, a byline or a day, not a headline, where others follow."""
    return (
        key(line) in SECTIONS
        or boilerplate.byline(line) is not None
        or dates.parse(line) is not None
    )


def _alike(one: str, other: str) -> bool:
    """Whether two lines share most of their words."""
    if max(len(one), len(other)) > _HEADLINE:
        return False
    words, others = set(fold(one).split()), set(fold(other).split())
    return len(words & others) >= _ALIKE * max(len(words), len(others))
