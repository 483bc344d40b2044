"""The header of a story, from the lines above its text: headline, photo, byline, date, section.

`marked` is for a layout that shows the headline and the lines between it and the text. `unmarked`
is for others (AMP pages, templates without `Short Url`, feed reprints): everything is inferred from
the lines themselves, with a warning for each field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.ingest import authors
from app.ingest.cleaning import is_paragraph, key
from app.ingest.page_text import boilerplate, captions, dateline, imprint
from app.ingest.page_text import dates as page_text_dates
from app.ingest.page_text.boilerplate import Kind
from app.ingest.page_text.layout import is_headline
from app.ingest.vocabulary import (
    NEVER_FIRST,
    NEVER_LAST,
    PATTERNS,
    PUBLISHED_LABELS,
    REGIONS,
    SECTIONS,
    STAFF,
    UPDATED_LABELS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_SECTION = 30
_LONGEST_FIELD = 200  # of a feed
_LONGEST_ROLE = 60
_LONGEST_TITLE = 150  # characters of a headline that ends in a full stop
_KICKER = 2  # words of a label above a headline
_STOPPED = 3  # lines between such a headline and the day
_NEAR = 8  # lines in which a headline is repeated
_ABOVE = 16  # lines between a headline and its text
_LEAD = 400  # characters of a first paragraph that a byline follows
_UNREPEATED = "headline: taken from the first line; the page does not repeat it"
_LABELS = re.compile(PATTERNS["above_headline"], re.IGNORECASE)
_COOKIES = re.compile(PATTERNS["cookies"], re.IGNORECASE)
_ROLE = re.compile(PATTERNS["author_roles"], re.IGNORECASE)
_CAPITALS = re.compile(r"[A-Z][A-Z.'’-]+(?: [A-Z][A-Z.'’-]*){1,3}")
_AUTHOR = re.compile(r"(?P<byline>[^|]{2,60}?) ?\| ?(?P<rest>.{0,80})")
_PUBLISHED = re.compile(
    r"(?:(?:first |originally )?published|posted|publication date|publication time|date"
    r"|veröffentlicht|erschienen|stand|publié|publicado|pubblicato"
    r"|发布(?:时间)?|發布|公開(?:日)?|配信|نشر|نُشر|تاريخ النشر"
    r"|شائع|प्रकाशित|опубликовано)(?: on| at| am| le| el| il| في)?"
    r"(?: ?[:：—–-] ?| )(?P<date>.{1,80})",
    re.IGNORECASE,
)
_SOURCE = re.compile(
    r"(?:来源|來源|出典|المصدر|ماخذ|स्रोत|Источник|Quelle|Source|Fuente|Fonte)"
    r" ?[:：] ?(?P<source>[^|]{2,60})$"
)
_BOTH = re.compile(
    r"(?P<first>.{6,60}?)[ ,;|·/—–-]+"
    r"(?P<second>(?:last |last )?(?:updated|modified|aktualisiert|mis à jour|更新)\b.{4,60})",
    re.IGNORECASE,
)
_DAY_ALONE = re.compile(
    r"(?:(?:first )?published|posted|(?:last )?updated) (?:on )?"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    re.IGNORECASE,
)
_FEED = re.compile(
    r"(?P<label>article )?"
    r"(?P<name>author|id|title|section|category|main category|tags|source|date|url)s?: ?"
    r"(?P<value>.*)",
    re.IGNORECASE,
)
_TITLE = re.compile(r"article title: ?(?=.)", re.IGNORECASE)
_TIMED = UPDATED_LABELS | PUBLISHED_LABELS
_CRUMBS = re.compile(r"(?:you are here:? ?)?home ?[>»›/|].{0,200}|[>»›/|]", re.IGNORECASE)
_CRUMB = re.compile(r" ?[>»›/|] ?")
_GARBAGE = re.compile(
    r"(?:undefined|null|nan|none|true|false|\[object object\]|\d{8,}|\W*)", re.IGNORECASE
)


@dataclass(slots=True)
class Head:
    """The header of a story, and the lines of its text."""

    headline: str | None
    at: int = 0
    is_preface: bool = False
    photo: list[str] = field(default_factory=list)
    byline: str | None = None
    date: str | None = None
    updated: str | None = None
    source: str | None = None
    section: str | None = None
    url: str | None = None
    standfirst: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def marked(headline: str, above: list[str], text: list[str], inside: Sequence[str] = ()) -> Head:
    """The head of a story whose `headline` the layout shows, from the lines `above` its text.

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
        if head.photo and boilerplate.is_name(line) and captions.ends_in_credit(head.photo[-1]):
            head.byline = head.byline or line
            head.doubts.append(f'byline: "{line}" is only a line after the photo\'s')
        else:
            head.photo.append(line)
    return head


