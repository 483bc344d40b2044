r'''The text of a scraped news page, as a browser would copy it, to drafts.

The plain layout: the headline; perhaps a photo's caption with its credit; `Short Url`, the
day of the last update, `Follow`; the headline again; perhaps a summary in bullets; the story,
which may open with a dateline. Paragraphs end with the line. Further stories follow, in
the same form without photo and `Short Url`. Blank lines carry no meaning.

    >>> page = """\
    ... Oil prices rise as ports reopen
    ...
    ... Tankers off Karachi on Friday. (AFP)
    ... Short Url
    ... Updated 09 May 2020
    ... Follow
    ...
    ... Oil prices rise as ports reopen
    ...
    ...   • Brent gains two percent
    ...
    ... DUBAI/RIYADH: Oil rose on Friday.
    ... Traders were pleased.
    ... """
    >>> [draft] = parse(page.encode(), "page.txt")
    >>> draft.headline, draft.summary
    ('Oil prices rise as ports reopen', ('Brent gains two percent',))
    >>> draft.caption, draft.credit
    ('Tankers off Karachi on Friday.', 'AFP')
    >>> draft.dateline, draft.places
    ('DUBAI/RIYADH', ('Dubai', 'Riyadh'))
    >>> draft.published_at.isoformat(), draft.published_precision
    ('2020-05-09T00:00:00+00:00', 'day')
    >>> draft.body
    'Oil rose on Friday.\n\nTraders were pleased.'

Pages of another layout (no repeated headline, a date of another wording, a byline above the
text) are read as far as possible, with a warning for what is uncertain. What a page prints after
its last story (`Related`, `Most popular`, tags, rights) is left out, and so is the second of two
equal stories. Pages without a story are rejected. What is unknown stays None; no date is ever
completed.
'''

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from app.ingest import authors, bounds
from app.ingest.cleaning import is_paragraph, key, lines, mojibake
from app.ingest.decoding import Decoded, UndecodableError, decode
from app.ingest.draft import Draft, Origin, Reject
from app.ingest.page_text import boilerplate, captions, dates, header, layout
from app.ingest.page_text import dateline as page_text_dateline
from app.ingest.page_text.boilerplate import BULLETS, Kind
from app.ingest.vocabulary import ALWAYS_STATIC, SECTIONS, STAFF, STATIC_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.ingest.draft import Precision
    from app.ingest.options import Options
    from app.ingest.page_text.header import Head
    from app.ingest.page_text.layout import StoryLines

NAME = "page_text"
VERSION = 5
"""Raise with every change of what a page yields."""

LIMIT_BYTES = 8 * 2**20
"""The largest page."""

