"""What the lines above a story's text say: headline, photo, byline, date, section.

Two ways in. `marked`: the layout has told the headline and what stands between it and the
text. `unmarked`: nothing has (AMP pages, templates without `Short Url`, feed reprints), and
all is read off what the lines look like, with a warning for each thing that was so read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.ingest import captions, datelines, furniture, printed_dates
from app.ingest.furniture import Kind
from app.ingest.normal import key
from app.ingest.page_layout import is_headline
from app.ingest.vocabulary import NEVER_FIRST, NEVER_LAST, REGIONS, SECTIONS, STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_SECTION = 30
_LONGEST_FIELD = 200  # of a feed
_NEAR = 8  # lines in which a headline is repeated
_UNREPEATED = "headline: taken from the first line; the page does not repeat it"
_CAPITALS = re.compile(r"[A-Z][A-Z.'’-]+(?: [A-Z][A-Z.'’-]*){1,3}")
_AUTHOR = re.compile(r"(?P<byline>[^|]{2,60}?) ?\| ?(?P<rest>.{0,80})")
_PUBLISHED = re.compile(
    r"(?:published|posted|publication date|publication time|date)(?: on)?"
    r"(?: ?[:—–-] ?| )(?P<date>.{1,80})",
    re.IGNORECASE,
)
_FEED = re.compile(
    r"(?P<label>article )?"
    r"(?P<name>author|id|title|section|category|main category|tags|source|date|url)s?: ?"
    r"(?P<value>.*)",
    re.IGNORECASE,
)
_TITLE = re.compile(r"article title: ?(?=.)", re.IGNORECASE)
_CRUMBS = re.compile(r"(?:you are here:? ?)?home ?[>»›/|].{0,200}|[>»›/|]", re.IGNORECASE)
_CRUMB = re.compile(r" ?[>»›/|] ?")
_GARBAGE = re.compile(
    r"(?:undefined|null|nan|none|true|false|\[object object\]|\d{8,}|\W*)", re.IGNORECASE
)


@dataclass(slots=True)
class Head:
    """What was read above a text, and the lines of the text that follow."""

    headline: str | None
    at: int = 0
    is_preface: bool = False
    photo: list[str] = field(default_factory=list)
    byline: str | None = None
    date: str | None = None
    section: str | None = None
    url: str | None = None
    text: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def marked(headline: str, above: list[str], text: list[str], inside: Sequence[str] = ()) -> Head:
    """The head of a story whose `headline` the layout told, from the lines `above` its text.

    Lines `inside` the block that dates it are a byline or a day, never a photo's.
    """
    head = Head(headline)
    if any(line[:7].casefold() == "article" for line in text):
        text = _feed_joined(text)
    head.text = [
        line
        for line in text
        if len(line) > _LONGEST_FIELD or not _is_feed(head, line, labelled=True)
    ]
    told = key(headline)
    for line in inside:
        if not _meta(head, line, last=False):
            head.byline = head.byline or line
            head.doubts.append(f'byline: "{line}" is only a line beside the day')
    for number, line in enumerate(above):
        if key(line) == told or _meta(head, line, last=number + 1 == len(above)):
            continue
        if head.photo and furniture.is_name(line) and captions.ends_in_credit(head.photo[-1]):
            head.byline = head.byline or line
            head.doubts.append(f'byline: "{line}" is only a line after the photo\'s')
        else:
            head.photo.append(line)
    return head


def unmarked(texts: list[str]) -> Head:
    """The head of a story of which only the lines are known; `headline` None if none is found.

    `at` is the place of the headline in `texts`; `is_preface` tells that all of them are such
    lines as stand before a headline.
    """
    head = Head(None, text=[])
    texts = _feed_joined(texts)
    start = 0
    while start < len(texts) and _is_preface(head, texts[start]):
        start += 1
    start = _after_menu(head, texts, start)
    at, repeat = _headline(texts, start)
    if at is None:
        return head
    head.headline, head.at = texts[at], at
    told = key(texts[at])
    if head.section is not None and key(head.section) == told:
        head.section = None
    for line in texts[start:at]:
        if key(line) in SECTIONS:
            head.section = line
        else:
            head.doubts.append(f'headline: "{line[:60]}" above it was left out')
    if repeat is None:
        head.doubts.append(_UNREPEATED)
        after = at + 1
        while after < len(texts) and _is_above(head, texts, after):
            after += 1
    else:
        above = marked(texts[at], texts[at + 1 : repeat], [])
        head.photo, head.byline = above.photo, above.byline or head.byline
        head.doubts += above.doubts
        head.date, head.url = above.date or head.date, above.url or head.url
        after = repeat + 1
        while after < len(texts) and _is_above(head, texts, after):
            after += 1
    after = _after_feed(head, texts, after)
    head.text = _without_feed(head, texts[after:])
    return head


def printed_date(line: str) -> str | None:
    """The line as it dates a story, if it does nothing else."""
    if len(line) > 2 * printed_dates.LONGEST:
        return None
    match = _PUBLISHED.fullmatch(line)
    if furniture.updated(line) or (match and printed_dates.parse(match["date"])):
        return line
    return line if printed_dates.parse(line) else None


def is_in_capitals(line: str) -> bool:
    """Whether `line` is a few words in capitals, as the site prints its authors.

    Sections, countries and an editor's labels (`BREAKING NEWS`) are in capitals, too, and none.
    """
    if not _CAPITALS.fullmatch(line) or line in REGIONS or key(line) in SECTIONS:
        return False
    first, *_, last = line.split()
    return first not in NEVER_FIRST and last not in NEVER_LAST


def meaning(line: str) -> printed_dates.Printed | None:
    """What the date line `line` says."""
    match = _PUBLISHED.fullmatch(line)
    told = printed_dates.parse(match["date"]) if match else None
    return furniture.updated(line) or told or printed_dates.parse(line)


def _is_preface(head: Head, line: str) -> bool:
    """Whether `line` cannot be the headline; what it says is kept."""
    if _CRUMBS.fullmatch(line):
        crumbs = [crumb for crumb in _CRUMB.split(line) if crumb]
        if len(crumbs) > 1:
            head.section = crumbs[1]
        return True
    if _GARBAGE.fullmatch(line) or _is_feed(head, line, labelled=False):
        return True
    return _meta(head, line, last=False)


def _is_above(head: Head, texts: list[str], at: int) -> bool:
    """Whether that line, under an unmarked headline, is not text yet; what it says is kept."""
    line = texts[at]
    if _GARBAGE.fullmatch(line):
        return True
    if key(line[:_LONGEST_SECTION]) in SECTIONS:
        head.section = head.section or line
        return True
    if not head.photo and at + 1 < len(texts) and captions.ends_in_credit(line):
        if datelines.parse(line) is not None:
            return False
        head.photo.append(line)
        return True
    return _meta(head, line, last=False)


def _meta(head: Head, line: str, *, last: bool) -> bool:
    """Whether `line` is about the story and not of it; what it says is kept in `head`.

    The `last` line above a text may be a photo's credit or caption where another were a byline.
    """
    if _is_feed(head, line, labelled=True):
        return True
    kind = furniture.kind(line)
    if kind is Kind.ADDRESS:
        if "arab.news/" not in line:
            head.url = head.url or line
        return True
    if kind is not Kind.TEXT and kind is not Kind.UPDATED:
        return True
    if printed_date(line):
        if head.date is None or kind is Kind.UPDATED:
            head.date = line
        return True
    author = _AUTHOR.fullmatch(line) if len(line) <= 150 else None
    if author and (not author["rest"] or printed_date(author["rest"])):
        head.byline = head.byline or author["byline"]
        head.date = head.date or author["rest"] or None
        return True
    if last and key(line) in STAFF:
        return False
    name = furniture.byline(line)
    if name is None and head.headline is not None and not last and is_in_capitals(line):
        name = line
        head.doubts.append(f'byline: "{line}" is only a line in capitals')
    head.byline = head.byline or name
    return name is not None


def _headline(texts: list[str], start: int) -> tuple[int | None, int | None]:
    """Where in `texts` the headline stands and where it is repeated, if either can be told."""
    near = range(start, min(start + _NEAR, len(texts)))
    for at in near:
        told = key(texts[at]) if is_headline(texts[at]) else None
        for again in range(at + 1, min(at + _NEAR, len(texts))):
            if told and len(texts[again]) <= 2 * len(texts[at]) + 20 and key(texts[again]) == told:
                return at, again
    for at in near[1:]:
        if printed_date(texts[at]) or ("|" in texts[at] and _AUTHOR.fullmatch(texts[at])):
            above = range(at - 1, start - 1, -1)
            return next((up for up in above if _may_head(texts[up])), None), None
    if start < len(texts) and key(texts[start][:_LONGEST_SECTION]) in SECTIONS:
        start += 1
    if start < len(texts) and is_headline(texts[start]):
        return start, None
    return None, None


def _after_menu(head: Head, texts: list[str], start: int) -> int:
    """Where a menu of sections ends that may stand there; one alone is the story's own."""
    end = start
    while end < len(texts) and key(texts[end][:_LONGEST_SECTION]) in SECTIONS:
        end += 1
    head.is_preface = end == len(texts)
    if end - start > 1:
        return end
    if head.is_preface and end > start:
        head.section = texts[start]
    return start


