"""Other forms of an article: JSON-LD of schema.org, and plain text.

In: an article as it is served, and the address under which it is. Out: bytes. What is unknown is
left out; nothing is said of it that the article does not say.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import orjson

from app.api.csv_tables import instant
from app.articles.read import WholeArticle

Form = Literal["jsonld", "txt"]

MEDIA_TYPES: dict[Form, str] = {"jsonld": "application/ld+json", "txt": "text/plain; charset=utf-8"}
"""The Content-Type of each form; its name is also its suffix."""

_TYPES = {"person": "Person", "organization": "Organization", "place": "Place"}


def links(article_url: str, form: Form | None) -> str:
    """The `Link` header of an article, or of a form of it: where the others are (RFC 8288)."""
    others = [
        f'<{article_url}.{each}>; rel="alternate"; type="{_bare(each)}"'
        for each in MEDIA_TYPES
        if each != form
    ]
    if form is not None:
        others.insert(0, f'<{article_url}>; rel="canonical"; type="application/json"')
    return ", ".join(others)


def _bare(form: Form) -> str:
    return MEDIA_TYPES[form].partition(";")[0]


def json_ld(article: WholeArticle, article_url: str) -> bytes:
    """The article as a NewsArticle of schema.org."""
    entities = article_url.rpartition("/articles/")[0] + "/entities"
    known = {each.entity_id: each for each in reversed(article.mentions)}
    members: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": article_url,
        "identifier": article.id.urn,
        "url": article.url or article_url,
        "headline": article.headline,
        "description": "\n".join(article.summary),
        "articleBody": article.body,
        "wordCount": article.word_count,
        "version": article.version,
        "datePublished": _date(article.published_at, article.published_precision),
        "dateModified": _date(article.updated_at, "second"),
        "author": [{"@type": "Person", "name": name} for name in article.authors],
        "publisher": {"@type": "Organization", "name": article.source} if article.source else None,
        "dateline": article.dateline,
        "contentLocation": [{"@type": "Place", "name": name} for name in article.places],
        "articleSection": article.section,
        "keywords": article.keywords,
        "about": [
            {
                "@type": "DefinedTerm",
                **_given(name=each["name"], termCode=each["code"], inDefinedTermSet=each["scheme"]),
            }
            for each in article.subjects
        ],
        "image": {
            "@type": "ImageObject",
            **_given(caption=article.caption, creditText=article.credit),
        }
        if article.caption or article.credit
        else None,
        "inLanguage": article.language,
        "copyrightNotice": article.usage_terms,
        "mentions": [
            {"@type": _TYPES[each.type], "@id": f"{entities}/{each.entity_id}", "name": each.name}
            for each in reversed(known.values())
            if each.type in _TYPES
        ],
        "encoding": [
            {
                "@type": "MediaObject",
                "contentUrl": f"{article_url}{suffix}",
                "encodingFormat": media_type,
            }
            for suffix, media_type in (("", "application/json"), (".txt", _bare("txt")))
        ],
    }
    return orjson.dumps(_given(**members))


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, "", [])}


def _date(at: datetime | None, precision: str | None) -> str | None:
    if at is None:
        return None
    return at.date().isoformat() if precision == "day" else instant(at)


def text(article: WholeArticle) -> bytes:
    r"""The article to be read: headline, summary, byline, date, text, and where it is from.

    Paragraphs are parted by a blank line, bullets begin with `- `.
    """
    at = _date(article.published_at, article.published_precision)
    by = " | ".join(filter(None, [article.byline, at]))
    body = f"{article.dateline}: {article.body}" if article.dateline else article.body
    photo = " ".join(
        filter(None, [article.caption, f"({article.credit})" if article.credit else None])
    )
    bullets = "\n".join(f"- {each}" for each in article.summary)
    origin = "\n".join(filter(None, [article.source, article.url]))
    parts = (article.headline, bullets, by, body, photo, origin, article.usage_terms)
    return ("\n\n".join(filter(None, parts)) + "\n").encode("utf-8", "replace")
