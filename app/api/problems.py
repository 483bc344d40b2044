"""Errors as RFC 9457 problem documents: the only table of HTTP statuses.

Every error that leaves the API is `application/problem+json` with type, title, status,
detail and instance, and the facts of its own. What no rule foresees is a 500 that says
nothing of the inside; its trace goes to the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from app import errors
from app.context import current

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

STATUSES: dict[type[errors.BroadsheetError], tuple[int, str]] = {
    errors.NotFound: (404, "not-found"),
    errors.Gone: (410, "gone"),
    errors.CursorExpired: (410, "cursor-expired"),
    errors.HistoryLost: (410, "history-lost"),
    errors.KeyTaken: (409, "key-taken"),
    errors.Changed: (412, "changed"),
    errors.QueryError: (400, "malformed-query"),
    errors.ParameterError: (422, "invalid-request"),
    errors.Unauthorized: (401, "unauthorized"),
    errors.Forbidden: (403, "forbidden"),
    errors.TooManyRequests: (429, "too-many-requests"),
    errors.Draining: (503, "draining"),
    errors.StoreError: (503, "store-unavailable"),
    errors.EngineError: (503, "index-unavailable"),
}
"""The HTTP status and the problem type of each error, by its class or its base's."""

_ENGINE_DETAILS: dict[type[Exception], str] = {  # paths and traces are for the log
    errors.EngineError: "the search index cannot be read now",
    errors.OutOfTime: "the search took longer than it may; ask for less",
    errors.IndexMissing: "no search index has been built yet",
    errors.IndexForeign: "the search index is of another database and is being built anew",
    errors.IndexDamaged: "the search index is damaged and is being built anew",
}

TITLES = {
    "not-found": "There is no such thing here",
    "gone": "The article was taken out",
    "cursor-expired": "The cursor is from before an erasure, or of another history",
    "history-lost": "The archive has another history",
    "key-taken": "Another article has that address or guid",
    "changed": "The article is not what the request takes it for",
    "all-rejected": "None of what was sent is an article",
    "malformed-query": "The search query cannot be read",
    "invalid-request": "The request has a value that it cannot take",
    "malformed-request": "The request is not proper HTTP",
    "misdirected": "This server does not answer for that host",
    "too-large": "The request is too large",
    "too-slow": "The request came too slowly",
    "overloaded": "The server has too much to do now",
    "unauthorized": "The request needs a key",
    "forbidden": "The key does not allow this request",
    "too-many-requests": "There were too many requests",
    "store-unavailable": "The database cannot answer now",
    "index-unavailable": "The search index cannot answer now",
    "draining": "The server is about to stop",
    "method-not-allowed": "The route does not know this method",
    "unsupported-media-type": "No reader knows this content type",
    "internal-error": "Something went wrong on our side",
}
"""Every problem type that the API answers with, and its title."""


def problem(
    request: Request,
    status: int,
    kind: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **facts: Any,
) -> Response:
    """A problem document; `facts` become members of their own."""
    context = current.get()
    if context is not None:
        context.problem = kind
    body = _document(status, kind, detail, request.url.path, **facts)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def members(status: int, kind: str, detail: str, instance: str) -> dict[str, Any]:
    """The members that every problem document has."""
    return {
        "type": f"urn:broadsheet:problem:{kind}",
        "title": TITLES.get(kind) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
    }


def _document(status: int, kind: str, detail: str, instance: str, **facts: Any) -> bytes:
    return orjson.dumps(members(status, kind, detail, instance) | facts, default=str)


def of_connection(status: int, detail: str) -> bytes:
    """The body of a refusal before there is a request: it names no path as its instance."""
    return _document(status, KINDS[status], detail, "")


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(errors.BroadsheetError, of_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _broken_off)
    app.add_exception_handler(Exception, _unforeseen)


