"""How answers become bytes: the store's own objects, written as JSON by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request, Response

from app.api import cursors
from app.articles import CursorKey
from app.search import base
from app.search.base import Place


def bucket(found: base.Bucket) -> dict[str, Any]:
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
    items: list[Any],
    total: int,
    after: Place | None,
    of: object,
    cursor_key: CursorKey,
    *,
    headers: Mapping[str, str] | None = None,
    linked: bool = True,
    **more: Any,
) -> Response:
    """A list's page with its cursor, in the body and, if an address says it all, as a `Link`."""
    cursor = None if after is None else cursors.encode(after, of, cursor_key)
    headers = dict(headers or {})
    if cursor is not None and linked:
        headers["Link"] = f'<{request.url.include_query_params(cursor=cursor)}>; rel="next"'
    return answer({"items": items, "total": total, "next": cursor, **more}, headers=headers)
