"""What the OpenAPI document says beyond types: examples, errors, security and links.

The examples of answers are a file that `make goldens` writes from real ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI

from app import errors
from app.api import access, components, feeds, links, problems, representations
from app.api.middleware import limits

EXAMPLES = Path(__file__).with_name("examples.json")
"""An example of each answer by its name: what a real store answered, see `make goldens`."""
_ID = "32737ab2-9ce6-56b1-bc5c-8ad08022d559"

Documented = tuple[int, dict[str, Any]]
"""A status, and what is said of the answer that has it."""
MOVED: Documented = 308, {"description": "It was merged into another: `Location` leads there"}
UNCHANGED: Documented = (
    304,
    {"description": "The client has the newest answer: its entity tag still holds"},
)

Form = feeds.Format | representations.Form
_FORMS: dict[Form, dict[str, Any]] = {
    "atom": {"type": "string"},
    "json": components.ref("Feed"),
    "csv": {"type": "string"},
    "jsonl": {"type": "string"},
    "jsonld": {"type": "object"},
    "txt": {"type": "string"},
}
_MEDIA_TYPES = feeds.MEDIA_TYPES | representations.MEDIA_TYPES

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


def documented(
    *statuses: int | Documented, example: str | None = None, form: Form | None = None
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route: an example of its answer, by name, its errors, and others.

    `form` is the feed, export or form of others that it answers with in place of our own JSON.
    """
    errors = [status for status in statuses if isinstance(status, int)]
    found: dict[int | str, dict[str, Any]] = {each: _problem(each) for each in (*errors, 500)}
    if form is not None:
        media_type = _MEDIA_TYPES[form].partition(";")[0]
        found[200] = {
            "content": {media_type: {"schema": _FORMS[form], "example": example or f".{form}"}}
        }
    elif example is not None:
        found[200] = {"content": {"application/json": {"example": example}}}
    return found | dict(status for status in statuses if not isinstance(status, int))


def _problem(status: int) -> dict[str, Any]:
    kinds = problems.KINDS | dict(problems.STATUSES.values())
    kinds |= {410: "gone", 503: "index-unavailable", 500: "internal-error"}
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
    return {
        "description": problems.TITLES[kind],
        "content": {problems.MEDIA_TYPE: {"schema": components.ref("Problem"), "example": example}},
    }


EXPIRED: Documented = (410, _of_kind("cursor-expired", 410, str(errors.CursorExpired()), {}))
HISTORY_LOST: Documented = (
    410,
    _of_kind("history-lost", 410, str(errors.HistoryLost("the last change is 12")), {}),
)


_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key of this archive."},
    "password": {
        "type": "http",
        "scheme": "basic",
        "description": "A key of this archive as the password, under any user name.",
    },
}


def install(app: FastAPI, *, reads_keyed: bool) -> None:
    """Add to the document of `app` its components, examples, links and the keys.

    FastAPI drops nulls from examples, so it gets their names instead. `access` decides what
    needs a key: it stands before the routes and is not part of them.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        components.name(document)
        examples = orjson.loads(EXAMPLES.read_bytes())
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
    """Document whether an operation needs a key, and its answers to those without a good one."""
    if path in limits.PROBES:
        return
    need = access.need(method, path, b"", reads_keyed=reads_keyed)
    refusals = {None: (429,), "read": (401, 429, 503)}.get(need, (401, 403, 429))
    operation["responses"] |= {str(status): _problem(status) for status in refusals}
    if need is not None:
        operation["security"] = [{name: []} for name in _SCHEMES]