def unmarked(texts: list[str]) -> Head:
    """The head of a story, inferred from its lines; `headline` is None if none is found.

    `at` is the place of the headline in `texts`; `is_preface` is whether all of them are lines that
    may precede a headline.
    """
    head = Head(None, text=[])
    texts = _feed_joined(texts)
    start = 0
    while start < len(texts) and _is_preface(head, texts[start]):
        start += 1
    start = _after_labels(head, texts, _after_menu(head, texts, start))
    at, repeat = _headline(texts, start)
    if at is None:
        return head
    head.headline, head.at = texts[at], at
    told = key(texts[at])
    if head.section is not None and key(head.section) == told:
        head.section = None
    first = next((up for up in range(start, at) if is_paragraph(texts[up])), at)
    for line in texts[start:first]:
        if key(line) in SECTIONS:
            head.section = line
        elif not _dates(line):
            head.doubts.append(f'headline: "{line[:60]}" above it was left out')
    if repeat is None:
        head.doubts.append(_UNREPEATED)
        after = _after_above(head, texts, at + 1)
    else:
        above = marked(texts[at], texts[at + 1 : repeat], [])
        head.photo, head.byline = above.photo, above.byline or head.byline
        head.doubts += above.doubts
        head.date, head.url = above.date or head.date, above.url or head.url
        head.updated, head.source = above.updated or head.updated, above.source or head.source
        after = repeat + 1
        while after < len(texts) and _is_above(head, texts, after):
            after += 1
    after = _after_feed(head, texts, after)
    if first < at:
        head.doubts.append("body: stands before the headline")
    head.text = [*head.standfirst, *texts[first:at], *_without_feed(head, texts[after:])]
    return head


def _after_above(head: Head, texts: list[str], at: int) -> int:
    """The start of the text below a headline that is not repeated; fills `head` from the rest.

    That is a standfirst, photo, byline and day, in any order, among buttons. A standfirst precedes
    the first day, or is followed by a byline.
    """
    end = _above_end(head, texts, at)
    told = [line for line in texts[at:end] if _is_words(line)]
    for number in range(at, end):
        line = texts[number]
        if line not in told:
            _take(head, texts, number)
        elif boilerplate.is_name_in_place(line) and not head.byline:
            head.byline = line
        elif _is_role(head, line):
            continue
        elif head.byline and line is not told[0] and not _is_lead(texts, number):
            head.doubts.append(f'byline: "{line[:60]}" below it was left out')
        else:
            head.standfirst.append(f"{boilerplate.BULLETS[0]} {line}")
    while end < len(texts) and _take(head, texts, end):
        end += 1
    return end


def _above_end(head: Head, texts: list[str], at: int) -> int:
    """The end of the last day or byline between a headline and its text."""
    end, is_dated = at, False
    for number in range(at, min(at + _ABOVE, len(texts))):
        line = texts[number]
        if _dates(line):
            end, is_dated = number + 1, True
        elif boilerplate.byline(line) is not None or _author(line) is not None:
            end = number + 1
        elif _FEED.fullmatch(line) or (
            _is_words(line)
            and (
                len(line) > (_LEAD if _is_lead(texts, number) else _LONGEST_FIELD)
                or dateline.parse(line) is not None
                or (is_dated and not _is_lead(texts, number) and not _is_role(head, line))
            )
        ):
            break
    return end


def _is_lead(texts: list[str], number: int) -> bool:
    """Whether a byline follows that line."""
    return number + 1 < len(texts) and boilerplate.byline(texts[number + 1]) is not None


def _is_words(line: str) -> bool:
    """Whether `line`, one below a headline, is neither button, photo, day nor byline."""
    if _GARBAGE.fullmatch(line) or _FEED.fullmatch(line) or boilerplate.is_button(line):
        return False
    if _author(line) is not None:
        return False
    is_other = captions.is_photos(line) or _dates(line) or _LABELS.fullmatch(line)
    return not is_other and boilerplate.byline(line) is None and key(line) not in SECTIONS


def _is_role(head: Head, line: str) -> bool:
    """Whether `line` is the author's role, place or organization."""
    if head.byline is None or len(line) > _LONGEST_ROLE or line.endswith((".", "!", "?")):
        return False
    if _ROLE.fullmatch(line):
        return True
    first, *others = [part for part in re.split(r"\s*[,·|/]\s*", line) if part] or [line]
    return authors.is_organization(first) and all(part[:1].isupper() for part in others)