def _may_head(line: str) -> bool:
    """Whether `line`, one above a day, may be the headline."""
    if _FEED.fullmatch(line) or _GARBAGE.fullmatch(line) or captions.ends_in_credit(line):
        return False
    return is_headline(line) and furniture.byline(line) is None and key(line) not in SECTIONS


def _after_feed(head: Head, texts: list[str], at: int) -> int:
    """Where the text starts if it is a feed's fields that stand there: one of them is an `id:`."""
    end, has_id = at, False
    while end < len(texts) and (match := _FEED.fullmatch(texts[end][:_LONGEST_FIELD])):
        has_id = has_id or match["name"].casefold() == "id"
        end += 1
    if not has_id:
        return at
    for text in texts[at:end]:
        if not _meta(head, text, last=False):
            _is_feed(head, text, labelled=False)
    return end


def _is_feed(head: Head, line: str, *, labelled: bool) -> bool:
    """Whether `line` is a feed's field: `article id: 7` or, where not `labelled`, `id: 7`."""
    if len(line) > _LONGEST_FIELD or (labelled and line[:7].casefold() != "article"):
        return False
    match = _FEED.fullmatch(line)
    if match is None or (labelled and not match["label"]):
        return False
    value = match["value"]
    if match["name"].casefold() == "author" and value:
        head.byline = head.byline or value
    return True


def _feed_joined(texts: list[str]) -> list[str]:
    """`texts` with a feed's `article author:` joined to its value on the next line.

    So is the bar that stands alone between an author and a day. Of `article title:` the value
    alone is left.
    """
    joined: list[str] = []
    for number, text in enumerate(texts):
        if text == "|" and joined and number + 1 < len(texts) and printed_date(texts[number + 1]):
            joined[-1] += " |"
            continue
        match = _FEED.fullmatch(joined[-1]) if joined and len(joined[-1]) < 40 else None
        if match and match["label"] and not match["value"] and len(text) <= 80:
            joined[-1] += " " + text
        else:
            joined.append(text)
    return [_TITLE.sub("", text) for text in joined]


def _without_feed(head: Head, texts: list[str]) -> list[str]:
    """`texts` without the fields of a feed's reprint, which may also close them."""
    kept = [text for text in texts if not _is_feed(head, text, labelled=True)]
    while len(kept) > 1 and _is_feed(head, kept[-1], labelled=False):
        kept.pop()
    return kept
