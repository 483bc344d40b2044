"""What OpenAPI says beyond types: examples, errors, keys, and where answers lead.

The examples are articles of the seeds, shortened; the test suite holds them to the schemas.
Those of feeds and exports are written by what writes the answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from app import errors
from app.api import access, feeds, guard, links, problems, schemas
from app.articles import Related, Seen, Whole

if TYPE_CHECKING:
    from fastapi import FastAPI

_ID = "d67e86da-755f-5408-a9d8-45e3d7916f26"
_OTHER = {
    "id": "d9495eb7-d7a8-514c-9a97-d50646b7e4e7",
    "headline": "Khalilzad discusses Afghan peace with officials in Pakistan",
}

_SUMMARY: dict[str, Any] = {
    "id": _ID,
    "change": 1,
    "version": 1,
    "headline": "Pakistan, global crypto exchange discuss modernizing digital payments",
    "summary": ["Pakistani officials, Binance team discuss coordination"],
    "caption": None,
    "credit": None,
    "byline": None,
    "dateline": "ISLAMABAD",
    "places": ["Islamabad"],
    "word_count": 420,
    "published_at": "2025-12-05T00:00:00Z",
    "published_precision": "day",
    "updated_at": None,
    "embargoed_until": None,
    "guid": None,
    "sender_version": None,
    "source": "Arab News",
    "url": None,
    "language": None,
    "section": None,
    "warnings": [],
    "related": [_OTHER],
}
_SEEN: dict[str, Any] = {
    "path": "seeds/000_5ca38b958166c7ca.txt",
    "sha256": "5f" * 32,
    "position": 1,
    "reader": "page_text",
    "reader_version": 1,
    "loaded_at": "2026-11-22T06:00:00Z",
    "load": 1,
}
_BODY = "Pakistan’s finance officials met a cryptocurrency exchange.\n\nThe talks go on."

_ENTITY_ID = "d6ec6b2f-0c8b-5ea4-8d0e-1b1c74d1d9f3"
_MENTION = {
    "entity_id": _ENTITY_ID,
    "type": "place",
    "name": "Pakistan",
    "surface": "Pakistan",
    "field": "headline",
    "index": None,
    "start": 0,
    "end": 8,
}
_ARTICLE = {**_SUMMARY, "body": _BODY, "sources": [_SEEN], "mentions": [_MENTION]}
_ARTICLES = {"items": [_SUMMARY], "total": 4, "next": "WyI3MjEzMjc3NzhkYzEiXQ"}
_MARKED = {
    "field": "headline",
    "index": None,
    "text": "Pakistan, global <mark>crypto</mark> exchange discuss modernizing digital payments",
    "start": 0,
    "end": 68,
}
_SEARCH = {
    "items": [{"article": _SUMMARY, "score": 1.9, "highlights": [_MARKED], "duplicates": []}],
    "total": 1,
    "next": None,
    "facets": {"place": [{"value": _ENTITY_ID, "label": "Pakistan", "count": 1}]},
    "histogram": [{"start": "2025-12-01", "count": 1, "share": None}],
    "suggestion": None,
    "as_of": {"change": 1, "lag": 0},
    "took_ms": 2.1,
    "complete": True,
}
_IMPORTED = {
    "items": [
        {"outcome": "saved", "id": _ID, "line": 1, "reason": None},
        {"outcome": "rejected", "id": None, "line": 2, "reason": "neither headline nor body"},
    ],
    "saved": 1,
    "revised": 0,
    "unchanged": 0,
    "stale": 0,
    "withheld": 0,
    "removed": 0,
    "rejected": 1,
}
_VERSION = {
    "version": 2,
    "arrived_at": "2026-11-22T06:00:00Z",
    "is_shown": True,
    "is_kept": True,
    "status": "usable",
    "headline": _SUMMARY["headline"],
    "published_at": "2025-12-05T00:00:00Z",
    "updated_at": None,
    "sender_version": None,
    "changed": ["body"],
    "words_added": 2,
    "words_removed": 1,
}
_VERSION_LEFT_OUT = ("change", "related")
_WHOLE_VERSION = {
    **{name: value for name, value in _SUMMARY.items() if name not in _VERSION_LEFT_OUT},
    "version": 2,
    "arrived_at": "2026-11-22T06:00:00Z",
    "is_shown": True,
    "status": "usable",
    "body": _BODY,
    "compared_with": 1,
    "difference": [
        {"field": "body", "kind": "equal", "text": "The talks "},
        {"field": "body", "kind": "removed", "text": "ended."},
        {"field": "body", "kind": "added", "text": "go on."},
    ],
}
_HEALTH = {"status": "ok"}
_STATUS: dict[str, Any] = {
    "store_id": "9173b5aa-75c1-432e-af6a-12febe1aa5cc",
    "articles": 4,
    "change": 1,
    "kept": {
        "versions": 5,
        "embargoed": 0,
        "hidden": 0,
        "removed": 0,
        "erased": 0,
        "erasures_pending": 0,
    },
    "index": {"engine": "whoosh", "state": "ready", "detail": None, "cursor": 1, "lag": 0},
    "extraction": {"extractor": "rules 2", "cursor": 1, "lag": 0, "failures": 0},
    "versions": {"broadsheet": "0.1.0", "python": "3.11.7", "sqlite": "3.40.1"},
}
_METRICS = """\
# HELP broadsheet_articles Stored articles.
# TYPE broadsheet_articles gauge
broadsheet_articles 4.0
"""

_COMPLETIONS = {
    "items": [{"text": "Islamabad", "kind": "place", "count": 4, "id": _ENTITY_ID}],
}
_EXPLANATION = {
    "query": "crypto gemstones",
    "tree": {"type": "and", "query": "crypto gemstones", "start": 0, "end": 16},
    "clauses": [
        {"query": "crypto", "start": 0, "end": 6, "total": 1, "without": 1},
        {"query": "gemstones", "start": 7, "end": 16, "total": 1, "without": 1},
    ],
    "total": 0,
    "suggestion": None,
    "complete": True,
}
_SIMILAR = {
    "items": [{"article": _SUMMARY, "score": 7.2, "similarity": 0.91, "duplicate": True}],
    "total": 3,
    "next": None,
}
_CHANGES = {
    "items": [{"change": 1, "id": _ID, "kind": "added", "article": _SUMMARY}],
    "total": 1,
    "next": None,
    "last": 1,
}

_ENTITY = {
    "id": _ENTITY_ID,
    "type": "place",
    "name": "Pakistan",
    "wikidata": "Q843",
    "iso": "PK",
    "article_count": 4,
    "mention_count": 31,
    "first_seen": "2020-05-09",
    "last_seen": "2026-01-09",
}
_TYPE = {"id": "place", "name": "Place"}
_CANDIDATE = {
    "id": _ENTITY_ID,
    "name": "Pakistan",
    "type": [_TYPE],
    "score": 100.0,
    "match": True,
    "description": "place in 4 articles",
}
_RECONCILE = "http://127.0.0.1:8000/v1/entities/reconcile"
_MANIFEST = {
    "versions": ["0.2"],
    "name": "Broadsheet: people, organizations and places in the news",
    "identifierSpace": "urn:uuid:",
    "schemaSpace": "urn:broadsheet:type:",
    "defaultTypes": [_TYPE],
    "view": {"url": "http://127.0.0.1:8000/v1/entities/{{id}}"},
    "preview": {"url": f"{_RECONCILE}/preview?id={{{{id}}}}", "width": 360, "height": 120},
    "suggest": {"entity": {"service_url": _RECONCILE, "service_path": "/suggest"}},
}
_ENTITIES: dict[str, Any] = {
    "entity": {**_ENTITY, "aliases": ["Pakistani"]},
    "entities": {"items": [_ENTITY], "total": 1, "next": None},
    "related": {
        "items": [{"entity": _ENTITY, "count": 4, "expected": 1.6, "strength": 12.4}],
        "total": 1,
        "next": None,
    },
    "timeline": {"items": [{"start": "2020-05-01", "count": 1}], "total": 1, "next": None},
    "manifest": _MANIFEST,
    "candidates": {"q0": {"result": [_CANDIDATE]}},
    "preview": "<!doctype html><title>Pakistan</title><h1>Pakistan</h1><p>place in 4 articles</p>",
    "suggested": {
        "result": [
            {
                "id": _ENTITY_ID,
                "name": "Pakistan",
                "notable": [_TYPE],
                "description": "place in 4 articles",
            }
        ]
    },
}

MOVED = {"description": "It was merged into another: `Location` leads there"}
UNCHANGED = {"description": "The client has the newest answer: its entity tag still holds"}

_EXAMPLES: dict[str, Any] = {
    **_ENTITIES,
    "completions": _COMPLETIONS,
    "explanation": _EXPLANATION,
    "similar": _SIMILAR,
    "changes": _CHANGES,
    "article": _ARTICLE,
    "articles": _ARTICLES,
    "search": _SEARCH,
    "imported": _IMPORTED,
    "versions": {"items": [_VERSION], "total": 2, "next": None},
    "version": _WHOLE_VERSION,
    "health": _HEALTH,
    "status": _STATUS,
    "metrics": _METRICS,
}

_TEXT = {"type": "string"}
_ADDRESS = {"type": "string", "format": "uri"}
_FEED = {
    "type": "object",
    "required": ["version", "title", "home_page_url", "feed_url", "items"],
    "properties": {
        "version": {"const": feeds.JSON_FEED_VERSION},
        "title": _TEXT,
        "home_page_url": _ADDRESS,
        "feed_url": _ADDRESS,
        "next_url": _ADDRESS,
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "url", "title", "summary", "content_text", "_broadsheet"],
            },
        },
    },
}
_FORMS: dict[feeds.Format, dict[str, Any]] = {
    "atom": _TEXT,
    "json": _FEED,
    "csv": _TEXT,
    "jsonl": _TEXT,
}

_DETAILS = {
    400: "a quote is opened and never closed at position 6",
    401: "this needs a key, sent as Authorization: Bearer KEY; "
    "create one: broadsheet keys create NAME --scope write",
    403: "the key 'reader' reads alone; this needs one of the scope write: "
    "broadsheet keys create NAME --scope write",
    404: f"no article with id {_ID}",
    409: f"url https://example.org/rain is that of another article, {_ID}",
    410: f"article {_ID} is removed since 2026-11-22 06:00 UTC",
    412: f"article {_ID} has changed since it was read",
    413: "the body is larger than 33,554,432 bytes",
    415: "no reader knows image/png",
    429: "the address 192.0.2.7 may ask 12,000 times a minute; ask again later",
    422: "limit: Input should be less than or equal to 100",
    500: "the error has been logged",
    503: "no index has been built",
}
_FACTS: dict[int, dict[str, Any]] = {
    409: {"field": "url", "article_id": _ID},
    410: {"why": "removed", "at": "2026-11-22T06:00:00Z"},
    400: {"position": 6, "hint": 'add a closing "'},
    422: {"errors": [{"loc": ["query", "limit"], "msg": "should be at most 100"}]},
}


def responses(
    *statuses: int, example: str | None = None, formats: Iterable[feeds.Format] = ()
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: an example of its answer, by name, and its errors.

    `formats` are the feeds and exports that it answers with, alone or beside its JSON.
    """
    documented: dict[int | str, dict[str, Any]] = {
        status: _problem(status) for status in (*statuses, 500)
    }
    content: dict[str, Any] = {}
    if example is not None:
        content["application/json"] = {"example": example}
    for kind in formats:
        media_type = feeds.MEDIA_TYPES[kind].partition(";")[0]
        content[media_type] = {"schema": _FORMS[kind], "example": f".{kind}"}
    if content:
        documented[200] = {"content": content}
    return documented