_HTML = ("<!doctype", "<html", "<head", "<body", "<?xml", "<!--")
_TAG = re.compile(  # elements by name: wire copy prints ticker symbols in such brackets
    r"</?(?:p|div|span|a [^<>]*|br|hr|img|ul|ol|li|dl|dt|dd|table|tr|td|th|h[1-6]|em|strong"
    r"|script|style|link|meta|title|article|section|header|footer|nav|main|aside|figure"
    r"|figcaption|blockquote|iframe|form|input|button|label|svg|path|time|video|source)"
    r"(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
_TAGGED = 0.1  # of a text's characters, for it to be markup
_TAG_FIRST = re.compile(r"</?[a-z][a-z0-9]*[ />]", re.IGNORECASE)
_TEASER = 250  # characters of the longest line in a listing
_LISTED = 3  # dated lines that make a listing
_TITLES = 6  # lines, none of them a sentence, that make a listing
_SENTENCE = re.compile(r"[.!?…。！？।۔؟][\"'”’)»」』]*$")
_SITE = SECTIONS | STAFF
_FURNITURE = "nothing but page furniture"
_TOLD_LINES = 10  # undecodable lines that get a warning each


class Page:
    """The reader of a page, which is buffered and read as a whole."""

    def __init__(self, path: str, options: Options) -> None:
        self._path = path
        self._options = options
        self._data = bytearray()

    @property
    def held_bytes(self) -> int:
        """The size of what is buffered of the page."""
        return len(self._data)

    def feed(self, data: bytes) -> list[Draft | Reject]:
        """Nothing: a page is complete at the end of its input."""
        self._data += data[: LIMIT_BYTES + 1 - len(self._data)]
        return []

    def end(self) -> list[Draft | Reject]:
        """The articles of the page, in its order, and what of it was rejected."""
        if len(self._data) > LIMIT_BYTES:
            too_large = f"larger than {LIMIT_BYTES // 2**20} MiB, the limit of a page"
            return [Reject(self._path, None, too_large)]
        options = self._options
        found = parse(bytes(self._data), self._path, encoding=options.encoding)
        return [
            replace(
                each,
                source=options.source or each.source,
                language=options.language or each.language,
            )
            if isinstance(each, Draft)
            else each
            for each in found
        ]


def parse(data: bytes, path: str, *, encoding: str | None = None) -> Iterator[Draft | Reject]:
    """The articles of a page in `data`, as `Page` gives them."""
    try:
        decoded = decode(data, encoding)
    except UndecodableError as error:
        yield Reject(path, None, str(error))
        return
    page = lines(decoded.text)
    reason = _no_page(decoded.text, page)
    stories = [] if reason else layout.stories(page)
    if not reason and all(story.headline is None for story in stories):
        reason = _no_article([page[number] for story in stories for number in story.text])
    found = [] if reason else _heads(page, stories)
    texts = [boilerplate.sift(head.text) for _, head in found]
    if len(found) > 1 and all(_body_start(each) >= boilerplate.tail(each) for each in texts):
        reason = "a listing of headlines, not an article"
    if len(found) == 1 and key(found[0][1].headline or "") in ALWAYS_STATIC:
        reason = f'a static page ("{found[0][1].headline}"), not an article'
    if reason:
        yield Reject(path, None, reason)
        return
    digest = sha256(data).hexdigest()
    drafts: list[Draft] = []
    starts = [0, *(line for line, _ in found[1:]), len(page)]
    for position, (line, head) in enumerate(found):
        head.doubts += _undecoded(decoded, starts[position], starts[position + 1])
        origin = Origin(
            path=path,
            sha256=digest,
            position=position,
            reader=NAME,
            reader_version=VERSION,
            page=digest,
        )
        if head.strange:
            where = page.index(head.strange[0]) + 1
            yield Reject(path, where, "text above a headline that is of no article")
        draft = _draft(head, texts[position], origin)
        if isinstance(draft, str):
            yield Reject(path, line + 1, draft)
        elif all(draft != replace(other, origin=draft.origin) for other in drafts):
            drafts.append(draft)
            yield draft


def _no_page(text: str, page: list[str]) -> str | None:
    """Why a text is no page that this reader knows, if it is none."""
    start = text[:1000].lstrip().casefold()
    if not any(page):
        return "empty"
    if start.startswith(_HTML) or ("<" in text and _is_markup(text, page)):
        return "HTML, not the text of a page"
    if all(boilerplate.kind(line) is not Kind.TEXT or key(line) in _SITE for line in page):
        return _FURNITURE
    return None


def _is_markup(text: str, page: list[str]) -> bool:
    """Whether tags make a good part of the text or start half of its lines."""
    if sum(map(len, _TAG.findall(text))) > _TAGGED * len(text):
        return True
    return 2 * sum(_TAG_FIRST.match(line) is not None for line in page) > sum(map(bool, page))


def _no_article(texts: list[str]) -> str | None:
    """Why a page that marks no headline is no article, if it is plain."""
    words = [text for text in texts if boilerplate.kind(text) is Kind.TEXT]
    if not words:
        return _FURNITURE
    dated = sum(header.printed_date(text) is not None for text in texts)
    titles = not any(_SENTENCE.search(text) or len(text) > _TEASER for text in words)
    if (dated >= _LISTED and max(map(len, words)) < _TEASER) or (titles and len(words) >= _TITLES):
        return "a listing of headlines, not an article"
    if key(words[0]) in STATIC_TITLES:
        return f'a static page ("{words[0]}"), not an article'
    return None


def _heads(page: list[str], stories: list[StoryLines]) -> list[tuple[int, Head]]:
    """The headers of the stories, each with the number of its headline's line."""
    found: list[tuple[int, Head]] = []
    leading: tuple[list[str], Head] | None = None
    for number, story in enumerate(stories):
        text = _texts(page, story.text)
        if story.headline is None:
            head = header.unmarked(text)
            is_story = head.headline and any(map(is_paragraph, head.text))
            if len(stories) > 1 and (stories[number + 1].is_main or not is_story):
                leading = text, head
            else:
                found.append((story.text[head.at], head))
            continue
        above = [page[at] for at in story.above]
        head = header.marked(page[story.headline], above, text, [page[at] for at in story.inside])
        head.doubts += story.doubts
        head.updated = story.updated or head.updated
        if story.updated and head.date and not header.is_publication(head.date):
            head.date = None
        if leading is not None:
            _take_leading(head, *leading)
            leading = None
        found.append((story.headline, head))
    return found


def _take_leading(head: Head, texts: list[str], leading: Head) -> None:
    """Add to `head` the fields in the lines before its headline."""
    head.byline = head.byline or leading.byline
    head.section = head.section or leading.section
    head.url = head.url or leading.url
    head.source = head.source or leading.source
    words = [text for text in texts if boilerplate.kind(text) is Kind.TEXT]
    if len(words) == 1 and head.byline is None and header.is_in_capitals(words[0]):
        head.byline = words.pop()
        head.doubts.append(f'byline: "{head.byline}" is only a line in capitals')
    left = len(words)
    start = next((at for at, text in enumerate(words) if is_paragraph(text)), left)
    if start < left and any(map(is_paragraph, head.text)):
        head.strange = words[start:]
        left = start
    elif start < left:
        summary = _body_start(head.text)
        head.text = [*head.text[:summary], *words[start:], *head.text[summary:]]
        head.doubts.append("body: stands before the headline")
        left = start
    if left and not leading.is_preface:
        number = "one line" if left == 1 else f"{left} lines"
        head.doubts.append(f"body: {number} before the headline left out")


def _texts(page: list[str], numbers: tuple[int, ...]) -> list[str]:
    """The lines of those numbers; a summary whose bullets stand alone has them joined."""
    texts: list[str] = []
    alone: int | None = None  # the line before, if it is a bullet of such a summary
    is_summary = True
    for number in numbers:
        line = page[number]
        if line[0] in BULLETS and not line.strip(BULLETS + " "):
            alone = number
            continue
        follows = alone is not None and number == alone + 1
        is_summary = is_summary and follows and page_text_dateline.parse(line) is None
        texts.append(f"{BULLETS[0]} {line}" if is_summary else line)
    return texts


def _body_start(texts: list[str]) -> int:
    """Where the summary in bullets that opens `texts` ends."""
    start = 0
    while start < len(texts) and texts[start][0] in BULLETS:
        start += 1
    return start


def _draft(head: Head, texts: list[str], origin: Origin) -> Draft | str:
    """The draft of an article from its head and sifted `texts`, or why there is none."""
    if head.headline is None:
        return "no headline"
    end = boilerplate.tail(texts)
    left_out = texts[end:]
    texts = boilerplate.without_links(_unrepeated(head, texts[:end]))
    texts, paywall = boilerplate.before_paywall(texts[: boilerplate.closed(texts)])
    start = _body_start(texts)
    summary, body = tuple(text[1:].strip() for text in texts[:start]), texts[start:]
    byline = head.byline
    if len(body) > 1 and (name := boilerplate.byline(body[0])):
        byline = byline or name
        del body[0]
    doubts = list(head.doubts)
    opening = 1 if len(body) > 1 and boilerplate.is_note(body[0]) else 0
    dateline = page_text_dateline.parse(body[opening]) if body else None
    if dateline is not None and page_text_dateline.is_speaker(dateline, body[opening + 1 :]):
        dateline = None
    if dateline is not None:
        body[opening : opening + 1] = [dateline.rest] if dateline.rest else []
        byline = byline or dateline.agency
        if dateline.doubt:
            doubts.append(f"dateline: {dateline.doubt}")
    if len(left_out) > 1:
        doubts.append(f'body: {len(left_out)} lines from "{left_out[0][:60]}" on left out')
    if paywall:
        doubts.append(f'body: "{paywall[0][:60]}" follows, so it may be cut short')
    if not body:
        return "no body"
    caption, credit = captions.split(head.photo)
    if caption is not None and key(caption) == key(head.headline):  # the photo's alt text
        caption = None
    updated_at = _updated(head)
    published_at, precision, doubt = _published(head, dateline.date if dateline else None)
    doubts += [doubt] if doubt else []
    doubts += _garbled(head.headline, summary, caption, body)
    draft = Draft(
        headline=head.headline,
        summary=summary,
        caption=caption,
        credit=credit,
        byline=byline,
        authors=authors.names(byline),
        dateline=dateline.printed if dateline else None,
        places=dateline.places if dateline else (),
        body="\n\n".join(body),
        published_at=published_at,
        published_precision=precision,
        updated_at=updated_at,
        source=head.source,
        url=head.url,
        section=head.section,
        origin=origin,
        warnings=tuple(doubts),
    )
    return bounds.excess(draft) or draft


def _unrepeated(head: Head, texts: list[str]) -> list[str]:
    """`texts` without repetitions of the headline, caption or credit at their start."""
    photo = captions.split(head.photo)
    told = {key(line) for line in (head.headline, *head.photo, *photo) if line}
    start = 0
    while start < len(texts) - 1 and key(texts[start]) in told:
        start += 1
    return texts[start:]


def _updated(head: Head) -> datetime | None:
    """The date of the last update, if the page gives one that is not before publication."""
    if head.date is None or head.updated is None:
        return None
    published, updated = header.meaning(head.date), header.meaning(head.updated)
    if not (published and updated and published.at and updated.at):
        return None
    return None if bounds.implausible(updated.at) or updated.at < published.at else updated.at


def _published(
    head: Head, in_dateline: str | None
) -> tuple[datetime | None, Precision | None, str | None]:
    """The date of publication with its precision, and a doubt about it for a warning."""
    line = head.date or head.updated
    if line is not None:
        printed = header.meaning(line)
        if printed is None:
            return None, None, f'published_at: "{line}" is not a date'
        if printed.at is not None and (wrong := bounds.implausible(printed.at)):
            return None, None, f'published_at: "{line}" {wrong}: left out'
        doubt = f'published_at: "{line}" {printed.doubt}' if printed.doubt else None
        return printed.at, printed.precision, doubt
    if in_dateline is not None and (printed := dates.parse(in_dateline)) and printed.at:
        if wrong := bounds.implausible(printed.at):
            return None, None, f'published_at: "{in_dateline}" {wrong}: left out'
        doubt = f'published_at: taken from the dateline, "{in_dateline}"'
        return printed.at, printed.precision, doubt
    return None, None, "published_at: the page prints no date"


def _garbled(
    headline: str, summary: tuple[str, ...], caption: str | None, body: list[str]
) -> Iterator[str]:
    """A warning for each field that looks wrongly decoded."""
    fields = {
        "headline": headline,
        "summary": "\n".join(summary),
        "caption": caption or "",
        "body": "\n\n".join(body),
    }
    for name, text in fields.items():
        if sign := mojibake(text):
            yield f'{name}: holds "{sign}", which looks wrongly decoded'


def _undecoded(decoded: Decoded, start: int, end: int) -> list[str]:
    """A warning for each line from `start` up to `end` with bytes that are not text."""
    bytes_bad = f"bytes that are not {decoded.encoding}"
    told = [
        f"text: line {line + 1} has {bytes_bad}, the first at byte {offset}"
        for line, offset in decoded.bad
        if start <= line < end
    ]
    if len(told) > _TOLD_LINES:
        more = len(told) - _TOLD_LINES
        told[_TOLD_LINES:] = [f"text: {more} more lines have {bytes_bad}"]
    return told