async def of_error(request: Request, error: Exception) -> Response:
    """The answer to an error of ours; a bug where it is one that no caller can cause."""
    if isinstance(error, errors.Moved):
        return _moved(request, error)
    found = next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), None)
    if found is None:
        return await _unforeseen(request, error)
    status, name = found
    facts: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if isinstance(error, errors.QueryError):
        facts = {name: getattr(error, name) for name in ("position", "expected", "hint")}
        facts["corrected"] = error.corrected
        facts["errors"] = [{"loc": [error.where, "q"], "msg": error.reason}]
    elif isinstance(error, errors.ParameterError):
        named = [error.name] if error.name != error.where else []
        facts["errors"] = [{"loc": [error.where, *named], "msg": error.reason}]
    elif isinstance(error, errors.Gone):
        facts = {"why": error.why, "at": f"{error.at:%Y-%m-%dT%H:%M:%SZ}"}
    elif isinstance(error, errors.KeyTaken):
        facts = {"field": error.name, "article_id": error.owner}
    elif status == 401:
        headers["WWW-Authenticate"] = _CHALLENGE
    elif isinstance(error, errors.TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    elif status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
        log.warning("%s: %s", name, error)
    detail = _ENGINE_DETAILS.get(type(error), str(error))
    return problem(request, status, name, detail, headers=headers, **facts)


_CHALLENGE = 'Bearer realm="broadsheet", Basic realm="broadsheet", charset="UTF-8"'


def _moved(request: Request, error: errors.Moved) -> Response:
    """A redirect relative to the address that was asked, so that it holds under any prefix."""
    asked = str(request.path_params.get(f"{error.kind}_id", ""))
    query = request.url.query
    if asked:
        below = request.url.path.rpartition(asked)[2]
        location = (
            f"{'../' * below.count('/')}{error.merged_into}{below}{f'?{query}' if query else ''}"
        )
    else:
        location = f"?{request.url.include_query_params(id=error.merged_into).query}"
    return Response(status_code=308, headers={"Location": location})


async def _validation(request: Request, error: Exception) -> Response:
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    listed = [_wrong(each) for each in found]
    named = [(".".join(each["loc"][1:]) or each["loc"][0], each["msg"]) for each in listed]
    detail = "; ".join(f"{name}: {reason}" for name, reason in named)
    return problem(request, 422, "invalid-request", detail, errors=listed)


def _wrong(found: Mapping[str, Any]) -> dict[str, Any]:
    """An error of the framework as one of `errors`, of a whole body in our own words."""
    loc, kind, reason = [str(part) for part in found["loc"]], found["type"], found["msg"]
    if kind == "json_invalid":
        reason = f"is not JSON: {found['ctx']['error']} at position {loc.pop()}"
    elif loc == ["body"]:
        reason = _NO_OBJECT
    return {"loc": loc, "msg": reason, "type": kind}


_NO_OBJECT = "must be a JSON object, sent with Content-Type: application/json"


async def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 400:  # the framework's word for bytes that it cannot decode
        listed = [{"loc": ["body"], "msg": _NO_OBJECT, "type": "json_invalid"}]
        return problem(request, 422, "invalid-request", f"body: {_NO_OBJECT}", errors=listed)
    detail = str(error.detail) if isinstance(error, HTTPException) else ""
    headers = error.headers if isinstance(error, HTTPException) else None
    if status == 404:
        detail = f"nothing is served at {request.url.path}"
    elif status == 405:
        detail = f"{request.method} is not known at {request.url.path}"
        headers = {"Allow": ", ".join(_methods(request))}
    return of_http(request, HTTPException(status, detail, headers))


KINDS = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    413: "too-large",
    414: "too-large",
    415: "unsupported-media-type",
    421: "misdirected",
    431: "too-large",
    503: "overloaded",
}
"""The problem type of a status that is no error of ours."""


def of_http(request: Request, error: HTTPException) -> Response:
    """The problem document of a status that is no error of ours."""
    status = error.status_code
    kind = KINDS.get(status, HTTPStatus(status).phrase.lower().replace(" ", "-"))
    return problem(request, status, kind, error.detail, headers=error.headers)


def _methods(request: Request) -> list[str]:
    """The methods that any route answers at the path of `request`."""
    known = {
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    return sorted(known | {"HEAD"} if "GET" in known else known)


async def _broken_off(request: Request, _: Exception) -> Response:
    """For log and metrics alone, since nobody is there to read it."""
    return of_http(request, HTTPException(400, "the client went before its body had ended"))


async def _unforeseen(request: Request, error: Exception) -> Response:
    log.error("unhandled error at %r", request.url.path, exc_info=error)
    return problem(request, 500, "internal-error", "the error has been logged")