def _problem(status: int) -> dict[str, Any]:
    kinds = dict(problems.STATUSES.values())
    kinds |= {
        410: "gone",
        503: "index-unavailable",
        413: "too-large",
        415: "unsupported-media-type",
        500: "internal-error",
    }
    return _of_kind(kinds[status], status, _DETAILS[status], _FACTS.get(status, {}))


def _of_kind(kind: str, status: int, detail: str, facts: dict[str, Any]) -> dict[str, Any]:
    example = {
        "type": f"urn:broadsheet:problem:{kind}",
        "title": problems.TITLES[kind],
        "status": status,
        "detail": detail,
        "instance": "/v1/articles",
        **facts,
    }
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": problems.TITLES[kind],
        "content": {problems.MEDIA_TYPE: {"schema": schema, "example": example}},
    }


EXPIRED = _of_kind("cursor-expired", 410, str(errors.CursorExpired()), {})


def _written() -> dict[str, Any]:
    """An example of each feed and export, under its suffix."""
    seen = Seen(**{**_SEEN, "loaded_at": datetime.fromisoformat(_SEEN["loaded_at"])})
    article = Whole(
        **{
            **_ARTICLE,
            "id": UUID(_ID),
            "published_at": datetime.fromisoformat(_ARTICLE["published_at"]),
            "related": [Related(id=UUID(_OTHER["id"]), headline=_OTHER["headline"])],
            "sources": [seen],
        }
    )
    search = "http://127.0.0.1:8000/v1/search"

    def page(suffix: str) -> feeds.Page:
        address = f"{search}{suffix}?q=crypto"
        return feeds.Page(
            title="Broadsheet: crypto",
            self_url=address,
            first_url=address,
            next_url=None,
            home_url=f"{search}?q=crypto",
            articles_url="http://127.0.0.1:8000/v1/articles",
            store_id=UUID(_STATUS["store_id"]),
            entries=[article],
        )

    return {
        ".atom": feeds.atom(page(".atom")).decode(),
        ".json": orjson.loads(feeds.json_feed(page(".json"))),
        ".csv": (feeds.csv_header() + feeds.csv_rows([(article, 1.9)])).decode(),
        ".jsonl": feeds.json_line(article, 1.9).decode(),
    }


