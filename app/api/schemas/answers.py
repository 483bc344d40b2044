"""How answers become bytes: the store's own objects, written as JSON by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from app.api import cursors
from app.articles.read import CursorKey
from app.search import engine
from app.search.engine import ListPage


def bucket(found: engine.Bucket) -> dict[str, Any]:
    """A period of a histogram as it is answered."""
    share = None
    if found.coverage is not None:
        share = round(found.count / found.coverage, 6) if found.coverage else 0.0
    return {"start": found.start, "count": found.count, "share": share}


def answer(
    content: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """A JSON response; dataclasses, UUIDs and instants (as `…Z`) are written by orjson."""
    raw = orjson.dumps(content, option=orjson.OPT_UTC_Z)
    return Response(raw, status, headers=headers, media_type="application/json")


def page(
    request: Request,
    found: ListPage[Any],
    of: object,
    cursor_key: CursorKey,
    *,
    headers: Mapping[str, str] | None = None,
    linked: bool = True,
    asked_s: int | None = None,
    **more: Any,
) -> Response:
    """A list's page with its cursor, in the body and, if an address says it all, as a `Link`."""
    after = found.after
    cursor = None if after is None else cursors.encode(after, of, cursor_key, asked_s=asked_s)
    headers = dict(headers or {})
    if cursor is not None and linked:
        headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return answer(
        {"items": found.items, "total": found.total, "next": cursor, **more}, headers=headers
    )
