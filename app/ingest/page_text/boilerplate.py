"""Boilerplate: which lines of a scraped page are the site's, not the article's.

`kind` classifies a line by its own words. Whether it belongs to the page or, as a sub-heading may,
to the story depends on its position: `sift` decides for a story's text.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

import regex

from app.ingest.cleaning import key
from app.ingest.page_text import dates
from app.ingest.vocabulary import NAVIGATION, PATTERNS, SHARE, STAFF

if TYPE_CHECKING:
    from collections.abc import Sequence


class Kind(Enum):
    """The kind of a line."""

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
_LONGEST_BUTTON = 60
_SMALL = (
    r"(?:(?:al|el|as|ar|ul|ur)-\w+|[dl]['’]\w+|bin|bint|ibn|abu|ben|de|del|della|di|da|do|dos|das"
    r"|du|des|la|le|van|von|vom|zu|zur|der|den|ter|ten|af|av)"
)
_JOINT = r"and|&|und|et|y|e|og|och|en|i|in|for|with|at|of"
_NAME = rf"(?:\p{{Lu}}[\w.'’ʼ-]*|{_SMALL}|{_JOINT})"
_NAMED = regex.compile(
    rf"\p{{Lu}}[\w’'-]*\.?(?: (?:\p{{Lu}}[\w.’'-]*|{_SMALL})){{0,4}}"
    rf" (?:\p{{Lu}}[\w’'-]+|{_SMALL})"
)
_BY = regex.compile(
    rf"(?:{PATTERNS['byline_words']}):? (?P<byline>\p{{Lu}}[\w.'’ʼ-]*(?:,? {_NAME}){{0,20}}"
    rf"|{_SMALL} {_NAME}(?:,? {_NAME}){{0,20}})"
)
_ASIDE = regex.compile(r" ?\([^()]{2,60}\)$")
_BY_LABEL = regex.compile(
    rf"(?:{PATTERNS['byline_labels']}) ?[:：/／|] ?(?P<byline>[^:：。!?]{{2,80}})"
    r"|(?:【?本[報报])?[記记]者 ?(?P<byline>\p{Han}{2,4}(?:[、，,／/ ]\p{Han}{2,4}){0,4})】?"
    r"|(?P<byline>[\p{Han}々ヶ]{1,3} ?[\p{Han}々ヶ\p{Hiragana}\p{Katakana}]{1,3} ?記者)"
    r"|(?P<byline>\p{Hangul}{2,4}(?:[ ·,]+\p{Hangul}{2,4}){0,3}"
    r" ?(?:기자|특파원|선임기자|인턴기자|논설위원))"
    r"|(?P<byline>(?:ویب|نیوز|مانیٹرنگ|وب) ?(?:ڈیسک|ڈیسک))"
    r"|(?P<byline>\p{L}{2,15} ?[:：] ?[«\"][^«»\"]{3,40}[»\"])"  # a place and the newspaper
)
_BETWEEN = regex.compile(
    r" ?[,、،;/／|·•&] ?(?:and |und |et |y |e |en |och |og |i |и |и |і |та |ve )?"
    r"| (?:and|und|et|och|og|с|и|і|та|ve|con|avec|mit|with) |(?<=\S \S+) (?:y|e|en|i|a) (?=\S+ \S)"
)
_UNCASED = regex.compile(
    r"[\p{Han}々ヶー]{2,5}|\p{Hangul}{2,4}|[\p{Katakana}・ー]{3,12}"
    r"|(?:[\p{Arabic}\p{Hebrew}\p{Devanagari}\p{Bengali}\u200c'’׳״.-]{2,12} ){1,3}"
    r"[\p{Arabic}\p{Hebrew}\p{Devanagari}\p{Bengali}\u200c'’׳״.-]{2,14}"
)
_IN_PLACE = regex.compile(r" (?:in|à|à|aus|en|a) \p{Lu}.{1,40}$")
_SHORT_URL = re.compile(r"short ur[li]:?(?: ?https?://\S{1,100})?", re.IGNORECASE)
_UPDATED = re.compile(
    r"(?:(?:last )?(?:updated?|modified)(?: on| at)?|aktualisiert(?: am)?|mis à jour(?: le)?"
    r"|actualizado(?: el)?|aggiornato(?: il)?|更新(?:时间|時間|日)?|آخر تحديث|اپ ڈیٹ|अपडेट(?:ेड)?)"
    r"(?: ?[:：—–-] ?| )(?P<date>.+)",
    re.IGNORECASE,
)
_UPDATED_STARTS = (
    *("update", "lastupdate", "lastmodified", "modified", "aktualisiert", "misàjour"),
    *("actualizado", "aggiornato", "更新", "آخرتحديث", "اپڈیٹ", "अपडेट"),
)
_TIMELY = re.compile(r"\d|now|yesterday|today|ago\b", re.IGNORECASE)
_TAIL_LINES = 40
_ALSO_LINE = re.compile(rf"\W{{0,3}}(?:{PATTERNS['also']}) ?[:：…]{{0,3}}", re.IGNORECASE)
_LINK = re.compile(rf"[\W_]{{0,3}}(?:{PATTERNS['also']}) ?[:：|>»–—-] ?.{{5,160}}", re.IGNORECASE)
_TAGS = re.compile(PATTERNS["tags"], re.IGNORECASE)
_LONGEST_TAG = 30
_CLOSING = re.compile(PATTERNS["closing"], re.IGNORECASE)
_TAIL = re.compile(
    r"(?:related(?: (?:articles|stories|news|topics|items|content))?|top stories|latest news"
    r"|most (?:popular|read|viewed|commented)"
    r"|read (?:more|next|also)|also read|(?:you )?(?:may|might) also like|more (?:stories|news)"
    r"|trending now|recommended(?: for you| stories)?|editor[’']?s[’']? (?:choice|picks?)) ?:?"
    r"|(?:main category|topics|tags|keywords) ?:.{0,200}"
    r"|(?:copyright )?(?:©|\(c\)) ?\d{4}\b.{0,200}|.{0,200}\ball rights reserved\.?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\W?(?:corrections?|clarification|editor[’']?s[’']? note|note|update|amended)\b ?[:—–-]"
    r"|\W?(?:this (?:story|article|version) (?:has been|was|corrects|adds|updates)"
    r"|\(?(?:adds|updates|corrects)\b)",
    re.IGNORECASE,
)
_PAYWALL = re.compile(PATTERNS["paywall"], re.IGNORECASE)
_NO_TITLE = ("।", "۔", "。", ".", ".”", ".’", '."', ".'", "!", "…", ":", ",", ";", ")")
_BUTTON = re.compile(PATTERNS["buttons"], re.IGNORECASE)
_COUNTER = re.compile(r"(\d{1,3}) / (\d{1,3})")
_ADDRESS = re.compile(r"https?://\S{1,300}|arab\.news/\S{1,40}", re.IGNORECASE)


def kind(line: str) -> Kind:
    """The kind of `line`, a clean one, by its own words alone."""
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
    if told.startswith(_UPDATED_STARTS) and updated(line) is not None:
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


def is_button(line: str) -> bool:
    """Whether `line`, one between a headline and its text, is a button or a reading time."""
    return len(line) <= _LONGEST_BUTTON and (
        kind(line) not in (Kind.TEXT, Kind.UPDATED, Kind.ADDRESS)
        or _BUTTON.fullmatch(line) is not None
    )


def updated(line: str) -> dates.Printed | None:
    """The date of a line `Updated 09 May 2020`; None for any other line."""
    match = _UPDATED.fullmatch(line) if len(line) <= dates.LONGEST else None
    return dates.parse(match["date"]) if match else None


def loosely_updated(line: str) -> bool:
    """Whether `line` is `Updated` alone or followed by an unknown form of a time."""
    if len(line) > 60 or line[:1] not in "UuLl":
        return False
    match = _UPDATED.fullmatch(line)
    return line.rstrip(" :").casefold() == "updated" or bool(
        match and _TIMELY.search(match["date"])
    )


def byline(line: str) -> str | None:
    """The author that `line` names if all of it is a byline, otherwise None."""
    if len(line) > _LONGEST:
        return None
    if match := _BY.fullmatch(_ASIDE.sub("", line)) or _BY_LABEL.fullmatch(line):
        printed = str(match["byline"])
        aside = _ASIDE.search(line)
        return printed + aside.group() if aside and aside.group() not in printed else printed
    return line if key(line) in STAFF else None


def is_name_in_place(line: str) -> bool:
    """Whether `line` is a person's name, perhaps with a place: `Jane Roe in Cairo`."""
    return len(line) <= _LONGEST and are_names(_IN_PLACE.sub("", line))