_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of this archive."},
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "A key of this archive as the password, under any user name.",
    },
}


def install(app: FastAPI, *, reads_keyed: bool) -> None:
    """Add to the document of `app` the schema of problems, examples, links and the keys.

    FastAPI drops nulls from examples that it is given, so it is given their names. What needs
    a key is what `access` says: that stands before the routes and is no part of them.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        problem = schemas.Problem.model_json_schema()
        document["components"]["schemas"].setdefault("Problem", problem)
        examples = {**_EXAMPLES, **_written()}
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _secure(operation, method.upper(), path, reads_keyed=reads_keyed)
                for named in operation["responses"].get("200", {}).get("content", {}).values():
                    if isinstance(name := named.get("example"), str):
                        named["example"] = examples[name]
        document["components"]["securitySchemes"] = _SCHEMES
        links.add(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _secure(operation: dict[str, Any], method: str, path: str, *, reads_keyed: bool) -> None:
    """Say of an operation whether it needs a key, and what it answers who may not ask."""
    if path in guard.PROBES:
        return
    need = access.need(method, path, b"", reads_keyed=reads_keyed)
    refusals = {None: (429,), "read": (401, 429, 503)}.get(need, (401, 403, 429))
    operation["responses"] |= {str(status): _problem(status) for status in refusals}
    if need is not None:
        operation["security"] = [{name: []} for name in _SCHEMES]