def _take(head: Head, texts: list[str], number: int) -> bool:
    """Whether that line below an unmarked headline precedes the text; fills `head` from it."""
    line = texts[number]
    if _is_above(head, texts, number) or boilerplate.is_button(line) or _is_role(head, line):
        return True
    if number + 1 == len(texts) or dateline.parse(line) is not None:
        return False
    if captions.is_photos(line):
        head.photo.append(line)
        return True
    if head.byline is None and head.date and boilerplate.is_name_in_place(line):
        head.byline = line
        return True
    return _LABELS.fullmatch(line) is not None


def printed_date(line: str) -> str | None:
    """`line`, if it is a date of the story and nothing else."""
    if len(line) > 2 * page_text_dates.LONGEST:
        return None
    match = _PUBLISHED.fullmatch(line)
    if boilerplate.updated(line) or (match and page_text_dates.parse(match["date"])):
        return line
    return line if page_text_dates.parse(line) else None


def is_publication(line: str) -> bool:
    """Whether `line`, a date of a story, is that of publication."""
    return _PUBLISHED.fullmatch(line) is not None


def _is_dated(head: Head, line: str) -> bool:
    """Whether `line` is a date of the story, perhaps with its source; fills `head` from it."""
    if len(line) > 2 * page_text_dates.LONGEST:
        return False
    if source := _SOURCE.search(line):
        before = line[: source.start()].strip(" |·-–")
        if not before or _is_dated(head, before):
            head.source = head.source or source["source"].strip()
            return True
    if both := _BOTH.fullmatch(line):
        dates = both["first"], both["second"]
        if all(map(printed_date, dates)):
            for date in dates:
                _is_dated(head, date)
            return True
    if boilerplate.updated(line):
        head.updated = head.updated or line
    elif printed_date(line):
        head.date = head.date or line
    elif told := imprint.parse(line):
        head.byline = head.byline or told.byline
        head.date = head.date or told.published
        head.updated = head.updated or told.updated
        head.source = head.source or told.source
    else:
        label, _, rest = line.partition(" ")  # a time after a label: Updated 14:35 GMT
        is_timed = label.rstrip(":").casefold() in _TIMED and page_text_dates.is_clock(rest)
        return is_timed or _DAY_ALONE.fullmatch(line) is not None
    return True


def _dates(line: str) -> bool:
    """Whether `line` is a date of a story or a time of day."""
    return _is_dated(Head(None), line) or page_text_dates.is_clock(line)


def is_in_capitals(line: str) -> bool:
    """Whether `line` is a few words in capitals, as the site prints its authors.

    Not sections, countries and an editor's labels (`BREAKING NEWS`), which are in capitals too.
    """
    if not _CAPITALS.fullmatch(line) or line in REGIONS or key(line) in SECTIONS:
        return False
    first, *_, last = line.split()
    return first not in NEVER_FIRST and last not in NEVER_LAST


def meaning(line: str) -> page_text_dates.Printed | None:
    """The date in the date line `line`."""
    match = _PUBLISHED.fullmatch(line)
    told = page_text_dates.parse(match["date"]) if match else None
    return boilerplate.updated(line) or told or page_text_dates.parse(line)


def _is_preface(head: Head, line: str) -> bool:
    """Whether `line` cannot be the headline; fills `head` from it."""
    if _CRUMBS.fullmatch(line):
        crumbs = [crumb for crumb in _CRUMB.split(line) if crumb]
        if len(crumbs) > 1:
            head.section = crumbs[1]
        return True
    if _GARBAGE.fullmatch(line) or _is_feed(head, line, labelled=False):
        return True
    return _meta(head, line, last=False)


def _is_above(head: Head, texts: list[str], at: int) -> bool:
    """Whether that line below an unmarked headline precedes the text; fills `head` from it."""
    line = texts[at]
    if _GARBAGE.fullmatch(line):
        return True
    if key(line[:_LONGEST_SECTION]) in SECTIONS:
        head.section = head.section or line
        return True
    if not head.photo and at + 1 < len(texts) and captions.ends_in_credit(line):
        if dateline.parse(line) is not None:
            return False
        head.photo.append(line)
        return True
    return _meta(head, line, last=False)


def _meta(head: Head, line: str, *, last: bool) -> bool:
    """Whether `line` is metadata of the story; fills `head` from it.

    The `last` line above a text may be a photo's credit or caption that elsewhere is a byline.
    """
    if _is_feed(head, line, labelled=True):
        return True
    kind = boilerplate.kind(line)
    if kind is Kind.ADDRESS:
        if "arab.news/" not in line:
            head.url = head.url or line
        return True
    if kind is not Kind.TEXT and kind is not Kind.UPDATED:
        return True
    if _is_dated(head, line):
        return True
    author = _author(line)
    if author is not None:
        head.byline = head.byline or author["byline"]
        if author["rest"]:
            _is_dated(head, author["rest"])
        return True
    if last and key(line) in STAFF:
        return False
    name = boilerplate.byline(line)
    if name is None and head.headline is not None and not last and is_in_capitals(line):
        name = line
        head.doubts.append(f'byline: "{line}" is only a line in capitals')
    head.byline = head.byline or name
    return name is not None