def are_names(line: str, *, beside_day: bool = False) -> bool:
    """Whether `line` is the names of people: `Jane Roe, Omar Haddad and Ann Poe`.

    In scripts without capitals a name is recognized only `beside_day`.
    """
    if len(line) > _LONGEST or not line:
        return False
    return all(
        is_name(part) or (beside_day and _UNCASED.fullmatch(part)) for part in _BETWEEN.split(line)
    )


def is_name(line: str) -> bool:
    """Whether `line` is a person's name, judged by its capitals."""
    return len(line) <= 40 and _NAMED.fullmatch(line) is not None


def is_note(text: str) -> bool:
    """Whether `text` is an editor's note that may stand before a dateline."""
    return _NOTE.match(text) is not None


def before_paywall(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """`texts` without the lines of a paywall at their end, and those lines."""
    end = len(texts)
    while end and len(texts[end - 1]) <= _LONGEST and _PAYWALL.match(texts[end - 1]):
        end -= 1
    return [*texts[:end]], [*texts[end:]]


def without_links(texts: Sequence[str]) -> list[str]:
    """`texts` without lines that lead to another story: `READ MORE: Nine ships wait`."""
    return [text for text in texts if len(text) > 200 or not _LINK.fullmatch(text)]


def closed(texts: Sequence[str]) -> int:
    """The start of closing lines that are not of the story: rights, editors, mail."""
    end = len(texts)
    while end > 1 and len(texts[end - 1]) <= 200 and _CLOSING.fullmatch(texts[end - 1]):
        end -= 1
    return end


def tail(texts: Sequence[str]) -> int:
    """The start of the page's own end in a story's `texts`: links, tags, rights.

    That is `Related`, `Most popular`, `Tags:` or the like, followed by titles only, and links in
    the last lines.
    """
    end = at = len(texts)
    while at and len(texts) - at < _TAIL_LINES:
        at -= 1
        text = texts[at]
        if (
            _TAIL.fullmatch(text)
            or _ALSO_LINE.fullmatch(text)
            or _are_tags(texts, at, end)
            or (at + 1 == end and kind(text) is Kind.NAVIGATION)
        ):
            end = at
        elif len(text) > _LONGEST or text[0] in BULLETS or text.endswith(_NO_TITLE):
            break
    return end


def _are_tags(texts: Sequence[str], at: int, end: int) -> bool:
    """Whether the rest from `at` is a list of tags: several of few words, or of one word."""
    tags = texts[at + 1 : end]
    if not tags or not _TAGS.fullmatch(texts[at].rstrip(" :：")):
        return False
    words = [len(tag.split()) for tag in tags]
    return all(len(tag) <= _LONGEST_TAG for tag in tags) and (
        max(words) == 1 or (len(tags) > 1 and max(words) <= 3)
    )


def sift(texts: Sequence[str]) -> list[str]:
    """The lines of `texts`, none blank, without boilerplate.

    `Short Url`, `Follow`, a gallery's `1 / 4` and a bullet without text are always removed. What
    may be a sub-heading (`Share`, `Email`) is removed at the ends of the story, or beside another.
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
