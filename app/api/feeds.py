r"""A search as a feed or an export: what stands where in Atom, JSON Feed, CSV, JSON Lines.

In: articles with their text, for a feed the page that they stand on. Out: bytes; exports come
in pieces, of which a caller holds one at a time. Nothing here reads the store or knows a route.
What a format can't hold (a lone surrogate; in XML most control characters) becomes U+FFFD.

    >>> negotiate("application/atom+xml, application/json;q=0.9")
    'atom'
    >>> negotiate("text/html, */*;q=0.8") is None
    True
"""

from __future__ import annotations

import csv
import html
import io
import re
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.articles import Whole

Format = Literal["atom", "json", "csv", "jsonl"]

MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml",
    "json": "application/feed+json",
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson",
}
"""The Content-Type of each format; its name is also its suffix."""

JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"

COLUMNS = (
    *("id", "published_at", "published_precision", "headline", "summary", "byline", "dateline"),
    *("places", "source", "section", "language", "url", "caption", "credit", "word_count"),
    *("score", "body"),
)
"""The columns of a CSV export, named as an article's fields."""

_ACCEPTED: dict[str, Format] = {
    "application/atom+xml": "atom",
    "application/feed+json": "json",
    "text/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
_OWN = ("application/json", "application/*", "*/*")  # as a header may name our own answer
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"?', re.DOTALL)
_QUALITY = re.compile(r"0(?:\.[0-9]*)?|1(?:\.0*)?")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ATOM = "http://www.w3.org/2005/Atom"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGING = frozenset({"cursor", "limit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a search for `atom` and `json_feed`; addresses are absolute.

    `home_url` is the same search as our own JSON, `first_url` the feed without a cursor, and
    `articles_url` what comes before `/{id}` in an article's address. `updated_at` is None
    where nobody knows better than the entries.
    """

    title: str
    self_url: str
    first_url: str
    next_url: str | None
    home_url: str
    articles_url: str
    store_id: UUID
    entries: Sequence[Whole]
    updated_at: datetime | None = None


# --- feeds


def atom(page: Page) -> bytes:
    """An Atom feed (RFC 4287), paged as RFC 5005 has it.

    All pages of a search have one id, made of the store's and the search's parameters: it
    outlives other hosts, prefixes and page sizes. An article's id is the store's for life.
    An entry is `updated` when the article was last read from a new or a changed input.
    """
    feed = ET.Element("feed", {"xmlns": _ATOM})
    _add(feed, "id", _feed_id(page).urn)
    _add(feed, "title", page.title, type="text")
    _add(feed, "updated", _instant(page.updated_at or _newest(page.entries)))
    _link(feed, "self", page.self_url, type=MEDIA_TYPES["atom"])
    _link(feed, "alternate", page.home_url, type="application/json")
    _link(feed, "first", page.first_url, type=MEDIA_TYPES["atom"])
    if page.next_url is not None:
        _link(feed, "next", page.next_url, type=MEDIA_TYPES["atom"])
    _add(_add(feed, "author"), "name", "Broadsheet")  # needed for entries whose own is unknown
    _add(feed, "generator", "Broadsheet")
    for article in page.entries:
        _entry(feed, article, page.articles_url)
    raw: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return raw


def _entry(feed: ET.Element, article: Whole, articles_url: str) -> None:
    entry = _add(feed, "entry")
    if article.language:
        entry.set("xml:lang", _xml(article.language))
    _add(entry, "id", article.id.urn)
    _add(entry, "title", article.headline, type="text")
    _add(entry, "updated", _instant(_updated_at(article)))
    if article.published_at is not None:
        _add(entry, "published", _instant(article.published_at))
    if author := article.byline or article.source:
        _add(_add(entry, "author"), "name", author)
    _link(entry, "alternate", article.url or f"{articles_url}/{article.id}")
    for scheme, terms in _tags(article).items():
        for term in terms:
            _add(entry, "category", scheme=f"urn:broadsheet:{scheme}", term=term)
    _add(entry, "summary", _brief(article), type="text")
    _add(entry, "content", _html(article), type="html")


def json_feed(page: Page) -> bytes:
    """A JSON Feed 1.1; what it has no field for stands in each item's `_broadsheet`.

    `feed_url` names the whole feed, on every page alike, as the format wants it.
    """
    return _json(
        {
            "version": JSON_FEED_VERSION,
            "title": page.title,
            "home_page_url": page.home_url,
            "feed_url": page.first_url,
            **({} if page.next_url is None else {"next_url": page.next_url}),
            "items": [_item(article, page.articles_url) for article in page.entries],
        }
    )


def _item(article: Whole, articles_url: str) -> dict[str, Any]:
    author = article.byline or article.source
    published_at = article.published_at
    own_url = f"{articles_url}/{article.id}"
    tags = [term for terms in _tags(article).values() for term in terms]
    more = ("source", "section", "caption", "credit", "related", "warnings")
    names = ("dateline", "places", "byline", "published_precision", "word_count", *more)
    item = {
        "id": article.id.urn,
        "url": article.url or own_url,
        "title": article.headline,
        "summary": _brief(article),
        "content_text": article.body,
        "content_html": _html(article),
        "date_published": None if published_at is None else _instant(published_at),
        "date_modified": _instant(_updated_at(article)),
        "authors": [{"name": author}] if author else [],
        "tags": list(dict.fromkeys(tags)),
        "language": article.language,
    }
    ours = {"article_url": own_url} | {name: getattr(article, name) for name in names}
    known = {name: value for name, value in item.items() if value not in (None, [])}
    return known | {"_broadsheet": ours}


def _feed_id(page: Page) -> UUID:
    query = urlsplit(_xml(page.self_url)).query
    search = sorted(pair for pair in parse_qsl(query) if pair[0] not in _PAGING)
    return uuid5(page.store_id, urlencode(search))


def _updated_at(article: Whole) -> datetime:
    loaded = [seen.loaded_at for seen in article.sources]
    return max(loaded, default=article.published_at or _EPOCH)


def _newest(articles: Sequence[Whole]) -> datetime:
    return max(map(_updated_at, articles), default=_EPOCH)


def _tags(article: Whole) -> dict[str, list[str]]:
    return {"place": article.places, "section": [article.section] if article.section else []}


def _brief(article: Whole) -> str:
    return "\n".join(article.summary) or article.body.partition("\n\n")[0]


def _html(article: Whole) -> str:
    paragraphs = article.body.split("\n\n")
    return "\n".join(f"<p>{html.escape(text, quote=False)}</p>" for text in paragraphs)


def _instant(at: datetime) -> str:
    """`at`, aware, as RFC 3339 in UTC to the second."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _link(parent: ET.Element, rel: str, href: str, **attributes: str) -> None:
    _add(parent, "link", rel=rel, href=href, **attributes)


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    clean = {name: _xml(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, clean)
    element.text = None if text is None else _xml(text)
    return element


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


# --- exports


def csv_header() -> bytes:
    r"""The first line of a CSV export (RFC 4180: CRLF, quotes doubled), in UTF-8.

    No byte order mark: it would become a part of the first column's name for most programs
    that read CSV, and an API is read by programs. Excel takes the file as UTF-8 by Data >
    From Text/CSV.
    """
    return _csv([COLUMNS])


def csv_rows(hits: Iterable[tuple[Whole, float]]) -> bytes:
    r"""The lines of articles with their scores; unknown is empty, bullets are parted by `\n`.

    Cells hold the stored text and nothing else. A spreadsheet may take one that begins with
    `=`, `+`, `-` or `@` for a formula; an apostrophe before it, which OWASP suggests for
    files that people open, would be a wrong text for every program (a headline, `-5°C in
    Murree`, that no longer equals itself), and spreadsheets drop it when they save. Import the
    columns as text instead. Python's csv reads cells above 131,072 characters only after
    `csv.field_size_limit`.
    """
    return _csv(_cells(article, score) for article, score in hits)


def json_line(article: Whole, score: float) -> bytes:
    r"""The article as `GET /v1/articles/{id}` gives it, with its score, and a line end.

    `broadsheet load` reads it again: the fields of the store's own making are passed over.
    """
    members = {each.name: getattr(article, each.name) for each in fields(article)}
    return _json(members | {"score": score}, orjson.OPT_APPEND_NEWLINE)


def _cells(article: Whole, score: float) -> list[object]:
    at = article.published_at
    made = {
        "published_at": None if at is None else _instant(at),
        "summary": "\n".join(article.summary),
        "places": "; ".join(article.places),
        "score": score,
    }
    return [made[name] if name in made else getattr(article, name) for name in COLUMNS]


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return _SURROGATE.sub("\ufffd", text.getvalue()).encode()


def _json(value: object, option: int = 0) -> bytes:
    option |= orjson.OPT_UTC_Z
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(value), option=option)


def _encodable(value: Any) -> Any:
    """`value` without lone surrogates, which no JSON in UTF-8 can hold."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return list(map(_encodable, value))
    if is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in fields(value)}
    if isinstance(value, dict):
        return {_encodable(name): _encodable(member) for name, member in value.items()}
    return value


# --- which one


def negotiate(accept: str) -> Format | None:
    """The format that an Accept header prefers (RFC 9110, 12.5.1); None: our own JSON.

    A format has to be named: a wildcard means our own, so that browsers and plain clients
    get that. Among equals a named type goes before a wildcard, then the first. What is
    malformed is passed over.
    """
    qualities: dict[str, float] = {}
    for part in _QUOTED.sub("", accept).split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        quality = _quality(parameters)
        if quality is not None:
            qualities[name] = max(quality, qualities.get(name, 0.0))
    own = next((name for name in _OWN if name in qualities), None)
    choices = [
        (quality, "*" not in name, -place, _ACCEPTED.get(name))
        for place, (name, quality) in enumerate(qualities.items())
        if quality and (name == own or name in _ACCEPTED)
    ]
    return max(choices, key=lambda choice: choice[:3])[3] if choices else None


def _quality(parameters: list[str]) -> float | None:
    """The `q` among the parameters of a media range; None if it is malformed."""
    for parameter in parameters:
        name, _, value = (each.strip() for each in parameter.partition("="))
        if name == "q":
            return float(value) if _QUALITY.fullmatch(value) else None
    return 1.0
