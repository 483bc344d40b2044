"""The schemas that OpenAPI names once, where FastAPI would repeat them or has no model of them.

In: the document that FastAPI made. Out: the same with every enum, body, feed and problem among
its components. Generators of clients name what has no name by the place where it stands, so
that each repetition becomes a type of its own.
"""

from __future__ import annotations

from typing import Any, get_args

import orjson
from pydantic.json_schema import models_json_schema

from app.api import feeds
from app.api.schemas import requests, responses
from app.articles import history, identity, save, versions
from app.articles import read as articles
from app.entities import cooccurrence, read
from app.extract import base
from app.ingest import draft
from app.search import engine
from app.search.highlight import highlighter
from app.services import indexing, suggest

_ENUMS: dict[str, Any] = {
    "ArticleField": requests.ArticleField,
    "CompletionKind": suggest.CompletionKind,
    "DateOrder": requests.DateOrder,
    "EntityOrder": read.Sort,
    "EntityType": base.Type,
    "EventKind": articles.EventKind,
    "Facet": requests.Facet,
    "HighlightField": highlighter.HighlightField,
    "IndexState": indexing.StateName,
    "Match": requests.Match,
    "MentionField": base.Field,
    "Outcome": save.Outcome,
    "PartKind": history.PartKind,
    "Precision": draft.Precision,
    "RelatedOrder": cooccurrence.Sort,
    "SearchOrder": engine.Sort,
    "Unit": engine.Unit,
    "VersionField": identity.TextField,
    "VersionStatus": versions.Status,
}


def ref(name: str) -> dict[str, Any]:
    """The reference to the component `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


_NULL = {"type": "null"}
_NEEDED: dict[str, Any] = {"type": "string", "minLength": 1, "pattern": r"\S"}
"""A headline or a text of which one must be there."""
_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NULL: dict[str, Any] = {"type": ["string", "null"]}
_TEXTS: dict[str, Any] = {"type": ["array", "null"], "items": _TEXT}
_INSTANT = {
    "anyOf": [{**_TEXT, "format": "date-time"}, _NULL],
    "examples": ["2020-05-09T12:00:00Z"],
}

DRAFT: dict[str, Any] = {
    "description": "An article to store: a headline, a body or a summary at least. Other members "
    "are ignored or left out with a warning. Of an instant the day alone is taken too.",
    "type": "object",
    "if": {  # no union: generators make a type of each of its parts
        "anyOf": [
            {"required": ["headline"], "properties": {"headline": _NEEDED}},
            {"required": ["body"], "properties": {"body": _NEEDED}},
            {"required": ["summary"], "properties": {"summary": {"contains": _NEEDED}}},
        ]
    },
    "else": False,
    "properties": {
        **dict.fromkeys(("headline", "body"), _TEXT_OR_NULL),
        **dict.fromkeys(("summary", "authors", "places", "keywords", "warnings"), _TEXTS),
        **dict.fromkeys(("caption", "credit", "byline", "dateline", "source"), _TEXT_OR_NULL),
        **dict.fromkeys(("section", "usage_terms"), _TEXT_OR_NULL),
        "urgency": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
        "subjects": {"type": ["array", "null"], "items": ref("DraftSubject")},
        "published_at": _INSTANT,
        "published_precision": {"anyOf": [ref("Precision"), _NULL]},
        "url": {**_TEXT_OR_NULL, "examples": ["https://example.org/rain"]},
        "language": {**_TEXT_OR_NULL, "examples": ["en", "en-GB"]},
        "guid": {**_TEXT_OR_NULL, "examples": ["urn:newsml:example.org:2020-05-09:rain"]},
        "sender_version": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**63 - 1},
        "updated_at": _INSTANT,
        "embargoed_until": _INSTANT,
    },
}
"""An article as JSON in a request."""

_ADDRESS = {**_TEXT, "format": "uri"}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "Draft": DRAFT,
    "DraftSubject": {
        "type": "object",
        "properties": dict.fromkeys(("scheme", "code", "name"), _TEXT_OR_NULL),
    },
    "Feed": {
        "description": "A page of a search as JSON Feed.",
        "type": "object",
        "required": ["version", "title", "home_page_url", "feed_url", "items"],
        "properties": {
            "version": {"const": feeds.JSON_FEED_VERSION},
            "title": _TEXT,
            "home_page_url": _ADDRESS,
            "feed_url": _ADDRESS,
            "next_url": _ADDRESS,
            "items": {"type": "array", "items": ref("FeedItem")},
        },
    },
    "FeedItem": {
        "type": "object",
        "required": ["id", "url", "title", "summary", "content_text", "_broadsheet"],
        "properties": {
            "id": _TEXT,
            "url": _ADDRESS,
            "title": _TEXT,
            "summary": _TEXT,
            "content_text": _TEXT,
            "_broadsheet": {"description": "The rest of the article.", "type": "object"},
        },
    },
    "ReconcileForm": {
        "type": "object",
        "properties": {"queries": _TEXT, "extend": _TEXT},
        "minProperties": 1,
    },
}


def name(document: dict[str, Any]) -> None:
    """Add the components that `document` lacks, and replace each enum by a reference to its own."""
    components = document["components"]["schemas"]
    _, made = models_json_schema(
        [(responses.Problem, "serialization"), (requests.SearchBody, "validation")],
        ref_template=ref("{model}")["$ref"],
    )
    components |= made["$defs"] | orjson.loads(orjson.dumps(_SCHEMAS))
    for schema in components.values():
        for member in schema.get("properties", {}).values():
            _say_default(member)
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                _never_null(parameter["schema"])
    names = {get_args(values): name for name, values in _ENUMS.items()}
    _refer(document, names)
    components |= {each: {"type": "string", "enum": list(values)} for values, each in names.items()}


def _say_default(schema: dict[str, Any]) -> None:
    """Write the default in words: generators take a member with a default for a required one."""
    default = schema.pop("default", None)
    if default is not None:
        said = orjson.dumps(default).decode()
        schema["description"] = f"{schema.get('description', '')} Default: `{said}`.".lstrip()


def _never_null(schema: dict[str, Any]) -> None:
    """Remove null from the schema of a parameter: no address has one."""
    if (parts := schema.get("anyOf")) and _NULL in parts:
        (part,) = (each for each in parts if each != _NULL)
        del schema["anyOf"]
        schema |= part


def _refer(node: Any, names: dict[tuple[str, ...], str]) -> None:
    """Replace each enum below `node` by a reference to its component."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for each in inner:
        if isinstance(each, dict) and isinstance(each.get("enum"), list):
            values = tuple(each.pop("enum"))
            del each["type"]
            each.pop("title", None)
            each |= ref(names[values])
        _refer(each, names)
