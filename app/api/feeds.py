r"""Feeds and exports of a search: an article in Atom, JSON Feed, CSV and JSON Lines.

In: articles with their text, for a feed the page that they stand on. Out: bytes; exports come
in pieces, of which a caller holds one at a time. Nothing here reads the store or knows a route.
What a format can't hold (a lone surrogate; in XML most control characters) becomes U+FFFD.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

import orjson

from app.api.csv_tables import instant
from app.articles.read import WholeArticle

Format = Literal["atom", "json", "csv", "jsonl"]

MEDIA_TYPES: dict[Format, str] = {
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson",
}
"""The Content-Type of each format; its name is also its suffix."""

JSON_FEED_VERSION = "https://jsonfeed.org/version/1.1"

COLUMNS = (
    *("id", "published_at", "published_precision", "headline", "summary", "byline", "authors"),
    *("dateline", "places", "source", "section", "keywords", "language", "url", "caption"),
    *("credit", "word_count", "score", "body"),
)
"""The columns of a search as CSV, named as an article's fields."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ATOM_TYPE = "application/atom+xml"
_ATOM = "http://www.w3.org/2005/Atom"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGING = frozenset({"cursor", "limit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """A page of a search for `atom` and `json_feed`; addresses are absolute.

    `home_url` is the same search as our own JSON, `first_url` the feed without a cursor, and
    `articles_url` what comes before `/{id}` in an article's address.
    """

    title: str
    self_url: str
    first_url: str
    next_url: str | None
    home_url: str
    articles_url: str
    store_id: UUID
    entries: Sequence[WholeArticle]


# --- feeds


def atom(page: FeedPage) -> bytes:
    """An Atom feed (RFC 4287), paged as RFC 5005 has it.

    All pages of a search have one id, made of the store's and the search's parameters: it
    outlives other hosts, prefixes and page sizes. An article's id is the store's for life.
    An entry is `updated` when the article was last read from a new or a changed input.
    """
    feed = ET.Element("feed", {"xmlns": _ATOM})
    _add(feed, "id", _feed_id(page).urn)
    _add(feed, "title", page.title, type="text")
    _add(feed, "updated", instant(max(map(_updated_at, page.entries), default=_EPOCH)))
    _link(feed, "self", page.self_url, type=_ATOM_TYPE)
    _link(feed, "alternate", page.home_url, type="application/json")
    _link(feed, "first", page.first_url, type=_ATOM_TYPE)
    if page.next_url is not None:
        _link(feed, "next", page.next_url, type=_ATOM_TYPE)
    _add(_add(feed, "author"), "name", "Broadsheet")  # needed for entries whose own is unknown
    _add(feed, "generator", "Broadsheet")
    for article in page.entries:
        _entry(feed, article, page.articles_url)
    raw: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return raw


def _entry(feed: ET.Element, article: WholeArticle, articles_url: str) -> None:
    entry = _add(feed, "entry")
    if article.language:
        entry.set("xml:lang", _xml(article.language))
    _add(entry, "id", article.id.urn)
    _add(entry, "title", article.headline, type="text")
    _add(entry, "updated", instant(_updated_at(article)))
    if article.published_at is not None:
        _add(entry, "published", instant(article.published_at))
    for author in _authors(article):
        _add(_add(entry, "author"), "name", author)
    _link(entry, "alternate", article.url or f"{articles_url}/{article.id}")
    for scheme, terms in _tags(article).items():
        for term in terms:
            _add(entry, "category", scheme=f"urn:broadsheet:{scheme}", term=term)
    _add(entry, "summary", _brief(article), type="text")
    _add(entry, "content", _html(article), type="html")


def json_feed(page: FeedPage) -> bytes:
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


def _item(article: WholeArticle, articles_url: str) -> dict[str, Any]:
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
        "date_published": None if published_at is None else instant(published_at),
        "date_modified": instant(_updated_at(article)),
        "authors": [{"name": author} for author in _authors(article)],
        "tags": list(dict.fromkeys(tags)),
        "language": article.language,
    }
    ours = {"article_url": own_url} | {name: getattr(article, name) for name in names}
    known = {name: value for name, value in item.items() if value not in (None, [])}
    return known | {"_broadsheet": ours}


def _feed_id(page: FeedPage) -> UUID:
    query = urlsplit(_xml(page.self_url)).query
    search = sorted(pair for pair in parse_qsl(query) if pair[0] not in _PAGING)
    return uuid5(page.store_id, urlencode(search))


def _updated_at(article: WholeArticle) -> datetime:
    loaded = [seen.loaded_at for seen in article.sources]
    return max(loaded, default=article.published_at or _EPOCH)


def _tags(article: WholeArticle) -> dict[str, list[str]]:
    section = [article.section] if article.section else []
    return {"place": article.places, "section": section, "keyword": article.keywords}


def _authors(article: WholeArticle) -> list[str]:
    """The authors, else the byline or the publisher."""
    return article.authors or list(filter(None, [article.byline or article.source]))


def _brief(article: WholeArticle) -> str:
    return "\n".join(article.summary) or article.body.partition("\n\n")[0]


def _html(article: WholeArticle) -> str:
    paragraphs = article.body.split("\n\n")
    return "\n".join(f"<p>{html.escape(text, quote=False)}</p>" for text in paragraphs)


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


def cells(entry: tuple[WholeArticle, float], columns: Sequence[str]) -> list[object]:
    r"""The values of an article and its score in a table; bullets are parted by `\n`."""
    article, score = entry
    made = {"score": score, "summary": "\n".join(article.summary)}
    return [made[name] if name in made else getattr(article, name) for name in columns]


def json_line(article: WholeArticle, score: float, fields: Sequence[str] = ()) -> bytes:
    r"""The article as `GET /v1/articles/{id}` gives it, with its score, and a line end.

    With `fields` those alone. `broadsheet load` reads it again: the fields of the store's own
    making are passed over.
    """
    names = fields or [each.name for each in dataclass_fields(article)]
    members = {name: getattr(article, name) for name in names}
    return _json(members if fields else members | {"score": score}, orjson.OPT_APPEND_NEWLINE)


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
        value = {each.name: getattr(value, each.name) for each in dataclass_fields(value)}
    if isinstance(value, dict):
        return {_encodable(name): _encodable(member) for name, member in value.items()}
    return value