def _author(line: str) -> re.Match[str] | None:
    """The parts of a `line` with an author before a bar, perhaps with a day after it."""
    author = _AUTHOR.fullmatch(line) if len(line) <= 150 else None
    is_author = author and (not author["rest"] or printed_date(author["rest"]))
    return author if is_author else None


def _headline(texts: list[str], start: int) -> tuple[int | None, int | None]:
    """The places of the headline and of its repetition in `texts`, None if not found."""
    near = range(start, min(start + _NEAR, len(texts)))
    for at in near:
        line = texts[at]
        opens = at == start and len(line) <= _LONGEST_TITLE
        may = (is_headline(line) or opens) and not _dates(line) and not boilerplate.byline(line)
        told = key(line) if may else None
        for again in range(at + 1, min(at + _NEAR, len(texts))):
            if told and len(texts[again]) <= 2 * len(texts[at]) + 20 and key(texts[again]) == told:
                return at, again
    for at in near[1:]:
        if _dates(texts[at]) or ("|" in texts[at] and _AUTHOR.fullmatch(texts[at])):
            return _topmost(texts, start, at), None
    if start < len(texts) and key(texts[start][:_LONGEST_SECTION]) in SECTIONS:
        start += 1
    if start < len(texts) and is_headline(texts[start]):
        return start, None
    return None, None


def _topmost(texts: list[str], start: int, day: int) -> int | None:
    """The place of the headline above a day: the uppermost of the possible lines next to it.

    The headline comes before the standfirst; labels stand above both.
    """
    found = None
    for up in range(day - 1, start - 1, -1):
        line = texts[up]
        if not _may_head(line):
            if found is None or _may_stand_between(line):
                continue
            break
        is_kicker = line[0] in "*-" or (line.isascii() and len(line.split()) <= _KICKER)
        if found is None or not is_kicker:
            found = up
    if found is not None and boilerplate.is_name_in_place(texts[found]):
        found = next((up for up in range(found - 1, start - 1, -1) if _may_head(texts[up])), found)
    if found is None and day - start <= _STOPPED:
        return next((at for at in range(start, day) if _may_stop(texts[at])), None)
    return found


def _may_stand_between(line: str) -> bool:
    """Whether `line`, a byline, photo, standfirst or button, may stand above a day."""
    if boilerplate.byline(line) is not None or boilerplate.is_button(line):
        return True
    return captions.is_photos(line) or (line.endswith((".", "。", "।", "۔")) and len(line) < _LEAD)


def _may_stop(line: str) -> bool:
    """Whether `line` may be a headline that ends in a full stop."""
    is_other = boilerplate.byline(line) is not None or boilerplate.kind(line) is not Kind.TEXT
    return 1 < len(line) <= _LONGEST_TITLE and not is_other and line.endswith((".", "。"))


def _after_labels(head: Head, texts: list[str], start: int) -> int:
    """The end of labels above a headline, with boilerplate among them; `start` without any."""
    end = start
    while end < len(texts) and (_LABELS.fullmatch(texts[end]) or _COOKIES.fullmatch(texts[end])):
        end += 1
        while end < len(texts) and (
            _is_preface(head, texts[end]) or boilerplate.is_button(texts[end])
        ):
            end += 1
    return end if end < len(texts) else start


def _after_menu(head: Head, texts: list[str], start: int) -> int:
    """The end of a menu of sections at `start`; a single section is the story's own."""
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
    if _FEED.fullmatch(line) or _GARBAGE.fullmatch(line) or captions.is_photos(line):
        return False
    if boilerplate.is_button(line) or _LABELS.fullmatch(line):
        return False
    if boilerplate.kind(line) is not Kind.TEXT or _dates(line):
        return False
    return is_headline(line) and boilerplate.byline(line) is None and key(line) not in SECTIONS


def _after_feed(head: Head, texts: list[str], at: int) -> int:
    """The end of a feed's fields at `at`, one of which must be `id:`; `at` without any."""
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
    """Whether `line` is a feed's field: `article id: 7` or, if not `labelled`, `id: 7`."""
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

    A bar alone between an author and a day is joined too. `article title:` is reduced to its value.
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
    """`texts` without the fields of a feed's reprint, also at their end."""
    kept = [text for text in texts if not _is_feed(head, text, labelled=True)]
    while len(kept) > 1 and _is_feed(head, kept[-1], labelled=False):
        kept.pop()
    return kept
