"""Which whole lines of a scraped page are the site's own words, not the article's.

`kind` names a line for what it is by its own words. Whether it then belongs to the page or, as
a sub-heading may, to the story is decided by where it stands: `sift` for a story's text.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from app.ingest import printed_dates
from app.ingest.normal import key
from app.ingest.vocabulary import NAVIGATION, SHARE, STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(Enum):
    """What a line is."""

    BLANK = "blank"
    TEXT = "text"
    SHORT_URL = "short url"
    UPDATED = "updated"
    FOLLOW = "follow"
    COUNTER = "counter"
    SHARE = "share"
    ADDRESS = "address"
    NAVIGATION = "navigation"


_BUTTONS = (Kind.SHARE, Kind.FOLLOW, Kind.SHORT_URL)  # tuples: an Enum's hash is slow
_ALWAYS = (Kind.BLANK, Kind.SHORT_URL, Kind.FOLLOW, Kind.COUNTER)
BULLETS = "•●▪‣◦∙⁃·"
_LONGEST = 120
_NAME = r"(?:[A-Z][\w.'’-]*|al-\w+|bin|de|van|von|and|&)"
_NAMED = re.compile(r"[A-Z][\w’'-]+(?: (?:[A-Z][\w.’'-]*|al-\w+|bin)){1,3}")
_BY = re.compile(rf"(?:By|BY) (?P<byline>{_NAME}(?:,? {_NAME}){{0,5}})")
_SHORT_URL = re.compile(r"short ur[li]:?(?: ?https?://\S{1,100})?", re.IGNORECASE)
_UPDATED = re.compile(r"(?:last )?updated?(?: on)?(?: ?[:—–-] ?| )(?P<date>.+)", re.IGNORECASE)
_TIMELY = re.compile(r"\d|now|yesterday|today|ago\b", re.IGNORECASE)
_TAIL_LINES = 40
_TAIL = re.compile(
    r"(?:related(?: (?:articles|stories|news|topics|items|content))?|top stories|latest news"
    r"|most (?:popular|read|viewed|commented)"
    r"|read (?:more|next|also)|also read|(?:you )?(?:may|might) also like|more (?:stories|news)"
    r"|trending now|recommended(?: for you| stories)?|editor[’']?s[’']? (?:choice|picks?)) ?:?"
    r"|(?:main category|topics|tags|keywords) ?:.{0,200}"
    r"|(?:copyright )?(?:©|\(c\)) ?\d{4}\b.{0,200}|.{0,200}\ball rights reserved\.?",
    re.IGNORECASE,
)
_NO_TITLE = (".", ".”", ".’", '."', ".'", "!", "…", ":", ",", ";", ")")
_COUNTER = re.compile(r"(\d{1,3}) / (\d{1,3})")
_ADDRESS = re.compile(r"https?://\S{1,300}|arab\.news/\S{1,40}", re.IGNORECASE)


def kind(line: str) -> Kind:
    """What `line`, a clean one, is by its own words alone."""
    if not line:
        return Kind.BLANK
    return Kind.TEXT if len(line) > _LONGEST else _short_kind(line)


@lru_cache(maxsize=2048)
def _short_kind(line: str) -> Kind:
    told = key(line)
    if told == "follow":
        return Kind.FOLLOW
    if told.startswith("shortur") and _SHORT_URL.fullmatch(line):
        return Kind.SHORT_URL
    if told.startswith(("update", "lastupdate")) and updated(line) is not None:
        return Kind.UPDATED
    if told in SHARE:
        return Kind.SHARE
    if told in NAVIGATION:
        return Kind.NAVIGATION
    if (
        line[0].isdigit()
        and (match := _COUNTER.fullmatch(line))
        and 0 < int(match[1]) <= int(match[2])
    ):
        return Kind.COUNTER
    return Kind.ADDRESS if line[0] in "hHaA" and _ADDRESS.fullmatch(line) else Kind.TEXT


def updated(line: str) -> printed_dates.Printed | None:
    """What an `Updated 09 May 2020` line says; None for any other line."""
    match = _UPDATED.fullmatch(line) if len(line) <= printed_dates.LONGEST else None
    return printed_dates.parse(match["date"]) if match else None


def loosely_updated(line: str) -> bool:
    """Whether `line` says `Updated` alone or with something like a time that is no date we know."""
    if len(line) > 60 or line[:1] not in "UuLl":
        return False
    match = _UPDATED.fullmatch(line)
    return line.rstrip(" :").casefold() == "updated" or bool(
        match and _TIMELY.search(match["date"])
    )


def byline(line: str) -> str | None:
    """The author that `line`, the whole of it, names in the way of a byline."""
    if len(line) > 80:
        return None
    if match := _BY.fullmatch(line):
        return match["byline"]
    return line if key(line) in STAFF else None


def is_name(line: str) -> bool:
    """Whether `line` is a person's name, as far as capitals tell."""
    return len(line) <= 40 and _NAMED.fullmatch(line) is not None


def tail(texts: Sequence[str]) -> int:
    """Where the page's own end begins in a story's `texts`: links, tags, rights.

    That is `Related`, `Most popular`, `Tags:` or the like, after which only titles follow, and
    what leads elsewhere in the last lines.
    """
    end = at = len(texts)
    while at and len(texts) - at < _TAIL_LINES:
        at -= 1
        text = texts[at]
        if _TAIL.fullmatch(text) or (at + 1 == end and kind(text) is Kind.NAVIGATION):
            end = at
        elif len(text) > _LONGEST or text[0] in BULLETS or text.endswith(_NO_TITLE):
            break
    return end


def sift(texts: Sequence[str]) -> list[str]:
    """The lines of `texts`, none blank, without furniture.

    `Short Url`, `Follow`, a gallery's `1 / 4` and a bullet without text always go. What may be
    a sub-heading (`Share`, `Email`) goes at the ends of the story, or beside another such.
    """
    kinds = [kind(text) for text in texts]
    if kinds.count(Kind.TEXT) == len(kinds):
        return [text for text in texts if not _is_bare(text)]
    buttons = [one in _BUTTONS for one in kinds]
    first, last = 0, len(texts)
    while first < last and (buttons[first] or kinds[first] is Kind.COUNTER):
        first += 1
    while last > first and (buttons[last - 1] or kinds[last - 1] is Kind.COUNTER):
        last -= 1
    return [
        texts[at]
        for at in range(first, last)
        if kinds[at] not in _ALWAYS
        and not (buttons[at] and (buttons[at - 1] or buttons[at + 1]))
        and not _is_bare(texts[at])
    ]


def _is_bare(text: str) -> bool:
    """Whether `text` is a bullet without words."""
    return text[0] in BULLETS and not text.strip(BULLETS + " ")
